"""A system that lost its controller comes back from its master key, and its cameras work again by the passphrase."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import seed
from bodyworn.camera_volume import documents
from bodyworn.camera_volume.control import ControlUnit
from bodyworn.camera_volume.documents import CameraState
from bodyworn.camera_volume.orders import LEASE, OrderKind, ReceiptState, Unlock
from bodyworn.cli.rig import Rig
from bodyworn.crypto import envelope, master_key
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.errors import CameraLocked, CameraNotLocked, ClipDiffers, UnknownCamera, WrongPassphrase
from bodyworn.hw.drivers import volume
from bodyworn.hw.drivers.lost_receipts import lost_receipts
from bodyworn.hw.intake import Intake
from bodyworn.hw.order_book import OrderBook
from bodyworn.models import BayState, Belonging, Camera, Database, DockKind, RecordingState, System
from bodyworn.services import camera_list, cameras, docks, founding, systems, unlocking
from bodyworn.services.camera_list import CameraQuery, Show
from bodyworn.services.keyring import Keyring
from bodyworn.services.status import status
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from rig_parts import ACTOR, event_actions
from running_station import BAYS, SMALL, Station

pytest_plugins = ["fixtures_database", "fixtures_rig"]

PASSPHRASE = "nobody reads it"  # of every station
Change = Callable[[Unlock, SigningKey], bytes]


def restored(tables: Path, station: Station, name: str, file: bytes | None = None) -> Station:
    """Bring a system back on an empty data folder, as the wizard does."""
    folder = station.rig.data_dir.parent / name
    folder.mkdir(mode=0o700)
    (folder / "bodyworn.db").write_bytes(tables.read_bytes())
    database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
    station.stack.callback(database.close)
    keyring = Keyring(folder / "keys")
    founding.restore(database, keyring, file=file or key_of(station), passphrase=PASSPHRASE, actor=ACTOR)
    with database.write() as session:
        founding.finish(session, keyring, name="Depot again", actor=ACTOR)
        place = str((folder / "dock").absolute())
        docks.add_dock(session, name="Dock 1", kind=DockKind.SIMULATED, locator=place, bays=BAYS)
    rig = Rig(database, folder, keyring, SimulatedDock(folder / "dock", BAYS))
    return Station(rig, station.stack, station.fake, cameras=station.cameras)


def system(station: Station) -> System:
    with station.database.read() as session:
        return systems.current(session)


def key_of(station: Station) -> bytes:
    file = system(station).master_key_file
    assert file is not None
    return file


def known(station: Station, camera: SimulatedCamera) -> Camera:
    [found] = station.known(camera.serial)
    return found


def unlock(station: Station, *chosen: SimulatedCamera, passphrase: str = PASSPHRASE) -> unlocking.Unlocking:
    ids = [known(station, camera).id for camera in chosen]
    return unlocking.unlock(station.database, station.rig.keyring, ids, passphrase, actor=ACTOR)


def wait_locked(station: Station, *numbers: int) -> None:
    station.wait(lambda: all(station.bay_state(number) is BayState.LOCKED for number in numbers))


@pytest.fixture
def old(make_station: Callable[..., Station]) -> Station:
    """Found the system whose controller is about to fail."""
    return make_station("old")


@pytest.mark.feature("SYS-3")
@pytest.mark.feature("CAM-7")
def test_after_a_restore_cameras_are_locked_until_the_passphrase_is_entered(tables: Path, old: Station) -> None:
    first, second = old.worn(1), old.worn(2)
    recorded = first.record(SMALL)
    new = restored(tables, old, "new")
    assert (system(new).id, system(new).epoch) == (system(old).id, 2)
    with new.running():
        first.dock(new.bay(1))
        second.dock(new.bay(2))
        wait_locked(new, 1, 2)
        check_shown_as_locked(new, first, second)
        assert new.recordings() == []  # nothing is read of a locked camera
        assert set(unlock(new, first, second).ordered) == {known(new, one).id for one in (first, second)}
        new.wait(lambda: new.bay_state(1) is new.bay_state(2) is BayState.READY)
        new.wait(lambda: new.recording(recorded))
    for camera in (first, second):
        row = known(new, camera)
        assert (row.belonging, row.locked_at, row.unlock_order, row.epoch) == (Belonging.ADDED, None, None, 2)
        assert row.lease_until is not None
        assert camera.describe().state is CameraState.UNASSIGNED  # users are not in the master key
        told = event_actions(new.database, row.id)
        assert told.index("camera.locked") < told.index("camera.unlock-ordered") < told.index("camera.unlocked")


def check_shown_as_locked(station: Station, *found: SimulatedCamera) -> None:
    """Hold that pages show cameras as Locked: not as New, and not as somebody else's."""
    with station.database.read() as session:
        rows = camera_list.cameras(session, CameraQuery(show=Show.LOCKED)).rows
        assert {row.serial for row in rows} == {camera.serial for camera in found}
        assert {row.state.word.one for row in rows} == {"Locked"}
        assert camera_list.new_cameras(session).total == 0
        labels = [message.label.one for message in status(session, datetime.now(UTC)).cameras.messages]
    assert "Locked" in labels
    assert "New" not in labels
    with pytest.raises(CameraLocked), station.database.write() as session:
        cameras.add_cameras(session, [known(station, found[0]).id], actor=ACTOR)


