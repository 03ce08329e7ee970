"""Lifecycle of a connection: its $connect, its messages one after the other, its $disconnect.

Asks the control plane what is deployed and the integrations what they answer.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from websockets.exceptions import ConnectionClosed

from .backends import Answer, IntegrationFailed
from .connections import Client, Connections
from .control import ControlPlane
from .deployments import Route, Stage
from .events import Event
from .integrations import Integrations
from .limits import Limits

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_REDIRECT_HINT = (
    "Nobody follows a redirect. See the integration's URL (a slash at its end, APPEND_SLASH), "
    "SECURE_SSL_REDIRECT, and what asks for a login."
)
_UNSUPPORTED_DATA = 1003
#: What the gateway closes with for what a client has sent: broken frames, text or sizes.
_FAULTS = {1002, 1007, 1009}
_INTERNAL_ERROR = 1011


class HandshakeRefused(Exception):
    """The socket does not open; `status` is the answer to the handshake."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        # An integration may answer anything, but 101 would open the socket.
        self.status = status if 300 <= status < 600 else 502


class MessageRefused(Exception):
    """The client is told so in a frame, and stays connected; the reason is for the console."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Lifecycle:
    """Calls the routes of each connection. Runs in the event loop."""

    def __init__(
        self,
        control: ControlPlane,
        connections: Connections,
        integrations: Integrations,
        limits: Limits,
    ) -> None:
        self._control = control
        self._connections = connections
        self._integrations = integrations
        self._limits = limits

    async def connect(
        self, client: Client, stage: Stage, headers: tuple[tuple[str, str], ...], query: str
    ) -> str | None:
        """Post $connect. Return the subprotocol that was chosen, or raise HandshakeRefused."""
        route = stage.routes.get("$connect")
        if route is None:
            return None
        event = client.event(
            "CONNECT", route.key, variables=stage.variables, headers=headers, query=query
        )
        try:
            answer = await self._integrations.call(route, event)
        except IntegrationFailed as failure:
            raise HandshakeRefused(failure.status, f"$connect: {failure}") from failure
        if not 200 <= answer.status < 300:
            raise HandshakeRefused(
                answer.status, f"$connect answered {answer.status}{_hint(answer)}"
            )
        return answer.subprotocol

    async def serve(self, client: Client) -> None:
        """Serve a connection to its end, whoever ends it, and post $disconnect."""
        try:
            await self._handle_messages(client)
        except ConnectionClosed:
            pass
        except Exception:
            # This is a bug of ours. The client must see an end, and the console the reason.
            logger.exception("connection failed connection_id=%s", client.connection_id)
            await client.socket.close(_INTERNAL_ERROR)
        self._connections.unregister(client)
        await client.socket.wait_closed()
        code = client.socket.close_code
        is_fault = code in _FAULTS
        logger.log(
            logging.WARNING if is_fault else logging.INFO,
            "connection closed connection_id=%s code=%s%s",
            client.connection_id,
            code,
            f" reason={client.socket.close_reason!r}" if is_fault else "",
        )
        await self._disconnect(client)

    async def _handle_messages(self, client: Client) -> None:
        # A message is read only when the one before it is answered, so they keep their order.
        while True:
            message = await client.socket.recv()
            if isinstance(message, bytes):
                break
            self._connections.touch(client)
            await self._handle_message(client, message)
        logger.warning("binary frame refused connection_id=%s", client.connection_id)
        await client.socket.close(_UNSUPPORTED_DATA)

    async def _handle_message(self, client: Client, text: str) -> None:
        """Post one message to its route, and tell the client if that fails."""
        stage = self._control.stage(client.api_id, client.stage_name)
        message = _parse(text)
        route = stage.route_for(message) if stage else None
        event = client.event(
            "MESSAGE",
            route.key if route else "$default",
            variables=stage.variables if stage else {},
            body=text.encode(),
            message=message,
        )
        try:
            await self._call(client, route, event)
        except MessageRefused as refusal:
            await self._send_error(client, event, refusal)

    async def _call(self, client: Client, route: Route | None, event: Event) -> None:
        """Call a message's integration, and send its answer if the route replies."""
        if route is None:
            raise MessageRefused("Forbidden", "no route and no $default")
        try:
            answer = await self._integrations.call(route, event)
        except IntegrationFailed as failure:
            raise MessageRefused("Internal server error", str(failure)) from failure
        # No source says whether AWS counts a 5xx of an HTTP_PROXY as an error.
        if answer.status >= 500:
            raise MessageRefused("Internal server error", f"answered {answer.status}")
        _log_answer("message handled", client, event, answer)
        if route.replies and answer.body:
            await self._connections.send(client, answer.body)

    async def _send_error(self, client: Client, event: Event, refusal: MessageRefused) -> None:
        logger.warning(
            "message refused connection_id=%s route_key=%s reason=%r",
            client.connection_id,
            event.context["routeKey"],
            refusal.reason,
        )
        frame = {
            "message": str(refusal),
            "connectionId": client.connection_id,
            "requestId": event.context["requestId"],
        }
        await self._connections.send(client, json.dumps(frame).encode())

    async def _disconnect(self, client: Client) -> None:
        """Post $disconnect, if a route of that name is deployed."""
        stage = self._control.stage(client.api_id, client.stage_name)
        route = stage.routes.get("$disconnect") if stage else None
        if stage is None or route is None:
            return
        event = client.event("DISCONNECT", route.key, variables=stage.variables)
        try:
            answer = await self._integrations.call(route, event)
        except IntegrationFailed as failure:
            reason = str(failure)
            logger.warning(
                "disconnect not heard connection_id=%s reason=%r", client.connection_id, reason
            )
        else:
            _log_answer("disconnect heard", client, event, answer)


def _parse(text: str) -> Any:
    """The message as JSON, or None if it is not JSON. AWS then uses the route $default."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _log_answer(what: str, client: Client, event: Event, answer: Answer) -> None:
    """Log an answer; as a warning if it says that the event was not handled."""
    is_handled = answer.status < 300
    logger.log(
        logging.INFO if is_handled else logging.WARNING,
        "%s connection_id=%s route_key=%s status=%d bytes=%d%s",
        what if is_handled else "event not handled",
        client.connection_id,
        event.context["routeKey"],
        answer.status,
        len(event.body),
        _hint(answer),
    )


def _hint(answer: Answer) -> str:
    if not 300 <= answer.status < 400:
        return ""
    # A ticket is in the query, which Django's redirects keep.
    location = (answer.location or "").partition("?")[0]
    return f" location={location!r} hint={_REDIRECT_HINT!r}"
