"""Break things on purpose, everywhere, and count what is lost: ``make campaign``, or ``python campaign/run.py``.

One module a tier; docs/campaign.md says what each breaks and how. The exit code is 0 only when every point survived.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import logging
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

FOLDER = Path(__file__).resolve().parent
TESTS = FOLDER.parent / "tests"
# Processes that are forked for controllers begin without this module's own path.
sys.path[:0] = [str(path) for path in (FOLDER, TESTS) if str(path) not in sys.path]
os.environ["PYTHONPATH"] = os.pathsep.join([str(FOLDER), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])

import conftest  # noqa: E402, F401 - mounts the plugin of this folder, whatever else is installed
import report  # noqa: E402
import seeds  # noqa: E402
from outcome import Outcome, Plan, Size, Tier  # noqa: E402

_MEMORY = Path("/dev/shm")
_LEAST_MEMORY_BYTES = 2 * 1024**3

#: In the order in which they run: the quick ones first.
TIERS = (
    "bits",
    "hooks",
    "http_cells",
    "http_faults",
    "syscalls",
    "full_disk",
    "kernel_errors",
    "yank",
    "power",
    "network",
    "volumes",
    "usb",
)


def main() -> int:
    """Run what was asked for, print a table of it, and say whether all is well."""
    asked = _parser().parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    # Whoever ends a run ends its controllers as well, and its folder goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began, started_at = time.monotonic(), datetime.now(UTC)
    print(f"size {asked.size}, seed {asked.seed}, lanes {asked.lanes}", flush=True)
    by_tier: dict[str, list[Outcome]] = {}
    unavailable: dict[str, str] = {}
    end = began + asked.minutes * 60 if asked.minutes else None
    for name, wishes in _wishes(asked).items():
        tier = find_tier(name)
        reason = tier.unavailable() if tier else "there is no such module"
        if tier is None or reason:
            unavailable[name] = reason or ""
            print(f"{name}: not run, {reason}", flush=True)
            continue
        by_tier[name] = [one for wish in wishes for one in run_tier(tier, asked, wish, end)]
    print(report.table(by_tier, unavailable))
    seconds = round(time.monotonic() - began, 1)
    about = {"size": asked.size, "seed": asked.seed, "lanes": asked.lanes, "only": asked.only, "seconds": seconds}
    document = report.document(by_tier, unavailable, started_at=started_at.isoformat(), **about, machine=_machine())
    if asked.out:
        asked.out.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if all(map(report.is_clean, by_tier.values())) else 1


@dataclass(frozen=True)
class Wish:
    """What to try of a tier: what its size says, or one point."""

    seed: int
    only: str | None


def _wishes(asked: argparse.Namespace) -> dict[str, list[Wish]]:
    """List what is to be tried of each tier."""
    if not asked.kept:
        return {name: [Wish(asked.seed, asked.only)] for name in asked.tier or TIERS}
    return {
        name: [Wish(one.seed, one.point) for one in points]
        for name, points in seeds.kept().items()
        if name in (asked.tier or TIERS)
    }


def find_tier(name: str) -> Tier | None:
    """Import the module of a tier; None where there is none."""
    if importlib.util.find_spec(name) is None:
        return None
    return cast(Tier, importlib.import_module(name))


def run_tier(tier: Tier, asked: argparse.Namespace, wish: Wish, end: float | None) -> list[Outcome]:
    """Run one tier in a folder of its own, and say how far it is; what it left undone at ``end`` stays undone."""
    folder = Path(tempfile.mkdtemp(prefix=f"bodyworn-{tier.NAME}-", dir=asked.folder or _place(tier)))
    plan = Plan(Size(asked.size), wish.seed, folder, wish.only, asked.lanes)
    found: list[Outcome] = []
    began = said = time.monotonic()
    points = tier.outcomes(plan)
    try:
        for one in points:
            found.append(one)
            if not one.survived:
                print(f"FAILED {one.tier} {one.point}: {one.note}", flush=True)
            if time.monotonic() - said > 10:
                said = time.monotonic()
                print(_progress(tier.NAME, found, said - began), flush=True)
            if end is not None and time.monotonic() > end:
                print(f"{tier.NAME}: stopped, the time is over", flush=True)
                break
    finally:
        if close := getattr(points, "close", None):
            close()
        shutil.rmtree(folder, ignore_errors=True)
    print(_progress(tier.NAME, found, time.monotonic() - began), flush=True)
    return found


def _place(tier: Tier) -> Path | None:
    """Work in memory where the kernel lives on: whoever is killed leaves everything in its cache anyway."""
    in_memory = getattr(tier, "IN_MEMORY", False) and os.access(_MEMORY, os.W_OK)
    return _MEMORY if in_memory and shutil.disk_usage(_MEMORY).free > _LEAST_MEMORY_BYTES else None


def _progress(name: str, found: list[Outcome], seconds: float) -> str:
    survived = sum(one.survived for one in found)
    return f"{name}: {len(found)} points, {survived} survived, {seconds:.0f} s"


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", choices=list(Size), default=Size.ORDINARY, help="how much is tried (ordinary)")
    parser.add_argument("--tier", action="append", choices=TIERS, help="run this tier; may be repeated")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeat the choices of another run")
    parser.add_argument("--only", metavar="POINT", help="try this point alone, as a run named it")
    parser.add_argument("--kept", action="store_true", help="try the points that failed once (campaign/seeds.json)")
    parser.add_argument("--lanes", type=int, default=4, help="systems that are broken at the same time (4)")
    parser.add_argument("--minutes", type=float, help="end after this time, wherever it is")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the figures here")
    parser.add_argument(
        "--folder", type=Path, help="disk to work on (memory where that is as good, else that of temporary files)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
