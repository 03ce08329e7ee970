"""The Celery of the tests: ``celery -A tests.workers.celery worker``."""

from __future__ import annotations

import os

from celery import Celery

app = Celery("tests")
app.conf.update(
    broker_url=os.environ["WORKERS_REDIS"],
    broker_transport_options={
        "global_keyprefix": os.environ["WORKERS_PREFIX"],
        "visibility_timeout": int(os.environ["WORKERS_VISIBILITY"]),
        # It is looked for each 100 seconds by default.
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
    worker_prefetch_multiplier=1,
)
app.autodiscover_tasks()
