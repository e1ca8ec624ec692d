"""The clocks of cameras: each docking's difference, the drift, and the judgement on a recording's times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.models import Controller, RecordingState, Trust
from bodyworn.services import clock_ledger, events
from bodyworn.services.sentence import Tone
from hosting import host_app, signed_in
from sqlalchemy import select

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)

pytestmark = pytest.mark.feature("CAM-13")


@pytest.fixture
def session(tmp_path):
    with seed.open_database(tmp_path) as database, database.write() as opened:
        seed.found_system(opened, NOW)
        yield opened


def camera_docked(session, *dockings, trust=Trust.ATTESTED):
    """Make a camera that was docked so many hours ago, with its clock off by so many seconds."""
    camera = seed.add_camera(session, NOW, "A1", trust=trust)
    for hours_ago, offset in dockings:
        written = events.record(session, "camera.docked", "camera", camera.id, bay="1", clock_offset_seconds=offset)
        written.at = NOW - timedelta(hours=hours_ago)
    session.flush()
    return camera


def test_a_clock_that_is_set_drifts_by_what_it_gained_since(session):
    told = clock_ledger.ledger(session, camera_docked(session, (72, 9.0), (48, 0.5), (24, -1.0), (0, 2.5)))
    assert [one.offset_seconds for one in told.dockings] == [2.5, -1.0, 0.5, 9.0]
    assert [one.drift_seconds for one in told.dockings] == [2.5, -1.0, 0.5, None]
    assert told.drift_seconds == 0.5


def test_a_clock_that_nobody_can_set_drifts_by_what_its_difference_grew(session):
    told = clock_ledger.ledger(session, camera_docked(session, (48, 30.0), (0, 34.0), trust=Trust.MARKED))
    assert [one.drift_seconds for one in told.dockings] == [2.0, None]


@pytest.mark.parametrize("dockings", [[], [(0, 1.0)], [(0.2, 1.0), (0, 1.0)], [(24, 1.0), (0, None)]])
def test_no_drift_is_told_where_none_can_be_known(session, dockings):
    assert clock_ledger.ledger(session, camera_docked(session, *dockings)).drift_seconds is None


@pytest.mark.parametrize(
    ("offset", "word", "tone"),
    [
        (0.0, "Trusted", Tone.OKAY),
        (-2.0, "Trusted", Tone.OKAY),
        (2.1, "Inexact", Tone.INACTIVE),
        (-60.0, "Inexact", Tone.INACTIVE),
        (61.0, "Doubtful", Tone.ATTENTION),
        (-86400.0, "Doubtful", Tone.ATTENTION),
        (None, "Unknown", Tone.INACTIVE),
    ],
)
def test_times_are_trusted_by_the_docking_in_which_the_recording_was_found(session, offset, word, tone):
    camera = camera_docked(session, (72, 500.0), (10, offset), (1, 500.0))
    recording = recorded(session, camera, NOW - timedelta(hours=12) + timedelta(seconds=offset or 0))
    told = clock_ledger.trust(session, recording)
    assert (told.state.word.one, told.state.tone) == (word, tone)


def test_a_recording_that_ended_after_it_was_docked_is_doubtful_however_well_the_clock_goes_now(session):
    camera = camera_docked(session, (10, 0.1))
    told = clock_ledger.trust(session, recorded(session, camera, NOW - timedelta(hours=9.9)))
    assert (told.state.word.one, "after the camera was docked" in told.why.one) == ("Doubtful", True)


def test_a_recording_of_a_camera_whose_dockings_are_not_known_is_not_judged(session):
    camera = camera_docked(session)
    assert clock_ledger.trust(session, recorded(session, camera, NOW)).state.word.one == "Unknown"


def recorded(session, camera, start):
    controller = session.scalars(select(Controller)).one()
    found_at = NOW - timedelta(hours=9.5)
    return seed.add_recording(session, camera, controller, start, RecordingState.STORED, found_at=found_at)


def test_pages_of_camera_and_recording_say_it(tmp_path):
    app = host_app(tmp_path)
    with app.extensions["bodyworn"].database.write() as session:
        seed.found_system(session, NOW)
        camera = camera_docked(session, (34, 3.0), (10, -4.0))
        recording = recorded(session, camera, NOW - timedelta(hours=12))
    browser = signed_in(app, "operator")
    page = re.sub(r"<[^>]+>|\s", " ", browser.get(f"/bodyworn/devices/cameras/{camera.id}").text.replace("\xa0", " "))
    assert "It usually loses 4.0 s a day." in page
    assert "3.0 s ahead" in page
    page = browser.get(f"/bodyworn/recordings/{recording.id}").text
    assert "Inexact" in page
    assert "the clock was 4.0 s behind" in page
    app.extensions["bodyworn"].database.close()
