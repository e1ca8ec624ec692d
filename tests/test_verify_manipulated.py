"""Ten thousand events, five ways to change what is written, five hundred attempts: the verifier finds every one.

Reading a whole file takes a quarter of a second. So that all attempts fit into every run, the verifier goes through the
true file once and is copied on the way; a copy goes on into the changed file, from shortly before the change until it
finds something or the file ends. Some attempts are read whole, as a file, all the same.
"""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import many_events
import msgspec
import pytest
import seed
from bodyworn.services import event_export, events
from bodyworn.services.event_export import Happened, Reading, Signed, Title
from bodyworn.services.keyring import Keyring
from rig_parts import ACTOR, found_system

pytestmark = pytest.mark.feature("SYS-10")

EVENTS = 10_000
ATTEMPTS_OF_A_KIND = 100
WHOLE_OF_A_KIND = 2
#: So many events apart the verifier is copied.
APART = 50
SEED = 20261122

Line = Title | Signed | Happened
Change = Callable[[random.Random, Sequence[Happened]], "Changed"]


@dataclass(frozen=True)
class Changed:
    """A log that was changed: what came before ``begins`` is as it was."""

    begins: int
    #: All events from there on; made while they are read.
    rest: Callable[[], Iterator[Happened]]
    title: Title | None = None


@dataclass(frozen=True)
class Log:
    """An export of a long log, and verifiers that have read it so far."""

    title: Title
    signed: Sequence[Signed]
    events: Sequence[Happened]
    readings: Sequence[Reading]

    def finds(self, changed: Changed) -> bool:
        """Let a verifier go on from before the change."""
        number = changed.begins // APART
        reading = copy.deepcopy(self.readings[number])
        for event in self.events[number * APART : changed.begins]:
            reading.take(event)
        assert not reading.findings
        for event in changed.rest():
            reading.take(event)
            if reading.findings:
                return True
        return bool(reading.end().findings)

    def file(self, changed: Changed) -> bytes:
        """Write the changed log as a file."""
        lines: list[Line] = [changed.title or self.title, *self.signed, *self.events[: changed.begins]]
        return b"".join(msgspec.json.encode(line) + b"\n" for line in [*lines, *changed.rest()])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    folder = tmp_path_factory.mktemp("log")
    with seed.open_database(folder) as database:
        return _exported(database, folder)


def _exported(database: seed.Database, folder: Path) -> Log:
    keyring = Keyring(folder / "keys")
    with database.write() as session:
        found_system(session, keyring)
    many_events.fill(database, EVENTS, seed=SEED, keyring=keyring)
    with database.write() as session:
        event_export.seal(session, keyring, ACTOR)
    with database.read() as session:
        assert list(events.check(session)) == []
        data = b"".join(event_export.lines(session))
    assert event_export.verify(io.BytesIO(data)).is_whole
    title, *rest = (msgspec.json.decode(line, type=Line) for line in data.splitlines())
    assert isinstance(title, Title)
    signed = [line for line in rest if isinstance(line, Signed)]
    happened = [line for line in rest if isinstance(line, Happened)]
    return Log(title, signed, happened, list(_on_the_way(title, signed, happened)))


def _on_the_way(title: Title, signed: Sequence[Signed], happened: Sequence[Happened]) -> Iterator[Reading]:
    reading = Reading(title)
    for line in signed:
        reading.take(line)
    for number, event in enumerate(happened):
        if number % APART == 0:
            yield copy.deepcopy(reading)
        reading.take(event)
    assert reading.end().is_whole


# five ways to change it


def edit(chance: random.Random, log: Sequence[Happened]) -> Changed:
    """Change one value of one event, its hash left as it was, made anew, or made anew for all that follow."""
    at = chance.randrange(len(log))
    name = chance.choice([name for name in Happened.__struct_fields__ if name not in ("hash", "previous_hash")])
    value = _other(chance, getattr(log[at], name))
    rest = [msgspec.structs.replace(log[at], **{name: value}), *log[at + 1 :]]
    # numbers that are made anew are those that were there
    return Changed(at, (lambda: iter(rest)) if name == "sequence" else _covered(chance, log, at, rest))


