"""The table of all rows: on the terminal while it grows, and as the page ``docs/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from measure import MIB, Plan, Row

_HEAD = ("What", "Ours", "Peer", "Figure", "Goal", "", "CPU s/GiB", "peer's")

_PAGE = """\
# Benchmarks

Written by `make bench BENCH=--write`. Every figure stands beside that of the tools that people would use instead,
measured in the same run: medians of {runs} runs in which the contestants take turns, with the slowest and the fastest
in brackets. Rates are of the recordings' own bytes. *Figure* is the ratio of the two rates (above 1: ours is faster),
or what the goal names. Clips are {clip} MiB each, those that are uploaded at most 128.
Measured on {day}.

{machine}

{table}

## What was measured

{notes}
"""


def line(row: Row) -> str:
    """Write a row for the terminal."""
    what, ours, peer, figure, goal, verdict, cpu, peer_cpu = _cells(row)
    return f"{what:<38} {ours:<26} {peer:<52} {figure:>6}  {goal:<18} {verdict:<8} {cpu:>5} {peer_cpu:>6}".rstrip()


def heading() -> str:
    """Write the head of the terminal's table."""
    what, ours, peer, figure, goal, verdict, cpu, peer_cpu = _HEAD
    return f"{what:<38} {ours:<26} {peer:<52} {figure:>6}  {goal:<18} {verdict:<4} {cpu:>9} {peer_cpu:>6}"


def page(rows: Iterable[Row], machine: Mapping[str, str], plan: Plan) -> str:
    """Write the page."""
    rows = list(rows)
    return _PAGE.format(
        runs=plan.runs,
        clip=plan.clip_bytes // MIB,
        day=f"{datetime.now(UTC):%-d %B %Y}",
        machine=_markdown(("Machine", ""), machine.items()),
        table=_markdown(_HEAD, map(_cells, rows)),
        notes="\n".join(
            f"- **{row.what}**, {row.peer_name or 'alone'}: {' '.join(row.notes)}" for row in rows if row.notes
        ),
    )


def _cells(row: Row) -> tuple[str, ...]:
    figure = "" if row.figure is None else f"{row.figure:.2f}"
    peer = f"{row.peer_name}: {row.peer}" if row.peer_name else ""
    verdict = "" if row.goal is None or row.figure is None else "met" if row.goal.is_met(row.figure) else "NOT met"
    return row.what, row.ours, peer, figure, str(row.goal or ""), verdict, row.cpu, row.peer_cpu


def _markdown(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    written = [head, ("---",) * len(head), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in written)
