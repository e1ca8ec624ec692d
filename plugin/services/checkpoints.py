"""Signed statements of how far the chain of events is, so that cutting it off or writing it anew shows.

Whoever can write to the database can write a whole chain, with hashes that fit; a signature they cannot. What is kept
elsewhere (an export, another controller) shows also that the checkpoints themselves were removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from ..crypto.envelope import PayloadType
from ..errors import ChainRewritten, ChainTruncated, CheckpointRefused, EnvelopeRefused, EvidenceFinding
from ..models import Chain, Checkpoint, Event
from .trust import Trust

#: A checkpoint is made after so many events, or when so much time has passed since the one before.
EVERY_EVENTS = 100
EVERY = timedelta(minutes=5)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """At this event the chain had this hash."""

    chain_id: str
    sequence: int
    hash: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]

    def payload(self) -> bytes:
        """Write it as it is signed."""
        return msgspec.json.encode(self)


def due(session: Session, *, at_once: bool = False) -> Statement | None:
    """Give what is to be signed now; None when nothing has happened since, or not enough.

    A clock that was set makes one due at once rather than late (I12).
    """
    head = session.scalars(select(Chain).where(Chain.local)).one()
    last = latest(session, head.id)
    now = datetime.now(UTC)
    if head.sequence == (last.sequence if last else 0):
        return None
    enough = last is None or head.sequence - last.sequence >= EVERY_EVENTS or abs(now - last.at) >= EVERY
    if not (at_once or enough):
        return None
    return Statement(chain_id=head.id, sequence=head.sequence, hash=head.hash, at=now)


def keep(session: Session, statement: Statement, order: bytes) -> None:
    """Keep a statement that was signed; the first one for an event stays."""
    if session.get(Checkpoint, (statement.chain_id, statement.sequence)) is None:
        session.add(Checkpoint(chain_id=statement.chain_id, sequence=statement.sequence, at=statement.at, order=order))


def latest(session: Session, chain_id: str) -> Checkpoint | None:
    """Give the last checkpoint of a chain."""
    rows = select(Checkpoint).where(Checkpoint.chain_id == chain_id).order_by(Checkpoint.sequence.desc()).limit(1)
    return session.scalars(rows).first()


def open_statement(order: bytes, trust: Trust) -> Statement:
    """Read a checkpoint; raises EnvelopeRefused unless a controller of the system signed it."""
    return trust.open(order, PayloadType.CHECKPOINT, Statement, lambda said: said.at)


def check(session: Session, trust: Trust) -> Iterator[EvidenceFinding]:
    """Compare the chains with everything that was signed about them: the first contradiction of each kind and chain."""
    rows = (
        select(Checkpoint, Event.hash)
        .outerjoin(Event, and_(Event.chain_id == Checkpoint.chain_id, Event.sequence == Checkpoint.sequence))
        .order_by(Checkpoint.chain_id, Checkpoint.sequence)
        .execution_options(yield_per=500)
    )
    told: set[tuple[str, type[EvidenceFinding]]] = set()
    for checkpoint, found_hash in session.execute(rows):
        finding = _judge(session, checkpoint, found_hash, trust)
        if finding is not None and (key := (checkpoint.chain_id, type(finding))) not in told:
            told.add(key)
            yield finding


def _judge(session: Session, checkpoint: Checkpoint, found_hash: str | None, trust: Trust) -> EvidenceFinding | None:
    chain, sequence = checkpoint.chain_id, checkpoint.sequence
    try:
        said = open_statement(checkpoint.order, trust)
    except EnvelopeRefused:
        return CheckpointRefused(chain=chain, sequence=sequence)
    if (said.chain_id, said.sequence) != (chain, sequence):
        return CheckpointRefused(chain=chain, sequence=sequence)
    if found_hash is None:
        last = session.scalar(select(func.max(Event.sequence)).where(Event.chain_id == chain)) or 0
        # one that is missing in between is found by following the hashes
        return ChainTruncated(chain=chain, sequence=last + 1) if last < sequence else None
    return None if found_hash == said.hash else ChainRewritten(chain=chain, sequence=sequence)
