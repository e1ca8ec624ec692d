"""How makers lay out plain disks: families, kinds of files, time stamps in names. The rules are data.

``disk_layouts.json`` holds them; a further make is a further entry there. Times are the camera's own here, without a
zone, because that is what cameras write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec

from ...models import ClipKind
from .disk_walk import DiskFile

_RULES: Final = Path(__file__).with_suffix(".json")
_BILLION: Final = 10**9
#: What FAT says of a file that never had a time, and the last year that it can say.
_NO_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001 - a camera's own time has no zone
_LAST_YEAR: Final = 2107

_Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to write a time into a file's name (without extension)."""

    name: str
    pattern: _Pattern
    format: str


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family of cameras: recognised by its folders, and by the volume's label where it has one."""

    name: str
    folder: _Pattern
    #: May name groups of ``folder``.
    model: str
    manufacturer: str = ""
    label: str | None = None


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the file says; layouts are tried in its order."""

    kinds: dict[ClipKind, tuple[str, ...]]
    stamps: tuple[Stamp, ...]
    #: Names of folders whose files the camera or its wearer wanted to keep.
    protected: _Pattern
    split_tolerance_seconds: float
    layouts: tuple[Layout, ...]


@dataclass(frozen=True)
class Recognised:
    """Which family a disk is of."""

    layout: str
    manufacturer: str
    model: str


@cache
def rules() -> Rules:
    """Read the rules."""
    return msgspec.json.decode(_RULES.read_bytes(), type=Rules)


def recognise(files: Iterable[DiskFile], label: str) -> Recognised:
    """Tell the family of a disk by its files' paths; the last layout fits every disk."""
    folders = sorted({file.path.rpartition("/")[0] for file in files})
    for layout in rules().layouts:
        match = _first_match(layout, folders)
        if match or (layout.label is not None and re.search(layout.label, label)):
            named = match.groupdict("") if match else {}
            return Recognised(layout.name, layout.manufacturer, layout.model.format(**named).strip())
    return Recognised("plain", "", "")


def _first_match(layout: Layout, folders: list[str]) -> re.Match[str] | None:
    matches = (re.search(layout.folder, folder) for folder in folders)
    return next((match for match in matches if match), None)


def kind_of(path: str) -> ClipKind | None:
    """Tell what a file is by its extension; None for one that is no recording's."""
    for kind, extensions in rules().kinds.items():
        if extension_of(path) in extensions:
            return kind
    return None


def extension_of(path: str) -> str:
    """Give the extension, lower case and without dot."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def is_protected(file: DiskFile) -> bool:
    """Tell whether the camera marks a file as one to keep: by its folder, or by the write-protect mark."""
    folders = file.path.split("/")[:-1]
    return file.locked or any(re.search(rules().protected, folder, re.IGNORECASE) for folder in folders)


def named_time(path: str) -> datetime | None:
    """Read the time that a file's name tells, on the camera's clock; None where it tells none."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    for stamp in rules().stamps:
        for match in re.finditer(stamp.pattern, stem):
            moment = _parsed(match["time"], stamp.format)
            if moment is not None:
                return moment
    return None


def _parsed(text: str, spelling: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, spelling)  # noqa: DTZ007 - a camera's own time has no zone
    except ValueError:
        return None
    return moment if _NO_TIME.year <= moment.year <= _LAST_YEAR else None


def modified_time(file: DiskFile) -> datetime:
    """Give the time of the last change on the camera's clock: FAT keeps local time, mounted as if it were UTC."""
    try:
        moment = datetime.fromtimestamp(file.modified_ns // _BILLION, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return _NO_TIME
    return moment if _NO_TIME.year <= moment.year <= _LAST_YEAR else _NO_TIME
