"""Stored copies are read again for ever: what is damaged stops counting, is kept aside, and is taken again."""

from __future__ import annotations

import os
import random
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodyworn.errors import CopyChanged, ObjectExists, ObjectMissing
from bodyworn.hw.auditor import REST
from bodyworn.models import (
    Camera,
    Copy,
    CopyState,
    Database,
    Place,
    ReceivedObject,
    ReceiverAccount,
    Recording,
    RecordingState,
)
from bodyworn.services import auditing, checks, erasures, events, purging, received, received_objects, status
from bodyworn.services.erasing import ErasePolicy
from bodyworn.services.received import Peer
from bodyworn.services.received_objects import Offer
from bodyworn.simulator.recorder import Wish
from evidence_parts import Evidence
from rig_parts import ACTOR, event_actions
from running_station import Station
from sqlalchemy import select, update

pytest_plugins = ["fixtures_database", "fixtures_rig"]
pytestmark = pytest.mark.feature("SYS-10")

MIB = 1024 * 1024


@pytest.fixture
def evidence(sqlite_database: Database, tmp_path: Path) -> Evidence:
    return Evidence.on(sqlite_database, tmp_path)


def labels(evidence: Evidence) -> list[str]:
    with evidence.database.read() as session:
        return [message.label.one for message in status.needs(session, datetime.now(UTC))]


def make_due(evidence: Evidence, recording_id: str, days: int) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    ids = [copy.id for clip in evidence.recording(recording_id).clips for copy in clip.copies]
    evidence.write(lambda session: session.execute(update(Copy).where(Copy.id.in_(ids)).values(checked_at=at)))


def was_just_read(evidence: Evidence, recording_id: str) -> bool:
    checked_at = evidence.copy(recording_id).checked_at
    return checked_at is not None and datetime.now(UTC) - checked_at < timedelta(minutes=1)


# what is whole


def test_what_is_whole_stays_as_it_is_and_says_when_it_was_read(evidence: Evidence) -> None:
    recording_id = evidence.record(clips=3)
    before = evidence.copy(recording_id).checked_at
    evidence.check_all()
    assert {copy.state for copy in evidence.copies(recording_id)} == {CopyState.VERIFIED}
    after = evidence.copy(recording_id).checked_at
    assert before is not None
    assert after is not None
    assert after > before
    with evidence.database.read() as session:
        audit = checks.find(session)
    assert audit is not None
    assert (audit.objects, audit.done_objects, audit.size_bytes, audit.done_bytes) == (3, 3, 15000, 15000)
    assert (audit.findings, checks.is_pending(audit)) == ([], False)
    assert event_actions(evidence.database)[-2:] == ["evidence.check-requested", "evidence.checked"]


def test_the_oldest_check_comes_first_and_a_recent_one_rests(evidence: Evidence) -> None:
    ids = [evidence.record() for _ in range(3)]
    for recording_id, days in zip(ids, (2, 9, 5), strict=True):
        make_due(evidence, recording_id, days)
    recent = evidence.record()
    with evidence.database.read() as session:
        due = auditing.due(session, datetime.now(UTC) - REST, 10)
    assert [held.name for held in due] == [evidence.clip(ids[number]).name for number in (1, 2, 0)]
    assert evidence.clip(recent).name not in [held.name for held in due]


def test_a_clock_that_is_set_back_does_not_make_a_check_endless(evidence: Evidence) -> None:
    evidence.record(clips=4)
    evidence.write(lambda session: checks.request(session, ACTOR))
    with evidence.database.write() as session:
        audit = checks.find(session)
        assert audit is not None
        audit.requested_at = datetime.now(UTC) + timedelta(hours=1)
    auditor = evidence.auditor()
    assert [auditor.look() for _ in range(3)] == [True, False, False]
    with evidence.database.read() as session:
        audit = checks.find(session)
    assert audit is not None
    assert audit.done_objects == 4
    assert event_actions(evidence.database).count("evidence.checked") == 1


