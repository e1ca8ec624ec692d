"""Append to the chain of events, and check it. What an event means is decided by whoever records it.

An event is written in the transaction that changes the state it tells of (I16), so there is no change without its
event and no event without its change. Each controller has one chain; web pages and controller process of a machine
share it and stand in line at its head.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..const import VERSION
from ..models import Chain, Event

_DOMAIN = b"bodyworn-event-v1"
#: Hash before the first event of a chain.
GENESIS = hashlib.sha256(_DOMAIN).hexdigest()  # the migration writes the same into the first chain
#: Actor of what the system does by itself.
SYSTEM = "system"

#: Where an event keeps the name of its actor, if the host's identifiers are not names.
NAME_DETAIL = "by"

#: Events that are read together when a chain is checked.
_TOGETHER = 500
#: What a damaged cell raises when it is read: no moment, no JSON, no text.
_UNREADABLE = (ValueError, TypeError, DBAPIError)

#: An IPv6 address with an IPv4 one in it.
_LONGEST_ADDRESS = 45
#: Where the request under way comes from; whoever takes requests sets it before anything else.
_address: ContextVar[str] = ContextVar("bodyworn_address", default="")
#: Whose request it is: the name under which events know them, and the one that people do.
_person: ContextVar[tuple[str, str]] = ContextVar("bodyworn_person", default=("", ""))

Plain = str | int | float | bool | None | list[str]


@dataclass(frozen=True)
class Break:
    """A place where a chain is not what was written; without a name, the chain of this machine itself is gone."""

    chain_id: str
    sequence: int
    #: ``edited``, ``missing`` or ``truncated``.
    kind: str


@dataclass(frozen=True)
class Happened:
    """What an event tells: what was done, to what, and what auditors see with it."""

    action: str
    object_kind: str
    object_id: str
    detail: Mapping[str, Plain]


class Written(Protocol):
    """What a hash covers, as a row of the database or a line of an export has it."""

    @property
    def chain_id(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def boot_seconds(self) -> float: ...
    @property
    def boot_id(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def object_kind(self) -> str: ...
    @property
    def object_id(self) -> str: ...
    @property
    def result(self) -> str: ...
    @property
    def detail(self) -> dict[str, Any]: ...
    @property
    def tool_version(self) -> str: ...
    @property
    def previous_hash(self) -> str: ...
    @property
    def hash(self) -> str: ...


def local_chain(session: Session) -> Chain:
    """Give the chain of this machine, locked until the transaction ends; the migration made it."""
    return session.scalars(select(Chain).where(Chain.local).with_for_update()).one()


def from_address(address: str) -> None:
    """Say where what this thread records from now on comes from: a network address, or nothing; nobody's, at first."""
    _address.set(address[:_LONGEST_ADDRESS])
    _person.set(("", ""))


def in_name_of(actor: str, name: str) -> None:
    """Say who asks for what this thread records from now on, so that events keep how that person was called then."""
    _person.set((actor, name))


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Record from there within the block, whatever this thread served before."""
    before, person = _address.get(), _person.get()
    from_address(address)
    try:
        yield
    finally:
        _address.set(before)
        _person.set(person)


def record(
    session: Session,
    action: str,
    object_kind: str,
    object_id: str,
    *,
    actor: str = SYSTEM,
    result: str = "done",
    **detail: Plain,
) -> Event:
    """Append an event in this transaction, to the chain of this machine.

    ``detail`` is shown to auditors: plain values only, never secrets.
    """
    entry = _append(local_chain(session), Happened(action, object_kind, object_id, detail), actor, result)
    session.add(entry)
    session.flush()
    return entry


def record_all(session: Session, happened: Iterable[Happened], *, actor: str) -> None:
    """Append many events in this transaction, as :func:`record` does one by one, in a tenth of the time."""
    head = local_chain(session)
    session.add_all([_append(head, one, actor, "done") for one in happened])
    session.flush()


def _append(head: Chain, happened: Happened, actor: str, result: str) -> Event:
    entry = Event(
        chain_id=head.id,
        sequence=head.sequence + 1,
        at=datetime.now(UTC),
        boot_seconds=time.clock_gettime(time.CLOCK_BOOTTIME),
        boot_id=boot_id(),
        actor=actor,
        address=_address.get(),
        action=happened.action,
        object_kind=happened.object_kind,
        object_id=happened.object_id,
        result=result,
        detail={**happened.detail, **_called(actor)},
        tool_version=VERSION,
        previous_hash=head.hash,
        hash="",
    )
    entry.hash = head.hash = digest(entry)
    head.sequence = entry.sequence
    return entry


def _called(actor: str) -> dict[str, str]:
    """Tell by what name people know an actor, where that is another than events have."""
    known, name = _person.get()
    return {NAME_DETAIL: name} if name and actor == known != name else {}


def digest(entry: Written) -> str:
    """Hash an event with its predecessor's hash: length-prefixed fields, so that none can lend bytes to another."""
    hasher = hashlib.sha256(_DOMAIN)
    for field in _fields(entry):
        raw = field.encode()
        hasher.update(struct.pack(">Q", len(raw)))
        hasher.update(raw)
    return hasher.hexdigest()


