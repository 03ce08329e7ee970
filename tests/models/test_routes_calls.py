"""Additional routes on every Python: what is asked of an AWS that keeps no state."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import get_boto3_client
from tests.factories import fresh, make_created_gateway, make_gateway, make_route

pytestmark = pytest.mark.django_db

DEPLOY = "POST /v2/apis/api1/deployments"


@pytest.fixture
def gateway():
    return make_created_gateway(api_id="api1")


def test_a_new_route_is_made_and_then_deployed(edge, gateway, commit):
    with commit():
        route = make_route(gateway, route_key="join")
        assert edge.requests == []
    assert [line for line in edge.lines if line.startswith("POST")] == [
        "POST /v2/apis/api1/integrations",
        "POST /v2/apis/api1/routes",
        DEPLOY,
    ]
    assert fresh(route).deployed


def test_a_route_may_be_made_without_deploying_it(edge, gateway):
    route = make_route(gateway)
    route.create_route(get_boto3_client(), deploy=False)
    assert "POST /v2/apis/api1/routes" in edge.lines
    assert DEPLOY not in edge.lines
    assert not fresh(route).deployed


def test_a_failed_change_by_update_fields_is_not_recorded_as_done(edge, gateway, commit):
    route = fresh(make_route(gateway, deployed=True))
    edge.when(DEPLOY, 500, error_type="InternalServerException", times=1)
    with commit():
        route.integration_url = "https://www.example.com/other"
        route.save(update_fields=["integration_url"])
    assert not fresh(route).deployed
    with commit():
        fresh(route).save()
    assert fresh(route).deployed


def test_a_change_that_saves_nothing_asks_nothing_of_aws(edge, gateway, commit):
    route = fresh(make_route(gateway, deployed=True))
    with commit():
        route.save(update_fields=[])
    assert edge.requests == []


def test_a_moved_route_leaves_the_one_api_and_enters_the_other(edge, gateway, commit):
    route = fresh(make_route(gateway, route_key="join", deployed=True))
    found = {"routeKey": "join", "routeId": "r1", "target": "integrations/i1"}
    edge.when("GET /v2/apis/api1/routes", body={"items": [found]})
    with commit():
        route.api_gateway = make_created_gateway(api_id="api2")
        route.save()
    assert "DELETE /v2/apis/api1/routes/r1" in edge.lines
    assert DEPLOY in edge.lines
    assert "POST /v2/apis/api2/routes" in edge.lines
    assert fresh(route).deployed


def test_a_deleted_route_leaves_the_api(edge, gateway, commit):
    route = make_route(gateway, route_key="join")
    found = {"routeKey": "join", "routeId": "r1", "target": "integrations/i1"}
    edge.when("GET /v2/apis/api1/routes", body={"items": [found]})
    edge.requests.clear()
    with commit():
        route.delete()
        assert edge.requests == []
    assert "DELETE /v2/apis/api1/routes/r1" in edge.lines
    assert edge.lines[-1] == DEPLOY


def test_a_route_that_left_the_api_is_not_removed_from_it_again(edge, gateway, commit):
    route = fresh(make_route(gateway, deployed=True))
    with commit():
        route.api_gateway = make_gateway()
        route.save()
    edge.requests.clear()
    with commit():
        route.name = "Another name"
        route.save()
    assert edge.requests == []
