"""Fixtures with packages of integrators, for ``pytest_plugins``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from integrator_parts import install_example, open_site


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Give a patch that lasts longer than the fixtures that use it."""
    with pytest.MonkeyPatch.context() as patching:
        yield patching


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Make the folder that packages are installed in."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def example(tmp_path: Path, packages: Path, patch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Open a site with the example of the docs installed."""
    patch.setenv("SOMEONES_INVENTORY", str(tmp_path / "inventory.db"))
    install_example(packages, patch)
    site = open_site(tmp_path)
    site.camera = f"/bodyworn/devices/cameras/{site.ids.ready_camera}"
    yield site
    site.database.close()
