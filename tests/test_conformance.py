"""The check for people who make cameras: nothing is said of one that follows the format, else the section it breaks."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bodyworn.camera_volume.answers import Acknowledgement, Answer, Identity, Log
from bodyworn.camera_volume.control import ControlUnit
from bodyworn.camera_volume.documents import (
    FORMAT,
    Battery,
    CameraDescription,
    CameraState,
    Storage,
    Unit,
    encode,
)
from bodyworn.camera_volume.recording import DOCUMENT_NAME, RecordingDocument, Track, TrackEntry, TrackPoint
from bodyworn.cli import main
from bodyworn.crypto import envelope
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.errors import VolumeMissing
from bodyworn.services.conformance import check
from bodyworn.services.conformance_remarks import Severity
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from click.testing import CliRunner
from msgspec.structs import replace
from rig_parts import START, make_document, sha256

NONCE = b64encode(bytes(32)).decode()


@dataclass
class Camera:
    """The units of a camera that follows the format, in a folder; tests break them."""

    folder: Path
    key: SigningKey = field(default_factory=SigningKey.generate)
    recordings: list[RecordingDocument] = field(default_factory=list)

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def media(self) -> Path:
        return self.folder / "media"

    def describe(self, **changes: Any) -> str:
        """Write camera.json; gives its digest."""
        facts: dict[str, Any] = {
            "format": FORMAT,
            "version": 1,
            "minor": 0,
            "serial": "SIM0001",
            "manufacturer": "Maker",
            "model": "Model 1",
            "firmware": "1.0.0",
            "public_key": self.key.public.to_base64(),
            "state": CameraState.READY,
            "docking": 3,
            "turn": 2,
            "nonce": NONCE,
            "time": datetime.now(UTC),
            "battery": Battery(percent=80, charging=True),
            "storage": Storage(total_bytes=10**9, used_bytes=0, recordings=len(self.recordings)),
        }
        with ControlUnit(self.control) as unit:
            unit.prepare()
            return unit.write_description(CameraDescription(**(facts | changes)))

    def answer(self, number: int, kind: str, answer: Answer, key: SigningKey | None = None) -> None:
        """Put a signed answer out."""
        signed = envelope.sign(encode(answer), PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"), key or self.key)
        with ControlUnit(self.control) as unit:
            unit.put_answer(number, kind, signed)

    def record(self, **changes: Any) -> RecordingDocument:
        """Write a recording of two clips and a track."""
        point = TrackPoint(location_wkt="POINT(16.3 48.2)", seconds_from_start=0, timestamp=START)
        track = encode(Track(coordinate_entries=(point,)))
        facts = {"key_id": self.key.public.key_id, "number": len(self.recordings) + 1, "clips": 2}
        document = make_document(**(facts | changes))
        bodies = {clip.name: clip.name.encode() * 40 for clip in document.clips}
        clips = tuple(
            replace(clip, size_bytes=len(bodies[clip.name]), sha256=sha256(bodies[clip.name]))
            for clip in document.clips
        )
        document = replace(document, clips=clips, track=TrackEntry(size_bytes=len(track), sha256=sha256(track)))
        for name, body in {**bodies, "track.json": track}.items():
            self.put(document, name, body)
        self.sign(document)
        self.recordings.append(document)
        return document

    def sign(self, document: RecordingDocument, key: SigningKey | None = None, folder: str = "") -> None:
        """Write a recording's document."""
        signed = envelope.sign(encode(document), PayloadType.RECORDING, key or self.key)
        self.put(document, DOCUMENT_NAME, signed, folder)

    def put(self, document: RecordingDocument, name: str, body: bytes, folder: str = "") -> None:
        """Write a file of a recording."""
        target = self.media / "recordings" / (folder or document.id)
        target.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(body)

    def clip(self, number: int = 0) -> Path:
        """Give the path of a clip of the first recording."""
        document = self.recordings[0]
        return self.media / "recordings" / document.id / document.clips[number].name

    def faults(self) -> list[tuple[int, str]]:
        """Check it; gives section and path of each fault."""
        return [(one.section, one.path) for one in check(self.folder).faults]

    def notes(self) -> list[str]:
        """Check it; gives the notes."""
        return [one.sentence for one in check(self.folder).remarks if one.severity is Severity.NOTE]


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    made = Camera(tmp_path / "camera")
    made.control.mkdir(parents=True)
    (made.media / "recordings").mkdir(parents=True)
    made.record()
    made.record()
    digest = made.describe()
    order = {"serial": "SIM0001", "docking": 3, "turn": 2, "time": START, "order_sha256": sha256(b"order")}
    made.answer(1, "identity", Identity(nonce=NONCE, camera_nonce=NONCE, camera_sha256=digest, **order))
    made.answer(2, "acknowledgement", Acknowledgement(order="clock", applied=True, **order))
    made.answer(3, "log", Log(lines=("2026-03-04T05:06:07Z on",), **{**order, "order_sha256": None}))
    return made


