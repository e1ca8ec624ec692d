"""Disks of hostile and broken cameras: generated trees of files, and real file systems with bits that turned over.

Each is seen through by the real driver and the real offload. A point is ``tree/SEED``, or ``exfat/SEED`` and
``vfat/SEED`` for an image; nothing else decides what is in it, so a point is the same in every run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import alone
import controllers  # noqa: F401 - first of all, because it mounts the plugin
import hostile_images
import hostile_visit
import loops
from hostile_trees import TREES
from hostile_visit import Visitor
from outcome import Outcome, Plan, Size

NAME = "volumes"

_TREES = {Size.SAMPLE: 8, Size.ORDINARY: TREES, Size.FULL: TREES}
_IMAGES = {Size.SAMPLE: 4, Size.ORDINARY: 200, Size.FULL: 5_000}
_WIDE = {Size.SAMPLE: 500, Size.ORDINARY: 5_000, Size.FULL: 100_000}
#: A process that looked at this many has shown by its memory whether it keeps anything of them.
_MOST_RESIDENT_BYTES = 200 * 2**20


def unavailable() -> str | None:
    """Say why this tier cannot run here; None if it can."""
    return loops.unavailable("mkfs.vfat", "mkfs.exfat")


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try the points that the plan asks for, in a process with mounts of its own."""
    return alone.outcomes(NAME, plan)


def tried(plan: Plan) -> Iterator[Outcome]:
    """Visit what the plan asks for."""
    logging.disable(logging.CRITICAL)
    home = plan.folder / "home"
    home.mkdir()
    visitor = hostile_visit.new_visitor(home)
    for seed in plan.choice("trees").sample(range(TREES), _TREES[plan.size]):
        if plan.wants(f"tree/{seed}"):
            yield _outcome(f"tree/{seed}", hostile_visit.visit_tree(visitor, plan.folder, seed, wide=_WIDE[plan.size]))
    for filesystem in hostile_images.MAKERS:
        yield from _images(plan, visitor, filesystem)
    if plan.only is None:
        used_bytes = hostile_visit.most_used_bytes()
        faults = [f"{used_bytes} bytes of memory"] if used_bytes > _MOST_RESIDENT_BYTES else []
        yield _outcome("memory", faults, f"{used_bytes // 2**20} MiB at most")


def _images(plan: Plan, visitor: Visitor, filesystem: str) -> Iterator[Outcome]:
    seeds = [seed for seed in range(_IMAGES[plan.size]) if plan.wants(f"{filesystem}/{seed}")]
    if not seeds:
        return
    healthy, target = plan.folder / f"{filesystem}.img", plan.folder / "mount"
    try:
        hostile_images.make(filesystem, healthy, target)
    except hostile_images.NoImages as reason:
        yield _outcome(f"{filesystem}/none", [], f"not tried: {reason}")
        return
    for seed in seeds:
        image = hostile_images.mutated(healthy, filesystem, Path(f"{healthy}.{seed}"), seed)
        became, faults = hostile_images.visit_image(visitor, image, filesystem, target)
        # what the checker has mended is a disk like any other
        was_damaged = hostile_images.mended(image, filesystem)
        again, more = hostile_images.visit_image(visitor, image, filesystem, target)
        image.unlink()
        note = f"{became}; {'mended' if was_damaged else 'found healthy'}, then {again}"
        yield _outcome(f"{filesystem}/{seed}", [*faults, *more], note)


def _outcome(point: str, faults: list[str], note: str = "") -> Outcome:
    return Outcome(NAME, point, survived=not faults, stuck=len(faults), note="; ".join(faults) or note)
