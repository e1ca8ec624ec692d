"""Compare a store with what should be in it, by reading every byte from the device. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..errors import NoSuchObject, StoreError
from .objects import Store


@dataclass(frozen=True)
class Expected:
    """An object that should be in the store, as it was when it was stored."""

    container: str
    name: str
    size_bytes: int
    sha256: str


class Fault(StrEnum):
    """What can be wrong with an object."""

    MISSING = "missing"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True)
class Finding:
    """One object that is not as it should be; ``problem`` says why it could not be read."""

    container: str
    name: str
    fault: Fault
    problem: StoreError | None = None


@dataclass(frozen=True)
class Report:
    """The outcome: how much was looked at, and everything that was wrong."""

    objects: int
    size_bytes: int
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether the store holds just what it should."""
        return not self.findings


def verify(
    store: Store, expected: Iterable[Expected], *, looked_at: Callable[[Expected], object] = lambda _: None
) -> Report:
    """Read every expected object again and list what is missing, differs, cannot be read or should not be there.

    ``looked_at`` is called after each object. Takes as long as reading the disk; runs in the calling thread.
    """
    wanted = list(expected)
    findings: list[Finding] = []
    for item in wanted:
        findings.extend(_examine(store, item))
        looked_at(item)
    findings.extend(_unexpected(store, {(item.container, item.name) for item in wanted}))
    return Report(len(wanted), sum(item.size_bytes for item in wanted), tuple(findings))


def _examine(store: Store, item: Expected) -> Iterator[Finding]:
    try:
        if not store.matches(item.container, item.name, item.size_bytes, item.sha256):
            yield Finding(item.container, item.name, Fault.DIFFERS)
    except NoSuchObject:
        yield Finding(item.container, item.name, Fault.MISSING)
    except StoreError as problem:
        yield Finding(item.container, item.name, Fault.UNREADABLE, problem)


def _unexpected(store: Store, known: set[tuple[str, str]]) -> Iterator[Finding]:
    for container in store.list_containers():
        for name in store.list_objects(container):
            if (container, name) not in known:
                yield Finding(container, name, Fault.UNEXPECTED)
