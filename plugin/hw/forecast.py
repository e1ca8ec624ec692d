"""When each waiting camera gets its turn, and when each is ready: the line played through with the rates measured.

Decides nothing. A camera goes on at the rate it has now; one that is yet to begin is taken to be like the others on
its bus. Where nothing was measured yet nothing is promised.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from .turns import Part, Place, Standing

#: A camera's recordings are put together into so many of each kind: a dock full of them is looked at every second.
_PARTS_AT_MOST = 6


@dataclass(frozen=True)
class Forecast:
    """What can be said of one bay; None where nobody can know."""

    waiting: bool
    turn_in_seconds: float | None
    ready_in_seconds: float | None


class Forecaster:
    """Remembers what buses were seen to carry."""

    def __init__(self) -> None:
        #: For each bus: the most cameras that were measured on it at a time, and what they brought together.
        self._capacity: dict[str, tuple[int, float]] = {}

    def look(self, places: Sequence[Place], limit: int) -> dict[str, Forecast]:
        """Say how it stands for every bay in the line."""
        self._measure(places)
        played = _Play(places, limit, {bus: total for bus, (_, total) in self._capacity.items()})
        played.run()
        return {
            place.bay_id: Forecast(
                waiting=not place.active,
                turn_in_seconds=None if place.active else played.turn_at.get(place.number),
                ready_in_seconds=played.ready_at.get(place.number),
            )
            for place in places
        }

    def _measure(self, places: Iterable[Place]) -> None:
        """One camera alone says how fast it is; several say what their bus carries."""
        rates: dict[str, list[float]] = {}
        for place in places:
            if place.active and place.bytes_per_second:
                rates.setdefault(place.bus, []).append(place.bytes_per_second)
        for bus, found in rates.items():
            if len(found) > 1 and len(found) >= self._capacity.get(bus, (0, 0.0))[0]:
                self._capacity[bus] = (len(found), sum(found))


class _Play:
    """The line from now on, as if nobody came and nobody went."""

    def __init__(self, places: Sequence[Place], limit: int, capacity: Mapping[str, float]) -> None:
        self._limit, self._capacity = limit, capacity
        self._places = {place.number: place for place in places}
        self._parts = {place.number: deque(_together(place.parts)) for place in places}
        self._active = {place.number for place in places if place.active and self._parts[place.number]}
        self._passed = {place.number: place.passed for place in places}
        self._rates = {place.number: rate for place in places if (rate := _expected(place, places))}
        self._now = 0.0
        self.turn_at: dict[int, float] = {}
        self.ready_at: dict[int, float] = {number: 0.0 for number, parts in self._parts.items() if not parts}

    def run(self) -> None:
        """Play until all are ready, or until somebody has a turn of whom nothing is known."""
        self._give()
        while self._active and all(number in self._rates for number in self._active):
            rates = self._shared()
            seconds = min(self._parts[number][0].size_bytes / rates[number] for number in self._active)
            self._now += seconds
            for number in sorted(self._active):
                self._read(number, seconds * rates[number])
            self._give()

    def _read(self, number: int, size_bytes: float) -> None:
        parts = self._parts[number]
        left = parts[0].size_bytes - size_bytes
        if left >= 1:
            parts[0] = Part(parts[0].urgent, int(left))
            return
        parts.popleft()
        self._active.discard(number)
        if not parts:
            self.ready_at[number] = self._now

    def _give(self) -> None:
        """Give turns as ``turns`` does."""
        waiting = [number for number, parts in self._parts.items() if parts and number not in self._active]
        busy = Counter(self._places[number].bus for number in self._active)
        fastest = max(self._rates.values(), default=0.0)
        while waiting and busy.total() < self._limit:
            chosen = min(waiting, key=lambda number: self._standing(number, fastest).rank(busy))
            waiting.remove(chosen)
            for other in waiting:
                self._passed[other] += other < chosen
            self._passed[chosen] = 0
            self._active.add(chosen)
            self.turn_at.setdefault(chosen, self._now)
            busy[self._places[chosen].bus] += 1

    def _standing(self, number: int, fastest: float) -> Standing:
        place, rate = self._places[number], self._places[number].bytes_per_second
        return Standing.of(number, place.bus, self._parts[number], (rate, fastest), self._passed[number])

    def _shared(self) -> dict[int, float]:
        """What each gets of its bus; a bus carries no more than it was seen to carry."""
        wanted: defaultdict[str, float] = defaultdict(float)
        for number in self._active:
            wanted[self._places[number].bus] += self._rates[number]
        share = {bus: min(1.0, self._capacity.get(bus, total) / total) for bus, total in wanted.items()}
        return {number: self._rates[number] * share[self._places[number].bus] for number in self._active}


def _expected(place: Place, others: Sequence[Place]) -> float | None:
    """Take a camera that was not measured yet to be like those on its bus, or like all."""
    if place.bytes_per_second:
        return place.bytes_per_second
    known = [(other.bus, other.bytes_per_second) for other in others if other.bytes_per_second]
    near = [rate for bus, rate in known if bus == place.bus] or [rate for _, rate in known]
    return sum(near) / len(near) if near else None


def _together(parts: Sequence[Part]) -> list[Part]:
    """Put recordings of one kind together, except the one in hand, so that the play has few steps."""
    found = list(parts[:1])
    for urgent, alike in groupby(parts[1:], key=lambda part: part.urgent):
        sizes = [part.size_bytes for part in alike]
        step = -(-len(sizes) // _PARTS_AT_MOST)
        found += [Part(urgent, sum(sizes[at : at + step])) for at in range(0, len(sizes), step)]
    return [part for part in found if part.size_bytes > 0]
