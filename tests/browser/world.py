"""World of a page: the site in a process, a local gateway here, and a cable that can be cut."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from tests.browser.cable import Cable
from tests.example.demo import free_port
from tests.pages import ROOT

#: Seconds for whatever a program is waited for.
PATIENCE = 30

#: Goes to no proxy, whatever the environment says.
open_url = build_opener(ProxyHandler({})).open


class World:
    """A site, its gateway, and what a test does to them.

    ``told`` are the limits that the site tells its pages, ``limits`` the gateway's own.
    """

    def __init__(
        self, folder: Path, limits: Any, told: dict[str, float], **websockets: Any
    ) -> None:
        self.folder, self.limits = folder, limits
        self.websockets = {"client_limits": told, **websockets}
        # free_port keeps the two ports above it free, too.
        self.port = free_port()
        self._stack = ExitStack()
        self._site: Optional[subprocess.Popen[str]] = None

    def __enter__(self) -> World:
        try:
            self.cable = self._stack.enter_context(Cable(self.port + 1000))
            # The gateway stops first, so that the site hears of each $disconnect.
            self._stack.callback(self.stop_site)
            self._stack.callback(self.stop_gateway)
            self.start_gateway()
            self.start_site()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page_url(self, channel: str, user: str, url: str, options: Any) -> str:
        query = {"user": user, "url": url, "options": json.dumps(options)}
        return f"{self.url}/room/{channel}?{urlencode(query)}"

    def start_gateway(self) -> None:
        from django_aws_api_gateway_websockets.local.gateway import LocalGateway

        self.gateway = LocalGateway(
            socket_port=self.port + 1000,
            control_port=self.port + 1001,
            limits=self.limits,
            state_file=self.folder / "gateway.json",
            public_socket_url=self.cable.url,
        )
        self.gateway.start()

    def stop_gateway(self) -> None:
        self.gateway.stop()

    def start_site(self) -> None:
        options = {
            "port": self.port,
            "folder": str(self.folder),
            "endpoint": self.gateway.endpoint_url,
            "websockets": self.websockets,
        }
        with (self.folder / "site.log").open("a") as output:
            self._site = site = subprocess.Popen(
                [sys.executable, "-m", "tests.browser.serve", json.dumps(options)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        assert site.stdout is not None
        assert site.stdout.readline() == "The site listens\n", (
            self.folder / "site.log"
        ).read_text()

    def stop_site(self) -> None:
        site, self._site = self._site, None
        if site is not None:
            with site:
                site.terminate()

    def do(self, command: str, **arguments: Any) -> Any:
        """Let the site do something; see COMMANDS in site.py."""
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/do/{command}", json.dumps(arguments).encode(), headers)  # noqa: S310
        with open_url(request, timeout=PATIENCE) as answer:
            return json.load(answer)["result"]
