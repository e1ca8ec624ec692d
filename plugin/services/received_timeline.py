"""A received recording along its time: clips, what lies between them, and the bookmarks at their moments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy.orm import Session

from ..crypto.sealed import SealedBox
from ..destination.metadata import decode_value
from ..errors import BodywornError
from ..models import ReceivedContainer, ReceivedObject
from ..store import Store
from .received import moment_of
from .received_parts import PartKind, ReceivedPart, kind_of
from .received_reading import read_whole
from .received_recordings import ReceivedRecording
from .sentence import Problem, problem_of

#: What is shown of a bookmark's text; the whole can be downloaded.
LARGEST_TEXT_BYTES = 64 * 1024
#: Cameras cut clips at whole seconds; what is shorter is no gap.
_LEAST_GAP = timedelta(seconds=2)


@dataclass(frozen=True)
class TimedClip:
    """A clip, and where it lies; seconds count from the recording's start."""

    kind: ClassVar[str] = "clip"
    part: ReceivedPart
    start: datetime
    stop: datetime
    at_seconds: float

    @property
    def seconds(self) -> float:
        """Length; none where the sender told no end."""
        return (self.stop - self.start).total_seconds()


@dataclass(frozen=True)
class Gap:
    """A time of which no clip is here."""

    kind: ClassVar[str] = "gap"
    start: datetime
    at_seconds: float
    length: timedelta


@dataclass(frozen=True)
class TimedBookmark:
    """A bookmark with what was said about the moment."""

    kind: ClassVar[str] = "bookmark"
    name: str
    start: datetime
    at_seconds: float
    end: datetime | None
    text: str
    category: str
    tags: Sequence[tuple[str, str]]
    #: Why its text cannot be shown.
    problem: Problem | None


@dataclass(frozen=True)
class Seek:
    """A moment of the recording, and where it is found: in a clip, so many seconds after that begins."""

    at_seconds: float
    clip: str
    offset_seconds: float


@dataclass(frozen=True)
class Timeline:
    """A recording from its start to its end."""

    start: datetime
    seconds: float
    clips: Sequence[TimedClip]
    gaps: Sequence[Gap]
    bookmarks: Sequence[TimedBookmark]

    @property
    def entries(self) -> Sequence[TimedClip | Gap | TimedBookmark]:
        """List all in order of time; a clip comes before what lies in it."""
        order = (TimedClip, Gap, TimedBookmark)
        every: list[TimedClip | Gap | TimedBookmark] = [*self.clips, *self.gaps, *self.bookmarks]
        return sorted(every, key=lambda entry: (entry.at_seconds, order.index(type(entry))))

    @property
    def end(self) -> datetime:
        """The moment at which it ends."""
        return self.moment(self.seconds)

    def moment(self, at_seconds: float) -> datetime:
        """Turn seconds from the start into a moment by the clock."""
        return self.start + timedelta(seconds=at_seconds)

    def seconds_to(self, moment: datetime) -> float:
        """Turn a moment by the clock into seconds from the start."""
        return _seconds(self.start, moment)

    def share(self, at_seconds: float) -> float:
        """Give a moment as a part of the whole, from 0 to 1."""
        return min(1.0, max(0.0, at_seconds / self.seconds)) if self.seconds else 0.0

    def clip(self, name: str) -> TimedClip | None:
        """Find a clip by its name; None where nobody knows when it was recorded."""
        return next((clip for clip in self.clips if clip.part.name == name), None)

    def seek(self, at_seconds: float | None) -> Seek | None:
        """Find a moment; None where nothing was recorded then."""
        if at_seconds is None or not math.isfinite(at_seconds):
            return None
        for clip in reversed(self.clips):
            offset = at_seconds - clip.at_seconds
            if 0 <= offset <= max(clip.seconds, 0.001):
                return Seek(at_seconds, clip.part.name, round(offset, 3))
        return None

    def seek_moment(self, moment: datetime) -> Seek | None:
        """Find a moment by the clock."""
        return self.seek(self.seconds_to(moment))


def timeline_of(
    session: Session, store: Store, box: SealedBox, container: ReceivedContainer, recording: ReceivedRecording
) -> Timeline:
    """Lay a recording out in time; clips that tell no start are not on it."""
    timed = sorted(_clip_times(recording.parts))
    start = min([begin for begin, _, _ in timed], default=recording.row.started_at)
    start = min(start, recording.row.started_at)
    end = max([stop for _, stop, _ in timed], default=recording.row.stopped_at)
    parts = {part.name: part for part in recording.parts}
    clips = [TimedClip(parts[name], begin, stop, _seconds(start, begin)) for begin, stop, name in timed]
    stored = [one for one in container.objects if kind_of(one.name) is PartKind.BOOKMARK]
    return Timeline(
        start=start,
        seconds=_seconds(start, max(end, recording.row.stopped_at)),
        clips=clips,
        gaps=list(_gaps(start, max(end, recording.row.stopped_at), clips)),
        bookmarks=sorted((_bookmark(session, store, box, one, start) for one in stored), key=_order),
    )


def _clip_times(parts: Sequence[ReceivedPart]) -> Iterator[tuple[datetime, datetime, str]]:
    for part in parts:
        if part.kind is PartKind.CLIP and part.started_at is not None:
            yield part.started_at, part.started_at + (part.length or timedelta()), part.name


def _gaps(start: datetime, end: datetime, clips: Sequence[TimedClip]) -> Iterator[Gap]:
    """Find what lies before, between and after clips; after one of unknown length nobody can tell."""
    known_until: datetime | None = start
    for begin, stop in [*((clip.start, clip.stop if clip.part.length else None) for clip in clips), (end, None)]:
        if known_until is not None and begin - known_until >= _LEAST_GAP:
            yield Gap(known_until, _seconds(start, known_until), begin - known_until)
        known_until = stop


def _bookmark(
    session: Session, store: Store, box: SealedBox, stored: ReceivedObject, recording_start: datetime
) -> TimedBookmark:
    metadata = {key: decode_value(value) for key, value in stored.wire_metadata.items()}
    start = moment_of(metadata, "starttime") or recording_start
    text, problem = _text(session, store, box, stored)
    return TimedBookmark(
        name=stored.name,
        start=start,
        at_seconds=_seconds(recording_start, start),
        end=moment_of(metadata, "endtime"),
        text=text,
        category=metadata.get("categoryname", "") or metadata.get("categoryid", ""),
        tags=_tags(metadata),
        problem=problem,
    )


def _text(session: Session, store: Store, box: SealedBox, stored: ReceivedObject) -> tuple[str, Problem | None]:
    try:
        data = read_whole(session, store, box, stored, LARGEST_TEXT_BYTES)
    except BodywornError as error:
        return "", problem_of(error)
    return data.decode("utf-8", errors="replace").strip(), None


def _tags(metadata: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Take ``key:value;…`` apart; what has no colon is a key alone."""
    pairs = (entry.partition(":") for entry in metadata.get("tags", "").split(";"))
    return [(key.strip(), value.strip()) for key, _, value in pairs if key.strip() or value.strip()]


def _order(bookmark: TimedBookmark) -> tuple[float, str]:
    return bookmark.at_seconds, bookmark.name


def _seconds(start: datetime, moment: datetime) -> float:
    return (moment - start).total_seconds()
