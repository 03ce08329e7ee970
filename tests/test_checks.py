"""Each system check: what triggers it, and what silences it."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache

from django_aws_api_gateway_websockets.conf import DEFAULTS
from django_aws_api_gateway_websockets.views import WebSocketView

# Django checks the database's own settings too.
pytestmark = pytest.mark.django_db

ROOM = "django_aws_api_gateway_websockets"


class ChatView(WebSocketView):
    pass


VIEW = ChatView.as_view()


def plain_view(request, **kwargs):
    return HttpResponse()


def problems():
    """Our problems by their number: {"E001": message}."""
    found = [message for message in run_checks() if message.id.startswith(ROOM)]
    return {message.id.partition(".")[2]: message for message in found}


def test_a_well_configured_site_has_no_problems(settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:9001"
    settings.WEBSOCKETS = {"max_workers": 5}
    assert problems() == {}


def test_no_region_is_a_warning_that_names_both_settings(settings):
    settings.AWS_REGION_NAME = None
    problem = problems()["W001"]
    assert not problem.is_serious()
    assert "Set AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME." in problem.hint


@pytest.mark.parametrize(
    "chosen",
    [
        {"AWS_REGION_NAME": "eu-west-1"},
        {"AWS_GATEWAY_REGION_NAME": "eu-west-1"},
        {"AWS_GATEWAY_ENDPOINT_URL": "http://localhost:9001"},
    ],
    ids=lambda chosen: next(iter(chosen)),
)
def test_a_region_of_any_kind_silences_the_warning(settings, chosen):
    settings.AWS_REGION_NAME = None
    for name, value in chosen.items():
        setattr(settings, name, value)
    assert problems() == {}


def test_a_region_of_the_environment_silences_the_warning(settings, monkeypatch):
    settings.AWS_REGION_NAME = None
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert problems() == {}


@pytest.mark.parametrize("region", ["eu-west-1", None])
@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_key_pair_is_an_error(settings, missing, region):
    settings.AWS_REGION_NAME = region
    setattr(settings, missing, None)
    problem = problems()["E001"]
    assert problem.is_serious()
    assert "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in problem.hint


def test_a_profile_silences_the_complaint_about_half_a_key_pair(settings, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[profile of_the_checks]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    settings.AWS_IAM_PROFILE = "of_the_checks"
    settings.AWS_SECRET_ACCESS_KEY = settings.AWS_REGION_NAME = None
    assert problems() == {}


@pytest.mark.parametrize("region", ["eu-west-1", None])
def test_a_profile_that_does_not_exist_is_an_error_that_names_it(settings, region):
    settings.AWS_REGION_NAME = region
    settings.AWS_IAM_PROFILE = "nobody"
    problem = problems()["E002"]
    assert "nobody" in problem.msg
    assert "AWS_IAM_PROFILE" in problem.hint


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9001", "localhost:9001", "ws://127.0.0.1:9000", "http://", "http://[::1"]
)
def test_an_endpoint_that_is_no_http_url_is_an_error(settings, url):
    settings.AWS_GATEWAY_ENDPOINT_URL = url
    assert "http://127.0.0.1:9001" in problems()["E003"].hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001/", "https://vpce-1.example.com", "", None])
def test_an_http_endpoint_and_none_are_fine(settings, url):
    settings.AWS_GATEWAY_ENDPOINT_URL = url
    assert problems() == {}


@pytest.mark.parametrize("value", [None, ["max_workers"]])
def test_websockets_that_is_no_dict_is_an_error(settings, value):
    settings.WEBSOCKETS = value
    assert list(problems()) == ["E004"]


def test_an_unknown_key_of_websockets_is_an_error_that_knows_a_near_one(settings):
    settings.WEBSOCKETS = {"max_worker": 5}
    problem = problems()["E005"]
    assert "'max_worker'" in problem.msg
    assert "Did you mean 'max_workers'?" in problem.hint


@pytest.mark.parametrize("key", ["colour", 7])
def test_an_unknown_key_that_resembles_none_is_answered_with_those_there_are(settings, key):
    settings.WEBSOCKETS = {key: 1}
    assert f"Known keys: {', '.join(DEFAULTS)}." in problems()["E005"].hint


@pytest.mark.parametrize("value", [0, -1, "5", 2.5, None])
def test_max_workers_that_is_no_positive_number_is_an_error(settings, value):
    settings.WEBSOCKETS = {"max_workers": value}
    assert list(problems()) == ["E007"]


@pytest.mark.parametrize("value", ["nowhere.Transport", f"{ROOM}.sending.Nothing", "Transport"])
def test_a_transport_that_cannot_be_imported_is_an_error(settings, value):
    settings.WEBSOCKETS = {"transport": value}
    assert "cannot be imported" in problems()["E008"].msg


NAMELESS = {
    "no argument": path("ws/", VIEW),
    "another argument": path("ws/<slug:action>", VIEW),
    "regular expression": re_path(r"^ws/(\w+)$", VIEW),
    "included": path("ws/", include([path("chat/", VIEW)])),
    "decorated": path("ws/", never_cache(VIEW)),
}

NAMED = {
    "argument": path("ws/<slug:route>", VIEW),
    "regular expression": re_path(r"^ws/(?P<route>\w+)$", VIEW),
    "constant": path("ws/", VIEW, {"route": "default"}),
    "included": path("ws/", include([path("<slug:route>", VIEW)])),
    "argument of the including pattern": path("ws/<slug:route>/", include([path("", VIEW)])),
    "expression of the including pattern": re_path(r"^(?P<route>\w+)/", include([path("", VIEW)])),
    "constant of the including pattern": path("", include([path("", VIEW)]), {"route": "default"}),
    "another view": path("ws/", plain_view),
}


@pytest.mark.parametrize("pattern", NAMELESS.values(), ids=NAMELESS)
def test_a_pattern_that_gives_its_view_no_route_is_an_error(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    problem = problems()["E006"]
    assert "gives its WebSocketView no route" in problem.msg
    assert 'path("ws/<slug:route>", ...)' in problem.hint


@pytest.mark.parametrize("pattern", NAMED.values(), ids=NAMED)
def test_a_pattern_that_gives_its_view_a_route_is_fine(settings, pattern):
    settings.ROOT_URLCONF = (pattern,)
    assert problems() == {}


def test_a_project_without_urls_is_fine(settings):
    del settings.ROOT_URLCONF
    assert problems() == {}


def test_the_checks_run_with_djangos_own(settings):
    settings.WEBSOCKETS = {"colour": "red"}
    with pytest.raises(SystemCheckError, match=f"{ROOM}.E005"):
        call_command("check")
