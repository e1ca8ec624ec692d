"""Whose turn it is: so many at a time, evidence first, spread over buses, nobody starves. Orders of events only."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack

import pytest
from bodyworn.errors import CameraGone
from bodyworn.hw.turns import PASSED_AT_MOST, Line, Part, Turns
from bodyworn.hw.usb_place import bus_of

PLAIN, URGENT = Part(False, 100), Part(True, 100)


def nothing() -> None:
    """The camera is still there."""


class Depot:
    """Cameras in line; what happens is written down in its order."""

    def __init__(self, stack: ExitStack, limit: int) -> None:
        self.turns, self._stack = Turns(limit), stack
        self.lines: dict[str, Line] = {}

    def dock(self, name: str, parts: Iterable[Part], bus: str = "") -> Line:
        self.lines[name] = self._stack.enter_context(self.turns.line(name, bus or name, parts))
        self.turns.limit = self.turns.limit  # whoever waits looks again
        return self.lines[name]

    def active(self) -> set[str]:
        return {name for name, line in self.lines.items() if line.active}

    def finish(self, name: str) -> str:
        """Let a camera end its part; tells who has a turn after that."""
        self.lines[name].done()
        return " ".join(sorted(self.active()))


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


@pytest.mark.feature("REC-7")
def test_at_most_so_many_are_offloaded_at_a_time(stack: ExitStack) -> None:
    depot = Depot(stack, limit=2)
    for name in "ABC":
        depot.dock(name, [PLAIN])
    assert depot.active() == {"A", "B"}
    assert depot.finish("A") == "B C"


@pytest.mark.feature("REC-7")
def test_evidence_goes_before_whoever_came_first(stack: ExitStack) -> None:
    depot = Depot(stack, limit=1)
    depot.dock("A", [PLAIN] * 3)
    depot.dock("B", [PLAIN])
    depot.dock("C", [URGENT, PLAIN])
    assert depot.finish("A") == "C", "after one recording of A and not after the whole camera"
    assert depot.finish("C") == "A", "the rest of C is no evidence, and A came first"
    assert [depot.finish("A"), depot.finish("A"), depot.finish("B")] == ["A", "B", "C"]


@pytest.mark.feature("REC-7")
def test_whoever_was_passed_by_too_often_goes_next(stack: ExitStack) -> None:
    depot = Depot(stack, limit=1)
    depot.dock("first", [URGENT] * 2)
    depot.dock("plain", [PLAIN])
    depot.dock("evidence", [URGENT] * (2 * PASSED_AT_MOST))
    depot.finish("first")
    order = [depot.finish("first")]
    while "plain" not in order:
        order.append(depot.finish("evidence"))
    assert order.count("evidence") == PASSED_AT_MOST
    assert depot.finish("plain") == "evidence"


def test_a_slow_camera_lets_others_go_first_and_is_not_forgotten(stack: ExitStack) -> None:
    depot = Depot(stack, limit=1)
    slow, fast = depot.dock("slow", [PLAIN] * 50), depot.dock("fast", [PLAIN] * 40)
    slow.bytes_per_second, fast.bytes_per_second = 1e6, 40e6
    order = [depot.finish("slow")]
    while len(order) < 36:
        order.append(depot.finish(order[-1]))
    assert order[:PASSED_AT_MOST] == ["fast"] * PASSED_AT_MOST
    assert order.count("slow") >= 1
    assert order.index("slow") <= PASSED_AT_MOST + 1


@pytest.mark.feature("REC-7")
def test_turns_are_spread_over_buses(stack: ExitStack) -> None:
    depot = Depot(stack, limit=2)
    depot.dock("A1", [PLAIN], bus="A")
    depot.dock("X", [PLAIN], bus="X")
    depot.dock("A2", [PLAIN], bus="A")
    depot.dock("B1", [PLAIN], bus="B")
    assert depot.active() == {"A1", "X"}
    assert depot.finish("X") == "A1 B1", "the other place on bus A would only share what A1 has"


def test_evidence_matters_more_than_an_idle_bus(stack: ExitStack) -> None:
    depot = Depot(stack, limit=2)
    depot.dock("A1", [PLAIN] * 2, bus="A")
    depot.dock("X", [PLAIN], bus="X")
    depot.dock("A2", [URGENT], bus="A")
    depot.dock("B1", [PLAIN], bus="B")
    assert depot.finish("X") == "A1 A2"


@pytest.mark.feature("REC-7")
def test_another_limit_holds_at_once_and_interrupts_nobody(stack: ExitStack) -> None:
    depot = Depot(stack, limit=1)
    for name in "ABCD":
        depot.dock(name, [PLAIN] * 2)
    depot.turns.limit = 3
    assert depot.active() == {"A", "B", "C"}
    depot.turns.limit = 1
    assert depot.active() == {"A", "B", "C"}
    assert [depot.finish("C"), depot.finish("B"), depot.finish("A")] == ["A B", "A", "A"]


def test_a_camera_that_is_taken_out_leaves_its_turn_to_the_next() -> None:
    turns = Turns(limit=1)
    with turns.line("B", "B", [PLAIN]) as waiting:
        with turns.line("A", "A", [PLAIN]) as first:
            waiting.parts, parts = type(waiting.parts)(), waiting.parts
            first.wait(nothing)
            waiting.parts = parts
            assert (first.active, waiting.active) == (True, False)
        assert waiting.active


def test_a_camera_that_goes_while_it_waits_is_noticed() -> None:
    turns, looks = Turns(limit=1), []

    def gone() -> None:
        looks.append(1)
        raise CameraGone

    with turns.line("A", "A", [PLAIN]) as first, turns.line("B", "B", [PLAIN]) as second:
        first.wait(nothing)
        with pytest.raises(CameraGone):
            second.wait(gone)
    assert looks == [1]


def test_nobody_waits_for_a_controller_that_ends() -> None:
    turns, ended = Turns(limit=1), []
    with turns.line("A", "A", [PLAIN]) as first, turns.line("B", "B", [PLAIN]) as second:
        first.wait(nothing)

        def wait() -> None:
            with pytest.raises(CameraGone):
                second.wait(nothing)
            ended.append("B")

        thread = threading.Thread(target=wait)
        thread.start()
        turns.close()
        thread.join(5)
    assert ended == ["B"]


@pytest.mark.parametrize(
    ("place", "bus"),
    [
        ("0000:00:14.0/3", "0000:00:14.0/3"),
        ("0000:00:14.0/3.4.1", "0000:00:14.0/3"),
        ("0000:00:14.0/ss/3.1", "0000:00:14.0/ss/3"),
        ("reader", "/reader"),
    ],
)
def test_places_behind_one_port_of_the_host_share_a_bus(place: str, bus: str) -> None:
    assert bus_of(place) == bus
