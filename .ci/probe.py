"""Fail unless Redis and the database that TEST_DATABASE names answer within half a minute."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.settings import DATABASES

SERVER = DATABASES["default"]
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
DEADLINE = time.monotonic() + 30


def connect() -> None:
    import redis

    with redis.Redis.from_url(REDIS) as server:
        server.ping()
    where = {"host": SERVER["HOST"], "port": int(SERVER["PORT"]), "user": SERVER["USER"]}
    if os.environ["TEST_DATABASE"] == "postgresql":
        import psycopg

        psycopg.connect(
            **where, password=SERVER["PASSWORD"], dbname="postgres", connect_timeout=5
        ).close()
    else:
        import MySQLdb

        MySQLdb.connect(**where, password=SERVER["PASSWORD"], connect_timeout=5).close()


while True:
    try:
        connect()
    except Exception as error:  # noqa: BLE001 (each driver has its own tree of errors)
        if time.monotonic() > DEADLINE:
            sys.exit(f"No {os.environ['TEST_DATABASE']} at {SERVER['HOST']}, or no Redis: {error}")
        time.sleep(1)
    else:
        break
