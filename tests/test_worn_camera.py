"""A simulated camera in somebody's hands: what is pressed is recorded, and docking takes its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodyworn.camera_volume.documents import CameraState, Unit
from bodyworn.camera_volume.orders import ReceiptState
from bodyworn.camera_volume.port import HostPort
from bodyworn.camera_volume.recording import RecordingDocument
from bodyworn.errors import AlreadyDocked
from bodyworn.simulator.build import Build
from bodyworn.simulator.buttons import Button
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.consumption import Surroundings
from bodyworn.simulator.dock import SimulatedDock
from bodyworn.simulator.faults import BodyFault
from bodyworn.simulator.lights import Light
from bodyworn.simulator.power import Phase
from bodyworn.simulator.worn import WornCamera
from test_simulator import Host, System, greet

pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")
pytestmark = pytest.mark.feature("SIM-3")


@dataclass
class Clock:
    """The real time, and what was skipped of it."""

    skipped: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dock(tmp_path: Path) -> SimulatedDock:
    return SimulatedDock(tmp_path / "dock", bays=1)


@pytest.fixture
def camera(tmp_path: Path, clock: Clock) -> Iterator[SimulatedCamera]:
    with SimulatedCamera(tmp_path / "camera", Build("SIM-0001"), clock=clock) as made:
        yield made
        made.undock()


@pytest.fixture
def host(camera: SimulatedCamera, dock: SimulatedDock) -> Host:
    """The controller of the camera's system; the camera is added, assigned, and lies on the table, turned off."""
    host = Host(dock.bay(1), System())
    camera.dock(host.bay)
    host.enrol()
    camera.undock()
    return host


def press(worn: WornCamera, button: Button, clock: Clock, seconds: float = 0.1) -> None:
    worn.press(button)
    clock.skip(seconds)
    worn.release(button)


def turn_on(worn: WornCamera, clock: Clock) -> None:
    press(worn, Button.POWER, clock)
    clock.skip(15)
    assert worn.look().phase is Phase.ON


def put_in(worn: WornCamera, host: Host, clock: Clock) -> None:
    """Dock, and wait until the camera has restarted."""
    worn.dock(host.bay)
    clock.skip(20)
    worn.look()


def shown(worn: WornCamera, light: Light) -> str:
    lamp = worn.look().lights.get(light)
    return f"{lamp.pattern} {lamp.colour}" if lamp else "dark"


def the_recording(camera: SimulatedCamera, host: Host) -> RecordingDocument:
    greet(host)
    (recording_id,) = camera.recordings()
    return host.copy(recording_id)[0]


def loudness(host: Host, document: RecordingDocument) -> list[float]:
    """Give the loudest sample of each second of the first clip."""
    import av

    path = host.port.path(Unit.MEDIA) / "recordings" / document.id / document.clips[0].name
    loudest: dict[int, float] = {}
    with av.open(str(path)) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (1920, 1080)
        assert file.streams.audio[0].layout.name == "stereo"
        for frame in file.decode(audio=0):
            second = int(frame.time)
            loudest[second] = max(loudest.get(second, 0.0), max(memoryview(frame.planes[0]).cast("f")))
    return [loudest[second] for second in sorted(loudest)]


def test_what_is_pressed_is_recorded_with_pre_buffer_and_silence(
    camera: SimulatedCamera, host: Host, clock: Clock
) -> None:
    worn = WornCamera(camera)
    turn_on(worn, clock)
    clock.skip(4.9)
    press(worn, Button.FRONT, clock)
    assert worn.look().recording
    press(worn, Button.FUNCTION, clock, 3)
    clock.skip(2)
    press(worn, Button.FUNCTION, clock, 3)
    clock.skip(1)
    press(worn, Button.FRONT, clock, 4)
    assert not worn.look().recording
    put_in(worn, host, clock)
    document = the_recording(camera, host)
    assert (document.trigger_on - document.start).total_seconds() == pytest.approx(5, abs=0.5)
    assert (document.stop - document.trigger_on).total_seconds() == pytest.approx(13.1, abs=0.5)
    assert [(note.kind, note.text) for note in document.notes] == [
        ("pre-buffer-short", "just turned on"),
        ("microphone-off", ""),
    ]
    heard = loudness(host, document)
    assert max(heard[:4]) < 0.01, "the profile wants its pre-buffer without audio"
    assert min(heard[6:8]) > 0.05
    assert max(heard[9:12]) < 0.01, "the microphone was off"
    assert min(heard[14:17]) > 0.05


