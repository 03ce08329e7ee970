"""Signing with AWS's Signature Version 4 for ``@connections``: two hashes for each message.

botocore signs each request from scratch. Here, what the requests of a broadcast share (the signing
key, the body's hash, the headers) is made once a second, and only the path differs. The tests
compare the result with that of ``botocore.auth.SigV4Auth``.
Source: "Create a signed AWS API request" in the IAM user guide.
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from functools import lru_cache
from hashlib import sha256
from typing import Any, Dict, NamedTuple, Optional, Tuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from .. import aws
from ..processes import per_process
from .addresses import Address, escaped

#: The name of API Gateway's data plane in a signature (botocore's service model).
SERVICE = "execute-api"

#: The paddings of HMAC's two hashes.
INNER, OUTER = (bytes(byte ^ padding for byte in range(256)) for padding in (0x36, 0x5C))

#: AWS's error codes for expired credentials.
EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException"}

#: A value that is safe in a header. HTTP libraries do not agree about others: a line break at the
#: end, which is easily pasted, can begin another header.
HEADER_VALUE = re.compile(r"[!-~]+")

#: Seconds for which a process keeps new boto3 sessions at least, because they take long to make.
MIN_SESSION_AGE = 5.0


class Keys(NamedTuple):
    """Credentials that do not change any more, like botocore's ReadOnlyCredentials."""

    access_key: str
    secret_key: str
    token: Optional[str] = None


class Signer:
    """Writes and signs the requests with one method and body, to one address, in one second."""

    def __init__(
        self, keys: Keys, address: Address, method: str, body: bytes, timestamp: str
    ) -> None:
        scope = f"{timestamp[:8]}/{address.region}/{SERVICE}/aws4_request"
        headers = {"Host": address.host, "X-Amz-Date": timestamp}
        if keys.token:
            headers["X-Amz-Security-Token"] = keys.token
        names = ";".join(headers).lower()
        signed = "".join(f"{name.lower()}:{value}\n" for name, value in headers.items())
        # What is signed of a request, before and after the name of its connection.
        self._before = f"{method}\n{address.canonical_path}"
        self._after = f"\n\n{signed}\n{names}\n{sha256(body).hexdigest()}"
        # The string to sign, without its last line, which is the hash of the request.
        to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n".encode()
        key = signing_key(keys.secret_key, timestamp[:8], address.region)
        inner, self._outer = hmac_hashes(key)
        self._inner = inner.copy()
        self._inner.update(to_sign)
        # What is sent before the name, and between the name and the signature.
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        origin = ""
        if address.relay:
            origin = f"http://{address.host}"
            lines += address.relay.authorization
        self._line = f"{method} {origin}{address.path}"
        self._headers = (
            f" HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature="
        )
        self._body = body

    def request(self, connection_id: str) -> bytes:
        """Return the request to a connection: its line, its headers and the body."""
        name = escaped(connection_id)
        # What is escaped in the path is escaped once more in what is signed.
        canonical = f"{self._before}{name.replace('%', '%25')}{self._after}"
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(sha256(canonical.encode()).hexdigest().encode())
        outer.update(inner.digest())
        head = f"{self._line}{name}{self._headers}{outer.hexdigest()}\r\n\r\n"
        return head.encode() + self._body


@lru_cache(maxsize=16)
def hmac_hashes(key: bytes) -> Tuple[Any, Any]:
    """Return the inner and the outer hash of HMAC-SHA256 (RFC 2104) for a key of up to 64 bytes.

    To copy them takes a third to four fifths of the time that a copy of Python's hmac takes.
    """
    padded = key.ljust(64, b"\0")
    return sha256(padded.translate(INNER)), sha256(padded.translate(OUTER))


@lru_cache(maxsize=16)
def signing_key(secret_key: str, date: str, region: str) -> bytes:
    """Return the signing key of one day and region."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


class CannotSign(Exception):
    """There are no credentials to sign with. Its text is the reason."""


class MessageSigner:
    """Makes the signers for one method and body. Times are time.monotonic()'s.

    It asks botocore for the credentials once a second. botocore refreshes them by itself.
    """

    def __init__(self, method: str, body: bytes, session: Optional[boto3.Session] = None) -> None:
        self.method = method
        self._body = body
        #: The session for the first time, which the caller may have at hand.
        self._session = session
        self._signers: Dict[Address, Signer] = {}
        self._timestamp = ""
        self._valid_until = float("-inf")
        self._problem = ""
        #: The credentials that sign at the moment.
        self.keys: Any = None
        #: Those that have expired, and the error code with which AWS says so.
        self._expired: Tuple[Any, str] = (None, "")

    def for_address(self, address: Address, now: float) -> Signer:
        """Return the signer for an endpoint in this second.

        Raises CannotSign if there are no credentials, or only expired ones.
        """
        if now >= self._valid_until:
            self._load_keys(now)
        if self._problem:
            raise CannotSign(self._problem)
        signer = self._signers.get(address)
        if signer is None:
            signer = Signer(self.keys, address, self.method, self._body, self._timestamp)
            self._signers[address] = signer
        return signer

    def renew(self, expired: Any, code: str, now: float) -> bool:
        """Return True if there are other credentials than those that AWS says have expired.

        If there are none, ``for_address`` raises CannotSign with ``code`` from now on.
        """
        if expired == self.keys and not self._problem:
            self._expired = (expired, code)
            credential_refresh().run(now)
            self._load_keys(now)
        return bool(expired != self.keys)

    def _load_keys(self, now: float) -> None:
        self._signers.clear()
        self._timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        began_at = time.monotonic()
        try:
            session, self._session = self._session or aws.own_session(), None
            self.keys = _checked(aws.frozen_credentials(session))
            expired, code = self._expired
            self._problem = code if self.keys == expired else ""
        except ClientError as error:  # for example of STS, which hands out a role's credentials
            self._problem = error.response["Error"]["Code"]
        except BotoCoreError as error:
            self._problem = type(error).__name__
        # From when the lookup has ended: where no credentials can be had it may take seconds.
        self._valid_until = now + 1 + time.monotonic() - began_at


class CredentialRefresh:
    """Drops boto3 sessions whose credentials have expired. New ones look for credentials again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done_at = float("-inf")

    def run(self, now: float) -> None:
        """Drop the sessions, unless that was done a moment ago."""
        with self._lock:
            if now - self._done_at >= MIN_SESSION_AGE:
                self._done_at = now
                aws.forget_session()


@per_process
def credential_refresh() -> CredentialRefresh:
    """Return the refresh of this process, which all of its threads share."""
    return CredentialRefresh()


def _checked(keys: Any) -> Any:
    for name, value in (("key id", keys.access_key), ("session token", keys.token)):
        if value and not HEADER_VALUE.fullmatch(value):
            problem = f"The {name} has characters that no header can have"
            raise CredentialRetrievalError(provider="AWS", error_msg=problem)
    return keys
