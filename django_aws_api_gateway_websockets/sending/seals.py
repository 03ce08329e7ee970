"""The signatures of one message, with the credentials of the moment."""

from __future__ import annotations

import os
import re
import threading
import time
from functools import lru_cache
from hashlib import sha256
from typing import Any, Dict, Tuple

from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from .. import aws
from .addresses import Address
from .signing import Signer

#: With these error codes AWS refuses credentials whose time is over.
EXPIRED = {"ExpiredToken", "ExpiredTokenException"}

#: What stands in a header. Of anything else HTTP libraries make what they like: of a line break
#: at the end, which is easily pasted, a header of its own.
IN_A_HEADER = re.compile(r"[!-~]+")

#: Seconds between two times that a process drops its sessions, which take long to make.
RENEWAL = 5.0


class Unsigned(Exception):
    """There are no credentials to sign with, for the reason that is its text."""


class Seal:
    """Hands out signers for one method and body. Times are time.monotonic()'s.

    Once a second botocore is asked for the credentials, whose refresh is its own business.
    """

    def __init__(self, method: str, body: bytes) -> None:
        self._method = method
        self._body_hash = sha256(body).hexdigest()
        self._signers: Dict[Address, Signer] = {}
        self._timestamp = ""
        self._valid_until = float("-inf")
        self._problem = ""
        #: The credentials that are used at the moment.
        self.keys: Any = None
        #: Those that AWS says have expired, and in which words.
        self._expired: Tuple[Any, str] = (None, "")

    def signer(self, address: Address, now: float) -> Signer:
        """Return the endpoint's signer of this second.

        Raises Unsigned if there are no credentials, or none but expired ones.
        """
        if now >= self._valid_until:
            self._look_for_keys(now)
        if self._problem:
            raise Unsigned(self._problem)
        signer = self._signers.get(address)
        if signer is None:
            place = (address.region, self._method, address.host)
            signer = Signer(self.keys, *place, self._body_hash, self._timestamp)
            self._signers[address] = signer
        return signer

    def renew(self, expired: Any, code: str, now: float) -> bool:
        """Return True if there are other credentials than those that AWS says have expired.

        If there are none, ``code`` is what the others fail with, too.
        """
        if expired == self.keys and not self._problem:
            self._expired = (expired, code)
            sessions().renew(now)
            self._look_for_keys(now)
        return bool(expired != self.keys)

    def _look_for_keys(self, now: float) -> None:
        self._signers.clear()
        self._valid_until = now + 1
        self._timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        try:
            self.keys = _checked(aws.frozen_credentials())
            expired, code = self._expired
            self._problem = code if self.keys == expired else ""
        except ClientError as error:  # of STS, say, which is to hand out others
            self._problem = error.response["Error"]["Code"]
        except BotoCoreError as error:
            self._problem = type(error).__name__


class Sessions:
    """Drops boto3 sessions whose credentials have expired, so that others are looked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renewed = float("-inf")

    def renew(self, now: float) -> None:
        """Drop them, unless that was done a moment ago."""
        with self._lock:
            if now - self._renewed >= RENEWAL:
                self._renewed = now
                aws.forget_session()


def sessions() -> Sessions:
    """Return those of this process; a forked child has its own."""
    return _sessions(os.getpid())


@lru_cache(maxsize=None)
def _sessions(pid: int) -> Sessions:
    return Sessions()


def _checked(keys: Any) -> Any:
    for name, value in (("key id", keys.access_key), ("session token", keys.token)):
        if value and not IN_A_HEADER.fullmatch(value):
            problem = f"The {name} has characters that no header can have"
            raise CredentialRetrievalError(provider="AWS", error_msg=problem)
    return keys
