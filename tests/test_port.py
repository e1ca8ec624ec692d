"""The simulated USB socket: a unit is in one pair of hands, and a pulled plug is noticed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.port import CameraPort, HostPort, PortState, UnitKind
from bodyworn.errors import CameraGone, DocumentRefused, PortUnusable, TurnTimedOut, UnitAbsent

BOTH = (Unit.MEDIA, Unit.CONTROL)


@pytest.fixture(params=UnitKind)
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> CameraPort:
    home = tmp_path / "camera" / "units"
    home.mkdir(parents=True)
    port = CameraPort(tmp_path / "bay-01", home, request.param)
    for unit in Unit:
        path = port.home_path(unit)
        path.mkdir() if request.param is UnitKind.FOLDER else path.touch()
    return port


@pytest.fixture
def host(camera: CameraPort) -> HostPort:
    return HostPort(camera.bay)


def plug(camera: CameraPort) -> None:
    camera.plug("SIM-0001", "Bodyworn", "Simulated camera")


def places(camera: CameraPort, unit: Unit) -> list[str]:
    """Name the folders that the unit is in: there is always exactly one."""
    name = camera.home_path(unit).name
    folders = {"home": camera.home_path(unit).parent, "host": camera.bay / "host", "camera": camera.bay / "camera"}
    return [place for place, folder in folders.items() if (folder / name).exists()]


def test_an_empty_bay_shows_nothing(host: HostPort) -> None:
    assert host.state() == PortState(None, frozenset())
    with pytest.raises(UnitAbsent):
        host.path(Unit.CONTROL)
    with pytest.raises(UnitAbsent):
        host.eject([Unit.CONTROL])


def test_a_unit_changes_hands_and_is_never_in_two(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    assert [places(camera, unit) for unit in BOTH] == [["home"], ["home"]]
    camera.export(BOTH)
    assert [places(camera, unit) for unit in BOTH] == [["host"], ["host"]]
    host.eject(BOTH)
    assert [places(camera, unit) for unit in BOTH] == [["camera"], ["camera"]]
    assert camera.ejected() == set(BOTH)
    camera.take_back(BOTH)
    assert [places(camera, unit) for unit in BOTH] == [["home"], ["home"]]


def test_nobody_takes_what_is_not_offered(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    with pytest.raises(UnitAbsent):
        host.eject([Unit.CONTROL])
    camera.export([Unit.CONTROL])
    with pytest.raises(UnitAbsent):
        camera.take_back([Unit.CONTROL])
    with pytest.raises(UnitAbsent):
        camera.export([Unit.CONTROL])
    assert places(camera, Unit.CONTROL) == ["host"]


def test_the_host_notices_a_plug_and_a_unit(camera: CameraPort, host: HostPort) -> None:
    empty = host.state()
    timer = threading.Timer(0.05, plug, [camera])
    timer.start()
    plugged = host.wait_for_change(empty, timeout_seconds=10)
    timer.join()
    assert plugged.plug is not None
    assert plugged.plug.serial == "SIM-0001"
    camera.export([Unit.CONTROL])
    assert host.wait_for_change(plugged, timeout_seconds=10).present == {Unit.CONTROL}


def test_waiting_without_a_change_ends(host: HostPort) -> None:
    begin = time.monotonic()
    assert host.wait_for_change(host.state(), timeout_seconds=0.05).plug is None
    assert time.monotonic() - begin < 5


def test_a_turn_returns_when_the_camera_gives_back(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    camera.export(BOTH)

    def answer() -> None:
        end = time.monotonic() + 10
        while Unit.CONTROL not in camera.ejected() and time.monotonic() < end:
            time.sleep(0.005)
        camera.take_back([Unit.CONTROL])
        camera.export([Unit.CONTROL])

    firmware = threading.Thread(target=answer)
    firmware.start()
    assert host.turn([Unit.CONTROL], timeout_seconds=10).present == set(BOTH)
    firmware.join()


def test_a_camera_that_keeps_its_unit_is_given_up(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    camera.export([Unit.CONTROL])
    with pytest.raises(TurnTimedOut):
        host.turn([Unit.CONTROL], timeout_seconds=0.05)


@pytest.mark.parametrize("ejected", [(), (Unit.CONTROL,), BOTH])
def test_unplugging_takes_everything_home_at_any_moment(
    camera: CameraPort, host: HostPort, ejected: tuple[Unit, ...]
) -> None:
    plug(camera)
    camera.export(BOTH)
    if ejected:
        host.eject(ejected)
    camera.unplug()
    assert [places(camera, unit) for unit in BOTH] == [["home"], ["home"]]
    assert host.state() == PortState(None, frozenset())


def test_a_camera_that_was_away_meanwhile_is_another_attachment(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    camera.export([Unit.CONTROL])
    attached = host.eject([Unit.CONTROL])
    camera.unplug()
    plug(camera)
    camera.export([Unit.CONTROL])
    with pytest.raises(CameraGone):
        host.wait_until_present([Unit.CONTROL], attached, timeout_seconds=10)


def test_a_bay_takes_one_plug(camera: CameraPort) -> None:
    plug(camera)
    with pytest.raises(PortUnusable):
        plug(camera)


def test_a_damaged_port_file_is_said_so(camera: CameraPort, host: HostPort) -> None:
    plug(camera)
    (camera.bay / "port.json").write_bytes(b"{")
    with pytest.raises(DocumentRefused):
        host.state()


def test_bay_and_camera_must_share_a_filesystem(camera: CameraPort, tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second writable filesystem at /dev/shm")
    far = CameraPort(other / f"bodyworn-{tmp_path.name}", camera.home_path(Unit.CONTROL).parent, UnitKind.FOLDER)
    plug(far)
    try:
        camera.home_path(Unit.CONTROL).unlink() if camera.home_path(Unit.CONTROL).is_file() else None
        far.home_path(Unit.CONTROL).mkdir(exist_ok=True)
        with pytest.raises(PortUnusable, match="filesystem"):
            far.export([Unit.CONTROL])
    finally:
        (far.bay / "port.json").unlink()
        for name in ("host", "camera"):
            (far.bay / name).rmdir()
        far.bay.rmdir()


def test_a_turn_that_begins_while_the_camera_looks_is_seen_whole_or_not_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the camera would answer without its media, and never give it back."""
    home, bay = tmp_path / "home", tmp_path / "bay"
    for unit in Unit:
        (home / unit.value).mkdir(parents=True)
    camera, host = CameraPort(bay, home, UnitKind.FOLDER), HostPort(bay)
    camera.plug("SIM0001", "", "")
    camera.export(Unit)
    exists, looked = Path.exists, []

    def ejecting_after_the_first_look(path: Path) -> bool:
        found = exists(path)
        if not looked:
            looked.append(path)
            monkeypatch.setattr(Path, "exists", exists)
            host.eject(Unit)
        return found

    monkeypatch.setattr(Path, "exists", ejecting_after_the_first_look)
    assert Unit.CONTROL not in camera.ejected()
    assert camera.ejected() == frozenset(Unit)
