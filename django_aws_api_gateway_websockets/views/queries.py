"""Queries: what an event costs the database, one SELECT and one INSERT or UPDATE.

Four statements are not left to Django, which takes longer to write them, for each event, than a
database takes to run them. Measured with SQLite in microseconds: the SELECT of a gateway 99,
against 929 by a queryset; the SELECT of a session 171, against 817 by
``select_related().get()``; its INSERT 104, against 167 by ``create()``; its UPDATE 48, against 274
by ``update(F("request_count") + 1)``.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any, Iterator, Mapping, Optional, Sequence, Type

from django.db import connections, router, transaction
from django.db.models import Exists, Manager
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from ..exceptions import ConnectionUnknown
from ..models import ApiGateway, WebSocketSession, endings
from ..models.querysets import give_user
from ..models.statements import Select
from ..signals import LEFT

#: The columns that are read of a gateway: those that the checks, sending and handlers use. The
#: others are deferred.
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

#: Stand for the values of an event among the parameters of a statement.
API_ID, CONNECTION_ID = "<api id>", "<connection id>"


def gateway_of(
    model: Type[WebSocketSession], api_id: str, connection_id: str
) -> Optional[ApiGateway]:
    """Return the gateway of an API, or None.

    The same SELECT tells, as ``connection_taken``, whether the connection has a session.
    """
    if is_plain(model.objects) and type(_gateway_manager(model)) is Manager:
        query = _gateway_query(model, router.db_for_write(model))
        return query.find(api_id, connection_id)
    gateways = _gateways(model.objects.on_primary(), api_id, connection_id)
    found: Optional[ApiGateway] = gateways.first()
    return found


def record_request(session: WebSocketSession, **columns: Any) -> None:
    """Count one more event of a session, and write these columns, in one UPDATE.

    Those who listen to the signals of save() hear of it.
    """
    columns["updated_on"] = timezone.now()
    using, saved = router.db_for_write(type(session)), {**columns}
    saved["request_count"] = session.request_count + 1
    if not endings.has_save_listeners(type(session)):
        _count_request(using, session, columns)
        session.mark_saved(**saved)
        return
    session.mark_saved(**saved)
    endings.send_save(pre_save, session)
    _count_request(using, session, columns)
    endings.send_save(post_save, session)


def record_return(session: WebSocketSession) -> bool:
    """Count a message of a session that AWS has called gone; False if it is connected already.

    Raises ConnectionUnknown if it has been closed meanwhile.
    """
    is_back = endings.bring_back(session)
    if is_back:
        endings.send_save(post_save, session)
    else:
        session.refresh_from_db(fields=["connected", "request_count"])
        if not session.connected:
            raise ConnectionUnknown("Unknown connection", reason="it has been closed")
        record_request(session)
    return is_back


def record_disconnect(session: WebSocketSession) -> None:
    """Count a session's $disconnect and mark it as closed; who listens hears of it once."""
    has_left = endings.has_close_listeners(type(session)) and endings.mark_closed(session, LEFT)
    record_request(session, connected=False, gone_on=None)
    if has_left:
        endings.send_closed(session, LEFT)


def session_of(
    model: Type[WebSocketSession], connection_id: str, *, is_open: bool
) -> Optional[WebSocketSession]:
    """Return a connection's session with its user and its gateway, or None.

    With ``is_open`` a session that is closed is not found, unless AWS has called it gone, which it
    has been seen to do of a living connection.
    """
    if is_plain(model.objects):
        query = _session_query(model, router.db_for_write(model), is_open)
        found = query.find(connection_id)
    else:
        sessions = _sessions(model.objects.on_primary(), connection_id, is_open)
        found = sessions.select_related("user", "api_gateway").first()
    # A MySQL whose column has not been migrated yet takes "A" for "a".
    if found is None or found.connection_id != connection_id:
        return None
    give_user(found)
    return found


