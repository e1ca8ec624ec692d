"""What the receiver took in, as people see it: a list, and one recording with clips, digests, metadata and custody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from ..crypto.key_object import LARGEST_KEY_OBJECT_BYTES, OpenedKey, open_for_destination
from ..crypto.sealed import SealedBox
from ..destination.metadata import decode_value
from ..destination.names import (
    BOOKMARK_PREFIX,
    DEVICES,
    KEY_SUFFIX,
    REJECTED_PREFIX,
    TRACK_SUFFIX,
    USERS,
    key_name,
    read_container_name,
)
from ..errors import KeyObjectRefused, ReceivedRecordingUnknown
from ..models import ReceivedContainer, ReceivedObject, ReceiverAccount
from ..store import Store
from .connection_files import private_key_pem
from .history import EventLine, history
from .paging import Page, like, paged
from .received import moment_of

#: Types under which browsers are given clips; Chromium plays both. Anything else is only downloaded.
MEDIA_TYPES = {".mkv": "video/x-matroska", ".mp4": "video/mp4"}
OTHER_MEDIA_TYPE = "application/octet-stream"


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


@dataclass(frozen=True)
class ReceivedRow:
    """A recording in the list."""

    id: str
    user: str
    camera: str
    started_at: datetime
    stopped_at: datetime
    size_bytes: int
    clip_count: int
    complete: bool
    #: True for content that was sent again because it had been rejected.
    rejected: bool

    @property
    def length(self) -> timedelta:
        """Time from start to stop."""
        return self.stopped_at - self.started_at


@dataclass(frozen=True)
class ReceivedRecording:
    """One recording, whole."""

    row: ReceivedRow
    container: str
    account: str
    completed_at: datetime | None
    parts: Sequence[ReceivedPart]
    metadata: Sequence[tuple[str, str]]
    custody: Sequence[EventLine]


def list_recordings(session: Session, search: str = "", page: int = 1) -> Page[ReceivedRow]:
    """List recordings, the latest first; ``search`` looks into the names of users and containers."""
    query = (
        select(ReceivedContainer)
        .where(ReceivedContainer.is_recording)
        .options(selectinload(ReceivedContainer.objects))
        .order_by(ReceivedContainer.started_at.desc().nulls_last(), ReceivedContainer.created_at.desc())
    )
    names = _Names(session)
    if search:
        query = query.where(_found(names, search))
    return paged(session, query, page, lambda container: _row(container, names))


def get_recording(session: Session, recording_id: str) -> ReceivedRecording:
    """Show one recording; raises ReceivedRecordingUnknown."""
    container = find_container(session, recording_id)
    account = session.get_one(ReceiverAccount, container.account_id)
    opens = account.sealed_private_key is not None
    present = {stored.name for stored in container.objects}
    return ReceivedRecording(
        row=_row(container, _Names(session)),
        container=container.name,
        account=account.user_name,
        completed_at=container.completed_at,
        parts=sorted(
            (_part(stored, present, opens=opens) for stored in container.objects),
            key=lambda part: (list(PartKind).index(part.kind), part.name),
        ),
        metadata=_legible(container.wire_metadata),
        custody=_custody(session, container),
    )


def find_container(session: Session, recording_id: str) -> ReceivedContainer:
    """Find the container of a recording; raises ReceivedRecordingUnknown."""
    container = session.get(ReceivedContainer, recording_id)
    if container is None or not container.is_recording:
        raise ReceivedRecordingUnknown
    return container


def find_part(session: Session, recording_id: str, name: str) -> ReceivedObject:
    """Find an object of a recording; raises ReceivedRecordingUnknown."""
    for stored in find_container(session, recording_id).objects:
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


class _Names:
    """Names of users and cameras, as the systems that send here have told them."""

    def __init__(self, session: Session) -> None:
        told = session.execute(
            select(
                ReceivedContainer.account_id, ReceivedContainer.name, ReceivedObject.name, ReceivedObject.wire_metadata
            )
            .join(ReceivedObject, ReceivedObject.container_id == ReceivedContainer.id)
            .where(ReceivedContainer.name.in_([USERS, DEVICES]))
        )
        self._labels = {(account, kind, name): _label(name, metadata) for account, kind, name, metadata in told}

    def user(self, account_id: str, user_uuid: str) -> str:
        return self._labels.get((account_id, USERS, user_uuid), user_uuid)

    def camera(self, account_id: str, serial: str) -> str:
        return self._labels.get((account_id, DEVICES, serial), serial)

    def users_like(self, text: str) -> Iterable[str]:
        wanted = text.casefold()
        return [name for (_, kind, name), label in self._labels.items() if kind == USERS and wanted in label.casefold()]


def _label(name: str, metadata: dict[str, str]) -> str:
    told, user_id = decode_value(metadata.get("name", "")), decode_value(metadata.get("userid", ""))
    return f"{told} ({user_id})" if told and user_id else told or name


def _found(names: _Names, search: str) -> ColumnElement[bool]:
    by_user = [ReceivedContainer.name.like(f"{uuid}\\_%", escape="\\") for uuid in names.users_like(search)]
    return or_(ReceivedContainer.name.ilike(like(search), escape="\\"), *by_user)


def _row(container: ReceivedContainer, names: _Names) -> ReceivedRow:
    metadata = container.wire_metadata
    name = read_container_name(container.name)
    serial = decode_value(metadata.get("bwcserialnumber", "")) or (name.serial if name else "")
    user = decode_value(metadata.get("userid", "")) or (name.user_uuid if name else "")
    started_at = container.started_at or container.created_at
    stopped_at = moment_of(metadata, "stoptime") or started_at
    return ReceivedRow(
        id=container.id,
        user=names.user(container.account_id, user),
        camera=names.camera(container.account_id, serial),
        started_at=started_at,
        stopped_at=max(started_at, stopped_at),
        size_bytes=sum(stored.size_bytes for stored in container.objects),
        clip_count=sum(_kind(stored.name) is PartKind.CLIP for stored in container.objects),
        complete=container.completed_at is not None,
        rejected=container.name.startswith(REJECTED_PREFIX),
    )


def recording_row(session: Session, container: ReceivedContainer) -> ReceivedRow:
    """Describe a recording in a line, for whoever is told of it."""
    return _row(container, _Names(session))


def _part(stored: ReceivedObject, present: set[str], *, opens: bool) -> ReceivedPart:
    kind, encrypted = _kind(stored.name), _is_encrypted(stored.name, present)
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
        metadata=_legible(stored.wire_metadata),
    )


def _kind(name: str) -> PartKind:
    if name.endswith(KEY_SUFFIX):
        return PartKind.KEY
    if name.endswith(TRACK_SUFFIX):
        return PartKind.TRACK
    if name.startswith(BOOKMARK_PREFIX):
        return PartKind.BOOKMARK
    return PartKind.CLIP if PurePosixPath(name).suffix.lower() in _CLIP_SUFFIXES else PartKind.OTHER


def _is_encrypted(name: str, present: set[str]) -> bool:
    return not name.endswith(KEY_SUFFIX) and f"{PurePosixPath(name).stem}{KEY_SUFFIX}" in present


def _legible(metadata: dict[str, str]) -> Sequence[tuple[str, str]]:
    return [(key, decode_value(value)) for key, value in sorted(metadata.items())]


def _custody(session: Session, container: ReceivedContainer) -> Sequence[EventLine]:
    of_objects = history(session, "received_object", [stored.id for stored in container.objects])
    of_container = history(session, "received_container", [container.id])
    return sorted([*of_container, *of_objects], key=lambda line: line.sequence)


#: What cameras record, whatever a browser thinks of it.
_CLIP_SUFFIXES = {*MEDIA_TYPES, ".avi", ".mov", ".ts", ".m4v", ".jpg", ".wav", ".aac"}
