"""The SELECT of an event: a session with its user and its gateway. Knows the ORM, no request.

Writing this statement takes Django several times as long as running it, and it is the same for
each event. So it is written once for each model and database.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any, Iterator, Optional, Sequence, Type

from django.db import connections, router

from .sessions import WebSocketSession

#: What is read of a gateway: what vetting, sending and handlers ask for. The rest is deferred.
GATEWAY_COLUMNS = {
    "id",
    "api_name",
    "default_channel_name",
    "domain_name",
    "stage_name",
    "api_id",
    "api_endpoint",
    "api_created",
    "custom_domain_created",
    "creation_token",
    "source_proof",
    "updated_on",  # or save() would not bump it
}

#: Stands for the connection's id among the parameters of the statement.
PLACEHOLDER = "<connection id>"


def session_of(
    model: Type[WebSocketSession], connection_id: str, *, is_open: bool
) -> Optional[WebSocketSession]:
    """Return a connection's session with its user and gateway, or None; only an open one if so."""
    if type(model.objects) is type(WebSocketSession.objects):
        lookup = _lookup(model, router.db_for_write(model), is_open)
        found = lookup.find(connection_id)
    else:  # A manager of the site's own may add other conditions each time.
        sessions = _sessions(model.objects.on_primary(), connection_id, is_open)
        found = sessions.select_related("user", "api_gateway").first()
    # MariaDB's collations take "A" for "a".
    return found if found is not None and found.connection_id == connection_id else None


class Lookup:
    """The statement for one model in one database, and what is made of the row that it finds."""

    def __init__(self, model: Type[WebSocketSession], using: str, is_open: bool) -> None:
        self._using = using
        self._model = model
        self._names = _names_of(model)
        self._relations = [
            (field, _names_of(field.related_model, only))
            for field, only in (
                (model._meta.get_field("user"), None),
                (model._meta.get_field("api_gateway"), GATEWAY_COLUMNS),
            )
        ]
        related = [f"{field.name}__{name}" for field, names in self._relations for name in names]
        sessions = _sessions(model.objects.using(using), PLACEHOLDER, is_open)
        self._query = sessions.values_list(*self._names, *related).query
        compiler = self._query.get_compiler(using)
        self._sql, self._params = compiler.as_sql()
        columns = [column for column, *_ in compiler.select]
        converted = compiler.get_converters(columns)
        # The ORM passes over a None, and few columns need to be converted, in PostgreSQL none.
        self._columns = [column if i in converted else None for i, column in enumerate(columns)]

    def find(self, connection_id: str) -> Optional[WebSocketSession]:
        connection = connections[self._using]
        params = [connection_id if param == PLACEHOLDER else param for param in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            row = cursor.fetchone()
        if row is None:
            return None
        compiler = self._query.get_compiler(connection=connection)
        converters = compiler.get_converters(self._columns)
        return self._build(*compiler.apply_converters([row], converters))

    def _build(self, row: Sequence[Any]) -> WebSocketSession:
        values = iter(row)
        session = self._model.from_db(self._using, self._names, _take(self._names, values))
        for field, names in self._relations:
            columns, related = _take(names, values), None
            if getattr(session, field.attname) is not None:
                related = field.related_model.from_db(self._using, names, columns)
            field.set_cached_value(session, related)
        return session


def _take(names: Sequence[str], values: Iterator[Any]) -> list[Any]:
    return list(islice(values, len(names)))


def _sessions(sessions: Any, connection_id: str, is_open: bool) -> Any:
    found = sessions.filter(connection_id=connection_id)
    return found.filter(connected=True) if is_open else found


def _names_of(model: Any, only: Any = None) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if not only or f.attname in only]


@lru_cache(maxsize=None)
def _lookup(model: Type[WebSocketSession], using: str, is_open: bool) -> Lookup:
    return Lookup(model, using, is_open)
