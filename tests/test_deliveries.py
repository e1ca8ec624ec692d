"""What is due, what the destination proved, and that no failure ever moves a recording towards deletion (I11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from bodyworn.errors import Busy, DifferentAtDestination, Rejected
from bodyworn.models import Clip, ClipKind, CopyState, Destination, Place, Recording, RecordingState
from bodyworn.services import cameras, copies, deliveries, users
from bodyworn.services.deliveries import Delivery
from rig_parts import ACTOR, START, Depot, bookmark, event_actions, find, make_document, store
from seed import connect_destination
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]


@dataclass
class Due:
    """A depot whose camera is worn, with a destination."""

    depot: Depot
    destination_id: str
    camera_id: str
    settings: int

    def stored(self, session: Session, *, minutes: int = 0, encrypted: bool = False, bookmarks: int = 0) -> Recording:
        """Bring a recording into the spool."""
        moment = START + timedelta(minutes=minutes)
        marks = tuple(bookmark(str(number), moment) for number in range(bookmarks))
        document = make_document(start=moment, settings_sequence=self.settings, bookmarks=marks)
        recording = find(session, cameras.get(session, self.camera_id), self.depot.key, document)
        store(session, recording, encrypted=encrypted)
        return recording


@pytest.fixture
def due(depot: Depot) -> Due:
    with depot.database.write() as session:
        destination = connect_destination(session, datetime.now(UTC))
        camera = depot.camera(session)
        ada = users.create_user(session, name="Ada", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        return Due(depot, destination.id, camera.id, camera.wanted_settings)


def listed(session: Session) -> list[str]:
    return [recording.id for recording in deliveries.due(session, limit=10)]


def test_what_is_stored_is_due_protected_first_then_the_oldest(due: Due) -> None:
    with due.depot.database.write() as session:
        late, early = due.stored(session, minutes=9), due.stored(session, minutes=1)
        marked = due.stored(session, minutes=20, bookmarks=1)
        assert listed(session) == [marked.id, early.id, late.id]
        assert [one.id for one in deliveries.due(session, limit=1)] == [marked.id]


def test_what_is_not_stored_has_no_user_or_waits_is_not_due(due: Due) -> None:
    with due.depot.database.write() as session:
        found = due.depot.recording(session)
        nobodys = due.depot.recording(session)
        store(session, nobodys)
        waiting = due.stored(session)
        waiting.retry_at = datetime.now(UTC) + timedelta(seconds=60)
        assert found.state is RecordingState.FOUND
        assert listed(session) == []
        waiting.retry_at = datetime.now(UTC) - timedelta(seconds=1)
        assert listed(session) == [waiting.id]


@pytest.mark.parametrize("state", [state for state in RecordingState if state is not RecordingState.STORED])
def test_only_stored_recordings_are_due(due: Due, state: RecordingState) -> None:
    with due.depot.database.write() as session:
        due.stored(session).state = state
        assert listed(session) == []


def test_a_proof_must_be_our_digest(due: Due) -> None:
    with due.depot.database.write() as session:
        clip = due.stored(session).clips[0]
        with pytest.raises(AssertionError, match="I3"):
            deliveries.clip_delivered(session, Delivery(clip.id, verified=True, md5="0" * 32), "there")
        assert copies.state(clip, Place.DESTINATION) is None
        deliveries.clip_delivered(session, Delivery(clip.id, verified=True, md5=clip.stored_md5 or ""), "there")
        copy = copies.find(clip, Place.DESTINATION)
        assert copy is not None
        assert (copy.state, copy.proved_md5, copy.done_bytes) == (CopyState.VERIFIED, clip.stored_md5, 1000)


def test_an_answer_without_a_digest_is_acknowledged_only(due: Due) -> None:
    with due.depot.database.write() as session:
        clip = due.stored(session).clips[0]
        deliveries.clip_delivered(session, Delivery(clip.id, verified=False, md5=clip.stored_md5 or ""), "there")
        assert copies.state(clip, Place.DESTINATION) is CopyState.ACKNOWLEDGED


def test_progress_never_takes_a_proof_back(due: Due) -> None:
    with due.depot.database.write() as session:
        clip = due.stored(session).clips[0]
        deliveries.send_progress(session, {clip.id: (10, "there")})
        assert copies.state(clip, Place.DESTINATION) is CopyState.WRITING
        deliveries.clip_delivered(session, Delivery(clip.id, verified=True, md5=clip.stored_md5 or ""), "there")
        deliveries.send_progress(session, {clip.id: (20, "there")})
        assert copies.state(clip, Place.DESTINATION) is CopyState.VERIFIED


def test_a_delivered_recording_forgets_its_troubles(due: Due) -> None:
    with due.depot.database.write() as session:
        recording = due.stored(session)
        deliveries.upload_failed(session, recording.id, Busy(status=503, retry_after_seconds=0), 0.0)
        deliveries.delivered(session, recording.id)
        assert (recording.state, recording.problem_id, recording.attempts) == (RecordingState.DELIVERED, None, 0)
        assert listed(session) == []
    assert event_actions(due.depot.database, recording.id)[-1] == "recording.delivered"


def test_a_failed_upload_waits_longer_each_time_up_to_five_minutes(due: Due) -> None:
    waits = []
    with due.depot.database.write() as session:
        recording = due.stored(session)
        for _ in range(12):
            before = datetime.now(UTC)
            deliveries.upload_failed(session, recording.id, Busy(status=503, retry_after_seconds=0), None)
            assert recording.retry_at is not None
            waits.append(round((recording.retry_at - before).total_seconds()))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert event_actions(due.depot.database, recording.id).count("recording.upload-failed") == 1


@pytest.mark.parametrize(("asked_seconds", "waited_seconds"), [(0.0, 1), (120.0, 120), (86400.0, 3600)])
def test_a_destination_that_asks_for_time_gets_it_within_reason(
    due: Due, asked_seconds: float, waited_seconds: int
) -> None:
    with due.depot.database.write() as session:
        recording, before = due.stored(session), datetime.now(UTC)
        deliveries.upload_failed(session, recording.id, Busy(status=503, retry_after_seconds=0), asked_seconds)
        assert recording.retry_at is not None
        assert round((recording.retry_at - before).total_seconds()) == waited_seconds
        deliveries.retry_all(session)
        session.flush()
        assert listed(session) == [recording.id]


def test_no_failure_moves_a_recording_towards_deletion(due: Due) -> None:
    with due.depot.database.write() as session:
        failed, refused, strange = (due.stored(session, minutes=minutes) for minutes in (1, 2, 3))
        before = {clip.id: copies.state(clip, Place.SPOOL) for one in (failed, refused, strange) for clip in one.clips}
        deliveries.upload_failed(session, failed.id, Busy(status=500, retry_after_seconds=0), None)
        deliveries.refused(session, refused.id, Rejected())
        deliveries.quarantined(session, strange.id, DifferentAtDestination())
        states = [one.state for one in (failed, refused, strange)]
        assert states == [RecordingState.STORED, RecordingState.REFUSED, RecordingState.QUARANTINED]
        assert [one.problem_id for one in (refused, strange)] == ["destination-rejected", "different-at-destination"]
        after = {clip.id: copies.state(clip, Place.SPOOL) for one in (failed, refused, strange) for clip in one.clips}
        assert after == before
        assert not any(one.erased_at for one in (failed, refused, strange))


def kinds_that_travel(session: Session, recording: Recording, destination: Destination) -> set[str]:
    return {_described(clip) for clip in recording.clips if deliveries.travels(clip, destination)}


def _described(clip: Clip) -> str:
    if clip.kind is not ClipKind.KEY:
        return str(clip.kind)
    return "key of " + next(other.kind for other in clip.recording.clips if other.id == clip.unlocks_id)


def test_what_travels_is_what_the_destination_has_a_place_for(due: Due) -> None:
    with due.depot.database.write() as session:
        recording = due.stored(session, encrypted=True, bookmarks=1)
        destination = session.get_one(Destination, due.destination_id)
        everything = {"clip", "track", "bookmark", "key of clip", "key of track"}
        destination.capabilities = {"bookmarks": True, "track": True}
        assert kinds_that_travel(session, recording, destination) == everything
        destination.capabilities = {"bookmarks": True}
        assert kinds_that_travel(session, recording, destination) == {"clip", "key of clip", "bookmark"}
        destination.capabilities = {}
        assert kinds_that_travel(session, recording, destination) == {"clip", "key of clip"}
