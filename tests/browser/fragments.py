"""Pages of how-tos with libraries from the package index of npm, in a project of their own."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest

from tests.howto.project import BLOCKS
from tests.pages import ROOT
from tests.quickstart import Project, free_port, running

#: `make client` and the legs of .ci install what package-lock.json pins.
LIBRARIES = ROOT / "node_modules"

PREPARE = """
from django.contrib.auth import get_user_model
from django_aws_api_gateway_websockets.models import ApiGateway
for name in ("alice", "bob"):
    get_user_model().objects.create_superuser(name, password="only-for-tests")
ApiGateway.objects.create(api_name="chat", target_base_endpoint="{site}/ws/").create_gateway()
"""


#: Where users log in.
ADMIN = """
from django.contrib import admin
urlpatterns += [path("admin/", admin.site.urls)]
"""


class Site:
    """The project of a how-to's page on a running server, behind a gateway that can restart."""

    def __init__(self, page: str, libraries: list[str], folder: Path) -> None:
        self.folder = folder
        self.project = Project(folder)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._ports = free_port(), free_port()
        self._gateway: Optional[Any] = None
        self.tickets_expired = 0
        for command in ("startproject mysite .", "startapp chat"):
            self.project.run(sys.executable, "-m", "django", *command.split())
        for block in BLOCKS[page]:
            self._file(block.caption).write_text(block.code, encoding="utf-8")
        urls = self._file("mysite/urls.py")
        admin = (
            'from django.contrib import admin\nurlpatterns += [path("admin/", admin.site.urls)]\n'
        )
        urls.write_text(urls.read_text() + admin)
        for library in libraries:
            if not (LIBRARIES / library).exists():
                pytest.skip(f"{library} is not installed: npm ci")
            file = self._file(f"chat/static/chat/{Path(library).name}")
            shutil.copyfile(LIBRARIES / library, file)

    def _file(self, name: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def start_gateway(self) -> None:
        from django_aws_api_gateway_websockets.local.gateway import LocalGateway

        state_file = self.folder / "gateway.json"
        self._gateway = LocalGateway("127.0.0.1", *self._ports, state_file=state_file)
        self._gateway.start()

    def stop_gateway(self) -> None:
        """Close all sockets with 1001."""
        if self._gateway is not None:
            self._gateway.stop()

    def restart_gateway(self) -> None:
        self.stop_gateway()
        self.start_gateway()

    def shell(self, code: str) -> None:
        self.project.run(sys.executable, "manage.py", "shell", given=code)

    @contextmanager
    def running(self) -> Iterator[Site]:
        with ExitStack() as stack:
            self.start_gateway()
            stack.callback(self.stop_gateway)
            with (self.folder / "mysite/settings.py").open("a") as settings:
                settings.write(
                    'INSTALLED_APPS += ["django_aws_api_gateway_websockets", "chat"]\n'
                    f'AWS_GATEWAY_ENDPOINT_URL = "http://127.0.0.1:{self._ports[1]}"\n'
                    'LOGIN_URL = "/admin/login/"\n'
                )
            self.project.run(sys.executable, "manage.py", "migrate", "--verbosity=0")
            address = self.url.removeprefix("http://")
            command = (sys.executable, "manage.py", "runserver", "--noreload", address)
            server = stack.enter_context(running(self.project, *command))
            server.wait_for("Quit the server")
            self.shell(PREPARE.format(site=self.url))
            yield self

    def open(self, browser: Any, name: str) -> Any:
        """Return the page of a user, in a window of its own."""
        page = browser.new_context().new_page()
        page.goto(self.url)
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("only-for-tests")
        page.get_by_role("button", name="Log in").click()
        return page


def say(page: Any, text: str) -> None:
    page.locator("[name=text]").fill(text)
    page.get_by_role("button", name="Send").click()


def expire_next_ticket(site: Site, page: Any) -> None:
    """Let the page's next ticket expire before its socket opens."""
    tickets = "django_aws_api_gateway_websockets.models import WebSocketTicket"

    def answer(route: Any) -> None:
        response = route.fetch()
        site.shell(f"from {tickets}\nWebSocketTicket.objects.all().delete()\n")
        site.tickets_expired += 1
        route.fulfill(response=response)

    page.route("**/ticket/", answer, times=1)
