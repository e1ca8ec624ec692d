"""Cameras as they come: new, foreign, damaged, pulled out in the middle. Nothing is lost, and it is said why."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bodyworn.camera_volume import documents
from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.media import recording_folder
from bodyworn.camera_volume.port import UnitKind
from bodyworn.camera_volume.recording import DOCUMENT_NAME
from bodyworn.const import Step
from bodyworn.crypto import envelope
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.destination.names import read_container_name
from bodyworn.errors import CameraTwice, SerialTaken, StoreDamaged
from bodyworn.hw import docked, docking
from bodyworn.hw.drivers import volume
from bodyworn.models import BayState, Belonging, RecordingState
from bodyworn.services import cameras, users
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.faults import RecordingFault, TurnFault
from bodyworn.simulator.recorder import Recorded, Wish
from fake_destination import FakeDestination
from file_watch import Watch
from rig_parts import ACTOR, START, event_actions, sha256
from running_station import SMALL, Station

pytest_plugins = ["fixtures_database", "fixtures_rig"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def on_camera(camera: SimulatedCamera, recorded: Recorded) -> set[str]:
    """List the files of a recording on the camera, in the camera's turn."""
    with camera.touch(Unit.MEDIA) as media:
        return {path.name for path in (media / recording_folder(recorded.id)).iterdir()}


def spooled(station: Station) -> list[Path]:
    return [path for path in (station.rig.data_dir / "spool").glob("*/*") if path.is_file()]


@pytest.mark.feature("REC-1")
@pytest.mark.feature("REC-2")
def test_the_whole_way(station: Station) -> None:
    camera = station.worn()
    recorded = [camera.record(Wish(clips=2, size_bytes=160 * 1024, bookmarks=("here",))), camera.record(SMALL)]
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(*recorded))
        assert station.bay_state() is BayState.READY
    assert station.is_delivered(*recorded)
    assert camera.recordings() == ()
    for one in recorded:
        assert {name: sha256(data) for name, data in station.arrived(one).items()} == {
            clip.name: clip.sha256 for clip in one.clips
        }
        found = station.recording(one)
        assert found is not None
        assert event_actions(station.database, found.id)[-2:] == ["recording.erase-ordered", "recording.erased"]
    assert station.breaks() == []


