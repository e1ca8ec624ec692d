"""Recordings in lists, and one recording with every clip in its three places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.errors import UnknownRecording
from bodyworn.models import Camera, Controller, Copy, CopyState, Place, Recording, RecordingState
from bodyworn.services import recording_search
from bodyworn.services.recording_list import held_clip, latest, recording, recordings
from bodyworn.services.recording_search import RecordingQuery, Show, Sort
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


@pytest.mark.parametrize(("search", "count"), [("Anna", 2), ("1041", 2), ("F1088", 1), ("2026-11-21", 2), ("100%", 0)])
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


def test_search_finds_a_container_by_how_its_name_begins(database, ids):
    name = detail(database, ids.delivered).container_name
    for text in (name, name[:-3]):
        assert ids_of(database, RecordingQuery(search=text)) == [ids.delivered]
    assert ids_of(database, RecordingQuery(search=name[1:])) == []


def test_eight_digits_are_a_number_and_not_a_day(database, ids):
    assert ids_of(database, RecordingQuery(search="20261121")) == []


@pytest.mark.parametrize("few", [0.0, 2.0], ids=["walked", "fetched"])
@pytest.mark.parametrize("show", list(Show))
@pytest.mark.parametrize("search", ["", "anna", "B8A44F"])
def test_every_way_to_find_recordings_finds_the_same_in_each_order(database, ids, monkeypatch, few, show, search):
    monkeypatch.setattr(recording_search, "_FEW", few)
    for sort in Sort:
        wanted = RecordingQuery(search=search, show=show, sort=sort)
        with database.read() as session:
            expected = [row.id for row in sorted(_fitting(session, wanted), key=_KEYS[sort])]
        assert ids_of(database, wanted) == expected


def test_recordings_of_nobody_follow_those_of_all_users_across_pages(database, ids, monkeypatch):
    monkeypatch.setattr(recording_search, "PAGE_ROWS", 2)
    with database.write() as session:
        for one in session.scalars(select(Recording).order_by(Recording.start_at).limit(3)):
            one.camera_user_id = None
    pages = [ids_of(database, RecordingQuery(sort=Sort.USER, page=page)) for page in (1, 2, 3)]
    with database.read() as session:
        nobodys = [session.get_one(Recording, one).camera_user_id is None for page in pages for one in page]
    assert nobodys == [False, False, True, True, True]


def test_a_long_list_is_not_counted_and_leads_to_its_end_all_the_same(database, ids, monkeypatch):
    monkeypatch.setattr(recording_search, "MOST_COUNTED", 3)
    monkeypatch.setattr(recording_search, "PAGE_ROWS", 2)
    with database.read() as session:
        first, last, past = (recordings(session, RecordingQuery(page=page)) for page in (1, 3, 99))
    assert (first.counted, first.total) == (False, 3)
    assert (len(last.rows), past.rows, past.counted, past.total) == (1, last.rows, True, 5)


_KEYS = {
    Sort.NEWEST: lambda row: (-row.start_at.timestamp(), row.id),
    Sort.OLDEST: lambda row: (row.start_at, row.id),
    Sort.USER: lambda row: (row.user is None, row.user or "", -row.start_at.timestamp()),
    Sort.CAMERA: lambda row: (row.camera, -row.start_at.timestamp()),
}


def _fitting(session, wanted):
    """Look at every recording, one by one."""
    states = {
        Show.ALL: lambda row: True,
        Show.UNDERWAY: lambda row: row.state.tone in (Tone.MOVING, Tone.ATTENTION),
        Show.DELIVERED: lambda row: row.state.tone is Tone.OKAY,
        Show.REFUSED: lambda row: row.state.word.one == "Not transferred",
        Show.PROBLEM: lambda row: row.state.tone is Tone.PROBLEM,
    }
    text = wanted.search.lower()
    for row in latest(session, 100):
        if states[wanted.show](row) and (text in (row.user or "").lower() or text in row.camera.lower()):
            yield row


def ids_of(database, wanted):
    with database.read() as session:
        return [row.id for row in recordings(session, wanted).rows]
