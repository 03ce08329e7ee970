"""Settings of the workers that the tests start, and of the program that enqueues.

WORKERS_DATABASE    the name of the database that the tests have made
WORKERS_BACKEND     celery or django
WORKERS_EDGE        where messages are posted to: a port for each process
WORKERS_REDIS       Celery's broker
WORKERS_PREFIX      before all of Celery's keys there
WORKERS_VISIBILITY  seconds until Redis gives a task of Celery's to another worker
"""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

DATABASES["default"]["NAME"] = os.environ["WORKERS_DATABASE"]
AWS_GATEWAY_ENDPOINT_URL = os.environ["WORKERS_EDGE"]
WEBSOCKETS = {"task_backend": os.environ["WORKERS_BACKEND"], "task_lease": 3}

if WEBSOCKETS["task_backend"] == "celery":
    import tests.workers.celery  # noqa: F401 (whoever enqueues has to know the broker)
else:
    INSTALLED_APPS.append("django_tasks_db")
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
