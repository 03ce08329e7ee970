"""Contender: one measurement in a process of its own, by the contender's public names only.

    python contender.py '{"task": "broadcast", "database": ..., "endpoint": ..., ...}'

It is run as a file, by the Python of the contender's environment, so that nothing of this checkout
is on the path. It prints JSON.
"""

from __future__ import annotations

import json
import platform
import resource
import ssl
import sys
import time
from datetime import timedelta
from typing import Any, Callable, Dict
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import django
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

MESSAGE = {"type": "chat.message", "text": "The lobby closes at ten.", "id": 123456}

#: How many single messages are sent before those that are measured.
WARM_UP = 5


def prepare(task: Dict[str, Any]) -> Dict[str, Any]:
    """Make the database: one gateway, and connected sessions that are an hour old."""
    from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession

    call_command("migrate", verbosity=0)
    gateway = ApiGateway.objects.create(
        api_name="Benchmark",
        api_id="a1b2c3d4e5",
        api_endpoint="wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
        api_created=True,
        stage_name="production",
        target_base_endpoint="https://www.example.com/ws/",
    )
    sessions = (
        WebSocketSession(connection_id=f"JC{n:07d}AMCK-g=", channel_name="r", api_gateway=gateway)
        for n in range(task["recipients"])
    )
    WebSocketSession.objects.bulk_create(sessions, batch_size=500)
    WebSocketSession.objects.update(created_on=timezone.now() - timedelta(hours=1))
    return {}


def broadcast(task: Dict[str, Any]) -> Dict[str, Any]:
    """Broadcast several times in a row. For the first one nothing has been set up."""
    from django_aws_api_gateway_websockets.models import WebSocketSession

    everybody = WebSocketSession.objects.filter(channel_name="r")
    runs = []
    for _ in range(task["times"]):
        everybody.update(connected=True)
        recipients = everybody.count()
        ask(task, "/reset", b"")
        run = measure(lambda: everybody.send_message(MESSAGE))
        counts = ask(task, "/stats")
        runs.append({**run, **counts, "recipients": recipients})
    return {"runs": runs, "peak": peak()}


def single(task: Dict[str, Any]) -> Dict[str, Any]:
    """Send single messages to one session."""
    from django_aws_api_gateway_websockets.models import WebSocketSession

    session = WebSocketSession.objects.select_related("api_gateway")[:1].get()

    def send(times: int) -> None:
        for _ in range(times):
            session.send_message(MESSAGE)

    send(WARM_UP)
    ask(task, "/reset", b"")
    run = measure(lambda: send(task["times"]))
    return {"runs": [{**run, **ask(task, "/stats"), "recipients": task["times"]}], "peak": peak()}


def versions(task: Dict[str, Any]) -> Dict[str, Any]:
    """Return the versions that it runs on."""
    return {
        "Python": platform.python_version(),
        "Django": django.__version__,
        "boto3": boto3.__version__,
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
    }


def measure(work: Callable[[], Any]) -> Dict[str, float]:
    """Call it; return the seconds that it took by the clock, and of CPU in all threads."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - cpu}


def ask(task: Dict[str, Any], path: str, body: Any = None) -> Any:
    """Ask the sink for its counts, or reset them."""
    with urlopen(task["control"] + path, body) as response:  # noqa: S310
        return json.loads(response.read() or b"null")


def peak() -> float:
    """Return the most memory that the process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def configure(task: Dict[str, Any]) -> None:
    """Set Django up, with the sink in place of AWS."""
    endpoint = task.get("endpoint")
    settings.configure(
        SECRET_KEY="only-for-benchmarks",  # noqa: S106
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django_aws_api_gateway_websockets",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": task["database"]}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        AWS_REGION_NAME="eu-west-1",
        AWS_GATEWAY_REGION_NAME="eu-west-1",
        AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY="only-for-benchmarks",  # noqa: S106
        AWS_GATEWAY_ENDPOINT_URL=endpoint,
        WEBSOCKETS=task.get("websockets", {}),
    )
    if endpoint:
        redirect_boto3(endpoint)
    django.setup()


def redirect_boto3(endpoint: str) -> None:
    """Send boto3's clients to the sink, for contenders without a setting for that."""
    create = boto3.session.Session.client

    def client(self: Any, service: str, *args: Any, **kwargs: Any) -> Any:
        url = kwargs.get("endpoint_url")
        if service == "apigatewaymanagementapi" and url:
            kwargs["endpoint_url"] = endpoint + urlsplit(url).path
        return create(self, service, *args, **kwargs)

    boto3.session.Session.client = client


def main() -> None:
    task = json.loads(sys.argv[1])
    configure(task)
    tasks = {"prepare": prepare, "broadcast": broadcast, "single": single, "versions": versions}
    print(json.dumps(tasks[task["task"]](task)))


if __name__ == "__main__":
    main()
