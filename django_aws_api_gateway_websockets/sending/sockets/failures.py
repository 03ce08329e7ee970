"""Failures of connections, and the names that botocore has for them."""

from __future__ import annotations

import errno
import ssl

from ..exchanges import Answer

#: What a process, or a machine, has no more of.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


class TimedOut(OSError):
    """A deadline has passed."""


class ProxyFailed(OSError):
    """The proxy cannot be reached, or refuses."""


def is_exhausted(error: Exception) -> bool:
    """True if there may be a connection a moment later, when another one has been closed."""
    return isinstance(error, OSError) and error.errno in EXHAUSTED


def failure(error: Exception, *, is_open: bool) -> Answer:
    """Return the answer for an error of a connection that is open, or was being opened."""
    if isinstance(error, ssl.SSLError):
        return Answer(0, "SSLError", not isinstance(error, ssl.SSLCertVerificationError))
    if isinstance(error, TimedOut):
        return Answer(0, "ReadTimeoutError" if is_open else "ConnectTimeoutError", True)
    if isinstance(error, ProxyFailed):
        return Answer(0, "ProxyConnectionError", True)
    return Answer(0, "ConnectionClosedError" if is_open else "EndpointConnectionError", True)
