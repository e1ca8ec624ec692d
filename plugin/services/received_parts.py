"""The objects of a received recording: what each is, whether it can be shown here, and the key that opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from sqlalchemy.orm import Session

from ..crypto.key_object import LARGEST_KEY_OBJECT_BYTES, OpenedKey, open_for_destination
from ..crypto.sealed import SealedBox
from ..destination.metadata import decode_value
from ..destination.names import BOOKMARK_PREFIX, KEY_SUFFIX, TRACK_SUFFIX, key_name
from ..errors import KeyObjectRefused, ReceivedRecordingUnknown
from ..models import ReceivedContainer, ReceivedObject, ReceiverAccount
from ..store import Store
from . import events
from .connection_files import private_key_pem
from .received import moment_of

#: Types under which browsers are given clips; Chromium plays both. Anything else is only downloaded.
MEDIA_TYPES = {".mkv": "video/x-matroska", ".mp4": "video/mp4"}
OTHER_MEDIA_TYPE = "application/octet-stream"
#: What cameras record, whatever a browser thinks of it.
_CLIP_SUFFIXES = {*MEDIA_TYPES, ".avi", ".mov", ".ts", ".m4v", ".jpg", ".wav", ".aac"}


class PartKind(StrEnum):
    """What an object of a recording is, by its name; in the order in which they are shown."""

    CLIP = "clip"
    TRACK = "track"
    BOOKMARK = "bookmark"
    KEY = "key"
    OTHER = "other"


@dataclass(frozen=True)
class ReceivedPart:
    """An object of a recording."""

    name: str
    kind: PartKind
    size_bytes: int
    #: Of the bytes as they arrived and are stored.
    sha256: str
    md5: str
    received_at: datetime
    started_at: datetime | None
    length: timedelta | None
    encrypted: bool
    #: True for what arrived in the clear, and what this machine can decrypt.
    readable: bool
    media_type: str
    metadata: Sequence[tuple[str, str]]

    @property
    def playable(self) -> bool:
        """True where a browser may be able to play it."""
        return self.readable and self.media_type != OTHER_MEDIA_TYPE


def list_parts(session: Session, container: ReceivedContainer) -> Sequence[ReceivedPart]:
    """Describe what a recording consists of, clips first."""
    opens = session.get_one(ReceiverAccount, container.account_id).sealed_private_key is not None
    present = {stored.name for stored in container.objects}
    parts = (_part(stored, present, opens=opens) for stored in container.objects)
    return sorted(parts, key=lambda part: (list(PartKind).index(part.kind), part.name))


def find_part(container: ReceivedContainer, name: str) -> ReceivedObject:
    """Find an object of a recording; raises ReceivedRecordingUnknown."""
    for stored in container.objects:
        if stored.name == name:
            return stored
    raise ReceivedRecordingUnknown


def open_key(session: Session, store: Store, box: SealedBox, part: ReceivedObject) -> OpenedKey | None:
    """Unwrap the content key of an object; None where it arrived in the clear.

    Raises KeyObjectRefused where this machine does not have the private key, or the key object is damaged.
    """
    container = part.container
    if not _is_encrypted(part.name, {stored.name for stored in container.objects}):
        return None
    pem = private_key_pem(session.get_one(ReceiverAccount, container.account_id), box)
    if pem is None:
        raise KeyObjectRefused
    with store.open(container.name, key_name(part.name)) as file:
        return open_for_destination(file.read(LARGEST_KEY_OBJECT_BYTES + 1), pem)


def media_type(name: str) -> str:
    """Give the type under which an object is shown to a browser."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), OTHER_MEDIA_TYPE)


def note_download(session: Session, part: ReceivedObject, actor: str) -> None:
    """Write down who took a copy with them."""
    events.record(
        session,
        "object.downloaded",
        "received_object",
        part.id,
        actor=actor,
        container=part.container.name,
        name=part.name,
        sha256=part.sha256,
    )


def _part(stored: ReceivedObject, present: set[str], *, opens: bool) -> ReceivedPart:
    kind, encrypted = kind_of(stored.name), _is_encrypted(stored.name, present)
    started_at, stopped_at = moment_of(stored.wire_metadata, "starttime"), moment_of(stored.wire_metadata, "stoptime")
    return ReceivedPart(
        name=stored.name,
        kind=kind,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        md5=stored.md5,
        received_at=stored.received_at,
        started_at=started_at,
        length=stopped_at - started_at if started_at and stopped_at and stopped_at >= started_at else None,
        encrypted=encrypted,
        readable=opens or not encrypted,
        media_type=media_type(stored.name),
        metadata=legible(stored.wire_metadata),
    )


def kind_of(name: str) -> PartKind:
    """Tell what an object is from its name."""
    if name.endswith(KEY_SUFFIX):
        return PartKind.KEY
    if name.endswith(TRACK_SUFFIX):
        return PartKind.TRACK
    if name.startswith(BOOKMARK_PREFIX):
        return PartKind.BOOKMARK
    return PartKind.CLIP if PurePosixPath(name).suffix.lower() in _CLIP_SUFFIXES else PartKind.OTHER


def _is_encrypted(name: str, present: set[str]) -> bool:
    return not name.endswith(KEY_SUFFIX) and f"{PurePosixPath(name).stem}{KEY_SUFFIX}" in present


def legible(metadata: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Decode metadata for people, in order of the keys."""
    return [(key, decode_value(value)) for key, value in sorted(metadata.items())]
