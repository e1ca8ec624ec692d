"""Points that failed once are kept, and tried again with the tests: ``python campaign/run.py --kept``.

They stand in ``seeds.json``: the tier, the point and the seed as the report of the failing run names them, and why they
are kept.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec

FILE = Path(__file__).resolve().parent / "seeds.json"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point that is tried again."""

    tier: str
    point: str
    seed: int
    why: str


def kept() -> dict[str, list[Kept]]:
    """Give the kept points of each tier."""
    found: dict[str, list[Kept]] = defaultdict(list)
    for one in msgspec.json.decode(FILE.read_bytes(), type=list[Kept]):
        found[one.tier].append(one)
    return dict(found)
