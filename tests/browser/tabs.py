"""Tabs: pages of the site in a browser, and what the client has told them."""

from __future__ import annotations

import json
import time
from typing import Any, Callable

from tests.browser.world import PATIENCE, World


class Tab:
    """A page that Playwright drives. It counts as seen, whatever lies before it."""

    def __init__(self, page: Any, world: World) -> None:
        self.page, self.world = page, world
        #: The sockets that it has opened, the latest last.
        self.sockets: list[Any] = []
        #: The requests for tickets.
        self.ticket_requests: list[Any] = []
        #: What went wrong without anybody's asking.
        self.errors: list[str] = []
        page.on("websocket", self._see_socket)
        page.on("request", self._see)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    # Playwright takes no method of a list.
    def _see_socket(self, socket: Any) -> None:
        self.sockets.append(socket)

    def _see(self, request: Any) -> None:
        if request.url == f"{self.world.url}/ticket":
            self.ticket_requests.append(request)

    def show(self, channel: str, user: str = "alice", url: str = "", **options: Any) -> Tab:
        """Load the page. ``url`` is another socket's, ``options`` are those of ``connect()``."""
        self.page.goto(self.world.page_url(channel, user, url, options))
        return self

    def do(self, script: str, argument: Any = None) -> Any:
        """Return what a function of JavaScript returns."""
        return self.page.evaluate(script, argument)

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a function of JavaScript returns true."""
        # Not at each frame, which a hidden page has not.
        self.page.wait_for_function(condition, arg=argument, polling=20, timeout=15_000)

    def frames_sent(self) -> list[str]:
        """What all of its sockets send from now on, in one list."""
        sent: list[str] = []

        def follow(socket: Any) -> None:
            socket.on("framesent", hear)

        def hear(text: str) -> None:
            sent.append(text)

        for socket in self.sockets:
            follow(socket)
        self.page.on("websocket", follow)
        return sent

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something outside of the page is true."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            self._pause()

    def _pause(self) -> None:
        self.page.wait_for_timeout(20)  # Playwright hears of events meanwhile.

    def wait_for_state(self, state: str) -> Tab:
        self.wait("(state) => socket.state === state", state)
        return self

    def wait_for(self, kind: str, times: int = 1) -> list[Any]:
        """Wait until so many things of a kind have happened; return all of them."""
        enough = "([kind, times]) => log.filter(({ type }) => type === kind).length >= times"
        self.wait(enough, [kind, times])
        return self.logged(kind)

    def logged(self, kind: str) -> list[Any]:
        return list(self.do("(kind) => log.filter(({ type }) => type === kind)", kind))

    @property
    def state(self) -> str:
        return str(self.do("() => socket.state"))

    @property
    def messages(self) -> list[Any]:
        return [frame["json"] for frame in self.logged("message")]

    def call(self, action: str, content: Any = None, **options: Any) -> Any:
        """Call a handler; return {"reply": ..., "error": ...}, of which one is None."""
        return self.do("(call) => attempt(...call)", [action, content or {}, options])

    def send(self, frame: Any) -> bool:
        return bool(self.do("(frame) => socket.send(frame)", frame))

    @property
    def ends(self) -> list[Any]:
        """What was told of ends: the states with a close code."""
        return [entry for entry in self.logged("state") if entry["code"] is not None]

    def wait_for_ends(self, times: int = 1) -> list[Any]:
        ends = "log.filter(({ type, code }) => type === 'state' && code !== null)"
        self.wait(f"(times) => {ends}.length >= times", times)
        return self.ends

    @property
    def opens(self) -> list[bool]:
        """For each time that a connection was open: has it replaced an open one?"""
        return [entry["continued"] for entry in self.logged("open")]


class BackgroundTab(Tab):
    """A page that can be hidden and frozen.

    Playwright keeps each page that it knows visible, as DevTools' "Emulate a focused page" does,
    and Chromium freezes no visible one. So this page is driven by DevTools' protocol alone.
    """

    def __init__(self, browser: Any, world: World) -> None:
        self.world = world
        self.errors = []
        self._browser = browser.new_browser_cdp_session()
        self._answers: dict[int, Any] = {}
        self._browser.on("Target.receivedMessageFromTarget", self._hear)
        self._targets: list[str] = []
        self._session = self._attach(self._open_target())
        self._count = 0

    def _open_target(self) -> str:
        target = self._browser.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._targets.append(target)
        return str(target)

    def _attach(self, target: str) -> str:
        options = {"targetId": target, "flatten": False}
        return str(self._browser.send("Target.attachToTarget", options)["sessionId"])

    def _hear(self, event: Any) -> None:
        answer = json.loads(event["message"])
        self._answers[answer.get("id", 0)] = answer

    def _send(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        envelope = {"sessionId": self._session, "message": json.dumps(message)}
        self._browser.send("Target.sendMessageToTarget", envelope)
        deadline = time.monotonic() + PATIENCE
        while self._count not in self._answers:
            assert time.monotonic() < deadline, method
            self._browser.send("Browser.getVersion")  # Meanwhile Playwright hears the answer.
        return self._answers.pop(self._count)["result"]

    def show(self, channel: str, user: str = "alice", url: str = "", **options: Any) -> Tab:
        self._send("Page.navigate", url=self.world.page_url(channel, user, url, options))
        self.wait("() => window.socket !== undefined")
        return self

    def do(self, script: str, argument: Any = None) -> Any:
        answer = self._send(
            "Runtime.evaluate",
            expression=f"({script})({json.dumps(argument)})",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition: str, argument: Any = None) -> None:
        self.until(lambda: self.do(condition, argument))

    def _pause(self) -> None:
        time.sleep(0.02)

    def hide(self) -> None:
        """Open another tab before it."""
        self._open_target()
        self.wait("() => document.hidden")

    def bring_to_front(self) -> None:
        self._browser.send("Target.activateTarget", {"targetId": self._targets[0]})
        self.wait("() => !document.hidden")

    def freeze(self) -> None:
        """Let no task of the page run any more. It must be hidden."""
        self._send("Page.setWebLifecycleState", state="frozen")

    def resume(self) -> None:
        self._send("Page.setWebLifecycleState", state="active")

    def close(self) -> None:
        for target in self._targets:
            self._browser.send("Target.closeTarget", {"targetId": target})
        self._browser.detach()
