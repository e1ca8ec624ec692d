"""Measure this product beside the tools that people would use instead: ``make bench``, or ``python bench/run.py``.

One module a subject; each gives rows. ``--full`` takes the sizes of the goals: 1 GiB clips, an 8 GiB one for
memory, a million recordings in lists.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docking
import lists
import machine
import memory
import offload
import table
import together
import upload
from measure import GIB, MIB, Plan, Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

SUBJECTS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "offload": offload.rows,
    "together": together.rows,
    "upload": upload.rows,
    "memory": memory.rows,
    "docking": docking.rows,
    "lists": lists.rows,
}


def main() -> None:
    """Measure what was asked for and print a table of it."""
    asked = _parser().parse_args()
    logging.basicConfig(level=logging.ERROR)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="bodyworn-bench-", dir=asked.folder))
    plan = _plan(asked, folder)
    try:
        described = machine.describe(folder)
        for key, value in described.items():
            print(f"{key:<12} {value}")
        print(f"\n{table.heading()}")
        rows = list(_measured(plan, asked.only or list(SUBJECTS)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{time.monotonic() - began:.0f} s")
    if asked.write:
        PAGE.write_text(table.page(rows, described, plan))
        print(f"written: {PAGE}")


def _measured(plan: Plan, names: list[str]) -> Iterator[Row]:
    for name in names:
        for row in SUBJECTS[name](plan):
            print(table.line(row), flush=True)
            yield row


def _plan(asked: argparse.Namespace, folder: Path) -> Plan:
    size_mib = asked.size or (1024 if asked.full else 256)
    return Plan(
        folder, size_mib * MIB, asked.runs, 8 * GIB if asked.full else 2 * GIB, 1_000_000 if asked.full else 100_000
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="measure this subject; may be repeated")
    parser.add_argument("--size", type=int, metavar="MIB", help="size of a clip (256)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each contestant (3)")
    parser.add_argument(
        "--full",
        action="store_true",
        help="the sizes of the goals: 1 GiB clips, 8 GiB for memory, a million recordings",
    )
    parser.add_argument("--folder", type=Path, help="disk to measure on (that of temporary files)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    return parser


if __name__ == "__main__":
    main()
