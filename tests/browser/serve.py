"""Program that serves site.py: beside Playwright no thread of the tests can use the ORM.

    python -m tests.browser.serve '{"port": 8000, "folder": ..., ...}'

The JSON is what main() takes. It prints a line when it listens. Its files stay in the folder, so
that it can be started again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from tests.settings import INSTALLED_APPS, MIDDLEWARE, TEMPLATES


def main(port: int, **options: Any) -> None:
    set_up(**options)
    provision(f"http://127.0.0.1:{port}")
    server = ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    print("The site listens", flush=True)  # noqa: T201
    server.serve_forever()


def set_up(folder: str, endpoint: str, websockets: dict[str, Any]) -> None:
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(folder) / "site.sqlite3"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"},
    }
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": database},
        INSTALLED_APPS=[app for app in INSTALLED_APPS if app != "django.contrib.admin"],
        MIDDLEWARE=MIDDLEWARE,
        TEMPLATES=TEMPLATES,
        ROOT_URLCONF="tests.browser.site",
        STATIC_URL="/static/",
        USE_TZ=True,
        AWS_GATEWAY_ENDPOINT_URL=endpoint,
        WEBSOCKETS=websockets,
    )
    django.setup()


def provision(url: str) -> None:
    """Make the tables and the gateway, unless an earlier run has."""
    from django_aws_api_gateway_websockets.local import testing
    from django_aws_api_gateway_websockets.models import ApiGateway

    call_command("migrate", verbosity=0)
    if not ApiGateway.objects.exists():
        testing.provision(url)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
