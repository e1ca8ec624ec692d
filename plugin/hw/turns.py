"""Whose turn it is to be offloaded: at most so many cameras at a time, evidence first, spread over the buses.

A camera stands in line with all that it brings and gives its turn back after each recording, so that a protected
recording of another camera waits for one recording and not for a whole camera. When somebody's turn will come is
``forecast``; what a turn is used for is ``intake``.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import CameraGone

LIMIT = 8
#: Whoever was passed by so often goes next, whatever the others bring.
PASSED_AT_MOST = 16
#: A camera that is slower than the fastest by this factor lets others go first, between two recordings.
_SLOW_FACTOR = 4.0
_CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class Part:
    """A recording that is to be taken."""

    #: Bookmarked or protected.
    urgent: bool
    size_bytes: int


@dataclass(frozen=True)
class Standing:
    """What decides between cameras that wait."""

    #: Whoever came first has the lower number.
    number: int
    bus: str
    urgent: bool
    slow: bool
    passed: int

    @classmethod
    def of(
        cls,
        number: int,
        bus: str,
        parts: deque[Part],
        rates: tuple[float | None, float],
        passed: int,
    ) -> Standing:
        """Judge a camera by what it brings next and how fast it is; ``rates`` are its own and the fastest camera's."""
        own, fastest = rates
        slow = own is not None and own * _SLOW_FACTOR < fastest
        return cls(number, bus, bool(parts) and parts[0].urgent, slow, passed)

    def rank(self, busy: Mapping[str, int]) -> tuple[bool, bool, bool, int, int]:
        """Sort by what matters: patience at its end, evidence, speed, an idle bus, who came first.

        ``busy`` counts the cameras that are being offloaded on each bus.
        """
        return (self.passed < PASSED_AT_MOST, not self.urgent, self.slow, busy.get(self.bus, 0), self.number)


@dataclass(frozen=True)
class Place:
    """A camera's place in the line, as it is now."""

    number: int
    bay_id: str
    bus: str
    #: What is left, in its order; of the first only what was not read yet.
    parts: Sequence[Part]
    active: bool
    bytes_per_second: float | None
    passed: int = 0


class Line:
    """One camera's place in the line; made by :meth:`Turns.line`, used by that camera's thread."""

    def __init__(self, turns: Turns, number: int, bay_id: str, bus: str, parts: Iterable[Part]) -> None:
        self._turns = turns
        self.number, self.bay_id, self.bus = number, bay_id, bus
        self.parts = deque(parts)
        self.active = False
        self.passed = 0
        #: Bytes of the part in hand that have been read.
        self.read_bytes = 0
        #: Of the last minute in which it had turns; None until it is known.
        self.bytes_per_second: float | None = None

    def wait(self, check: Callable[[], None]) -> None:
        """Wait for a turn; returns at once where there is one. ``check`` may raise that the camera is gone."""
        self._turns.wait(self, check)

    def read(self, size_bytes: int) -> None:
        """Count what was read of the part in hand."""
        self.read_bytes += size_bytes

    def done(self) -> None:
        """Give the turn back after a part; whether there is another at once depends on who waits."""
        self._turns.done(self)

    def bring(self, parts: Iterable[Part]) -> None:
        """Replace what is to be taken: some of it turned out to be another controller's."""
        self.parts = deque(parts)

    def place(self) -> Place:
        """Describe it for a forecast."""
        parts = list(self.parts)
        if parts:
            parts[0] = Part(parts[0].urgent, max(parts[0].size_bytes - self.read_bytes, 0))
        return Place(self.number, self.bay_id, self.bus, parts, self.active, self.bytes_per_second, self.passed)

    def standing(self, fastest: float) -> Standing:
        """Give what decides about its next turn; ``fastest`` is what the fastest camera was seen to bring a second."""
        return Standing.of(self.number, self.bus, self.parts, (self.bytes_per_second, fastest), self.passed)


class Turns:
    """The turns of one controller; any thread may ask."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lines: list[Line] = []
        self._numbers = 0
        self._fastest = 0.0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many cameras may be offloaded at a time."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        """Hold at once, except that nobody in the middle of a recording is interrupted."""
        with self._changed:
            self._limit = max(limit, 1)
            self._give()

    @contextmanager
    def line(self, bay_id: str, bus: str, parts: Iterable[Part]) -> Iterator[Line]:
        """Stand in line for the block's time. ``bus`` is what the bay shares with others."""
        with self._changed:
            self._numbers += 1
            line = Line(self, self._numbers, bay_id, bus, parts)
            self._lines.append(line)
        try:
            yield line
        finally:
            with self._changed:
                self._lines.remove(line)
                self._give()

    def wait(self, line: Line, check: Callable[[], None]) -> None:
        """Wait until it is a line's turn.

        :raises CameraGone: when the controller ends; whatever ``check`` raises.
        """
        with self._changed:
            self._give()
        while True:
            with self._changed:
                if self._closed:
                    raise CameraGone
                if line.active or self._changed.wait_for(lambda: line.active or self._closed, _CHECK_SECONDS):
                    if self._closed:
                        raise CameraGone
                    return
            check()

    def done(self, line: Line) -> None:
        """Take a part off a line, and give its turn to whoever is next; that may be the same camera."""
        with self._changed:
            if line.parts:
                line.parts.popleft()
            line.read_bytes, line.active = 0, False
            self._give()

    def close(self) -> None:
        """Give no more turns; whoever waits is told that it is over."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def lines(self) -> list[Line]:
        """List the lines as they are now, in the order in which they came."""
        with self._changed:
            return list(self._lines)

    def _give(self) -> None:
        """Give free turns away; the caller holds the lock. A line waits unless it is active or has nothing left."""
        waiting = [one for one in self._lines if not one.active and one.parts]
        busy = Counter(one.bus for one in self._lines if one.active)
        self._fastest = max(self._fastest, *(one.bytes_per_second or 0.0 for one in self._lines), 0.0)
        while waiting and busy.total() < self._limit:
            chosen = min(waiting, key=lambda one: one.standing(self._fastest).rank(busy))
            waiting.remove(chosen)
            for other in waiting:
                other.passed += other.number < chosen.number
            chosen.active, chosen.passed = True, 0
            busy[chosen.bus] += 1
        self._changed.notify_all()
