"""The house: imports point one way, so that each room can be read alone.

conf, exceptions <- aws, proof <- provisioning, sending <- attempts, querysets, models
    <- vetting <- admission <- handshake <- views <- testing, local
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import django_aws_api_gateway_websockets

pytestmark = pytest.mark.once

PACKAGE = django_aws_api_gateway_websockets.__name__
HOUSE = Path(django_aws_api_gateway_websockets.__file__).parent

#: From the ground up. A room imports from the floors below its own, and from none beside it.
FLOORS = [
    {"", "checks.problems", "exceptions", "faults", "fields", "handlers", "identity"},
    {"conf", "decorators", "management", "management.progress", "rehearsal"},
    {"aws", "proof", "rates", "security", "sending.answers", "sending.signing"},
    {"sending.addresses", "sending.messages", "sending.outcomes", "routes", "tickets", "engines"},
    {"sending.boto", "sending.couriers", "sending.pace", "sending.seals"},
    {"sending.delivery", "sending.direct", "sending.libcurl"},
    {"sending.threads"},
    {"sending.transports"},
    {"sending"},
    {"provisioning", "broadcasts"},
    {"events", "attempts", "deliveries"},
    {"querysets"},
    {"sessions"},
    {"lookups", "models"},
    {"vetting", "mixins", "admin", "management.provision", "receivers", "clearing", "chunks"},
    {"admission", "engines.celery", "engines.django"},
    {"handshake", "tasks"},
    {"views"},
    {"checks.settings", "testing"},
    {"checks.views"},
    {"checks.gateways"},
    {"checks"},
    {"apps", "local.testing"},
    {"pytest_plugin"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
#: Commands and migrations, which have names of their own, live up here and nobody imports them.
ROOF = len(FLOORS)

#: Who reads django.conf.settings beside conf, and why.
SETTINGS_READERS = {
    "conf": "the one that all others ask",
    "checks.settings": "it tells a setting that is not there from one that is wrong",
    "checks.views": "it looks at Django's own",
    "sessions": "AUTH_USER_MODEL, as Django has it",
    "tickets": "AUTH_USER_MODEL, as Django has it",
    "migrations.0001_initial": "AUTH_USER_MODEL, as Django has it",
    "migrations.0003_source_proof_and_tickets": "AUTH_USER_MODEL, as Django has it",
    "testing": "it changes settings for a test",
    "local.testing": "it changes settings for a test",
}


class Run(ast.NodeTransformer):
    """Drops what only type checkers read."""

    def visit_If(self, node):
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return node


def rooms():
    """Each module of the package: its dotted name in the package, and what of it runs."""
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, Run().visit(ast.parse(path.read_text(encoding="utf-8"))), path


def imports_of(tree, path):
    """The absolute names that a module imports, wherever in the module it does."""
    package = [PACKAGE, *path.relative_to(HOUSE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(name, known):
    """The room of the package in which an imported name is, or None for another package."""
    if name != PACKAGE and not name.startswith(f"{PACKAGE}."):
        return None
    inside = name[len(PACKAGE) + 1 :]
    return inside if inside in known else inside.rpartition(".")[0]


@pytest.fixture(scope="module")
def neighbours():
    """{room: the rooms that it imports from}."""
    found = list(rooms())
    known = {name for name, _, _ in found}
    everything = {name: {room_of(i, known) for i in imports_of(t, p)} for name, t, p in found}
    return {name: others - {None, name} for name, others in everything.items()}


def floor_of(room):
    return ROOF if room.startswith(("management.commands", "migrations")) else FLOOR_OF.get(room)


def is_own_world(room):
    """The local gateway is a house of its own, but for what tests take from it."""
    return room.split(".")[0] == "local" and room != "local.testing"


def test_each_room_has_its_floor(neighbours):
    homeless = {r for r in neighbours if floor_of(r) is None and not is_own_world(r)}
    assert homeless == set(), "Give the new room its place in FLOORS"
    assert set(FLOOR_OF) <= set(neighbours), "A room has gone: take it out of FLOORS"


def test_imports_point_downwards(neighbours):
    upwards = {
        (room, other)
        for room, others in neighbours.items()
        for other in others
        if not is_own_world(room) and not is_own_world(other) and floor_of(other) >= floor_of(room)
    }
    assert upwards == set()


def test_security_knows_nothing_but_settings_and_errors(neighbours):
    assert neighbours["security"] <= {"conf", "exceptions"}


def test_rooms_below_the_models_know_no_orm(neighbours):
    for room in (
        "aws",
        "proof",
        "provisioning",
        "rates",
        "routes",
        "sending",
        "security",
        "events",
    ):
        assert neighbours[room] & {"attempts", "models", "querysets", "sessions"} == set()


def test_the_local_gateway_knows_nothing_of_the_app_but_its_errors(neighbours):
    for room, others in neighbours.items():
        if is_own_world(room):
            assert {other for other in others if not is_own_world(other)} <= {"exceptions", ""}


def test_only_its_command_and_tests_open_the_local_gateway(neighbours):
    guests = {
        room
        for room, others in neighbours.items()
        if any(is_own_world(other) for other in others) and not is_own_world(room)
    }
    assert guests <= {"local.testing", "management.commands.runLocalGateway", "pytest_plugin"}


def test_only_conf_and_those_with_a_reason_read_the_settings():
    readers = {
        name for name, tree, path in rooms() if "django.conf.settings" in imports_of(tree, path)
    }
    assert readers == set(SETTINGS_READERS)


@pytest.mark.parametrize(
    "room", [room for room, reason in SETTINGS_READERS.items() if "AUTH_USER_MODEL" in reason]
)
def test_models_and_migrations_read_one_setting_only(room):
    tree = next(tree for name, tree, _ in rooms() if name == room)
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    }
    assert read == {"AUTH_USER_MODEL"}


def test_importing_the_package_imports_no_django():
    program = (
        f"import sys, {PACKAGE}; assert {PACKAGE}.__version__\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'django']"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=HOUSE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_importing_the_app_needs_no_extra():
    """Dependencies are Django and boto3 alone: the rest is for those who ask for it."""
    extras = {"celery", "django_tasks", "pytest", "websockets"}
    asked_for = (
        *("engines.celery", "engines.django", "local", "pytest_plugin"),
        "management.commands.runLocalGateway",
    )
    found = {
        (name, imported.partition(".")[0])
        for name, tree, path in rooms()
        if not name.startswith(asked_for)
        for imported in imports_of(tree, path)
    }
    assert {(name, imported) for name, imported in found if imported in extras} == set()
