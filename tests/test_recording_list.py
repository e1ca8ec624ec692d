"""Recordings in lists, and one recording with every clip in its three places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.errors import UnknownRecording
from bodyworn.models import Camera, Controller, Copy, CopyState, Place, RecordingState
from bodyworn.services.recording_list import RecordingQuery, Show, Sort, held_clip, latest, recording, recordings
from bodyworn.services.sentence import Tone
from sqlalchemy import select

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)

pytestmark = pytest.mark.feature("REC-2")


@pytest.fixture
def database(tmp_path):
    with seed.open_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def ids(database):
    return seed.seed(database, NOW)


def detail(database, recording_id):
    with database.read() as session:
        return recording(session, recording_id)


def words(row):
    return [standing.word.one for standing in row.places]


def test_a_delivered_recording_stands_in_three_places(database, ids):
    row = detail(database, ids.delivered).row
    assert words(row) == ["erased", "verified", "verified"]
    assert row.state.tone is Tone.OKAY


def test_a_recording_on_its_way_says_how_far_all_its_clips_are(database, ids):
    row = detail(database, ids.sending).row
    assert words(row) == ["kept", "verified", "sending"]
    assert row.places[2].percent == (100 + 64) // 2
    assert row.places[2].tone is Tone.MOVING


def test_a_refused_recording_says_what_happened_and_what_to_do(database, ids):
    row = detail(database, ids.refused).row
    assert row.state.word.one == "Not transferred"
    assert row.problem.mend is not None
    assert words(row)[:2] == ["kept", "verified"]


def test_one_clip_with_a_problem_speaks_for_all(database, ids):
    with database.write() as session:
        copies = session.scalars(select(Copy).where(Copy.place == Place.DESTINATION, Copy.state == CopyState.WRITING))
        copies.one().state = CopyState.PROBLEM
    assert words(detail(database, ids.sending).row)[2] == "refused"


def test_a_word_without_proof_is_not_called_verified(database, ids):
    with database.write() as session:
        for copy in session.scalars(select(Copy).where(Copy.place == Place.DESTINATION)):
            copy.state = CopyState.ACKNOWLEDGED
    place = detail(database, ids.delivered).row.places[2]
    assert (place.word.one, place.tone) == ("acknowledged", Tone.INACTIVE)


def test_every_clip_carries_its_proof(database, ids):
    clip = detail(database, ids.delivered).clips[0]
    spool, destination = clip.copies[1], clip.copies[2]
    assert spool.proved_sha256 == clip.stored_sha256 == clip.sha256
    assert destination.proved_md5 == clip.stored_md5
    assert destination.proved_at is not None


def test_custody_is_told_from_the_beginning(database, ids):
    custody = detail(database, ids.delivered).custody
    assert custody[0].what.one == "Listed on the camera; offload decided"
    assert custody[-1].what.one == "Complete at the content destination"
    assert len({line.hash for line in custody}) == len(custody) == 6


def test_a_problem_that_passes_waits_and_one_that_does_not_is_loud(database):
    with database.write() as session:
        controller = seed.found_system(session, NOW)
        camera = seed.add_camera(session, NOW, "A1", seed.add_user(session, NOW, "Anna"))
        for minutes, problem in ((1, "destination-too-slow"), (2, "recording-without-user")):
            start = NOW - timedelta(minutes=minutes)
            seed.add_recording(session, camera, controller, start, RecordingState.STORED, problem_id=problem)
    with database.read() as session:
        waiting, stuck = latest(session, 5)
    assert (waiting.state.word.one, waiting.state.tone) == ("Waiting", Tone.ATTENTION)
    assert (stuck.state.word.one, stuck.state.tone) == ("Problem", Tone.PROBLEM)


@pytest.mark.parametrize(("show", "count"), [(Show.ALL, 5), (Show.UNDERWAY, 2), (Show.DELIVERED, 1), (Show.PROBLEM, 2)])
def test_lists_are_filtered(database, ids, show, count):
    with database.read() as session:
        assert recordings(session, RecordingQuery(show=show)).total == count


@pytest.mark.parametrize(("search", "count"), [("Anna", 2), ("1041", 2), ("F1088", 1), ("20261121T", 3), ("100%", 0)])
def test_search_finds_users_cameras_and_containers(database, ids, search, count):
    with database.read() as session:
        assert recordings(session, RecordingQuery(search=search)).total == count


def test_lists_are_sorted(database, ids):
    with database.read() as session:
        newest = [row.start_at for row in recordings(session, RecordingQuery(sort=Sort.NEWEST)).rows]
        oldest = [row.start_at for row in recordings(session, RecordingQuery(sort=Sort.OLDEST)).rows]
        by_user = [row.user for row in recordings(session, RecordingQuery(sort=Sort.USER)).rows]
    assert newest == sorted(newest, reverse=True)
    assert oldest == sorted(oldest)
    assert by_user[0] == "Anna Berger (1041)"


def test_recordings_of_one_camera(database, ids):
    with database.read() as session:
        found = recordings(session, RecordingQuery(camera_id=ids.ready_camera))
    assert {row.camera for row in found.rows} == {"B8A44F1041"}


def test_a_page_of_many_is_cut_by_the_database(database, ids):
    with database.write() as session:
        camera = session.get_one(Camera, ids.ready_camera)
        controller = session.scalars(select(Controller)).one()
        for number in range(30):
            start = NOW - timedelta(days=1, minutes=number)
            seed.add_recording(session, camera, controller, start, RecordingState.STORED)
    with database.read() as session:
        page = recordings(session, RecordingQuery(page=2))
    assert (page.total, page.first, page.last) == (35, 26, 35)


def test_a_length_that_cannot_be_true_is_unknown(database, ids):
    with database.write() as session:
        camera = session.get_one(Camera, ids.ready_camera)
        controller = session.scalars(select(Controller)).one()
        start = NOW + timedelta(seconds=1)
        seed.add_recording(session, camera, controller, start, RecordingState.STORED, stop_at=start)
    with database.read() as session:
        assert latest(session, 1)[0].length is None


def test_only_a_verified_copy_here_is_handed_out(database, ids):
    delivered = detail(database, ids.delivered)
    with database.write() as session:
        for copy in session.scalars(select(Copy).where(Copy.clip_id == delivered.clips[1].id)):
            copy.state = CopyState.ERASED
    with database.read() as session:
        assert held_clip(session, ids.delivered, delivered.clips[0].id).name == delivered.clips[0].name
        with pytest.raises(UnknownRecording):
            held_clip(session, ids.delivered, delivered.clips[1].id)
        with pytest.raises(UnknownRecording):
            held_clip(session, ids.refused, delivered.clips[0].id)


def test_an_unknown_recording_is_told(database):
    with database.read() as session, pytest.raises(UnknownRecording):
        recording(session, "nope")
