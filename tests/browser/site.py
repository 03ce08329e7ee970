"""Site whose page has the client, with what a test asks of it. It is served by serve.py."""

from __future__ import annotations

import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model, login, logout
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.template import engines
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from django_aws_api_gateway_websockets.models import (
    ApiGateway,
    WebSocketSession,
    WebSocketTicket,
)
from django_aws_api_gateway_websockets.views import WebSocketTokenView, WebSocketView

PAGE = """<!doctype html>
{% load aws_websockets static %}
<title>{{ channel }}</title>
<link rel="icon" href="data:,">
<p id="state"></p>
{% websocket url=url channel=channel ticket_url="ticket" %}
{{ options|json_script:"options" }}
<script type="module" nonce="{{ csp_nonce }}">
  import { connect } from "{% static 'django_aws_api_gateway_websockets/client.js' %}";

  const log = (window.log = []);
  const note = (type, detail) => log.push({ type, at: Date.now(), ...detail });
  document.addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
    note("violation", { violatedDirective }),
  );
  const options = JSON.parse(document.getElementById("options").textContent);
  const socket = (window.socket = connect("websocket", options));
  for (const type of ["state", "open", "dropped", "fault"]) {
    socket.addEventListener(type, ({ detail }) => note(type, detail));
  }
  socket.onmessage = ({ data, json }) => note("message", { data, json });
  socket.onclose = ({ code, reason }) => note("close", { code, reason });
  window.attempt = (...call) => {
    const done = { reply: null, error: null };
    const tell = ({ name, message, status, sent }) => ({ name, message, status, sent });
    return socket.call(...call).then(
      (reply) => ({ ...done, reply }),
      (error) => ({ ...done, error: tell(error) }),
    );
  };
</script>
"""

#: Nothing is allowed but the page's own script, and its socket.
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
    "script-src 'self' 'nonce-{nonce}'; connect-src 'self' {sockets}"
)

#: What the handler ``note`` was told, in order.
notes: list[Any] = []


def room(request: HttpRequest, channel: str) -> HttpResponse:
    """The page. ?user= logs in first, ?url= is another socket, ?options= are connect()'s."""
    name = request.GET.get("user")
    if name and request.user.get_username() != name:
        log_in(request, name)
    nonce, url = secrets.token_urlsafe(16), request.GET.get("url", "")
    options = json.loads(request.GET.get("options", "{}"))
    context = {"channel": channel, "url": url, "options": options, "csp_nonce": nonce}
    response = HttpResponse(engines["django"].from_string(PAGE).render(context, request))
    socket = urlsplit(url or ApiGateway.objects.get().socket_url)
    response["Content-Security-Policy"] = POLICY.format(
        nonce=nonce, sockets=f"ws://{socket.netloc}"
    )
    return response


def log_in(request: HttpRequest, name: str) -> HttpResponse:
    """Log in anew, also who is logged in: the session and the CSRF token change."""
    user, _ = get_user_model().objects.get_or_create(username=name)
    login(request, user)
    return HttpResponse(f"Hello {name}")


def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("Goodbye")


@csrf_exempt
def command(request: HttpRequest, name: str) -> HttpResponse:
    """What a test asks of the site: the function of that name, with the JSON as arguments."""
    return JsonResponse({"result": COMMANDS[name](**json.loads(request.body))})


def sessions_of(channel: str) -> Any:
    return WebSocketSession.objects.filter(channel_name=channel)


def usable_tickets() -> int:
    unused = WebSocketTicket.objects.filter(connection_id=None)
    return unused.filter(expires_on__gt=timezone.now()).count()


class Publisher:
    """Sends {"n": 1}, {"n": 2}, ... to a channel until it is stopped."""

    def start(self, channel: str, interval: float) -> None:
        self.sent = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._publish, args=(channel, interval))
        self._thread.start()

    def stop(self) -> int:
        """Return how many were sent."""
        self._stopped.set()
        self._thread.join()
        return self.sent

    def _publish(self, channel: str, interval: float) -> None:
        while not self._stopped.wait(interval):
            sessions_of(channel).send_message({"n": self.sent + 1})
            self.sent += 1
        connection.close()


publisher = Publisher()

COMMANDS = {
    "close": lambda channel: sessions_of(channel).close().closed,
    "connected": lambda channel: sessions_of(channel).filter(connected=True).count(),
    "notes": lambda: notes,
    "publish": lambda channel, data: sessions_of(channel).send_message(data).sent,
    "start_publishing": publisher.start,
    "stop_publishing": publisher.stop,
    "usable_tickets": usable_tickets,
}


class RoomView(WebSocketView):
    authentication = "ticket"
    allow_anonymous = False

    def echo(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        time.sleep(self.body.get("seconds", 0))
        return {"said": self.body["text"], "by": request.user.get_username()}

    def note(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        notes.append(self.body["text"])

    def refuse(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseForbidden("Only on Sundays")

    def fail(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("This text is not for clients")


urlpatterns = [
    path("room/<slug:channel>", room),
    path("login/<slug:name>", log_in),
    path("logout", log_out),
    path("ticket", WebSocketTokenView.as_view(), name="ticket"),
    path("ws/<slug:route>", RoomView.as_view()),
    path("do/<slug:name>", command),
]