class GatewayQuery:
    """The SELECT of ``gateway_of`` in one database, written once, and the object of its row."""

    def __init__(self, model: Type[WebSocketSession], using: str) -> None:
        gateways = _gateways(model.objects.using(using), API_ID, CONNECTION_ID)
        self._model = gateways.model
        self._names = _names_of(self._model, GATEWAY_COLUMNS)
        first = gateways.order_by("pk").values_list(*self._names, "connection_taken")[:1]
        self._statement = Select(first)

    def find(self, api_id: str, connection_id: str) -> Optional[ApiGateway]:
        row = self._statement.first({API_ID: api_id, CONNECTION_ID: connection_id})
        if row is None:
            return None
        *columns, taken = row
        gateway: Any = self._model.from_db(self._statement.using, self._names, columns)
        gateway.connection_taken = taken
        found: ApiGateway = gateway
        return found


class SessionQuery:
    """The SELECT of one model in one database, written once, and the objects of its row."""

    def __init__(self, model: Type[WebSocketSession], using: str, is_open: bool) -> None:
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
        sessions = _sessions(model.objects.using(using), CONNECTION_ID, is_open)
        self._statement = Select(sessions.values_list(*self._names, *related))

    def find(self, connection_id: str) -> Optional[WebSocketSession]:
        row = self._statement.first({CONNECTION_ID: connection_id})
        return None if row is None else self._build(iter(row))

    def _build(self, values: Iterator[Any]) -> WebSocketSession:
        using = self._statement.using
        columns = _next_values(self._names, values)
        session: WebSocketSession = self._model.from_db(using, self._names, columns)
        for field, names in self._relations:
            columns, related = _next_values(names, values), None
            if getattr(session, field.attname) is not None:
                related = field.related_model.from_db(using, names, columns)
            field.set_cached_value(session, related)
        return session


def _next_values(names: Sequence[str], values: Iterator[Any]) -> list[Any]:
    return list(islice(values, len(names)))


def is_plain(sessions: Any) -> bool:
    """False for a manager of a site's own, which may add conditions or choose a database."""
    return type(sessions) is type(WebSocketSession.objects) and sessions._db is None


def _gateway_manager(model: Type[WebSocketSession]) -> Any:
    return model._meta.get_field("api_gateway").remote_field.model._base_manager


def _gateways(sessions: Any, api_id: str, connection_id: str) -> Any:
    taken = Exists(sessions.filter(connection_id=connection_id))
    gateways = _gateway_manager(sessions.model).using(sessions.db)
    return gateways.filter(api_id=api_id).annotate(connection_taken=taken)


def _sessions(sessions: Any, connection_id: str, is_open: bool) -> Any:
    found = sessions.filter(connection_id=connection_id)
    return found.filter(endings.MAY_SPEAK) if is_open else found


def _names_of(model: Any, only: Any = None) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if not only or f.attname in only]


@lru_cache(maxsize=None)
def _gateway_query(model: Type[WebSocketSession], using: str) -> GatewayQuery:
    return GatewayQuery(model, using)


@lru_cache(maxsize=None)
def _session_query(model: Type[WebSocketSession], using: str, is_open: bool) -> SessionQuery:
    return SessionQuery(model, using, is_open)


def _count_request(using: str, session: WebSocketSession, columns: Mapping[str, Any]) -> None:
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [session._meta.get_field(name) for name in ("request_count", *columns)]
    count, *others = fields
    names = [quote(field.column) for field in fields]
    written = ", ".join([f"{names[0]} = {names[0]} + 1", *(f"{name} = %s" for name in names[1:])])
    # The table of all sessions: a site's own model may have another table beside it.
    table, key = quote(count.model._meta.db_table), quote(count.model._meta.pk.column)
    statement = f"UPDATE {table} SET {written} WHERE {key} = %s"  # noqa: S608 - our own names
    values = [field.get_db_prep_save(columns[field.name], connection) for field in others]
    with transaction.mark_for_rollback_on_error(using), connection.cursor() as cursor:
        cursor.execute(statement, [*values, session.pk])
