"""The admin's form of a gateway: who may lead its sockets where, and until when."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests.factories import fresh, make_created_gateway, make_gateway

pytestmark = pytest.mark.django_db

DOMAIN = {"domain_name": "ws.example.com", "certificate_arn": "arn:aws:acm:x"}
MADE = {
    **DOMAIN,
    "custom_domain_created": True,
    "hosted_zone_id": "Z1",
    "api_gateway_domain_name": "d-1.example.com",
    "api_mapping_id": "m1",
}
EVIL = {
    "domain_name": "evil.example.net",
    "hosted_zone_id": "ZEVIL",
    "api_gateway_domain_name": "d-1.evil.example.net",
    "api_mapping_id": "evil",
    "api_id": "evil",
    "api_endpoint": "wss://evil.example.net",
    "stage_name": "evil",
}


def url_of(gateway):
    return reverse("admin:django_aws_api_gateway_websockets_apigateway_change", args=[gateway.pk])


def form_of(client, gateway):
    """The fields of the gateway's page, as the browser sends them back unchanged."""
    form = client.get(url_of(gateway)).context["adminform"].form
    shown = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    routes = {"additional_routes-TOTAL_FORMS": "0", "additional_routes-INITIAL_FORMS": "0"}
    tags = {"tags": "{}"} if "tags" in shown else {}
    return {**{k: v for k, v in shown.items() if v is not None}, **routes, **tags}


def test_what_leads_to_a_made_domain_cannot_be_changed_even_by_a_forged_form(admin_client):
    gateway = make_created_gateway(**MADE)
    form = form_of(admin_client, gateway)
    assert not EVIL.keys() & form.keys()
    before = fresh(gateway)
    response = admin_client.post(url_of(gateway), {**form, **EVIL})
    assert response.status_code == 302
    after = fresh(gateway)
    assert {name: getattr(after, name) for name in EVIL} == {
        name: getattr(before, name) for name in EVIL
    }
    assert after.socket_url == "wss://ws.example.com"


def test_a_renewed_certificate_may_be_entered(admin_client):
    gateway = make_created_gateway(**MADE)
    form = {**form_of(admin_client, gateway), "certificate_arn": "arn:aws:acm:new"}
    assert admin_client.post(url_of(gateway), form).status_code == 302
    assert fresh(gateway).certificate_arn == "arn:aws:acm:new"


def test_a_domain_that_is_not_made_may_be_changed(admin_client):
    gateway = make_created_gateway(**DOMAIN)
    form = {**form_of(admin_client, gateway), "domain_name": "other.example.com"}
    assert admin_client.post(url_of(gateway), form).status_code == 302
    assert fresh(gateway).domain_name == "other.example.com"


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("domain_name", "WS.example.com", "is not the name of a host in lower case"),
        ("stage_name", "a/b", "letters, digits, hyphens and underscores"),
        ("api_id", "a.b", "an API&#x27;s id"),
        ("api_endpoint", "https://evil.net", "must begin with wss://"),
        ("throttling_rate_limit", "0", "above 0"),
        ("throttling_burst_limit", "0", "above 0"),
        ("ip_address_type", "ipv6", "ipv6"),
    ],
)
def test_the_form_says_what_is_wrong(admin_client, field, text, error):
    gateway = make_gateway()
    response = admin_client.post(url_of(gateway), {**form_of(admin_client, gateway), field: text})
    assert list(response.context["adminform"].form.errors) == [field]
    assert error in response.content.decode()


def test_a_bad_column_that_is_read_only_by_now_does_not_keep_the_form_from_being_saved(
    admin_client,
):
    gateway = make_created_gateway(**{**MADE, "domain_name": "Not A Host"})
    form = {**form_of(admin_client, gateway), "default_channel_name": "lobby"}
    assert admin_client.post(url_of(gateway), form).status_code == 302
    assert fresh(gateway).default_channel_name == "lobby"


@pytest.mark.parametrize("chosen", ["ipv4", "dualstack", ""])
def test_the_address_type_may_be_chosen_at_any_time(admin_client, chosen):
    gateway = make_created_gateway(**MADE)
    form = {**form_of(admin_client, gateway), "ip_address_type": chosen}
    assert admin_client.post(url_of(gateway), form).status_code == 302
    assert fresh(gateway).ip_address_type == (chosen or None)


def test_route_responses_may_be_switched_on_and_off_at_any_time(admin_client):
    """By a checkbox: there is no third answer."""
    gateway = make_created_gateway(**MADE)
    form = form_of(admin_client, gateway)
    del form["route_responses"]
    for sent, is_on in ({"route_responses": "on"}, True), ({}, False):
        assert admin_client.post(url_of(gateway), {**form, **sent}).status_code == 302
        assert fresh(gateway).route_responses is is_on


def test_a_new_certificate_is_brought_to_aws_by_the_action(admin_client, edge):
    gateway = make_created_gateway(api_name="Chat", **MADE)
    old = {"certificateArn": "arn:aws:acm:old", "endpointType": "REGIONAL"}
    found = {"domainName": "ws.example.com", "domainNameConfigurations": [old]}
    edge.when("GET /v2/domainnames/ws.example.com$", body=found)
    url = reverse("admin:django_aws_api_gateway_websockets_apigateway_changelist")
    data = {"action": "create_custom_domain", "_selected_action": [gateway.pk]}
    response = admin_client.post(url, data)
    ((level, text),) = [(m.level_tag, str(m)) for m in get_messages(response.wsgi_request)]
    assert (level, text.startswith("Custom Domain setup for Chat.")) == ("success", True)
    (sent,) = [request.json for request in edge.requests if request.method == "PATCH"]
    assert sent["domainNameConfigurations"] == [{**old, "certificateArn": "arn:aws:acm:x"}]


def test_an_origin_of_a_domain_that_is_not_made_is_refused(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    gateway = make_created_gateway(domain_name="evil.example.net")
    headers = {"Origin": "https://evil.example.net", "Host": "example.com"}
    refused = WebSocketClient("/ws/", gateway=gateway, headers=headers)
    assert refused.connect().status_code == 400
    ApiGateway.objects.update(custom_domain_created=True)
    welcome = WebSocketClient("/ws/", gateway=fresh(gateway), headers=headers)
    assert welcome.connect().status_code == 200
