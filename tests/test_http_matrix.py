"""A sample of all answers and faults that ``make campaign`` puts in a recording's way: nothing is lost, all arrives.

The seed is printed and can be given in ``BODYWORN_HTTP_SEED``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import http_cells
import http_faults
import pytest
from bodyworn.errors import describe
from fake_destination import FakeDestination
from http_cells import CELLS, STATUSES, Moment
from http_faults import FAULTS
from http_trial import Asked, Times
from http_yard import ScriptedGround, SwiftGround
from outcome import Outcome, Plan, Size
from swift_node import Swift

pytest_plugins = ["swift_server"]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    seed = int(os.environ.get("BODYWORN_HTTP_SEED") or random.randrange(2**32))
    print(f"BODYWORN_HTTP_SEED={seed}")
    return Plan(Size.SAMPLE, seed, tmp_path)


@pytest.fixture
def scripted() -> Iterator[ScriptedGround]:
    with FakeDestination() as fake:
        yield ScriptedGround(fake)


def failures(outcomes: Iterator[Outcome]) -> list[str]:
    found = list(outcomes)
    print(*(outcome.point for outcome in found), sep="\n")
    assert found
    return [f"{outcome.point}: {outcome}" for outcome in found if not outcome.survived]


@pytest.mark.feature("REC-3")
def test_whatever_is_answered_a_recording_arrives_whole_or_stays_here(plan: Plan, scripted: ScriptedGround) -> None:
    assert failures(http_cells.on(plan, "fake", scripted)) == []


@pytest.mark.feature("DST-1")
def test_the_same_before_a_real_swift(plan: Plan, swift: Swift) -> None:
    assert failures(http_cells.on(plan, "swift", SwiftGround(swift))) == []


def test_a_destination_that_breaks_the_protocol_is_noticed_and_gets_everything_later(
    plan: Plan, scripted: ScriptedGround
) -> None:
    assert failures(http_faults.on(plan, "fake", scripted)) == []


def test_the_campaign_gives_every_status_to_every_request_at_every_moment() -> None:
    cells = {(cell.status, cell.asked, cell.moment) for cell in CELLS if cell.times is Times.ONCE}
    assert cells == set(product(STATUSES, Asked, Moment))
    assert len(cells) == 252
    assert len({fault.name for fault in FAULTS}) >= 20


def test_every_problem_that_an_answer_may_leave_has_its_sentence() -> None:
    problems = {problem for cell in CELLS for problem in http_cells.expected(cell).problems}
    problems |= {problem for fault in FAULTS for problem in fault.problems}
    assert {describe(problem).id for problem in problems if problem is not None} == problems - {None}
