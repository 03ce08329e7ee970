"""A second database, in SQLite's memory, and a router that sends the app's models there."""

from __future__ import annotations

from contextlib import contextmanager

from django.contrib.auth import get_user_model
from django.db import connections

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

ALIAS = "second"
IN_MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


class Router:
    """Sends the app's models to the second database."""

    def db_for_read(self, model, **hints):
        return ALIAS if model._meta.app_label.startswith("django_aws") else None

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints):
        return True


@contextmanager
def second_database():
    """The second database with the tables of an event, as long as the block lasts."""
    of_both = connections.configure_settings({"default": {}, ALIAS: IN_MEMORY})
    connections.settings[ALIAS] = of_both[ALIAS]
    # Django keeps a test from opening another database than its own, unless it is open already.
    connections[ALIAS].connect()
    try:
        with connections[ALIAS].schema_editor() as editor:
            for model in (get_user_model(), ApiGateway, WebSocketSession):
                editor.create_model(model)
        yield connections[ALIAS]
    finally:
        connections[ALIAS].connection.close()  # Django's own close() keeps what is in memory.
        del connections[ALIAS], connections.settings[ALIAS]
