"""Signing with AWS's Signature Version 4 for ``@connections``: two hashes for each message.

botocore signs each request from scratch. Here, what the requests of a broadcast share (the signing
key, the body's hash, the headers) is made once a second, and only the path differs. The tests
compare the result with that of ``botocore.auth.SigV4Auth``.
Source: "Create a signed AWS API request" in the IAM user guide.
"""

from __future__ import annotations

import hmac
import math
import time
from functools import lru_cache
from hashlib import sha256
from typing import Any, Dict, Tuple

from .addresses import Address, escaped
from .credentials import CannotSign, Keys, KeysOfMessage, credential_refresh

#: The name of API Gateway's data plane in a signature (botocore's service model).
SERVICE = "execute-api"

#: The paddings of HMAC's two hashes.
INNER, OUTER = (bytes(byte ^ padding for byte in range(256)) for padding in (0x36, 0x5C))


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


class MessageSigner:
    """Makes the signers for one method and body. Times are time.monotonic()'s.

    It asks for the credentials once a second, because botocore refreshes them by itself. It waits
    for them until ``until`` at the longest.
    """

    def __init__(self, method: str, body: bytes, until: float = math.inf) -> None:
        self.method = method
        self._body = body
        self._current = KeysOfMessage(credential_refresh(), until)
        self._signers: Dict[Address, Signer] = {}
        self._timestamp = ""
        self._valid_until = float("-inf")
        #: The credentials that sign at the moment.
        self.keys: Any = None

    def load_keys(self, now: float) -> str:
        """Look for the credentials; return the problem if there are none that can sign, or ""."""
        self._signers.clear()
        self._timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        began_at = time.monotonic()
        self._current.load()
        self.keys = self._current.keys
        # From when the lookup has ended: where no credentials can be had it may take seconds.
        self._valid_until = now + 1 + time.monotonic() - began_at
        return self._current.problem

    def for_address(self, address: Address, now: float) -> Signer:
        """Return the signer for an endpoint in this second.

        Raises CannotSign if there are no credentials, or only those that AWS has refused.
        """
        if now >= self._valid_until:
            self.load_keys(now)
        if self._current.problem:
            raise CannotSign(self._current.problem)
        signer = self._signers.get(address)
        if signer is None:
            signer = Signer(self.keys, address, self.method, self._body, self._timestamp)
            self._signers[address] = signer
        return signer

    def renew(self, refused: Any, code: str, now: float) -> bool:
        """Return True if there are other credentials than those that AWS has refused.

        If there are none, ``for_address`` raises CannotSign with ``code`` from now on.
        """
        if refused == self.keys and not self._current.problem:
            self._current.refuse(refused, code, now)
            self.load_keys(now)
        return bool(refused != self.keys)
