"""The location track of a received recording: read from the object that came with it, and put in order of time.

How it is drawn is in ``track_map``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.orm import Session

from ..crypto.sealed import SealedBox
from ..destination.metadata import decode_value
from ..errors import BodywornError, TrackUnreadable
from ..models import ReceivedContainer
from ..store import Store
from .received import moment_of
from .received_parts import PartKind, kind_of
from .received_reading import read_whole
from .sentence import Problem, problem_of

#: Room for a position a second during two days; what a camera of the volume format may bring is less.
LARGEST_TRACK_BYTES = 32 * 1024 * 1024
_NUMBER = r"([+-]?\d{1,3}(?:\.\d{0,20})?)"
_POINT = re.compile(
    rf"\s*POINT(?:\s+Z)?\s*\(\s*{_NUMBER}\s+{_NUMBER}(?:\s+[-+.\d]+)?\s*\)\s*", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True)
class TrackPoint:
    """Where the camera was at a moment; degrees north and east."""

    at: datetime
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Track:
    """A track in order of time; empty, with the reason, where it could not be read."""

    #: Name of the object, under which it can be downloaded.
    name: str
    points: Sequence[TrackPoint] = ()
    #: Entries that tell no place or no time.
    left_out: int = 0
    problem: Problem | None = None

    def every(self, most: int) -> int:
        """Say which part of the points to take, one in so many, so that there are not more than ``most``."""
        return max(1, math.ceil(len(self.points) / most))


class _Entry(msgspec.Struct, frozen=True):
    wkt: str = msgspec.field(name="LocationWKT", default="")
    seconds: float | None = msgspec.field(name="SecondsFromStart", default=None)
    timestamp: str | None = msgspec.field(name="Timestamp", default=None)


class _Document(msgspec.Struct, frozen=True):
    entries: list[_Entry] = msgspec.field(name="CoordinateEntries")


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_DOCUMENTS: Final = msgspec.json.Decoder(_Document)


def track_of(session: Session, store: Store, box: SealedBox, container: ReceivedContainer) -> Track | None:
    """Read the track of a recording; None where none came with it."""
    found = [stored for stored in container.objects if kind_of(stored.name) is PartKind.TRACK]
    if not found:
        return None
    try:
        data = read_whole(session, store, box, found[0], LARGEST_TRACK_BYTES)
        return parse(found[0].name, data, moment_of(_legible(container.wire_metadata), "starttime"))
    except BodywornError as error:
        return Track(found[0].name, problem=problem_of(error))


def parse(name: str, data: bytes, start: datetime | None) -> Track:
    """Read a track; seconds count from ``start``, and matter only where an entry has no time of its own.

    Raises:
        TrackUnreadable: it is no track at all. Single entries that make no sense are left out and counted.
    """
    try:
        entries = _DOCUMENTS.decode(data).entries
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TrackUnreadable(name=name) from error
    points = sorted(_points(entries, start), key=lambda point: point.at)
    return Track(name, points, len(entries) - len(points))


def _points(entries: Sequence[_Entry], start: datetime | None) -> Iterator[TrackPoint]:
    for entry in entries:
        at, match = _moment(entry, start), _POINT.fullmatch(entry.wkt)
        if at is None or match is None:
            continue
        longitude, latitude = float(match[1]), float(match[2])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            yield TrackPoint(at, latitude, longitude)


def _moment(entry: _Entry, start: datetime | None) -> datetime | None:
    told = moment_of({"timeiso": entry.timestamp or ""}, "time")
    if told is not None:
        return told
    if start is None or entry.seconds is None or not math.isfinite(entry.seconds):
        return None
    try:
        return start + timedelta(seconds=entry.seconds)
    except OverflowError:
        return None


def _legible(metadata: dict[str, str]) -> dict[str, str]:
    return {key: decode_value(value) for key, value in metadata.items()}
