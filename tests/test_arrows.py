"""Who may import whom (``docs/architecture.md``): read from the source of every module, and held.

Imports inside functions and those for type checkers count as well. What is checked is a table of rooms, so a new folder
in ``plugin/`` fails until it has its place there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent

LEAVES = frozenset({"crypto", "store", "camera_volume", "destination", "machine", "media"})
SERVICES = LEAVES | {"models", "services"}
#: Modules beside the rooms that pages and machine interface share: all of them know Flask, none of them hardware.
WEB = frozenset(
    {"access", "figures", "health", "notices", "pages", "runtime", "sections", "sending", "slots", "text", "tls"}
)

#: What a room may import beside itself, ``const`` and ``errors``; rooms are folders of ``plugin/`` and modules in it.
MAY: Mapping[str, frozenset[str]] = {
    "const": frozenset(),
    "errors": frozenset(),
    "contract": frozenset(),
    **dict.fromkeys(LEAVES, frozenset()),
    "models": LEAVES,
    "migrations": frozenset({"models"}),
    "services": LEAVES | {"models"},
    **dict.fromkeys(WEB, SERVICES | WEB | {"contract"}),
    "signals": SERVICES,
    "forms": SERVICES,
    "routes": SERVICES | WEB | {"forms", "contract"},
    "receiver": SERVICES | WEB | {"contract"},
    "hw": SERVICES | {"migrations"},
    "simulator": frozenset({"camera_volume", "crypto"}),
    # it spawns the controller and knows nothing of what that does
    "supervise": frozenset(),
    # it runs before anything of ours can be imported
    "launch": frozenset(),
    # the web process is put together without hardware: pages never touch it
    "mount": SERVICES | WEB | {"contract", "forms", "migrations", "receiver", "routes", "supervise"},
    "__init__": frozenset({"contract", "mount"}),
    "cli": SERVICES | {"hw", "migrations", "signals", "simulator", "supervise"},
}
#: These import nothing of ours, not even constants and errors.
ALONE = frozenset({"const", "contract", "errors", "launch"})
#: Rooms that find modules by their names while the program runs.
DYNAMIC = frozenset({"cli", "launch", "mount"})
#: Libraries that one kind of room keeps to itself.
KEPT = {
    **dict.fromkeys(
        ("flask", "werkzeug", "wtforms", "jinja2"), WEB | {"contract", "forms", "mount", "receiver", "routes"}
    ),
    "urllib3": frozenset({"destination"}),
    "alembic": frozenset({"migrations"}),
    "av": frozenset({"media", "simulator"}),
    "click": frozenset({"cli"}),
    "pyudev": frozenset({"hw"}),
    "paramiko": frozenset({"hw"}),
    "jeepney": frozenset({"machine"}),
}
OURS = frozenset({"bodyworn", "plugin", "bodyworn_host", "host"})
#: Alembic loads its environment by path, outside the package, so a relative import has nothing to be relative to.
BY_PATH = frozenset({"migrations/env.py"})


@dataclass(frozen=True)
class Import:
    """One import: as written, and the module that it names, ours as ``services.events``."""

    line: int
    written: str
    target: str
    ours: bool
    relative: bool


def broken(sources: Mapping[str, str]) -> list[str]:
    """List every import in a tree of sources (path below ``plugin/`` to text) that no arrow allows."""
    return [f"{path}:{problem}" for path, text in sorted(sources.items()) for problem in _problems(path, text, sources)]


def _problems(path: str, text: str, sources: Mapping[str, str]) -> Iterator[str]:
    room = _room(_module(path))
    if room not in MAY:
        yield f"1: {room} is no known room"
        return
    tree = _parsed(text)
    for found in _imports(tree, path, sources):
        problem = _judge(room, path, found)
        if problem:
            yield f"{found.line}: {problem}"
    for line in _dynamic(tree):
        if room not in DYNAMIC:
            yield f"{line}: {room} imports by name"


@cache
def _parsed(text: str) -> ast.Module:
    """Parse a source once, however many made-up trees it stands in."""
    return ast.parse(text)


def _judge(room: str, path: str, found: Import) -> str | None:
    if not found.ours:
        keepers = KEPT.get(found.target.partition(".")[0], frozenset({room}))
        return None if room in keepers else f"{room} imports {found.target}"
    if not found.relative and path not in BY_PATH:
        return f"{found.written} is not imported relatively"
    other = _room(found.target)
    if other == room:
        return None
    allowed = MAY[room] if room in ALONE else MAY[room] | {"const", "errors"}
    return None if other in allowed else f"{room} imports {other}"


def _imports(tree: ast.AST, path: str, sources: Mapping[str, str]) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _absolute(node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield _absolute(node.lineno, node.module or "")
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node)
            for alias in node.names:
                submodule = f"{base}.{alias.name}".lstrip(".")
                target = submodule if _exists(submodule, sources) else base
                yield Import(node.lineno, alias.name, target, ours=True, relative=True)


def _absolute(line: int, name: str) -> Import:
    first, _, rest = name.partition(".")
    ours = first in OURS
    return Import(line, name, rest if ours else name, ours, relative=False)


def _base(path: str, node: ast.ImportFrom) -> str:
    """Find the module that the dots of an import lead to; one dot is the folder of the file."""
    folders = PurePosixPath(path).parent.parts
    assert node.level - 1 <= len(folders), f"{path}:{node.lineno} leads out of the plugin"
    kept = folders[: len(folders) - (node.level - 1)]
    return ".".join((*kept, *((node.module,) if node.module else ())))


def _exists(module: str, sources: Mapping[str, str]) -> bool:
    path = module.replace(".", "/")
    return f"{path}.py" in sources or f"{path}/__init__.py" in sources


def _module(path: str) -> str:
    return ".".join(part for part in PurePosixPath(path).with_suffix("").parts if part != "__init__")


def _room(module: str) -> str:
    return module.partition(".")[0] or "__init__"


def _dynamic(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                yield node.lineno


def _tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}


PLUGIN = _tree(ROOT / "plugin")


def test_every_import_follows_an_arrow() -> None:
    assert broken(PLUGIN) == []


def test_every_room_of_the_table_exists() -> None:
    assert set(MAY) == {_room(_module(path)) for path in PLUGIN}


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [
        ("routes/drawn_wrong.py", "from ..hw import controller", "routes imports hw"),
        ("routes/drawn_wrong.py", "from .. import hw", "routes imports hw"),
        ("routes/drawn_wrong.py", "from ..hw.drivers.volume import VolumeCamera", "routes imports hw"),
        ("mount_wrong.py", "X = 1", "mount_wrong is no known room"),
        ("crypto/drawn_wrong.py", "from ..models import Database", "crypto imports models"),
        ("crypto/drawn_wrong.py", "from ..store import Store", "crypto imports store"),
        ("models/drawn_wrong.py", "from ..services.events import record", "models imports services"),
        ("services/drawn_wrong.py", "from flask import request", "services imports flask"),
        ("services/drawn_wrong.py", "import werkzeug.exceptions", "services imports werkzeug.exceptions"),
        ("services/drawn_wrong.py", "def late() -> None:\n    from ..hw import controller", "services imports hw"),
        ("simulator/drawn_wrong.py", "from ..models import Camera", "simulator imports models"),
        ("hw/drawn_wrong.py", "from ..pages import add", "hw imports pages"),
        ("hw/drivers/drawn_wrong.py", "from ...routes import status", "hw imports routes"),
        ("receiver/drawn_wrong.py", "from ..hw import uploader", "receiver imports hw"),
        ("contract.py", "from .const import VERSION", "contract imports const"),
        ("store/drawn_wrong.py", "import bodyworn.const", "bodyworn.const is not imported relatively"),
        ("store/drawn_wrong.py", "from plugin.const import VERSION", "plugin.const is not imported relatively"),
        ("cli/drawn_wrong.py", "from bodyworn_host import app", "bodyworn_host is not imported relatively"),
        ("text.py", "import importlib\nimportlib.import_module('flask')", "text imports by name"),
        (
            "models/drawn_wrong.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..services import events",
            "models imports services",
        ),
    ],
)
def test_an_arrow_drawn_wrong_is_found(path: str, line: str, said: str) -> None:
    found = broken({**PLUGIN, path: line})
    assert len(found) == 1
    assert found[0].startswith(f"{path}:")
    assert found[0].endswith(said)


def test_a_new_module_that_follows_the_arrows_is_let_be() -> None:
    source = "from __future__ import annotations\nfrom ..services import cameras\nfrom ..errors import BodywornError\n"
    assert broken({**PLUGIN, "routes/new.py": source}) == []


def test_modules_do_not_wait_for_each_other() -> None:
    """No circle of imports: what is imported while a module is loaded never leads back to it."""
    graph = {_module(path): _loaded_by(path, text) for path, text in PLUGIN.items()}
    while free := [module for module, needed in graph.items() if not needed & graph.keys()]:
        for module in free:
            del graph[module]
    assert graph == {}


def _loaded_by(path: str, text: str) -> set[str]:
    """Name what a module imports at its top level, without what is for type checkers."""
    top = ast.Module([node for node in _parsed(text).body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    return {found.target for found in _imports(top, path, PLUGIN) if found.ours} - {_module(path)}


def test_the_host_knows_the_plugin_by_its_manifest_alone() -> None:
    absolute = [
        f"{path}:{found.line}"
        for path, text in _tree(ROOT / "host").items()
        for found in _imports(_parsed(text), path, {})
        if found.ours and not found.relative
    ]
    assert absolute == []


def test_the_host_imports_by_path_in_one_place() -> None:
    users = {path for path, text in _tree(ROOT / "host").items() if "importlib.util" in text or list(_dynamic_in(text))}
    assert users == {"mounting.py"}


def _dynamic_in(text: str) -> Iterator[int]:
    return _dynamic(_parsed(text))


@pytest.mark.parametrize("folder", ["tests", "bench", "campaign"])
def test_tests_use_the_names_that_hosts_use(folder: str) -> None:
    wrong = [
        f"{folder}/{path}:{node.lineno}"
        for path, text in _tree(ROOT / folder).items()
        for node in ast.walk(_parsed(text))
        if isinstance(node, ast.Import | ast.ImportFrom) and _first_names(node) & {"plugin", "host"}
    ]
    assert wrong == []


def _first_names(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.partition(".")[0] for name in names} if not getattr(node, "level", 0) else set()
