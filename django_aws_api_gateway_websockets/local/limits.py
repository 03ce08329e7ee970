"""Limits of the local gateway: its times and sizes, with AWS's own values as defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. Tests shorten the times that they would wait for."""

    #: How long an integration may take to answer. A shorter TimeoutInMillis of its own wins.
    integration_timeout: float = 29.0
    #: A connection is closed with 1001 when no message has come or gone for this long.
    idle_timeout: float = 600.0
    #: A connection that is this old is closed with 1001, busy or not.
    lifetime: float = 7200.0
    #: The longest message, in both directions.
    message_size: int = 131_072
    #: The longest frame. A longer one closes the connection with 1009. Ours are cut to this.
    frame_size: int = 32_768

    # AWS gives no figures for the rest: these are this program's own.

    #: How long connecting to an integration may take, and so stop(), which cannot interrupt it.
    connect_timeout: float = 5.0
    #: How long a client may take from the TCP connection to the end of its request headers.
    handshake_timeout: float = 30.0
    #: How long a client may take to answer a close frame before its socket is cut.
    close_timeout: float = 2.0
    #: How long stop() waits for each $disconnect and running integration before it cuts them.
    stop_timeout: float = 5.0
    #: How many bytes may wait for one client. With more, a post to it is answered with 429.
    client_buffer: int = 1_048_576
    #: How many calls of one route run at once. More of them wait for their turn.
    workers: int = 64
    #: How many new TCP connections the system keeps until they are accepted.
    backlog: int = 1024
    #: How many calls of the control plane LocalGateway.requests keeps.
    requests_kept: int = 10_000
