"""The chain of events as a file that proves itself: JSON lines, and the verifier that needs nothing else.

The first line says whose it is. Then come all checkpoints, then all events, both in their order; so a verifier that
reads once knows what was signed before it sees what happened, and a file whose end is cut off shows it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Annotated, Any, Final, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..crypto.envelope import PayloadType
from ..crypto.keys import PublicKey
from ..errors import (
    BodywornError,
    ChainRewritten,
    ChainTruncated,
    CheckpointRefused,
    EnvelopeRefused,
    EvidenceFinding,
    ExportRefused,
    KeyOtherwise,
)
from ..models import Chain, Checkpoint, Event
from . import checkpoints, events, records, systems
from .keyring import Keyring
from .trust import Trust

LONGEST_LINE_BYTES = 1024 * 1024
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain ended when it was exported."""

    chain_id: str
    sequence: int
    hash: str


class Title(msgspec.Struct, frozen=True, kw_only=True, tag="export", tag_field="line"):
    """The first line."""

    format: Literal["bodyworn-events-1"] = "bodyworn-events-1"
    system_id: str
    system_name: str
    #: Base64; compare it with the system's own before believing the file.
    recovery_key: str
    exported_at: _Moment
    chains: tuple[Head, ...]


class Signed(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint", tag_field="line"):
    """A checkpoint: the order as it was signed, in base64."""

    order: str


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag="event", tag_field="line"):
    """An event, with everything that its hash covers."""

    chain_id: str
    sequence: int
    at: _Moment
    boot_seconds: float
    boot_id: str
    actor: str
    address: str
    action: str
    object_kind: str
    object_id: str
    result: str
    detail: dict[str, Any]
    tool_version: str
    previous_hash: str
    hash: str


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_LINES: Final = msgspec.json.Decoder(Title | Signed | Happened)


def seal(session: Session, keyring: Keyring, actor: str) -> None:
    """Write down who takes an export, and sign the chain up to there, so that its end cannot be cut off unseen.

    :raises NoSystem: before a system was founded.
    """
    system = systems.current(session)
    events.record(session, "events.exported", "system", system.id, actor=actor)
    statement = checkpoints.due(session, at_once=True)
    if statement is not None:
        order = systems.authority(session, keyring).issue(statement.payload(), PayloadType.CHECKPOINT)
        checkpoints.keep(session, statement, order)


def lines(session: Session) -> Iterator[bytes]:
    """Write the export, line by line; constant memory. Raises NoSystem before a system was founded."""
    system = systems.current(session)
    chains = session.scalars(select(Chain).order_by(Chain.id))
    yield _line(
        Title(
            system_id=system.id,
            system_name=system.name,
            recovery_key=PublicKey(system.recovery_public_key).to_base64(),
            exported_at=datetime.now(UTC),
            chains=tuple(Head(chain_id=one.id, sequence=one.sequence, hash=one.hash) for one in chains),
        )
    )
    in_parts = {"yield_per": 500}
    signed = select(Checkpoint.order).order_by(Checkpoint.chain_id, Checkpoint.sequence)
    for order in session.scalars(signed.execution_options(**in_parts)):
        yield _line(Signed(order=b64encode(order).decode()))
    rows = select(Event).order_by(Event.chain_id, Event.sequence)
    for event in session.scalars(rows.execution_options(**in_parts)):
        yield _line(happened(event))


def happened(event: Event) -> Happened:
    """Give an event as an export has it."""
    return Happened(**{name: getattr(event, name) for name in Happened.__struct_fields__})


def _line(document: msgspec.Struct) -> bytes:
    return msgspec.json.encode(document) + b"\n"


