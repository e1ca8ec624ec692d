"""Volume cameras that lie, break the format, or change who they are: a clear error, and nothing is believed."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from bodyworn import errors
from bodyworn.camera_volume.answers import Identity, Log
from bodyworn.camera_volume.control import ControlUnit
from bodyworn.camera_volume.documents import (
    FORMAT,
    Applied,
    Battery,
    CameraDescription,
    CameraState,
    Storage,
    Unit,
    encode,
)
from bodyworn.camera_volume.recording import RecordingDocument
from bodyworn.crypto import envelope
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.hw.drivers.protocol import Listed, Wishes
from bodyworn.hw.drivers.volume import VolumeCamera
from bodyworn.hw.order_book import OrderBook
from bodyworn.models import Clip, Database
from bodyworn.services import systems
from hypothesis import given, settings, strategies as some
from rig_parts import Depot, bookmark, make_document, sign
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]

NONCE = b64encode(bytes(32)).decode()
EARLY, LATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass
class HostileCamera:
    """A camera in its socket: its firmware answers a challenge, and then does what a test wants of it."""

    folder: Path
    key: SigningKey = field(default_factory=SigningKey.generate)
    #: What it says of itself, beyond the usual.
    says: dict[str, Any] = field(default_factory=dict)
    #: Called at the end of each turn.
    does: Callable[[HostileCamera], None] = lambda camera: None
    turns: int = 0

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def media(self) -> Path:
        return self.folder / "media"

    def begin(self) -> None:
        for unit in (self.control, self.media):
            unit.mkdir(parents=True, exist_ok=True)
        with ControlUnit(self.control) as unit:
            unit.prepare()
        self.describe()

    def is_there(self) -> bool:
        return True

    def ensure_connected(self) -> None:
        """Stay."""

    def wait_until_present(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Be there at once."""

    @contextmanager
    def opened(self, unit: Unit, *, read_only: bool) -> Iterator[Path]:
        yield self.folder / unit

    def describe(self) -> str:
        facts: dict[str, Any] = {
            "format": FORMAT,
            "version": 1,
            "minor": 0,
            "serial": "SIM0001",
            "manufacturer": "Maker",
            "model": "Model 1",
            "firmware": "1.0.0",
            "public_key": self.key.public.to_base64(),
            "state": CameraState.NEW,
            "docking": 3,
            "turn": self.turns,
            "nonce": NONCE,
            "time": datetime.now(UTC),
            "battery": Battery(percent=80, charging=True),
            "storage": Storage(total_bytes=10**9, used_bytes=0, recordings=0),
        }
        data = encode(CameraDescription(**(facts | self.says)))
        (self.control / "camera.json").write_bytes(data)
        return sha256(data).hexdigest()

    def turn(self, units: Collection[Unit], timeout_seconds: float) -> None:
        self.turns += 1
        digest = self.describe()
        with ControlUnit(self.control) as unit:
            for message in unit.list_inbox():
                order = unit.read_order(message)
                if message.kind == "challenge":
                    self._identify(unit, order, digest)
                unit.remove_order(message)
        self.does(self)

    def _identify(self, unit: ControlUnit, order: bytes, digest: str) -> None:
        payload = msgspec.json.decode(b64decode(msgspec.json.decode(order)["envelope"]["payload"]))
        self.put_out(
            Identity(
                serial="SIM0001",
                docking=3,
                turn=self.turns,
                time=datetime.now(UTC),
                order_sha256=sha256(order).hexdigest(),
                nonce=payload["nonce"],
                camera_nonce=NONCE,
                camera_sha256=digest,
            ),
            PayloadType.IDENTITY,
            "identity",
        )

    def put_out(self, answer: Any, kind: PayloadType, name: str) -> None:
        with ControlUnit(self.control) as unit:
            number = max((one.number for one in unit.list_outbox()), default=0) + 1
            unit.put_answer(number, name, envelope.sign(encode(answer), kind, self.key))

    def record(self, document: RecordingDocument, key: SigningKey | None = None) -> Path:
        folder = self.media / "recordings" / document.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recording.dsse.json").write_bytes(sign(document, key or self.key))
        return folder


@dataclass
class Bench:
    """A system and a hostile camera in its bay."""

    database: Database
    depot: Depot
    hostile: HostileCamera

    def camera(self) -> VolumeCamera:
        return VolumeCamera(self.hostile, OrderBook(self.database, self.depot.keyring))

    def identified(self) -> VolumeCamera:
        camera = self.camera()
        camera.identify()
        return camera

    def listed(self) -> list[Listed]:
        with self.identified().recordings() as source:
            return source.listed()


