"""Each check of the settings: what triggers it, and what silences it."""

from __future__ import annotations

import sys

import botocore.configprovider
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from django_aws_api_gateway_websockets.checks.settings import AWS_SETTINGS
from django_aws_api_gateway_websockets.conf import DEFAULTS
from tests.checks.messages import ROOM, problems

# Django checks the database's own settings too.
pytestmark = pytest.mark.django_db


def test_a_well_configured_site_has_no_problems(settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:9001"
    settings.WEBSOCKETS = {"max_in_flight": 5}
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
def test_half_a_key_pair_is_a_warning(settings, missing, region):
    settings.AWS_REGION_NAME = region
    setattr(settings, missing, None)
    found = problems()
    assert set(found) == ({"W012"} if region else {"W012", "W001"})
    problem = found["W012"]
    assert not problem.is_serious()
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


@pytest.mark.parametrize(
    "value", [["a1"], {"a1": 7}, {7: "https://a"}, {"a1": "ws.example.com"}, {"a1": "wss://a"}]
)
def test_endpoints_that_are_no_http_urls_of_apis_are_an_error(settings, value):
    settings.WEBSOCKETS = {"endpoints": value}
    assert '{"a1b2c3d4e5": "https://' in problems()["E027"].hint


VARIANTS = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"]


@pytest.mark.usefixtures("new_session")
@pytest.mark.parametrize("name", VARIANTS)
def test_hosts_that_messages_do_not_go_to_are_a_warning(settings, monkeypatch, name):
    monkeypatch.setenv(name, "true")
    ((number, problem),) = problems().items()
    assert number == "W017"
    assert problem.msg.startswith(f"{name} is set")
    assert 'WEBSOCKETS["endpoints"]' in problem.hint
    settings.WEBSOCKETS = {"endpoints": {"a1": "https://a1.example.com/prod"}}
    assert problems() == {}


@pytest.mark.usefixtures("new_session")
@pytest.mark.skipif(
    not hasattr(botocore.configprovider, "ConfiguredEndpointProvider"),
    reason="This botocore goes to AWS in any case",
)
def test_an_endpoint_of_the_environment_is_a_warning_where_the_site_is_deployed(
    settings, monkeypatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    assert problems() == {}
    problem = problems(deploy=True)["W018"]
    assert "'http://minio:9000'" in problem.msg
    assert "AWS_ENDPOINT_URL_S3" in problem.hint
    settings.AWS_GATEWAY_ENDPOINT_URL = "https://gateway.example.com"
    assert "W018" not in problems(deploy=True)


@pytest.mark.usefixtures("new_session")
def test_a_profile_of_the_environment_that_does_not_exist_lets_the_checks_run(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert problems().keys() <= {"E002"}


ODD = [7, ["a"], {"a": 1}, object, b"bytes", True]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("name", AWS_SETTINGS)
def test_a_setting_of_aws_that_is_no_text_is_an_error(settings, name, value):
    setattr(settings, name, value)
    ((number, problem),) = problems(deploy=True).items()
    assert (number, problem.msg) == ("E019", f"{name} is not text.")


@pytest.mark.parametrize("value", [*ODD, None, "", ".x", "..x"], ids=repr)
@pytest.mark.parametrize("name", DEFAULTS)
def test_no_value_in_websockets_makes_the_checks_fail(settings, name, value):
    settings.WEBSOCKETS = {name: value}
    assert all(problem.hint for problem in problems(deploy=True).values())


@pytest.mark.parametrize("value", [None, ["max_in_flight"]])
def test_websockets_that_is_no_dict_is_an_error(settings, value):
    settings.WEBSOCKETS = value
    assert list(problems()) == ["E004"]


def test_an_unknown_key_of_websockets_is_an_error_that_knows_a_near_one(settings):
    settings.WEBSOCKETS = {"max_flight": 5}
    problem = problems()["E005"]
    assert "'max_flight'" in problem.msg
    assert "Did you mean 'max_in_flight'?" in problem.hint


@pytest.mark.parametrize("key", ["colour", 7])
def test_an_unknown_key_that_resembles_none_is_answered_with_those_there_are(settings, key):
    settings.WEBSOCKETS = {key: 1}
    assert f"Known keys: {', '.join(DEFAULTS)}." in problems()["E005"].hint


@pytest.mark.parametrize("value", [0, -1, "5", 2.5])
def test_max_in_flight_that_is_no_positive_number_is_an_error(settings, value):
    settings.WEBSOCKETS = {"max_in_flight": value}
    assert list(problems()) == ["E007"]


@pytest.mark.parametrize("value", [0, -1, "5", True])
@pytest.mark.parametrize("name", ["max_send_rate", "send_timeout"])
def test_a_rate_or_time_that_is_no_positive_number_is_an_error(settings, name, value):
    settings.WEBSOCKETS = {name: value}
    assert list(problems()) == ["E020"]


@pytest.mark.parametrize("name", ["max_in_flight", "max_send_rate"])
def test_no_bound_is_none(settings, name):
    settings.WEBSOCKETS = {name: None}
    assert problems() == {}


@pytest.mark.parametrize("value", [0, -1, "5", 2.5, None])
def test_a_lease_that_is_no_positive_number_is_an_error(settings, value):
    settings.WEBSOCKETS = {"task_lease": value}
    assert list(problems()) == ["E022"]


@pytest.mark.parametrize("limits", [{}, None, {"idle": 2.5, "frame": 1024}])
def test_limits_of_the_client_are_numbers_by_name(settings, limits):
    settings.WEBSOCKETS = {"client_limits": limits}
    assert problems() == {}


@pytest.mark.parametrize("limits", [{"idl": 2}, {"idle": 0}, {"idle": "2"}, {"idle": True}, 2])
def test_limits_that_the_client_does_not_know_are_an_error(settings, limits):
    settings.WEBSOCKETS = {"client_limits": limits}
    assert list(problems()) == ["E028"]


@pytest.mark.parametrize("value", [None, "", "tests.queues.HeldBackend"])
def test_no_backend_and_one_that_can_be_imported_are_fine(settings, value):
    settings.WEBSOCKETS = {"task_backend": value}
    assert problems() == {}


@pytest.mark.parametrize("value", ["rabbit", "nobody.Knows", "tests.queues.Nobody", 7, ["celery"]])
def test_a_backend_that_cannot_be_used_is_an_error_that_names_it(settings, value):
    settings.WEBSOCKETS = {"task_backend": value}
    (problem,) = problems().values()
    assert problem.id.endswith(".E021")
    assert repr(value) in problem.msg


def test_a_backend_whose_package_is_missing_is_an_error(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, f"{ROOM}.broadcasts.celery", raising=False)
    settings.WEBSOCKETS = {"task_backend": "celery"}
    problem = problems()["E021"]
    assert "import of celery halted" in problem.msg
    assert "Install the package" in problem.hint


STRONG = "kP3-uWZ_q1xN7vRt.J9sLd0aEyBhCf2g"


@pytest.mark.parametrize("value", [(), "", None, STRONG, [STRONG], (STRONG, "x" * 32)])
def test_secrets_of_ones_own_are_text_or_a_list_of_texts(settings, value):
    settings.WEBSOCKETS = {"source_secret": value}
    assert problems() == {}


@pytest.mark.parametrize("value", [7, {"a": 1}, [STRONG, None], [7], b"bytes"])
def test_a_secret_that_is_no_text_is_an_error(settings, value):
    settings.WEBSOCKETS = {"source_secret": value}
    assert list(problems(deploy=True)) == ["E009"]


@pytest.mark.parametrize("bad", ["two words", "it's", 'so "so"', "a\\b", "schön", "x" * 511, "\0"])
def test_a_secret_that_cannot_be_mapped_is_an_error_that_does_not_print_it(settings, bad):
    settings.WEBSOCKETS = {"source_secret": [STRONG, bad]}
    ((number, problem),) = problems(deploy=True).items()
    assert number == "E010"
    assert bad not in f"{problem.msg}{problem.hint}"


def test_an_empty_secret_among_several_is_an_error(settings):
    settings.WEBSOCKETS = {"source_secret": [STRONG, ""]}
    assert list(problems()) == ["E010"]


@pytest.mark.parametrize("weak", ["short", "x" * 40])
def test_a_weak_secret_is_a_warning_before_a_deployment(settings, weak):
    settings.WEBSOCKETS = {"source_secret": [STRONG, weak]}
    assert problems() == {}
    ((number, problem),) = problems(deploy=True).items()
    assert number == "W010"
    assert weak not in f"{problem.msg}{problem.hint}"


@pytest.mark.parametrize("value", [None, 1, "yes", []])
def test_an_old_header_is_required_or_not(settings, value):
    settings.WEBSOCKETS = {"source_secret": STRONG, "require_old_header": value}
    assert list(problems(deploy=True)) == ["E026"]


@pytest.mark.parametrize("secret", [(), "", None])
def test_an_old_header_that_no_secret_proves_is_an_error(settings, secret):
    settings.WEBSOCKETS = {"source_secret": secret, "require_old_header": True}
    problem = problems(deploy=True)["E026"]
    assert "without a source_secret" in problem.msg
    settings.WEBSOCKETS = {"source_secret": STRONG, "require_old_header": True}
    assert problems(deploy=True) == {}


@pytest.mark.parametrize("value", [0, -60, "60", 1.5, None])
def test_a_ticket_lifetime_that_is_no_positive_number_is_an_error(settings, value):
    settings.WEBSOCKETS = {"ticket_lifetime": value}
    assert list(problems(deploy=True)) == ["E011"]


def test_a_long_ticket_lifetime_is_a_warning_before_a_deployment(settings):
    settings.WEBSOCKETS = {"ticket_lifetime": 3600}
    assert problems(deploy=True) == {}
    settings.WEBSOCKETS = {"ticket_lifetime": 3601}
    assert problems() == {}
    assert list(problems(deploy=True)) == ["W002"]


@pytest.mark.parametrize("name", ["connect_rate", "message_rate", "ticket_rate"])
@pytest.mark.parametrize("value", ["30", "30/w", "0/m", "often", 30])
def test_a_rate_that_is_none_is_an_error_that_shows_one(settings, name, value):
    settings.WEBSOCKETS = {name: value}
    problem = problems(deploy=True)["E012"]
    assert name in problem.msg
    assert 'Write "30/m"' in problem.hint


def test_a_rate_cache_that_caches_does_not_have_is_an_error(settings):
    settings.WEBSOCKETS = {"rate_cache": "rates"}
    problem = problems(deploy=True)["E013"]
    assert "'rates'" in problem.msg
    assert "CACHES has default." in problem.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001", "http://localhost:9001"])
def test_an_endpoint_on_this_machine_is_a_warning_before_a_deployment(settings, url):
    settings.AWS_GATEWAY_ENDPOINT_URL = url
    assert list(problems(deploy=True)) == ["W009"]
    settings.AWS_GATEWAY_ENDPOINT_URL = "https://vpce-1.example.com"
    assert problems(deploy=True) == {}


@pytest.mark.parametrize("value", ["nowhere.Transport", f"{ROOM}.sending.Nothing", "Transport"])
def test_a_transport_that_cannot_be_imported_is_an_error(settings, value):
    settings.WEBSOCKETS = {"transport": value}
    assert "cannot be made" in problems()["E008"].msg
    assert "'sockets'" in problems()["E008"].hint


@pytest.mark.parametrize("name", ["auto", "boto3", "sockets"])
def test_a_transport_can_be_forced_by_its_name(settings, name):
    settings.WEBSOCKETS = {"transport": name}
    assert problems() == {}


@pytest.mark.parametrize("name", ["libcurl", "threads"])
def test_a_transport_of_an_earlier_release_is_named(settings, name):
    settings.WEBSOCKETS = {"transport": name}
    found = problems()
    assert set(found) == {"W015"}
    assert name in found["W015"].msg
    assert '"auto"' in found["W015"].hint


def test_the_checks_run_with_djangos_own(settings):
    settings.WEBSOCKETS = {"colour": "red"}
    with pytest.raises(SystemCheckError, match=f"{ROOM}.E005"):
        call_command("check")


@pytest.mark.parametrize("hosts", [["www.example.com", ".example.org"], ("*",), [], None])
def test_a_list_of_integration_hosts_is_fine(settings, hosts):
    settings.WEBSOCKETS = {"allowed_integration_hosts": hosts}
    assert problems() == {}


@pytest.mark.parametrize(
    "hosts", ["www.example.com", 7, [7], [None], ["https://www.example.com"], ["*.example.com"]]
)
def test_integration_hosts_that_would_never_match_are_an_error(settings, hosts):
    settings.WEBSOCKETS = {"allowed_integration_hosts": hosts}
    assert list(problems()) == ["E023"]
    assert '".example.com"' in problems()["E023"].hint
