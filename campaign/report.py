"""Outcomes become figures: those of C5, for each tier and in all, as JSON and as a table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from outcome import Outcome

#: Every one of these has to be nought.
COUNTS = (
    "lost",
    "wrong_deletes",
    "undetected_corruption",
    "duplicate_objects",
    "key_clip_mismatch",
    "orphan_parts",
    "stuck",
)
_HEADINGS = (
    "tier",
    "points",
    "survived",
    "lost",
    "deleted",
    "corrupt",
    "double",
    "key",
    "parts",
    "stuck",
    "p50",
    "max",
)
_LONGEST_NOTE = 1000


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Count what came of points; times are seconds from the new start to the end of what was interrupted."""
    reached = [one for one in outcomes if one.reached or not one.survived]
    times = sorted(one.recovery_seconds for one in outcomes if one.recovery_seconds is not None)
    return {
        "points_total": len(reached),
        "points_survived": sum(one.survived for one in reached),
        **{name: sum(int(getattr(one, name)) for one in outcomes) for name in COUNTS},
        "recovery_s": {
            "p50": round(statistics.median(times), 2) if times else None,
            "max": round(times[-1], 2) if times else None,
        },
        "cycles": len(outcomes),
        "not_reached": len(outcomes) - len(reached),
        "seeds": sorted({one.seed for one in outcomes if one.seed is not None}),
        "failing": [_failing(one) for one in outcomes if not one.survived],
    }


def document(
    by_tier: Mapping[str, Sequence[Outcome]], unavailable: Mapping[str, str], **about: object
) -> dict[str, Any]:
    """Put everything together that is known of a run; ``about`` says what was asked for and on what machine."""
    everything = [one for outcomes in by_tier.values() for one in outcomes]
    return {
        **about,
        "all": figures(everything),
        "tiers": {name: figures(outcomes) for name, outcomes in by_tier.items()},
        "unavailable": dict(unavailable),
    }


def is_clean(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether every point survived."""
    return all(one.survived for one in outcomes)


def table(by_tier: Mapping[str, Sequence[Outcome]], unavailable: Mapping[str, str]) -> str:
    """Lay the figures out for people: a line a tier, one for all, and then each point that failed."""
    rows = [_HEADINGS, *(_row(name, outcomes) for name, outcomes in by_tier.items())]
    everything = [one for outcomes in by_tier.values() for one in outcomes]
    rows.append(_row("all", everything))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [" ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += [f"{name}: not run, {reason}" for name, reason in unavailable.items()]
    lines += [f"FAILED {one.tier} {one.point}: {one.note[:_LONGEST_NOTE]}" for one in everything if not one.survived]
    return "\n".join(lines)


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    found = figures(outcomes)
    counts = [found["points_total"], found["points_survived"], *(found[count] for count in COUNTS)]
    times = [found["recovery_s"]["p50"], found["recovery_s"]["max"]]
    return (name, *map(str, counts), *("-" if time is None else f"{time:.2f}" for time in times))


def _failing(one: Outcome) -> dict[str, Any]:
    counts = {name: getattr(one, name) for name in COUNTS if getattr(one, name)}
    return {"tier": one.tier, "point": one.point, "seed": one.seed, **counts, "note": one.note[:_LONGEST_NOTE]}