@pytest.fixture
def bench(sqlite_database, keyring, tmp_path: Path) -> Bench:
    depot = Depot.found(sqlite_database, keyring)
    camera = HostileCamera(tmp_path / "camera")
    camera.begin()
    depot.key = camera.key
    return Bench(sqlite_database, depot, camera)


def test_an_honest_one_is_identified(bench: Bench) -> None:
    assert bench.identified().facts().serial == "SIM0001"


# who it is


@pytest.mark.parametrize("what", ["serial", "public_key"])
def test_a_camera_that_turns_into_another_is_not_read(bench: Bench, what: str) -> None:
    camera = bench.identified()
    bench.hostile.says = {what: {"serial": "SIM0002", "public_key": SigningKey.generate().public.to_base64()}[what]}
    with pytest.raises(errors.CameraNotGenuine):
        camera.synchronise(Wishes(set_clock=True))


def test_numbers_that_leave_none_for_orders_are_refused_and_not_followed(bench: Bench) -> None:
    bench.hostile.says = {"applied": {"lease": Applied(epoch=1, sequence=2**53)}}
    bench.hostile.describe()
    with pytest.raises(errors.DocumentRefused):
        bench.identified()
    with bench.database.read() as session:
        assert systems.local_controller(session).order_sequence < 100


def test_the_numbers_of_a_camera_that_proves_nothing_are_not_followed(bench: Bench) -> None:
    bench.hostile.says = {"applied": {"lease": Applied(epoch=1, sequence=10**6)}}
    bench.hostile.describe()
    bench.hostile._identify = lambda unit, order, digest: None  # type: ignore[method-assign]
    with pytest.raises(errors.CameraNotGenuine):
        bench.identified()
    with bench.database.read() as session:
        assert systems.local_controller(session).order_sequence < 100


@pytest.mark.parametrize("time", [EARLY, LATE])
def test_a_clock_from_the_ends_of_time_is_refused(bench: Bench, time: datetime) -> None:
    path = bench.hostile.control / "camera.json"
    said = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(said | {"time": time}))
    with ControlUnit(bench.hostile.control) as unit, pytest.raises(errors.DocumentRefused):
        unit.read_description()


