"""Docks with their bays, and cameras in lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.errors import UnknownCamera
from bodyworn.services import cameras, devices
from bodyworn.services.camera_list import (
    CameraQuery,
    Show,
    Sort,
    camera,
    cameras as list_cameras,
    new_cameras,
    user_choices,
)
from bodyworn.services.sentence import Tone

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    with seed.open_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def ids(database):
    return seed.seed(database, NOW)


def bays_of(database, now=NOW):
    with database.read() as session:
        (dock,) = devices.docks(session, now)
    return dock


def test_bays_stand_in_their_physical_order(database, ids):
    assert [bay.position for bay in bays_of(database).bays] == list(range(1, 9))


@pytest.mark.feature("CAM-10")
def test_only_a_ready_bay_is_safe_to_undock(database, ids):
    assert [bay.name for bay in bays_of(database).bays if bay.safe_to_undock] == ["Bay 1"]


def test_who_is_the_user_or_else_the_camera(database, ids):
    bays = bays_of(database).bays
    assert bays[0].who == "Anna Berger (1041)"
    assert bays[4].who == "Peter Lang"
    assert bays[7].who == "B8A44F1120"
    assert bays[5].who is None


@pytest.mark.feature("REC-1")
def test_time_left_comes_from_the_rate(database, ids):
    progress = bays_of(database).bays[1].progress
    assert progress.percent == 64
    assert progress.seconds_left == pytest.approx(5.1e9 / 41e6)
    assert progress.stale_since is None


def test_old_figures_say_since_when_and_promise_nothing(database, ids):
    progress = bays_of(database).bays[7].progress
    assert progress.stale_since == NOW - timedelta(minutes=3)
    assert progress.bytes_per_second is None
    assert progress.seconds_left is None


def test_a_docks_rate_leaves_stale_bays_out(database, ids):
    assert bays_of(database).bytes_per_second == 41e6
    assert bays_of(database, NOW + timedelta(minutes=5)).bytes_per_second is None


def test_per_cents_are_rounded_down_so_that_all_means_all():
    assert devices.Progress(999, 1000, None, None, None).percent == 99
    assert devices.Progress(0, 0, None, None, None).percent == 0


def test_every_bay_state_has_its_word_and_tone(database, ids):
    shown = [(bay.state.word.one, bay.state.tone) for bay in bays_of(database).bays]
    assert shown == [
        ("Ready", Tone.OKAY),
        ("Offloading", Tone.MOVING),
        ("Synchronising", Tone.MOVING),
        ("New", Tone.ATTENTION),
        ("Problem", Tone.PROBLEM),
        ("Connecting", Tone.MOVING),
        ("Empty", Tone.INACTIVE),
        ("Offloading", Tone.MOVING),
    ]


@pytest.mark.feature("CAM-1")
def test_new_cameras_are_listed_with_their_place(database, ids):
    with database.read() as session:
        (new,) = new_cameras(session).rows
    assert (new.id, new.place) == (ids.new_camera, "Dock 1 · Bay 4")


@pytest.mark.parametrize(
    ("show", "serials"),
    [
        (Show.ALL, ["1041", "1067", "1088", "1102", "1110", "1120"]),
        (Show.DOCKED, ["1041", "1067", "1088", "1102", "1120"]),
        (Show.IN_USE, ["1110"]),
        (Show.NEW, ["9031"]),
        (Show.UNASSIGNED, ["1120"]),
        (Show.PROBLEM, ["1102"]),
    ],
)
def test_lists_are_filtered(database, ids, show, serials):
    with database.read() as session:
        found = list_cameras(session, CameraQuery(show=show))
    assert [row.serial.removeprefix("B8A44F") for row in found.rows] == serials


@pytest.mark.parametrize(
    ("search", "count"), [("b8a44f", 6), ("1041", 1), ("OKAFOR", 1), ("%", 0), ("_", 0), ("nothing", 0)]
)
def test_search_looks_at_names_serials_and_users_and_takes_signs_literally(database, ids, search, count):
    with database.read() as session:
        assert list_cameras(session, CameraQuery(search=search)).total == count


def test_sorting_by_user_puts_nobody_last(database, ids):
    with database.read() as session:
        found = list_cameras(session, CameraQuery(sort=Sort.USER))
    assert found.rows[0].user == "Anna Berger (1041)"
    assert found.rows[-1].user is None


def test_long_lists_are_cut_by_the_database(database):
    with database.write() as session:
        for number in range(60):
            seed.add_camera(session, NOW, f"C{number:03}")
    with database.read() as session:
        second = list_cameras(session, CameraQuery(page=2))
        past_the_end = list_cameras(session, CameraQuery(page=99))
    assert (second.total, second.pages, second.first, second.last) == (60, 3, 26, 50)
    assert second.rows[0].serial == "C025"
    assert (past_the_end.number, len(past_the_end.rows)) == (3, 10)


@pytest.mark.feature("CAM-11")
@pytest.mark.feature("CAM-3")
def test_a_cameras_page_tells_its_history_with_names(database, ids):
    with database.write() as session:
        user = seed.add_user(session, NOW, "Vera Stein")
        cameras.assign(session, ids.ready_camera, user.id, actor="root")
        cameras.assign(session, ids.ready_camera, None, actor="root")
    with database.read() as session:
        history = camera(session, ids.ready_camera).history
    assert [line.what.one for line in history[:2]] == ["Taken from its user", "Assigned to {camera_user}"]
    assert history[1].what.values["camera_user"] == "Vera Stein"
    assert history[0].actor == "root"


def test_settings_wait_until_the_camera_took_them_over(database, ids):
    with database.write() as session:
        cameras.assign(session, ids.away_camera, None, actor="root")
    with database.read() as session:
        assert camera(session, ids.away_camera).settings_waiting
        assert not camera(session, ids.ready_camera).settings_waiting


def test_a_camera_shows_what_is_wrong_in_its_bay(database, ids):
    with database.read() as session:
        found = camera(session, ids.problem_camera)
    assert found.problem is None
    assert found.bay_problem.id == "store-damaged"
    assert found.bay_problem.mend is not None


def test_an_unknown_camera_is_told(database):
    with database.read() as session, pytest.raises(UnknownCamera):
        camera(session, "nope")


def test_users_to_choose_from_are_active_and_labelled(database, ids):
    with database.read() as session:
        labels = [choice.label for choice in user_choices(session)]
    assert labels[0] == "Anna Berger (1041)"
    assert "Peter Lang" in labels
