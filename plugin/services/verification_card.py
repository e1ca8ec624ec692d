"""What System status says of checks: copies that are damaged, records that were changed, a disk that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from ..models import Copy, CopyState, Place, ReceivedObject
from . import advice, checks
from .advice import Advice
from .message import Message
from .sentence import Sentence, Tone, plural, problem, sentence


def messages(session: Session) -> Iterator[Message]:
    """List what needs a person."""
    audit = checks.find(session)
    trouble = problem(audit.problem_id) if audit else None
    if trouble is not None:
        yield _message(Tone.PROBLEM, advice.CONTROLLER_STORAGE_ERROR, trouble.sentence, trouble.mend)
    findings = len(checks.findings(audit))
    if findings:
        title = plural("{n} finding in what is written", "{n} findings in what is written", findings)
        text = sentence("Events or manifests are not what was signed. Somebody may have changed the database.")
        yield _message(Tone.PROBLEM, advice.VERIFICATION, title, text)
    yield from _damaged(session)


def _damaged(session: Session) -> Iterator[Message]:
    elsewhere = aliased(Copy)
    proved = exists(elsewhere.id).where(
        elsewhere.clip_id == Copy.clip_id,
        elsewhere.place == Place.DESTINATION,
        elsewhere.state == CopyState.VERIFIED,
    )
    here = select(func.count(Copy.id)).where(
        Copy.place == Place.SPOOL, Copy.state == CopyState.PROBLEM, Copy.problem_id.is_not(None)
    )
    alone, safe = session.scalar(here.where(~proved)) or 0, session.scalar(here.where(proved)) or 0
    if alone:
        title = plural("{n} stored copy is damaged", "{n} stored copies are damaged", alone)
        text = sentence("No other copy is proved. Cameras that have the original bring it again when they are docked.")
        yield _message(Tone.PROBLEM, advice.DAMAGED, title, text)
    if safe:
        title = plural("{n} stored copy is damaged", "{n} stored copies are damaged", safe)
        text = sentence("Nothing is lost: the content destination has proved its own. The disk may be failing.")
        yield _message(Tone.ATTENTION, advice.DAMAGED, title, text)
    broken = select(func.count(ReceivedObject.id)).where(ReceivedObject.problem_id.is_not(None))
    received = session.scalar(broken) or 0
    if received:
        title = plural("{n} received object is damaged", "{n} received objects are damaged", received)
        text = sentence("The damaged copy is in quarantine. Have it sent again, or restore it.")
        yield _message(Tone.PROBLEM, advice.DAMAGED, title, text)


def _message(tone: Tone, kind: Advice, title: Sentence, text: Sentence | None) -> Message:
    return Message(tone, kind, title, text, sentence("Show findings"), "verification")
