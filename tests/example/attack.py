"""The demo under attack, from top to bottom, with what each attempt gets.

    make demo                                              in one terminal
    python -m tests.example.attack http://127.0.0.1:8000   in another, in the same environment

Mallory knows what is public: the pages, the socket's URL with the API's id in it, the source of
this package. She has besides what has leaked to her: the connection id of alice, and, each time it
is said, a ticket or a cookie of hers. Alice is only there to be attacked.
"""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Callable, Iterator, NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.example.demo import PATIENCE
from tests.example.visitors import Guest, Member

#: More than twice what the demo allows in a minute (example/chat/sockets.py), since a minute may
#: end meanwhile.
MANY_CONNECTS, MANY_MESSAGES = 620, 200


class Scene(NamedTuple):
    """Who is there."""

    site: str
    #: In the Lobby, with an open socket.
    alice: Member
    #: Hers. It is not shown anywhere but in the admin.
    connection_id: str
    #: How often Mallory tries to come in at once.
    connects: int

    @property
    def api_id(self) -> str:
        """It is in the socket's URL, which every page has."""
        return re.findall(r"ws://[^/]+/(\w+)", self.alice.socket_url)[0]


Attack = Callable[[Scene], str]
ATTACKS: dict[str, Attack] = {}


def attack(title: str) -> Callable[[Attack], Attack]:
    def note(function: Attack) -> Attack:
        ATTACKS[title] = function
        return function

    return note


# Straight at Django, as if from API Gateway


def post(scene: Scene, route: str, body: bytes = b"", **changed: str) -> str:
    """What Django answers to an event with all that API Gateway sends, but for the proof."""
    headers = {
        "User-Agent": f"AmazonAPIGateway_{scene.api_id}",
        "X-Amzn-Apigateway-Api-Id": scene.api_id,
        "X-Forwarded-For": "203.0.113.66",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "connectionId": scene.connection_id,
        "sourceIp": "203.0.113.66",
        **changed,
    }
    request = Request(f"{scene.site}/ws/{route}", body, headers, method="POST")  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE) as response:
            return f"{response.status}: {response.read().decode()}"
    except HTTPError as refusal:
        return f"{refusal.code}: {refusal.read().decode()}"


def say(text: str) -> bytes:
    return json.dumps({"action": "say", "text": text}).encode()


@attack("post a $connect with forged headers")
def _(scene: Scene) -> str:
    handshake = {"Origin": scene.site, "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    return post(scene, "connect", connectionId="Mallory=", **handshake)


@attack("post a message with alice's connection id")
def _(scene: Scene) -> str:
    return post(scene, "default", say("I am alice"))


@attack("guess the proof")
def _(scene: Scene) -> str:
    return post(scene, "default", say("I am alice"), **{"X-Websocket-Secret": "0" * 64})


@attack("post alice's $disconnect")
def _(scene: Scene) -> str:
    return post(scene, "disconnect")


@attack("ask whether a connection exists")
def _(scene: Scene) -> str:
    return post(scene, "default", say("Anybody?"), connectionId="nobodys-id=")


# Through the gateway, from elsewhere


def handshake(url: str, origin: str | None, cookie: str = "") -> str:
    """What becomes of a socket that is opened like that."""
    headers = {"Cookie": cookie} if cookie else {}
    options: Any = {"origin": origin, "additional_headers": headers, "proxy": None}
    try:
        with connect(url, open_timeout=PATIENCE, **options):
            return "open"
    except InvalidStatus as refusal:
        return f"refused, {refusal.response.status_code}"


@attack("lure alice to a page of Mallory's, which opens a socket with her cookies")
def _(scene: Scene) -> str:
    return handshake(scene.alice.socket_url, "https://mallory.example", scene.alice.cookie)


@attack("name that page almost like the site")
def _(scene: Scene) -> str:
    return handshake(scene.alice.socket_url, f"{scene.site}.mallory.example", scene.alice.cookie)


@attack("have it send the Origin null, from a sandboxed frame")
def _(scene: Scene) -> str:
    return handshake(scene.alice.socket_url, "null", scene.alice.cookie)


@attack("send no Origin, with a cookie of alice's")
def _(scene: Scene) -> str:
    return handshake(scene.alice.socket_url, None, scene.alice.cookie)


@attack("come in without a name")
def _(scene: Scene) -> str:
    return handshake(scene.alice.socket_url, scene.site)


# With tickets


@attack("ask for a ticket from another site's page, which has no CSRF token")
def _(scene: Scene) -> str:
    return scene.alice.ask_for_ticket(csrf_token="")


@attack("ask for a ticket as a guest")
def _(scene: Scene) -> str:
    return Guest(scene.site, "Mallory").ask_for_ticket()


@attack("make up a ticket")
def _(scene: Scene) -> str:
    return handshake(f"{scene.alice.socket_url}&ws_token={'x' * 43}", scene.site)


@attack("use a ticket of alice's that she has used")
def _(scene: Scene) -> str:
    url = scene.alice.url_with_ticket()
    return f"alice: {handshake(url, scene.site)}; Mallory: {handshake(url, scene.site)}"


@attack("use one ticket fifty times at once")
def _(scene: Scene) -> str:
    url = scene.alice.url_with_ticket()
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda _: handshake(url, scene.site), range(50)))
    return f"{results.count('open')} open, {results.count('refused, 403')} refused, 403"


