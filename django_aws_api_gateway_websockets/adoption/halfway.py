"""Halfway: a database of 1.1.1 on which not all of its six migrations have run.

0001_initial of ours is all six in one, so such a database would count as complete, and lack
columns. The tables are looked at, because what is recorded as applied may have been faked.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from .tables import Tables, belongs_here, table_of

MODELS = ("apigateway", "apigatewayadditionalroute", "websocketsession")

HINT = (
    "Install django-aws-api-gateway-websockets==1.1.1, run its migrate, and then come back to "
    "this release."
)


class Step(NamedTuple):
    """What one migration of 1.1.1 has left in the table of one model."""

    migration: str
    model: str
    is_there: Callable[[Tables, str], bool]


def _column(name: str) -> Callable[[Tables, str], bool]:
    return lambda tables, table: name in tables.columns(table)


def _unique(*columns: str) -> Callable[[Tables, str], bool]:
    def is_there(tables: Tables, table: str) -> bool:
        return any(
            found["unique"] and {*found["columns"]} == {*columns}
            for found in tables.constraints(table)
        )

    return is_there


STEPS = (
    Step("0002_rename_author_websocketsession_user", "websocketsession", _column("user_id")),
    Step("0003_auto_20220706_1018", "apigateway", _column("api_id")),
    Step("0003_auto_20220706_1018", "websocketsession", _column("api_gateway_id")),
    Step("0004_auto_20221208_1227", "apigateway", _column("deployment_id")),
    Step("0004_auto_20221208_1227", "apigatewayadditionalroute", _column("route_key")),
    Step(
        "0005_apigatewayadditionalroute_deployed",
        "apigatewayadditionalroute",
        _column("deployed"),
    ),
    Step(
        "0006_auto_20221215_0847",
        "apigatewayadditionalroute",
        _unique("api_gateway_id", "route_key"),
    ),
)


def missing_migration(tables: Tables) -> str | None:
    """Return the first migration of 1.1.1 that has not run here; None if none is missing.

    None is missing where the app has no table at all: nobody has begun there.
    """
    here = {model: table_of(model) for model in MODELS if belongs_here(tables.connection, model)}
    if not tables.names & {*here.values()}:
        return None
    for step in STEPS:
        if step.model in here and not step.is_there(tables, here[step.model]):
            return step.migration
    return None


def sentence(migration: str) -> str:
    """Say that this migration of 1.1.1 is missing."""
    return f"The tables of 1.1.1 are not complete: its migration {migration} has not run here."
