"""A camera leaves: its content first, then it is reset; docked or in use, wherever it is interrupted, or by force."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bodyworn.camera_volume.documents import CameraState
from bodyworn.camera_volume.orders import OrderKind
from bodyworn.errors import CameraIsDocked, CameraNotOurs, UnknownCamera, WrongPassphrase
from bodyworn.hw.docking import Docking
from bodyworn.models import BayState, Belonging, Camera, RecordingState
from bodyworn.services import camera_life, camera_list, unlocking
from bodyworn.services.camera_list import CameraQuery
from bodyworn.simulator import orders
from bodyworn.simulator.camera import SimulatedCamera
from rig_parts import ACTOR, event_actions
from running_station import SMALL, Station

pytest_plugins = ["fixtures_database", "fixtures_rig"]

PASSPHRASE = "nobody reads it"  # of every station


def known(station: Station, camera: SimulatedCamera) -> Camera:
    [found] = station.known(camera.serial)
    return found


def ask(station: Station, camera: SimulatedCamera) -> str:
    row = known(station, camera)
    with station.database.write() as session:
        camera_life.ask_removal(session, row.id, actor=ACTOR)
    return row.id


def force(station: Station, camera: SimulatedCamera, passphrase: str = PASSPHRASE) -> None:
    row = known(station, camera)
    camera_life.force_removal(station.database, row.id, passphrase, "Fell into the harbour", actor=ACTOR)


def wait_removed(station: Station, camera: SimulatedCamera) -> None:
    station.wait(lambda: known(station, camera).belonging is Belonging.REMOVED)
    station.wait(lambda: camera.describe().state is CameraState.SHIPPING)


def wait_empty(station: Station) -> None:
    """Let a controller notice that the camera was taken out."""
    with station.running():
        station.wait(lambda: station.bay_state() is BayState.EMPTY)


@pytest.mark.feature("CAM-5")
def test_a_camera_in_use_is_removed_at_its_next_docking_after_its_content_is_delivered(station: Station) -> None:
    camera = station.worn()
    camera_id = ask(station, camera)
    recorded = camera.record(SMALL)  # it goes on working until then
    with station.running():
        camera.dock(station.bay())
        wait_removed(station, camera)
        station.wait(lambda: station.bay_state() is BayState.REMOVED)
        assert station.is_delivered(recorded)
        assert station.is_erased(recorded)
        camera.undock()
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
    row, said = known(station, camera), camera.describe()
    assert (row.camera_user_id, row.removal_asked_at, row.lease_until, row.enrolled_at) == (None, None, None, None)
    assert (said.system_id, said.lease_expires, said.user_id, said.epoch) == (None, None, None, 0)
    done = event_actions(station.database, camera_id)
    assert done.index("camera.removal-asked") < done.index("camera.removed") - 1 < done.index("camera.removed")
    with station.database.read() as session:
        assert camera_list.cameras(session, CameraQuery()).total == 0
    assert station.breaks() == []


@pytest.mark.feature("CAM-5")
def test_a_docked_camera_is_removed_where_it_stands(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.READY)
        ask(station, camera)
        wait_removed(station, camera)
    assert station.is_erased(recorded)


def test_a_camera_waits_for_a_destination_that_is_away_and_can_be_kept_meanwhile(make_station) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    with station.running():
        camera.dock(station.bay())
        ask(station, camera)
        station.wait(lambda: station.bay_state() is BayState.LEAVING)
        with station.database.read() as session:
            assert camera_life.left_on(session, known(station, camera).id).stored == 1
        with station.database.write() as session:
            camera_life.withdraw_removal(session, known(station, camera).id, actor=ACTOR)
        station.wait(lambda: station.bay_state() is BayState.READY)
        assert camera.describe().state is CameraState.READY
        ask(station, camera)
        station.wait(lambda: station.bay_state() is BayState.LEAVING)
        assert camera.recordings() == (recorded.id,)
        station.connect()
        wait_removed(station, camera)
    assert station.is_erased(recorded)


def test_a_camera_that_is_pulled_out_on_the_way_is_removed_when_it_is_back(make_station) -> None:
    station = make_station()
    camera = station.worn()
    recorded = camera.record(SMALL)
    ask(station, camera)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.state(recorded) is RecordingState.STORED)
        camera.undock()
    assert camera.describe().state is CameraState.READY
    another = camera.record(SMALL)
    station.connect()
    with station.running():
        camera.dock(station.bay(2))
        wait_removed(station, camera)
    assert station.is_erased(recorded, another)


def test_a_controller_that_dies_after_the_reset_does_not_take_the_camera_back(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = station.worn()
    camera_id = ask(station, camera)
    with monkeypatch.context() as patch, station.running():
        patch.setattr(Docking, "_see_off", lambda docking: docking.stop())
        camera.dock(station.bay())
        station.wait(lambda: camera.describe().state is CameraState.SHIPPING)
    assert known(station, camera).belonging is Belonging.ADDED
    with station.running():
        wait_removed(station, camera)
    assert camera.describe().system_id is None
    assert event_actions(station.database, camera_id).count("camera.enrolled") == 1


@pytest.mark.feature("CAM-6")
def test_a_removed_camera_can_be_added_anew_here_and_in_another_system(make_station: Callable[..., Station]) -> None:
    first, second = make_station("first"), make_station("second")
    first.connect()
    camera = first.worn()
    ask(first, camera)
    with first.running():
        camera.dock(first.bay())
        wait_removed(first, camera)
        camera.undock()
    with second.running():
        camera.dock(second.bay())
        second.add(camera)
        camera.undock()
    assert camera.describe().system_id != known(first, camera).id
    with first.running():
        camera.dock(first.bay())
        first.wait(lambda: first.bay_row().problem_id == "camera-belongs-elsewhere")
        camera.undock()
    ask(second, camera)
    with second.running():
        camera.dock(second.bay())
        wait_removed(second, camera)
        camera.undock()
    with first.running():
        camera.dock(first.bay())
        first.wait(lambda: first.bay_state() is BayState.NEW)
        first.add(camera)
        first.wait(lambda: first.bay_state() is BayState.READY)
    assert "camera.seen-again" in event_actions(first.database, known(first, camera).id)


@pytest.mark.feature("CAM-8")
def test_a_lost_camera_is_removed_by_force_and_locked_if_it_turns_up(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    wait_empty(station)
    with pytest.raises(WrongPassphrase):
        force(station, camera, "nobody reads that")
    assert known(station, camera).belonging is Belonging.ADDED
    force(station, camera)
    row = known(station, camera)
    assert (row.belonging, row.camera_user_id) == (Belonging.REMOVED, None)
    assert event_actions(station.database, row.id).count("camera.force-removed") == 2
    with pytest.raises(CameraNotOurs):
        force(station, camera)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.LOCKED)
        assert station.recordings() == []
        unlocking.unlock(station.database, station.rig.keyring, [row.id], PASSPHRASE, actor=ACTOR)
        station.wait(lambda: station.is_delivered(recorded))
    assert known(station, camera).belonging is Belonging.ADDED


def test_what_is_docked_is_not_lost(station: Station) -> None:
    camera = station.worn()
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.READY)
        with pytest.raises(CameraIsDocked):
            force(station, camera)


def test_only_cameras_of_the_system_are_removed(station: Station) -> None:
    camera = station.camera()
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_state() is BayState.NEW)
    with pytest.raises(CameraNotOurs):
        ask(station, camera)
    with pytest.raises(UnknownCamera), station.database.write() as session:
        camera_life.ask_removal(session, "nobody", actor=ACTOR)


def test_a_camera_that_does_not_reset_itself_is_a_problem_at_its_bay(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = station.worn()
    camera.record(SMALL)
    ask(station, camera)
    monkeypatch.delitem(orders.ACTIONS, OrderKind.RESET)
    with station.running():
        camera.dock(station.bay())
        station.wait(lambda: station.bay_row().problem_id == "camera-refused")
    assert known(station, camera).belonging is Belonging.ADDED
