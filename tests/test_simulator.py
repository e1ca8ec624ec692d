"""Simulated cameras keep their turns, obey their own system alone, and lose nothing when killed or pulled out."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from bodyworn.camera_volume import answers, documents, orders
from bodyworn.camera_volume.answers import Acknowledgement, AnswerKind, Erased, Identity
from bodyworn.camera_volume.control import ControlUnit, Described
from bodyworn.camera_volume.documents import CameraState, FileDigest, Unit, content_sha256
from bodyworn.camera_volume.media import MediaUnit
from bodyworn.camera_volume.orders import OrderKind, ReceiptState
from bodyworn.camera_volume.port import HostPort, Plug, PortState, UnitKind
from bodyworn.camera_volume.recording import RecordingDocument
from bodyworn.crypto import chain, envelope
from bodyworn.crypto.chain import Authority, Certificate, Right, Role, Subject
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.errors import (
    AlreadyDocked,
    CameraFull,
    CameraGone,
    CameraNotReady,
    ClipTooSmall,
    OutOfTurn,
    SignatureRefused,
    TurnTimedOut,
    UnitAbsent,
)
from bodyworn.simulator import font
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from bodyworn.simulator.faults import RecordingFault, TurnFault
from bodyworn.simulator.media import Scene, make_clip
from bodyworn.simulator.recorder import Recorded, Wish
from bodyworn.simulator.run import Shift, run_camera, run_simulation

pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")

BOTH = (Unit.MEDIA, Unit.CONTROL)
SMALL = Wish(size_bytes=150_000)
SCENE = Scene("SIM-0001", "Ada", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
PATIENCE_SECONDS = 10


@dataclass
class System:
    """A system's keys, and orders in its name."""

    id: str = field(default_factory=lambda: str(uuid4()))
    recovery: SigningKey = field(default_factory=SigningKey.generate)
    epoch: int = 0
    controller: str = "first"

    def authority(self) -> Authority:
        system, controller, now = SigningKey.generate(), SigningKey.generate(), datetime.now(UTC)
        facts = {"system_id": self.id, "epoch": self.epoch, "not_before": now - timedelta(days=1)}
        first = Certificate(
            subject=Subject(Role.SYSTEM, self.id),
            public_key=system.public.to_base64(),
            rights=[],
            not_after=None,
            **facts,
        )
        second = Certificate(
            subject=Subject(Role.CONTROLLER, self.controller),
            public_key=controller.public.to_base64(),
            rights=list(Right),
            not_after=now + timedelta(days=30),
            **facts,
        )
        return Authority(controller, (chain.certify(self.recovery, first), chain.certify(system, second)))


