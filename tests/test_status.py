"""What needs a person: cards, messages and where they lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.models import Belonging, Camera, Controller, RecordingState
from bodyworn.services.sentence import Tone
from bodyworn.services.status import needs, overdue, status
from sqlalchemy import select

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)

pytestmark = pytest.mark.feature("SYS-8")


@pytest.fixture
def database(tmp_path):
    with seed.open_database(tmp_path) as opened:
        yield opened


def titles(database, now=NOW):
    with database.read() as session:
        return [message.title.one for message in needs(session, now)]


def labels(database, now=NOW):
    with database.read() as session:
        return [message.label.one for message in needs(session, now)]


def test_a_system_in_order_needs_nobody(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.connect_destination(session, NOW)
        seed.add_camera(session, NOW, "A1", seed.add_user(session, NOW, "Anna"))
    with database.read() as session:
        found = status(session, NOW)
    assert found.messages == []
    assert {card.tone for card in (found.cameras, found.controllers, found.destination)} == {Tone.OKAY}


def test_an_empty_database_says_what_comes_first(database):
    with database.read() as session:
        found = status(session, NOW)
    assert found.system_name is None
    assert labels(database) == ["No cameras", "Not connected"]
    assert found.controllers.summary[0].one == "No system has been set up yet."


def test_new_cameras_lead_to_the_place_where_they_are_added(database):
    seed.seed(database, NOW)
    with database.read() as session:
        message = status(session, NOW).cameras.messages[0]
    assert (message.label.one, message.endpoint, message.values["_anchor"]) == ("New", "devices", "new")
    assert message.title.values["n"] == 1


def test_a_new_camera_that_was_taken_away_is_not_counted(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.add_camera(session, NOW, "A1", belonging=Belonging.NEW)
    assert "{n} new camera is docked" not in titles(database)


def test_a_camera_without_user_is_a_message(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.add_camera(session, NOW, "A1")
    assert "{n} camera has no user" in titles(database)


def test_many_cameras_with_a_problem_are_counted_not_listed(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        user = seed.add_user(session, NOW, "Anna")
        for number in range(7):
            seed.add_camera(session, NOW, f"A{number}", user, problem_id="store-damaged", problem_values={})
    with database.read() as session:
        messages = status(session, NOW).cameras.messages
    assert len(messages) == 5
    assert messages[-1].title.values["n"] == 3


def test_a_bays_problem_leads_to_its_camera_and_says_what_happened(database):
    ids = seed.seed(database, NOW)
    with database.read() as session:
        (message,) = [m for m in status(session, NOW).cameras.messages if m.endpoint == "camera"]
    assert message.values == {"camera_id": ids.problem_camera}
    assert message.text.values["reason"] == "input/output error"


@pytest.mark.parametrize(("seconds", "silent"), [(29, False), (31, True)])
def test_a_silent_controller_is_unavailable(database, seconds, silent):
    with database.write() as session:
        seed.found_system(session, NOW - timedelta(seconds=seconds))
    assert ("Unavailable" in labels(database)) is silent


def test_a_controller_that_never_reported_is_unavailable(database):
    with database.write() as session:
        seed.found_system(session, NOW).heartbeat_at = None
    assert "Unavailable" in labels(database)


@pytest.mark.parametrize(("free", "low"), [(79, True), (80, False)])
def test_storage_is_low_below_eight_per_cent(database, free, low):
    with database.write() as session:
        controller = seed.found_system(session, NOW)
        controller.spool_free_bytes, controller.spool_total_bytes = free, 1000
    assert ("Storage low" in labels(database)) is low


def test_a_storage_error_is_a_problem(database):
    with database.write() as session:
        seed.found_system(session, NOW).problem_id = "store-damaged"
    with database.read() as session:
        card = status(session, NOW).controllers
    assert (card.tone, card.messages[0].label.one) == (Tone.PROBLEM, "Storage error")


def test_a_destination_that_refuses_its_key_stops(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.stop_destination(session, seed.connect_destination(session, NOW), NOW)
    with database.read() as session:
        (message,) = status(session, NOW).destination.messages
    assert (message.tone, message.label.one, message.endpoint) == (Tone.PROBLEM, "Authorization failed", "destination")


def test_a_destination_out_of_reach_waits(database):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.lose_destination(session, seed.connect_destination(session, NOW), NOW)
    with database.read() as session:
        (message,) = status(session, NOW).destination.messages
    assert (message.tone, message.label.one) == (Tone.ATTENTION, "Connection failed")
    assert message.text.values["host"] == "evidence.example"


@pytest.mark.parametrize(("difference", "told"), [(-1.9, False), (-2.5, True), (None, False)])
def test_a_clock_past_two_seconds_is_told(database, difference, told):
    with database.write() as session:
        seed.found_system(session, NOW)
        seed.connect_destination(session, NOW, clock_difference_seconds=difference)
    assert ("Clock" in labels(database)) is told


def test_refused_and_quarantined_recordings_lead_to_the_list(database):
    seed.seed(database, NOW)
    with database.read() as session:
        found = [message for message in needs(session, NOW) if message.endpoint == "recordings"]
    assert [message.label.one for message in found] == ["In quarantine", "Not transferred"]
    assert [message.values for message in found] == [{"show": "problem"}, {"show": "refused"}]


def test_a_recording_without_user_is_held_up(database):
    with database.write() as session:
        controller = seed.found_system(session, NOW)
        camera = seed.add_camera(session, NOW, "A1")
        seed.connect_destination(session, NOW)
        seed.add_recording(session, camera, controller, NOW, RecordingState.STORED, problem_id="recording-without-user")
    assert "Held up" in labels(database)


def test_figures_of_the_destination_are_of_the_last_day_and_say_when_the_rest_is_done(database):
    seed.seed(database, NOW)
    with database.write() as session:
        camera = session.scalars(select(Camera)).first()
        controller = session.scalars(select(Controller)).one()
        seed.add_recording(session, camera, controller, NOW - timedelta(days=3), RecordingState.DELIVERED)
    with database.read() as session:
        card = status(session, NOW).destination
    assert (card.figure.values["done"], card.figure.values["total"]) == (1, 5)
    (done,) = [line for line in card.summary if "time" in line.values]
    rest_bytes = 380e6 * (1 - 0.64) + 2 * 380e6
    assert abs(done.values["time"] - NOW - timedelta(seconds=rest_bytes / 61e6)) < timedelta(seconds=1)


def test_without_a_rate_nobody_says_when_it_is_done(database):
    with database.write() as session:
        controller = seed.found_system(session, NOW)
        camera = seed.add_camera(session, NOW, "A1", seed.add_user(session, NOW, "Anna"))
        seed.connect_destination(session, NOW, bytes_per_second=None)
        seed.add_recording(session, camera, controller, NOW, RecordingState.STORED)
    with database.read() as session:
        assert not [line for line in status(session, NOW).destination.summary if "time" in line.values]


def test_what_becomes_old_by_time_alone_is_noticed(database):
    seed.seed(database, NOW)
    with database.read() as session:
        fresh = overdue(session, NOW)
        later = overdue(session, NOW + timedelta(minutes=1))
    assert len(fresh) == 1
    assert len(later) == 3
