"""Found, stored, receipted, vanished: the first half of a recording's way, and what its container is called."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from bodyworn.camera_volume.documents import FileDigest, content_sha256
from bodyworn.camera_volume.recording import DOCUMENT_NAME, TRACK_NAME
from bodyworn.errors import EnvelopeRefused, StoreFull
from bodyworn.models import ClipKind, CopyState, Place, Recording, RecordingState
from bodyworn.services import cameras, copies, documents, recordings, users
from bodyworn.services.recording_names import NOBODY
from rig_parts import (
    ACTOR,
    START,
    Depot,
    bookmark,
    event_actions,
    find,
    make_document,
    sha256,
    sign,
    store,
    stored_clip,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]


def test_a_found_recording_lists_all_that_travels(depot: Depot) -> None:
    document = make_document(clips=2, bookmarks=(bookmark("here"),))
    with depot.database.write() as session:
        recording = depot.recording(session, document)
        assert recording.state is RecordingState.FOUND
        kinds = [clip.kind for clip in recording.clips]
        assert kinds == [ClipKind.CLIP, ClipKind.CLIP, ClipKind.TRACK, ClipKind.BOOKMARK]
        assert [clip.source_name for clip in recording.clips][2:] == [TRACK_NAME, None]
        assert len({clip.name for clip in recording.clips}) == 4
        on_camera = [copies.state(clip, Place.CAMERA) for clip in recording.clips]
        assert on_camera == [CopyState.KEPT, CopyState.KEPT, CopyState.KEPT, None]
    assert event_actions(depot.database, recording.id) == ["recording.found"]


def test_finding_it_again_gives_the_same_row(depot: Depot) -> None:
    document = make_document()
    with depot.database.write() as session:
        first = depot.recording(session, document)
    with depot.database.write() as session:
        assert depot.recording(session, document).id == first.id
    assert event_actions(depot.database, first.id) == ["recording.found"]


def test_a_bookmarked_or_protected_recording_goes_first(depot: Depot) -> None:
    with depot.database.write() as session:
        assert not depot.recording(session, make_document()).protected
        assert depot.recording(session, make_document(bookmarks=(bookmark("x"),))).protected


# --- the container's name (decision 21)


def container_of(session: Session, depot: Depot, *, offset_seconds: float | None = None, seconds: int = 0) -> str:
    moment = START + timedelta(seconds=seconds)
    document = make_document(start=moment)
    camera = depot.camera(session)
    camera.clock_offset_seconds = offset_seconds
    return find(session, camera, depot.key, document).container_name


def test_it_is_named_by_user_camera_and_trigger(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        ada = users.create_user(session, name="Ada", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        document = make_document(settings_sequence=camera.wanted_settings)
        recording = find(session, camera, depot.key, document)
        assert recording.container_name == f"{ada.id}_SIM0001_20260304T050607Z"
        assert recording.problem_id is None


def test_how_a_name_came_to_be_is_kept_with_the_recording(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        camera.clock_offset_seconds = 600.0
        found = [find(session, camera, depot.key, make_document()) for _ in range(2)]
        assert [(one.clock_offset_seconds, one.shifted_seconds) for one in found] == [(600.0, 0), (600.0, 1)]
        camera.clock_offset_seconds = 59.0
        right = find(session, camera, depot.key, make_document())
        assert (right.clock_offset_seconds, right.shifted_seconds) == (None, 0)


def test_a_recording_of_nobody_is_stored_and_says_so(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session)
        assert recording.container_name.startswith(NOBODY)
        assert recording.problem_id == "recording-without-user"
        store(session, recording)
        assert recording.problem_id == "recording-without-user"


def test_a_name_that_is_taken_takes_the_next_second(depot: Depot) -> None:
    with depot.database.write() as session:
        names = [container_of(session, depot) for _ in range(3)]
        names.append(container_of(session, depot, seconds=1))
    ends = [name.rpartition("_")[2] for name in names]
    assert ends == ["20260304T050607Z", "20260304T050608Z", "20260304T050609Z", "20260304T050610Z"]


def test_two_containers_of_one_name_cannot_be_written(depot: Depot) -> None:
    with depot.database.write() as session:
        taken, other = depot.recording(session), depot.recording(session)
    with pytest.raises(IntegrityError), depot.database.write() as session:
        session.get_one(Recording, other.id).container_name = taken.container_name


@pytest.mark.parametrize(
    ("offset_seconds", "end"),
    [
        (None, "050607Z"),
        (0.4, "050607Z"),
        (60.0, "050607Z"),
        (-60.0, "050607Z"),
        (60.6, "050506Z"),
        (3600.0, "040607Z"),
        (-61.0, "050708Z"),
    ],
)
def test_a_clock_that_was_off_by_more_than_a_minute_is_corrected_in_the_name(
    depot: Depot, offset_seconds: float | None, end: str
) -> None:
    with depot.database.write() as session:
        assert container_of(session, depot, offset_seconds=offset_seconds).endswith(end)
        recording = session.scalars(select(Recording)).one()
        assert recording.start_at == START, "the original time is untouched"


def test_names_are_unique_whatever_was_recorded_when(depot: Depot) -> None:
    """Seeded, so that a failure can be had again."""
    chosen = random.Random(20260304)
    with depot.database.write() as session:
        names = [
            container_of(session, depot, seconds=chosen.randrange(6), offset_seconds=chosen.choice([None, 61.0, -90.0]))
            for _ in range(60)
        ]
    assert len(set(names)) == len(names)


# --- stored


def test_it_is_stored_when_every_file_is(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session, make_document(clips=2, bookmarks=(bookmark("x"),)))
        *some, last = list(recording.clips)
        for clip in some:
            recordings.clip_stored(session, stored_clip(clip), "disk")
        with pytest.raises(AssertionError, match="every file is verified"):
            recordings.stored(session, recording.id, b"manifest")
        assert recording.state is RecordingState.FOUND
        recordings.clip_stored(session, stored_clip(last), "disk")
        recordings.stored(session, recording.id, b"manifest")
        assert recording.state is RecordingState.STORED
        assert recording.stored_at is not None
    assert event_actions(depot.database, recording.id) == ["recording.found", *["clip.stored"] * 4, "recording.stored"]


def test_an_encrypted_clip_brings_its_key_once(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session)
        clip = recording.clips[0]
        for _ in range(2):
            recordings.clip_stored(session, stored_clip(clip, encrypted=True), "disk")
        keys = [other for other in recording.clips if other.kind is ClipKind.KEY]
        assert [key.unlocks_id for key in keys] == [clip.id]
        assert clip.encrypted
        assert clip.sha256 != clip.stored_sha256
        assert copies.state(keys[0], Place.SPOOL) is CopyState.VERIFIED
        assert copies.state(keys[0], Place.CAMERA) is None


def test_why_it_could_not_be_taken_stands_on_it_until_it_was(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        ada = users.create_user(session, name="Ada", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        recording = find(session, camera, depot.key, make_document(settings_sequence=camera.wanted_settings))
        recordings.offload_failed(session, recording.id, StoreFull(name="a"))
        assert (recording.problem_id, recording.problem_values) == ("store-full", {"name": "a"})
        assert recording.state is RecordingState.FOUND
        store(session, recording)
        assert recording.problem_id is None
    assert "recording.offload-failed" in event_actions(depot.database, recording.id)


def test_a_receipt_is_written_down_once(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session)
        assert recordings.unreceipted(session, recording.camera_id) == []
        store(session, recording)
        assert recordings.unreceipted(session, recording.camera_id) == [recording]
        for _ in range(2):
            recordings.receipted(session, recording.camera_id, [recording.camera_recording_id, "unknown"])
        assert recordings.unreceipted(session, recording.camera_id) == []
    assert event_actions(depot.database, recording.id).count("recording.receipted") == 1


def test_the_content_is_named_as_the_camera_names_it(depot: Depot) -> None:
    document = make_document()
    with depot.database.write() as session:
        recording = depot.recording(session, document)
        store(session, recording, encrypted=True)
        signed = recording.document
        clip, track = document.clips[0], document.track
        assert track is not None
        expected = content_sha256(
            [
                FileDigest(clip.name, clip.size_bytes, sha256(clip.name.encode())),
                FileDigest(TRACK_NAME, track.size_bytes, sha256(recording.clips[1].name.encode())),
                FileDigest(DOCUMENT_NAME, len(signed), sha256(signed)),
            ]
        )
        assert recordings.content_digest(recording) == expected


def test_what_was_seen_and_is_gone_raises_an_alarm_once(depot: Depot) -> None:
    with depot.database.write() as session:
        gone = depot.recording(session)
        safe = depot.recording(session)
        store(session, safe)
        camera = depot.camera(session)
        for _ in range(2):
            recordings.vanished(session, camera, [])
        assert gone.problem_id == "recording-vanished"
        assert gone.state is RecordingState.FOUND
        assert safe.problem_id != "recording-vanished"
    assert event_actions(depot.database, gone.id).count("recording.vanished") == 1


def test_what_is_listed_has_not_vanished(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session)
        recordings.vanished(session, depot.camera(session), [recording.camera_recording_id])
        assert recording.problem_id != "recording-vanished"


def test_a_document_is_believed_by_its_cameras_key_alone(depot: Depot) -> None:
    document = make_document()
    with depot.database.write() as session:
        recording = depot.recording(session, document)
        camera = depot.camera(session)
        assert documents.read(recording, camera) == document
        recording.document = sign(document, type(depot.key).generate())
        with pytest.raises(EnvelopeRefused):
            documents.read(recording, camera)
        recording.document = recording.document[:-20]
        with pytest.raises(EnvelopeRefused):
            documents.read(recording, camera)