def drop(chance: random.Random, log: Sequence[Happened]) -> Changed:
    """Take out one to three events in the middle."""
    at, many = chance.randrange(len(log) - 3), chance.randrange(1, 4)
    return Changed(at, _covered(chance, log, at, log[at + many :]))


def swap(chance: random.Random, log: Sequence[Happened]) -> Changed:
    """Let two events change places."""
    first, second = sorted(chance.sample(range(len(log)), 2))
    rest = [log[second], *log[first + 1 : second], log[first], *log[second + 1 :]]
    return Changed(first, _covered(chance, log, first, rest))


def insert(chance: random.Random, log: Sequence[Happened]) -> Changed:
    """Put in one more, the copy of another."""
    at = chance.randrange(len(log))
    return Changed(at, _covered(chance, log, at, [chance.choice(log), *log[at:]]))


def truncate(chance: random.Random, log: Sequence[Happened]) -> Changed:
    """Cut the end off."""
    return Changed(chance.randrange(len(log)), lambda: iter(()))


KINDS: dict[str, Change] = {one.__name__: one for one in (edit, drop, swap, insert, truncate)}


def _other(chance: random.Random, value: object) -> object:
    """Change a value, as little as possible or altogether."""
    if isinstance(value, dict):
        return {**value, "more": chance.random()}
    if isinstance(value, str):
        return chance.choice([value + "x", value[:-1] if value else "y", "somebody else"])
    if isinstance(value, int | float):
        return type(value)(value + chance.choice([-1, 1, 1000]))
    return value + chance.choice([-1, 1]) * many_events.A_MOMENT  # type: ignore[operator]


def _covered(
    chance: random.Random, log: Sequence[Happened], begins: int, rest: Sequence[Happened]
) -> Callable[[], Iterator[Happened]]:
    """Cover the tracks, or not: numbers and hashes as they were, or all of them made anew from there on."""
    if chance.random() < 0.5:
        return lambda: iter(rest)
    before = log[begins - 1] if begins else None

    def anew() -> Iterator[Happened]:
        previous, number = (before.hash, before.sequence) if before else (events.GENESIS, 0)
        for event in rest:
            number += 1
            forged = msgspec.structs.replace(event, sequence=number, previous_hash=previous)
            forged = msgspec.structs.replace(forged, hash=(previous := events.digest(forged)))
            yield forged

    return anew


# the attempts


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_attempts_of_a_kind_are_all_found(log: Log, kind: str) -> None:
    chance = random.Random(f"{SEED} {kind}")
    attempts = [KINDS[kind](chance, log.events) for _ in range(ATTEMPTS_OF_A_KIND)]
    assert [one.begins for one in attempts if not log.finds(one)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_some_attempts_are_found_in_the_whole_file(log: Log, kind: str) -> None:
    chance = random.Random(f"{SEED} {kind}")
    for attempt in [KINDS[kind](chance, log.events) for _ in range(WHOLE_OF_A_KIND)]:
        assert not event_export.verify(io.BytesIO(log.file(attempt))).is_whole, attempt.begins


def test_what_was_not_changed_is_not_accused(log: Log) -> None:
    chance = random.Random(SEED)
    for begins in (0, 1, len(log.events), *chance.sample(range(len(log.events)), 3)):
        assert not log.finds(Changed(begins, lambda begins=begins: iter(log.events[begins:])))  # type: ignore[misc]
    assert event_export.verify(io.BytesIO(log.file(Changed(0, lambda: iter(log.events))))).is_whole


@pytest.mark.parametrize("left", [1, 99, 5_000, EVENTS])
def test_a_log_that_was_cut_off_and_titled_anew_contradicts_a_signature(log: Log, left: int) -> None:
    last = log.events[left - 1]
    (head,) = log.title.chains
    forged = msgspec.structs.replace(head, sequence=last.sequence, hash=last.hash)
    title = msgspec.structs.replace(log.title, chains=(forged,))
    verdict = event_export.verify(io.BytesIO(log.file(Changed(left, lambda: iter(()), title))))
    assert [finding.id for finding in verdict.findings] == ["chain-truncated"]
