"""Who has not docked, how long it lasts until a camera locks itself, and batteries that want to be charged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.models import Bay, BayState, Belonging, Dock, DockKind, Event
from bodyworn.services import battery_care, events, overdue
from bodyworn.services.status import needs
from hosting import host_app, signed_in
from sqlalchemy import select

NOW = datetime.now(UTC)
#: A camera is leased for 56 days at its docking.
LEASE = timedelta(days=56)


@pytest.fixture
def database(tmp_path):
    with seed.open_database(tmp_path) as opened:
        with opened.write() as session:
            seed.found_system(session, NOW)
            seed.connect_destination(session, NOW)
        yield opened


def away(session, days, serial="A1", **changes):
    """Make a camera that was docked last so many days ago."""
    seen = NOW - timedelta(days=days)
    user = seed.add_user(session, NOW, f"Wearer of {serial}")
    values = {"last_seen_at": seen, "lease_until": seen + LEASE, "battery_percent": 80, **changes}
    return seed.add_camera(session, NOW, serial, user, **values)


def rows(database, now=NOW):
    with database.read() as session:
        return list(overdue.board(session, now, 1).rows)


def told(database, kind, now=NOW):
    with database.read() as session:
        return [message for message in needs(session, now) if message.advice.id == kind]


@pytest.mark.feature("CAM-12")
@pytest.mark.parametrize(
    ("days", "state", "left"),
    [(1.9, None, None), (2.1, "Late", 53), (14.1, "Overdue", 41), (49.1, "Locks soon", 6), (56.1, "Locked by now", 0)],
)
def test_the_board_says_how_late_and_how_many_days_are_left(database, days, state, left):
    with database.write() as session:
        away(session, days)
    found = [(row.state.word.one, row.days_left, row.user) for row in rows(database)]
    assert found == ([(state, left, "Wearer of A1")] if state else [])


@pytest.mark.feature("CAM-12")
def test_a_camera_without_a_lease_counts_from_its_last_docking(database):
    with database.write() as session:
        away(session, 50, lease_until=None)
    (row,) = rows(database)
    assert (row.days_away, row.days_left, row.state.word.one) == (50, 6, "Locks soon")


@pytest.mark.feature("CAM-12")
@pytest.mark.parametrize(
    "changes",
    [{"belonging": Belonging.REMOVED}, {"belonging": Belonging.NEW}, {"locked_at": NOW}],
    ids=["removed", "new", "locked"],
)
def test_cameras_that_nobody_waits_for_are_not_on_the_board(database, changes):
    with database.write() as session:
        away(session, 20, **changes)
    assert rows(database) == []


@pytest.mark.feature("CAM-12")
def test_a_camera_in_a_bay_is_not_late_however_long_it_stands_there(database):
    with database.write() as session:
        camera = away(session, 20)
        dock = Dock(
            controller_id=session.scalar(select(seed.Controller.id)),
            name="Dock 1",
            kind=DockKind.SIMULATED,
            locator="/nowhere",
        )
        dock.bays = [Bay(position=1, name="Bay 1", state=BayState.READY, camera_id=camera.id, docked_at=NOW)]
        session.add(dock)
    assert rows(database) == []


@pytest.mark.feature("CAM-12")
def test_the_longest_absence_comes_first_and_pages_are_cut_by_the_database(database):
    with database.write() as session:
        for number in range(30):
            away(session, 3 + number, f"A{number:02}")
    with database.read() as session:
        first, second = (overdue.board(session, NOW, page) for page in (1, 2))
    assert (first.total, len(first.rows), len(second.rows)) == (30, 25, 5)
    assert (first.rows[0].name, second.rows[-1].name) == ("A29", "A00")


@pytest.mark.feature("CAM-12")
def test_status_tells_of_two_weeks_and_louder_of_the_last_week(database):
    with database.write() as session:
        away(session, 3, "late")
        away(session, 20, "overdue")
        away(session, 50, "soon")
    tones = [(message.tone, message.title.values["n"]) for message in told(database, "camera-overdue")]
    assert tones == [("problem", 1), ("attention", 1)]


@pytest.mark.feature("CAM-12")
def test_each_step_of_an_absence_is_written_once(database):
    with database.write() as session:
        camera = away(session, 20)
        assert overdue.escalate(session, NOW) == 1
        assert overdue.escalate(session, NOW + timedelta(days=1)) == 0
        assert overdue.escalate(session, NOW + timedelta(days=30)) == 1
        assert overdue.escalate(session, NOW + timedelta(days=31)) == 0
        written = [(event.action, event.object_id) for event in session.scalars(select(Event).order_by(Event.sequence))]
    assert written[-2:] == [("camera.overdue", camera.id), ("camera.locks-soon", camera.id)]


@pytest.mark.feature("CAM-12")
def test_a_camera_that_was_docked_in_between_is_told_of_anew(database):
    with database.write() as session:
        camera = away(session, 20)
        overdue.escalate(session, NOW)
        camera.last_seen_at = datetime.now(UTC) + timedelta(seconds=1)
        assert overdue.escalate(session, NOW + timedelta(days=1)) == 0
        assert overdue.escalate(session, NOW + timedelta(days=20)) == 1


@pytest.mark.feature("CAM-12")
def test_the_board_is_a_page_for_everybody_who_may_see_devices(tmp_path):
    app = host_app(tmp_path)
    database = app.extensions["bodyworn"].database
    with database.write() as session:
        seed.found_system(session, NOW)
        camera = away(session, 50)
        camera_id = camera.id
    viewer = signed_in(app, "viewer")
    page = viewer.get("/bodyworn/devices/overdue").text
    assert f'href="/bodyworn/devices/cameras/{camera_id}"' in page
    assert "Wearer of A1" in page
    assert "Locks soon" in page
    assert 'href="/bodyworn/devices/overdue"' in viewer.get("/bodyworn/").text
    assert viewer.get("/bodyworn/fragments/overdue").status_code == 200
    database.close()


@pytest.mark.feature("CAM-15")
@pytest.mark.parametrize(
    ("percent", "days", "asked"), [(20, 1.1, True), (21, 1.1, False), (5, 0.5, False), (None, 3, False)]
)
def test_a_camera_that_left_with_a_low_battery_asks_to_be_charged(database, percent, days, asked):
    with database.write() as session:
        away(session, days, battery_percent=percent)
    assert bool(told(database, "battery-low")) is asked


@pytest.mark.feature("CAM-15")
@pytest.mark.parametrize(
    ("belonging", "days", "asked"),
    [
        (Belonging.ADDED, 89, False),
        (Belonging.ADDED, 91, True),
        (Belonging.ADDED, 130, True),
        (Belonging.REMOVED, 89, False),
        (Belonging.REMOVED, 91, True),
        (Belonging.REMOVED, 110, False),
        (Belonging.REMOVED, 181, True),
        (Belonging.REMOVED, 2000, False),
        (Belonging.NEW, 91, False),
    ],
)
def test_a_camera_in_store_or_shipping_mode_asks_every_three_months(database, belonging, days, asked):
    with database.write() as session:
        away(session, days, belonging=belonging, locked_at=None)
    assert bool(told(database, "battery-in-store")) is asked


@pytest.mark.feature("CAM-15")
def test_nobody_is_asked_to_charge_a_camera_that_was_removed_because_it_is_lost(database):
    with database.write() as session:
        lost = away(session, 91, belonging=Belonging.REMOVED)
        away(session, 91, "B2", belonging=Belonging.REMOVED)
        events.record(session, "camera.force-removed", "camera", lost.id, reason="river")
    (message,) = told(database, "battery-in-store")
    assert message.text.values["names"] == "B2"


@pytest.mark.feature("CAM-15")
def test_many_cameras_are_counted_and_a_few_are_named(database):
    with database.write() as session:
        for number in range(7):
            away(session, 2, f"A{number}", battery_percent=3)
    with database.read() as session:
        (message,) = battery_care.messages(session, NOW)
    assert message.title.values["n"] == 7
    assert message.text.values["names"] == "A0, A1, A2, A3 …"
    assert (message.endpoint, message.values) == ("help_topic", {"topic_id": "battery"})
