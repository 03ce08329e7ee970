"""Route responses: AWS sends the site's answers to the clients, where the gateway says so."""

from __future__ import annotations

import pytest

from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.control_plane import calls_since
from tests.factories import fresh, make_gateway, make_live_gateway, make_route
from tests.old_release import deploy_as_1_1_1
from tests.stubbed import StubbedAws

pytestmark = pytest.mark.django_db

HEADER = "integration.request.header.routeResponse"
DEPLOY = "create_deployment StageName=production"


class Answering(WebSocketView):
    def ask(self, request, *args, **kwargs):
        return {"told": request.headers.get("routeResponse")}

    join = ask


def switch(gateway, is_on):
    ApiGateway.objects.update(route_responses=is_on)
    return fresh(gateway)


def headers(gateway):
    """{route key: what its integration maps into the header}"""
    client = get_boto3_client()
    found = client.get_integrations(ApiId=gateway.api_id)["Items"]
    mapped = {
        f"integrations/{integration['IntegrationId']}": integration.get("RequestParameters", {})
        for integration in found
    }
    routes = client.get_routes(ApiId=gateway.api_id)["Items"]
    return {route["RouteKey"]: mapped[route["Target"]].get(HEADER) for route in routes}


def assert_all_reply(control_plane, gateway, do_reply, *keys):
    for key in keys or ("$default", "join"):
        assert control_plane.replies(gateway.api_id, key) is do_reply
        assert headers(gateway)[key] == ("'true'" if do_reply else None)
    for key in ("$connect", "$disconnect"):
        assert headers(gateway)[key] is None
        assert not control_plane.replies(gateway.api_id, key)
    assert control_plane.replies(gateway.api_id, "ping")
    assert control_plane.orphans(gateway.api_id) == set()
    assert gateway.upgrade_gateway(dry_run=True) == []


@pytest.fixture
def gateway(control_plane):
    """A live gateway with one additional route."""
    gateway = make_gateway()
    make_route(gateway, route_key="join", integration_url="https://www.example.com/ws/join")
    gateway.create_gateway()
    return fresh(gateway)


def test_it_is_off_until_somebody_switches_it_on(control_plane, gateway):
    assert gateway.route_responses is False
    assert_all_reply(control_plane, gateway, False)


def test_a_new_gateway_has_them_from_the_start(control_plane):
    gateway = make_gateway(route_responses=True)
    make_route(gateway, route_key="join")
    gateway.create_gateway()
    assert_all_reply(control_plane, gateway, True)


def test_an_upgrade_switches_them_on_off_and_on(control_plane, gateway):
    for is_on in (True, False, True):
        deployed = fresh(gateway).deployment_id
        told = switch(gateway, is_on).upgrade_gateway(dry_run=True)
        verb = "create" if is_on else "delete"
        assert len([call for call in told if call.startswith(f"{verb}_route_response ")]) == 2
        assert DEPLOY in told
        fresh(gateway).upgrade_gateway()
        assert fresh(gateway).deployment_id != deployed
        assert_all_reply(control_plane, fresh(gateway), is_on)


def test_a_gateway_of_1_1_1_gets_all_that_its_routes_lack(control_plane):
    """Its routes have no expression either."""
    gateway = switch(deploy_as_1_1_1(), True)
    told = gateway.upgrade_gateway(dry_run=True)
    updates = [call for call in told if call.startswith("update_route ")]
    assert len([c for c in updates if "RouteResponseSelectionExpression=$default" in c]) == 2
    gateway.upgrade_gateway()
    assert_all_reply(control_plane, gateway, True)


def test_a_route_that_is_switched_off_at_the_expression_is_put_right(control_plane, gateway):
    gateway = switch(gateway, True)
    gateway.upgrade_gateway()
    client, where = get_boto3_client(), {"ApiId": gateway.api_id}
    (route,) = [r for r in client.get_routes(**where)["Items"] if r["RouteKey"] == "join"]
    target = {"RouteKey": "join", "Target": route["Target"]}
    client.delete_route(**where, RouteId=route["RouteId"])
    client.create_route(**where, **target)
    gateway.upgrade_gateway()
    assert_all_reply(control_plane, gateway, True)


@pytest.mark.django_db(transaction=True)
def test_a_route_that_is_saved_later_replies_as_the_others_do(control_plane):
    gateway = make_gateway(route_responses=True)
    gateway.create_gateway()
    route = make_route(gateway, route_key="join")
    assert_all_reply(control_plane, gateway, True)
    route.route_key = "enter"
    route.save()
    assert_all_reply(control_plane, gateway, True, "$default", "enter")


