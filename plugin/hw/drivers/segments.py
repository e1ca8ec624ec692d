"""Which files make a recording: a run of them with gaps below the split tolerance. Pure: neither disk nor database.

Cameras that are plain disks cut what they record into files of some minutes, and say nowhere which belong together.
Times come from names, from last changes and, where these tell only one end, from what the containers say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ...media.length import Length
from ...models import ClipKind
from ...services.findings import MOST_FILES
from . import disk_layouts
from .disk_walk import DiskFile

#: A file that was last changed longer after its start than this was touched for another reason.
_LONGEST_FILE = timedelta(hours=6)
_NO_LENGTH = timedelta(0)
#: A time further ahead than this is damage, and no clock.
_FURTHEST_AHEAD = timedelta(days=366)
#: FAT counts in two seconds, clocks drift by some a day; less than this behind proves nothing.
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Segment:
    """One file of a recording, with its time in UTC."""

    file: DiskFile
    kind: ClipKind
    start: datetime
    stop: datetime
    protected: bool


def segment(file: DiskFile, kind: ClipKind, zone: ZoneInfo, length: Length | None = None) -> Segment:
    """Date a file: from the time in its name to its last change; where one of them is no help, by its length.

    Without a length, the time that is known is both.
    """
    start, stop = _named(file, zone, length) or _unnamed(file, zone, length)
    return Segment(
        file=file,
        kind=kind,
        start=start,
        stop=stop if kind is ClipKind.CLIP else start,
        protected=disk_layouts.is_protected(file),
    )


def needs_length(file: DiskFile, kind: ClipKind, zone: ZoneInfo) -> bool:
    """Tell whether a clip's name and last change leave open when it began or ended."""
    named = _named(file, zone, None)
    return kind is ClipKind.CLIP and (named is None or named[0] == named[1])


def _named(file: DiskFile, zone: ZoneInfo, length: Length | None) -> tuple[datetime, datetime] | None:
    named = disk_layouts.named_time(file.path)
    if named is None:
        return None
    start = _utc(named, zone)
    return start, start + _lasting(length) if length else _stop(file, start, zone)


def _unnamed(file: DiskFile, zone: ZoneInfo, length: Length | None) -> tuple[datetime, datetime]:
    """Take the last change for the end; where the filesystem keeps none, what the container says of its beginning."""
    changed = disk_layouts.modified_time(file)
    if length and length.created and changed == disk_layouts.NO_TIME and disk_layouts.is_sensible(length.created):
        return length.created, length.created + _lasting(length)
    stop = _utc(changed, zone)
    return stop - _lasting(length), stop


def _lasting(length: Length | None) -> timedelta:
    return timedelta(seconds=round(length.seconds)) if length else _NO_LENGTH


def _stop(file: DiskFile, start: datetime, zone: ZoneInfo) -> datetime:
    """Take the last change for the end, in whichever of its readings is nearest after the start."""
    ends = [end for end in _changed(file, zone) if _NO_LENGTH <= end - start <= _LONGEST_FILE]
    return min(ends, default=start)


def _changed(file: DiskFile, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the last change in both readings: FAT keeps the camera's local time, exFAT may keep UTC."""
    changed = disk_layouts.modified_time(file)
    return _utc(changed, zone), changed.replace(tzinfo=UTC)


def runs(segments: Iterable[Segment], tolerance: timedelta) -> Iterator[tuple[Segment, ...]]:
    """Part segments into recordings, the oldest first; one that would be too long for a document becomes several."""
    run: list[Segment] = []
    stop: datetime | None = None
    for one in sorted(segments, key=lambda segment: (segment.start, segment.file.path)):
        if run and stop is not None and (one.start - stop > tolerance or len(run) == MOST_FILES):
            yield tuple(run)
            run, stop = [], None
        run.append(one)
        stop = max(stop or one.stop, one.stop)
    if run:
        yield tuple(run)


def seconds_ahead(files: Iterable[DiskFile], now: datetime, zone: ZoneInfo) -> float | None:
    """Tell by how much a camera's clock is ahead, at least: a file from the future proves it, others prove nothing."""
    moments = (min(_changed(file, zone)) for file in files)
    latest = max((moment for moment in moments if moment - now < _FURTHEST_AHEAD), default=now)
    ahead = (latest - now).total_seconds()
    return ahead if ahead > 0 else None


def seconds_behind(fresh: Iterable[DiskFile], listed_at: datetime, zone: ZoneInfo) -> float | None:
    """Tell by how much a camera's clock is behind, at least.

    ``fresh`` came onto the disk after everything on it was listed, so they were recorded later; if even the newest of
    them claims to be older, the clock says so wrongly. None where nothing is proved.
    """
    moments = [max(*_changed(file, zone), _named_start(file, zone)) for file in fresh]
    if not moments:
        return None
    behind = (listed_at - max(moments)).total_seconds()
    return behind if behind > _CLOCK_TOLERANCE.total_seconds() else None


def _named_start(file: DiskFile, zone: ZoneInfo) -> datetime:
    named = disk_layouts.named_time(file.path)
    return _utc(named or disk_layouts.NO_TIME, zone)


def _utc(moment: datetime, zone: ZoneInfo) -> datetime:
    """Place a camera's time in its zone; times at the very ends of the calendar stay where they are."""
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
