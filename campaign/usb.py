"""T3: real USB in a machine under QEMU; the plug of a disk is pulled while it is read, at moments of the seed.

A point is a step of the machine's scenario, or one pulling: ``pulled/3`` is the third. They are of one run of one
machine, so all are tried together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bodyworn.migrations.run import upgrade
from bodyworn.models import Database
from outcome import Outcome, Plan, Size
from testbed.vm import depot, run, steps
from testbed.vm.kernel import Missing, kernel

NAME = "usb"

_PULLED = steps.the_plug_is_pulled_while_reading.__name__
_MOMENTS = {Size.SAMPLE: 1, Size.ORDINARY: 1, Size.FULL: 10}
#: Of the file that is read; before this nothing can be told apart, after it the copy may be whole.
_EARLIEST, _LATEST = 0.02, 0.9


def unavailable() -> str | None:
    """Say why this tier cannot run here."""
    if os.geteuid() != 0:
        return "the machine's root is this one's, which needs root"
    try:
        kernel()
    except Missing as missing:
        return str(missing)
    return None


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Run the machine once."""
    choice = plan.choice(NAME)
    moments = sorted(round(choice.uniform(_EARLIEST, _LATEST), 3) for _ in range(_MOMENTS[plan.size]))
    tables = plan.folder / "tables.db"
    database = Database.at(f"sqlite:///{tables}")
    upgrade(database.engine)
    database.close()
    with run.folder() as folder:
        said = {one["step"]: one for one in run.steps(kernel(), folder, tables, moments)}
        damage = {disk.name: depot.damage(folder / "share", disk) for disk in depot.DISKS}
        found = [*_steps(plan, said), *_pulled(plan, said, moments), _end(plan, said, damage, run.console(folder))]
    yield from (one for one in found if plan.wants(one.point))


def _steps(plan: Plan, said: Mapping[str, Mapping[str, Any]]) -> Iterator[Outcome]:
    for name, one in said.items():
        if name != "end":
            yield Outcome(
                NAME, name, not one["wrong"], stuck=int(bool(one["wrong"])), note=one["wrong"][-800:], seed=plan.seed
            )


def _pulled(plan: Plan, said: Mapping[str, Mapping[str, Any]], moments: Sequence[float]) -> Iterator[Outcome]:
    facts = said.get(_PULLED, {}).get("facts") or {}
    done = facts.get("pulled", [])
    for number, moment in enumerate(moments, 1):
        one = done[number - 1] if number <= len(done) else None
        unchanged = one is not None and one["evidence_unchanged"]
        yield Outcome(
            NAME,
            f"pulled/{number}",
            unchanged,
            wrong_deletes=int(one is not None and not unchanged),
            stuck=int(one is None),
            recovery_seconds=facts.get("seconds_to_finish") if number == len(moments) else None,
            note=f"at {moment:.0%} of the file" if one else f"at {moment:.0%} of the file: not come to",
            seed=plan.seed,
        )


def _end(plan: Plan, said: Mapping[str, Mapping[str, Any]], damage: Mapping[str, str], console: str) -> Outcome:
    """What arrived in all, and what the disks' own tools say of them afterwards."""
    facts = said.get("end", {}).get("facts")
    if facts is None:
        return Outcome(NAME, "end", False, stuck=1, note=console[-800:], seed=plan.seed)
    lost = len(set(facts["written"]) - set(facts["arrived"]))
    broken = [f"{name}: {what}" for name, what in damage.items() if what]
    note = "; ".join(broken) or f"{said['end'].get('up_seconds')} s of the machine's time"
    survived = not (lost or facts["parts"] or facts["breaks"] or broken)
    return Outcome(
        NAME,
        "end",
        survived,
        lost=lost,
        orphan_parts=facts["parts"],
        undetected_corruption=len(broken),
        note=note,
        seed=plan.seed,
    )
