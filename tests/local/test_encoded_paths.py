"""@connections in a percent-encoded path, as AWS's own tools and guide write it."""

from __future__ import annotations

import pytest

pytest.importorskip("websockets")

from .backend import PATIENCE
from .refusals import CERTIFICATE, SIGNED

MARKS = ["%40connections", "@connections", "%40%63onnections", "@connection%73"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("stage", ["", "/production", "/pr%6fduction"])
def test_the_mark_may_be_encoded(world, raw, mark, stage):
    client = world.connect(world.api().url)
    identifier = world.connection_id.replace("=", "%3D")
    path = f"{stage}/{mark}/{identifier}"
    assert raw("POST", path, b"hello", SIGNED).status == 200
    assert client.recv(PATIENCE) == "hello"
    assert raw("GET", path, headers=SIGNED).status == 200
    assert raw("DELETE", path, headers=SIGNED).status == 204
    assert raw("GET", path, headers=SIGNED).status == 410


@pytest.mark.parametrize("slash", ["%2f", "%2F"])
def test_slashes_may_be_encoded_in_capitals_or_not(world, raw, slash):
    world.connect(world.api().url)
    path = f"/production{slash}%40connections{slash}{world.connection_id}"
    assert raw("GET", path, headers=SIGNED).status == 200


def test_the_mark_may_be_encoded_behind_the_key_of_a_custom_domain(world, raw):
    api = world.api()
    domain = {"DomainName": "ws.example.com"}
    configurations = [{"CertificateArn": CERTIFICATE}]
    api.control.create_domain_name(**domain, DomainNameConfigurations=configurations)
    api.control.create_api_mapping(
        **domain, ApiId=api.id, Stage="production", ApiMappingKey="chat"
    )
    world.connect(api.url)
    headers = {**SIGNED, "Host": "ws.example.com"}
    path = f"/chat/%40connections/{world.connection_id}"
    assert raw("GET", path, headers=headers).status == 200


@pytest.mark.parametrize("mark", MARKS)
def test_the_request_must_be_signed_however_it_is_encoded(world, raw, mark):
    world.connect(world.api().url)
    answer = raw("GET", f"/production/{mark}/{world.connection_id}", headers={})
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/production/%40connections/%253D", 400),
        ("/production/%40connections/%00", 400),
        ("/production/%40connections/", 400),
        ("/production/%40connections", 403),
        ("/production/%2540connections/AAAAAAAAAAAAAAA%3D", 404),
        ("/elsewhere/%40connections/AAAAAAAAAAAAAAA%3D", 403),
    ],
)
def test_what_leads_nowhere_is_refused(world, raw, path, status):
    world.api()
    assert raw("GET", path, headers=SIGNED).status == status
