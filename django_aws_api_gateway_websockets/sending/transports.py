"""Transports: the ways to reach connections, and which of them is used."""

from __future__ import annotations

import select
import time
from importlib.util import find_spec
from typing import Callable, Dict, Iterable, Iterator, List, Protocol, Tuple

from botocore.exceptions import BotoCoreError
from django.utils.module_loading import import_string

from ..conf import conf
from ..exceptions import ConfigurationError
from ..processes import is_test_environment
from .addresses import is_ordinary, trusted_certificates
from .boto import Boto3Transport
from .delivery import Delivery
from .engines.base import Engine, pool
from .replaceable import ReplaceableTransport
from .reports import Recipient, Result, failed
from .retries import CLOSE_POLICY, SEND_POLICY, RetryPolicy


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


class EngineTransport:
    """Signs the requests itself, and has an engine carry them."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        """Return what makes an engine, and how many requests it has in flight by default."""
        raise NotImplementedError

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        yield from self._deliver("POST", body, recipients, SEND_POLICY)

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        yield from self._deliver("DELETE", b"", recipients, CLOSE_POLICY)

    def _deliver(
        self, method: str, body: bytes, recipients: Iterable[Recipient], policy: RetryPolicy
    ) -> Iterator[Result]:
        make, in_flight = self.engine()
        deadline = time.monotonic() + conf.send_timeout
        try:
            certificates = trusted_certificates()
        except BotoCoreError as error:  # for example a profile that does not exist
            yield from ((recipient, failed(type(error).__name__)) for recipient in recipients)
            return
        queue = EngineQueue(recipients)
        with pool(make, conf.max_in_flight or in_flight, certificates).lend() as engine:
            yield from Delivery(method, body, engine, policy, deadline).run(queue)
        unusual = queue.for_boto3
        if unusual:
            boto3 = Boto3Transport()
            yield from boto3.send(body, unusual) if method == "POST" else boto3.close(unusual)


class EngineQueue:
    """Iterates over the recipients that an engine can serve, whose endpoint is ordinary.

    It takes one recipient at a time from its source. Those that only boto3 can reach it puts into
    ``for_boto3``, which is complete when the iteration has ended.
    """

    def __init__(self, recipients: Iterable[Recipient]) -> None:
        self._source = iter(recipients)
        self.for_boto3: List[Recipient] = []

    def __iter__(self) -> Iterator[Recipient]:
        return self

    def __next__(self) -> Recipient:
        for recipient in self._source:
            if is_ordinary(recipient.endpoint):
                return recipient
            self.for_boto3.append(recipient)
        raise StopIteration


class ThreadTransport(EngineTransport):
    """Python's own http.client in threads, or urllib3 if there is a proxy."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        from .engines.threads import THREADS_IN_FLIGHT, ThreadEngine

        return ThreadEngine, THREADS_IN_FLIGHT


class LibcurlTransport(EngineTransport):
    """libcurl, through pycurl, which the extra ``fast`` installs."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        from .engines.libcurl import LIBCURL_IN_FLIGHT, LibcurlEngine

        return LibcurlEngine, LIBCURL_IN_FLIGHT


TRANSPORTS: Dict[str, Callable[[], Transport]] = {
    "boto3": Boto3Transport,
    "libcurl": LibcurlTransport,
    "threads": ThreadTransport,
}


def has_libcurl() -> bool:
    """True if the extra ``fast`` is installed and the system has poll(), as Windows has not."""
    return hasattr(select, "poll") and find_spec("pycurl") is not None


def fastest() -> str:
    """Return the name of the fastest transport that can be used here."""
    return "libcurl" if has_libcurl() else "threads"


def is_replaceable() -> bool:
    """True in Django's test environment, unless the settings name a transport."""
    return conf.transport == "auto" and is_test_environment()


def transport() -> Transport:
    """Return a new transport of the kind that the settings name.

    "auto" is the fastest one, or in Django's test environment one that tests can replace. Raises
    ConfigurationError if it cannot be made.
    """
    chosen = conf.transport
    if chosen == "auto":
        if is_replaceable():
            return ReplaceableTransport()
        chosen = fastest()
    if chosen == "libcurl" and not has_libcurl():
        raise ConfigurationError(
            'WEBSOCKETS["transport"] is "libcurl", which needs pycurl: '
            'python -m pip install "pycurl>=7.45.3"'
        )
    try:
        make = TRANSPORTS.get(chosen) or import_string(chosen)
        made: Transport = make()
    except (ImportError, TypeError, ValueError) as error:  # ValueError: no module for ".name"
        raise ConfigurationError(
            f'WEBSOCKETS["transport"] is {chosen!r}, which cannot be made: {error}.'
        ) from error
    return made
