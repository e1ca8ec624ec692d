"""Several cameras at once against one: on one disk two share it, and slow cameras do not hold each other up."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Contestant, Goal, Measured, Plan, Row, compete, rate_text
from stage import Stage, staged

CAMERAS = 4
CLIPS = 2
SLOW_CLIPS = 4
SLOW_BYTES_PER_SECOND = 40_000_000

_TWO_NOTE = (
    f"{CLIPS} clips a camera. Both on one disk and two cores, which one camera alone nearly fills (decision 34)."
)
_FOUR_NOTE = (
    f"{SLOW_CLIPS} clips of a quarter of the size a camera, read no faster than 40 MB/s, as over USB 2; the reader is "
    "throttled within the bench. The proofs of the four last clips come at the same time."
)


def rows(plan: Plan) -> Iterator[Row]:
    """Measure both."""
    yield _two(plan)
    yield _four(plan)


def _two(plan: Plan) -> Row:
    with staged(plan.folder / "two", cameras=2, clips=CLIPS, clip_bytes=plan.clip_bytes) as stage:
        both, one = compete(plan.runs, _contestant(stage, 2, None), _contestant(stage, 1, None))
    return _row("Offload of two cameras at once", both, one, 2, stage, Goal(0.95), _TWO_NOTE)


def _four(plan: Plan) -> Row:
    clip_bytes = plan.clip_bytes // SLOW_CLIPS
    with staged(plan.folder / "four", cameras=CAMERAS, clips=SLOW_CLIPS, clip_bytes=clip_bytes) as stage:
        four, one = compete(
            plan.runs,
            _contestant(stage, CAMERAS, SLOW_BYTES_PER_SECOND),
            _contestant(stage, 1, SLOW_BYTES_PER_SECOND),
        )
    what = f"Offload of {CAMERAS} cameras at 40 MB/s each"
    return _row(what, four, one, CAMERAS, stage, Goal(3.8), _FOUR_NOTE)


def _contestant(stage: Stage, count: int, bytes_per_second: int | None) -> Contestant:
    return Contestant(f"{count} at once", lambda: stage.offload(count, bytes_per_second), tidy=stage.forget)


def _row(what: str, several: Measured, one: Measured, count: int, stage: Stage, goal: Goal, note: str) -> Row:
    one_bytes = stage.size_bytes // len(stage.guests)
    total_bytes = one_bytes * count
    return Row(
        what=what,
        ours=rate_text(several, total_bytes),
        peer_name="one camera alone",
        peer=rate_text(one, one_bytes),
        figure=several.rate(total_bytes) / one.rate(one_bytes),
        goal=goal,
        cpu=f"{several.cpu_per_gib(total_bytes):.1f}",
        peer_cpu=f"{one.cpu_per_gib(one_bytes):.1f}",
        notes=(note,),
    )
