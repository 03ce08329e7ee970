"""A site with an error tracker or a profiler, driven through its WSGI and its ASGI application.

    python -m tests.security.tracked_site <folder> <tool> <early or late>

It prints all that the tool has seen as JSON: a list of texts. ``early`` sets the tool up in the
settings, as the tools' pages say; ``late`` does so when the apps are ready.

Tools:

patch   what trackers do, written down here: it wraps the __call__ of Django's classes, and copies
        the headers before Django sees them. It says more than any of them.
sentry  sentry_sdk itself, with its defaults and tracing.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from functools import wraps
from pathlib import Path
from typing import Any, List

import django
from django.conf import settings
from django.urls import path

SEEN: List[str] = []


def patch() -> None:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler

    for handler in (WSGIHandler, ASGIHandler):
        handler.__call__ = _copying(handler.__call__)  # type: ignore[method-assign]


def _copying(call: Any) -> Any:
    @wraps(call)
    def copying(self: Any, request: Any, *args: Any) -> Any:
        SEEN.append(repr(request))
        return call(self, request, *args)

    return copying


def sentry() -> None:
    import sentry_sdk

    class Written(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            SEEN.append(envelope.serialize().decode())

    dsn = "http://public@127.0.0.1:9/1"
    sentry_sdk.init(dsn=dsn, transport=Written, traces_sample_rate=1.0)


def set_up(folder: str, tool: str, when: str) -> None:
    if when == "early":
        globals()[tool]()
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "db.sqlite3")}
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        AWS_REGION_NAME="eu-west-1",
        DATABASES={"default": database},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django_aws_api_gateway_websockets",
        ],
        LOGGING_CONFIG=None,
        ROOT_URLCONF=__name__,
        SECRET_KEY="only-for-tests",
        USE_TZ=True,
    )
    logging.disable(logging.CRITICAL if tool == "patch" else logging.NOTSET)
    django.setup()
    if when == "late":
        globals()[tool]()


def mount() -> Any:
    from django_aws_api_gateway_websockets.views import WebSocketView

    class ChatView(WebSocketView):
        allow_anonymous = False

        def works(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            return {"works": True}

        def fails(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            raise ZeroDivisionError

    def page(request: Any) -> Any:  # It is no view of the package's, and fails too.
        raise ZeroDivisionError

    return [path("ws/<slug:route>", ChatView.as_view()), path("page", page)]


def headers_of(gateway: Any) -> Any:
    from django_aws_api_gateway_websockets.security import proof

    return {
        proof.HEADER: proof.value_for(gateway),
        proof.OLD_HEADER: proof.value_for(gateway),
        "Connectionid": "a",
        "Content-Type": "application/json",
        "Host": "testserver",
        "Origin": "https://testserver",
        "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-Websocket-Version": "13",
        "User-Agent": "AmazonAPIGateway_testserver",
        "X-Amzn-Apigateway-Api-Id": gateway.api_id,
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Proto": "https",
    }


def make_ticket() -> str:
    from django.contrib.auth import get_user_model

    from django_aws_api_gateway_websockets.models import WebSocketTicket

    user, _ = get_user_model().objects.get_or_create(username="alice")
    ticket: str = WebSocketTicket.objects.issue_for(user)
    return ticket


#: The URL and the body of each request, and its status.
REQUESTS = [
    ("/ws/connect?channel=lobby&ws_token={ticket}", "", 200),
    ("/ws/default", '{"action": "works"}', 200),
    ("/ws/default", '{"action": "fails"}', 500),
    ("/page", "", 500),
    ("/ws/disconnect", "", 200),
]


def by_wsgi(application: Any, headers: Any, url: str, body: str) -> int:
    answers: List[str] = []
    environ = {
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "PATH_INFO": url.partition("?")[0],
        "QUERY_STRING": url.partition("?")[2],
        "RAW_URI": url,
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "443",
        "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(body.encode()),
        "wsgi.url_scheme": "https",
    }
    environ["HTTP_CONTENT_LENGTH"] = environ["CONTENT_LENGTH"]
    response = application(environ, lambda status, headers, *_: answers.append(status))
    b"".join(response)
    response.close()
    return int(answers[0].split()[0])


def by_asgi(application: Any, headers: Any, url: str, body: str) -> int:
    answers: List[Any] = []
    named = {**headers, "Content-Length": str(len(body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": url.partition("?")[0],
        "query_string": url.partition("?")[2].encode(),
        "scheme": "https",
        "server": ("testserver", 443),
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
    }
    waiting = [{"type": "http.request", "body": body.encode(), "more_body": False}]

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(application(scope, receive, send))
    status: int = answers[0]["status"]
    return status


def main(folder: str, tool: str, when: str) -> None:
    set_up(folder, tool, when)
    from django.core.asgi import get_asgi_application
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from django_aws_api_gateway_websockets.testing import make_gateway

    globals()["urlpatterns"] = mount()
    call_command("migrate", verbosity=0)
    headers = headers_of(make_gateway())
    told, secrets = len(SEEN), [headers["X-Websocket-Secret"]]
    for drive, application in (
        (by_wsgi, get_wsgi_application()),
        (by_asgi, get_asgi_application()),
    ):
        headers["Connectionid"] = drive.__name__
        secrets.append(make_ticket())
        answers = [
            drive(application, headers, url.format(ticket=secrets[-1]), body)
            for url, body, _ in REQUESTS
        ]
        assert answers == [status for _, _, status in REQUESTS], answers
    sys.stdout.write(json.dumps({"secrets": secrets, "seen": SEEN[told:]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
