"""What the receiver took in, as people see it: a list, and one recording with clips, digests, metadata and custody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from ..destination.metadata import decode_value
from ..destination.names import DEVICES, REJECTED_PREFIX, USERS, read_container_name
from ..errors import ReceivedRecordingUnknown
from ..models import ReceivedContainer, ReceivedObject, ReceiverAccount
from .history import EventLine, history
from .paging import Page, like, paged
from .received import moment_of
from .received_parts import PartKind, ReceivedPart, kind_of, legible, list_parts


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
    #: The clip whose still stands for it.
    poster: ReceivedPart | None

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
    return paged(session, query, page, lambda container: _row(session, container, names))


def get_recording(session: Session, recording_id: str) -> ReceivedRecording:
    """Show one recording; raises ReceivedRecordingUnknown."""
    container = find_container(session, recording_id)
    return ReceivedRecording(
        row=_row(session, container, _Names(session)),
        container=container.name,
        account=session.get_one(ReceiverAccount, container.account_id).user_name,
        completed_at=container.completed_at,
        parts=list_parts(session, container),
        metadata=legible(container.wire_metadata),
        custody=_custody(session, container),
    )


def find_container(session: Session, recording_id: str) -> ReceivedContainer:
    """Find the container of a recording; raises ReceivedRecordingUnknown."""
    container = session.get(ReceivedContainer, recording_id)
    if container is None or not container.is_recording:
        raise ReceivedRecordingUnknown
    return container


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


def _row(session: Session, container: ReceivedContainer, names: _Names) -> ReceivedRow:
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
        clip_count=sum(kind_of(stored.name) is PartKind.CLIP for stored in container.objects),
        complete=container.completed_at is not None,
        rejected=container.name.startswith(REJECTED_PREFIX),
        poster=next((part for part in list_parts(session, container) if part.kind is PartKind.CLIP), None),
    )


def recording_row(session: Session, container: ReceivedContainer) -> ReceivedRow:
    """Describe a recording in a line, for whoever is told of it."""
    return _row(session, container, _Names(session))


def _custody(session: Session, container: ReceivedContainer) -> Sequence[EventLine]:
    of_objects = history(session, "received_object", [stored.id for stored in container.objects])
    of_container = history(session, "received_container", [container.id])
    return sorted([*of_container, *of_objects], key=lambda line: line.sequence)
