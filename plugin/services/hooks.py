"""What other packages hook in by entry points, and their faults: noticed, logged once, and never passed on.

The group of an entry point says what it is (a receiver of signals, a panel, a form section), its name says where it
belongs. What may stand there is decided by whoever loads the group. Camera drivers have a registry of their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

log = logging.getLogger(__name__)

#: A package may not end the process either.
_FAILURES = (Exception, SystemExit)
#: A fault that goes on is told again after this time.
TOLD_AGAIN: Final = timedelta(hours=1)
_REST_SECONDS = 60.0


@dataclass(frozen=True)
class Fault:
    """What a package got wrong."""

    package: str
    #: Group and name of the entry point.
    hook: str
    reason: str
    at: datetime
    #: True for what cannot be used until the process starts anew.
    lasting: bool = False


class Faults:
    """The faults of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], Fault] = {}
        self._told: dict[tuple[str, str], datetime] = {}

    def note(self, fault: Fault, error: BaseException | None = None) -> None:
        """Take note of a fault; the first of each hook is logged."""
        key = (fault.package, fault.hook)
        with self._lock:
            is_new = key not in self._found
            self._found[key] = fault
        if is_new:
            log.warning("%s of the package %s failed: %s", fault.hook, fault.package, fault.reason, exc_info=error)

    def due(self, now: datetime) -> list[Fault]:
        """Give what others should be told of: what is new, and now and then what goes on."""
        with self._lock:
            current = [replace(fault, at=now) if fault.lasting else fault for fault in self._found.values()]
            return [fault for fault in current if self._is_due(fault)]

    def told(self, faults: Iterable[Fault]) -> None:
        """Take note that others were told of these."""
        with self._lock:
            self._told.update({(fault.package, fault.hook): fault.at for fault in faults})

    def _is_due(self, fault: Fault) -> bool:
        told = self._told.get((fault.package, fault.hook))
        return told is None or fault.at - told >= TOLD_AGAIN


@dataclass
class Hook:
    """Something that a package hooked in."""

    package: str
    group: str
    name: str
    value: Any
    faults: Faults
    _rests_until: float = field(default=0.0, init=False)

    @property
    def rests(self) -> bool:
        """Tell whether it is left out for a while, because it kept people waiting."""
        return time.monotonic() < self._rests_until

    @contextmanager
    def guarded(self, slow_seconds: float) -> Iterator[None]:
        """Do something of the package: whatever it raises ends the block and no more, and being slow is a fault."""
        began = time.monotonic()
        try:
            yield
        except _FAILURES as error:
            self.failed(_reason(error), error)
        took = time.monotonic() - began
        if took > slow_seconds:
            self._rests_until = time.monotonic() + _REST_SECONDS
            self.failed(f"it took {took:.1f} s, more than the {slow_seconds:.0f} s it has")

    def failed(self, reason: str, error: BaseException | None = None) -> None:
        """Take note that it failed."""
        self.faults.note(_fault(self.package, self.group, self.name, reason), error)


def load(
    group: str, check: Callable[[EntryPoint, Any], None], faults: Faults, found: Iterable[EntryPoint] | None = None
) -> list[Hook]:
    """Load what is installed in a group, in the order of packages and names.

    ``check`` is given each entry point with its value and raises ``ValueError`` or ``TypeError`` for what cannot be
    there. ``found`` takes the place of the installation's entry points. What cannot be used becomes a fault.
    """
    hooks = []
    points = entry_points(group=group) if found is None else found
    for point in sorted(points, key=lambda point: (package_of(point), point.name, point.value)):
        try:
            value = point.load()
            check(point, value)
        except _FAILURES as error:
            fault = _fault(package_of(point), group, point.name, _reason(error))
            faults.note(replace(fault, lasting=True), error)
        else:
            hooks.append(Hook(package_of(point), group, point.name, value, faults))
    return hooks


def package_of(point: EntryPoint) -> str:
    """Name the package that brings an entry point, as it was installed."""
    return point.dist.name if point.dist else module_of(point)


def module_of(point: EntryPoint) -> str:
    """Name the top-level module of an entry point."""
    return point.module.partition(".")[0]


def _fault(package: str, group: str, name: str, reason: str) -> Fault:
    return Fault(package[:200], f"{group}: {name}"[:200], reason, datetime.now(UTC))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