def test_a_recording_goes_on_until_the_camera_is_docked(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    worn = WornCamera(camera)
    turn_on(worn, clock)
    press(worn, Button.FRONT, clock)
    clock.skip(5)
    put_in(worn, host, clock)
    document = the_recording(camera, host)
    assert (document.trigger_off - document.trigger_on).total_seconds() == pytest.approx(5.1, abs=0.5)


@pytest.mark.feature("SIM-2")
def test_the_host_sees_a_docked_camera_when_it_has_restarted(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    worn = WornCamera(camera)
    worn.dock(host.bay)
    clock.skip(19)
    assert worn.look().phase is Phase.STARTING
    assert HostPort(host.bay).state().plug is None
    clock.skip(1)
    assert shown(worn, Light.DOCKING) == "steady green"
    assert HostPort(host.bay).state().plug is not None
    with pytest.raises(AlreadyDocked):
        worn.dock(host.bay)
    worn.undock()
    assert worn.look().phase is Phase.RESTARTING
    assert HostPort(host.bay).state().plug is None


@pytest.mark.feature("SIM-2")
def test_time_can_run_faster(tmp_path: Path, dock: SimulatedDock) -> None:
    with SimulatedCamera(tmp_path / "camera", Build("SIM-1"), speed=100) as camera, WornCamera(camera) as worn:
        worn.dock(dock.bay(1))
        end = time.monotonic() + 10
        while HostPort(dock.bay(1)).state().plug is None and time.monotonic() < end:
            time.sleep(0.02)
        assert camera.docked()
        assert shown(worn, Light.MICROPHONE) == "flashing amber", "it is New"
        worn.undock()


def test_a_camera_without_a_user_says_so_and_does_not_record(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    settings = camera.core.memory.settings
    assert settings is not None
    camera.core.memory.settings = type(settings)(
        **{name: getattr(settings, name) for name in settings.__struct_fields__} | {"user": None}
    )
    worn = WornCamera(camera)
    turn_on(worn, clock)
    press(worn, Button.FRONT, clock)
    seen = worn.look()
    assert seen.state is CameraState.UNASSIGNED
    assert not seen.recording
    assert seen.repeating is not None
    assert shown(worn, Light.OPERATION) == "flashing red"


def test_the_lights_follow_the_transfer(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    recorded = camera.record()
    worn = WornCamera(camera)
    put_in(worn, host, clock)
    greet(host)
    assert (shown(worn, Light.DOCKING), shown(worn, Light.STORAGE)) == ("pulsing amber", "pulsing amber")
    _, digest = host.copy(recorded.id)
    host.turn(host.receipt(recorded.id, ReceiptState.STORED, content_sha256=digest))
    assert (shown(worn, Light.DOCKING), shown(worn, Light.STORAGE)) == ("steady green", "steady green")


def test_another_controller_is_told_to_send_the_camera_back(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    recorded = camera.record()
    camera.dock(host.bay)
    greet(host)
    host.turn(host.receipt(recorded.id, ReceiptState.TAKING))
    camera.undock()
    worn = WornCamera(camera)
    put_in(worn, host, clock)
    other = Host(host.bay, System(host.system.id, host.system.recovery, controller="second"))
    other.sequence = host.sequence + 100
    greet(other)
    assert (shown(worn, Light.DOCKING), shown(worn, Light.STORAGE)) == ("flashing amber", "steady amber")


def test_a_full_storage_ends_the_recording_and_keeps_it(tmp_path: Path, clock: Clock, dock: SimulatedDock) -> None:
    build = Build("SIM-1", media_bytes=20_000_000)
    with SimulatedCamera(tmp_path / "camera", build, clock=clock) as camera:
        host = Host(dock.bay(1), System())
        camera.dock(host.bay)
        host.enrol()
        camera.undock()
        worn = WornCamera(camera)
        turn_on(worn, clock)
        press(worn, Button.FRONT, clock)
        clock.skip(3600)
        seen = worn.look()
        assert not seen.recording
        assert seen.recordings == 1
        assert 0 <= camera.core.free_bytes() < 3_000_000
        assert (shown(worn, Light.OPERATION), shown(worn, Light.STORAGE)) == ("steady amber", "steady red")


# --- battery


def hours_to_change(camera: SimulatedCamera, clock: Clock) -> float:
    """Give by how much the charge changes within an hour."""
    before = camera.core.battery_percent()
    clock.skip(3600)
    return camera.core.battery_percent() - before


@pytest.mark.feature("SIM-2")
def test_a_charger_charges_more_slowly_than_a_dock(camera: SimulatedCamera, clock: Clock) -> None:
    camera.core.memory.battery_percent = 10.0
    worn = WornCamera(camera)
    assert hours_to_change(camera, clock) == pytest.approx(0, abs=0.1), "it is off"
    worn.charge(connected=True)
    assert hours_to_change(camera, clock) == pytest.approx(100 / 6.5, abs=0.1)
    worn.suffer([BodyFault.CHARGING])
    assert hours_to_change(camera, clock) == pytest.approx(0, abs=0.1)
    assert camera.describe().faults == ("battery-not-charging",)
    worn.suffer([])
    worn.go(Surroundings(celsius=45))
    assert hours_to_change(camera, clock) == pytest.approx(0, abs=0.1), "it is too warm to charge"


def test_the_battery_lasts_less_in_the_cold_in_movement_and_outdoors(
    camera: SimulatedCamera, host: Host, clock: Clock
) -> None:
    worn = WornCamera(camera)
    turn_on(worn, clock)
    usual = hours_to_change(camera, clock)
    assert usual < -8
    for worse in (Surroundings(celsius=-10), Surroundings(movement=1), Surroundings(outdoors=True)):
        worn.go(worse)
        assert hours_to_change(camera, clock) < usual - 0.5


def test_movement_and_darkness_make_the_pre_buffer_shorter(camera: SimulatedCamera, host: Host, clock: Clock) -> None:
    worn = WornCamera(camera)
    worn.go(Surroundings(movement=1, darkness=1))
    turn_on(worn, clock)
    clock.skip(90)
    press(worn, Button.FRONT, clock)
    press(worn, Button.FRONT, clock, 4)
    put_in(worn, host, clock)
    document = the_recording(camera, host)
    assert (document.trigger_on - document.start).total_seconds() == pytest.approx(45, abs=0.5)
    assert document.notes[0].text == "its space was full"
