"""The signatures of one message, with the credentials of the moment."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any, Dict, Optional

from botocore.exceptions import BotoCoreError

from .. import aws
from .addresses import Address
from .signing import Signer

#: With these error codes AWS refuses credentials whose time is over.
EXPIRED = {"ExpiredToken", "ExpiredTokenException"}

#: Seconds after which new credentials are looked for again if there were none.
RENEWAL = 5.0


class Seal:
    """Hands out signers for one method and body. Times are time.monotonic()'s.

    Once a second botocore is asked for the credentials, whose refresh is its own business.
    """

    def __init__(self, method: str, body: bytes) -> None:
        self._method = method
        self._body_hash = sha256(body).hexdigest()
        self._signers: Dict[Address, Signer] = {}
        self._timestamp = ""
        self._valid_until = self._renewed = float("-inf")
        self._problem: Optional[BotoCoreError] = None
        #: The credentials that are used at the moment.
        self.keys: Any = None

    def signer(self, address: Address, now: float) -> Signer:
        """Return the endpoint's signer of this second.

        Raises BotoCoreError if there are no credentials.
        """
        if now >= self._valid_until:
            self._look_for_keys(now)
        if self._problem:
            raise self._problem
        signer = self._signers.get(address)
        if signer is None:
            place = (address.region, self._method, address.host)
            signer = Signer(self.keys, *place, self._body_hash, self._timestamp)
            self._signers[address] = signer
        return signer

    def renew(self, expired: Any, now: float) -> bool:
        """Return True if there are other credentials than those that AWS says have expired."""
        if expired == self.keys and now - self._renewed >= RENEWAL:
            self._renewed = now
            aws.forget_session()
            self._look_for_keys(now)
        return bool(expired != self.keys)

    def _look_for_keys(self, now: float) -> None:
        self._signers.clear()
        self._valid_until = now + 1
        self._timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        try:
            self.keys, self._problem = aws.frozen_credentials(), None
        except BotoCoreError as error:
            self._problem = error