@dataclass
class Host:
    """The host's side of a bay, in the name of one system."""

    bay: Path
    system: System
    sequence: int = 0
    camera_nonce: str = ""
    camera_key: PublicKey | None = None

    def __post_init__(self) -> None:
        self.port = HostPort(self.bay)
        self.authority = self.system.authority()

    def look(self) -> Described:
        with ControlUnit(self.port.path(Unit.CONTROL)) as control:
            described = control.read_description()
        self.camera_nonce = described.description.nonce
        self.camera_key = PublicKey.from_base64(described.description.public_key)
        return described

    def order(self, kind: OrderKind, **members: object) -> bytes:
        self.sequence += 1
        return self.sign(kind, orders.ORDERS[kind](**self.common(), **members))

    def common(self) -> dict[str, object]:
        assert self.camera_key is not None
        facts = {"system_id": self.system.id, "epoch": self.system.epoch, "sequence": self.sequence}
        return {**facts, "camera": self.camera_key.key_id, "issued": datetime.now(UTC)}

    def sign(self, kind: OrderKind, order: orders.Order) -> bytes:
        payload_type = PayloadType(f"application/vnd.bodyworn.{kind}.v1+json")
        if kind is OrderKind.UNLOCK:
            return envelope.sign(documents.encode(order), payload_type, self.system.recovery)
        return self.authority.issue(documents.encode(order), payload_type)

    def turn(self, *sent: tuple[OrderKind, bytes], units: tuple[Unit, ...] = (Unit.CONTROL,)) -> list[answers.Answer]:
        self.port.wait_until_present((Unit.CONTROL,), self.hand_over(*sent, units=units), PATIENCE_SECONDS)
        return self.take_answers()

    def hand_over(self, *sent: tuple[OrderKind, bytes], units: tuple[Unit, ...] = (Unit.CONTROL,)) -> Plug:
        with ControlUnit(self.port.path(Unit.CONTROL)) as control:
            for kind, data in sent:
                control.put_order(kind, data)
        return self.port.eject(units)

    def take_answers(self) -> list[answers.Answer]:
        found = []
        assert self.camera_key is not None
        with ControlUnit(self.port.path(Unit.CONTROL)) as control:
            for message in control.list_outbox():
                kind = AnswerKind(message.kind)
                payload_type = PayloadType(f"application/vnd.bodyworn.{kind}.v1+json")
                payload = envelope.verify(control.read_answer(message), payload_type, [self.camera_key])
                found.append(documents.decode(answers.ANSWERS[kind], payload))
                control.remove_answer(message)
        return [answer for answer in found if not isinstance(answer, answers.Log)]

    def one(self, kind: OrderKind, data: bytes, units: tuple[Unit, ...] = (Unit.CONTROL,)) -> answers.Answer:
        (answer,) = self.turn((kind, data), units=units)
        return answer

    # what a controller does

    def challenge(self) -> tuple[OrderKind, bytes]:
        nonce = b64encode(secrets.token_bytes(32)).decode()
        return OrderKind.CHALLENGE, self.order(OrderKind.CHALLENGE, nonce=nonce, camera_nonce=self.camera_nonce)

    def enrolment(self) -> tuple[OrderKind, bytes]:
        key = self.system.recovery.public.to_base64()
        return OrderKind.ENROLMENT, self.order(OrderKind.ENROLMENT, recovery_key=key)

    def lease(self, duration: timedelta = orders.LEASE) -> tuple[OrderKind, bytes]:
        return OrderKind.LEASE, self.order(OrderKind.LEASE, expires=datetime.now(UTC) + duration - timedelta(hours=1))

    def settings(self, name: str = "Ada") -> tuple[OrderKind, bytes]:
        user = orders.AssignedUser(id=str(uuid4()), name=name)
        profile = orders.Profile(
            id=str(uuid4()),
            name="Standard",
            resolution="1080p",
            audio=True,
            audio_post_processing=True,
            location=True,
            allow_silent_mode=True,
            allow_audio_off=True,
            pre_buffer_seconds=90,
        )
        wanted = {"time_zone": "Europe/Stockholm", "power_line_hertz": 50, "user": user, "profile": profile}
        return OrderKind.SETTINGS, self.order(OrderKind.SETTINGS, **wanted)

    def enrol(self) -> None:
        self.look()
        for answer in self.turn(self.challenge(), self.enrolment(), self.lease(), self.settings()):
            assert isinstance(answer, Identity) or answer.applied
        self.port.wait_until_present(BOTH, self.port.state().plug, PATIENCE_SECONDS)

    def receipt(self, recording_id: str, state: ReceiptState, **members: object) -> tuple[OrderKind, bytes]:
        facts = {"recording_id": recording_id, "state": state, "controller_id": self.system.controller, **members}
        return OrderKind.RECEIPT, self.order(OrderKind.RECEIPT, **facts)

    def erase_order(self, recording_id: str, digest: str) -> tuple[OrderKind, bytes]:
        erasure = orders.Erasure(recording_id=recording_id, content_sha256=digest)
        return OrderKind.ERASE_ORDER, self.order(OrderKind.ERASE_ORDER, recordings=(erasure,))

    def copy(self, recording_id: str) -> tuple[RecordingDocument, str]:
        """Read a recording as an offload does, and give its document and the digest of its content."""
        assert self.camera_key is not None
        with MediaUnit(self.port.path(Unit.MEDIA)) as media:
            signed = media.read_document(recording_id)
            files = [_digest("recording.dsse.json", signed)]
            payload = envelope.verify(signed, PayloadType.RECORDING, [self.camera_key])
            document = documents.decode(RecordingDocument, payload)
            for clip in document.clips:
                with media.open_clip(recording_id, clip.name) as file:
                    files.append(_digest(clip.name, file.readall()))
            with media.open_track(recording_id) as file:
                files.append(_digest("track.json", file.readall()))
        return document, content_sha256(files)