def test_without_being_asked_everything_is_read_once_a_day(evidence: Evidence) -> None:
    recording_id = evidence.record()
    make_due(evidence, recording_id, 2)
    auditor = evidence.auditor()
    assert auditor.look()
    assert was_just_read(evidence, recording_id)
    assert not auditor.look()


# what is damaged


def test_a_changed_copy_is_put_in_quarantine_and_its_recording_waits_for_the_camera(evidence: Evidence) -> None:
    recording_id = evidence.record(clips=2)
    damaged = evidence.flip(recording_id)
    evidence.check_all()
    recording = evidence.recording(recording_id)
    assert [copy.state for copy in evidence.copies(recording_id)] == [CopyState.PROBLEM, CopyState.VERIFIED]
    assert (recording.state, recording.problem_id) == (RecordingState.FOUND, "recording-to-take-again")
    assert evidence.quarantined() == [damaged]
    assert not evidence.path(recording_id).exists()
    assert "Damaged" in labels(evidence)
    assert "copy.damaged" in event_actions(evidence.database, recording_id)


def test_nothing_is_erased_from_the_camera_because_of_it(evidence: Evidence) -> None:
    recording_id = evidence.record()
    evidence.flip(recording_id)
    evidence.check_all()
    with evidence.database.read() as session:
        camera = session.scalars(select(Camera)).one()
        assert erasures.erasable(session, camera, ErasePolicy(camera_lacks_room=True)) == []


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    os.truncate(path, 10)


def _replace_by_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (_remove, "copy-missing"),
        (_cut, "copy-changed"),
        (_replace_by_a_link, "copy-unreadable"),
        (_replace_by_a_folder, "copy-unreadable"),
    ],
)
def test_every_kind_of_damage_has_its_own_cause(evidence: Evidence, harm: Callable[[Path], None], problem: str) -> None:
    recording_id = evidence.record()
    path = evidence.path(recording_id)
    harm(path)
    evidence.check_all()
    assert evidence.copy(recording_id).problem_id == problem
    assert not os.path.lexists(path)


def test_the_same_damage_is_told_once(evidence: Evidence) -> None:
    recording_id = evidence.record()
    evidence.flip(recording_id)
    evidence.check_all()
    evidence.check_all()
    assert event_actions(evidence.database).count("copy.damaged") == 1
    assert evidence.copy(recording_id).problem_id == "copy-changed"


def test_where_the_destination_has_proved_its_copy_nothing_is_lost(evidence: Evidence) -> None:
    recording_id = evidence.record()
    evidence.deliver(recording_id)
    evidence.flip(recording_id)
    evidence.check_all()
    recording = evidence.recording(recording_id)
    assert (recording.state, recording.problem_id) == (RecordingState.DELIVERED, None)
    with evidence.database.write() as session:
        found = session.get_one(Recording, recording_id)
        found.delivered_at = datetime.now(UTC) - timedelta(days=2)
        events.record(session, "recording.delivered", "recording", recording_id)
    with evidence.database.write() as session:
        (purgeable,) = purging.purgeable(session, 10, grace_seconds=-1)
        purging.purged(session, purgeable)
    assert evidence.copy(recording_id).problem_id is None


@pytest.mark.parametrize("state", [None, CopyState.ACKNOWLEDGED])
def test_what_may_be_the_only_copy_waits_for_a_person(evidence: Evidence, state: CopyState | None) -> None:
    recording_id = evidence.record()
    if state is not None:
        evidence.deliver(recording_id, state)
    evidence.erase_from_camera(recording_id)
    evidence.flip(recording_id)
    evidence.check_all()
    recording = evidence.recording(recording_id)
    assert recording.problem_id == "recording-damaged"
    assert recording.state is (RecordingState.DELIVERED if state else RecordingState.QUARANTINED)
    assert labels(evidence).count("Damaged") == 1


