"""AWS's Signature Version 4 for ``@connections``, at the price of two hashes a message.

botocore signs each request from scratch. Here all that the requests of a broadcast share (the
signing key, the body's hash, the headers) is made once a second and only the path differs. The
result is that of ``botocore.auth.SigV4Auth``, which the tests compare it with.
Source: "Create a signed AWS API request" in the IAM user guide.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Dict, NamedTuple, Optional
from urllib.parse import quote

#: The name by which API Gateway's data plane is signed (botocore's service model).
SERVICE = "execute-api"


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


def canonical(path: str) -> str:
    """Return a request's path as it is signed: what is escaped already is escaped again."""
    return quote(path, safe="/~")


@lru_cache(maxsize=16)
def signing_key(secret_key: str, date: str, region: str) -> bytes:
    """Return the key of one day and region."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
