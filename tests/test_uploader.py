"""What each answer of a destination does to a recording and to the destination: never towards deletion (C3, I11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import fake_destination as fd
import pytest
from bodyworn.hw import uploader
from bodyworn.models import (
    Clip,
    CopyState,
    DestinationState,
    Place,
    Recording,
    RecordingState,
)
from bodyworn.services import copies, deliveries
from bodyworn.services.erasing import ErasePolicy
from fake_destination import FakeDestination, Turn
from rig_parts import START, event_actions
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from yard import CLIP_BYTES, Yard, adopt

pytest_plugins = ["fixtures_database", "fixtures_yard"]


@pytest.mark.feature("DST-1")
def test_recordings_are_delivered_and_completed(yard: Yard) -> None:
    first, second = yard.store(clips=2), yard.store()
    with yard.uploading(parallel=2):
        yard.wait(lambda: yard.is_delivered(first, second))
    assert set(yard.erasable()) == {first, second}
    assert yard.destination().state is DestinationState.OKAY
    assert all(copies.state(clip, Place.DESTINATION) is CopyState.VERIFIED for clip in yard.recording(first).clips)


def test_how_many_travel_at_a_time_can_be_changed_meanwhile(yard: Yard) -> None:
    stored, asked = yard.store(), threading.Event()
    limit = [0]

    def parallel() -> int:
        asked.set()
        return limit[0]

    with yard.uploading(parallel=parallel):
        assert asked.wait(5)
        assert not yard.is_delivered(stored)
        limit[0] = 1
        yard.wait(lambda: yard.is_delivered(stored))


# --- what passes by itself


def hang_up_halfway(exchange: fd.Exchange) -> None:
    """Take half of a body and close the connection."""
    exchange.handler.rfile.read(CLIP_BYTES // 2)
    exchange.hang_up()


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        (fd.status(408), "destination-failed"),
        (fd.status(429), "destination-busy"),
        (fd.status(500), "destination-failed"),
        (fd.status(503), "destination-busy"),
        (fd.early(503), "destination-busy"),
        (fd.status(504), "destination-failed"),
        (fd.status(507), "destination-full"),
        (fd.status(204), "nonsense-answer"),
        (fd.garbage(b"SMTP ready\r\n"), "nonsense-answer"),
        (fd.nothing, "destination-hung-up"),
        (hang_up_halfway, "destination-hung-up"),
    ],
)
def test_a_destination_that_cannot_now_is_tried_again(yard: Yard, turn: Turn, problem: str) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), turn)
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is DestinationState.WAITING)
        assert yard.destination().problem_id == problem
        assert yard.recording(recording_id).problem_id == problem
        assert yard.state(recording_id) is RecordingState.STORED
        yard.check_nothing_lost(recording_id)
        yard.wait(lambda: yard.is_delivered(recording_id))
    assert (yard.destination().state, yard.destination().problem_id) == (DestinationState.OKAY, None)
    assert yard.recording(recording_id).problem_id is None
    yard.check_delivered_once(recording_id)


def test_an_answer_that_was_lost_is_not_a_second_delivery(yard: Yard) -> None:
    recording_id = yard.store()
    path = yard.clip_path(recording_id)
    yard.fake.script("PUT", path, fd.lose_answer)
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)
    assert len(yard.fake.seen("PUT", path)) == 2


def test_a_lost_answer_to_complete_is_only_asked_about(yard: Yard) -> None:
    recording_id = yard.store()
    container = yard.recording(recording_id).container_name

    def complete_and_hang_up(exchange: fd.Exchange) -> None:
        exchange.read_body()
        exchange.destination.containers[container]["X-Container-Meta-Status"] = "Complete"
        exchange.hang_up()

    yard.fake.script("POST", container, complete_and_hang_up)
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)
    assert len(yard.fake.seen("POST", container)) == 1


def test_a_busy_destination_gets_the_time_that_it_asks_for(yard: Yard) -> None:
    first, second = yard.store(), yard.store()
    yard.fake.script("PUT", yard.clip_path(first), fd.status(503, Retry_After="3"))
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is DestinationState.WAITING)
        asked_at, before = time.monotonic(), len(yard.fake.requests)
        while time.monotonic() < asked_at + 2.3:
            assert len(yard.fake.requests) == before, "it was asked for three seconds"
            time.sleep(0.1)
        yard.wait(lambda: yard.is_delivered(first, second))
    assert time.monotonic() - asked_at > 2.5


def test_a_token_that_ended_is_renewed_without_a_word(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), fd.status(401))
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    assert "recording.upload-failed" not in event_actions(yard.database, recording_id)
    yard.check_delivered_once(recording_id)


def test_a_destination_that_is_away_gets_everything_when_it_is_back(yard: Yard) -> None:
    port, recording_ids = yard.fake.port, [yard.store(), yard.store()]
    yard.fake.stop()
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is DestinationState.WAITING)
        assert yard.destination().problem_id in ("destination-refuses-connection", "destination-unreachable")
        for one in recording_ids:
            yard.check_nothing_lost(one)
        with FakeDestination(at_port=port) as yard.fake:
            yard.wait(lambda: yard.is_delivered(*recording_ids))
    assert sorted(yard.erasable()) == sorted(recording_ids)


# --- what stops the destination until somebody mends it


@pytest.mark.feature("DST-4")
@pytest.mark.parametrize(
    ("turn", "problem", "state"),
    [
        (fd.status(402), "licence-missing", DestinationState.WAITING),
        (fd.status(403), "destination-forbids", DestinationState.STOPPED),
        (fd.status(302, Location="http://127.0.0.1:9/stolen"), "redirect-refused", DestinationState.STOPPED),
    ],
)
def test_a_destination_that_will_not_keeps_everything_here(
    yard: Yard, turn: Turn, problem: str, state: DestinationState
) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), *[turn] * 50)
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is state)
        assert yard.destination().problem_id == problem
        assert yard.state(recording_id) is RecordingState.STORED
        yard.check_nothing_lost(recording_id)
        yard.fake.behave_again()
        adopt(yard)
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


def test_a_key_that_is_not_accepted_any_more_stops_until_a_new_file_comes(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.script("GET", fd.AUTH_PATH, *[fd.status(401)] * 50)
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is DestinationState.STOPPED)
        assert yard.destination().problem_id == "authorization-failed"
        yard.check_nothing_lost(recording_id)
        yard.fake.behave_again()
        mended_at = time.monotonic()
        adopt(yard)
        yard.wait(lambda: yard.is_delivered(recording_id))
        assert time.monotonic() - mended_at < 5, "a new file ends the rest"


def test_without_a_licence_it_is_asked_once_an_hour(yard: Yard) -> None:
    recording_id = yard.store()
    path = yard.clip_path(recording_id)
    yard.fake.script("PUT", path, *[fd.status(402)] * 50)
    with yard.uploading():
        yard.wait(lambda: yard.destination().problem_id == "licence-missing")
        time.sleep(2.5)
        assert len(yard.fake.seen("PUT", path)) == 1


# --- what is wrong with one recording


@pytest.mark.feature("DST-7")
def test_a_first_refusal_may_be_that_the_user_is_not_known_there(yard: Yard) -> None:
    """Somebody may have removed the user or the camera at the destination: both are told again first."""
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), fd.status(400))
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    assert yard.fake.seen("POST", "/Users/")
    yard.check_delivered_once(recording_id)


def test_the_same_object_there_already_is_as_good_as_sent(yard: Yard) -> None:
    recording_id = yard.store()
    path = yard.clip_path(recording_id)
    container, name = path.split("/")
    with yard.shop.spool.open(container, name) as file:
        yard.fake.objects[path] = fd.StoredObject(file.read(), {})
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


def test_another_object_there_already_is_never_overwritten(yard: Yard) -> None:
    recording_id, other = yard.store(), yard.store()
    path = yard.clip_path(recording_id)
    yard.fake.objects[path] = fd.StoredObject(b"somebody else's", {})
    with yard.uploading():
        yard.wait(lambda: yard.state(recording_id) is RecordingState.QUARANTINED and yard.is_delivered(other))
    assert yard.fake.objects[path].body == b"somebody else's"
    assert yard.recording(recording_id).problem_id == "different-at-destination"
    yard.check_nothing_lost(recording_id)


@pytest.mark.parametrize("turn", [fd.status(422), fd.status(201, Etag="0" * 32)])
def test_bytes_that_the_network_changed_are_sent_again(yard: Yard, turn: Turn) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), turn)
    with yard.uploading():
        yard.wait(lambda: yard.recording(recording_id).problem_id == "destination-etag-differs")
        yard.check_nothing_lost(recording_id)
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


def flip_a_bit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100_000)
        byte = file.read(1)[0]
        file.seek(100_000)
        file.write(bytes([byte ^ 1]))


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1000)


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short, Path.unlink])
def test_a_copy_that_was_damaged_here_is_never_passed_off_as_the_recording(
    yard: Yard, damage: Callable[[Path], None]
) -> None:
    damaged, other = yard.store(), yard.store()
    path = yard.clip_path(damaged)
    damage(yard.shop.spool.root / path)
    with yard.uploading():
        yard.wait(lambda: yard.state(damaged) is RecordingState.FOUND and yard.is_delivered(other))
    assert path not in yard.fake.objects
    assert yard.recording(damaged).problem_id == "recording-to-take-again"
    assert damaged not in yard.erasable(ErasePolicy(camera_lacks_room=True))
    assert yard.destination().state is DestinationState.OKAY
    assert "copy.damaged" in event_actions(yard.database, damaged)


def test_a_damaged_copy_of_what_the_camera_has_no_more_waits_for_somebody(yard: Yard) -> None:
    damaged = yard.store()
    with yard.database.write() as session:
        session.get_one(Recording, damaged).erased_at = START
    flip_a_bit(yard.shop.spool.root / yard.clip_path(damaged))
    with yard.uploading():
        yard.wait(lambda: yard.state(damaged) is RecordingState.QUARANTINED)
    assert yard.recording(damaged).problem_id == "recording-damaged"
    assert list((yard.shop.spool.root / ".quarantine").rglob("*")), "what is left of it is kept"


def test_a_recording_that_cannot_be_read_does_not_hold_the_others_up(yard: Yard) -> None:
    broken, other = yard.store(), yard.store()
    with yard.database.write() as session:
        session.get_one(Recording, broken).document = b"nonsense"
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(other) and yard.recording(broken).problem_id is not None)
    assert yard.recording(broken).problem_id == "envelope-malformed"
    yard.check_nothing_lost(broken)


# --- destinations that prove nothing


def test_a_database_that_fails_for_a_moment_ends_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, asked, due = yard.store(), [0], deliveries.due

    def failing(session: Session, limit: int) -> list[Recording]:
        asked[0] += 1
        if asked[0] <= 2:
            raise OperationalError("SELECT", {}, OSError("disk I/O error"))
        return due(session, limit)

    monkeypatch.setattr(deliveries, "due", failing)
    monkeypatch.setattr(uploader, "_IDLE_SECONDS", 0.05)
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(stored))
    assert asked[0] > 2


def test_without_etags_it_is_acknowledged_and_its_copy_here_counts(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard(etags=False)
    recording_id = yard.store()
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    recording = yard.recording(recording_id)
    assert {copies.state(clip, Place.DESTINATION) for clip in recording.clips} == {CopyState.ACKNOWLEDGED}
    assert yard.erasable() == [recording_id]
    with yard.database.write() as session:
        clip = session.get_one(Clip, recording.clips[0].id)
        copies.put(clip, Place.SPOOL, CopyState.PROBLEM, "disk")
    assert yard.erasable() == []


def test_a_destination_that_proved_before_has_to_go_on_proving(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.etags = False
    with yard.uploading():
        yard.wait(lambda: yard.recording(recording_id).problem_id == "copy-unproved")
        assert yard.erasable() == []
        yard.fake.etags = True
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


def test_a_missing_etag_is_asked_for_once_more(yard: Yard) -> None:
    recording_id = yard.store()

    def store_without_a_word(exchange: fd.Exchange) -> None:
        data = exchange.read_body()
        path = exchange.seen.path.removeprefix(f"{fd.STORAGE_PATH}/")
        exchange.destination.objects[path] = fd.StoredObject(data, {})
        exchange.answer(201)

    yard.fake.script("PUT", yard.clip_path(recording_id), store_without_a_word)
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


# --- stopping


def test_the_uploader_stops_while_a_destination_is_silent(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), fd.silence)
    with yard.uploading():
        yard.wait(lambda: yard.fake.seen("PUT", yard.clip_path(recording_id)))
        began = time.monotonic()
        threading.Timer(0.3, yard.fake.released.set).start()
    assert time.monotonic() - began < 6
    yard.check_nothing_lost(recording_id)
