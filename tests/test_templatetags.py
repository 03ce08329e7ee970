"""The tag {% websocket %}: what it leaves in a page for the client."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.urls import path
from django.views.generic import TemplateView

from django_aws_api_gateway_websockets.mixins import WebSocketContextMixin
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.factories import make_created_gateway

pytestmark = pytest.mark.django_db

API = "wss://abc.execute-api.eu-west-1.amazonaws.com"
ELEMENT = re.compile(r'<script( nonce="[^"]*")? id="(\w+)" type="application/json">(.*)</script>')


@pytest.fixture(autouse=True)
def gateway():
    return make_created_gateway(api_endpoint=API)


def render(arguments="", user=None, request=None, **context):
    """The tag's nonce, the id of its element, and its data."""
    request = request or RequestFactory().get("/")
    request.user = user or AnonymousUser()
    template = Template("{% load aws_websockets %}{% websocket " + arguments + " %}")
    found = ELEMENT.fullmatch(template.render(RequestContext(request, context)))
    return found[1], found[2], json.loads(found[3])


def data_of(arguments="", **options):
    return render(arguments, **options)[2]


def test_it_leaves_the_first_gateways_url_and_the_key():
    assert render() == (
        None,
        "websocket",
        {"url": f"{API}/production", "key": "action"},
    )


def test_the_channel_goes_with_the_url():
    assert data_of('channel="tea & cake"')["url"] == f"{API}/production?channel=tea%20%26%20cake"


def test_an_own_url_is_taken_as_it_is():
    assert data_of('url="wss://ws.example.com/?channel=lobby"') == {
        "url": "wss://ws.example.com/?channel=lobby",
        "key": "action",
    }


def test_without_a_gateway_the_url_is_empty(gateway):
    gateway.delete()
    assert data_of() == {"url": "", "key": "action"}


def test_the_mixins_url_is_taken(settings, gateway, django_assert_num_queries):
    gateway.route_selection_expression = "$request.body.type"
    gateway.save()
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"page.html": "{% load aws_websockets %}{% websocket %}"},
                    )
                ]
            },
        }
    ]

    class Page(WebSocketContextMixin, TemplateView):
        template_name = "page.html"
        websocket_channel = "lobby"

    with django_assert_num_queries(1):
        page = Page.as_view()(RequestFactory().get("/")).render().content.decode()
    assert json.loads(ELEMENT.fullmatch(page)[3]) == {
        "url": f"{API}/production?channel=lobby",
        "key": "type",
    }


@pytest.mark.parametrize(
    ("expression", "key"),
    [
        ("$request.body.type", "type"),
        ("${request.body.type}", "type"),
        ("$request.body.a.b", "action"),
        ("${request.body.a}/${request.body.b}", "action"),
        ("${request.body.type", "action"),
    ],
)
def test_the_key_is_that_of_the_gateways_expression(gateway, expression, key):
    gateway.route_selection_expression = expression
    gateway.save()
    assert data_of()["key"] == key
    assert data_of('key="own"')["key"] == "own"


@pytest.fixture
def tickets(settings):
    settings.ROOT_URLCONF = (path("tickets/", WebSocketTokenView.as_view(), name="ticket"),)


@pytest.mark.parametrize("named", ["ticket", "/tickets/"])
def test_a_user_gets_what_a_ticket_is_asked_with(tickets, django_user_model, named):
    ada = django_user_model.objects.create_user("ada")
    data = data_of(f'ticket_url="{named}"', user=ada)
    assert data["ticketUrl"] == "/tickets/"
    assert data["authentication"] == "ticket"
    assert (data["csrf"]["header"], data["csrf"]["cookie"]) == ("X-CSRFTOKEN", "csrftoken")


def test_the_site_gives_a_ticket_for_what_the_page_has(tickets, settings, django_user_model):
    settings.CSRF_HEADER_NAME = "HTTP_X_TOKEN"
    ada, request = django_user_model.objects.create_user("ada"), RequestFactory().get("/")
    csrf = data_of('ticket_url="ticket"', user=ada, request=request)["csrf"]
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    browser.cookies["csrftoken"] = get_token(request)
    refused = browser.post("/tickets/")
    answer = browser.post("/tickets/", headers={csrf["header"]: csrf["token"]})
    assert (refused.status_code, answer.status_code) == (403, 200)


@pytest.mark.parametrize("hidden", ["CSRF_COOKIE_HTTPONLY", "CSRF_USE_SESSIONS"])
def test_a_cookie_that_scripts_cannot_read_is_not_named(
    tickets, settings, django_user_model, hidden
):
    setattr(settings, hidden, True)
    ada, request = django_user_model.objects.create_user("ada"), RequestFactory().get("/")
    request.session = {}
    data = data_of('ticket_url="ticket"', user=ada, request=request)
    assert data["csrf"]["cookie"] is None


def test_a_visitor_without_a_login_is_not_sent_for_a_ticket(tickets):
    assert "ticketUrl" not in data_of('ticket_url="ticket"')


def test_a_login_by_cookie_may_ask_why_it_is_refused(tickets, django_user_model):
    ada = django_user_model.objects.create_user("ada")
    data = data_of('ticket_url="ticket" authentication="cookie"', user=ada)
    assert data["authentication"] == "cookie"


def test_the_limits_of_the_settings_are_handed_on(settings):
    settings.WEBSOCKETS = {"client_limits": {"idle": 2, "frame": 1024}}
    assert data_of()["limits"] == {"idle": 2, "frame": 1024}


@pytest.mark.parametrize("context", [{"csp_nonce": "n0nce<"}, {}])
def test_the_nonce_of_the_page_is_added(context):
    request = RequestFactory().get("/")
    if not context:  # as django-csp has it
        request.csp_nonce = "n0nce<"
    assert render(request=request, **context)[0] == ' nonce="n0nce&lt;"'


def test_the_nonce_of_django_s_own_policy_is_in_its_header(settings):
    csp = pytest.importorskip("django.utils.csp")
    settings.SECURE_CSP = {"script-src": [csp.CSP.NONCE]}
    settings.MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware"]
    (engine,) = settings.TEMPLATES
    processors = {"context_processors": ["django.template.context_processors.csp"]}
    settings.TEMPLATES = [{**engine, "OPTIONS": processors}]

    def page(request):
        text = "{% load aws_websockets %}{% websocket %}"
        return HttpResponse(Template(text).render(RequestContext(request)))

    settings.ROOT_URLCONF = (path("", page),)
    response = Client().get("/")
    nonce = re.search(r"'nonce-([^']+)'", response["Content-Security-Policy"])[1]
    assert f'<script nonce="{nonce}" id="websocket"' in response.content.decode()


def test_a_name_in_the_data_cannot_end_the_element():
    data = data_of('channel="</script><script>"')
    assert data["url"].endswith("?channel=%3C%2Fscript%3E%3Cscript%3E")
    element = render('url="</script>" id="other"')
    assert element[1:] == ("other", {"url": "</script>", "key": "action"})


def test_without_a_request_the_tag_says_what_it_needs():
    template = Template("{% load aws_websockets %}{% websocket %}")
    with pytest.raises(TemplateSyntaxError, match="needs the request"):
        template.render(Context())


def test_an_unknown_way_to_know_the_user_is_refused():
    with pytest.raises(TemplateSyntaxError, match='not "basic"'):
        render('authentication="basic"')
