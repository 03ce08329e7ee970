"""Rates: how often one client may do something. Knows Django's cache, no model of ours."""

from __future__ import annotations

import re
import time
from ipaddress import IPv4Address, ip_address, ip_network
from typing import NamedTuple, Optional

from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import connections, router

from ..conf import conf
from ..exceptions import ConfigurationError
from .digests import digest

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate(NamedTuple):
    """A number of times in a period of seconds."""

    limit: int
    period: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Return the rate that "30/m" says: a number, and s, m, h or d for the period.

        Raises ConfigurationError for anything else.
        """
        found = re.fullmatch(r"([1-9][0-9]{0,8})/([smhd])", str(text))
        if found is None:
            raise ConfigurationError(
                f'{text!r} is not a rate. Write "30/m" for 30 times a minute; s, h and d work too.'
            )
        return cls(int(found.group(1)), SECONDS[found.group(2)])

    def wait_for(self, key: str) -> Optional[int]:
        """Count one more time for ``key``; return the seconds to wait, or None if it is allowed.

        Time is cut into windows as long as the rate's period, which begin at another moment for
        each key. A refused attempt changes nothing for the next window. Counting is as atomic as
        the cache's ``incr``: with Redis, Memcached and, in one process, local memory.
        """
        hashed = digest(f"{_place()} {key}")
        offset = int(hashed[:8], 16) % self.period
        window, elapsed = divmod(int(time.time()) + offset, self.period)
        count = self._count(f"websocket-rate:{hashed[:40]}:{self.period}:{window}")
        return None if count <= self.limit else self.period - elapsed

    def _count(self, key: str) -> int:
        cache = caches[conf.rate_cache]
        if cache.add(key, 1, timeout=self.period):
            return 1
        try:
            count = int(cache.incr(key))
        except ValueError:  # The cache has dropped the key, as it may at any time.
            cache.set(key, 1, timeout=self.period)
            return 1
        if type(cache).incr is BaseCache.incr:
            # This incr(), of files and of the database, sets the cache's default time-out, 300 s.
            cache.touch(key, timeout=self.period)
        return count


def _place() -> str:
    """Return the database of the users, and the schema there of a package for tenants.

    Sites and tenants may share a cache, and each has a user 1 and a gateway 1.
    """
    connection = connections[router.db_for_write(get_user_model())]
    return f"{connection.settings_dict['NAME']}/{getattr(connection, 'schema_name', '')}"


def network_of(address: str) -> str:
    """Return the network of one client: an IPv4 address, or the /64 around an IPv6 address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return address
    # All IPv4 addresses, written as IPv6 ones, are in one /64.
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
