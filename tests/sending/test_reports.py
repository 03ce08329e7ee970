"""What becomes of one recipient, by what AWS or the network says, with each transport."""

from __future__ import annotations

import pytest

from tests.factories import make_created_gateway, make_gateway, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("transport")]


@pytest.fixture
def session():
    return make_session(make_created_gateway(api_endpoint=""))


def sent_to(edge):
    """The ids of the connections that were posted to."""
    return [request.connection_id for request in edge.requests]


def test_a_message_is_posted_to_the_stage_of_its_gateway_with_the_id_escaped(edge):
    gateway = make_created_gateway(stage_name="beta")
    session = make_session(gateway, connection_id="JC1dgf9yoAMCK-g=")
    session.send_message({"text": "hello"})
    (request,) = edge.requests
    assert (request.method, request.path) == ("POST", "/beta/@connections/JC1dgf9yoAMCK-g%3D")
    assert request.json == {"text": "hello"}


def test_a_blank_stage_name_means_production(edge):
    make_session(make_created_gateway(stage_name=""), connection_id="one")
    make_session(make_created_gateway(stage_name=""), connection_id="two").send_message("x")
    assert edge.lines == ["POST /production/@connections/two"]


@pytest.mark.parametrize("error_type", ["GoneException", "", "OfWhateverType"])
def test_a_410_is_gone_with_and_without_an_error_type(edge, session, error_type):
    edge.when("@connections", 410, error_type=error_type)
    report = session.send_message("x")
    assert (report.sent, report.gone, report.failed) == (0, 1, 0)
    session.refresh_from_db()
    assert not session.connected


FORMS = ["{}", "{}:http://internal.amazon.com/", "com.amazonaws.apigateway#{}", "a#{}:http://b/"]


@pytest.mark.parametrize("form", FORMS)
def test_a_gone_exception_of_another_status_is_gone(edge, session, form):
    edge.when("@connections", 400, error_type=form.format("GoneException"))
    assert session.send_message("x").gone == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("member", ["__type", "code", "Code"])
def test_an_error_code_in_the_body_alone_counts(edge, session, member, form):
    edge.when("@connections", 400, body={member: form.format("GoneException")})
    assert session.send_message("x").gone == 1


@pytest.mark.parametrize("body", [None, [], "GoneException", {"__type": None}, {"message": "x"}])
def test_an_error_without_a_code_has_its_status_for_a_reason(edge, session, body):
    edge.when("@connections", 404, body=body)
    assert session.send_message("x").reasons == {"404": 1}


@pytest.mark.parametrize(
    ("status", "error_type", "reason"),
    [
        (400, "BadRequestException", "BadRequestException"),
        (403, "ForbiddenException", "ForbiddenException"),
        (413, "PayloadTooLargeException", "PayloadTooLargeException"),
        (404, "", "404"),
    ],
)
def test_a_refusal_of_aws_is_reported_with_its_reason(
    edge, session, caplog, status, error_type, reason
):
    edge.when("@connections", status, error_type=error_type)
    report = session.send_message("secret")
    assert (report.sent, report.gone, report.failed) == (0, 0, 1)
    assert report.reasons == {reason: 1}
    session.refresh_from_db()
    assert session.connected
    assert caplog.messages == [
        f"Not reached connection_id={session.connection_id} reason={reason}"
    ]


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(429, "LimitExceededException"), (500, "InternalServerException"), (503, "")],
)
def test_a_passing_failure_is_tried_again(edge, session, status, error_type):
    edge.when("@connections", status, error_type=error_type, times=1)
    assert session.send_message("x").sent == 1
    assert sent_to(edge) == [session.connection_id] * 2


def test_lasting_failures_are_reported_after_the_fifth_try(edge):
    gateway = make_created_gateway()
    ids = [make_session(gateway).connection_id for _ in range(3)]
    edge.when(ids[0], 429, error_type="LimitExceededException")
    edge.when(ids[1], 500, error_type="InternalServerException")
    edge.when(ids[2], reset=True)
    report = gateway.sessions.send_message("x")
    assert report.reasons == {
        "LimitExceededException": 1,
        "InternalServerException": 1,
        "ConnectionClosedError": 1,
    }
    assert sorted(sent_to(edge)) == sorted(ids * 5)
    assert gateway.sessions.filter(connected=True).count() == 3


def test_a_reset_connection_is_tried_again(edge, session):
    edge.when("@connections", reset=True, times=1)
    assert session.send_message("x").sent == 1


def test_one_recipient_failing_in_the_middle_does_not_stop_the_rest(edge):
    gateway = make_created_gateway()
    ids = [make_session(gateway, channel_name="room").connection_id for _ in range(5)]
    edge.when(ids[2], 403, error_type="ForbiddenException")
    edge.when(ids[3], 410, error_type="GoneException")
    report = gateway.sessions.send_message("x")
    assert sorted(sent_to(edge)) == sorted(ids)
    assert (report.sent, report.gone, report.failed) == (3, 1, 1)
    assert report.reasons == {"ForbiddenException": 1}


def test_a_profile_that_does_not_exist_is_reported(edge, session, settings):
    settings.AWS_IAM_PROFILE = "nobody has this one"
    report = session.send_message("x")
    assert report.reasons == {"ProfileNotFound": 1}


def test_half_a_key_pair_counts_as_none(edge, session, settings):
    settings.AWS_SECRET_ACCESS_KEY = None
    assert session.send_message("x").sent == 1
    assert edge.requests[0].access_key == "local"


def test_a_session_without_a_gateway_cannot_be_served(edge):
    report = make_session(None).send_message("x")
    assert report.reasons == {"The session has no created gateway": 1}
    assert edge.requests == []


def test_a_session_of_a_gateway_that_is_not_created_cannot_be_served(edge):
    report = make_session(make_gateway()).send_message("x")
    assert report.reasons == {"The session has no created gateway": 1}
    assert edge.requests == []


def test_a_gateway_whose_id_makes_no_host_name_fails_alone(edge, settings):
    settings.AWS_GATEWAY_ENDPOINT_URL = None
    report = make_session(make_created_gateway(api_id="under_score")).send_message("x")
    assert report.reasons == {"ValueError": 1}
