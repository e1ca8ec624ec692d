"""The objects of a recording and what they are called at the destination, from the camera's document. No database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..camera_volume.recording import Bookmark, ClipEntry, Location
from ..destination import metadata, names
from ..models import Clip, ClipKind, Copy, CopyState, Place, new_id
from .documents import Description
from .findings import FoundFile

#: Stands where a container's name needs a user and nobody was assigned; such a recording is not sent.
NOBODY = "00000000-0000-0000-0000-000000000000"


def container_name_of(camera_user_id: str | None, serial: str, moment: datetime) -> str:
    """Name the container of a recording."""
    return names.container_name(camera_user_id or NOBODY, serial, moment)


def objects_of(document: Description, camera_id: str) -> list[Clip]:
    """List the objects of a recording: its clips and what lies beside them, its track, its bookmarks."""
    entries: Sequence[ClipEntry | FoundFile] = document.clips
    clips = [_clip(entry, position, camera_id) for position, entry in enumerate(entries)]
    track = [_track(document, len(clips), camera_id)] if document.track else []
    first = len(clips) + len(track)
    return clips + track + [_bookmark(one, first + index) for index, one in enumerate(document.bookmarks)]


def bookmark_bodies(document: Description) -> dict[str, bytes]:
    """Give the bytes of each bookmark object by its name; a bare bookmark has none."""
    return {_bookmark_name(one): one.text.encode() for one in document.bookmarks}


def _clip(entry: ClipEntry | FoundFile, position: int, camera_id: str) -> Clip:
    return _on_camera(
        camera_id,
        kind=entry.kind if isinstance(entry, FoundFile) else ClipKind.CLIP,
        position=position,
        name=entry.name,
        source_name=entry.path if isinstance(entry, FoundFile) else entry.name,
        start_at=entry.start,
        stop_at=entry.stop,
        size_bytes=entry.size_bytes,
        wire_metadata=metadata.clip_metadata(entry.start, entry.stop, entry.container),
    )


def _track(document: Description, position: int, camera_id: str) -> Clip:
    assert document.track is not None
    short_id = document.clips[0].name.rpartition(".")[0].rpartition("_")[2]
    return _on_camera(
        camera_id,
        kind=ClipKind.TRACK,
        position=position,
        name=names.track_name(document.start, short_id, document.serial),
        source_name=document.track.name,
        start_at=document.start,
        stop_at=document.stop,
        size_bytes=document.track.size_bytes,
        wire_metadata=metadata.track_metadata(document.start),
    )


def _on_camera(camera_id: str, **columns: Any) -> Clip:
    copy = Copy(
        id=new_id(), place=Place.CAMERA, state=CopyState.KEPT, failure_domain=f"camera:{camera_id}", done_bytes=0
    )
    return Clip(id=new_id(), copies=[copy], **columns)


def _bookmark(one: Bookmark, position: int) -> Clip:
    body = one.text.encode()
    category = (one.category_id or "", one.category_name or "") if one.category_id or one.category_name else None
    return Clip(
        id=new_id(),
        kind=ClipKind.BOOKMARK,
        position=position,
        name=_bookmark_name(one),
        start_at=one.start,
        stop_at=one.end,
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        wire_metadata=metadata.bookmark_metadata(
            one.start, one.end, category=category, tags=one.tags.items(), location=location_text(one.location)
        ),
    )


def _bookmark_name(one: Bookmark) -> str:
    return names.bookmark_name(one.start, one.id)


def location_text(location: Location | None) -> str | None:
    """Write a location as the interface has it: latitude, longitude, accuracy, epoch seconds, each with its sign.

    The interface gives no separator; a sign before each number keeps them apart.
    """
    if location is None:
        return None
    parts = [f"{location.latitude:+.6f}", f"{location.longitude:+.6f}", f"{location.accuracy or 0:+.1f}"]
    if location.time is not None:
        parts.append(f"{location.time.timestamp():+.0f}")
    return "".join(parts)