@attack("use a ticket of a login that has ended since")
def _(scene: Scene) -> str:
    bob = Member(scene.site, "bob")
    url = bob.url_with_ticket()
    bob.log_out()
    return handshake(url, scene.site)


@attack("go on in a socket whose login has ended")
def _(scene: Scene) -> str:
    bob = Member(scene.site, "bob")
    with connect(bob.url_with_ticket(), origin=scene.site, proxy=None) as page:
        bob.log_out()
        return ending(page)


# In a socket of her own


def ending(page: ClientConnection) -> str:
    try:
        while True:
            page.recv(PATIENCE)
    except ConnectionClosed:
        return f"closed, {page.close_code}"


def mallory(scene: Scene) -> ClientConnection:
    guest = Guest(scene.site, "Mallory", "Garden")
    return connect(guest.socket_url, **guest.handshake)


def heard_by(page: ClientConnection, kind: str = "") -> list[dict[str, Any]]:
    """The frames that come back until all has been handled, of one type or of any but "people"."""
    page.send(b"")  # The gateway handles in order what it reads, and for this it hangs up.
    found = []
    with suppress(ConnectionClosed):
        while True:
            found.append(json.loads(page.recv(PATIENCE)))
    return [frame for frame in found if kind_of(frame) == (kind or kind_of(frame)) != "people"]


def kind_of(frame: dict[str, Any]) -> str:
    return "reply" if "reply" in frame else str(frame["type"])


def told_beside_reply(page: ClientConnection) -> str:
    page.send(json.dumps({"action": "hello", "ref": "1"}))
    return "then " + ", ".join(map(kind_of, heard_by(page)))


@attack("call what is no handler: dispatch, _tell_room, __class__ ...")
def _(scene: Scene) -> str:
    names = ["dispatch", "setup", "connect", "disconnect", "_tell_room", "__class__", "body"]
    names += ["as_view", "model", "http_method_not_allowed", "_return_bad_request"]
    with mallory(scene) as page:
        for name in [*names, None, 7, [], {}]:
            page.send(json.dumps({"action": name}))
        return told_beside_reply(page)


@attack("send what is no message")
def _(scene: Scene) -> str:
    with mallory(scene) as page:
        for text in ("[" * 30_000, "null", '"say"', "[]", '{"action": "say", "text": 1e999}'):
            page.send(text)
        return told_beside_reply(page)


@attack("send more than a frame may hold")
def _(scene: Scene) -> str:
    with mallory(scene) as page:
        page.send("x" * 40_000)
        return ending(page)


@attack("flood the room")
def _(scene: Scene) -> str:
    with mallory(scene) as page:
        for number in range(MANY_MESSAGES):
            page.send(say(f"Flood {number}").decode())
        return f"{len(heard_by(page, 'message'))} of {MANY_MESSAGES} are heard"


@attack("flood the door")
def _(scene: Scene) -> str:
    url = Guest(scene.site, "Mallory").socket_url
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: handshake(url, scene.site), range(scene.connects)))
    return " and ".join(sorted(got))


def leaked_connection_id(alice: Member) -> str:
    sessions = alice.get("/admin/django_aws_api_gateway_websockets/websocketsession/?connected=1")
    (connection_id,) = re.findall(r"/change/[^>]*>([^<]+=)</a>", sessions)
    return str(connection_id)


def run(site: str, connects: int = MANY_CONNECTS) -> Iterator[tuple[str, str]]:
    """Try it all; what is tried, and what it gets."""
    alice = Member(site, "alice")
    with connect(alice.url_with_ticket(), origin=site, proxy=None) as page:
        scene = Scene(site, alice, leaked_connection_id(alice), connects)
        for title, attempt in ATTACKS.items():
            yield title, attempt(scene)
        page.send(say("Good night").decode())
        heard = [frame["text"] for frame in heard_by(page, "message")]
        yield "alice, all the while", f"in her socket, where she hears: {', '.join(heard)}"


def main() -> None:
    for title, got in run(sys.argv[1] if sys.argv[1:] else "http://127.0.0.1:8000"):
        print(f"{title:75} {got}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
