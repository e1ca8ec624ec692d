"""When each bay is ready: the line played through with what was measured, and nothing promised that nobody knows."""

from __future__ import annotations

import pytest
from bodyworn.hw.forecast import Forecaster
from bodyworn.hw.turns import Part, Place

MB = 1_000_000


def place(
    name: str, *sizes_mb: int, rate: float | None = None, active: bool = False, number: int = 0, bus: str = ""
) -> Place:
    """Put a camera in line; a negative size is evidence."""
    parts = [Part(size < 0, abs(size) * MB) for size in sizes_mb]
    return Place(number or ord(name[0]), name, bus or name, parts, active, rate)


@pytest.mark.feature("REC-1")
def test_who_has_a_turn_is_ready_at_its_own_rate() -> None:
    found = Forecaster().look([place("A", 100, 300, rate=4 * MB, active=True)], limit=8)["A"]
    assert (found.waiting, found.turn_in_seconds) == (False, None)
    assert found.ready_in_seconds == pytest.approx(100)


@pytest.mark.feature("REC-1")
def test_who_waits_is_told_when_its_turn_comes_and_when_it_is_ready() -> None:
    line = [place("A", 400, rate=4 * MB, active=True), place("B", 200), place("C", 100)]
    found = Forecaster().look(line, limit=1)
    assert found["B"].waiting
    assert (found["B"].turn_in_seconds, found["B"].ready_in_seconds) == pytest.approx((100, 150))
    assert (found["C"].turn_in_seconds, found["C"].ready_in_seconds) == pytest.approx((150, 175))


def test_evidence_that_waits_delays_who_has_a_turn() -> None:
    line = [place("A", 40, 400, rate=4 * MB, active=True), place("B", -200, 100)]
    found = Forecaster().look(line, limit=1)
    assert (found["B"].turn_in_seconds, found["A"].ready_in_seconds) == pytest.approx((10, 160))
    assert found["B"].ready_in_seconds == pytest.approx(185)


def test_nothing_is_promised_before_anything_was_measured() -> None:
    found = Forecaster().look([place("A", 400, active=True), place("B", 200)], limit=1)
    assert {one.ready_in_seconds for one in found.values()} == {None}
    assert found["B"].turn_in_seconds is None


def test_a_bus_carries_no_more_than_it_was_seen_to_carry() -> None:
    """Two cameras filled it; of three, each gets a third of that."""
    forecaster = Forecaster()
    pair = [place(name, 300, rate=15 * MB, active=True, bus="hub") for name in "AB"]
    forecaster.look(pair, limit=2)
    found = forecaster.look([*pair, place("C", 300, bus="hub", active=True)], limit=3)
    assert [found[name].ready_in_seconds for name in "ABC"] == pytest.approx([30, 30, 30])
    other = forecaster.look([*pair, place("D", 300, bus="another", active=True)], limit=3)
    assert [other[name].ready_in_seconds for name in "ABD"] == pytest.approx([20, 20, 20])


def test_a_camera_with_nothing_left_is_ready() -> None:
    assert Forecaster().look([place("A", active=False)], limit=1)["A"].ready_in_seconds == 0


def test_a_dock_full_of_recordings_is_played_in_few_steps() -> None:
    line = [place(f"{chr(65 + n)}", *([10] * 500), rate=MB, active=n < 8, number=n + 1) for n in range(40)]
    found = Forecaster().look(line, limit=8)
    assert found[line[0].bay_id].ready_in_seconds == pytest.approx(5000)
    assert found[line[39].bay_id].ready_in_seconds == pytest.approx(25000)
