"""Site of a how-to's page: its files in a new project, beside a local gateway that can go away."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest

from django_aws_api_gateway_websockets.local.gateway import LocalGateway
from django_aws_api_gateway_websockets.local.limits import Limits
from tests.howto.project import Project as Page
from tests.pages import ROOT
from tests.quickstart import DEADLINE, Project, free_port, running

#: Where npm puts the libraries of package.json.
LIBRARIES = ROOT / "node_modules"
#: Counts in the page what becomes of its sockets, before its own scripts run.
WATCH = """
window.opened = 0;
window.codes = [];
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener("open", () => (window.opened += 1));
    this.addEventListener("close", ({ code }) => window.codes.push(code));
  }
};
"""
POLICY = (
    "default-src 'none'; connect-src 'self' {socket}; style-src 'self' 'nonce-{nonce}'; "
    "script-src 'self' 'nonce-{nonce}'"
)
NONCE = "only-for-this-page"
MAKE = """
from django.contrib.auth import get_user_model
from django_aws_api_gateway_websockets.models import ApiGateway
for name in ("alice", "bob"):
    get_user_model().objects.create_superuser(name, password=name)
ApiGateway.objects.create(api_name="chat", target_base_endpoint="{site}/ws/").create_gateway()
"""
EXPIRE_TICKETS = """
from django.utils import timezone
from django_aws_api_gateway_websockets.models import WebSocketTicket
assert WebSocketTicket.objects.update(expires_on=timezone.now())
"""


class HowtoSite:
    """A running site and its gateway. ``url`` is that of the page."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.ports = {"socket_port": free_port(), "control_port": free_port()}
        self.url = f"http://127.0.0.1:{free_port()}/"
        self.start_gateway()

    def start_gateway(self, **limits: Any) -> None:
        state = self.project.directory / "gateway.json"
        self.gateway = LocalGateway(limits=Limits(**limits), state_file=state, **self.ports)
        self.gateway.start()

    def stop_gateway(self) -> None:
        self.gateway.stop()

    @contextmanager
    def stopped_gateway(self) -> Iterator[None]:
        """Stop the gateway, which closes all sockets with 1001, for the length of the block."""
        self.stop_gateway()
        try:
            yield
        finally:
            self.start_gateway()

    @contextmanager
    def limited_gateway(self, **limits: Any) -> Iterator[None]:
        """Restart the gateway with limits that no page knows, and after that without them."""
        self.stop_gateway()
        self.start_gateway(**limits)
        try:
            yield
        finally:
            self.stop_gateway()
            self.start_gateway()

    def shell(self, code: str) -> None:
        self.project.run(sys.executable, "manage.py", "shell", given=code)

    @contextmanager
    def window_of(self, browser: Any, name: str) -> Iterator[Any]:
        """A window in which this user has logged in, and sees no page yet."""
        window = browser.new_context()
        window.set_default_timeout(DEADLINE * 1000)
        page = window.new_page()
        page.goto(f"{self.url}admin/login/?next=/admin/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(name)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{self.url}admin/")
        page.add_init_script(WATCH)
        yield page
        window.close()

    def expire_ticket(self, route: Any) -> None:
        """Hand out a ticket so late that it has expired."""
        answer = route.fetch()
        self.shell(EXPIRE_TICKETS)
        route.fulfill(response=answer)

    def enforce_policy(self, page: Any, elements: str) -> list[str]:
        """Serve the page under a strict policy, with these elements; return what is complained."""

        def serve(route: Any) -> None:
            answer = route.fetch()
            html = answer.text().replace("<script ", f"{elements}<script ", 1)
            html = html.replace('type="module"', 'type="module" nonce="{{ csp_nonce }}"')
            policy = POLICY.format(socket=self.gateway.socket_endpoint, nonce=NONCE)
            route.fulfill(
                response=answer,
                body=html.replace("{{ csp_nonce }}", NONCE),
                headers={**answer.headers, "content-security-policy": policy},
            )

        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # For Chromium a page that a route answers comes from the Internet.
        page.context.grant_permissions(["local-network-access"])
        page.route(self.url, serve)
        return complaints


@contextmanager
def running_howto(name: str, directory: Path) -> Iterator[HowtoSite]:
    """Make the project as the how-to says, and run it."""
    if not LIBRARIES.is_dir():
        pytest.skip("node_modules is missing: npm ci installs the libraries of package.json")
    page = Page(name)
    project = Project(directory)
    project.follow("quickstart-install")
    project.write("quickstart-settings")
    copy_libraries(page, project)
    page.write(directory)
    with ExitStack() as stack:
        site = HowtoSite(project)
        stack.callback(site.stop_gateway)
        project.replace("mysite/settings.py", "http://127.0.0.1:9001", site.gateway.endpoint_url)
        manage = (sys.executable, "manage.py")
        project.run(*manage, "migrate")
        address = site.url.split("/")[2]
        server = stack.enter_context(running(project, *manage, "runserver", "--noreload", address))
        server.wait_for("Quit the server")
        site.shell(MAKE.format(site=site.url.rstrip("/")))
        yield site


def copy_libraries(page: Page, project: Project) -> None:
    """Run the how-to's commands, but for npm: what it would install is in the repository."""
    (project.directory / "node_modules").symlink_to(LIBRARIES)
    for block in page.blocks:
        for command in map(shlex.split, block.commands):
            if command[0] != "npm":
                project.run(*command)


def wait_for_sockets(page: Any, count: int) -> None:
    """Wait until the page has opened its socket so often."""
    page.wait_for_function(f"opened === {count}")


def say(page: Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.get_by_role("button", name="Send").click()


def expect_message(page: Any, text: str) -> None:
    from playwright.sync_api import expect

    message = page.locator("#log > li", has_text=text)
    expect(message).to_have_text(text, timeout=DEADLINE * 1000)
