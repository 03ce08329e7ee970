"""Credentials: the keys that sign, as botocore finds them, and the lookups that find none.

A lookup may run a program or ask a service, which may fail in any way or hang. So it has a thread
of its own, those who need its keys wait for it together, and its failure holds for some seconds.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import Any, Dict, NamedTuple, Optional, Tuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from .. import aws
from ..processes import per_process
from .exchanges import error_code

logger = logging.getLogger(__package__)

#: AWS's error codes for keys that have expired, and for those that it does not know (any more).
REFUSED_CODES = {
    *("ExpiredToken", "ExpiredTokenException"),
    *("InvalidClientTokenId", "UnrecognizedClientException"),
}

#: A value that is safe in a header. HTTP libraries do not agree about others: a line break at the
#: end, which is easily pasted, can begin another header.
HEADER_VALUE = re.compile(r"[!-~]+")

#: Seconds that a message waits for a lookup, and for which the failure of a lookup holds.
LOOKUP_SECONDS, FAILED_SECONDS = 10.0, 5.0

#: Seconds from which on a lookup was slow, and from which on it is taken to have hung.
SLOW_SECONDS, HUNG_SECONDS = 1.0, 60.0

#: Seconds for which a process keeps new boto3 sessions at least, because they take long to make.
MIN_SESSION_AGE = 5.0

#: Characters of an error's text that are logged.
MAX_LOGGED = 200

HINT = (
    "Run `aws sts get-caller-identity` as the same user in the same environment, and see "
    "docs/settings, Credentials."
)


class Keys(NamedTuple):
    """Credentials that do not change any more, like botocore's ReadOnlyCredentials."""

    access_key: str
    secret_key: str
    token: Optional[str] = None


class CannotSign(Exception):
    """There are no credentials to sign with. Its text is the reason."""


class StillLooking(CannotSign):
    """The lookup has not ended in time."""


class Lookup:
    """One lookup of keys. Times are time.monotonic()'s."""

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self._has_ended = threading.Event()
        #: Until when its keys, or its failure, are taken without a look at them.
        self._holds_until = self.began_at + HUNG_SECONDS
        self._credentials: Any = None
        self._keys: Any = None
        self._problem = ""

    @property
    def is_current(self) -> bool:
        """False if another lookup is due."""
        if time.monotonic() < self._holds_until:
            return True
        if not self._keys or needs_refresh(self._credentials):
            return False
        return bool(self._credentials.get_frozen_credentials() == self._keys)

    def start(self) -> None:
        thread = threading.Thread(target=self.run, name="websocket-credentials", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # The process may have no more threads, or it is ending.
            self.run()

    def run(self) -> None:
        try:
            session = aws.own_session()
            aws.config_variable(session, "ca_bundle")  # What is asked for next must be readable.
            self._keys = _checked(aws.frozen_credentials(session))
            self._credentials = session.get_credentials()
        except Exception as error:  # noqa: BLE001 - botocore's programs and services fail in any way.
            self._problem = problem_of(error)
            logger.warning("No credentials reason=%s %s%s", self._problem, text_of(error), HINT)
        finally:
            ended_at = time.monotonic()
            is_quick = self._keys and ended_at - self.began_at < SLOW_SECONDS
            self._holds_until = ended_at + (0 if is_quick else FAILED_SECONDS)
            self._has_ended.set()

    def keys(self, until: float) -> Any:
        """Return the keys, or raise CannotSign. It waits for them until then at the longest."""
        until = min(until, self.began_at + LOOKUP_SECONDS)
        if not self._has_ended.wait(max(0.0, until - time.monotonic())):
            raise StillLooking(CredentialRetrievalError.__name__)
        if self._problem:
            raise CannotSign(self._problem)
        return self._keys


class CredentialRefresh:
    """Makes the lookups of one process, one at a time for the same settings."""

    def __init__(self) -> None:
        # Reentrant, because a signal's handler may send a message, too.
        self._lock = threading.RLock()
        self._lookups: Dict[Any, Lookup] = {}
        self._done_at = float("-inf")

    def keys(self, until: float) -> Any:
        """Return the keys of this moment, or raise CannotSign. It may wait until then."""
        chosen = (aws.credentials(), boto3.Session)
        lookup = self._lookups.get(chosen)
        if lookup is None or not lookup.is_current:
            lookup = self._look_up(chosen)
        return lookup.keys(until)

    def run(self, now: float) -> None:
        """Let all be looked up anew, unless that was done a moment ago."""
        with self._lock:
            if now - self._done_at >= MIN_SESSION_AGE:
                self._done_at = now
                aws.forget_session()
                self._lookups.clear()

    def _look_up(self, chosen: Any) -> Lookup:
        with self._lock:
            lookup = self._lookups.get(chosen)
            if lookup is None or not lookup.is_current:  # Another thread may have been faster.
                lookup = self._lookups[chosen] = Lookup()
                lookup.start()
        return lookup


@per_process
def credential_refresh() -> CredentialRefresh:
    """Return the lookups of this process, which all of its threads share."""
    return CredentialRefresh()


class KeysOfMessage:
    """The keys that one message is signed with, and those of them that AWS has refused."""

    def __init__(self, lookups: CredentialRefresh, until: float) -> None:
        self._lookups = lookups
        #: Until when it waits for keys, by time.monotonic().
        self._until = until
        #: The keys of the moment, and why they cannot sign.
        self.keys: Any = None
        self.problem = ""
        #: Those that were refused, and the error code with which AWS said so.
        self._refused: Tuple[Any, str] = (None, "")

    def load(self) -> None:
        """Look for the keys. If that takes long, those that it has are good for now."""
        until = self._until
        has_good_ones = self.keys is not None and not self.problem
        if has_good_ones and self.keys != self._refused[0]:
            until = min(until, time.monotonic() + SLOW_SECONDS)
        try:
            self.keys = self._lookups.keys(until)
        except CannotSign as problem:
            if not (isinstance(problem, StillLooking) and until < self._until):
                self.problem = str(problem)
        else:
            refused, code = self._refused
            self.problem = code if self.keys == refused else ""

    def refuse(self, keys: Any, code: str, now: float) -> None:
        """Note that AWS has refused these keys with this code, and look for others."""
        if keys == self.keys and not self.problem:
            self._refused = (keys, code)
            self._lookups.run(now)
            self.load()


def needs_refresh(credentials: Any) -> bool:
    """True if these are credentials of botocore that are about to expire."""
    ask = getattr(credentials, "refresh_needed", None)
    return bool(ask and ask())


def problem_of(error: Exception) -> str:
    """Return the reason with which recipients fail: AWS's error code, or a name of botocore's."""
    if isinstance(error, ClientError):  # for example of STS, which hands out a role's credentials
        return error_code(str(error.response.get("Error", {}).get("Code"))) or "ClientError"
    known = error if isinstance(error, BotoCoreError) else CredentialRetrievalError
    return getattr(known, "__name__", type(error).__name__)


def text_of(error: Exception) -> str:
    """Return what the log may say of an error, in one line. A program may have said anything."""
    is_telling = isinstance(error, (BotoCoreError, ClientError, OSError))
    if not is_telling or isinstance(error, CredentialRetrievalError):
        return ""
    return f"error={re.sub('[^ -~]+', ' ', str(error))[:MAX_LOGGED]!r} "


def _checked(keys: Any) -> Any:
    for name, value in (("key id", keys.access_key), ("session token", keys.token)):
        if value and not HEADER_VALUE.fullmatch(value):
            problem = f"The {name} has characters that no header can have"
            raise CredentialRetrievalError(provider="AWS", error_msg=problem)
    return keys
