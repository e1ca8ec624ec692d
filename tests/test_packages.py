"""What ``setup.cfg`` and ``manifest.json`` say, compared with what is on the disk and in the code."""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from glob import glob
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest
from bodyworn import const
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"bodyworn": ROOT / "plugin", "bodyworn_host": ROOT / "host"}
MANIFEST = json.loads((ROOT / "manifest.json").read_text())
#: Needed by the reference host alone; other hosts bring their own, so the plugin does not ask for them.
HOST_OWN = {"argon2-cffi", "cheroot", "flask-sqlalchemy", "packaging"}
#: Come with a requirement, as its public parts: Flask's own request and response, its templates, its escaping.
BROUGHT_ALONG = {"werkzeug": "flask", "jinja2": "flask", "markupsafe": "flask"}
#: For those who work on the catalogues and the code; the wheel does without.
NOT_SHIPPED = {".po", ".pyc"}


def _setup() -> ConfigParser:
    parser = ConfigParser(comment_prefixes=("#",))
    parser.read(ROOT / "setup.cfg")
    return parser


SETUP = _setup()


def _lines(section: str, option: str) -> list[str]:
    """Read a list of setup.cfg; comments were left out by the parser."""
    return [line.strip() for line in SETUP[section][option].splitlines() if line.strip()]


def _on_disk(name: str) -> set[str]:
    folder = FOLDERS[name]
    found = {path.parent.relative_to(folder) for path in folder.rglob("__init__.py")}
    return {".".join((name, *path.parts)) for path in found}


def test_setup_names_every_package_on_the_disk() -> None:
    assert set(_lines("options", "packages")) == _on_disk("bodyworn") | _on_disk("bodyworn_host")


def test_every_folder_with_code_is_a_package() -> None:
    for folder in FOLDERS.values():
        with_code = {path.parent for path in folder.rglob("*.py")}
        assert {path for path in with_code if not (path / "__init__.py").exists()} == set()


def _covered(package: str) -> set[Path]:
    name, _, rest = package.partition(".")
    folder = FOLDERS[name].joinpath(*filter(None, rest.split(".")))
    patterns = _lines("options.package_data", package)
    return {Path(found) for pattern in patterns for found in glob(str(folder / pattern), recursive=True)}


def test_everything_that_is_not_python_is_shipped() -> None:
    covered = {path for package in SETUP["options.package_data"] for path in _covered(package) if path.is_file()}
    on_disk = {
        path
        for folder in FOLDERS.values()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in NOT_SHIPPED | {".py"}
    }
    assert {os.fspath(path) for path in on_disk - covered} == set()


def test_every_pattern_of_package_data_matches_something() -> None:
    for package in SETUP["options.package_data"]:
        name, _, rest = package.partition(".")
        folder = FOLDERS[name].joinpath(*filter(None, rest.split(".")))
        for pattern in _lines("options.package_data", package):
            assert glob(str(folder / pattern), recursive=True), f"{package}: {pattern}"


def test_every_catalogue_is_compiled() -> None:
    catalogues = [path for folder in FOLDERS.values() for path in folder.rglob("*.po")]
    assert [path for path in catalogues if not path.with_suffix(".mo").exists()] == []


def _requirements(lines: list[str]) -> dict[str, str]:
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): str(one.specifier) for one in parsed}


def test_the_manifest_asks_for_what_is_installed_with_the_plugin() -> None:
    installed = _requirements(_lines("options", "install_requires"))
    assert installed.keys() >= HOST_OWN
    wanted = {name: version for name, version in installed.items() if name not in HOST_OWN}
    assert _requirements(MANIFEST["requirements"]) == wanted


def test_requirements_are_lower_bounds() -> None:
    everything = [*_lines("options", "install_requires"), *MANIFEST["requirements"]]
    for extra in SETUP["options.extras_require"]:
        everything += _lines("options.extras_require", extra)
    wrong = [line for line in everything for one in Requirement(line).specifier if one.operator != ">="]
    assert wrong == []


def test_every_requirement_stands_below_its_reason() -> None:
    text = (ROOT / "setup.cfg").read_text()
    lines = text.partition("install_requires =")[2].partition("\n[")[0].strip().splitlines()
    unexplained = {
        Requirement(line.strip()).name
        for above, line in pairwise(["", *lines])
        if not line.strip().startswith("#") and not above.strip().startswith("#")
    }
    assert unexplained < HOST_OWN, "these share the reason of their group"


@pytest.mark.parametrize(("name", "also"), [("bodyworn", {"av", "psycopg"}), ("bodyworn_host", set())])
def test_every_library_that_is_imported_is_required(name: str, also: set[str]) -> None:
    required = _requirements(_lines("options", "install_requires")).keys() | also
    if name == "bodyworn":
        required -= HOST_OWN
    distributions = packages_distributions()
    for module in sorted(_foreign(FOLDERS[name])):
        owners = {canonicalize_name(found) for found in distributions.get(module, [])}
        owners |= {BROUGHT_ALONG[owner] for owner in owners & BROUGHT_ALONG.keys()}
        assert owners & required, f"{module} is imported in {name} and not required"


def _foreign(folder: Path) -> Iterator[str]:
    known = sys.stdlib_module_names | FOLDERS.keys() | {"_typeshed"}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            yield from {name.partition(".")[0] for name in names} - known


def test_one_version_is_said_everywhere() -> None:
    assert MANIFEST["version"] == const.VERSION
    assert SETUP["metadata"]["version"] == "attr: plugin.const.VERSION"
    assert f"## {const.VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_manifest_and_package_say_the_same_of_python_and_contract() -> None:
    assert MANIFEST["python"] == SETUP["options"]["python_requires"]
    assert MANIFEST["contract"] == const.CONTRACT
    assert MANIFEST["domain"] == const.DOMAIN
    assert (ROOT / MANIFEST["package"] / "manifest.json").samefile(ROOT / "manifest.json")
