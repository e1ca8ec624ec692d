"""Packages of integrators, installed as pip would have done it, for the time of a test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import seed
from hosting import host_app, signed_in

EXAMPLE = Path(__file__).resolve().parent / "integration_example"
EXAMPLE_MODULE = "someones_inventory"


def open_site(folder: Path) -> SimpleNamespace:
    """Open a seeded host, with the packages that are installed by now."""
    app = host_app(folder)
    database = app.extensions["bodyworn"].database
    ids = seed.seed(database)
    return SimpleNamespace(app=app, database=database, ids=ids, folder=folder, browser=signed_in(app, "administrator"))


def install(
    site: Path,
    patch: pytest.MonkeyPatch,
    name: str,
    code: str,
    groups: Mapping[str, Mapping[str, str]],
    **templates: str,
) -> None:
    """Install a package of one module; ``groups`` are its entry points, ``templates`` its templates by name."""
    module = name.replace("-", "_")
    folder = site / module / "templates" / module
    folder.mkdir(parents=True)
    (site / module / "__init__.py").write_text(code)
    for stem, text in templates.items():
        (folder / f"{stem}.html").write_text(text)
    _announce(site, patch, name, module, groups)


def install_example(site: Path, patch: pytest.MonkeyPatch) -> None:
    """Install the example of ``docs/integrators.md`` as its ``setup.cfg`` says."""
    shutil.copytree(EXAMPLE / EXAMPLE_MODULE, site / EXAMPLE_MODULE, ignore=shutil.ignore_patterns("__pycache__"))
    said = ConfigParser()
    said.optionxform = str  # type: ignore[assignment,method-assign]
    said.read(EXAMPLE / "setup.cfg")
    groups = {group: dict(_pairs(lines)) for group, lines in said["options.entry_points"].items()}
    _announce(site, patch, said["metadata"]["name"], EXAMPLE_MODULE, groups)


def _pairs(lines: str) -> list[tuple[str, str]]:
    pairs = (line.partition("=") for line in lines.splitlines() if line.strip())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _announce(
    site: Path, patch: pytest.MonkeyPatch, name: str, module: str, groups: Mapping[str, Mapping[str, str]]
) -> None:
    """Leave what an installer leaves, and make it importable."""
    folder = site / f"{module}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line for group, points in groups.items() for line in (f"[{group}]", *(f"{n} = {v}" for n, v in points.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for loaded in [one for one in sys.modules if one.partition(".")[0] == module]:
        patch.delitem(sys.modules, loaded)
    patch.syspath_prepend(site)