@pytest.mark.parametrize("number", [0, 1])
def test_an_encrypted_clip_and_its_key_go_together(evidence: Evidence, number: int) -> None:
    recording_id = evidence.record(encrypted=True)
    evidence.flip(recording_id, number)
    evidence.check_all()
    problems = [copy.problem_id for copy in evidence.copies(recording_id)]
    assert sorted(filter(None, problems)) == ["copy-changed", "copy-without-partner"]
    assert problems[number] == "copy-changed"
    assert len(evidence.quarantined()) == 2


def test_a_key_that_is_lost_after_its_clip_was_sent_is_for_a_person_to_see_to(evidence: Evidence) -> None:
    recording_id = evidence.record(encrypted=True)
    with evidence.database.write() as session:
        clip = session.get_one(Recording, recording_id).clips[0]
        clip.copies.append(
            Copy(place=Place.DESTINATION, state=CopyState.VERIFIED, failure_domain="destination:1", done_bytes=0)
        )
    evidence.flip(recording_id, 1)
    evidence.check_all()
    recording = evidence.recording(recording_id)
    assert (recording.state, recording.problem_id) == (RecordingState.QUARANTINED, "recording-key-lost")
    assert evidence.path(recording_id, 0).exists()


def test_a_copy_that_is_back_counts_again(evidence: Evidence) -> None:
    recording_id = evidence.record()
    path = evidence.path(recording_id)
    path.rename(path.with_name(".elsewhere"))
    evidence.check_all()
    assert evidence.recording(recording_id).state is RecordingState.FOUND
    path.with_name(".elsewhere").rename(path)
    evidence.check_all()
    recording = evidence.recording(recording_id)
    assert (recording.state, recording.problem_id) == (RecordingState.STORED, None)
    assert evidence.copy(recording_id).state is CopyState.VERIFIED
    assert "copy.restored" in event_actions(evidence.database, recording_id)


def test_a_crash_between_noting_and_moving_aside_is_made_good_at_the_start(evidence: Evidence) -> None:
    recording_id = evidence.record()
    damaged = evidence.flip(recording_id)
    with evidence.database.write() as session:
        (held,) = auditing.due(session, datetime.now(UTC) + timedelta(minutes=1), 5)
        auditing.found_damaged(session, held, CopyChanged(name=held.label))
    auditor = evidence.auditor()
    auditor.start()
    auditor.stop()
    assert evidence.quarantined() == [damaged]
    assert not evidence.path(recording_id).exists()


def test_what_changed_while_it_was_read_is_no_finding(evidence: Evidence) -> None:
    recording_id = evidence.record()
    with evidence.database.write() as session:
        (held,) = auditing.due(session, datetime.now(UTC) + timedelta(minutes=1), 5)
        session.get_one(Recording, recording_id).clips[0].stored_sha256 = "0" * 64
        session.flush()
        auditing.found_damaged(session, held, CopyChanged(name=held.label))
        auditing.found_whole(session, [held])
    assert evidence.copy(recording_id).problem_id is None


def test_an_absent_disk_is_not_taken_for_missing_copies(evidence: Evidence) -> None:
    ids = [evidence.record() for _ in range(3)]
    root = evidence.shop.spool.root
    root.rename(root.with_name("away"))
    root.mkdir()
    evidence.write(lambda session: session.execute(update(Copy).values(failure_domain="another disk")))
    evidence.check_all()
    assert {evidence.copy(one).state for one in ids} == {CopyState.VERIFIED}
    assert "Storage error" in labels(evidence)
    root.rmdir()
    root.with_name("away").rename(root)
    auditor = evidence.auditor()
    while auditor.look():
        pass
    assert "Storage error" not in labels(evidence)
    with evidence.database.read() as session:
        assert not checks.is_pending(checks.find(session))


def test_two_hundred_flipped_bits_are_all_found(evidence: Evidence) -> None:
    chance = random.Random(7)
    ids = [evidence.record(clips=20, size_bytes=300) for _ in range(10)]
    for recording_id in ids:
        for number in range(20):
            evidence.flip(recording_id, number, bit=chance.randrange(300 * 8))
    evidence.check_all()
    with evidence.database.read() as session:
        states = list(session.scalars(select(Copy.problem_id).where(Copy.place == Place.SPOOL)))
    assert states == ["copy-changed"] * 200


