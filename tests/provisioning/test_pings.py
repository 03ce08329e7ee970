"""Pings: API Gateway answers them, unless the site has a ping of its own."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.urls import include, path, set_script_prefix

from django_aws_api_gateway_websockets.models import ApiGateway, get_boto3_client
from django_aws_api_gateway_websockets.views import WebSocketView
from tests.control_plane import MOCK, OWN_ROUTES, calls_since
from tests.factories import fresh, make_gateway, make_live_gateway, make_route
from tests.old_release import deploy_as_1_1_1

pytestmark = pytest.mark.django_db

URL = "https://www.example.com/ws/ping"


class OwnPing(WebSocketView):
    def ping(self, request, *args, **kwargs):
        return {"own": True}


class NoPing(WebSocketView):
    def default(self, request, *args, **kwargs):
        return {}


@pytest.fixture
def client(local_gateway):
    return get_boto3_client()


def writes_since(local_gateway, start):
    return [name for name in calls_since(local_gateway, start) if not name.startswith("Get")]


def integration_of(client, gateway, key="ping"):
    routes = client.get_routes(ApiId=gateway.api_id)["Items"]
    (target,) = [route["Target"] for route in routes if route["RouteKey"] == key]
    where = {"ApiId": gateway.api_id, "IntegrationId": target.partition("/")[2]}
    return client.get_integration(**where)


# It is answered


@pytest.mark.django_db(transaction=True)
def test_a_ping_is_answered_and_django_hears_nothing(local_gateway, live_server):
    from django_aws_api_gateway_websockets.local.testing import open_socket

    gateway = make_gateway(target_base_endpoint=f"{live_server.url}/ws/")
    gateway.create_gateway()
    socket = open_socket(gateway)
    before = gateway.sessions.get().request_count
    socket.send({"action": "ping"})
    assert socket.receive() == {"pong": True}
    socket.send({"action": "chat", "text": "after it"})
    assert socket.receive() == {"text": "after it"}
    assert gateway.sessions.get().request_count == before + 1
    socket.close()
    local_gateway.wait_until_quiet()


@pytest.mark.django_db(transaction=True)
def test_a_gateway_that_was_made_without_it_answers_after_an_upgrade(local_gateway, live_server):
    from django_aws_api_gateway_websockets.local.testing import open_socket

    gateway = deploy_as_1_1_1(target_base_endpoint=f"{live_server.url}/ws/")
    gateway.upgrade_gateway()
    socket = open_socket(gateway)
    socket.send({"action": "ping"})
    assert socket.receive() == {"pong": True}
    socket.close()
    local_gateway.wait_until_quiet()


@pytest.mark.parametrize("expression", ["$request.body.kind", "${request.body.kind}"])
def test_another_key_of_messages_selects_it_as_well(control_plane, expression):
    gateway = make_gateway(route_selection_expression=expression)
    gateway.create_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == MOCK
    assert control_plane.replies(gateway.api_id, "ping")


def test_a_dry_run_lists_it_and_the_upgrade_makes_it(local_gateway, control_plane, client):
    gateway = make_live_gateway()
    (ping,) = [
        r for r in client.get_routes(ApiId=gateway.api_id)["Items"] if r["RouteKey"] == "ping"
    ]
    client.delete_route(ApiId=gateway.api_id, RouteId=ping["RouteId"])
    mock = ping["Target"].partition("/")[2]
    client.delete_integration(ApiId=gateway.api_id, IntegrationId=mock)
    expression = "RouteResponseSelectionExpression=$default"
    assert gateway.upgrade_gateway(dry_run=True) == [
        "create_integration IntegrationType=MOCK",
        "create_integration_response IntegrationId=(new 1) IntegrationResponseKey=$default",
        f"create_route RouteKey=ping Target=integrations/(new 1) {expression}",
        "create_route_response RouteId=(new 3) RouteResponseKey=$default",
    ]
    start = len(local_gateway.requests)
    gateway.upgrade_gateway()
    made = ["CreateIntegration", "CreateIntegrationResponse", "CreateRoute", "CreateRouteResponse"]
    # What is deployed is the same.
    assert writes_since(local_gateway, start) == made
    assert control_plane.replies(gateway.api_id, "ping")


def test_a_second_upgrade_changes_nothing(local_gateway):
    gateway = make_live_gateway()
    start = len(local_gateway.requests)
    assert gateway.upgrade_gateway(dry_run=True) == []
    gateway.upgrade_gateway()
    assert writes_since(local_gateway, start) == []


@pytest.mark.parametrize("part", ["route_response", "integration_response"])
def test_a_response_that_somebody_has_deleted_is_made_again(control_plane, client, part):
    gateway = make_live_gateway()
    mock = {
        "ApiId": gateway.api_id,
        "IntegrationId": integration_of(client, gateway)["IntegrationId"],
    }
    routes = client.get_routes(ApiId=gateway.api_id)["Items"]
    (ping,) = [route for route in routes if route["RouteKey"] == "ping"]
    owner = {"ApiId": gateway.api_id, "RouteId": ping["RouteId"]}
    owner = owner if part == "route_response" else mock
    (found,) = getattr(client, f"get_{part}s")(**owner)["Items"]
    name = "RouteResponseId" if part == "route_response" else "IntegrationResponseId"
    getattr(client, f"delete_{part}")(**owner, **{name: found[name]})
    (call,) = gateway.upgrade_gateway(dry_run=True)
    assert call.startswith(f"create_{part} ")
    gateway.upgrade_gateway()
    assert len(getattr(client, f"get_{part}s")(**owner)["Items"]) == 1


def test_it_is_deployed_when_it_appears(local_gateway, mount, client):
    mount(OwnPing)
    gateway = make_live_gateway()
    mount(NoPing)
    assert "create_deployment StageName=production" in gateway.upgrade_gateway(dry_run=True)
    start = len(local_gateway.requests)
    gateway.upgrade_gateway()
    assert writes_since(local_gateway, start)[-1] == "CreateDeployment"


# It is not taken from the site


@pytest.mark.parametrize(
    "expression",
    ["$request.body.a.b", "${request.body.a}-x", "${request.body.a}${request.body.b}"],
)
def test_an_expression_that_a_ping_could_not_satisfy_gets_no_route(control_plane, expression):
    gateway = make_gateway(route_selection_expression=expression)
    gateway.create_gateway()
    assert set(control_plane.routes(gateway.api_id)) == OWN_ROUTES
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_the_sites_own_route_keeps_the_key(control_plane):
    gateway = make_gateway()
    make_route(gateway, route_key="ping", integration_url=URL)
    gateway.create_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == URL
    assert gateway.upgrade_gateway(dry_run=True) == []
    assert not control_plane.replies(gateway.api_id, "ping")


def test_a_default_route_of_that_key_keeps_it(control_plane):
    gateway = make_gateway(route_key="ping")
    gateway.create_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == "https://www.example.com/ws/default"
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_a_route_of_another_row_with_the_same_api_keeps_it(control_plane):
    gateway = make_live_gateway()
    twin = make_gateway(api_id=gateway.api_id, api_created=True, route_key="ping")
    twin.upgrade_gateway()
    gateway.upgrade_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == "https://www.example.com/ws/default"


def test_a_handler_of_the_view_goes_on_getting_them(control_plane, mount):
    mount(OwnPing)
    gateway = make_live_gateway()
    assert set(control_plane.routes(gateway.api_id)) == OWN_ROUTES
    assert gateway.upgrade_gateway(dry_run=True) == []


def test_a_handler_that_is_new_takes_them_back(control_plane, mount):
    mount(NoPing)
    gateway = make_live_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == MOCK
    mount(OwnPing)
    assert any("delete_route RouteKey=ping" in c for c in gateway.upgrade_gateway(dry_run=True))
    gateway.upgrade_gateway()
    assert set(control_plane.routes(gateway.api_id)) == OWN_ROUTES
    assert control_plane.orphans(gateway.api_id) == set()


def test_a_handler_is_found_below_an_include_and_a_script_prefix(control_plane, settings):
    inner = [path("<slug:route>", OwnPing.as_view())]
    settings.ROOT_URLCONF = (path("ws/", include(inner)),)
    set_script_prefix("/app/")
    gateway = make_gateway(target_base_endpoint="https://www.example.com/app/ws/")
    try:
        gateway.create_gateway()
    finally:
        set_script_prefix("/")
    assert set(control_plane.routes(gateway.api_id)) == OWN_ROUTES


def test_a_view_that_is_wrapped_and_a_plain_one_are_told_apart(control_plane, settings):
    from django.views.decorators.csrf import csrf_protect

    for view, keys in [
        (csrf_protect(OwnPing.as_view()), OWN_ROUTES),
        (lambda request, route: HttpResponse(), {*OWN_ROUTES, "ping"}),
    ]:
        settings.ROOT_URLCONF = (path("ws/<slug:route>", view),)
        assert set(control_plane.routes(make_live_gateway().api_id)) == keys


@pytest.mark.parametrize("urlconf", [None, (path("other/<slug:route>", OwnPing.as_view()),)])
def test_a_site_without_that_url_gets_the_route(control_plane, settings, urlconf):
    settings.ROOT_URLCONF = urlconf
    assert control_plane.routes(make_live_gateway().api_id)["ping"] == MOCK


# An additional route that takes the key over, and gives it back


@pytest.mark.django_db(transaction=True)
def test_a_route_that_is_saved_takes_the_key_over_and_gives_it_back(control_plane, client):
    gateway = make_live_gateway()
    route = make_route(gateway, route_key="ping", integration_url=URL)
    assert control_plane.additional_routes(gateway) == {"ping": URL}
    # The body of the site's answer does not go to the client.
    assert not control_plane.replies(gateway.api_id, "ping")
    assert gateway.upgrade_gateway(dry_run=True) == []
    route.delete()
    assert control_plane.routes(gateway.api_id)["ping"] == MOCK
    assert control_plane.replies(gateway.api_id, "ping")
    assert control_plane.orphans(gateway.api_id) == set()
    assert gateway.upgrade_gateway(dry_run=True) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation", ["DeleteRouteResponse", "CreateIntegration", "UpdateRoute"])
def test_a_takeover_that_fails_is_finished_by_an_upgrade(local_gateway, control_plane, operation):
    gateway = make_live_gateway()
    local_gateway.inject(operation)
    make_route(gateway, route_key="ping", integration_url=URL)
    gateway.upgrade_gateway()
    assert control_plane.additional_routes(gateway) == {"ping": URL}
    assert not control_plane.replies(gateway.api_id, "ping")


def test_rows_that_a_queryset_has_deleted_give_it_back_with_the_next_upgrade(control_plane):
    gateway = make_gateway()
    make_route(gateway, route_key="ping", integration_url=URL)
    gateway.create_gateway()
    gateway.additional_routes.all().delete()
    gateway.upgrade_gateway()
    assert control_plane.routes(gateway.api_id)["ping"] == MOCK
    assert control_plane.replies(gateway.api_id, "ping")
    assert control_plane.orphans(gateway.api_id) == set()
    assert gateway.upgrade_gateway(dry_run=True) == []


@pytest.mark.django_db(transaction=True)
def test_a_view_with_its_own_handler_gets_them_after_the_route(control_plane, mount):
    mount(OwnPing)
    gateway = make_live_gateway()
    make_route(gateway, route_key="ping", integration_url=URL).delete()
    assert set(control_plane.routes(gateway.api_id)) == OWN_ROUTES


# What somebody has made by hand


@pytest.mark.parametrize("kind", ["MOCK", "HTTP_PROXY"])
def test_a_route_that_is_made_by_hand_stays(control_plane, client, kind):
    gateway = make_gateway(route_selection_expression="$request.body.a.b")
    gateway.create_gateway()
    mock = {"RequestTemplates": {"$default": '{"statusCode":200}'}}
    proxy = {"IntegrationMethod": "POST", "IntegrationUri": "https://mine.example.net/"}
    where = {"ApiId": gateway.api_id}
    options = mock if kind == "MOCK" else proxy
    made = client.create_integration(**where, IntegrationType=kind, **options)
    target = f"integrations/{made['IntegrationId']}"
    client.create_route(**where, RouteKey="ping", Target=target)
    for expression in ("$request.body.action", "$request.body.a.b"):
        ApiGateway.objects.update(route_selection_expression=expression)
        fresh(gateway).upgrade_gateway()
        assert integration_of(client, gateway)["IntegrationId"] == made["IntegrationId"]


def test_a_mock_that_is_made_by_hand_and_not_used_stays(client):
    gateway = make_live_gateway()
    templates = {"$default": '{"statusCode":200}'}
    made = client.create_integration(
        ApiId=gateway.api_id, IntegrationType="MOCK", RequestTemplates=templates
    )
    gateway.upgrade_gateway()
    found = client.get_integrations(ApiId=gateway.api_id)["Items"]
    assert made["IntegrationId"] in [integration["IntegrationId"] for integration in found]


# Steps that a site overrides


class OwnRoutes(ApiGateway):
    class Meta:
        proxy = True
        app_label = "tests"

    def wanted_routes(self):
        return [route for route in super().wanted_routes() if route.key != "$disconnect"]


def test_a_site_that_chooses_its_routes_gets_these_and_that_of_pings(control_plane):
    gateway = OwnRoutes.objects.get(pk=make_gateway().pk)
    gateway.create_gateway()
    assert set(control_plane.routes(gateway.api_id)) == {"$connect", "$default", "ping"}