@dataclass
class Verdict:
    """What a verified export says."""

    title: Title
    #: The key that was believed; its owner should know it.
    recovery_key_id: str
    events: int = 0
    checkpoints: int = 0
    #: The last event of each chain that a signature covers.
    signed_until: dict[str, int] = field(default_factory=dict)
    findings: list[EvidenceFinding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether the file holds just what was written."""
        return not self.findings


def verify(source: IO[bytes], recovery_key: PublicKey | None = None) -> Verdict:
    """Verify an export with nothing but itself, or with a recovery key that is known from elsewhere.

    Args:
        source: The file, open for reading.
        recovery_key: The key that its system must have; None to believe the one in the file.

    Raises:
        ExportRefused: it is no export at all.
        KeyOtherwise: it is one of another system.
    """
    numbered = _numbered(source)
    title = next(numbered, None)
    if not isinstance(title, Title):
        raise ExportRefused(line=1)
    reading = Reading(title, recovery_key)
    for document in numbered:
        reading.take(document)
    return reading.end()


def _numbered(source: IO[bytes]) -> Iterator[Title | Signed | Happened]:
    bounded = iter(lambda: source.readline(LONGEST_LINE_BYTES + 1), b"")
    for number, line in enumerate(bounded, 1):
        if len(line) > LONGEST_LINE_BYTES:
            raise ExportRefused(line=number)
        try:
            yield _LINES.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ExportRefused(line=number) from error


def _key_of(title: Title) -> PublicKey:
    try:
        return PublicKey.from_base64(title.recovery_key)
    except BodywornError as error:
        raise ExportRefused(line=1) from error


class Reading:
    """One pass over the lines after the title; keeps what was signed, and where each chain is."""

    def __init__(self, title: Title, recovery_key: PublicKey | None = None) -> None:
        """Begin. Raises ExportRefused without a key, KeyOtherwise where it is not the one that is known."""
        key = _key_of(title)
        if recovery_key is not None and recovery_key != key:
            raise KeyOtherwise(found=key.key_id)
        self._verdict, self._trust = Verdict(title, key.key_id), Trust(key, title.system_id)
        self._signed: dict[tuple[str, int], str] = {}
        self._at: dict[str, tuple[int, str]] = {}

    @property
    def findings(self) -> Sequence[EvidenceFinding]:
        """What was found so far."""
        return self._verdict.findings

    def take(self, document: Title | Signed | Happened) -> None:
        """Judge the next line; a second title says nothing."""
        if isinstance(document, Happened):
            self._take_event(document)
        elif isinstance(document, Signed):
            self._take_checkpoint(document)

    def _take_checkpoint(self, signed: Signed) -> None:
        self._verdict.checkpoints += 1
        try:
            said = checkpoints.open_statement(b64decode(signed.order), self._trust)
        except (EnvelopeRefused, ValueError):
            self._find(CheckpointRefused(chain="?", sequence=self._verdict.checkpoints))
            return
        self._signed[said.chain_id, said.sequence] = said.hash
        until = self._verdict.signed_until
        until[said.chain_id] = max(until.get(said.chain_id, 0), said.sequence)

    def _take_event(self, happened: Happened) -> None:
        self._verdict.events += 1
        chain, sequence = happened.chain_id, happened.sequence
        before, previous = self._at.get(chain, (0, events.GENESIS))
        for one in events.check_link(happened, before + 1, previous):
            self._find(records.told(one))
        if self._signed.get((chain, sequence), happened.hash) != happened.hash:
            self._find(ChainRewritten(chain=chain, sequence=sequence))
        self._at[chain] = (sequence, happened.hash)

    def end(self) -> Verdict:
        """Compare where the chains end with where they should, and give the verdict; once."""
        heads = {one.chain_id: (one.sequence, one.hash) for one in self._verdict.title.chains}
        for chain in sorted(heads.keys() | self._at.keys() | self._verdict.signed_until.keys()):
            at = self._at.get(chain, (0, events.GENESIS))
            if at != heads.get(chain) or at[0] < self._verdict.signed_until.get(chain, 0):
                self._find(ChainTruncated(chain=chain, sequence=at[0] + 1))
        return self._verdict

    def _find(self, finding: EvidenceFinding) -> None:
        self._verdict.findings.append(finding)
