"""Memory does not grow with the number of recipients.

Each number is sent to in a process of its own. BROADCAST is the number, 30,000 unless it is set.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BROADCAST = int(os.environ.get("BROADCAST", "30000"))
#: MiB that 100,000 recipients may take more than 1,000.
MORE = 40

PROGRAM = """
import resource, sys
from django.conf import settings
database, number = sys.argv[1], int(sys.argv[2])
from tests import settings as ours
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    INSTALLED_APPS=ours.INSTALLED_APPS[1:3] + ["django_aws_api_gateway_websockets"],
    DEFAULT_AUTO_FIELD=ours.DEFAULT_AUTO_FIELD, USE_TZ=True, SECRET_KEY="x",
    AWS_REGION_NAME="eu-west-1", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x",
    WEBSOCKETS={"transport": "tests.instant.InstantTransport"},
)
import django
django.setup()
from django.core.management import call_command
from django_aws_api_gateway_websockets.models import WebSocketSession
from tests.factories import make_created_gateway
call_command("migrate", verbosity=0)
gateway = make_created_gateway()
WebSocketSession.objects.bulk_create(
    (WebSocketSession(connection_id=f"{n}=", api_gateway=gateway) for n in range(1000)),
)
made = 1000
while made < number:  # In SQL, as objects would take the memory that is to be measured.
    from django.db import connection
    table = WebSocketSession._meta.db_table
    with connection.cursor() as cursor:
        columns = [f.column for f in WebSocketSession._meta.concrete_fields if not f.primary_key]
        values = ["connection_id || '-' || %s" if c == "connection_id" else c for c in columns]
        cursor.execute(
            f"INSERT INTO {table} ({','.join(columns)})"
            f" SELECT {','.join(values)} FROM {table} LIMIT %s", [made, number - made])
    made = WebSocketSession.objects.count()
report = WebSocketSession.objects.send_message({"text": "hello"}, progress=lambda *words: None)
print(report.total, report.sent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def sent_to(number, database):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(database), str(number)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    total, sent, mebibytes = map(int, run.stdout.split())
    assert (total, sent) == (number, number * 9 // 10)
    return mebibytes


@pytest.mark.once
def test_a_broadcast_to_many_takes_little_more_memory_than_one_to_few(tmp_path):
    pytest.importorskip("resource")
    few = sent_to(1000, tmp_path / "few")
    many = sent_to(BROADCAST, tmp_path / "many")
    assert many - few < MORE * max(BROADCAST, 30_000) / 100_000
