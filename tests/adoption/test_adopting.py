"""A database of 3.0, 4.0.0 or 4.1.0 becomes one of ours, by one command.

The tables and rows in schema_later are what these releases have left, run as they are: their
migrations, their models, and their view for the connections.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    WebSocketSession,
)
from django_aws_api_gateway_websockets.security.digests import digest
from django_aws_api_gateway_websockets.security.identity import still_holds
from django_aws_api_gateway_websockets.testing import WebSocketClient
from tests import databases
from tests.databases import state

pytestmark = pytest.mark.django_db(transaction=True)

DROP = "--drop-channel-permissions"


@pytest.fixture(params=["3.0.0", "3.0.0 migrated", "4.0.0", "4.0.0 migrated", "4.1.0"])
def database(request, later):
    """A database of that release, before or after our ``migrate``."""
    release, _, migrated = request.param.partition(" ")
    later(release)
    if migrated:
        call_command("migrate", verbosity=0)


def test_it_has_the_schema_of_a_new_database(own_tables, database, adopt):
    adopt(DROP)
    assert databases.shape() == own_tables
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", check_unapplied=True, verbosity=0, skip_checks=False)
    assert (len(databases.recorded()), databases.recorded()[-1]) == (9, databases.NEWEST)


def test_users_who_have_connected_and_permissions_can_be_deleted(database, adopt):
    adopt(DROP)
    User.objects.all().delete()
    Permission.objects.all().delete()
    assert set(WebSocketSession.objects.values_list("connection_id", flat=True)) == {"guest="}


def test_a_second_run_says_that_it_is_done(later, adopt):
    later("4.1.0")
    adopt(DROP)
    before = state()
    assert adopt() == "Adopted already: nothing of release 3.x or 4.x is left.\n"
    assert state() == before


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(database, adopt):
    before = state()
    planned = adopt("--dry-run", DROP)
    assert state() == before
    assert "Would drop the table" in planned
    assert "Dropped" not in planned
    done = adopt(DROP)
    for would, did in [("drop", "Dropped"), ("apply", "Applied"), ("forget", "Forgot")]:
        assert planned.count(f"Would {would}") == done.count(did)


def test_the_view_serves_an_open_connection_and_a_new_one(later, adopt, websocket):
    later("4.1.0")
    adopt(DROP)
    chat = ApiGateway.objects.get(api_name="Chat")
    known = WebSocketClient("/ws/", gateway=chat, connection_id="alice=")
    newcomer = websocket("/ws/", gateway=chat)
    assert known.send({"action": "chat", "text": "hello"}).status_code == 200
    assert known.received == newcomer.received == [{"text": "hello"}]


def test_it_says_what_comes_next(later, adopt):
    later("4.0.0")
    assert adopt().splitlines()[-1] == (
        "Adopted. Next: migrate, check --deploy, upgradeApiGateway --all, and "
        "remove_stale_contenttypes."
    )


# What 4.1.0 alone has


def test_a_half_made_gateway_has_failed_and_can_be_finished(later, adopt, edge):
    later("4.1.0")
    adopt(DROP)
    half = ApiGateway.objects.get(api_name="Half")
    assert (half.status, half.api_created, half.api_id) == ("failed", False, "half1")
    assert half.last_error == "Routes failed: AccessDenied"
    half.create_gateway()
    half.refresh_from_db()
    assert (half.status, half.api_id) == ("created", "half1")


def test_each_gateway_has_the_status_that_it_had(later, adopt):
    later("4.1.0")
    adopt(DROP)
    assert {gateway.api_name: gateway.status for gateway in ApiGateway.objects.all()} == {
        "Chat": "created, with custom domain",
        "Half": "failed",
        "Unknown": "failed",
        "Routes": "not created",
        "Domain": "failed",
        "Finished": "created",
        "Deployed": "created",
        "News": "not created",
    }
    domain = ApiGateway.objects.get(api_name="Domain")
    assert (domain.api_created, domain.custom_domain_created) == (True, False)


def test_an_api_that_nobody_knows_is_named(later, adopt):
    later("4.1.0")
    warning = "The API of Unknown was being made. If AWS has it, delete it there"
    assert warning in adopt("--dry-run", DROP)
    assert warning in adopt(DROP)


def test_a_login_that_holds_goes_on_holding(later, adopt):
    later("4.1.0")
    (key,) = [key for key in databases.column("django_session", "session_key") if key_of(key)]
    adopt(DROP)
    alice = WebSocketSession.objects.get(connection_id="alice=")
    assert alice.auth_hash
    assert still_holds(alice.user, alice.auth_hash)
    assert alice.login == digest(key)
    alice.user.set_password("new")
    assert not still_holds(alice.user, alice.auth_hash)


def key_of(key):
    """True for the key of alice's session of Django."""
    from django.contrib.sessions.models import Session

    return Session.objects.get(pk=key).get_decoded()["_auth_user_id"] == "1"


def test_a_login_that_the_password_has_ended_stays_ended(later, adopt):
    later("4.1.0")
    adopt(DROP)
    bob = WebSocketSession.objects.get(connection_id="bob=")
    assert not still_holds(bob.user, bob.auth_hash)


def test_a_guest_and_a_connection_that_is_over_are_bound_to_no_login(later, adopt):
    later("4.1.0")
    adopt(DROP)
    for connection_id in ("guest=", "left="):
        session = WebSocketSession.objects.get(connection_id=connection_id)
        assert (session.auth_hash, session.login) == (None, None)


def test_a_login_of_an_older_secret_key_holds(later, adopt, settings):
    later("4.1.0")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a newer one"
    adopt(DROP)
    alice = WebSocketSession.objects.get(connection_id="alice=")
    assert alice.login
    assert still_holds(alice.user, alice.auth_hash)
    settings.SECRET_KEY_FALLBACKS = []
    assert still_holds(alice.user, alice.auth_hash)


def test_a_logout_still_closes_what_it_closed(later, adopt, client, websocket_outbox):
    later("4.1.0")
    keys = [key for key in databases.column("django_session", "session_key") if key_of(key)]
    adopt(DROP)
    client.cookies["sessionid"] = keys[0]
    client.logout()
    assert not WebSocketSession.objects.get(connection_id="alice=").connected
