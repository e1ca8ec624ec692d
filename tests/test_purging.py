"""The spool gives up what is proved elsewhere, after its grace, and nothing else (I4, I12)."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from bodyworn.cli import own_receiver, rig
from bodyworn.hw import housekeeping
from bodyworn.hw.controller import Controller
from bodyworn.models import Copy, CopyState, Database, Event, Place, Recording
from bodyworn.services import events, purging
from bodyworn.services.keyring import Keyring
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Wish
from bodyworn.store import Store
from sqlalchemy import select, update


@pytest.fixture(scope="module")
def whole_way(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system's folder after one recording was delivered to a receiver and erased from its camera."""
    tmp_path = tmp_path_factory.mktemp("whole-way")
    database = Database.at(f"sqlite:///{tmp_path / 'system.db'}")
    system = rig.build(
        database, tmp_path, name="Test", passphrase="seven words are more than five", bays=1, demonstration=True
    )
    stop = threading.Event()
    thread = threading.Thread(target=Controller(database, tmp_path, reserve_bytes=0).run, args=(stop,))
    with (
        own_receiver.running(tmp_path / "receiver", encrypt=False) as file,
        SimulatedCamera(tmp_path / "cameras" / "A1", Build(serial="A1")) as camera,
    ):
        rig.connect(system, file)
        thread.start()
        try:
            camera.dock(system.dock.bay(1))
            assert rig.wait_until(lambda: bool(rig.add_new_cameras(system, ["A1"], ["Ann"])), 20)
            assert rig.wait_until(lambda: camera.describe().state == "ready", 20)
            camera.undock()
            camera.record(Wish(size_bytes=200_000))
            camera.dock(system.dock.bay(1))
            assert rig.wait_until(lambda: not camera.recordings(), 30)
        finally:
            stop.set()
            thread.join()
    database.close()
    return tmp_path


@pytest.fixture
def delivered(whole_way: Path, tmp_path: Path) -> Database:
    """A copy of that system, for one test."""
    for name in ("spool", "keys"):
        shutil.copytree(whole_way / name, tmp_path / name)
    shutil.copy(whole_way / "system.db", tmp_path)
    return Database.at(f"sqlite:///{tmp_path / 'system.db'}")


class _Shop:
    """What housekeeping uses of the controller's tools."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.spool = database, Store(folder / "spool")
        self.keyring = Keyring(folder / "keys")


def _spooled(database: Database) -> set[CopyState]:
    with database.read() as session:
        return set(session.scalars(select(Copy.state).where(Copy.place == Place.SPOOL)))


def test_a_delivered_recording_stays_for_its_grace_and_goes_afterwards(delivered: Database, tmp_path: Path) -> None:
    shop = _Shop(delivered, tmp_path)
    assert housekeeping.clear(shop) == 0  # type: ignore[arg-type]
    assert _spooled(delivered) == {CopyState.VERIFIED}
    assert housekeeping.clear(shop, grace_seconds=0.0) == 1  # type: ignore[arg-type]
    assert _spooled(delivered) == {CopyState.ERASED}
    assert list(shop.spool.list_containers()) == []
    with delivered.read() as session:
        assert session.scalars(select(Event).where(Event.action == "recording.purged")).one()
        assert list(events.check(session)) == []


def test_a_changed_clock_does_not_end_the_grace_early(delivered: Database) -> None:
    with delivered.write() as session:
        session.execute(update(Recording).values(delivered_at=Recording.found_at))
    with delivered.read() as session:
        assert purging.purgeable(session, 10, grace_seconds=3600.0) == []


@pytest.mark.parametrize("state", [CopyState.ACKNOWLEDGED, CopyState.WRITING, CopyState.PROBLEM])
def test_what_is_not_proved_at_the_destination_is_never_given_up(delivered: Database, state: CopyState) -> None:
    with delivered.write() as session:
        one = session.scalars(select(Copy).where(Copy.place == Place.DESTINATION)).first()
        assert one is not None
        one.state = state
    with delivered.read() as session:
        assert purging.purgeable(session, 10, grace_seconds=0.0) == []


def test_what_a_crash_left_after_the_decision_is_removed_at_the_next_time(delivered: Database, tmp_path: Path) -> None:
    with delivered.write() as session:
        purging.purged(session, purging.purgeable(session, 10, grace_seconds=0.0)[0])
    shop = _Shop(delivered, tmp_path)
    assert list(shop.spool.list_containers()) != []
    assert housekeeping.clear(shop) == 0  # type: ignore[arg-type]
    assert list(shop.spool.list_containers()) == []
