"""What an adoption would lose is refused, with the reason, and nothing is changed."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.management import CommandError
from django.db import connection, models

from django_aws_api_gateway_websockets.adoption import losses
from tests import databases
from tests.databases import APP, state
from tests.pages import BLOCKS

pytestmark = pytest.mark.django_db(transaction=True)

DROP = "--drop-channel-permissions"
OPEN_ALL = f"UPDATE {APP}_channelpermission SET access = 'allow_all'"  # noqa: S608


@pytest.fixture
def refused(adopt):
    """``refused(...)`` runs the command, which must change nothing; the reason that it gives."""

    def run(*arguments):
        before = state()
        with pytest.raises(CommandError) as reason:
            adopt(*arguments)
        assert state() == before
        return str(reason.value)

    return run


@pytest.fixture
def add_key():
    """``add_key(table)`` makes a table of another app with a key to that one."""
    quote = connection.ops.quote_name

    def add(table):
        databases.execute(
            f"CREATE TABLE shop_order (id integer PRIMARY KEY, own_id bigint NOT NULL, "
            f"CONSTRAINT own FOREIGN KEY (own_id) REFERENCES {quote(table)} (id))"
        )

    yield add
    databases.execute("DROP TABLE IF EXISTS shop_order")


@pytest.mark.parametrize(
    ("release", "table"),
    [
        ("4.1.0", f"{APP}_channelpermission"),
        ("4.1.0", f"{APP}_websockettoken"),
        ("4.0.0", f"{APP}_connectionratelimit"),
        ("3.0.0", "websocket_tokens"),
    ],
)
@pytest.mark.parametrize("arguments", [[], [DROP], [DROP, "--dry-run"]])
def test_a_key_of_another_table_is_named(add_key, later, refused, release, table, arguments):
    later(release)
    add_key(table)
    reason = refused(*arguments)
    assert f"shop_order.own_id refers to {table}" in reason
    assert "Remove these fields first" in reason
    databases.execute("DROP TABLE shop_order")


def test_a_key_to_a_table_that_stays_is_no_reason(add_key, later, adopt):
    later("4.1.0")
    add_key(f"{APP}_apigateway")
    assert "Adopted." in adopt(DROP)
    databases.execute("DROP TABLE shop_order")


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_permissions_of_channels_are_refused_with_the_method_that_does_the_same(
    later, refused, arguments
):
    later("4.1.0")
    reason = refused(*arguments)
    assert f"run this again with {DROP}:" in reason
    assert "def can_join_channel(self, request, channel_name):" in reason


def test_channels_that_are_open_to_all_are_no_reason(later, adopt):
    later("4.1.0")
    with connection.cursor() as cursor:
        cursor.execute(OPEN_ALL)
    printed = adopt()
    assert "# With ALLOW_UNLISTED_CHANNELS = False: return channel_name in" in printed
    assert "['chiefs', 'lobby', 'press', 'team']" in printed


@pytest.mark.parametrize(
    ("who", "joins"),
    [
        ({}, {"lobby"}),
        ({"is_staff": True}, {"lobby", "team"}),
        ({"is_superuser": True}, {"lobby", "team", "chiefs", "press"}),
        ({"is_superuser": True, "is_active": False}, {"lobby"}),
        ({"is_staff": True, "is_active": False}, {"lobby"}),
        ({"permissions": ["add_user"]}, {"lobby"}),
        ({"permissions": ["add_user", "change_user"]}, {"lobby", "press"}),
        ({"permissions": ["view_group"]}, {"lobby", "press"}),
        (None, {"lobby"}),
    ],
)
def test_the_method_lets_in_whom_4_1_0_let_in(later, refused, rf, who, joins):
    later("4.1.0")
    reason = refused()
    namespace = {}
    exec(reason[reason.index("def can_join_channel") :], namespace)  # noqa: S102
    request = rf.get("/")
    request.user = AnonymousUser()
    if who is not None:
        permissions = Permission.objects.filter(codename__in=who.pop("permissions", []))
        request.user = User.objects.create_user("dora", **who)
        request.user.user_permissions.set(permissions)
    channels = {"lobby", "team", "chiefs", "press"}
    can_join = namespace["can_join_channel"]
    assert {name for name in channels if can_join(None, request, name)} == joins


@pytest.fixture
def model_of_the_site():
    """``model_of_the_site(table)`` makes a model that has this table."""

    def make(table):
        meta = type("Meta", (), {"app_label": "auth", "db_table": table})
        type("Claim", (models.Model,), {"__module__": __name__, "Meta": meta})

    yield make
    del apps.all_models["auth"]["claim"]
    apps.clear_cache()


def test_a_table_that_a_model_of_the_site_has_stays(model_of_the_site, later, adopt):
    later("3.0.0")
    model_of_the_site("websocket_tokens")
    assert "Dropped the table connection_rate_limits." in adopt()
    assert "websocket_tokens" in connection.introspection.table_names()
    assert adopt().startswith("Adopted already")


def test_a_table_of_that_name_with_other_columns_stays(later, adopt):
    later("4.0.0")
    databases.execute("CREATE TABLE websocket_tokens (id integer PRIMARY KEY, token varchar(9))")
    adopt()
    assert "websocket_tokens" in connection.introspection.table_names()
    databases.execute("DROP TABLE websocket_tokens")


def test_the_page_shows_such_a_method():
    shown = losses.can_join_channel(
        [
            losses.Channel("team", "staff_only", []),
            losses.Channel("press", "permissions", [["news.add_story"], []]),
            losses.Channel("lobby", "allow_all", []),
        ]
    )
    assert BLOCKS["coming-from-later-channels"].code.replace('"', "'").strip() == shown