def test_there_is_nothing_to_say_of_a_camera_that_follows_the_format(camera: Camera) -> None:
    found = check(camera.folder)
    assert found.remarks == ()
    assert (found.conforms, found.units, found.recordings) == (True, (Unit.CONTROL, Unit.MEDIA), 2)


def test_each_unit_can_be_checked_alone(camera: Camera) -> None:
    assert check(camera.control).remarks == ()
    alone = check(camera.media)
    assert alone.conforms
    assert [one.section for one in alone.remarks] == [5]


def test_a_camera_with_one_unit_is_checked_whole(camera: Camera) -> None:
    (camera.media / "recordings").rename(camera.control / "recordings")
    camera.media.rmdir()
    assert camera.faults()[0] == (13, "recordings")
    camera.describe(units=(Unit.CONTROL,), turn=3)
    assert camera.faults() == []
    assert check(camera.control).recordings == 2


def test_a_folder_that_is_no_camera_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VolumeMissing):
        check(tmp_path)


def test_the_simulated_camera_follows_the_format(tmp_path: Path) -> None:
    camera = SimulatedCamera(tmp_path / "camera", Build(serial="SIM0001"))
    camera.dock(SimulatedDock(tmp_path / "dock", 1).bay(1))
    camera.undock()
    assert check(tmp_path / "camera" / "units").remarks == ()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


BREAKS: dict[str, tuple[int, Callable[[Camera], object]]] = {
    "a description that is no JSON": (6, lambda c: (c.control / "camera.json").write_text("{")),
    "a description that is missing": (6, lambda c: (c.control / "camera.json").unlink()),
    "a description of another version": (
        6,
        lambda c: _replace(c.control / "camera.json", '"version":1', '"version":2'),
    ),
    "a description that is too large": (6, lambda c: (c.control / "camera.json").write_bytes(b" " * 70_000)),
    "a description that is a link": (6, lambda c: _link(c.control / "camera.json")),
    "an identity of another description": (8, lambda c: c.describe(firmware="2.0.0")),
    "an answer of a later turn": (8, lambda c: c.describe(turn=1)),
    "an answer signed by somebody else": (8, lambda c: c.answer(4, "log", _log(), SigningKey.generate())),
    "an answer of another camera": (8, lambda c: c.answer(4, "log", _log(serial="SIM0002"))),
    "an answer to no order": (8, lambda c: c.answer(4, "identity", _identity())),
    "an answer with one bit changed": (8, lambda c: _flip(c.control / "outbox" / "00000002.acknowledgement.json")),
    "two answers of one number": (3, lambda c: c.answer(1, "log", _log())),
    "a receipt that is no order": (5, lambda c: _receipt(c, c.recordings[0].id, b"{}")),
    "a receipt of a recording that is gone": (7, lambda c: _receipt(c, "0" * 8 + c.recordings[0].id[8:], _ORDER)),
    "a control unit that is too large": (15, lambda c: os.truncate(_made(c.control / "other"), 17 * 1024 * 1024)),
    "a clip that is missing": (10, lambda c: c.clip().unlink()),
    "a clip that ends early": (10, lambda c: os.truncate(c.clip(), 10)),
    "a clip with one bit changed": (10, lambda c: _flip(c.clip())),
    "a clip that is a link": (10, lambda c: _link(c.clip())),
    "a clip that is a pipe": (10, lambda c: (c.clip().unlink(), os.mkfifo(c.clip()))),
    "a track with one bit changed": (10, lambda c: _flip(c.clip().parent / "track.json")),
    "a document with one bit changed": (10, lambda c: _flip(c.clip().parent / DOCUMENT_NAME)),
    "a document signed by somebody else": (10, lambda c: c.sign(c.recordings[0], SigningKey.generate())),
    "a document in another's folder": (10, lambda c: c.sign(c.recordings[0], folder=c.recordings[1].id)),
    "a document of another camera": (10, lambda c: c.sign(replace(c.recordings[0], serial="SIM0002"))),
    "a document of another key": (10, lambda c: c.sign(replace(c.recordings[0], key_id="0" * 32))),
    "two recordings of one number": (10, lambda c: c.record(number=1)),
    "clips out of order": (10, lambda c: c.sign(replace(c.recordings[0], clips=c.recordings[0].clips[::-1]))),
    "clips of two short ids": (10, lambda c: _rename(c, "7CF7")),
    "a clip whose name tells another start": (10, lambda c: c.sign(_later(c.recordings[0]))),
}


