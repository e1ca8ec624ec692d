"""Measuring: wall time and CPU time of pieces of work that take turns, and the rows that come of it.

What is measured is in the module of each subject; how a table looks is in ``table``.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024**2
GIB = 1024**3
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")

Work = Callable[[], object]
#: Gives seconds of CPU time since some moment.
CpuClock = Callable[[], float]


@dataclass(frozen=True)
class Plan:
    """How much is measured; what a subject needs on disk it puts into ``folder`` and removes."""

    folder: Path
    clip_bytes: int
    runs: int
    #: Size of the large clip of the memory figures.
    large_bytes: int
    #: How many recordings lists are searched in.
    recordings: int


@dataclass(frozen=True)
class Contestant:
    """One way to do a piece of work. ``prepare`` and ``tidy`` are not timed."""

    name: str
    work: Work
    prepare: Work = lambda: None
    tidy: Work = lambda: None
    cpu_clock: CpuClock | None = None


@dataclass(frozen=True)
class Measured:
    """Medians of a contestant's runs, and the whole range of its times."""

    name: str
    seconds: float
    cpu_seconds: float
    least_seconds: float
    most_seconds: float

    def rate(self, size_bytes: int) -> float:
        """Give MiB a second."""
        return size_bytes / MIB / self.seconds

    def cpu_per_gib(self, size_bytes: int) -> float:
        """Give seconds of CPU time for each GiB."""
        return self.cpu_seconds / (size_bytes / GIB)


@dataclass(frozen=True)
class Goal:
    """What the figure of a row should be: at least, or at most; of the ratio where there is one."""

    bound: float
    at_most: bool = False
    unit: str = ""

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure is good enough, by the digits that are shown."""
        shown = round(figure, 2)
        return shown <= self.bound if self.at_most else shown >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}{' ' + self.unit if self.unit else ''}"


@dataclass(frozen=True)
class Row:
    """One line of the table, in words and figures that are ready to be shown; ``figure`` is what the goal is about."""

    what: str
    ours: str
    peer_name: str
    peer: str
    figure: float | None = None
    goal: Goal | None = None
    cpu: str = ""
    peer_cpu: str = ""
    notes: tuple[str, ...] = ()


def rate_row(
    what: str, ours: Measured, peer: Measured, size_bytes: int, goal: Goal | None, notes: Sequence[str] = ()
) -> Row:
    """Compare two rates for the same bytes."""
    return Row(
        what=what,
        ours=rate_text(ours, size_bytes),
        peer_name=peer.name,
        peer=rate_text(peer, size_bytes),
        figure=peer.seconds / ours.seconds,
        goal=goal,
        cpu=f"{ours.cpu_per_gib(size_bytes):.1f}",
        peer_cpu=f"{peer.cpu_per_gib(size_bytes):.1f}",
        notes=tuple(notes),
    )


def rate_text(measured: Measured, size_bytes: int) -> str:
    """Write a rate with its range."""
    slowest, fastest = (size_bytes / MIB / seconds for seconds in (measured.most_seconds, measured.least_seconds))
    return f"{measured.rate(size_bytes):.0f} MiB/s ({slowest:.0f}–{fastest:.0f})"


def compete(runs: int, *contestants: Contestant) -> list[Measured]:
    """Let contestants take turns, each time in the other order; each begins with nothing of its files in memory."""
    found: dict[str, list[tuple[float, float]]] = {one.name: [] for one in contestants}
    for run in range(runs):
        for one in contestants if run % 2 == 0 else reversed(contestants):
            found[one.name].append(_time(one))
    return [_median(name, samples) for name, samples in found.items()]


def drop_caches() -> None:
    """Write what is dirty, and forget what can be read again; only root can ask for the second."""
    os.sync()
    if can_drop_caches():
        _DROP_CACHES.write_text("3")


def can_drop_caches() -> bool:
    """Tell whether reads can be made to come from the device."""
    return os.access(_DROP_CACHES, os.W_OK)


def own_cpu() -> float:
    """Give CPU seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def cpu_of(*pids: int) -> CpuClock:
    """Make a clock of what other processes use, as far as they live."""

    def clock() -> float:
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        return sum(int(one[11]) + int(one[12]) for one in fields) / _CLOCK_TICKS

    return clock


def children(pid: int) -> set[int]:
    """List the processes that a process has started and not waited for."""
    lists = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return {int(child) for found in lists for child in found}


def _time(one: Contestant) -> tuple[float, float]:
    one.prepare()
    drop_caches()
    clock = one.cpu_clock or own_cpu
    began, cpu_began = time.monotonic(), clock()
    one.work()
    took = time.monotonic() - began, clock() - cpu_began
    one.tidy()
    return took


def _median(name: str, samples: Sequence[tuple[float, float]]) -> Measured:
    seconds = [one for one, _ in samples]
    return Measured(
        name, statistics.median(seconds), statistics.median(cpu for _, cpu in samples), min(seconds), max(seconds)
    )
