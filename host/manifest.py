"""Reading ``manifest.json`` before anything of a plugin is imported, with the standard library and ``packaging``.

Whether this installation can run what the manifest describes is asked here as well; importing is the loader's.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version as installed_version
from pathlib import Path
from typing import TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

#: Major version of the contract that this host keeps, and the host's own version.
CONTRACT = 1
HOST_VERSION = "1.0"

FILE_NAME = "manifest.json"
LIMIT_BYTES = 256 * 1024
RISKS = ("low", "medium", "high")
_DOMAIN = re.compile(r"[a-z][a-z0-9_]*")

T = TypeVar("T")


class ManifestRefused(Exception):
    """Raised when a manifest cannot be read, with a sentence that names the key."""


@dataclass(frozen=True)
class PermissionEntry:
    """A permission as the manifest states it, so that roles can be decided before the plugin is loaded."""

    id: str
    title: str
    risk: str


@dataclass(frozen=True)
class Manifest:
    """What a plugin says about itself."""

    folder: Path
    domain: str
    name: str
    version: str
    contract: int
    #: Folder that holds the code.
    package: Path
    host: SpecifierSet
    python: SpecifierSet
    requirements: tuple[Requirement, ...]
    dependencies: tuple[str, ...]
    after_dependencies: tuple[str, ...]
    permissions: tuple[PermissionEntry, ...]
    open_routes: frozenset[str]


def read(folder: Path) -> Manifest:
    """Read and check the manifest in a folder.

    :raises ManifestRefused: when it is missing, not JSON, too large, or a key is missing or wrong.
    """
    document = _load(folder / FILE_NAME)
    domain = _text(document, "domain")
    if not _DOMAIN.fullmatch(domain):
        raise ManifestRefused(f'"domain" must be lower-case letters, digits and underscores, not "{domain}"')
    return Manifest(
        folder=folder,
        domain=domain,
        name=_text(document, "name"),
        version=str(_parsed(document, "version", Version, InvalidVersion)),
        contract=_number(document, "contract"),
        package=_package(folder, _text(document, "package")),
        host=_parsed(document, "host", SpecifierSet, InvalidSpecifier),
        python=_parsed(document, "python", SpecifierSet, InvalidSpecifier),
        requirements=_requirements(document),
        dependencies=_texts(document, "dependencies", required=False),
        after_dependencies=_texts(document, "after_dependencies", required=False),
        permissions=_permissions(document, domain),
        open_routes=frozenset(_texts(document, "open_routes")),
    )


def incompatibilities(manifest: Manifest) -> list[str]:
    """Tell, in words, why this installation cannot run the plugin; an empty list when it can."""
    problems = []
    if manifest.contract != CONTRACT:
        problems.append(f"it keeps version {manifest.contract} of the contract, this host version {CONTRACT}")
    if not manifest.host.contains(HOST_VERSION):
        problems.append(f"it asks for host {manifest.host}, this is {HOST_VERSION}")
    if not manifest.python.contains(platform.python_version(), prereleases=True):
        problems.append(f"it asks for Python {manifest.python}, this is {platform.python_version()}")
    problems.extend(filter(None, map(_missing, manifest.requirements)))
    return problems


def _missing(requirement: Requirement) -> str | None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    try:
        found = installed_version(requirement.name)
    except PackageNotFoundError:
        return f"the package {requirement} is not installed"
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"it asks for {requirement}, installed is {found}"


def _load(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise ManifestRefused(f"{FILE_NAME} cannot be read ({error.strerror})") from error
    if len(data) > LIMIT_BYTES:
        raise ManifestRefused(f"{FILE_NAME} is larger than {LIMIT_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ManifestRefused(f"{FILE_NAME} is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ManifestRefused(f"{FILE_NAME} must be an object")
    return document


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise ManifestRefused(f'"{key}" must be a text')
    return value


def _number(document: Mapping[str, object], key: str) -> int:
    value = document.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ManifestRefused(f'"{key}" must be a whole number')
    return value


def _texts(document: Mapping[str, object], key: str, *, required: bool = True) -> tuple[str, ...]:
    value = document.get(key, None if required else [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ManifestRefused(f'"{key}" must be a list of texts')
    return tuple(value)


def _parsed(document: Mapping[str, object], key: str, parse: Callable[[str], T], error: type[Exception]) -> T:
    try:
        return parse(_text(document, key))
    except error as problem:
        raise ManifestRefused(f'"{key}" cannot be understood ({problem})') from problem


def _requirements(document: Mapping[str, object]) -> tuple[Requirement, ...]:
    try:
        return tuple(Requirement(text) for text in _texts(document, "requirements"))
    except InvalidRequirement as error:
        raise ManifestRefused(f'"requirements" cannot be understood ({error})') from error


def _permissions(document: Mapping[str, object], domain: str) -> tuple[PermissionEntry, ...]:
    entries = document.get("permissions")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ManifestRefused('"permissions" must be a list of objects')
    return tuple(_permission(entry, domain) for entry in entries)


def _permission(entry: Mapping[str, object], domain: str) -> PermissionEntry:
    permission = PermissionEntry(id=_text(entry, "id"), title=_text(entry, "title"), risk=_text(entry, "risk"))
    if not permission.id.startswith(f"{domain}."):
        raise ManifestRefused(f'the permission "{permission.id}" must begin with "{domain}."')
    if permission.risk not in RISKS:
        raise ManifestRefused(f'the risk of "{permission.id}" must be one of {", ".join(RISKS)}')
    return permission


def _package(folder: Path, name: str) -> Path:
    """Find the code: beside the manifest, or around it, where pip put the manifest into the package."""
    if Path(name).name != name:
        raise ManifestRefused('"package" must be the plain name of a folder')
    candidates: Sequence[Path] = (folder / name, folder)
    for candidate in candidates:
        if (candidate / "__init__.py").is_file():
            return candidate.resolve()
    raise ManifestRefused(f'the folder "{name}" that "package" names holds no Python package')