def test_the_whole_way_on_postgresql(make_station: Callable[..., Station], request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql")
    station = make_station(url=server.create())
    station.connect()
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    assert station.is_delivered(recorded)
    assert station.breaks() == []


@pytest.mark.feature("REC-4")
def test_a_destination_that_wants_encryption_never_sees_plaintext_nor_does_the_disk(
    make_station: Callable[..., Station], key_pair: tuple[bytes, bytes]
) -> None:
    station = make_station()
    station.connect_encrypted(*key_pair)
    camera = station.worn()
    recorded = camera.record(SMALL)
    with camera.touch(Unit.MEDIA) as media:
        folder = media / recording_folder(recorded.id)
        secrets = [path.read_bytes()[4096:4160] for path in folder.glob("*.mkv")]
        secrets.append((folder / "track.json").read_bytes()[40:104])
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    sent = [one.body for one in station.fake.objects.values()] + [path.read_bytes() for path in spooled(station)]
    assert len(sent) > 6
    assert not any(secret in data for secret in secrets for data in sent)
    assert {sha256(data) for data in station.arrived(recorded).values()} == {clip.sha256 for clip in recorded.clips}


def test_what_was_stored_in_clear_is_encrypted_before_it_is_sent(
    make_station: Callable[..., Station], key_pair: tuple[bytes, bytes]
) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
        station.connect_encrypted(*key_pair)
        station.wait(lambda: station.is_erased(recorded))
    clear = {clip.sha256 for clip in recorded.clips}
    assert not any(sha256(one.body) in clear for one in station.fake.objects.values())
    assert not any(sha256(path.read_bytes()) in clear for path in spooled(station))
    assert {sha256(data) for data in station.arrived(recorded).values()} == clear


# --- whose camera it is


@pytest.mark.feature("CAM-1")
def test_a_new_camera_is_listed_and_never_read(station: Station) -> None:
    camera = station.camera()
    camera.record(SMALL, anyway=True)
    home = station.rig.data_dir / "cameras" / "1" / "units" / "media"
    with station.running():
        camera.dock(station.bay())
        began = time.monotonic()
        station.wait(lambda: station.bay_state() is BayState.NEW)
        assert time.monotonic() - began < 2
        # firmware that hands its media unit over unasked gains nothing by it
        home.rename(station.bay() / "host" / "media")
        with Watch(station.bay() / "host" / "media") as watch:
            before = station.database.change_counter()
            time.sleep(1.2)
            assert watch.opened() == []
            assert station.database.change_counter() - before <= 3, "whoever waits writes nothing"
        assert [one.belonging for one in station.known(camera.serial)] == [Belonging.NEW]
        assert station.recordings() == []
        (station.bay() / "host" / "media").rename(home)
    assert len(camera.recordings()) == 1


def test_a_camera_of_another_system_is_refused_and_keeps_everything(make_station: Callable[..., Station]) -> None:
    theirs, ours = make_station("theirs"), make_station("ours")
    camera = theirs.worn()
    recorded = camera.record(SMALL)
    with ours.running():
        camera.dock(ours.bay())
        ours.wait(lambda: ours.bay_state() is BayState.PROBLEM)
        assert ours.bay_row().problem_id == "camera-belongs-elsewhere"
        assert "belongs to another body worn system" in ours.sentence(ours.bay_row())
        assert not (ours.bay() / "host" / "media").exists()
        camera.undock()
        ours.wait(lambda: ours.bay_state() is BayState.EMPTY)
    assert camera.recordings() == (recorded.id,)
    assert ours.recordings() == []


def test_a_second_camera_of_the_same_serial_number_stays_new_and_unread(station: Station) -> None:
    first = station.worn(1, serial="TWIN")
    twin = station.camera(2, serial="TWIN")
    kept = twin.record(SMALL, anyway=True)
    recorded = first.record(SMALL)
    with station.running():
        for number, camera in enumerate((first, twin), 1):
            camera.dock(station.bay(number))
        station.wait(lambda: station.is_erased(recorded) and station.bay_state(2) is BayState.NEW)
        new = next(one for one in station.known("TWIN") if one.belonging is Belonging.NEW)
        with pytest.raises(SerialTaken, match="TWIN"), station.database.write() as session:
            cameras.add_cameras(session, [new.id], actor=ACTOR)
        assert (station.bay_state(2), station.bay_row(2).problem_id) == (BayState.NEW, "serial-taken")
    assert len(station.known("TWIN")) == 2
    assert twin.recordings() == (kept.id,)
    found = station.recording(recorded)
    assert found is not None
    assert found.camera_id != new.id


def test_of_two_new_cameras_with_one_serial_number_neither_can_be_added(station: Station) -> None:
    twins = [station.camera(number, serial="TWIN") for number in (1, 2)]
    with station.running():
        for number, camera in enumerate(twins, 1):
            camera.dock(station.bay(number))
        station.wait(lambda: {station.bay_row(number).problem_id for number in (1, 2)} == {"camera-twice"})
        assert [station.bay_state(number) for number in (1, 2)] == [BayState.NEW, BayState.NEW]
        for one in station.known("TWIN"):
            with pytest.raises(CameraTwice, match="TWIN"), station.database.write() as session:
                cameras.add_cameras(session, [one.id], actor=ACTOR)
        twins[0].undock()
        station.wait(lambda: station.bay_row(2).problem_id is None)
        assert station.bay_state(2) is BayState.NEW


def test_a_camera_and_its_perfect_copy_are_both_left_alone(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same key in both, nobody can tell which one is genuine."""
    monkeypatch.setattr(docked, "MOVING_SECONDS", 0.3)
    monkeypatch.setattr(docking, "_RETRY_SECONDS", 0.3)
    camera = station.worn()
    folder = station.rig.data_dir / "cameras"
    shutil.copytree(folder / "1", folder / "2")
    copy = station.camera(2, serial=camera.serial)
    with station.running():
        for number, one in enumerate((camera, copy), 1):
            one.dock(station.bay(number))
        station.wait(lambda: {station.bay_row(number).problem_id for number in (1, 2)} == {"camera-twice"})
        assert "Nothing is read from either" in station.sentence(station.bay_row())
        copy.undock()
        station.wait(lambda: station.bay_state() is BayState.READY)


def test_a_camera_that_moves_from_one_bay_to_another_is_no_twin(station: Station) -> None:
    camera = station.worn()
    with station.running():
        camera.dock(station.bay(1))
        station.wait(lambda: station.bay_state(1) is BayState.READY)
        camera.undock()
        camera.dock(station.bay(2))
        station.wait(lambda: station.bay_state(2) is BayState.READY)
        assert station.bay_row(2).problem_id is None


def test_an_impostor_is_not_read(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    camera.faults.add(TurnFault.IMPOSTOR)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id == "camera-not-genuine"
        assert camera.serial in station.sentence(station.bay_row())
    assert station.recordings() == []
    camera.undock()
    assert camera.recordings() == (recorded.id,)


def test_a_camera_that_does_not_come_back_is_said_to(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "TURN_SECONDS", 0.4)
    camera = station.worn()
    recorded = camera.record(SMALL)
    camera.faults.add(TurnFault.SILENT)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.PROBLEM)
        assert station.sentence(station.bay_row())
        camera.undock()
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
        camera.faults.clear()
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))


# --- what it brings


def test_recordings_that_are_not_what_their_documents_say_stay(station: Station) -> None:
    expected = {
        RecordingFault.VANISHED_CLIP: "camera-file-missing",
        RecordingFault.TRUNCATED_CLIP: "clip-differs",
        RecordingFault.WRONG_DIGEST: "clip-differs",
    }
    camera = station.worn()
    bad = {fault: camera.record(Wish(clips=2, size_bytes=160 * 1024, fault=fault)) for fault in expected}
    good = camera.record(SMALL)
    before = {one.id: on_camera(camera, one) for one in bad.values()}
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(good) and station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id in expected.values()
        camera.undock()
    assert set(camera.recordings()) == set(before)
    assert {one.id: on_camera(camera, one) for one in bad.values()} == before
    in_spool = {f"{one.parent.name}/{one.name}" for one in spooled(station)}
    for fault, one in bad.items():
        found = station.recording(one)
        assert found is not None
        assert (found.state, found.problem_id) == (RecordingState.FOUND, expected[fault])
        assert one.clips[0].name in station.sentence(found)
        assert f"{found.container_name}/{one.clips[0].name}" not in in_spool
    assert station.parts() == []


def test_a_recording_that_the_camera_was_still_writing_is_not_touched(station: Station) -> None:
    camera = station.worn()
    unfinished = camera.record(Wish(size_bytes=160 * 1024, fault=RecordingFault.UNFINISHED))
    good = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(good))
        assert station.bay_state() is BayState.READY
        camera.undock()
    assert station.recording(unfinished) is None
    assert unfinished.clips[0].name in on_camera(camera, unfinished)


def sign_by_somebody_else(data: bytes, camera: SimulatedCamera) -> bytes:
    payload = envelope.verify(data, PayloadType.RECORDING, [camera.public_key])
    return envelope.sign(payload, PayloadType.RECORDING, SigningKey.generate())


def sign_not_at_all(data: bytes, camera: SimulatedCamera) -> bytes:
    return envelope.verify(data, PayloadType.RECORDING, [camera.public_key])


def break_off(data: bytes, camera: SimulatedCamera) -> bytes:
    return data[: len(data) // 2]


def sign_something_else(data: bytes, camera: SimulatedCamera) -> bytes:
    return envelope.sign(documents.encode(camera.describe()), PayloadType.RECORDING, camera.core.key)


def say_anothers_id(data: bytes, camera: SimulatedCamera) -> bytes:
    payload = envelope.verify(data, PayloadType.RECORDING, [camera.public_key])
    return envelope.sign(payload.replace(b'"id":"', b'"id":"0', 1)[:-1] + b"}", PayloadType.RECORDING, camera.core.key)


#: What may be wrong with a document, and which problem that is.
SPOILT = {
    sign_by_somebody_else: "signature-refused",
    sign_not_at_all: "envelope-malformed",
    break_off: "envelope-malformed",
    sign_something_else: "document-refused",
    say_anothers_id: "document-refused",
}


def test_documents_that_the_camera_did_not_sign_so_are_not_believed(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    camera = station.worn()
    bad, good = {spoil: camera.record(SMALL) for spoil in SPOILT}, camera.record(SMALL)
    with camera.touch(Unit.MEDIA) as media:
        for spoil, one in bad.items():
            document = media / recording_folder(one.id) / DOCUMENT_NAME
            document.write_bytes(spoil(document.read_bytes(), camera))
    before = [on_camera(camera, one) for one in bad.values()]
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(good) and station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id in SPOILT.values()
        assert station.sentence(station.bay_row())
        camera.undock()
    assert [station.recording(one) for one in bad.values()] == [None] * len(bad)
    assert [on_camera(camera, one) for one in bad.values()] == before
    for spoil, one in bad.items():
        assert f"{one.id} cannot be listed: {SPOILT[spoil]}" in caplog.text


def test_a_document_copied_to_another_recording_is_not_believed(station: Station) -> None:
    camera = station.worn()
    bad, good = camera.record(SMALL), camera.record(SMALL)
    with camera.touch(Unit.MEDIA) as media:
        copied = (media / recording_folder(good.id) / DOCUMENT_NAME).read_bytes()
        (media / recording_folder(bad.id) / DOCUMENT_NAME).write_bytes(copied)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(good) and station.bay_state() is BayState.PROBLEM)
        camera.undock()
    assert station.recording(bad) is None
    assert bad.id in camera.recordings()


def test_a_recording_that_was_seen_and_is_gone_raises_an_alarm(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(Wish(size_bytes=160 * 1024, fault=RecordingFault.WRONG_DIGEST))
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.problem(recorded) == "clip-differs")
        camera.undock()
        with camera.touch(Unit.MEDIA) as media:
            (media / recording_folder(recorded.id) / DOCUMENT_NAME).unlink()
        camera.dock(station.bay())
        station.wait(lambda: station.problem(recorded) == "recording-vanished")
    assert station.state(recorded) is RecordingState.FOUND


def test_recordings_of_one_second_get_containers_of_their_own(station: Station) -> None:
    camera = station.worn()
    recorded = [camera.record(Wish(size_bytes=160 * 1024, start=START)) for _ in range(3)]
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(*recorded))
    found = [station.recording(one) for one in recorded]
    assert len({one.container_name for one in found if one}) == 3
    for one in recorded:
        assert {sha256(data) for data in station.arrived(one).values()} == {clip.sha256 for clip in one.clips}


def test_a_clock_that_was_wrong_is_corrected_in_the_containers_name_alone(station: Station) -> None:
    camera = station.worn()
    camera.core.memory.clock_offset_seconds = 7200.0
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    found = station.recording(recorded)
    assert found is not None
    named = read_container_name(found.container_name)
    assert named is not None
    assert abs((named.trigger_on - found.trigger_on_at).total_seconds() + 7200) < 3
    assert recorded.clips[0].name in station.arrived(recorded), "originals keep their names"


def test_a_recording_belongs_to_who_wore_the_camera_then(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    ada = station.known(camera.serial)[0].camera_user_id
    with station.database.write() as session:
        bob = users.create_user(session, name="Bob", actor=ACTOR)
        cameras.assign(session, station.known(camera.serial)[0].id, bob.id, actor=ACTOR)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
        station.wait(lambda: camera.describe().user_id == bob.id)
        camera.undock()
        later = camera.record(SMALL)
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(later))
    found = [station.recording(one) for one in (recorded, later)]
    assert [one.camera_user_id for one in found if one] == [ada, bob.id]


# --- undocked, full, broken


def test_a_camera_pulled_out_in_the_middle_is_taken_up_where_it_was(station: Station) -> None:
    camera = station.worn()
    recorded = [camera.record(SMALL) for _ in range(3)]
    reached, go_on = threading.Event(), threading.Event()

    def hook(step: Step) -> None:
        if step is Step.SYNCED and not go_on.is_set():
            reached.set()
            go_on.wait(10)

    with station.running(hook=hook):
        camera.dock(station.bay())
        assert reached.wait(10)
        camera.undock()
        go_on.set()
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
        assert len(camera.recordings()) == 3
        assert station.parts() == []
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(*recorded))
    for one in recorded:
        assert {sha256(data) for data in station.arrived(one).values()} == {clip.sha256 for clip in one.clips}
        assert [station.puts(clip.name) for clip in one.clips] == [1]
    assert station.breaks() == []


def test_a_camera_pulled_out_in_its_turn_is_gone(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    camera.faults.add(TurnFault.UNDOCKED)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: not camera.docked())
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
        camera.faults.clear()
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))


@pytest.fixture
def small_disk(station: Station) -> Iterator[Path]:
    """Put the spool on a disk of half a mebibyte."""
    spool = station.rig.data_dir / "spool"
    spool.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", spool], check=True)
    yield spool
    subprocess.run(["umount", spool], check=True)


@needs_root
def test_what_does_not_fit_stays_on_the_camera_and_the_rest_goes_on(station: Station, small_disk: Path) -> None:
    camera = station.worn()
    recorded = [camera.record(Wish(size_bytes=size)) for size in (150 * 1024, 900 * 1024, 150 * 1024)]
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded[0], recorded[2]) and station.problem(recorded[1]))
        assert station.bay_row().problem_id == "storage-low"
        camera.undock()
        assert camera.recordings() == (recorded[1].id,)
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
        subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(*recorded))


@needs_root
def test_a_disk_that_fills_up_meanwhile_keeps_everything_on_the_camera(station: Station, small_disk: Path) -> None:
    filler = small_disk / ".filler"
    camera = station.worn()
    recorded = camera.record(SMALL)

    def fill(step: Step) -> None:
        if step is Step.STREAMED and not filler.exists():
            with suppress(OSError):
                filler.write_bytes(bytes(1024**2))

    with station.running(hook=fill):
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id == "store-full"
        assert "Nothing was lost" in station.sentence(station.recording(recorded))
        assert station.parts() == []
        camera.undock()
        assert camera.recordings() == (recorded.id,)
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
        filler.write_bytes(b"")
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))


def test_intake_stops_before_the_disk_is_full(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running(reserve_bytes=2**60):
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id == "storage-low"
        assert spooled(station) == []
        assert camera.recordings() == (recorded.id,)


@needs_root
def test_a_medium_that_cannot_be_read_keeps_what_it_has(station: Station) -> None:
    camera = station.worn(kind=UnitKind.IMAGE, filesystem="ext4", media_bytes=24 * 1024**2, control_bytes=4 * 1024**2)
    recorded = [camera.record(Wish(size_bytes=5 * 1024**2)) for _ in range(3)]

    def break_once(step: Step) -> None:
        if step is Step.INTENT:
            camera.break_medium()

    with station.running(hook=break_once):
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.PROBLEM)
        assert station.bay_row().problem_id in ("camera-read-failed", "mount-failed")
        assert station.sentence(station.bay_row())
        unread = [one for one in recorded if station.state(one) is not RecordingState.DELIVERED]
        assert unread
        assert station.parts() == []
    assert not any(station.is_erased(one) for one in unread)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_copy_that_went_bad_here_is_taken_again_from_its_camera(
    make_station: Callable[..., Station], key_pair: tuple[bytes, bytes], encrypted: bool
) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    if encrypted:
        station.connect_encrypted(*key_pair)
        station.fake.stop()
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
        camera.undock()
    found = station.recording(recorded)
    assert found is not None
    path = station.rig.data_dir / "spool" / found.container_name / recorded.clips[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    if encrypted:
        station.fake = station.stack.enter_context(FakeDestination(at_port=station.fake.port))
    else:
        station.connect()
    with station.running():
        station.wait(lambda: station.state(recorded) is RecordingState.FOUND)
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    assert {sha256(data) for data in station.arrived(recorded).values()} == {clip.sha256 for clip in recorded.clips}
    assert station.breaks() == []


def test_a_copy_that_goes_bad_while_its_camera_is_docked_is_taken_again_at_once(
    make_station: Callable[..., Station], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docking, "_RETRY_SECONDS", 0.5)
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
        found = station.recording(recorded)
        assert found is not None
        (station.rig.data_dir / "spool" / found.container_name / recorded.clips[0].name).unlink()
        station.connect()
        station.wait(lambda: station.is_erased(recorded))
    assert {sha256(data) for data in station.arrived(recorded).values()} == {clip.sha256 for clip in recorded.clips}


class Failing:
    """A disk that reports an error the first few times that a copy on it is to be made durable."""

    def __init__(self, times: int) -> None:
        self.left, self.asked = times, 0

    def __call__(self, step: Step) -> None:
        if step is Step.SYNCED:
            self.asked += 1
            if self.asked <= self.left:
                raise StoreDamaged(name="spool", reason="Input/output error")


def test_after_one_error_of_the_storage_here_a_recording_is_tried_once_more(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docking, "_RETRY_SECONDS", 0.3)
    camera = station.worn()
    recorded = camera.record(Wish(size_bytes=160 * 1024))
    with station.running(hook=Failing(1)):
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    assert station.parts() == []


def test_after_a_second_error_the_storage_here_is_left_alone(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docking, "_RETRY_SECONDS", 0.2)
    camera, failing = station.worn(), Failing(1000)
    recorded = camera.record(Wish(size_bytes=160 * 1024))
    with station.running(hook=failing):
        camera.dock(station.bay())
        station.wait(lambda: failing.asked > 2 and station.bay_state() is BayState.PROBLEM)
        asked = failing.asked
        time.sleep(1.5)
        assert failing.asked == asked
        assert station.bay_row().problem_id == "store-damaged"
    assert recorded.id in camera.recordings()


# --- what may go


def test_a_camera_with_room_waits_for_its_destination(make_station: Callable[..., Station]) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
        station.wait(lambda: station.bay_state() is BayState.READY)
        time.sleep(0.5)
        assert station.state(recorded) is RecordingState.STORED
    assert camera.recordings() == (recorded.id,)


def test_a_camera_without_room_for_the_next_shift_is_emptied_once_all_is_stored(
    make_station: Callable[..., Station],
) -> None:
    station = make_station()
    camera = station.worn(media_bytes=10**9)
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.is_erased(recorded))
    assert station.state(recorded) is RecordingState.STORED
    assert camera.recordings() == ()


def test_a_camera_that_refuses_to_erase_is_asked_seldom(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    held = camera.core.memory.recordings[recorded.id]
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is not None)
        camera.core.memory.recordings[recorded.id] = type(held)(held.number, held.size_bytes, "0" * 64)
        station.wait(lambda: station.is_delivered(recorded))
        time.sleep(2.5)
        found = station.recording(recorded)
        assert found is not None
        assert found.erased_at is None
        assert event_actions(station.database, found.id).count("recording.erase-ordered") <= 2
    assert camera.recordings() == (recorded.id,)
