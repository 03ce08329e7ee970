"""Those who come to the demo, each in a browser without JavaScript."""

from __future__ import annotations

import json
import re
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from tests.example.demo import PATIENCE


class Visitor:
    """Somebody in a room; how one comes in is the kind's own."""

    def __init__(self, site: str, room: str) -> None:
        self.site = site
        self.cookies = CookieJar()
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))
        self.come_in()
        page = self.get(f"/room/{quote(room)}/")
        #: Where the room's page opens its socket.
        self.socket_url = json.loads(find(r'id="websocket" [^>]+>(.+)</script>', page))["url"]

    def come_in(self) -> None:
        raise NotImplementedError

    def get(self, path: str, form: dict[str, str] | None = None) -> str:
        data = urlencode(form).encode() if form else None
        with self.opener.open(f"{self.site}{path}", data, PATIENCE) as response:
            return str(response.read().decode())

    def submit(self, path: str, **fields: str) -> None:
        """Submit a form of the login page, or that of the page that leads there."""
        token = find(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/login/"))
        self.get(path, {"csrfmiddlewaretoken": token, **fields})

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    @property
    def handshake(self) -> dict[str, Any]:
        """What the room's page would send with its handshake, for ``websockets``' connect()."""
        headers = {"Cookie": self.cookie}
        return {"additional_headers": headers, "origin": self.site, "proxy": None}

    def ask_for_ticket(self, csrf_token: str | None = None) -> str:
        """The answer to the page's POST, or its status."""
        if csrf_token is None:
            csrf_token = next(c.value or "" for c in self.cookies if c.name == "demo_csrf")
        request = Request(f"{self.site}/ticket/", b"", {"X-CSRFToken": csrf_token})  # noqa: S310
        try:
            with self.opener.open(request, timeout=PATIENCE) as response:
                return str(response.read().decode())
        except HTTPError as refusal:
            return f"refused, {refusal.code}"


class Guest(Visitor):
    """Somebody who only chose a name."""

    def __init__(self, site: str, name: str, room: str = "Lobby") -> None:
        self.name = name
        super().__init__(site, room)

    def come_in(self) -> None:
        self.submit("/guest/", name=self.name)


class Member(Guest):
    """A user of the demo, logged in."""

    def come_in(self) -> None:
        self.submit("/login/", username=self.name, password="local-demo")

    def url_with_ticket(self) -> str:
        """The URL that the member's page opens."""
        return f"{self.socket_url}&ws_token={json.loads(self.ask_for_ticket())['ws_token']}"

    def log_out(self) -> None:
        token = find(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/room/Lobby/"))
        self.get("/logout/", {"csrfmiddlewaretoken": token})


def find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, f"{pattern} is not in {text}"
    return found[1]
