"""Uploads held to a rate: together, exactly, at once when it changes, and only at the hours that were set."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from bodyworn.hw.uplink import Uplink
from bodyworn.services import destinations, uplink_limit
from bodyworn.services.uplink_limit import UplinkLimit
from rig_parts import ACTOR
from yard import CLIP_BYTES, Yard

pytest_plugins = ["fixtures_database", "fixtures_yard"]


class Time:
    """A clock that moves only while somebody waits, or sends."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.feature("REC-7")
@pytest.mark.parametrize("rate", [12_500.0, 200_000.0, 2_500_000.0, 125_000_000.0])
@pytest.mark.parametrize("busy", [0.0, 0.3, 0.9])
def test_what_is_sent_keeps_to_the_rate_within_five_per_cent_over_seconds(rate: float, busy: float) -> None:
    """``busy`` is the part of its time that sending itself takes."""
    time_passing = Time()
    uplink = Uplink(time_passing.clock, time_passing.pass_by)
    uplink.hold_to(rate)
    for idle_seconds in (0.0, 0.05, 3600.0):
        time_passing.pass_by(idle_seconds)
        began, sent = time_passing.now, 0
        while time_passing.now < began + 4.0:
            given = uplink.take(1 << 20)
            time_passing.pass_by(given / rate * busy)
            sent += given
        assert sent / (time_passing.now - began) == pytest.approx(rate, rel=0.05)


def test_several_uploads_share_it_and_each_gets_its_turn() -> None:
    uplink, counts = Uplink(), [0] * 4
    uplink.hold_to(2_000_000.0)
    began = time.monotonic()

    def work(number: int) -> None:
        while time.monotonic() < began + 1.0:
            counts[number] += uplink.take(1 << 20)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counts) <= 2_000_000.0 * (time.monotonic() - began) * 1.05
    assert min(counts) > 0


def test_without_a_limit_nobody_waits() -> None:
    uplink, began = Uplink(), time.monotonic()
    assert sum(uplink.take(1 << 20) for _ in range(1000)) == 1000 << 20
    assert time.monotonic() - began < 0.5


def test_another_rate_holds_at_once_for_whoever_is_waiting() -> None:
    uplink = Uplink()
    uplink.hold_to(10_000.0)
    threading.Timer(0.3, uplink.hold_to, args=(None,)).start()
    began, sent = time.monotonic(), 0
    while sent < 50 << 20:
        sent += uplink.take(1 << 20)
    assert time.monotonic() - began < 1.0


def test_nobody_waits_for_a_line_when_the_process_ends() -> None:
    uplink = Uplink()
    uplink.hold_to(1.0)
    threading.Timer(0.2, uplink.stop).start()
    began = time.monotonic()
    uplink.take(1 << 20)
    uplink.take(1 << 20)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("window", "minutes", "others"),
    [
        ((None, None), (0, 720, 1439), ()),
        ((7 * 60, 19 * 60), (420, 1139), (419, 1140, 0)),
        ((22 * 60, 6 * 60), (1320, 1439, 0, 359), (360, 1319)),
    ],
)
def test_a_limit_holds_at_its_hours(
    window: tuple[int | None, int | None], minutes: tuple[int, ...], others: tuple[int, ...]
) -> None:
    limit = UplinkLimit(1_000_000, *window)
    assert all(limit.holds(minute) for minute in minutes)
    assert not any(limit.holds(minute) for minute in others)


def test_hours_are_those_of_the_systems_time_zone(yard: Yard) -> None:
    with yard.database.write() as session:
        from bodyworn.services import systems

        systems.current(session).time_zone = "Europe/Vienna"
        uplink_limit.set_limit(session, UplinkLimit(8_000_000, 7 * 60, 19 * 60), actor=ACTOR)
        assert uplink_limit.bytes_per_second(session, datetime(2026, 7, 1, 5, 0, tzinfo=UTC)) == 1_000_000
        assert uplink_limit.bytes_per_second(session, datetime(2026, 7, 1, 4, 59, tzinfo=UTC)) is None
        assert uplink_limit.bytes_per_second(session, datetime(2026, 1, 1, 5, 30, tzinfo=UTC)) is None


@pytest.mark.feature("REC-7")
def test_uploads_keep_to_the_limit_that_is_set_while_they_run(yard: Yard) -> None:
    recording_ids = [yard.store(), yard.store()]
    with yard.database.write() as session:
        uplink_limit.set_limit(session, UplinkLimit(1_600_000), actor=ACTOR)
    with yard.uploading(parallel=2):
        yard.wait(
            lambda: any(one.path == f"/v1.0/abc/{yard.clip_path(recording_ids[0])}" for one in yard.fake.requests)
        )
        began = time.monotonic()
        yard.wait(lambda: yard.is_delivered(*recording_ids))
        took_seconds = time.monotonic() - began
    assert took_seconds > 2 * CLIP_BYTES / 200_000 * 0.8
    with yard.database.write() as session:
        uplink_limit.set_limit(session, None, actor=ACTOR)
        active = destinations.active(session)
        assert active is not None
        assert uplink_limit.limit_of(active) is None