@pytest.mark.parametrize("case", BREAKS)
def test_what_breaks_the_format_is_found_with_its_section(camera: Camera, case: str) -> None:
    section, break_it = BREAKS[case]
    break_it(camera)
    assert section in {section for section, _ in camera.faults()}


def test_what_is_allowed_is_noted(camera: Camera) -> None:
    camera.put(camera.recordings[0], "extra.bin", b"?")
    camera.put(camera.recordings[0], "clip.mkv", b"?", folder="0" * 8 + camera.recordings[0].id[8:])
    (camera.media / "recordings" / "lost+found").mkdir()
    camera.record(number=9)
    with ControlUnit(camera.control) as unit:
        unit.put_answer(9, "x-feedback", b"{}")
    assert camera.faults() == []
    assert len(camera.notes()) == 6


def test_the_command_says_it_in_words_and_in_json(camera: Camera) -> None:
    run = CliRunner().invoke
    good = run(main, ["conformance", str(camera.folder)])
    assert (good.exit_code, good.output.count("\n")) == (0, 1)
    assert "control and media, 2 recordings" in good.output
    camera.clip().unlink()
    bad = run(main, ["conformance", str(camera.folder)])
    assert bad.exit_code == 1
    assert "does not follow" in bad.output
    report = json.loads(run(main, ["conformance", "--json", str(camera.folder)]).output)
    assert (report["conforms"], report["version"], report["units"]) == (False, 1, ["control", "media"])
    assert [(one["severity"], one["section"]) for one in report["remarks"]] == [("fault", 10)]


def test_the_command_says_when_there_is_no_camera(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["conformance", str(tmp_path)])
    assert done.exit_code == 1
    assert "neither a control unit nor a media unit" in done.output


_ORDER = b'{"envelope": {}, "authority": [{}, {}]}'


def _log(**changes: Any) -> Log:
    facts: dict[str, Any] = {"serial": "SIM0001", "docking": 3, "turn": 2, "time": START, "lines": ()}
    return Log(**(facts | changes))


def _identity() -> Identity:
    return Identity(
        serial="SIM0001", docking=2, turn=1, time=START, nonce=NONCE, camera_nonce=NONCE, camera_sha256="0" * 64
    )


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def _link(path: Path) -> None:
    moved = path.with_name(".moved")
    path.rename(moved)
    path.symlink_to(moved.name)


def _made(path: Path) -> Path:
    path.touch()
    return path


def _receipt(camera: Camera, recording_id: str, data: bytes) -> None:
    with ControlUnit(camera.control) as unit:
        unit.put_receipt(recording_id, data)


def _rename(camera: Camera, short_id: str) -> None:
    document = camera.recordings[0]
    first, second = document.clips
    other = f"{second.name.rpartition('_')[0]}_{short_id}.{second.container}"
    camera.clip(1).rename(camera.clip(1).with_name(other))
    camera.sign(replace(document, clips=(first, replace(second, name=other))))


def _later(document: RecordingDocument) -> RecordingDocument:
    first, second = document.clips
    return replace(document, clips=(replace(first, start=second.start, stop=second.stop), second))
