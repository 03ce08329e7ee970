"""A site under uvicorn that sends from every place where Django's asynchronous ORM works.

    python -m tests.asgi_site <folder> <URL of AWS>

It prints the headers of one event, as JSON, and then the port that it listens on.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import django
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse
from django.urls import path


def sync_view(request):
    """A plain view: the request's own thread waits for what it awaits."""
    return reached(async_to_sync(asend)())


async def async_view(request):
    return reached(await asend())


async def gathering_view(request):
    reports = await asyncio.gather(*(asend() for _ in range(5)))
    return reached(*reports)


async def bounded_view(request):
    return reached(await asyncio.wait_for(asend(), 30))


async def asend():
    from django_aws_api_gateway_websockets.models import WebSocketSession

    # The ORM's own coroutine in the same place: what works for it has to work for ours.
    assert await WebSocketSession.objects.acount() == 3
    return await WebSocketSession.objects.asend_message("x")


def reached(*reports):
    return HttpResponse(f"{sum(report.sent for report in reports)}")


def chat_view():
    from django_aws_api_gateway_websockets.views import WebSocketView

    class ChatView(WebSocketView):
        async def chat(self, request, *args, **kwargs):
            to_all = await asend()
            to_one = await self.websocket_session.asend_message("y")
            return reached(to_all, to_one)

    return ChatView.as_view()


def event_headers(gateway):
    from django_aws_api_gateway_websockets.security import proof

    return {
        proof.HEADER: proof.value_for(gateway),
        "User-Agent": "AmazonAPIGateway_site",
        "X-Amzn-Apigateway-Api-Id": gateway.api_id,
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Proto": "https",
        "connectionId": "a",
    }


def set_up(folder, aws):
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "db.sqlite3")}
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": database},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django_aws_api_gateway_websockets",
        ],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        AWS_GATEWAY_ENDPOINT_URL=aws,
        WEBSOCKETS={"transport": "sockets"},
    )
    django.setup()


def make_rows():
    from django.core.management import call_command

    from django_aws_api_gateway_websockets.models import WebSocketSession
    from django_aws_api_gateway_websockets.testing import make_gateway

    call_command("migrate", verbosity=0)
    gateway = make_gateway()
    for connection_id in ("a", "b", "c"):
        WebSocketSession.objects.create(connection_id=connection_id, api_gateway=gateway)
    return gateway


def main():
    import uvicorn
    from django.core.asgi import get_asgi_application

    set_up(*sys.argv[1:])
    print(json.dumps(event_headers(make_rows())))  # noqa: T201
    urlpatterns.append(path("ws/<slug:route>", chat_view()))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        config = uvicorn.Config(get_asgi_application(), lifespan="off", log_level="error")
        uvicorn.Server(config).run(sockets=[listener])


urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("gathering", gathering_view),
    path("bounded", bounded_view),
]

if __name__ == "__main__":
    # Under the name that ROOT_URLCONF has, so that there is one urlpatterns.
    sys.modules["tests.asgi_site"] = sys.modules["__main__"]
    __name__ = "tests.asgi_site"
    main()
