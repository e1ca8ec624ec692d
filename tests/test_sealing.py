"""What was stored before a destination asked for encryption is encrypted before it is sent (decision 24)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodyworn.cli import own_receiver, rig
from bodyworn.hw.controller import Controller
from bodyworn.models import Clip, ClipKind, Database, Event, Recording, RecordingState
from bodyworn.services import events
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Recorded, Wish
from bodyworn.store import Store
from sqlalchemy import select


@contextmanager
def _controller(database: Database, folder: Path) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Controller(database, folder, reserve_bytes=0).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _store_one(system: rig.Rig, camera: SimulatedCamera) -> Recorded:
    """Let a camera bring one recording while no destination is connected."""
    camera.dock(system.dock.bay(1))
    assert rig.wait_until(lambda: bool(rig.add_new_cameras(system, [camera.serial], ["Ann"])), 20)
    assert rig.wait_until(lambda: camera.describe().state == "ready", 20)
    camera.undock()
    recorded = camera.record(Wish(size_bytes=300_000))
    camera.dock(system.dock.bay(1))
    assert rig.wait_until(lambda: _state(system) is RecordingState.STORED, 20)
    return recorded


def _state(system: rig.Rig) -> RecordingState | None:
    with system.database.read() as session:
        found = session.scalars(select(Recording)).one_or_none()
        return found.state if found else None


def test_a_readable_recording_is_encrypted_before_it_travels(tmp_path: Path) -> None:
    database = Database.at(f"sqlite:///{tmp_path / 'system.db'}")
    system = rig.build(database, tmp_path, name="Test", passphrase="x" * 20, bays=1, demonstration=True)
    spool = Store(tmp_path / "spool")
    with SimulatedCamera(tmp_path / "cameras" / "A1", Build(serial="A1")) as camera:
        with _controller(database, tmp_path):
            recorded = _store_one(system, camera)
            with own_receiver.running(tmp_path / "receiver", encrypt=True) as file:
                rig.connect(system, file)
                assert rig.wait_until(lambda: not camera.recordings(), 30)
        with database.read() as session:
            clip = session.scalars(select(Clip).where(Clip.kind == ClipKind.CLIP)).one()
            container = clip.recording.container_name
            assert clip.encrypted
            assert clip.sha256 == recorded.clips[0].sha256
            assert clip.stored_sha256 != clip.sha256
            assert session.scalars(select(Event).where(Event.action == "clip.encrypted")).all()
            assert list(events.check(session)) == []
        assert not spool.exists(container, clip.name), "nothing readable is left"
        assert spool.exists(container, clip.spool_name)
        spool.write_bytes(container, clip.name, b"readable, as a crash would leave it")
        with _controller(database, tmp_path):
            assert rig.wait_until(lambda: not spool.exists(container, clip.name), 10)
    database.close()
