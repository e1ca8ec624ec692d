"""The services of systemd that run the controller without rights, and the helper that mounts for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

_NAMES: Final = ("bodyworn-helper.service", "bodyworn-controller.service")


def units(program: Path, user: str, data_dir: Path) -> Mapping[str, str]:
    """Give the files that belong into ``/etc/systemd/system``, by name, for this program, user and data folder."""
    values = {"@bodyworn@": str(program), "@user@": user, "@data_dir@": str(data_dir)}
    return {name: _filled((files(__package__) / "data" / name).read_text("utf-8"), values) for name in _NAMES}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
