"""Every time and bound of the local gateway, with AWS's own values as defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. Tests shorten what they would have to wait for."""

    #: An integration's answer; a shorter TimeoutInMillis of the integration wins.
    integration_timeout: float = 29.0
    #: A connection on which nothing travelled, in either direction, is closed with 1001.
    idle_timeout: float = 600.0
    #: A connection this old is closed with 1001, busy or not.
    lifetime: float = 7200.0
    #: A message, in both directions.
    message_size: int = 131_072
    #: A frame: larger ones close the connection with 1009, and ours are cut to this.
    frame_size: int = 32_768

    # What follows are not AWS's figures but this program's own.

    #: Reaching an integration's host. It also bounds stop(), which cannot interrupt this.
    connect_timeout: float = 5.0
    #: From the TCP connection to the end of the client's request headers.
    handshake_timeout: float = 30.0
    #: How long a client has to answer a close frame before the socket is cut.
    close_timeout: float = 2.0
    #: How long stop() lets $disconnect and running integrations finish before it cuts them.
    stop_timeout: float = 5.0
    #: Unread bytes for one client after which posts to it are answered 429.
    client_buffer: int = 1_048_576
    #: Integrations called at once; more calls wait for their turn.
    workers: int = 64
    #: Clients whose connections the system has yet to hand over.
    backlog: int = 1024
    #: Control plane calls that LocalGateway.requests remembers.
    requests_kept: int = 10_000
