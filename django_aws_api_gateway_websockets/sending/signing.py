"""AWS's Signature Version 4 for ``@connections``, at the price of two hashes a message.

botocore signs each request from scratch. Here all that the requests of a broadcast share (the
signing key, the body's hash, the headers) is made once a second and only the path differs. The
result is that of ``botocore.auth.SigV4Auth``, which the tests compare it with.
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

from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from .. import aws
from ..processes import per_process
from .addresses import Address

#: The name by which API Gateway's data plane is signed (botocore's service model).
SERVICE = "execute-api"

#: With these error codes AWS refuses credentials whose time is over.
EXPIRED = {"ExpiredToken", "ExpiredTokenException"}

#: What stands in a header. Of anything else HTTP libraries make what they like: of a line break
#: at the end, which is easily pasted, a header of its own.
IN_A_HEADER = re.compile(r"[!-~]+")

#: Seconds between two times that a process drops its sessions, which take long to make.
RENEWAL = 5.0


class Keys(NamedTuple):
    """Credentials that do not change any more: botocore's ReadOnlyCredentials, too."""

    access_key: str
    secret_key: str
    token: Optional[str] = None


class Signer:
    """Signs the requests with one method and body, to one host, within one second."""

    def __init__(
        self, keys: Keys, region: str, method: str, host: str, body_hash: str, timestamp: str
    ) -> None:
        scope = f"{timestamp[:8]}/{region}/{SERVICE}/aws4_request"
        signed = {"host": host, "x-amz-date": timestamp}
        if keys.token:
            signed["x-amz-security-token"] = " ".join(keys.token.split())
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        self._method = f"{method}\n"
        self._after_path = f"\n\n{lines}\n{names}\n{body_hash}"
        # Of the text that is signed all but its last line, the hash of the request.
        to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n".encode()
        self._signed = hmac.new(
            signing_key(keys.secret_key, timestamp[:8], region), to_sign, sha256
        )
        self._credential = (
            f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature="
        )
        self._headers = {"X-Amz-Date": timestamp}
        if keys.token:
            self._headers["X-Amz-Security-Token"] = keys.token

    def headers(self, canonical_path: str) -> Dict[str, str]:
        """Return the headers that sign a request for this path, as ``canonical`` gives it."""
        canonical_request = f"{self._method}{canonical_path}{self._after_path}"
        signature = self._signed.copy()
        signature.update(sha256(canonical_request.encode()).hexdigest().encode())
        return {**self._headers, "Authorization": f"{self._credential}{signature.hexdigest()}"}


@lru_cache(maxsize=16)
def signing_key(secret_key: str, date: str, region: str) -> bytes:
    """Return the key of one day and region."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


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


@per_process
def sessions() -> Sessions:
    """Return those of this process."""
    return Sessions()


def _checked(keys: Any) -> Any:
    for name, value in (("key id", keys.access_key), ("session token", keys.token)):
        if value and not IN_A_HEADER.fullmatch(value):
            problem = f"The {name} has characters that no header can have"
            raise CredentialRetrievalError(provider="AWS", error_msg=problem)
    return keys
