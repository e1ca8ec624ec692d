"""What a tier of the campaign is asked for and what it answers: one outcome for each point at which something broke.

A tier is a module with ``NAME``, ``unavailable()``, which says why it cannot run here, and ``outcomes(plan)``. How
outcomes become figures is in :mod:`report`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


class Size(StrEnum):
    """How much of a tier is tried: seconds in the tests, minutes before a merge, hours before a release."""

    SAMPLE = "sample"
    ORDINARY = "ordinary"
    FULL = "full"


@dataclass(frozen=True)
class Plan:
    """What a tier is to do. ``folder`` is its own and empty; ``lanes`` is how much it may do at the same time."""

    size: Size
    seed: int
    folder: Path
    #: Try the one point of this name, whatever the size.
    only: str | None = None
    lanes: int = 2

    def wants(self, point: str) -> bool:
        """Tell whether a point is asked for."""
        return self.only in (None, point)

    def chosen(self, found: list[Named], salt: str, *, sampled: bool) -> list[Named]:
        """Choose from the points of a group: what is asked for; of a sample one, where the group is ``sampled``."""
        if self.size is Size.SAMPLE and self.only is None:
            return self.choice(salt).sample(found, 1) if sampled else []
        return [point for point in found if self.wants(point.name)]

    def choice(self, salt: str = "") -> random.Random:
        """Give the source of this run's choices: the same for the same seed and the same salt."""
        return random.Random(f"{self.seed}/{salt}")


@dataclass(frozen=True)
class Outcome:
    """What came of one point; ``survived`` needs every count to be nought."""

    tier: str
    point: str
    survived: bool
    lost: int = 0
    wrong_deletes: int = 0
    undetected_corruption: int = 0
    duplicate_objects: int = 0
    key_clip_mismatch: int = 0
    orphan_parts: int = 0
    stuck: int = 0
    #: From the new start to the end of everything that was interrupted; None where nothing was started again.
    recovery_seconds: float | None = None
    note: str = ""
    seed: int | None = None
    #: Whether the point was come to at all; runs differ, and a point that this one did not have counts for nothing.
    reached: bool = True


class Tier(Protocol):
    """One way of breaking things."""

    #: A tier whose work may lie in memory has ``IN_MEMORY = True`` as well.
    NAME: str

    def unavailable(self) -> str | None:
        """Say why this tier cannot run here; None if it can."""

    def outcomes(self, plan: Plan) -> Iterator[Outcome]:
        """Try the points that the plan asks for, one after the other or in lanes."""
