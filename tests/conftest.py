"""What every test shares: the plugin's folder mounted as ``bodyworn`` and the host's as ``bodyworn_host``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def mount(name: str, folder: Path) -> None:
    """Make ``folder`` importable as ``name`` unless something already is."""
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


mount("bodyworn", ROOT / "plugin")
mount("bodyworn_host", ROOT / "host")

#: Takes minutes by itself, so it begins first; each file is one worker's (``make test``).
LONGEST = "test_usb_vm.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest file begin first."""
    items.sort(key=lambda item: item.path.name != LONGEST)