@pytest.mark.django_db(transaction=True)
def test_a_saved_route_after_the_switch_was_turned_is_whole(control_plane, gateway):
    """The other routes follow with the upgrade."""
    for is_on in (True, False):
        switch(gateway, is_on)
        route = fresh(gateway).additional_routes.get()
        route.integration_url = f"https://www.example.com/ws/{is_on}"
        route.save()
        assert control_plane.replies(gateway.api_id, "join") is is_on
        assert headers(gateway)["join"] == ("'true'" if is_on else None)
        assert control_plane.replies(gateway.api_id, "$default") is not is_on
        fresh(gateway).upgrade_gateway()
        assert_all_reply(control_plane, fresh(gateway), is_on)


@pytest.mark.django_db(transaction=True)
def test_a_saved_route_for_pings_replies_with_the_sites_answer(control_plane, gateway):
    gateway = switch(gateway, True)
    gateway.upgrade_gateway()
    make_route(gateway, route_key="ping")
    assert_all_reply(control_plane, fresh(gateway), True, "$default", "join", "ping")


@pytest.mark.parametrize("is_on", [True, False])
@pytest.mark.parametrize(
    "operation",
    [
        *("GetRouteResponses", "CreateRouteResponse", "DeleteRouteResponse", "CreateIntegration"),
        *("UpdateRoute", "CreateDeployment", "DeleteIntegration"),
    ],
)
@pytest.mark.parametrize("after", [True, False])
def test_each_call_may_fail_and_a_later_run_finishes(
    local_gateway, control_plane, gateway, is_on, operation, after
):
    if not is_on:
        switch(gateway, True).upgrade_gateway()
    gateway = switch(gateway, is_on)
    if operation == ("DeleteRouteResponse" if is_on else "CreateRouteResponse"):
        return
    for _ in range(2):
        local_gateway.inject(operation, after=after)
        with pytest.raises(Exception, match=operation):
            gateway.upgrade_gateway()
        gateway = fresh(gateway)
        if operation in ("CreateDeployment", "DeleteIntegration"):
            break  # What remains is done by then.
    gateway.upgrade_gateway()
    assert_all_reply(control_plane, fresh(gateway), is_on)


@pytest.mark.parametrize("operation", ["CreateRouteResponse", "UpdateRoute"])
def test_a_half_way_switch_can_be_turned_back(local_gateway, control_plane, gateway, operation):
    gateway = switch(gateway, True)
    local_gateway.inject(operation, after=True)
    with pytest.raises(Exception, match=operation):
        gateway.upgrade_gateway()
    gateway = switch(gateway, False)
    gateway.upgrade_gateway()
    assert_all_reply(control_plane, fresh(gateway), False)


def test_a_gateway_without_them_is_not_asked_for_them_but_by_the_hash(local_gateway, gateway):
    """Once for each route of messages, and beforehand for that of pings."""
    start = len(local_gateway.requests)
    gateway.upgrade_gateway()
    assert calls_since(local_gateway, start).count("GetRouteResponses") == 3 + 1


def test_a_response_that_somebody_has_made_by_hand_stays_where_it_is_off(control_plane, gateway):
    client, where = get_boto3_client(), {"ApiId": gateway.api_id}
    (route,) = [r for r in client.get_routes(**where)["Items"] if r["RouteKey"] == "join"]
    client.create_route_response(**where, RouteId=route["RouteId"], RouteResponseKey="$default")
    gateway.upgrade_gateway()
    assert control_plane.replies(gateway.api_id, "join")


def test_the_exact_calls_of_a_new_route():
    aws = StubbedAws()
    gateway = make_gateway(api_id="api1", route_responses=True)
    aws.expect_listings()
    table = gateway.route_table(aws.client)
    (default,) = [route for route in gateway.own_routes() if route.is_message]
    mapped = default.request_parameters(table.static_headers)
    aws.expect_integration("i1", default.url, {**mapped, HEADER: "'true'"})
    aws.expect_route("$default", "i1", RouteResponseSelectionExpression="$default")
    aws.expect_response("of $default")
    table.ensure(default)
    aws.expect_nothing_more()


@pytest.mark.django_db(transaction=True)
def test_the_view_is_told_while_it_is_on(local_gateway, live_server, mount):
    from django_aws_api_gateway_websockets.local.testing import open_socket

    mount(Answering)
    gateway = make_gateway(target_base_endpoint=f"{live_server.url}/ws/")
    make_route(gateway, route_key="join", integration_url=f"{live_server.url}/ws/join")
    gateway.create_gateway()
    socket = open_socket(gateway)
    for is_on in (False, True, False):
        switch(gateway, is_on).upgrade_gateway()
        for action in ("ask", "join"):
            socket.send({"action": action, "ref": 1})
            assert socket.receive() == {"ref": 1, "reply": {"told": "true" if is_on else None}}
            socket.send({"action": "ping"})
            assert socket.receive() == {"pong": True}
    socket.close()
    local_gateway.wait_until_quiet()


def test_rows_of_an_earlier_release_have_it_off(local_gateway):
    gateway = make_live_gateway()
    ApiGateway.objects.update(route_responses=None)
    assert fresh(gateway).route_responses is False
    assert fresh(gateway).upgrade_gateway(dry_run=True) == []