@given(noise=some.binary(max_size=300), seed=some.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_any_damage_of_its_description_is_one_of_our_errors(tmp_path_factory, noise: bytes, seed: int) -> None:
    camera = HostileCamera(tmp_path_factory.mktemp("camera"), key=KEY)
    camera.begin()
    path, random = camera.control / "camera.json", Random(seed)
    data = bytearray(path.read_bytes())
    where = random.randrange(len(data))
    data[where : where + random.randrange(1, 40)] = noise
    path.write_bytes(data)
    with ControlUnit(camera.control) as unit, suppress(errors.BodywornError):
        unit.read_description()


KEY = SigningKey.generate()


# what it puts out


def test_rubbish_in_the_outbox_counts_for_nothing_and_stays(bench: Bench) -> None:
    outbox = bench.hostile.control / "outbox"
    rubbish = {
        "00000001.identity.json": b"{}",
        "00000002.log.json": os.urandom(1000),
        "00000003.x-feedback.json": b"later",
        "00000004.acknowledgement.json": b"[" * 100_000,
        "nonsense": b"",
    }
    for name, data in rubbish.items():
        (outbox / name).write_bytes(data)
    bench.identified()
    assert set(rubbish) <= {path.name for path in outbox.iterdir()}


def test_an_outbox_larger_than_its_unit_is_refused(bench: Bench) -> None:
    for number in range(1, 80):
        (bench.hostile.control / "outbox" / f"{number:08}.log.json").write_bytes(b" " * 256 * 1024)
    with pytest.raises(errors.CameraListingTooLong):
        bench.identified()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd"), lambda path: path.mkdir()])
def test_an_answer_that_is_no_file_is_refused(bench: Bench, make: Callable[[Path], None]) -> None:
    make(bench.hostile.control / "outbox" / "00000001.log.json")
    with pytest.raises(errors.CameraFileRefused):
        bench.identified()


def test_a_true_log_is_taken_and_removed(bench: Bench) -> None:
    log = Log(serial="SIM0001", docking=3, turn=1, time=datetime.now(UTC), lines=("2026 awake",))
    bench.hostile.put_out(log, PayloadType.LOG, "log")
    bench.identified()
    assert list((bench.hostile.control / "outbox").iterdir()) == []


# its recordings


def test_what_lies_among_the_recordings_is_told(bench: Bench) -> None:
    good = make_document(key_id=bench.hostile.key.public.key_id)
    bench.hostile.record(good)
    folder = bench.hostile.media / "recordings"
    (folder / "DCIM").mkdir()
    (folder / f"{'0' * 8}{good.id[8:]}").mkdir()
    (folder / f"{'1' * 8}{good.id[8:]}").symlink_to(good.id)
    listed = bench.listed()
    assert [one.camera_recording_id for one in listed if one.document] == [good.id]
    told = [type(one.problem) for one in listed if one.harmless]
    assert told == [errors.RecordingUnfinished] * 2
    refused = [one for one in listed if one.problem and not one.harmless]
    assert [type(one.problem) for one in refused] == [errors.CameraFileRefused]


@pytest.mark.parametrize(
    "change",
    [
        {"start": EARLY, "trigger_on": EARLY},
        {"stop": LATE},
        {"manufacturer": "two\nlines"},
        {"model": "a\x00b"},
        {"bookmarks": (bookmark("once"),) * 2},
        {"bookmarks": ({"id": "00000000-0000-0000-0000-000000000000", "start": LATE},)},
    ],
)
def test_a_document_that_the_format_does_not_allow_costs_that_recording(bench: Bench, change: dict[str, Any]) -> None:
    good = make_document(key_id=bench.hostile.key.public.key_id)
    bench.hostile.record(good)
    said = msgspec.json.decode(encode(make_document())) | msgspec.to_builtins(change)
    folder = bench.hostile.media / "recordings" / said["id"]
    folder.mkdir()
    signed = envelope.sign(msgspec.json.encode(said), PayloadType.RECORDING, bench.hostile.key)
    (folder / "recording.dsse.json").write_bytes(signed)
    problems = [type(one.problem) for one in bench.listed()]
    assert sorted(str(one) for one in problems) == sorted(map(str, [errors.DocumentRefused, type(None)]))


def test_two_clips_that_would_have_one_key_are_refused(bench: Bench) -> None:
    document = make_document()
    clip = document.clips[0]
    twin = msgspec.structs.replace(clip, name=clip.name.replace(".mkv", ".mp4"), container="mp4")
    with pytest.raises(ValueError, match="one name"):
        msgspec.structs.replace(document, clips=(clip, twin))


def test_documents_past_what_is_held_in_memory_are_told_one_by_one(bench: Bench, monkeypatch: Any) -> None:
    from bodyworn.hw.drivers import volume

    monkeypatch.setattr(volume, "_LARGEST_DOCUMENTS_BYTES", 3000)
    for _ in range(5):
        bench.hostile.record(make_document())
    listed = bench.listed()
    assert [type(one.problem) for one in listed if one.problem] == [errors.CameraListingTooLong] * (
        5 - sum(one.document is not None for one in listed)
    )
    assert any(one.document for one in listed)
    assert len(listed) == 5


@pytest.mark.parametrize("seed", range(8))
def test_any_document_that_is_taken_can_be_written_down(bench: Bench, seed: int) -> None:
    """Whatever a camera signs within the format becomes rows with names of their own."""
    random = Random(seed)
    strange = ["\u202e", "\U0001f3a5" * 16, "'; DROP TABLE", "{x}", "\ud7ff", "%s", "<b>", "\u2028"]
    year = random.choice([1970, 1999, 2026, 2199])
    document = make_document(
        clips=random.randint(1, 3),
        start=datetime(year, 1, 2, 3, 4, 5, random.randrange(10**6), tzinfo=UTC),
        manufacturer=random.choice(strange),
        model=random.choice(strange),
        time_zone=random.choice(["Europe/Vienna", "Nowhere/None", "/etc/passwd", "UTC"]),
        bookmarks=tuple(bookmark(random.choice(strange) * random.randint(0, 50)) for _ in range(random.randint(0, 3))),
    )
    with bench.database.write() as session:
        recording = bench.depot.recording(session, document, clock_offset_seconds=random.choice([None, -1e9, 1e9]))
        names = [clip.name for clip in session.scalars(select(Clip).where(Clip.recording_id == recording.id))]
    assert len(set(names)) == len(names) == len(document.clips) + len(document.bookmarks) + 1