def _digest(name: str, data: bytes) -> FileDigest:
    return FileDigest(name, len(data), documents.sha256(data).hexdigest())


@pytest.fixture
def dock(tmp_path: Path) -> SimulatedDock:
    return SimulatedDock(tmp_path / "dock", bays=2)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[SimulatedCamera]:
    with SimulatedCamera(tmp_path / "camera", Build("SIM-0001")) as made:
        yield made
        made.undock()


@pytest.fixture
def host(dock: SimulatedDock) -> Host:
    return Host(dock.bay(1), System())


@pytest.fixture
def own(camera: SimulatedCamera, host: Host) -> Host:
    """The host that the camera belongs to; the camera is undocked and ready."""
    camera.dock(host.bay)
    host.enrol()
    camera.undock()
    return host


def greet(host: Host) -> Identity:
    """Prove to the camera that its own controller is there; it exports its media unit."""
    host.look()
    (identity,) = host.turn(host.challenge())
    assert isinstance(identity, Identity)
    return identity


# --- turns


def test_a_camera_refuses_to_touch_a_unit_out_of_turn(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    greet(own)
    for unit in Unit:
        with pytest.raises(OutOfTurn), camera.touch(unit):
            pytest.fail("the host had the unit")
    with pytest.raises(OutOfTurn):
        camera.record(SMALL, anyway=True)
    camera.undock()
    for unit in Unit:
        with camera.touch(unit) as path:
            assert path.is_dir()


def test_a_unit_is_in_one_pair_of_hands(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    greet(own)
    path = own.port.path(Unit.CONTROL)
    camera.faults.add(TurnFault.SILENT)
    own.port.eject([Unit.CONTROL])
    assert not path.exists()
    with pytest.raises(UnitAbsent):
        own.port.path(Unit.CONTROL)


def test_turns_take_well_under_a_second(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    begin = time.monotonic()
    greet(own)
    greet(own)
    assert time.monotonic() - begin < 1


def test_a_silent_camera_is_given_up(camera: SimulatedCamera, host: Host) -> None:
    camera.faults.add(TurnFault.SILENT)
    camera.dock(host.bay)
    with pytest.raises(TurnTimedOut):
        host.port.turn([Unit.CONTROL], timeout_seconds=0.1)


def test_a_camera_that_is_pulled_out_in_its_turn_is_gone(camera: SimulatedCamera, host: Host) -> None:
    camera.faults.add(TurnFault.UNDOCKED)
    camera.dock(host.bay)
    with pytest.raises(CameraGone):
        host.port.turn([Unit.CONTROL], timeout_seconds=PATIENCE_SECONDS)
    assert host.port.state().plug is None


def test_a_bay_holds_one_camera(camera: SimulatedCamera, dock: SimulatedDock, tmp_path: Path) -> None:
    camera.dock(dock.free_bay())
    assert dock.free_bay() == dock.bay(2)
    with SimulatedCamera(tmp_path / "other", Build("SIM-0002")) as other, pytest.raises(AlreadyDocked):
        other.dock(dock.bay(1))


# --- identity, belonging


def test_a_new_camera_shows_who_it_is_and_no_media(camera: SimulatedCamera, host: Host) -> None:
    camera.record(SMALL, anyway=True)
    camera.dock(host.bay)
    described = host.look()
    identity = greet(host)
    assert described.description.state is CameraState.NEW
    assert identity.serial == "SIM-0001"
    assert identity.camera_sha256 == host.look().sha256
    assert host.port.state().present == {Unit.CONTROL}


def test_a_camera_gives_its_media_to_its_own_system_alone(
    camera: SimulatedCamera, own: Host, dock: SimulatedDock
) -> None:
    camera.dock(own.bay)
    assert own.port.state().present == {Unit.CONTROL}
    stranger = Host(own.bay, System())
    stranger.look()
    (refusal,) = stranger.turn(stranger.challenge())
    assert isinstance(refusal, Acknowledgement)
    assert refusal.reason == "not-authorized"
    assert own.port.state().present == {Unit.CONTROL}
    greet(own)
    assert own.port.state().present == set(BOTH)


def test_a_challenge_of_an_earlier_docking_is_stale(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    own.look()
    old = own.challenge()
    camera.undock()
    camera.dock(own.bay)
    assert own.one(*old).reason == "stale"


def test_an_impostor_signs_with_another_key(camera: SimulatedCamera, host: Host) -> None:
    camera.faults.add(TurnFault.IMPOSTOR)
    camera.dock(host.bay)
    host.look()
    with pytest.raises(SignatureRefused):
        host.turn(host.challenge())


def test_a_camera_belongs_to_one_system(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    stranger = Host(own.bay, System())
    stranger.look()
    assert not stranger.one(*stranger.enrolment()).applied
    own.look()
    assert own.look().description.system_id == own.system.id


# --- orders


def test_the_same_order_twice_is_answered_the_same(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    greet(own)
    order = own.settings("Grace")
    first, second = own.one(*order), own.one(*order)
    assert first.applied
    assert (second.applied, second.sequence, second.order_sha256) == (True, first.sequence, first.order_sha256)


def test_an_older_order_is_stale(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    greet(own)
    old, new = own.settings("Old"), own.settings("New")
    assert own.one(*new).applied
    assert own.one(*old).reason == "stale"
    assert camera.core.memory.settings.user.name == "New"


def test_an_order_for_another_camera_is_refused(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    greet(own)
    true_key, own.camera_key = own.camera_key, SigningKey.generate().public
    misdirected = own.lease()
    own.camera_key = true_key
    assert own.one(*misdirected).reason == "not-for-me"


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff" * 100, b'{"envelope": {}, "authority": []}', b"[" * 100_000])
def test_garbage_in_the_inbox_is_refused(camera: SimulatedCamera, own: Host, garbage: bytes) -> None:
    camera.dock(own.bay)
    own.look()
    for kind in ("lease", "unlock", "challenge", "reset"):
        assert own.one(OrderKind(kind), garbage).applied is False


def test_an_unknown_kind_is_unsupported(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    own.look()
    assert own.one("self-destruct", b"{}").reason == "unsupported"
    assert (
        own.one(
            OrderKind.FIRMWARE, own.order(OrderKind.FIRMWARE, firmware="2", model="x", size_bytes=1, sha256="0" * 64)
        ).reason
        == "unsupported"
    )


def test_the_clock_is_set_and_its_offset_told(camera: SimulatedCamera, own: Host) -> None:
    camera.core.memory.clock_offset_seconds = 42.0
    camera.dock(own.bay)
    greet(own)
    answer = own.one(OrderKind.CLOCK, own.order(OrderKind.CLOCK, time=datetime.now(UTC)))
    assert answer.clock_offset_seconds == pytest.approx(42, abs=1)
    assert abs(camera.core.now() - datetime.now(UTC)) < timedelta(seconds=1)


# --- lease, unlock, reset


def test_a_camera_locks_when_its_lease_is_over(tmp_path: Path, dock: SimulatedDock) -> None:
    shift = [timedelta(0)]
    with SimulatedCamera(tmp_path / "camera", Build("SIM-1"), clock=lambda: datetime.now(UTC) + shift[0]) as camera:
        host = Host(dock.bay(1), System())
        camera.dock(host.bay)
        host.enrol()
        camera.undock()
        shift[0] = timedelta(days=57)
        with pytest.raises(CameraNotReady):
            camera.record(SMALL)
        camera.dock(host.bay)
        assert host.look().description.state is CameraState.LOCKED
        _, lease = host.turn(host.challenge(), host.lease())
        assert lease.reason == "locked"
        assert host.port.state().present == {Unit.CONTROL}
        now = datetime.now(UTC) + shift[0]
        times = {"camera_nonce": host.camera_nonce, "time": now, "expires": now + timedelta(days=56)}
        token = host.order(OrderKind.UNLOCK, **times)
        assert host.one(OrderKind.UNLOCK, token).applied
        assert host.look().description.state is CameraState.READY
        assert host.one(OrderKind.UNLOCK, token).applied  # the same order again changes nothing
        camera.undock()
        camera.dock(host.bay)
        assert host.one(OrderKind.UNLOCK, token).reason == "stale"  # it was for the docking before
        camera.undock()


def test_a_clock_set_back_locks(camera: SimulatedCamera, own: Host) -> None:
    camera.core.memory.clock_offset_seconds = -3600.0
    assert camera.describe().state is CameraState.LOCKED


def test_another_key_does_not_unlock(camera: SimulatedCamera, own: Host) -> None:
    camera.dock(own.bay)
    own.look()
    own.system.recovery = SigningKey.generate()
    now = datetime.now(UTC)
    times = {"camera_nonce": own.camera_nonce, "time": now, "expires": now + timedelta(days=56)}
    assert own.one(OrderKind.UNLOCK, own.order(OrderKind.UNLOCK, **times)).reason == "not-authorized"


def test_a_restored_system_finds_its_cameras_locked_until_they_are_unlocked(camera: SimulatedCamera, own: Host) -> None:
    own.system.epoch = 1
    restored = Host(own.bay, own.system)
    camera.dock(own.bay)
    restored.look()
    restored.turn(restored.challenge())
    assert restored.look().description.state is CameraState.LOCKED
    assert restored.port.state().present == {Unit.CONTROL}
    now = datetime.now(UTC)
    times = {"camera_nonce": restored.camera_nonce, "time": now, "expires": now + timedelta(days=56)}
    assert restored.one(OrderKind.UNLOCK, restored.order(OrderKind.UNLOCK, **times)).applied
    greet(restored)
    assert restored.port.state().present == set(BOTH)
    own.look()
    assert own.one(*own.lease()).reason == "not-authorized"  # the old epoch is over


def test_reset_waits_until_the_camera_is_empty(camera: SimulatedCamera, own: Host) -> None:
    recorded = camera.record(SMALL)
    camera.dock(own.bay)
    greet(own)
    assert own.one(OrderKind.RESET, own.order(OrderKind.RESET, shipping=True)).reason == "recordings-left"
    _, digest = own.copy(recorded.id)
    own.turn(
        own.receipt(recorded.id, ReceiptState.STORED, content_sha256=digest),
        own.erase_order(recorded.id, digest),
        units=BOTH,
    )
    order = own.order(OrderKind.RESET, shipping=True)
    assert own.one(OrderKind.RESET, order).applied
    assert own.one(OrderKind.RESET, order).applied
    assert own.look().description.state is CameraState.SHIPPING
    assert own.look().description.system_id is None


# --- recordings


@pytest.mark.feature("REC-1")
def test_a_recording_is_read_and_erased_by_order(camera: SimulatedCamera, own: Host) -> None:
    recorded = camera.record(Wish(clips=2, size_bytes=150_000, bookmarks=("a fight",)))
    camera.dock(own.bay)
    greet(own)
    document, digest = own.copy(recorded.id)
    assert [(clip.name, clip.size_bytes, clip.sha256) for clip in document.clips] == list(recorded.clips)
    assert document.user_id == camera.core.memory.settings.user.id
    assert document.bookmarks[0].text == "a fight"
    assert own.one(*own.receipt(recorded.id, ReceiptState.STORED, content_sha256=digest)).applied
    order = own.erase_order(recorded.id, digest)
    for _ in range(2):
        erased = own.one(*order, units=BOTH)
        assert isinstance(erased, Erased)
        assert erased.erased == (recorded.id,)
    with MediaUnit(own.port.path(Unit.MEDIA)) as media:
        assert media.list_recordings().recordings == ()
    with ControlUnit(own.port.path(Unit.CONTROL)) as control:
        assert control.list_receipts() == ()


def test_nothing_is_erased_that_differs_or_is_out_of_reach(camera: SimulatedCamera, own: Host) -> None:
    recorded = camera.record(SMALL)
    camera.dock(own.bay)
    greet(own)
    _, digest = own.copy(recorded.id)
    differs = own.one(*own.erase_order(recorded.id, "0" * 64), units=BOTH)
    exported = own.one(*own.erase_order(recorded.id, digest))
    unknown = own.one(*own.erase_order(str(uuid4()), digest), units=BOTH)
    reasons = [answer.refused[0].reason for answer in (differs, exported, unknown)]
    assert reasons == ["differs", "media-exported", "unknown-recording"]
    assert camera.recordings() == (recorded.id,)


def test_another_controller_must_name_the_receipt_that_it_replaces(camera: SimulatedCamera, own: Host) -> None:
    recorded = camera.record(SMALL)
    camera.dock(own.bay)
    greet(own)
    taking = own.receipt(recorded.id, ReceiptState.TAKING)
    assert own.one(*taking).applied
    own.system.controller = "second"
    second = Host(own.bay, own.system, sequence=own.sequence)
    second.look()
    assert second.one(*second.receipt(recorded.id, ReceiptState.TAKING)).reason == "owned-elsewhere"
    refused = second.one(*second.erase_order(recorded.id, second.copy(recorded.id)[1]), units=BOTH)
    assert refused.refused[0].reason == "owned-elsewhere"
    with ControlUnit(second.port.path(Unit.CONTROL)) as control:
        replaced = documents.sha256(control.read_receipt(recorded.id)).hexdigest()
    assert replaced == documents.sha256(taking[1]).hexdigest()
    assert second.one(*second.receipt(recorded.id, ReceiptState.TAKING, replaces=replaced)).applied


@pytest.mark.parametrize("fault", RecordingFault)
def test_faults_of_recordings_show_as_they_should(camera: SimulatedCamera, own: Host, fault: RecordingFault) -> None:
    recorded = camera.record(Wish(size_bytes=150_000, fault=fault))
    camera.dock(own.bay)
    greet(own)
    with MediaUnit(own.port.path(Unit.MEDIA)) as media:
        listing = media.list_recordings()
    if fault is RecordingFault.UNFINISHED:
        assert (listing.recordings, listing.unfinished) == ((), (recorded.id,))
        return
    assert listing.recordings == (recorded.id,)
    assert (
        _how_it_reads(own, recorded)
        == {
            RecordingFault.HALF_WRITTEN: "envelope-malformed",
            RecordingFault.VANISHED_CLIP: "camera-file-missing",
            RecordingFault.TRUNCATED_CLIP: "size and digest differ",
            RecordingFault.WRONG_DIGEST: "digest differs",
        }[fault]
    )


def _how_it_reads(host: Host, recorded: Recorded) -> str:
    try:
        document, _ = host.copy(recorded.id)
        with (
            MediaUnit(host.port.path(Unit.MEDIA)) as media,
            media.open_clip(recorded.id, recorded.clips[0].name) as file,
        ):
            read = _digest(recorded.clips[0].name, file.readall())
    except Exception as error:  # any error of the tree; its id is compared
        return getattr(error, "id", repr(error))
    declared = document.clips[0]
    if read.size_bytes != declared.size_bytes:
        return "size and digest differ"
    return "whole" if read.sha256 == declared.sha256 else "digest differs"


def test_a_full_camera_says_so_and_keeps_nothing_half(tmp_path: Path) -> None:
    with SimulatedCamera(tmp_path / "camera", Build("SIM-1", media_bytes=200_000)) as camera:
        camera.record(SMALL, anyway=True)
        with pytest.raises(CameraFull):
            camera.record(SMALL, anyway=True)
        with camera.touch(Unit.MEDIA) as path:
            assert len(list((path / "recordings").iterdir())) == 1


def test_a_camera_without_a_user_does_not_record(camera: SimulatedCamera) -> None:
    with pytest.raises(CameraNotReady):
        camera.record(SMALL)


def test_the_battery_runs_down_when_worn_and_charges_in_the_dock(tmp_path: Path, dock: SimulatedDock) -> None:
    now = [datetime.now(UTC)]
    with SimulatedCamera(tmp_path / "camera", Build("SIM-1"), clock=lambda: now[0]) as camera:
        now[0] += timedelta(hours=6)
        assert camera.describe().battery.percent == 50
        camera.dock(dock.bay(1))
        now[0] += timedelta(hours=1)
        assert camera.describe().battery.percent == 75
        camera.undock()
        now[0] += timedelta(hours=24)
        assert camera.describe().battery.percent == 0


# --- restarts


def test_a_camera_survives_a_restart_in_its_dock(camera: SimulatedCamera, own: Host, tmp_path: Path) -> None:
    recorded = camera.record(SMALL)
    camera.dock(own.bay)
    own.look()
    camera.stop()
    own.port.eject([Unit.CONTROL])
    with SimulatedCamera(tmp_path / "camera", Build("ignored")) as again:
        assert again.serial == "SIM-0001"
        assert again.docked()
        own.port.wait_until_present([Unit.CONTROL], own.port.state().plug, PATIENCE_SECONDS)
        greet(own)
        assert own.copy(recorded.id)[0].number == 1
        again.undock()


_DIE_IN_TURN = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import conftest
from bodyworn.camera_volume.control import ControlUnit
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
ControlUnit.put_answer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with SimulatedCamera(Path(sys.argv[2]), Build("ignored")):
    time.sleep(60)
"""


def test_a_camera_killed_in_its_turn_answers_after_all(camera: SimulatedCamera, own: Host, tmp_path: Path) -> None:
    camera.dock(own.bay)
    own.look()
    camera.stop()
    with ControlUnit(own.port.path(Unit.CONTROL)) as control:
        control.put_order(*own.settings("Killed"))
    plug = own.port.eject([Unit.CONTROL])
    command = [sys.executable, "-c", _DIE_IN_TURN, str(Path(__file__).parent), str(tmp_path / "camera")]
    assert subprocess.run(command, timeout=30).returncode == -signal.SIGKILL
    with SimulatedCamera(tmp_path / "camera", Build("ignored")) as again:
        own.port.wait_until_present([Unit.CONTROL], plug, PATIENCE_SECONDS)
        (answer,) = own.take_answers()
        assert answer.applied
        assert again.core.memory.settings.user.name == "Killed"
        again.undock()


# --- image files, as root


def _needs_loop_mounts() -> None:
    tools = ("losetup", "mkfs.ext4", "mount")
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in tools) or not Path("/dev/loop-control").exists():
        pytest.skip("mounting image files needs root, loop devices and mkfs.ext4")


@contextmanager
def mounted(image: Path, at: Path, *options: str) -> Iterator[Path]:
    """Mount an image as a host does."""
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(("loop", "nosuid", "nodev", "noexec", *options)), image, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


def test_a_camera_of_image_files_takes_turns_and_its_medium_can_fail(tmp_path: Path, dock: SimulatedDock) -> None:
    _needs_loop_mounts()
    build = Build("SIM-IMG", kind=UnitKind.IMAGE, media_bytes=32 * 1024**2, control_bytes=8 * 1024**2)
    with SimulatedCamera(tmp_path / "camera", build) as camera:
        recorded = camera.record(Wish(size_bytes=20_000_000), anyway=True)
        camera.dock(dock.bay(1))
        port, system = HostPort(dock.bay(1)), System()
        host = Host(dock.bay(1), system)
        with mounted(port.path(Unit.CONTROL), tmp_path / "control") as path, ControlUnit(path) as control:
            description = control.read_description().description
            host.camera_nonce, host.camera_key = description.nonce, PublicKey.from_base64(description.public_key)
            for order in (host.enrolment(), host.lease()):
                control.put_order(*order)
        plug = port.eject([Unit.CONTROL])
        assert plug.filesystem == "ext4"
        port.wait_until_present(BOTH, plug, PATIENCE_SECONDS)
        with mounted(port.path(Unit.MEDIA), tmp_path / "media", "ro", "noload") as path, MediaUnit(path) as media:
            assert media.list_recordings().recordings == (recorded.id,)
            camera.break_medium()
            with (
                media.open_clip(recorded.id, recorded.clips[0].name) as clip,
                pytest.raises(OSError, match=os.strerror(errno.EIO)),
            ):
                clip.readall()
        camera.undock()


# --- the recordings themselves


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("size_bytes", [128 * 1024, 1_000_003, 4 * 1024**2])
def test_a_clip_has_exactly_the_size_that_was_asked_for_and_plays(tmp_path: Path, suffix: str, size_bytes: int) -> None:
    import av

    path = tmp_path / f"clip.{suffix}"
    made = make_clip(path, SCENE, size_bytes=size_bytes)
    assert path.stat().st_size == made.size_bytes == size_bytes
    with av.open(str(path)) as file:
        assert [stream.codec_context.name for stream in file.streams] == ["h264", "aac"]
        pictures = sum(1 for _ in file.decode(video=0))
    assert pictures == pytest.approx(made.duration.total_seconds() * 10, abs=1)


def test_a_clip_has_the_length_that_was_asked_for(tmp_path: Path) -> None:
    made = make_clip(tmp_path / "clip.mkv", SCENE, seconds=7)
    assert made.duration.total_seconds() == pytest.approx(7, abs=0.2)


def test_a_clip_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipTooSmall):
        make_clip(tmp_path / "clip.mkv", SCENE, size_bytes=1000)


@pytest.mark.feature("SIM-3")
def test_time_serial_and_user_can_be_read_in_the_picture(tmp_path: Path) -> None:
    import av

    make_clip(tmp_path / "clip.mkv", SCENE, seconds=1)
    with av.open(str(tmp_path / "clip.mkv")) as file:
        picture = next(file.decode(video=0))
    luma = memoryview(picture.planes[0])
    top = 8
    for text in ("2026-03-04 05:06:07.0 UTC", "SIM-0001", "ADA"):
        rows = font.line_rows(text, 2, 235, 16)
        for number, drawn in enumerate(rows):
            at = (top + number) * picture.planes[0].line_size + 8
            seen = bytes(luma[at : at + len(drawn)])
            wrong = sum((one > 128) != (other > 128) for one, other in zip(seen, drawn, strict=True))
            assert wrong <= len(drawn) * 0.05
        top += len(rows)


# --- many cameras


def test_a_simulation_goes_on_by_itself_once_a_host_adds_its_cameras(tmp_path: Path) -> None:
    stop, made = threading.Event(), []

    def report(serial: str, recorded: Recorded) -> None:
        made.append((serial, recorded))
        if len({serial for serial, _ in made}) == 2:
            stop.set()

    shift = Shift(wish=SMALL, worn_seconds=0, docked_seconds=0)
    folder = tmp_path / "dock"
    arguments = (folder, lambda number: Build(f"SIM-{number:04}"), 2)
    simulation = threading.Thread(
        target=run_simulation, args=arguments, kwargs={"stop": stop, "shift": shift, "report": report}
    )
    simulation.start()
    try:
        for number in (1, 2):
            host = Host(SimulatedDock(folder).bay(number), System())
            host.port.wait_for_change(PortState(None, frozenset()), PATIENCE_SECONDS)
            host.port.wait_until_present([Unit.CONTROL], _plug(host.port), PATIENCE_SECONDS)
            host.look()
            host.hand_over(host.challenge(), host.enrolment(), host.lease(), host.settings())
        assert stop.wait(PATIENCE_SECONDS)
    finally:
        stop.set()
        simulation.join()
    assert {serial for serial, _ in made} == {"SIM-0001", "SIM-0002"}


def _plug(port: HostPort) -> Plug:
    end = time.monotonic() + PATIENCE_SECONDS
    while (plug := port.state().plug) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert plug is not None
    return plug


def test_one_camera_runs_in_a_bay_until_it_is_stopped(tmp_path: Path, dock: SimulatedDock) -> None:
    stop, port = threading.Event(), HostPort(dock.bay(1))
    runner = threading.Thread(
        target=run_camera, args=(tmp_path / "camera", Build("SIM-1"), dock.bay(1)), kwargs={"stop": stop}
    )
    runner.start()
    assert _plug(port).serial == "SIM-1"
    stop.set()
    runner.join()
    assert port.state().plug is None
