"""An empty project with the README's view on the installed wheel: connect, send, get the answer.

Run in a directory that holds the README alone, away from the checkout, by a Python whose
environment holds the wheel with its extra `local`:

    python wheel_smoke.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

PACKAGE = "django_aws_api_gateway_websockets"

SETTINGS = f"""
import os

INSTALLED_APPS.append("{PACKAGE}")
AWS_GATEWAY_ENDPOINT_URL = os.environ.get("AWS_GATEWAY_ENDPOINT_URL")
AWS_REGION_NAME = "eu-west-1"
"""

URLS = """
from django.urls import path

from chat.views import ChatView

urlpatterns = [{}]
"""


def manage(*arguments: str) -> None:
    print("manage.py", *arguments, flush=True)
    subprocess.run([sys.executable, "-W", "error", "manage.py", *arguments], check=True)


def start_project() -> None:
    subprocess.run([sys.executable, "-m", "django", "startproject", "site_", "."], check=True)
    with Path("site_/settings.py").open("a") as settings:
        settings.write(SETTINGS)
    readme = Path("README.md").read_text()
    view, *_ = re.findall(r"^```python\n(.*?)^```$", readme, re.M | re.S)
    (mounted,) = re.findall(r"`(path\(.*?\))`", readme)
    Path("chat").mkdir()
    Path("chat/views.py").write_text(view)
    Path("site_/urls.py").write_text(URLS.format(mounted))
    manage("check", "--fail-level=WARNING")
    manage("makemigrations", "--check", "--dry-run")
    manage("migrate", "--verbosity=0")
    manage("createApiGateway", "--help")
    manage("findstatic", f"{PACKAGE}/client.js", f"{PACKAGE}/client.d.ts")


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def served(application):
    with make_server("127.0.0.1", 0, application, WSGIServer, QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def talk(site: str) -> None:
    from websockets.sync.client import connect

    from django_aws_api_gateway_websockets.models import ApiGateway

    gateway = ApiGateway.objects.create(api_name="smoke", target_base_endpoint=f"{site}/ws/")
    gateway.create_gateway()
    with connect(f"{gateway.socket_url}?channel=lobby", origin=site) as socket:
        socket.send(json.dumps({"action": "chat", "text": "hello"}))
        answer = json.loads(socket.recv(timeout=20))
    assert answer == {"from": "", "text": "hello"}, answer
    assert gateway.sessions.get().request_count > 1


def main() -> None:
    files = {str(file) for file in metadata.files("django-aws-api-gateway-websockets") or ()}
    assert f"{PACKAGE}/py.typed" in files, files
    assert f"{PACKAGE}/migrations/0001_initial.py" in files, files
    assert not [name for name in files if name.startswith(("tests/", "example/", "docs/"))], files
    described = metadata.metadata("django-aws-api-gateway-websockets").get_payload()
    assert re.findall(r"\]\((?!https://).*", described) == [], "PyPI follows no relative link"
    start_project()

    from django_aws_api_gateway_websockets.local.gateway import LocalGateway

    with LocalGateway(host="127.0.0.1", socket_port=0, control_port=0) as local:
        os.environ["AWS_GATEWAY_ENDPOINT_URL"] = local.endpoint_url
        os.environ["DJANGO_SETTINGS_MODULE"] = "site_.settings"
        sys.path.insert(0, str(Path.cwd()))

        import django
        from django.core.wsgi import get_wsgi_application

        application = get_wsgi_application()
        with served(application) as site:
            talk(site)
        django.db.connections.close_all()
    print("The wheel works.")


if __name__ == "__main__":
    main()
