"""Transports: the ways to reach connections, and which of them is used."""

from __future__ import annotations

import time
from typing import Callable, Dict, Generator, Iterable, Iterator, List, Protocol

from botocore.exceptions import BotoCoreError
from django.utils.module_loading import import_string

from .. import aws
from ..conf import conf
from ..exceptions import ConfigurationError
from ..processes import is_test_environment
from .addresses import trusted_certificates
from .boto import Boto3Transport
from .delivery import Delivery
from .replaceable import ReplaceableTransport
from .reports import Recipient, Result, failed
from .retries import CLOSE_POLICY, SEND_POLICY, RetryPolicy
from .signing import MessageSigner
from .sockets.engine import IN_FLIGHT, Engine


class Transport(Protocol):
    """Reaches many recipients. WEBSOCKETS["transport"] names the transport to use.

    Each method takes a recipient when it can serve it, and yields it with its outcome, in any
    order. It never raises for a single recipient.
    """

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Post ``body`` to each recipient."""
        ...

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Close each recipient's connection."""
        ...


class SocketTransport:
    """Signs and sends the requests itself. boto3 reaches the endpoints that are not ordinary."""

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        began_at = time.monotonic()
        unusual = yield from deliver("POST", body, recipients, SEND_POLICY, began_at)
        if unusual:
            yield from Boto3Transport(began_at).send(body, unusual)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        began_at = time.monotonic()
        unusual = yield from deliver("DELETE", b"", recipients, CLOSE_POLICY, began_at)
        if unusual:
            yield from Boto3Transport(began_at).close(unusual)


def deliver(
    method: str,
    body: bytes,
    recipients: Iterable[Recipient],
    policy: RetryPolicy,
    began_at: float,
) -> Generator[Result, None, List[Recipient]]:
    """Yield the outcomes of the recipients that are reached without boto3; return the others."""
    deadline = began_at + min(conf.send_timeout, policy.whole)
    signer = MessageSigner(method, body, deadline)
    problem = signer.load_keys(began_at)
    try:
        certificates = problem or trusted_certificates(aws.own_session())
    except BotoCoreError as error:
        problem = type(error).__name__
    if problem:
        yield from ((recipient, failed(problem)) for recipient in recipients)
        return []
    with Engine(conf.max_in_flight or IN_FLIGHT, certificates) as engine:
        delivery = Delivery(signer, engine, policy, deadline, began_at)
        yield from delivery.run(recipients)
    return delivery.for_boto3


#: The transports that a name in the settings chooses. "auto" is not among them.
TRANSPORTS: Dict[str, Callable[[], Transport]] = {
    "boto3": Boto3Transport,
    "sockets": SocketTransport,
}

#: Names of transports that "sockets" has replaced. A check says so.
REPLACED = ("libcurl", "threads")


def is_replaceable() -> bool:
    """True in Django's test environment, unless the settings name a transport."""
    return conf.transport == "auto" and is_test_environment()


def transport() -> Transport:
    """Return a new transport of the kind that the settings name.

    "auto" is "sockets", or in Django's test environment one that tests can replace. Raises
    ConfigurationError if it cannot be made.
    """
    chosen = conf.transport
    if is_replaceable():
        return ReplaceableTransport()
    if chosen == "auto" or chosen in REPLACED:
        return SocketTransport()
    try:
        make = TRANSPORTS.get(chosen) or import_string(chosen)
        made: Transport = make()
    except (ImportError, TypeError, ValueError) as error:  # ValueError: no module for ".name"
        raise ConfigurationError(
            f'WEBSOCKETS["transport"] is {chosen!r}, which cannot be made: {error}.'
        ) from error
    return made
