"""Making a plugin's folder importable under its domain, and taking half-loaded modules back. Nothing is called here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


class MountRefused(Exception):
    """Raised when the name is taken by something else, with both paths."""


def mount(domain: str, package: Path) -> ModuleType:
    """Import the package in a folder under the name of its domain.

    Whoever imports that name gets the same classes, however the plugin came here. Where the same folder is already
    imported under that name (pip put it there), it is used as it is.

    :raises MountRefused: when another copy, or another package altogether, has the name.
    """
    taken = sys.modules.get(domain)
    if taken is not None:
        return _same_or_refused(taken, domain, package)
    installed = _installed_elsewhere(domain, package)
    if installed is not None:
        raise MountRefused(f'"{domain}" is in {package} and also installed in {installed}; remove one of them')
    return _execute(domain, package)


@contextmanager
def taken_back_on_failure(domain: str) -> Iterator[None]:
    """Forget the modules that were imported under a domain within the block when it raises."""
    before = set(sys.modules)
    try:
        yield
    except BaseException:
        for name in [name for name in sys.modules if name not in before and _belongs(name, domain)]:
            del sys.modules[name]
        raise


def _same_or_refused(module: ModuleType, domain: str, package: Path) -> ModuleType:
    origin = _folder_of(module)
    if origin != package:
        raise MountRefused(
            f'"{domain}" is in {package} and already loaded from {origin or "elsewhere"}; remove one of them'
        )
    return module


def _folder_of(module: ModuleType) -> Path | None:
    return Path(module.__file__).resolve().parent if module.__file__ else None


def _installed_elsewhere(domain: str, package: Path) -> Path | None:
    spec = importlib.util.find_spec(domain)
    if spec is None or spec.origin is None or Path(spec.origin).resolve().parent == package:
        return None
    return Path(spec.origin).parent


def _execute(domain: str, package: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        domain, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise MountRefused(f"{package} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[domain] = module
    spec.loader.exec_module(module)
    return module


def _belongs(name: str, domain: str) -> bool:
    return name == domain or name.startswith(f"{domain}.")
