"""The architecture: who may import whom, and what each room must not know.

A room is a module or a folder at the top of the package. Each imports only from the floors below
its own. Inside a folder the modules may import each other in any order without a circle.
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

#: From the ground up.
FLOORS = [
    {"exceptions", "hosts", "processes", "signals"},
    {"conf", "decorators"},
    {"aws", "security"},
    {"adoption", "mocks", "provisioning", "sending"},
    {"models"},
    {"pages"},
    {"admin", "broadcasts", "mixins", "receivers", "templatetags", "testing", "views"},
    {"checks", "local", "tasks"},
    {"apps", "management", "pytest_plugin"},
]

#: What a room may import, where that is less than the floors below it.
MAY_IMPORT = {
    "decorators": {"exceptions"},
    "adoption": {"conf", "security"},
    "aws": {"conf", "exceptions", "hosts", "processes"},
    "security": {"conf", "exceptions"},
    "provisioning": {"aws", "exceptions"},
    "sending": {"aws", "conf", "exceptions", "processes"},
    "mocks": {"aws", "conf", "processes"},
    "models": {
        *("aws", "conf", "exceptions", "hosts", "mocks", "processes", "provisioning"),
        *("security", "sending", "signals"),
    },
    "views": {"conf", "decorators", "exceptions", "models", "security", "sending", "signals"},
    "broadcasts": {"conf", "models"},
    "admin": {"conf", "exceptions", "models", "security", "sending"},
    "pages": {"conf", "models"},
    "mixins": {"models", "pages"},
    "templatetags": {"conf", "pages"},
    "receivers": {"conf", "exceptions", "models", "security", "sending", "signals"},
    "testing": {"models", "security", "sending"},
    "local": {"exceptions", "models", "testing"},
    "management": {
        *("adoption", "conf", "exceptions", "local", "models"),
        *("security", "sending", "signals"),
    },
    "tasks": {"broadcasts"},
    "pytest_plugin": {"local", "testing"},
    "apps": {"checks", "receivers", "security"},
}

#: What only the ORM has, or rather what querysets and models are asked by.
ORM_NAMES = {"objects", "filter", "all", "save"}

#: Who reads django.conf.settings beside conf, and why.
SETTINGS_READERS = {
    "conf": "all other modules ask it",
    "checks.settings": "it tells a setting that is not there from one that is wrong",
    "checks.surroundings": "it looks at Django's own settings, and at those of packages",
    "checks.views": "it looks at Django's own settings",
    "models": "projects import the name from here",
    "models.sessions": "AUTH_USER_MODEL, as Django has it",
    "models.tickets": "AUTH_USER_MODEL, as Django has it",
    "migrations.0001_initial": "AUTH_USER_MODEL, as Django has it",
    "migrations.0007_attempts_tickets_and_broadcasts": "AUTH_USER_MODEL, as Django has it",
    "testing": "it changes settings for a test",
    "views": "projects import the name from here",
    "local.testing": "it changes settings for a test",
}


class WithoutTypes(ast.NodeTransformer):
    """Drops what only type checkers read."""

    def visit_If(self, node):
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return node


def parse_modules():
    """{dotted name in the package: (path, what of it runs)}."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = path, WithoutTypes().visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


MODULES = parse_modules()


def imports_of(name, *, also_types=False):
    """The absolute names that a module imports, wherever in the module it does."""
    path, tree = MODULES[name]
    if also_types:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    package = [PACKAGE, *path.relative_to(HOUSE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def neighbours_of(name, **options):
    """The modules of the package that a module imports from."""
    found = set()
    for imported in imports_of(name, **options):
        if imported.startswith(f"{PACKAGE}."):
            inside = imported[len(PACKAGE) + 1 :]
            found.add(inside if inside in MODULES else inside.rpartition(".")[0])
    return found - {name, ""}


def room_of(module):
    return module.partition(".")[0]


def doors():
    """(room, module of another room that it imports from), for each of the package."""
    for module in MODULES:
        for other in neighbours_of(module):
            if room_of(module) not in ("", "migrations", room_of(other)):
                yield room_of(module), other


def test_each_room_has_its_floor():
    rooms = {room_of(module) for module in MODULES} - {"", "migrations"}
    placed = [room for floor in FLOORS for room in floor]
    assert sorted(placed) == sorted(rooms), "Give the new room its place in FLOORS"


def test_imports_point_downwards():
    floor_of = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    upwards = {
        (room, other) for room, other in doors() if floor_of[room_of(other)] >= floor_of[room]
    }
    assert upwards == set()


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_knows_only_what_it_needs(room):
    known = {room_of(other) for importer, other in doors() if importer == room}
    assert known <= MAY_IMPORT[room]


def test_views_know_of_sending_what_it_hands_out():
    assert {other for room, other in doors() if room == "views" and "sending" in other} <= {
        "sending"
    }


def test_no_modules_import_each_other_in_a_circle():
    left = {module: neighbours_of(module, also_types=True) for module in MODULES}
    while True:
        settled = {module for module, others in left.items() if not others & left.keys()}
        if not settled:
            break
        left = {module: others for module, others in left.items() if module not in settled}
    assert left == {}


@pytest.mark.parametrize("room", ["provisioning", "security", "sending"])
def test_rooms_below_the_models_ask_no_queryset(room):
    """They may be handed rows; an import would not show that they query them."""
    used = {
        (module, node.attr)
        for module, (_, tree) in MODULES.items()
        if room_of(module) == room
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ORM_NAMES
    }
    assert used == set()


def test_the_local_gateway_knows_nothing_of_the_app_but_its_errors():
    for module in MODULES:
        if room_of(module) == "local" and module != "local.testing":
            outside = {other for other in neighbours_of(module) if room_of(other) != "local"}
            assert outside <= {"exceptions"}


def test_only_its_command_and_tests_open_the_local_gateway():
    guests = {
        module
        for module in MODULES
        if room_of(module) != "local" and "local" in map(room_of, neighbours_of(module))
    }
    assert guests <= {"management.commands.runLocalGateway", "pytest_plugin"}


def test_only_conf_and_those_with_a_reason_read_the_settings():
    readers = {module for module in MODULES if "django.conf.settings" in imports_of(module)}
    assert readers == set(SETTINGS_READERS)


@pytest.mark.parametrize(
    "module", [name for name, reason in SETTINGS_READERS.items() if "AUTH_USER_MODEL" in reason]
)
def test_models_and_migrations_read_one_setting_only(module):
    read = {
        node.attr
        for node in ast.walk(MODULES[module][1])
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
        *("broadcasts.celery", "broadcasts.django", "local", "pytest_plugin"),
        "management.commands.runLocalGateway",
    )
    found = {
        (module, imported.partition(".")[0])
        for module in MODULES
        if not module.startswith(asked_for)
        for imported in imports_of(module)
    }
    assert {(module, imported) for module, imported in found if imported in extras} == set()
