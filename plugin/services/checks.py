"""Checks of everything: asked for on a page, taken up by the controller, and what is known of the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import BodywornError
from ..models import Audit, Controller
from . import events, systems
from .auditing import Amount
from .records import RecordFinding, RecordReport

#: Findings in the records that are kept for the page; whoever has more than these needs the command's report.
MOST_FINDINGS = 100
KIND = "evidence"


@dataclass(frozen=True)
class KnownFinding:
    """A finding as it was kept: which problem, with what values, in which recording."""

    problem_id: str
    values: dict[str, str | int | float]
    recording_id: str | None


def find(session: Session) -> Audit | None:
    """Give what is known of this controller's checks, or None before there was any."""
    return session.scalars(select(Audit).join(Controller).where(Controller.local)).one_or_none()


def request(session: Session, actor: str) -> None:
    """Ask for everything to be checked now; while a check is under way, that is the one."""
    audit = _audit(session)
    if is_pending(audit):
        return
    audit.requested_at, audit.requested_by, audit.ended_at = datetime.now(UTC), actor, None
    audit.began_at, audit.objects, audit.size_bytes, audit.done_objects, audit.done_bytes = None, 0, 0, 0, 0
    events.record(session, "evidence.check-requested", KIND, audit.controller_id, actor=actor)


def is_pending(audit: Audit | None) -> bool:
    """Tell whether a check is asked for and not over."""
    return audit is not None and audit.requested_at is not None and audit.ended_at is None


def begin(session: Session, amount: Amount) -> None:
    """Write down that a check has begun, and how much there is to read; after a restart it goes on where it was."""
    audit = _audit(session)
    if audit.began_at is None:
        audit.began_at, audit.objects, audit.size_bytes = datetime.now(UTC), amount.objects, amount.size_bytes


def progress(session: Session, objects: int, size_bytes: int) -> None:
    """Write down how much has been read since the last time; no event, because nothing is decided."""
    audit = _audit(session)
    audit.done_objects += objects
    audit.done_bytes += size_bytes


def end(session: Session, damaged: int) -> None:
    """Write down that everything has been checked."""
    audit = _audit(session)
    audit.ended_at = datetime.now(UTC)
    events.record(
        session,
        "evidence.checked",
        KIND,
        audit.controller_id,
        objects=audit.done_objects,
        bytes=audit.done_bytes,
        damaged=damaged,
        findings=len(audit.findings),
    )


def records_checked(session: Session, report: RecordReport) -> None:
    """Keep what a check of the records found; what is new among it becomes an event."""
    audit = _audit(session)
    before = {_key(one) for one in audit.findings or []}
    kept = [_document(one) for one in report.findings[:MOST_FINDINGS]]
    audit.records_checked_at = datetime.now(UTC)
    audit.events, audit.checkpoints, audit.manifests = report.events, report.checkpoints, report.manifests
    audit.findings = kept
    for one in kept:
        if _key(one) not in before:
            problem, values = one["problem"], one["values"]
            events.record(session, "evidence.finding", KIND, audit.controller_id, result=problem, **values)


def storage_problem(session: Session, error: BodywornError | None) -> None:
    """Write down that nothing can be read at the moment, or that it can again."""
    audit = _audit(session)
    wanted = error.id if error else None
    if audit.problem_id != wanted:
        audit.problem_id = wanted


def findings(audit: Audit | None) -> Sequence[KnownFinding]:
    """List what was wrong with the records."""
    known = audit.findings if audit else []
    return [KnownFinding(one["problem"], one["values"], one["recording"]) for one in known]


def _audit(session: Session) -> Audit:
    found = find(session)
    if found is None:
        found = Audit(controller_id=systems.local_controller(session).id, findings=[])
        found.objects = found.size_bytes = found.done_objects = found.done_bytes = 0
        session.add(found)
        session.flush()
    return found


def _document(finding: RecordFinding) -> dict[str, Any]:
    return {"problem": finding.problem.id, "values": finding.problem.values, "recording": finding.recording_id}


def _key(document: dict[str, Any]) -> str:
    return repr(sorted((key, repr(value)) for key, value in document.items()))
