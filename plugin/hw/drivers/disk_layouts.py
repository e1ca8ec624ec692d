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
NO_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001 - a camera's own time has no zone
_LAST_YEAR: Final = 2107

_Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to write a time into a file's name (without extension)."""

    name: str
    pattern: _Pattern
    format: str


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family of cameras; any one of its marks is enough to recognise it."""

    name: str
    #: May name groups of ``path``.
    model: str
    manufacturer: str = ""
    #: Fits the path of a file.
    path: _Pattern | None = None
    #: Fits the volume's label.
    label: _Pattern | None = None
    #: Fits what the device calls itself.
    product: _Pattern | None = None
    #: Ids of vendor and product, four hexadecimal digits each.
    usb: tuple[str, ...] = ()


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the file says; layouts are tried in its order."""

    kinds: dict[ClipKind, tuple[str, ...]]
    stamps: tuple[Stamp, ...]
    #: Names of folders whose files the camera or its wearer wanted to keep.
    protected: _Pattern
    #: The same, by what makers write into the name of a file (without extension).
    protected_names: _Pattern
    split_tolerance_seconds: float
    layouts: tuple[Layout, ...]


@dataclass(frozen=True)
class Shown:
    """What a disk shows of itself from outside."""

    label: str = ""
    product: str = ""
    #: ``vendor:product``, lower case.
    usb: str = ""


@dataclass(frozen=True)
class Recognised:
    """Which family a disk is of."""

    layout: str
    manufacturer: str
    model: str


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_READER: Final = msgspec.json.Decoder(Rules)


@cache
def rules() -> Rules:
    """Read the rules."""
    return _READER.decode(_RULES.read_bytes())


def recognise(files: Iterable[DiskFile], shown: Shown) -> Recognised:
    """Tell the family of a disk by its files' paths and by what it shows; the last layout fits every disk."""
    # one file of a folder stands for all whose names are alike but for their digits
    paths = sorted({re.sub(r"\d", "0", file.path): file.path for file in files}.values())
    for layout in rules().layouts:
        match = _first_match(layout, paths)
        if match or _shows(layout, shown):
            named = match.groupdict("") if match else {}
            return Recognised(layout.name, layout.manufacturer, layout.model.format(**named).strip())
    return Recognised("plain", "", "")


def _first_match(layout: Layout, paths: list[str]) -> re.Match[str] | None:
    if layout.path is None:
        return None
    matches = (re.search(layout.path, path) for path in paths)
    return next((match for match in matches if match), None)


def _shows(layout: Layout, shown: Shown) -> bool:
    """Tell whether a disk shows a mark of a family from outside."""
    return (
        (layout.label is not None and bool(re.search(layout.label, shown.label)))
        or (layout.product is not None and bool(re.search(layout.product, shown.product)))
        or shown.usb in layout.usb
    )


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
    """Tell whether the camera marks a file as one to keep: by its folder, its name, or the write-protect mark."""
    *folders, name = file.path.split("/")
    return (
        file.locked
        or any(re.search(rules().protected, folder, re.IGNORECASE) for folder in folders)
        or bool(re.search(rules().protected_names, name.rpartition(".")[0], re.IGNORECASE))
    )


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
    return moment if is_sensible(moment) else None


def is_sensible(moment: datetime) -> bool:
    """Tell whether a time is one that a camera can have written."""
    return NO_TIME.year <= moment.year <= _LAST_YEAR


def modified_time(file: DiskFile) -> datetime:
    """Give the time of the last change on the camera's clock: FAT keeps local time, mounted as if it were UTC."""
    try:
        moment = datetime.fromtimestamp(file.modified_ns // _BILLION, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return NO_TIME
    return moment if is_sensible(moment) else NO_TIME
