"""The Verification page: how much of what is stored was read again and when, what was wrong, and how the chain is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..crypto.keys import PublicKey
from ..models import Audit, Chain, Clip, Copy, CopyState, Place, ReceivedObject
from . import checkpoints, checks, copies, systems
from .history import EventLine, history
from .sentence import Problem, Sentence, Tone, problem, sentence

#: More than these are counted and not listed.
MOST_COPIES = 50
_HISTORY_LINES = 20


@dataclass(frozen=True)
class CheckView:
    """The check that somebody asked for last."""

    running: bool
    #: True between asking and the moment at which the controller takes it up.
    waiting: bool
    requested_at: datetime
    ended_at: datetime | None
    objects: int
    done_objects: int
    size_bytes: int
    done_bytes: int
    percent: int
    seconds_left: float | None


@dataclass(frozen=True)
class StoreView:
    """How far the copies of one kind are checked."""

    name: Sentence
    objects: int
    size_bytes: int
    damaged: int
    #: When the one that was not looked at for longest was read; None where there is none.
    oldest_at: datetime | None


@dataclass(frozen=True)
class FindingView:
    """Something that is not as it was stored: the cause, and what follows."""

    id: str
    problem: Problem
    found_at: datetime | None
    #: What becomes of the recording.
    outcome: Sequence[Sentence]
    tone: Tone = Tone.PROBLEM
    endpoint: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChainView:
    """How the chain of events of this machine is."""

    sequence: int
    hash: str
    checked_at: datetime | None
    checked_events: int
    checked_manifests: int
    signed_until: int | None
    signed_at: datetime | None
    #: Under which all signatures stand; None before a system was founded.
    recovery_key: str | None
    recovery_key_id: str | None


@dataclass(frozen=True)
class Verification:
    """Everything on the page."""

    check: CheckView | None
    #: Why nothing can be read at the moment.
    problem: Problem | None
    stores: Sequence[StoreView]
    findings: Sequence[FindingView]
    #: Damaged copies that are not listed.
    more: int
    chain: ChainView
    history: Sequence[EventLine]

    @property
    def chain_is_sound(self) -> bool:
        """Tell whether nothing was found in what is written."""
        return not any(finding.id.startswith("record-") for finding in self.findings)


def verification(session: Session, now: datetime) -> Verification:
    """Tell how what is stored has stood the checks."""
    audit = checks.find(session)
    stores = list(_stores(session))
    copies = [*_damaged_copies(session), *_damaged_objects(session)]
    return Verification(
        check=_check(audit, now),
        problem=problem(audit.problem_id) if audit else None,
        stores=stores,
        findings=[*_record_findings(audit), *copies],
        more=sum(store.damaged for store in stores) - len(copies),
        chain=_chain(session, audit),
        history=history(session, checks.KIND, [audit.controller_id], newest_first=True, limit=_HISTORY_LINES)
        if audit
        else [],
    )


def _check(audit: Audit | None, now: datetime) -> CheckView | None:
    if audit is None or audit.requested_at is None:
        return None
    running = checks.is_pending(audit)
    return CheckView(
        running=running,
        waiting=running and audit.began_at is None,
        requested_at=audit.requested_at,
        ended_at=None if running else audit.ended_at,
        objects=audit.objects,
        done_objects=audit.done_objects,
        size_bytes=audit.size_bytes,
        done_bytes=audit.done_bytes,
        percent=min(100, audit.done_bytes * 100 // audit.size_bytes) if audit.size_bytes else 0,
        seconds_left=_seconds_left(audit, now),
    )


def _seconds_left(audit: Audit, now: datetime) -> float | None:
    """Reckon from how long it took so far, offloads that went before it included; unknown in the first seconds."""
    passed = (now - audit.began_at).total_seconds() if audit.began_at else 0.0
    if passed < 3 or not audit.done_bytes:
        return None
    return max(0, audit.size_bytes - audit.done_bytes) * passed / audit.done_bytes


def _stores(session: Session) -> Iterator[StoreView]:
    here = (Copy.place == Place.SPOOL, Copy.state == CopyState.VERIFIED)
    whole = select(func.count(Copy.id), func.coalesce(func.sum(Clip.stored_size_bytes), 0), func.min(Copy.checked_at))
    objects, size_bytes, oldest_at = session.execute(whole.join(Clip, Copy.clip_id == Clip.id).where(*here)).one()
    damaged = session.scalar(select(func.count(Copy.id)).where(*_is_damaged())) or 0
    yield StoreView(sentence("Recordings on this controller"), objects, int(size_bytes or 0), damaged, oldest_at)
    received = select(
        func.count(ReceivedObject.id),
        func.coalesce(func.sum(ReceivedObject.size_bytes), 0),
        func.min(ReceivedObject.checked_at),
    )
    sound = ReceivedObject.problem_id.is_(None)
    objects, size_bytes, oldest_at = session.execute(received.where(sound)).one()
    broken = session.scalar(select(func.count(ReceivedObject.id)).where(~sound)) or 0
    if objects or broken:
        yield StoreView(sentence("Received recordings"), objects, int(size_bytes or 0), broken, oldest_at)


def _is_damaged() -> tuple[ColumnElement[bool], ...]:
    return (Copy.place == Place.SPOOL, Copy.state == CopyState.PROBLEM, Copy.problem_id.is_not(None))


def _damaged_copies(session: Session) -> Iterator[FindingView]:
    rows = select(Copy).where(*_is_damaged()).order_by(Copy.checked_at.desc(), Copy.id).limit(MOST_COPIES)
    for copy in session.scalars(rows):
        told = problem(copy.problem_id, copy.problem_values)
        assert told is not None, "only copies with a problem are asked for"
        recording = copy.clip.recording
        yield FindingView(
            id=f"copy-{copy.id}",
            problem=told,
            found_at=copy.checked_at,
            outcome=_outcome(copy.clip),
            tone=Tone.ATTENTION if _is_elsewhere(copy.clip) else Tone.PROBLEM,
            endpoint="recording",
            values={"recording_id": recording.id},
        )


def _outcome(clip: Clip) -> Sequence[Sentence]:
    if _is_elsewhere(clip):
        return [sentence("Nothing is lost: the content destination has proved its own copy.")]
    told = problem(clip.recording.problem_id, clip.recording.problem_values)
    if told is None:
        return []
    return [told.sentence, *([told.mend] if told.mend else [])]


def _is_elsewhere(clip: Clip) -> bool:
    return copies.state(clip, Place.DESTINATION) is CopyState.VERIFIED


def _damaged_objects(session: Session) -> Iterator[FindingView]:
    rows = select(ReceivedObject).where(ReceivedObject.problem_id.is_not(None)).limit(MOST_COPIES)
    for found in session.scalars(rows.order_by(ReceivedObject.checked_at.desc(), ReceivedObject.id)):
        told = problem(found.problem_id, found.problem_values)
        assert told is not None, "only objects with a problem are asked for"
        yield FindingView(
            id=f"received-{found.id}",
            problem=told,
            found_at=found.checked_at,
            outcome=[sentence("The system that sent it may send it again; until then it counts as absent here.")],
            endpoint="received_recording" if found.container.is_recording else None,
            values={"recording_id": found.container_id},
        )


def _record_findings(audit: Audit | None) -> Iterator[FindingView]:
    for number, known in enumerate(checks.findings(audit)):
        told = problem(known.problem_id, known.values)
        assert told is not None, "what was kept is a problem"
        values = {"recording_id": known.recording_id} if known.recording_id else {}
        yield FindingView(
            id=f"record-{number}",
            problem=told,
            found_at=audit.records_checked_at if audit else None,
            outcome=[],
            endpoint="recording" if values else None,
            values=values,
        )


def _chain(session: Session, audit: Audit | None) -> ChainView:
    head = session.scalars(select(Chain).where(Chain.local)).one()
    last, system = checkpoints.latest(session, head.id), systems.find(session)
    key = PublicKey(system.recovery_public_key) if system else None
    return ChainView(
        sequence=head.sequence,
        hash=head.hash,
        checked_at=audit.records_checked_at if audit else None,
        checked_events=audit.events if audit else 0,
        checked_manifests=audit.manifests if audit else 0,
        signed_until=last.sequence if last else None,
        signed_at=last.at if last else None,
        recovery_key=key.to_base64() if key else None,
        recovery_key_id=key.key_id if key else None,
    )
