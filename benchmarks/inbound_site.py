"""One contender of inbound.py: a site in a process of its own, to which API Gateway posts events.

It runs in the contender's environment, under Django's WSGI handler, on a database that it makes
and drops. Each line of its input is a call, ["measure", "messages", 1000], and each line of its
output an answer, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from io import BytesIO
from itertools import count, cycle, islice
from typing import Any, Callable, Dict, List, Tuple

import django
import psycopg
from django.conf import settings
from django.http import HttpRequest, JsonResponse

#: Ours asks for the proof of an event's source, and checks that each message's login still holds.
IS_OURS = sys.argv[1:] == ["ours"]
APP = "django_aws_api_gateway_websockets"
DATABASE = f"benchmark_inbound_{os.getpid()}"
SERVER = {
    "host": os.environ.get("PGHOST", "127.0.0.1"),
    "port": os.environ.get("PGPORT", "5432"),
    "user": os.environ.get("PGUSER", "postgres"),
    "password": os.environ.get("PGPASSWORD", ""),
}

#: Connections that take turns, each with a user of its own.
CONNECTIONS = 100
MESSAGE = b'{"action": "chat", "text": "Hello, world", "channel": "lobby"}'
HEADERS = {
    "HTTP_HOST": "www.example.com",
    "HTTP_USER_AGENT": "AmazonAPIGateway_a1b2c3d4e5",
    "HTTP_X_AMZN_APIGATEWAY_API_ID": "a1b2c3d4e5",
    "HTTP_X_AMZN_TRACE_ID": "Self=1-67891233-abcdef012345678912345678;Root=1-67891233-12456789ab",
    "HTTP_X_FORWARDED_FOR": "203.0.113.1, 198.51.100.7",
    "HTTP_X_FORWARDED_PORT": "443",
    "HTTP_X_FORWARDED_PROTO": "https",
    # Older releases ask for these headers of a proxy.
    "HTTP_CONNECTION": "close",
    "HTTP_X_REAL_IP": "203.0.113.1",
}
MAPPED_BY_OURS = {
    "HTTP_CONNECTEDAT": "1767225600000",
    "HTTP_EVENTTYPE": "MESSAGE",
    "HTTP_MESSAGEID": "JC1dgf9yoAMCK-g=",
    "HTTP_REQUESTID": "JC1dgf9yoAMFzAw=",
    "HTTP_ROUTEKEY": "$default",
    "HTTP_SOURCEIP": "203.0.113.1",
    "HTTP_STAGE": "production",
}
HANDSHAKE = {
    "HTTP_ORIGIN": "https://www.example.com",
    "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate; client_max_window_bits",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "QUERY_STRING": "channel=lobby",
}
SERVER_VARIABLES = {
    "REQUEST_METHOD": "POST",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "198.51.100.7",
    "CONTENT_TYPE": "application/json",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}

Events = List[Dict[str, Any]]

connection_ids = (f"JC1dgf9yoA{number:05}=" for number in count(1))
urlpatterns: List[Any] = []
#: The events for which handlers were called, to check that they were.
handled: List[str] = []


def configure() -> None:
    """Set up what ``startproject`` does, on PostgreSQL, with a connection that stays open."""
    settings.configure(
        SECRET_KEY="only-for-benchmarks-" + "x" * 40,
        ALLOWED_HOSTS=["www.example.com"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            APP,
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DATABASE,
                "CONN_MAX_AGE": None,
                **{name.upper(): value for name, value in SERVER.items()},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        AWS_REGION_NAME="eu-west-1",
    )
    django.setup()


def add_views() -> None:
    """Mount the same view of each contender, and an empty one, which shows Django's own cost.

    Handlers return a response, since 4.1.0 takes no dict.
    """
    from django.urls import path

    from django_aws_api_gateway_websockets.views import WebSocketView

    class ChatView(WebSocketView):
        def chat(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
            handled.append(self.body["text"])
            return JsonResponse({"length": len(self.body["text"])})

        def whoami(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
            handled.append(request.user.get_username())
            return JsonResponse({"user": request.user.get_username()})

    def empty(request: HttpRequest, route: str) -> JsonResponse:
        handled.append(route)
        return JsonResponse({})

    empty.csrf_exempt = True  # type: ignore[attr-defined]
    urlpatterns.append(path("ws/<slug:route>", ChatView.as_view()))
    urlpatterns.append(path("empty/<slug:route>", empty))


def on_server(statement: str) -> None:
    with psycopg.connect(dbname="postgres", autocommit=True, **SERVER) as connection:  # type: ignore[arg-type]
        connection.execute(statement)


class Site:
    """The rows, and the events that API Gateway sends about them."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.core.wsgi import get_wsgi_application

        add_views()
        call_command("migrate", verbosity=0)
        self.wsgi: Callable[..., Any] = get_wsgi_application()
        make_user = get_user_model().objects.create_user
        self.users = [make_user(f"user{number}") for number in range(CONNECTIONS)]
        self.gateway = self.make_gateway()
        self.mapped = self.headers_of_ours() if IS_OURS else {}
        self.cookies = cycle([self.log_in(user) for user in self.users])
        self.connections = cycle(self.make_sessions(CONNECTIONS))

    def make_gateway(self) -> Any:
        """Make a gateway as it is after create_gateway()."""
        from django_aws_api_gateway_websockets.models import ApiGateway

        return ApiGateway.objects.create(
            api_name="benchmark",
            target_base_endpoint="https://www.example.com/ws/",
            api_id="a1b2c3d4e5",
            api_endpoint="wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
            api_created=True,
        )

    def headers_of_ours(self) -> Dict[str, str]:
        """Return what the integrations of our gateway add to an event, the proof among it."""
        from django_aws_api_gateway_websockets.security import proof

        value = proof.value_for(self.gateway)
        self.gateway.source_proof = proof.fingerprint(value)
        self.gateway.save()
        return {**MAPPED_BY_OURS, proof.META_KEY: value}

    def make_sessions(self, number: int) -> List[str]:
        """Make sessions as a $connect leaves them; return their connections' ids."""
        from django_aws_api_gateway_websockets.models import WebSocketSession

        rows = [
            WebSocketSession(
                connection_id=connection_id,
                channel_name="lobby",
                user=user,
                api_gateway=self.gateway,
                **(self.login_of(user) if IS_OURS else {}),
            )
            for connection_id, user in zip(islice(connection_ids, number), cycle(self.users))
        ]
        WebSocketSession.objects.bulk_create(rows)
        return [row.connection_id for row in rows]

    def login_of(self, user: Any) -> Dict[str, str]:
        from django_aws_api_gateway_websockets.security import digests, identity

        login = digests.digest("a cookie")
        return {"auth_hash": identity.auth_hashes(user)[0], "login": login}

    def log_in(self, user: Any) -> str:
        from django.test import Client

        browser = Client()
        browser.force_login(user)
        return f"sessionid={browser.cookies['sessionid'].value}"

    # The kinds of events. All events are in memory before the clock starts.

    def messages(self, number: int) -> Events:
        return self.posts(number, "/ws/default", MESSAGE)

    def messages_that_ask_for_the_user(self, number: int) -> Events:
        return self.posts(number, "/ws/default", MESSAGE.replace(b"chat", b"whoami"))

    def requests_to_an_empty_view(self, number: int) -> Events:
        return self.posts(number, "/empty/default", MESSAGE)

    def posts(self, number: int, path: str, body: bytes) -> Events:
        return [self.event(path, body, each) for each in islice(self.connections, number)]

    def connects(self, number: int) -> Events:
        return [
            self.event("/ws/connect", b"", each, HTTP_COOKIE=cookie, **HANDSHAKE)
            for each, cookie in zip(islice(connection_ids, number), self.cookies)
        ]

    def disconnects(self, number: int) -> Events:
        return [self.event("/ws/disconnect", b"", each) for each in self.make_sessions(number)]

    def event(self, path: str, body: bytes, connection_id: str, **more: str) -> Dict[str, Any]:
        return {
            **SERVER_VARIABLES,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **HEADERS,
            **self.mapped,
            "HTTP_CONNECTIONID": connection_id,
            **more,
        }

    # The calls of inbound.py.

    def measure(self, kind: str, number: int) -> float:
        """Return the CPU time of one event, this process's user and system, in seconds."""
        events = getattr(self, kind)(number)
        before = self.traces(kind)
        started = time.process_time()
        answers = [self.answer(event) for event in events]
        spent = time.process_time() - started
        assert {status for status, _ in answers} == {"200 OK"}, answers[0]
        assert self.traces(kind) - before == number, f"{kind} were answered, but not handled"
        return spent / number

    def statements(self, kind: str) -> float:
        """Return how many statements one event costs the database."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        events = getattr(self, kind)(10)
        with CaptureQueriesContext(connection) as captured:
            for event in events:
                self.answer(event)
        return len(captured) / len(events)

    def versions(self) -> Dict[str, str]:
        from importlib.metadata import version

        from django.db import connection

        names = ("Django", "psycopg", "boto3")
        server = ".".join(map(str, divmod(connection.pg_version, 10_000)))  # type: ignore[attr-defined]
        return {**{name: version(name) for name in names}, "PostgreSQL": server}

    def answer(self, event: Dict[str, Any]) -> Tuple[str, bytes]:
        statuses: List[str] = []
        response = self.wsgi(event, lambda status, headers: statuses.append(status))
        body = b"".join(response)
        response.close()
        return statuses[0], body

    def traces(self, kind: str) -> int:
        """Return how many events of the kind were handled, as the rows or the handlers show."""
        from django_aws_api_gateway_websockets.models import WebSocketSession

        if kind in ("connects", "disconnects"):
            return WebSocketSession.objects.filter(connected=kind == "connects").count()
        return len(handled)


def main() -> None:
    on_server(f"CREATE DATABASE {DATABASE}")
    try:
        configure()
        site = Site()
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            print(json.dumps(getattr(site, name)(*arguments)), flush=True)
    finally:
        on_server(f"DROP DATABASE {DATABASE} WITH (FORCE)")


if __name__ == "__main__":
    main()
