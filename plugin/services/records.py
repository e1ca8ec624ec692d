"""Check what is written, as opposed to what is stored: the chain of events, its checkpoints, and all manifests."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import ChainGone, ChainTruncated, EventChanged, EventMissing, EvidenceFinding
from ..models import Checkpoint, Event
from . import checkpoints, events, manifest_check, systems
from .events import Break
from .trust import Trust


@dataclass(frozen=True)
class RecordFinding:
    """Something that is not as it was written; of one recording where it is about one."""

    problem: EvidenceFinding
    recording_id: str | None = None


@dataclass(frozen=True)
class RecordReport:
    """How much was checked, and everything that was wrong."""

    events: int
    checkpoints: int
    manifests: int
    findings: tuple[RecordFinding, ...]


def check(session: Session, recording_id: str | None = None) -> RecordReport:
    """Check the whole chain, its checkpoints, and the manifests of all stored recordings or of one.

    Before a system is founded there is a chain and nobody who could have signed anything.
    """
    findings = [RecordFinding(told(one)) for one in events.check(session)]
    system = systems.find(session)
    manifests = 0
    if system is not None:
        trust = Trust.of(system)
        findings += [RecordFinding(one) for one in checkpoints.check(session, trust)]
        for checked in manifest_check.check(session, trust, recording_id):
            manifests += 1
            findings += [RecordFinding(one, checked.recording_id) for one in checked.findings]
    return RecordReport(_count(session, Event), _count(session, Checkpoint), manifests, tuple(findings))


def told(one: Break) -> EvidenceFinding:
    """Say a break of a chain as a problem."""
    if not one.chain_id:
        return ChainGone()
    kinds = {"edited": EventChanged, "missing": EventMissing, "truncated": ChainTruncated}
    return kinds[one.kind](chain=one.chain_id, sequence=one.sequence)


def _count(session: Session, table: type[Event] | type[Checkpoint]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