# in nobody's way


def test_the_rate_is_held(evidence: Evidence) -> None:
    evidence.record(size_bytes=3 * MIB)
    began = time.monotonic()
    evidence.check_all(evidence.auditor(bytes_per_second=10 * MIB))
    assert 0.25 < time.monotonic() - began < 3


def test_an_offload_goes_first(evidence: Evidence) -> None:
    recording_id = evidence.record(size_bytes=MIB)
    make_due(evidence, recording_id, 2)
    auditor = evidence.auditor()
    with evidence.shop.room_for(1):
        thread = threading.Thread(target=auditor.look)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert was_just_read(evidence, recording_id)


def test_it_ends_in_the_middle_of_a_file_and_begins_again_with_it(evidence: Evidence) -> None:
    recording_id = evidence.record(size_bytes=4 * MIB)
    make_due(evidence, recording_id, 2)
    before = evidence.copy(recording_id).checked_at
    auditor = evidence.auditor(bytes_per_second=1000)
    auditor.start()
    time.sleep(0.1)
    began = time.monotonic()
    auditor.stop()
    assert time.monotonic() - began < 2
    assert evidence.copy(recording_id).checked_at == before


def test_memory_does_not_grow_with_the_file(evidence: Evidence) -> None:
    evidence.record(size_bytes=64 * MIB)
    tracemalloc.start()
    evidence.check_all()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * MIB


# the receiver's own


@pytest.fixture
def received_object(evidence: Evidence) -> tuple[Evidence, Peer, Offer, bytes]:
    peer, data = Peer("account", "user"), os.urandom(2000)
    offer = Offer("Container", "clip.mkv", "video/x-matroska", {}, only_new=True)
    with evidence.database.write() as session:
        session.add(
            ReceiverAccount(id=peer.account_id, user_name="user", key_sha256="0" * 64, created_at=datetime.now(UTC))
        )
    _send(evidence, peer, offer, data)
    return evidence, peer, offer, data


def _send(evidence: Evidence, peer: Peer, offer: Offer, data: bytes) -> None:
    store = received.store_of(evidence.folder / "received", peer.account_id)
    with evidence.database.write() as session:
        received.put_container(session, store, peer, offer.container, {})
        received_objects.consider(session, peer, offer)
        digests = store.write_bytes(offer.container, offer.name, data, metadata={})
        received_objects.put_object(session, store, peer, offer, digests)


def test_a_received_object_is_checked_too_and_counts_as_absent_when_damaged(
    received_object: tuple[Evidence, Peer, Offer, bytes],
) -> None:
    evidence, peer, offer, data = received_object
    with pytest.raises(ObjectExists):
        _send(evidence, peer, offer, data)
    path = evidence.folder / "received" / peer.account_id / offer.container / offer.name
    path.write_bytes(data[:-1] + b"?")
    evidence.check_all()
    assert not path.exists()
    with evidence.database.read() as session, pytest.raises(ObjectMissing):
        received_objects.get_object(session, peer, offer.container, offer.name)
    assert "Damaged" in labels(evidence)
    _send(evidence, peer, offer, data)
    with evidence.database.read() as session:
        assert session.scalars(select(ReceivedObject)).one().problem_id is None
    assert path.read_bytes() == data


# the whole way


@pytest.mark.feature("REC-2")
def test_a_damaged_recording_is_taken_again_at_the_next_docking(make_station: Callable[..., Station]) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(Wish(size_bytes=200_000))
    camera.dock(station.bay())
    with station.running():
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
    camera.undock()
    found = station.recording(recorded)
    assert found is not None
    path = station.spool.root / found.container_name / found.clips[0].name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with station.database.write() as session:
        checks.request(session, ACTOR)
    with station.running(audit_bytes_per_second=1e9):
        station.wait(lambda: station.problem(recorded) == "recording-to-take-again")
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
    assert path.read_bytes() == whole
    assert station.problem(recorded) is None
    assert station.breaks() == []
