"""The control unit: files appear whole and in order, on both sides, and links in it lead nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from bodyworn.camera_volume import documents
from bodyworn.camera_volume.control import LARGEST_MESSAGE_BYTES, ControlUnit, Message
from bodyworn.camera_volume.documents import Battery, CameraDescription, CameraState, Storage
from bodyworn.errors import CameraFileMissing, CameraFileRefused, CameraListingTooLong, CameraNameRefused


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "control"
    folder.mkdir()
    with ControlUnit(folder) as control:
        control.prepare()
    return folder


def description() -> CameraDescription:
    return CameraDescription(
        format=documents.FORMAT,
        version=1,
        minor=0,
        serial="SIM-0001",
        manufacturer="Bodyworn",
        model="Simulated camera",
        firmware="1.0.0",
        public_key="A" * 43 + "=",
        state=CameraState.NEW,
        docking=1,
        turn=0,
        nonce="A" * 43 + "=",
        time=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        battery=Battery(percent=50, charging=True),
        storage=Storage(total_bytes=100, used_bytes=10, recordings=1),
    )


def test_the_description_comes_with_its_digest(unit: Path) -> None:
    with ControlUnit(unit) as control:
        written = control.write_description(description())
        read = control.read_description()
    assert read.description == description()
    assert read.sha256 == written == documents.sha256((unit / "camera.json").read_bytes()).hexdigest()


def test_orders_are_numbered_and_listed_in_order(unit: Path) -> None:
    with ControlUnit(unit) as control:
        put = [control.put_order(kind, kind.encode()) for kind in ("challenge", "lease", "clock")]
        assert control.list_inbox() == tuple(put)
        assert [control.read_order(message) for message in put] == [b"challenge", b"lease", b"clock"]
        control.remove_order(put[0])
        control.remove_order(put[0])
        assert control.put_order("settings", b"").number == 4
    assert (unit / "inbox" / "00000002.lease.json").is_file()


def test_answers_are_numbered_by_the_camera(unit: Path) -> None:
    with ControlUnit(unit) as control:
        control.put_answer(12, "identity", b"second")
        control.put_answer(7, "log", b"first")
        assert control.list_outbox() == (Message(7, "log"), Message(12, "identity"))


def test_receipts_are_kept_by_recording(unit: Path) -> None:
    recording_id = str(uuid4())
    with ControlUnit(unit) as control:
        control.put_receipt(recording_id, b"taking")
        control.put_receipt(recording_id, b"stored")
        assert control.list_receipts() == (recording_id,)
        assert control.read_receipt(recording_id) == b"stored"
        with pytest.raises(CameraNameRefused):
            control.read_receipt("../camera")


def test_unfinished_and_foreign_files_are_no_messages(unit: Path) -> None:
    for name in (".00000001.lease.json.part", "1.lease.json", "00000001.LEASE.json", "00000001.lease.json~", "x"):
        (unit / "inbox" / name).write_bytes(b"x")
    with ControlUnit(unit) as control:
        assert control.list_inbox() == ()


def test_kinds_that_are_none_are_refused(unit: Path) -> None:
    with ControlUnit(unit) as control:
        for kind in ("../lease", "LEASE", "", "a" * 40, "lease\0"):
            with pytest.raises(CameraNameRefused):
                control.put_order(kind, b"")


def test_a_message_is_bounded(unit: Path) -> None:
    (unit / "outbox" / "00000001.log.json").write_bytes(b"x" * (LARGEST_MESSAGE_BYTES + 1))
    with ControlUnit(unit) as control, pytest.raises(CameraListingTooLong):
        control.read_answer(Message(1, "log"))


def test_links_on_the_unit_lead_nowhere(unit: Path, tmp_path: Path) -> None:
    secret, elsewhere = tmp_path / "secret", tmp_path / "elsewhere"
    secret.write_bytes(b"secret")
    elsewhere.mkdir()
    (unit / "outbox" / "00000001.log.json").symlink_to(secret)
    (unit / "inbox").rmdir()
    (unit / "inbox").symlink_to(elsewhere)
    with ControlUnit(unit) as control:
        with pytest.raises(CameraFileRefused):
            control.read_answer(Message(1, "log"))
        with pytest.raises(CameraFileRefused):
            control.put_order("lease", b"x")
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_the_place_of_the_temporary_file_is_not_written_through(unit: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (unit / "inbox" / ".00000001.lease.json.part").symlink_to(secret)
    (unit / "inbox" / "00000001.lease.json").symlink_to(secret)
    with ControlUnit(unit) as control:
        message = control.put_order("lease", b"order")
        assert control.read_order(message) == b"order"
    assert secret.read_bytes() == b"secret"


def test_a_unit_that_was_not_prepared_says_what_is_missing(tmp_path: Path) -> None:
    with ControlUnit(tmp_path) as control:
        assert control.list_inbox() == ()
        with pytest.raises(CameraFileMissing):
            control.put_order("lease", b"")
        with pytest.raises(CameraFileMissing):
            control.read_description()


_DIE_BEFORE_RENAME = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import conftest
from bodyworn.camera_volume.control import ControlUnit
os.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
with ControlUnit(Path(sys.argv[2])) as control:
    control.put_order("lease", b"new")
"""


def test_a_kill_while_writing_leaves_no_message(unit: Path) -> None:
    command = [sys.executable, "-c", _DIE_BEFORE_RENAME, str(Path(__file__).parent), str(unit)]
    assert subprocess.run(command, timeout=30).returncode < 0
    with ControlUnit(unit) as control:
        assert control.list_inbox() == ()
        assert control.read_order(control.put_order("lease", b"again")) == b"again"
    assert os.listdir(unit / "inbox") == ["00000001.lease.json"]
