"""The how-tos of docs/howto as projects: the files that a page shows are written and imported.

A block with a caption is a file of the page's project. A block with a name alone is run by a test.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import override_settings

from tests.pages import ROOT, Block, blocks_of_page

DIRECTORY = ROOT / "docs" / "howto"
TEXTS = {
    page.stem: page.read_text(encoding="utf-8")
    for page in DIRECTORY.glob("*.rst")
    if page.stem != "index"
}
BLOCKS = {page: blocks_of_page(text) for page, text in TEXTS.items()}

#: What a file of a project is for, if it is not there to be imported.
SETTINGS = "mysite/settings.py"
URLS = "mysite/urls.py"


def page_of(module: str) -> str:
    """Return the page that a module of tests is about: tests.howto.test_chat_rooms, chat-rooms."""
    return module.rpartition(".test_")[2].replace("_", "-")


class Project:
    """The project of one page. ``project.chat`` is its package ``chat``, as it is imported."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.text = TEXTS[page]
        self.blocks = BLOCKS[page]
        #: What has been imported, while the project is not in service.
        self.imported: Dict[str, ModuleType] = {}
        self.models: Dict[str, Any] = {}
        self.files: Dict[str, str] = {}
        for block in self.blocks:
            if block.caption:
                self.files[block.caption] = self.files.get(block.caption, "") + block.code + "\n"

    def __getattr__(self, name: str) -> ModuleType:
        return sys.modules[name]

    def block(self, name: str) -> Block:
        (found,) = [block for block in self.blocks if block.name == name]
        return found

    def run(self, name: str, **names: Any) -> Dict[str, Any]:
        """Execute a block that is no file; return its names."""
        return execute(self.block(name).code, name, **names)

    @property
    def modules(self) -> list[str]:
        """The names of the project's modules, models first: what imports them needs them."""
        files = [file for file in self.files if file.endswith(".py") and file != SETTINGS]
        names = [file[: -len(".py")].replace("/", ".") for file in files]
        return sorted(names, key=lambda name: (not name.endswith(".models"), names.index(name)))

    @property
    def apps(self) -> list[str]:
        """The apps that Django has to know: those with models, templates or commands."""
        wanted = ("models.py", "apps.py", "templates", "management")
        found = [file.split("/")[0] for file in self.files if file.split("/")[1] in wanted]
        return list(dict.fromkeys(found))

    @property
    def settings(self) -> Dict[str, Any]:
        """What the page's settings change, and where its project is."""
        changed: Dict[str, Any] = {}
        if SETTINGS in self.files:
            names = execute(self.files[SETTINGS], SETTINGS, INSTALLED_APPS=[])
            changed = {name: value for name, value in names.items() if name.isupper()}
        changed["INSTALLED_APPS"] = [
            *settings.INSTALLED_APPS,
            *changed.get("INSTALLED_APPS", ()),
            *self.apps,
        ]
        if URLS in self.files:
            changed["ROOT_URLCONF"] = "mysite.urls"
        return changed

    def write(self, directory: Path) -> None:
        for name, code in self.files.items():
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code, encoding="utf-8")
            if name.endswith(".py"):
                for package in [parent for parent in file.parents if directory in parent.parents]:
                    (package / "__init__.py").touch()

    @contextmanager
    def in_service(self, directory: Path) -> Iterator[None]:
        """Write the project, import it, and have Django serve it, for the length of the block.

        It may be put into service again, and is not imported again then: pytest-django has the
        tests that need a database run apart from those that need none.
        """
        self.write(directory)
        with ExitStack() as undo:
            undo.enter_context(current_celery_app_kept())
            undo.enter_context(self.importable(directory))
            undo.callback(apps.clear_cache)
            undo.enter_context(override_settings(**self.settings))
            # Models that were read before know nothing of the new ones that point to them.
            apps.clear_cache()
            for name in self.modules:
                importlib.import_module(name)
            yield

    @contextmanager
    def importable(self, directory: Path) -> Iterator[None]:
        """Have Python find this project's packages, and Django their models, and no others."""
        packages = {file.split("/")[0] for file in self.files if file.endswith(".py")}
        others = take_modules(packages)
        sys.modules.update(self.imported)
        apps.all_models.update(self.models)
        sys.path.insert(0, str(directory))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(directory))
            self.imported = take_modules(packages)
            self.models = {name: apps.all_models.pop(name, {}) for name in self.apps}
            sys.modules.update(others)


def execute(code: str, name: str, **names: Any) -> Dict[str, Any]:
    namespace = {"__name__": name, **names}
    exec(compile(code, f"<{name}>", "exec"), namespace)  # noqa: S102 - our own pages
    return namespace


def take_modules(packages: set[str]) -> Dict[str, ModuleType]:
    names = [name for name in sys.modules if name.split(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def tables(labels: list[str]) -> Iterator[None]:
    """Make the tables of these apps, outside of every test's transaction."""
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    yield
    with connection.schema_editor() as editor:
        for model in reversed(models):
            editor.delete_model(model)


@contextmanager
def current_celery_app_kept() -> Iterator[None]:
    """A project's Celery application makes itself the current one: for the block alone."""
    try:
        from celery import current_app
    except ImportError:
        yield
        return
    before = current_app._get_current_object()
    yield
    before.set_current()


def node(script: str, *files: str, options: Sequence[str] = ()) -> Any:
    """Run a script by Node.js after these texts; return what its last line prints, as JSON."""
    done = subprocess.run(
        ["node", *options, "-"],
        input="\n".join([*files, script]),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