def check(session: Session) -> Iterator[Break]:
    """Find every edit, drop, swap, insertion and (against the head) truncation in every chain; constant memory."""
    heads = {chain.id: chain for chain in session.scalars(select(Chain))}
    if not any(chain.local for chain in heads.values()):
        yield Break("", 1, "missing")
    for chain_id in sorted(heads.keys() | set(session.scalars(select(Event.chain_id).distinct()))):
        yield from _check_chain(chain_id, heads.get(chain_id), _entries(session, chain_id))


def _entries(session: Session, chain_id: str) -> Iterator[tuple[int, Event | None]]:
    """Read a chain's events by their numbers; None for one that cannot even be read."""
    of_chain, after = select(Event).where(Event.chain_id == chain_id), -(2**63)
    numbers = select(Event.sequence).where(Event.chain_id == chain_id).order_by(Event.sequence).limit(_TOGETHER)
    while found := session.scalars(numbers.where(Event.sequence > after)).all():
        try:
            entries = list(session.scalars(of_chain.where(Event.sequence.in_(found)).order_by(Event.sequence)))
            yield from ((entry.sequence, entry) for entry in entries)
        except _UNREADABLE:
            yield from ((number, _entry(session, of_chain.where(Event.sequence == number))) for number in found)
        after = found[-1]


def _entry(session: Session, one: Select[Event]) -> Event | None:
    try:
        return session.scalars(one).one()
    except _UNREADABLE:
        return None


def _check_chain(chain_id: str, head: Chain | None, entries: Iterable[tuple[int, Event | None]]) -> Iterator[Break]:
    previous: str | None = GENESIS
    expected = 1
    for number, entry in entries:
        if entry is None:
            yield Break(chain_id, number, "edited")
            previous, expected = None, number + 1
            continue
        yield from check_link(entry, expected, entry.previous_hash if previous is None else previous)
        previous, expected = entry.hash, entry.sequence + 1
    if head is None or expected - 1 != head.sequence or previous not in (None, head.hash):
        yield Break(chain_id, expected, "truncated")


def check_link(entry: Written, expected: int, previous: str) -> Iterator[Break]:
    """Compare an event with its own hash, its number and the hash of the one before it."""
    if entry.sequence != expected:
        yield Break(entry.chain_id, expected, "missing")
    elif entry.previous_hash != previous or digest(entry) != entry.hash:
        yield Break(entry.chain_id, entry.sequence, "edited")


def _fields(entry: Written) -> Iterator[str]:
    yield from (entry.previous_hash, entry.chain_id, str(entry.sequence), entry.at.isoformat())
    yield from (repr(entry.boot_seconds), entry.boot_id, entry.actor, entry.address)
    yield entry.action
    yield from (entry.object_kind, entry.object_id, entry.result)
    yield json.dumps(entry.detail, sort_keys=True, separators=(",", ":"))
    yield entry.tool_version


def boot_id() -> str:
    """Name this life of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
