"""The controller, alone on its machine: it waits for a system, watches docks, says that it lives, ends when told."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bodyworn.cli import rig as rigs
from bodyworn.const import Step
from bodyworn.errors import ControllerRunning, DatabaseOutdated, NoSystem
from bodyworn.hw.controller import Controller
from bodyworn.hw.faults import crash_hook, hook_from_environment, no_fault
from bodyworn.hw.progress import WINDOW_SECONDS, Meter
from bodyworn.migrations.run import VERSION_TABLE
from bodyworn.models import Bay, BayState, Controller as ControllerRow, Database, DockKind, RecordingState
from bodyworn.services import docks, systems
from bodyworn.simulator.dock import SimulatedDock
from controller_process import controller_process, exit_code_after
from running_station import SMALL, Station
from sqlalchemy import text

pytest_plugins = ["fixtures_rig"]


def test_a_second_controller_on_one_folder_is_refused(station: Station) -> None:
    with station.running():
        station.wait(lambda: _heartbeat(station.database))
        assert (station.rig.data_dir / "controller.lock").read_text().strip() == str(os.getpid())
        with pytest.raises(ControllerRunning):
            Controller(station.database, station.rig.data_dir).run(threading.Event())
    with station.running():
        pass


def test_tables_of_another_version_are_not_worked_on(station: Station) -> None:
    with station.database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(DatabaseOutdated):
        Controller(station.database, station.rig.data_dir).run(threading.Event())


def test_without_a_system_there_is_nothing_to_control(tables: Path, tmp_path: Path) -> None:
    shutil.copy(tables, tmp_path / "bodyworn.db")
    database = Database.at(f"sqlite:///{tmp_path / 'bodyworn.db'}")
    with pytest.raises(NoSystem):
        Controller(database, tmp_path).run(threading.Event())
    database.close()


def test_the_process_waits_for_tables_and_a_system_and_ends_when_told(tmp_path: Path) -> None:
    pytest.importorskip("av")
    database = Database.at(f"sqlite:///{tmp_path / 'bodyworn.db'}")
    with controller_process(tmp_path) as process:
        time.sleep(0.5)
        assert process.is_alive()
        rigs.build(database, tmp_path, name="Late", passphrase="nobody reads it", bays=1, demonstration=True)
        assert rigs.wait_until(lambda: _heartbeat(database) is not None, 20)
        began = time.monotonic()
        process.terminate()
        process.join(20)
        assert time.monotonic() - began < 10
        assert process.exitcode == 0, (tmp_path / "controller.log").read_text()
    database.close()


def test_pages_hear_of_a_heartbeat_once_and_not_of_each(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodyworn.hw.controller._HEARTBEAT_SECONDS", 0.1)
    with station.running():
        station.wait(lambda: _heartbeat(station.database) is not None)
        time.sleep(0.5)
        heard, beaten = station.database.change_counter(), _heartbeat(station.database)
        station.wait(lambda: _heartbeat(station.database) != beaten)
        assert station.database.change_counter() == heard


def test_it_says_that_it_lives_and_how_much_room_there_is(station: Station) -> None:
    before = datetime.now(UTC)
    with station.running():
        station.wait(lambda: _heartbeat(station.database) is not None)
    with station.database.read() as session:
        controller = systems.local_controller(session)
    assert controller.heartbeat_at is not None
    assert controller.heartbeat_at >= before
    assert 0 < (controller.spool_free_bytes or 0) <= (controller.spool_total_bytes or 0)


def test_what_an_earlier_life_left_is_cleared_away(station: Station) -> None:
    station.worn()
    part = station.rig.data_dir / "spool" / "container" / ".0123456789abcdef.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of a clip")
    with station.database.write() as session:
        docks.enter(session, station.bay_row().id, BayState.OFFLOADING)
    with station.running():
        station.wait(lambda: station.bay_state() is BayState.EMPTY)
    assert station.parts() == []


def test_a_camera_that_stood_there_all_the_time_is_seen_anew(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    camera.dock(station.bay())
    for _ in range(2):
        with station.running():
            station.wait(lambda: station.bay_state() is BayState.READY)
    with station.running():
        station.wait(lambda: station.is_erased(recorded))


def test_a_dock_that_is_added_meanwhile_is_watched(station: Station) -> None:
    folder = station.rig.data_dir / "dock-2"
    dock = SimulatedDock(folder, 1)
    camera = station.camera()
    with station.running():
        time.sleep(0.3)
        with station.database.write() as session:
            added = docks.add_dock(
                session, name="Dock 2", kind=DockKind.SIMULATED, locator=str(folder.absolute()), bays=1
            )
        camera.dock(dock.bay(1))
        station.wait(lambda: _state_of(station, added.bays[0].id) is BayState.NEW)
        camera.undock()
        station.wait(lambda: _state_of(station, added.bays[0].id) is BayState.EMPTY)


def test_three_cameras_are_seen_through_side_by_side(station: Station) -> None:
    cameras = [station.worn(number) for number in (1, 2, 3)]
    recorded = [camera.record(SMALL) for camera in cameras]
    with station.running():
        for number, camera in enumerate(cameras, 1):
            camera.dock(station.bay(number))
        station.wait(lambda: station.is_erased(*recorded))
        assert {station.bay_state(number) for number in (1, 2, 3)} == {BayState.READY}
    assert station.breaks() == []


def test_progress_is_written_while_it_goes_on(station: Station) -> None:
    camera = station.worn()
    recorded = camera.record(SMALL)
    held, go_on = threading.Event(), threading.Event()

    def hook(step: Step) -> None:
        if step is Step.RENAMED and not go_on.is_set():
            held.set()
            go_on.wait(10)

    with station.running(hook=hook):
        camera.dock(station.bay())
        assert held.wait(10)
        station.wait(lambda: station.bay_row().done_bytes > 0)
        bay = station.bay_row()
        assert bay.state is BayState.OFFLOADING
        assert 160 * 1024 <= bay.done_bytes <= bay.total_bytes
        assert bay.progress_at is not None
        go_on.set()
        station.wait(lambda: station.is_erased(recorded))


def test_a_camera_that_waits_says_so_and_can_still_go_elsewhere(station: Station) -> None:
    first, second = station.worn(1), station.worn(2)
    recorded = [camera.record(SMALL) for camera in (first, second)]
    limit(station, offloads=1)
    held, go_on = threading.Event(), threading.Event()

    def hook(step: Step) -> None:
        if step is Step.RENAMED and not held.is_set():
            held.set()
            go_on.wait(20)

    with station.running(hook=hook):
        first.dock(station.bay(1))
        assert held.wait(10)
        second.dock(station.bay(2))
        station.wait(lambda: station.bay_row(2).waiting)
        bay = station.bay_row(2)
        assert (bay.state, bay.done_bytes) == (BayState.OFFLOADING, 0)
        assert bay.total_bytes > 160 * 1024
        second.undock()
        station.wait(lambda: station.bay_state(2) is BayState.EMPTY)
        assert second.core.memory.receipts == {}
        second.dock(station.bay(3))
        limit(station, offloads=2)
        station.wait(lambda: station.state(recorded[1]) is not RecordingState.FOUND)
        assert station.state(recorded[0]) is RecordingState.FOUND, "the first is still held"
        go_on.set()
        station.wait(lambda: station.is_erased(*recorded))
        assert not station.bay_row(3).waiting


@pytest.mark.feature("REC-1")
def test_a_camera_that_does_not_get_on_holds_up_no_other(station: Station) -> None:
    cameras = [station.worn(number) for number in (1, 2, 3)]
    recorded = [camera.record(SMALL) for camera in cameras]
    limit(station, offloads=2)
    stuck, go_on = threading.Event(), threading.Event()

    def hook(step: Step) -> None:
        if step is Step.PART_CREATED and not stuck.is_set():
            stuck.set()
            go_on.wait(20)

    with station.running(hook=hook):
        cameras[0].dock(station.bay(1))
        assert stuck.wait(10)
        for number in (2, 3):
            cameras[number - 1].dock(station.bay(number))
        station.wait(lambda: station.is_erased(*recorded[1:]))
        assert station.state(recorded[0]) is RecordingState.FOUND
        go_on.set()
        station.wait(lambda: station.is_erased(recorded[0]))


def test_a_spool_without_room_stops_the_intake_and_says_since_when(station: Station) -> None:
    camera = station.worn()
    camera.record(SMALL)
    with station.running(reserve_bytes=10**18):
        camera.dock(station.bay())
        station.wait(lambda: station.bay_row().problem_id == "storage-low")
        station.wait(lambda: _controller(station).intake_stopped_at is not None)
    with station.running():
        station.wait(lambda: _controller(station).intake_stopped_at is None)


def limit(station: Station, offloads: int) -> None:
    with station.database.write() as session:
        systems.set_limits(session, systems.Limits(offloads, 2), actor="olga")


# --- the hook of crash tests


def test_no_step_fails_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BODYWORN_CRASH_AT", raising=False)
    assert hook_from_environment() is no_fault


def test_it_dies_at_the_step_and_count_that_was_asked_for() -> None:
    for wish, steps, dies in (
        ("P9", [Step.STREAMED, Step.SYNCED], True),
        ("P9:2", [Step.SYNCED, Step.REREAD], False),
        ("P9:2", [Step.SYNCED, Step.SYNCED], True),
    ):
        assert exit_code_after(wish, steps) == (-signal.SIGKILL if dies else 0), wish


def test_a_step_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="P99"):
        crash_hook("P99")


# --- meters


def test_a_meter_counts_what_arrived_and_never_backwards() -> None:
    meter = Meter()
    meter.add(10)
    assert meter.reach(30) == 20
    assert meter.reach(5) == 0, "the transfer began again"
    assert meter.done_bytes == 5
    assert Meter().bytes_per_second() is None
    assert WINDOW_SECONDS == 60


def _heartbeat(database: Database) -> datetime | None:
    try:
        with database.read() as session:
            return systems.local_controller(session).heartbeat_at
    except NoSystem:
        return None


def _controller(station: Station) -> ControllerRow:
    with station.database.read() as session:
        return systems.local_controller(session)


def _state_of(station: Station, bay_id: str) -> BayState:
    with station.database.read() as session:
        return session.get_one(Bay, bay_id).state
