"""The recording document: the payload of ``recordings/<id>/recording.dsse.json``, and the track beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from ..const import LARGEST_OBJECT_BYTES
from .documents import Counter as Count, Document, KeyId, Line, Line256, Serial, Sha256, Text, TimeZone, Utc, Uuid, Word

DOCUMENT_NAME: Final = "recording.dsse.json"
TRACK_NAME: Final = "track.json"

_CLIP_PATTERN = r"^[0-9]{8}_[0-9]{6}_[0-9A-F]{4}\.(mkv|mp4)\Z"
_CLIP_NAME = re.compile(_CLIP_PATTERN)

ClipName = Annotated[str, Meta(pattern=_CLIP_PATTERN)]
Container = Literal["mkv", "mp4"]


def is_clip_name(name: str) -> bool:
    """Tell whether a name is a clip's: ``<YYYYMMDD>_<HHMMSS>_<4 hex digits>.<mkv|mp4>``."""
    return _CLIP_NAME.fullmatch(name) is not None


def clip_name(start: datetime, short_id: str, container: str) -> str:
    """Name a clip by its start in UTC and the recording's short random id (4 upper-case hex digits)."""
    return f"{start:%Y%m%d_%H%M%S}_{short_id}.{container}"


class Location(Document, frozen=True, kw_only=True):
    """Where, in WGS 84 degrees, with the accuracy in metres, and when that was known."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    accuracy: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    time: Utc | None = None


class ClipEntry(Document, frozen=True, kw_only=True):
    """One clip of a recording. ``sealed`` is reserved: where it is there, the bytes are opaque."""

    name: ClipName
    size_bytes: Annotated[int, Meta(ge=1, lt=LARGEST_OBJECT_BYTES)]
    start: Utc
    stop: Utc
    container: Container
    sha256: Sha256 | None = None
    protected: bool = False
    signed_video: bool = False
    sealed: dict[str, Any] | None = None


class TrackEntry(Document, frozen=True, kw_only=True):
    """The track file beside the clips."""

    size_bytes: Annotated[int, Meta(ge=1, le=64 * 1024 * 1024)]
    sha256: Sha256 | None = None
    name: Literal["track.json"] = "track.json"


class Bookmark(Document, frozen=True, kw_only=True):
    """A moment or a stretch that the camera user marked; bare when it has nothing but its time."""

    id: Uuid
    start: Utc
    end: Utc | None = None
    text: Text = ""
    category_id: Line | None = None
    category_name: Line256 | None = None
    tags: Annotated[dict[Line, Line256], Meta(max_length=64)] = {}  # noqa: RUF012 — msgspec copies it
    location: Location | None = None


class Note(Document, frozen=True, kw_only=True):
    """Something to know about the recording, such as ``pre-buffer-short`` or ``gap``, and from when to when."""

    kind: Word
    text: Line256 = ""
    start: Utc | None = None
    stop: Utc | None = None


class RecordingDocument(Document, frozen=True, kw_only=True):
    """What the camera says of one recording, signed by its key and written last."""

    id: Uuid
    number: Count
    serial: Serial
    key_id: KeyId
    manufacturer: Line
    model: Line
    firmware: Line
    settings_sequence: Count
    trigger_on: Utc
    trigger_off: Utc
    start: Utc
    stop: Utc
    time_zone: TimeZone
    clips: Annotated[tuple[ClipEntry, ...], Meta(min_length=1, max_length=1000)]
    system_id: Uuid | None = None
    epoch: Count = 0
    user_id: Uuid | None = None
    profile_id: Uuid | None = None
    trigger_on_location: Location | None = None
    trigger_off_location: Location | None = None
    track: TrackEntry | None = None
    bookmarks: Annotated[tuple[Bookmark, ...], Meta(max_length=1000)] = ()
    notes: Annotated[tuple[Note, ...], Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if _has_twins(clip.name.partition(".")[0] for clip in self.clips):
            raise ValueError("two clips have one name")
        if _has_twins(bookmark.id for bookmark in self.bookmarks):
            raise ValueError("two bookmarks have one id")
        if not self.start <= self.trigger_on <= self.trigger_off <= self.stop:
            raise ValueError("start, trigger_on, trigger_off and stop are not in order")
        if any(clip.stop < clip.start for clip in self.clips):
            raise ValueError("a clip stops before it starts")


def _has_twins(names: Iterable[str]) -> bool:
    return any(count > 1 for count in Counter(names).values())


class TrackPoint(Document, frozen=True, kw_only=True, rename="pascal"):
    """One position of a track, in the names that content destinations read; ``POINT(longitude latitude)``."""

    location_wkt: Annotated[str, Meta(pattern=r"^POINT\(-?[0-9.]{1,20} -?[0-9.]{1,20}\)\Z")] = field(name="LocationWKT")
    seconds_from_start: Annotated[float, Meta(ge=0)]
    timestamp: Utc


class Track(Document, frozen=True, kw_only=True, rename="pascal"):
    """The content of ``track.json``; it is delivered as it is."""

    coordinate_entries: Annotated[tuple[TrackPoint, ...], Meta(max_length=200_000)]
