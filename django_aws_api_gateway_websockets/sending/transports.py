"""The ways to reach connections, and which of them is taken."""

from __future__ import annotations

import select
import time
from importlib.util import find_spec
from typing import Callable, Dict, Iterable, Iterator, List, Protocol, Tuple

from botocore.exceptions import BotoCoreError
from django.utils.module_loading import import_string

from ..conf import conf
from ..exceptions import ConfigurationError
from .addresses import is_ordinary, trusted_certificates
from .boto import Boto3Transport
from .delivery import URGENT, Delivery, Patience
from .engines.base import Engine, pool
from .reports import Recipient, Result, failed


class Transport(Protocol):
    """Reaches many recipients; WEBSOCKETS["transport"] names the one to use.

    Each method takes the recipients as it can serve them and yields each one with its outcome, in
    any order. It never raises for one of them.
    """

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Post ``body`` to each."""
        ...

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        """Close each one's connection."""
        ...


class EngineTransport:
    """Signs the requests itself and has an HTTP library carry them."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        """Return what makes an engine, and how many requests it has in flight by default."""
        raise NotImplementedError

    def send(self, body: bytes, recipients: Iterable[Recipient]) -> Iterator[Result]:
        yield from self._deliver("POST", body, recipients, Patience())

    def close(self, recipients: Iterable[Recipient]) -> Iterator[Result]:
        yield from self._deliver("DELETE", b"", recipients, URGENT)

    def _deliver(
        self, method: str, body: bytes, recipients: Iterable[Recipient], patience: Patience
    ) -> Iterator[Result]:
        make, capacity = self.engine()
        deadline = time.monotonic() + conf.send_timeout
        unusual: List[Recipient] = []
        try:
            made_with = (conf.max_in_flight or capacity, trusted_certificates())
        except BotoCoreError as error:  # A profile that does not exist, say.
            yield from ((recipient, failed(type(error).__name__)) for recipient in recipients)
            return
        with pool(make, *made_with).lend() as engine:
            delivery = Delivery(method, body, engine, patience, deadline)
            yield from delivery.run(_ordinary(recipients, unusual))
        if unusual:
            boto3 = Boto3Transport()
            yield from boto3.send(body, unusual) if method == "POST" else boto3.close(unusual)


class ThreadTransport(EngineTransport):
    """urllib3, which boto3 brings, in threads."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        from .engines.threads import THREADS_IN_FLIGHT, ThreadEngine

        return ThreadEngine, THREADS_IN_FLIGHT


class LibcurlTransport(EngineTransport):
    """libcurl, by pycurl, which the extra ``fast`` installs."""

    def engine(self) -> Tuple[Callable[[int, str], Engine], int]:
        from .engines.libcurl import LIBCURL_IN_FLIGHT, LibcurlEngine

        return LibcurlEngine, LIBCURL_IN_FLIGHT


TRANSPORTS: Dict[str, Callable[[], Transport]] = {
    "boto3": Boto3Transport,
    "libcurl": LibcurlTransport,
    "threads": ThreadTransport,
}


def has_libcurl() -> bool:
    """True if the extra ``fast`` is installed, on a system that forks and polls: not Windows."""
    return hasattr(select, "poll") and find_spec("pycurl") is not None


def transport() -> Transport:
    """Return a new transport of the kind that the settings name.

    Raises ConfigurationError if there is none.
    """
    chosen = conf.transport
    if chosen == "auto":
        chosen = "libcurl" if has_libcurl() else "threads"
    if chosen == "libcurl" and not has_libcurl():
        raise ConfigurationError(
            'WEBSOCKETS["transport"] is "libcurl", which needs pycurl: '
            "install django-aws-api-gateway-websockets[fast]."
        )
    try:
        make = TRANSPORTS.get(chosen) or import_string(chosen)
        made: Transport = make()
    except (ImportError, TypeError, ValueError) as error:  # ".name" is a relative import
        raise ConfigurationError(
            f'WEBSOCKETS["transport"] is {chosen!r}, which cannot be made: {error}.'
        ) from error
    return made


def _ordinary(recipients: Iterable[Recipient], others: List[Recipient]) -> Iterator[Recipient]:
    """Yield those whose endpoint is ordinary; keep the others."""
    for recipient in recipients:
        if is_ordinary(recipient.endpoint):
            yield recipient
        else:
            others.append(recipient)