@pytest.mark.feature("SYS-3")
def test_what_a_lost_controller_had_in_hand_is_taken_over(
    old: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = old.worn()
    stored, begun = camera.record(SMALL), camera.record(SMALL)
    take = Intake._take

    def take_one(intake: Intake, source: Any, taking: Any, *more: Any) -> None:
        if taking.camera_recording_id == begun.id:
            raise ClipDiffers(name="it")
        take(intake, source, taking, *more)

    with monkeypatch.context() as patch, old.running():
        patch.setattr(Intake, "_take", take_one)
        camera.dock(old.bay())
        old.wait(lambda: old.bay_state() is BayState.PROBLEM)
        camera.undock()
    held = camera.core.memory.receipts
    assert {one: held[one].state for one in held} == {stored.id: "stored", begun.id: "taking"}
    lost = {held[one].controller_id for one in held}
    other_tables = tmp_path / "other.db"  # a controller bears the number of its chain, which is made with the tables
    other_tables.write_bytes(seed.empty_database())
    new = restored(other_tables, old, "new")
    with new.running():
        camera.dock(new.bay())
        wait_locked(new, 1)
        unlock(new, camera)
        new.wait(lambda: new.bay_state() is BayState.READY)
        assert {new.state(one) for one in (stored, begun)} == {RecordingState.STORED}
    assert {one.state for one in held.values()} == {"stored"}
    assert not lost & {one.controller_id for one in held.values()}


@dataclass(frozen=True)
class Knowing:
    """What a controller that finds a receipt knows of its system."""

    system_id: str
    recovery_key: PublicKey
    epoch: int = 2
    controllers: frozenset[str] = frozenset()

    def has_controller(self, controller_id: str) -> bool:
        return controller_id in self.controllers


def test_only_receipts_of_lost_controllers_are_taken_over(old: Station, tmp_path: Path) -> None:
    book, recording_id = OrderBook(old.database, old.rig.keyring), str(uuid4())
    members = {"recording_id": recording_id, "state": ReceiptState.TAKING, "controller_id": book.controller_id}
    receipt = book.issue(OTHER.public, OrderKind.RECEIPT, **members)
    restored_one = Knowing(book.system_id, book.recovery_key)

    def lost(knowing: Any, data: bytes = receipt) -> Any:
        with ControlUnit(tmp_path) as control:
            control.prepare()
            control.put_receipt(recording_id, data)
            return lost_receipts(control, [recording_id], knowing)

    assert lost(restored_one) == {recording_id: hashlib.sha256(receipt).hexdigest()}
    assert lost(book) == {}
    assert lost(replace(restored_one, controllers=frozenset({book.controller_id}))) == {}
    assert lost(replace(restored_one, epoch=1)) == {}
    assert lost(replace(restored_one, recovery_key=OTHER.public)) == {}
    assert lost(replace(restored_one, system_id=str(uuid4()))) == {}
    assert lost(restored_one, receipt[:-9]) == {}


def test_a_wrong_passphrase_unlocks_nothing_and_is_written_down(tables: Path, old: Station) -> None:
    camera = old.worn()
    new = restored(tables, old, "new")
    with new.running():
        camera.dock(new.bay())
        wait_locked(new, 1)
        with pytest.raises(WrongPassphrase):
            unlock(new, camera, passphrase="nobody reads that")
        assert new.bay_state() is BayState.LOCKED
        assert known(new, camera).unlock_order is None
    assert event_actions(new.database, system(new).id)[-1] == "camera.unlock-ordered"


@pytest.mark.feature("CAM-7")
def test_a_camera_whose_lease_is_over_is_unlocked_where_it_belongs(old: Station) -> None:
    camera = old.worn()
    before = known(old, camera)
    camera.core.memory.lease_expires = datetime.now(UTC) - timedelta(days=1)
    assert camera.describe().state is CameraState.LOCKED
    with old.running():
        camera.dock(old.bay())
        wait_locked(old, 1)
        assert known(old, camera).locked_at is not None
        unlock(old, camera)
        old.wait(lambda: old.bay_state() is BayState.READY)
    after = known(old, camera)
    assert (after.id, after.camera_user_id, after.locked_at) == (before.id, before.camera_user_id, None)
    assert camera.describe().state is CameraState.READY
    assert system(old).epoch == 1


def test_a_system_restored_twice_from_one_file_unlocks_what_the_first_had(tables: Path, old: Station) -> None:
    camera, file = old.worn(), key_of(old)
    first = restored(tables, old, "first", file)
    with first.running():
        camera.dock(first.bay())
        wait_locked(first, 1)
        unlock(first, camera)
        first.wait(lambda: first.bay_state() is BayState.READY)
        camera.undock()
    again = restored(tables, first, "again")  # epoch 3, of the first one's newer file
    with again.running():
        camera.dock(again.bay())
        wait_locked(again, 1)
        unlock(again, camera)
        again.wait(lambda: again.bay_state() is BayState.READY)
        camera.undock()
    assert camera.describe().epoch == 3
    second = restored(tables, old, "second", file)  # epoch 2 once more
    with second.running():
        camera.dock(second.bay())
        wait_locked(second, 1)
        assert known(second, camera).enrolled_at is None
        unlock(second, camera)
        second.wait(lambda: second.bay_state() is BayState.READY)
    assert (system(second).epoch, camera.describe().epoch) == (3, 3)
    assert master_key.read_label(key_of(second)).epoch == 3
    assert "system.epoch-raised" in event_actions(second.database)


def _unlock_of(station: Station, camera: SimulatedCamera) -> Unlock:
    """Write what unlocks a camera in the docking it is in."""
    row, now = known(station, camera), datetime.now(UTC)
    assert row.nonce is not None
    with station.database.write() as session:
        sequence = systems.next_order_sequence(session)
    return Unlock(
        system_id=system(station).id, camera=camera.public_key.key_id, epoch=system(station).epoch, sequence=sequence,
        issued=now, camera_nonce=row.nonce, time=now, expires=now + LEASE,
    )  # fmt: skip


def _signed(order: Unlock, key: SigningKey, kind: PayloadType = PayloadType.UNLOCK) -> bytes:
    return envelope.sign(documents.encode(order), kind, key)


def _but(**changes: object) -> Change:
    def changed(order: Unlock, key: SigningKey) -> bytes:
        return _signed(documents.decode(Unlock, documents.encode(replaced(order, **changes))), key)

    return changed


def replaced(order: Unlock, **changes: object) -> Unlock:
    members = {name: getattr(order, name) for name in order.__struct_fields__}
    return Unlock(**(members | changes))  # type: ignore[arg-type]


OTHER = SigningKey.generate()
REFUSED: dict[str, Change] = {
    "another camera's": _but(camera=OTHER.public.key_id),
    "an old nonce": _but(camera_nonce=b64encode(bytes(32)).decode()),
    "an old epoch": _but(epoch=0),
    "a wrong type": lambda order, key: _signed(order, key, PayloadType.LEASE),
    "another key's": lambda order, key: _signed(order, OTHER),
    "truncated": lambda order, key: _signed(order, key)[:-40],
}


def test_a_token_that_is_not_for_this_camera_and_docking_unlocks_nothing(
    tables: Path, old: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodyworn.hw.docking._RETRY_SECONDS", 0.05)
    camera = old.worn()
    new = restored(tables, old, "new")
    recovery = master_key.unwrap(key_of(old), PASSPHRASE).recovery_signing_key()
    with new.running():
        camera.dock(new.bay())
        wait_locked(new, 1)
        row = known(new, camera)
        for name, change in REFUSED.items():
            _hand_over(new, row.id, change(_unlock_of(new, camera), recovery))
            new.wait(lambda: known(new, camera).unlock_order is None)
            assert camera.describe().state is CameraState.LOCKED, name
            assert known(new, camera).locked_at is not None, name
            wait_locked(new, 1)
        _hand_over(new, row.id, _signed(_unlock_of(new, camera), recovery))
        new.wait(lambda: new.bay_state() is BayState.READY)
    refusals = [one for one in event_actions(new.database, row.id) if one == "camera.unlock-delivered"]
    assert len(refusals) == len(REFUSED)


def _hand_over(station: Station, camera_id: str, order: bytes) -> None:
    with station.database.write() as session:
        cameras.order_unlock(session, cameras.get(session, camera_id), order, actor=ACTOR)


def test_an_unlock_of_an_earlier_docking_is_forgotten(tables: Path, old: Station) -> None:
    camera = old.worn()
    new = restored(tables, old, "new")
    with new.running():
        camera.dock(new.bay())
        wait_locked(new, 1)
    unlock(new, camera)  # nobody is there to hand it over
    camera.undock()
    before = known(new, camera).nonce
    with new.running():
        camera.dock(new.bay())
        new.wait(lambda: known(new, camera).nonce != before)
        wait_locked(new, 1)
        assert known(new, camera).unlock_order is None
        assert camera.describe().state is CameraState.LOCKED


def test_a_camera_of_another_system_is_no_locked_camera_of_ours(
    tables: Path, old: Station, make_station: Callable[..., Station]
) -> None:
    camera, other = old.worn(), make_station("other")
    with other.running():
        camera.dock(other.bay())
        other.wait(lambda: other.bay_row().problem_id == "camera-belongs-elsewhere")
        assert other.known(camera.serial) == []


def test_a_camera_that_speaks_of_an_epoch_beyond_all_others_is_refused(
    tables: Path, old: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = old.worn()
    camera.core.memory.epoch = 1 + volume._MOST_RESTORES + 1
    with old.running():
        camera.dock(old.bay())
        old.wait(lambda: old.bay_row().problem_id == "document-refused")
    assert known(old, camera).locked_at is None


def test_what_is_not_locked_and_docked_is_not_unlocked(tables: Path, old: Station) -> None:
    camera = old.worn()
    with pytest.raises(CameraNotLocked):
        unlock(old, camera)
    with pytest.raises(UnknownCamera):
        unlocking.unlock(old.database, old.rig.keyring, ["nobody"], PASSPHRASE, actor=ACTOR)
