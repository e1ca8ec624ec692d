"""What is to be read again, oldest first, and what follows when it is not what was stored.

Reading is ``hw.auditor``; when somebody asked for it is ``checks``. Nothing here ever moves towards deletion (I11): a
damaged copy stops counting as one, so its camera keeps the original, and the recording is taken again from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from ..errors import CopyChanged, CopyUnreadable, CopyWithoutPartner, EvidenceFinding
from ..models import Clip, Copy, CopyState, Place, ReceivedContainer, ReceivedObject, Recording
from . import damage, events, problems

#: What stands in a store although it is no copy: it is moved aside, also after a crash in between.
_TO_SET_ASIDE = (CopyChanged.id, CopyUnreadable.id, CopyWithoutPartner.id)


@dataclass(frozen=True)
class Held:
    """One object on this machine, as it was when it was stored."""

    #: Of its row: a copy of a clip, or an object that was received.
    row_id: str
    received: bool
    #: Folder of its store beneath the plugin's.
    store: str
    container: str
    name: str
    size_bytes: int
    sha256: str
    checked_at: datetime
    #: Which disk it was stored on; None where that was not noted.
    failure_domain: str | None

    @property
    def label(self) -> str:
        """What people know it by."""
        return f"{self.container}/{self.name}"


@dataclass(frozen=True)
class Amount:
    """How much there is to read."""

    objects: int
    size_bytes: int


def due(session: Session, before: datetime, limit: int) -> list[Held]:
    """List what was last read before a moment, oldest first."""
    spooled = _spooled().where(Copy.checked_at < before).order_by(Copy.checked_at).limit(limit)
    received = _received().where(ReceivedObject.checked_at < before).order_by(ReceivedObject.checked_at).limit(limit)
    found = [*map(_of_copy, session.execute(spooled)), *map(_of_received, session.execute(received))]
    return sorted(found, key=lambda held: held.checked_at)[:limit]


def amount_due(session: Session, before: datetime) -> Amount:
    """Measure what was last read before a moment."""
    spooled = select(func.count(Copy.id), func.coalesce(func.sum(Clip.stored_size_bytes), 0))
    spooled = spooled.join(Clip, Copy.clip_id == Clip.id).where(_is_here(), Copy.checked_at < before)
    received = select(func.count(ReceivedObject.id), func.coalesce(func.sum(ReceivedObject.size_bytes), 0))
    received = received.where(ReceivedObject.checked_at < before)
    (clips, clip_bytes), (objects, object_bytes) = session.execute(spooled).one(), session.execute(received).one()
    return Amount(clips + objects, int(clip_bytes or 0) + int(object_bytes or 0))


def to_set_aside(session: Session) -> list[Held]:
    """List what is known to be damaged and should not stand under its name any more."""
    spooled = _spooled().where(Copy.problem_id.in_(_TO_SET_ASIDE))
    received = _received().where(ReceivedObject.problem_id.in_(_TO_SET_ASIDE))
    return [*map(_of_copy, session.execute(spooled)), *map(_of_received, session.execute(received))]


def found_whole(session: Session, read: Iterable[Held]) -> None:
    """Write down that objects are what was stored; one that was missing and is back counts as a copy again."""
    now = datetime.now(UTC)
    for held in read:
        row = _row(session, held)
        if row is None:
            continue
        row.checked_at = now
        if row.problem_id not in (None, CopyWithoutPartner.id):
            _restored(session, row)


def found_damaged(session: Session, held: Held, fault: EvidenceFinding) -> None:
    """Write down that an object is not what was stored; the same again changes nothing but the time."""
    row = _row(session, held)
    if row is None:
        return
    row.checked_at = datetime.now(UTC)
    if row.problem_id is not None:
        return
    if isinstance(row, Copy):
        damage.copy_damaged(session, row, fault)
    else:
        problems.note(row, fault)
        _record_received(session, row, "object.damaged", fault.id)


def _restored(session: Session, row: Copy | ReceivedObject) -> None:
    if isinstance(row, Copy):
        damage.copy_restored(session, row)
    else:
        problems.clear(row)
        _record_received(session, row, "object.restored", "done")


def _record_received(session: Session, row: ReceivedObject, action: str, result: str) -> None:
    events.record(
        session, action, "received_container", row.container_id, result=result, name=row.name, sha256=row.sha256
    )


def _row(session: Session, held: Held) -> Copy | ReceivedObject | None:
    """Give the row if it still speaks of what was read; it may have been purged or encrypted meanwhile."""
    if held.received:
        return session.get(ReceivedObject, held.row_id)
    copy = session.get(Copy, held.row_id)
    if copy is None or copy.state not in (CopyState.VERIFIED, CopyState.PROBLEM):
        return None
    same = (copy.clip.spool_name, copy.clip.stored_sha256) == (held.name, held.sha256)
    return copy if same else None


def _is_here() -> ColumnElement[bool]:
    """Verified copies, and damaged ones that were: what was missing may be back with its disk."""
    states = Copy.state.in_([CopyState.VERIFIED, CopyState.PROBLEM])  # in this form for the sake of the index
    return and_(Copy.place == Place.SPOOL, states, or_(Copy.state == CopyState.VERIFIED, Copy.problem_id.is_not(None)))


def _spooled() -> Select[str, str, str, int | None, str | None, datetime | None, str]:
    return (
        select(
            Copy.id,
            Recording.container_name,
            func.coalesce(Clip.stored_name, Clip.name),
            Clip.stored_size_bytes,
            Clip.stored_sha256,
            Copy.checked_at,
            Copy.failure_domain,
        )
        .join(Clip, Copy.clip_id == Clip.id)
        .join(Recording, Clip.recording_id == Recording.id)
        .where(_is_here())
    )


def _received() -> Select[str, str, str, str, int, str, datetime]:
    return select(
        ReceivedObject.id,
        ReceivedContainer.account_id,
        ReceivedContainer.name,
        ReceivedObject.name,
        ReceivedObject.size_bytes,
        ReceivedObject.sha256,
        ReceivedObject.checked_at,
    ).join(ReceivedContainer, ReceivedObject.container_id == ReceivedContainer.id)


def _of_copy(row: Row[str, str, str, int | None, str | None, datetime | None, str]) -> Held:
    row_id, container, name, size_bytes, sha256, checked_at, domain = row
    assert checked_at is not None, "what was stored was read back"
    return Held(row_id, False, "spool", container, name, size_bytes or 0, sha256 or "", checked_at, domain)


def _of_received(row: Row[str, str, str, str, int, str, datetime]) -> Held:
    row_id, account_id, container, name, size_bytes, sha256, checked_at = row
    return Held(row_id, True, f"received/{account_id}", container, name, size_bytes, sha256, checked_at, None)
