"""Losses that an adoption would bring: keys of other apps, and the permissions of channels."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .later import BETWEEN, CHANNEL, RULE, Leftovers
from .tables import Tables

OPEN = "allow_all"


class Channel(NamedTuple):
    """Who may join a channel."""

    name: str
    #: allow_all, staff_only, superuser_only or permissions.
    access: str
    #: The permissions of each rule, one of which a user has to meet.
    rules: list[list[str]]


def foreign_keys(connection: BaseDatabaseWrapper, found: Leftovers) -> Iterator[tuple[str, str]]:
    """Yield (table and column, table that goes) for each key of a table that stays."""
    tables = Tables(connection)
    dropped = {table for _, table in found.tables}
    if not dropped:
        return
    for table in sorted(tables.names - dropped):
        keys = tables.foreign_keys(table).items()
        yield from ((f"{table}.{column}", target) for column, target in keys if target in dropped)


def channels(connection: BaseDatabaseWrapper, found: Leftovers) -> list[Channel]:
    """Return the channels that have permissions, in the order of their names."""
    permissions = _permissions(connection, found)
    rules: dict[Any, list[list[str]]] = {}
    for table in found.tables_of(RULE):
        for pk, channel in _rows(connection, table, "id", "channel_permission_id"):
            rules.setdefault(channel, []).append(permissions.get(pk, []))
    return [
        Channel(name, access, rules.get(pk, []))
        for table in found.tables_of(CHANNEL)
        for name, pk, access in _rows(connection, table, "channel_name", "id", "access")
    ]


def can_join_channel(channels: list[Channel]) -> str:
    """Return the method of a view that lets in those whom these channels let in."""
    lines = ["def can_join_channel(self, request, channel_name):", "    user = request.user"]
    for channel in channels:
        if channel.access != OPEN:
            lines.append(f"    if channel_name == {channel.name!r}:")
            lines.append(f"        return {_condition(channel)}")
    listed = [channel.name for channel in channels if channel.access == OPEN]
    unlisted = f"channel_name in {listed!r}" if listed else "False"
    lines.append(f"    # With ALLOW_UNLISTED_CHANNELS = False: return {unlisted}")
    lines.append("    return True")
    return "\n".join(lines)


def _condition(channel: Channel) -> str:
    if channel.access == "staff_only":
        return "user.is_active and (user.is_staff or user.is_superuser)"
    # has_perms of no permission is true for everybody, so a rule without any is left out. It let
    # in superusers, and they have all permissions.
    rules = [rule for rule in channel.rules if rule]
    if channel.access == "permissions" and rules:
        return " or ".join(f"user.has_perms({rule!r})" for rule in rules)
    return "user.is_active and user.is_superuser"


def _permissions(connection: BaseDatabaseWrapper, found: Leftovers) -> dict[Any, list[str]]:
    """Return {rule: its permissions}, each as "app.codename"."""
    given: dict[Any, list[str]] = {}
    tables = found.tables_of(BETWEEN)
    if not tables:
        return given
    apps = dict(_rows(connection, "django_content_type", "id", "app_label"))
    names = {
        pk: f"{apps[app]}.{codename}"
        for app, codename, pk in _rows(
            connection, "auth_permission", "content_type_id", "codename", "id"
        )
    }
    for table in tables:
        columns = "channelpermissionrule_id", "permission_id"
        for rule, permission in _rows(connection, table, *columns):
            given.setdefault(rule, []).append(names[permission])
    return given


def _rows(connection: BaseDatabaseWrapper, table: str, *columns: str) -> list[Any]:
    """Return these columns of all rows, in the order of the first column."""
    quote = connection.ops.quote_name
    chosen = ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        query = f"SELECT {chosen} FROM {quote(table)} ORDER BY {quote(columns[0])}"  # noqa: S608
        cursor.execute(query)
        return list(cursor.fetchall())
