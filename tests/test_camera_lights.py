"""The tables of the camera user guide, row by row: what lights, beeps and buzzes, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from bodies import Camera, a_profile
from bodyworn.camera_volume.documents import CameraState
from bodyworn.simulator import behaviour, sounds
from bodyworn.simulator.buttons import Button
from bodyworn.simulator.circumstances import Transfer
from bodyworn.simulator.faults import BodyFault
from bodyworn.simulator.lights import Light
from bodyworn.simulator.power import Phase
from bodyworn.simulator.sounds import Signal, Tone

pytestmark = pytest.mark.feature("SIM-1")

DISPLAY = {light.value for light in Light} - {"front"}
STATUS = {"docking", "recording", "operation", "battery", "storage"}

#: What brings a camera, which is off and lies there, into the state of a row.
Bring = Callable[[Camera], Camera]


def asked(camera: Camera) -> Camera:
    """Have it worn, with the top button just pressed."""
    return camera.worn().press(Button.TOP)


def left(**hours: float) -> Bring:
    return lambda camera: asked(camera.set(**hours))


def docked(**changes: object) -> Bring:
    return lambda camera: camera.set(**changes).in_dock()


def worn(**changes: object) -> Bring:
    return lambda camera: camera.set(**changes).worn()


def broken(*faults: BodyFault) -> dict[str, object]:
    return {"faults": frozenset(faults)}


LED_TABLE: list[tuple[str, Bring, Light, str]] = [
    ("1 docking status: green", docked(charged=True), Light.DOCKING, "green"),
    ("1 docking status: pulsing amber, battery charging", docked(), Light.DOCKING, "pulsing amber"),
    (
        "1 docking status: pulsing amber, file transfer",
        docked(charged=True, transfer=Transfer.UNDER_WAY),
        Light.DOCKING,
        "pulsing amber",
    ),
    (
        "1 docking status: pulsing amber, software update",
        docked(charged=True, updating=True),
        Light.DOCKING,
        "pulsing amber",
    ),
    ("2 recording status: red", lambda camera: camera.worn().press(Button.FRONT), Light.RECORDING, "red"),
    ("2 recording status: dark when not recording", worn(), Light.RECORDING, "dark"),
    ("3 operation status: green", worn(), Light.OPERATION, "green"),
    ("3 operation status: flashing green, battery", worn(battery_hours=0.49), Light.OPERATION, "flashing green"),
    ("3 operation status: flashing green, storage", worn(storage_hours=0.49), Light.OPERATION, "flashing green"),
    ("3 operation status: amber, storage error", worn(**broken(BodyFault.STORAGE)), Light.OPERATION, "amber"),
    ("3 operation status: amber, operational error", worn(**broken(BodyFault.OPERATION)), Light.OPERATION, "amber"),
    ("3 operation status: amber, storage full", worn(storage_hours=0.0), Light.OPERATION, "amber"),
    ("4 battery status: green, more than an hour", left(battery_hours=1.01), Light.BATTERY, "green"),
    ("4 battery status: amber, one hour", left(battery_hours=1.0), Light.BATTERY, "amber"),
    ("4 battery status: amber, half an hour", left(battery_hours=0.5), Light.BATTERY, "amber"),
    ("4 battery status: red, less than half an hour", left(battery_hours=0.49), Light.BATTERY, "red"),
    ("5 storage status: green, more than an hour", left(storage_hours=1.01), Light.STORAGE, "green"),
    ("5 storage status: amber, one hour", left(storage_hours=1.0), Light.STORAGE, "amber"),
    ("5 storage status: amber, half an hour", left(storage_hours=0.5), Light.STORAGE, "amber"),
    ("5 storage status: red, less than half an hour", left(storage_hours=0.49), Light.STORAGE, "red"),
    ("5 storage status: red, full", worn(storage_hours=0.0), Light.STORAGE, "red"),
    ("5 storage status: green, all is transferred", docked(), Light.STORAGE, "green"),
    ("6 microphone: lit when off", lambda camera: camera.worn().press(Button.FUNCTION, 3), Light.MICROPHONE, "amber"),
    ("6 microphone: dark when on", worn(), Light.MICROPHONE, "dark"),
    (
        "7 camera extension: green",
        lambda camera: camera.worn().happen(behaviour.attach).wait(5),
        Light.EXTENSION,
        "green",
    ),
    (
        "7 camera extension: pulsing amber",
        lambda camera: camera.worn().happen(behaviour.attach),
        Light.EXTENSION,
        "pulsing amber",
    ),
    (
        "7 camera extension: red",
        lambda camera: camera.set(**broken(BodyFault.SENSOR)).worn().happen(behaviour.attach).wait(5),
        Light.EXTENSION,
        "red",
    ),
    ("front recording indicator: lit", lambda camera: camera.worn().press(Button.FRONT), Light.FRONT, "red"),
]


@pytest.mark.parametrize(("bring", "light", "shown"), [row[1:] for row in LED_TABLE], ids=[row[0] for row in LED_TABLE])
def test_led_table(bring: Bring, light: Light, shown: str) -> None:
    assert bring(Camera()).light(light) == shown


@dataclass(frozen=True)
class Error:
    """A row of the error feedback table: what is lit (the whole display, or these lights), and what is heard."""

    row: str
    bring: Bring
    shown: dict[str, str]
    heard: Signal | None = None


def every(word: str) -> dict[str, str]:
    return dict.fromkeys(DISPLAY, word)


TWO_SHORT_ONE_LONG = (Tone.SHORT, Tone.SHORT, Tone.LONG)

ERROR_TABLE = [
    Error("camera does not start: shipping mode", worn(state=CameraState.SHIPPING), {}),
    Error("camera does not start: out of battery", worn(battery_hours=0.0), {}),
    Error(
        "recording not possible: operation amber, 2 short 1 long",
        worn(**broken(BodyFault.OPERATION)),
        {"operation": "amber"},
        Signal(TWO_SHORT_ONE_LONG, TWO_SHORT_ONE_LONG),
    ),
    Error(
        "storage full: operation amber, storage red",
        worn(storage_hours=0.0),
        {"operation": "amber", "storage": "red"},
        Signal(TWO_SHORT_ONE_LONG, TWO_SHORT_ONE_LONG),
    ),
    Error(
        "locked: recording not possible",
        worn(state=CameraState.LOCKED),
        {"operation": "amber"},
        Signal(TWO_SHORT_ONE_LONG, TWO_SHORT_ONE_LONG),
    ),
    Error(
        "faulty sensor camera: extension red, operation green, 1 short",
        lambda camera: camera.set(**broken(BodyFault.SENSOR)).worn().happen(behaviour.attach).wait(5),
        {"extension": "red", "operation": "green"},
        Signal((Tone.SHORT,), (Tone.SHORT,)),
    ),
    Error("not added: all flash amber, in the dock", docked(state=CameraState.NEW), every("flashing amber")),
    Error("not added: all flash amber, from the box", docked(state=CameraState.SHIPPING), every("flashing amber")),
    Error("not added: all flash amber, worn", worn(state=CameraState.NEW), every("flashing amber")),
    Error(
        "no user: all flash red, intermittent",
        lambda camera: camera.set(state=CameraState.UNASSIGNED).in_dock().happen(behaviour.undock).wait(20),
        every("flashing red"),
        Signal((Tone.SHORT,), (Tone.SHORT,), again_seconds=2.0),
    ),
    Error(
        "general error: docking flashes amber",
        docked(charged=True, **broken(BodyFault.DOCKING)),
        {"docking": "flashing amber", "battery": "green", "storage": "green"},
    ),
    Error(
        "upload to the controller failed: docking flashes amber, storage red",
        docked(charged=True, transfer=Transfer.UNDER_WAY, **broken(BodyFault.UPLOAD)),
        {"docking": "flashing amber", "battery": "green", "storage": "red"},
    ),
    Error(
        "battery is not charging: docking flashes amber, battery red",
        docked(**broken(BodyFault.CHARGING)),
        {"docking": "flashing amber", "battery": "red", "storage": "green"},
    ),
    Error(
        "wrong controller: storage lit, docking flashes amber",
        docked(charged=True, transfer=Transfer.ELSEWHERE),
        {"docking": "flashing amber", "battery": "green", "storage": "amber"},
    ),
]


@pytest.mark.parametrize("error", ERROR_TABLE, ids=[error.row for error in ERROR_TABLE])
def test_error_feedback_table(error: Error) -> None:
    camera = error.bring(Camera())
    assert camera.shows() == error.shown
    assert error.heard is None or camera.heard()[-1] == error.heard
    assert error.heard is not None or camera.heard() == []


def test_an_error_is_heard_once_and_again_when_recording_is_tried() -> None:
    camera = Camera().set(**broken(BodyFault.OPERATION)).worn().wait(60)
    assert camera.heard() == [sounds.RECORDING_NOT_POSSIBLE]
    assert camera.press(Button.FRONT).heard() == [sounds.RECORDING_NOT_POSSIBLE]


def find_the_broken_half(fault: BodyFault) -> str:
    camera = Camera().set(**broken(fault)).worn().happen(behaviour.attach).wait(5)
    assert camera.happen(behaviour.detach).light(Light.EXTENSION) == "red"
    return camera.press(Button.TOP).light(Light.EXTENSION)


def test_the_top_button_tells_which_half_of_the_extension_is_faulty() -> None:
    assert find_the_broken_half(BodyFault.SENSOR) == "dark"
    assert find_the_broken_half(BodyFault.SENSOR_PORT) == "red"


def test_the_source_is_changed_without_recording() -> None:
    camera = Camera().worn().press(Button.FRONT).happen(behaviour.attach)
    assert camera.body.takes
    assert camera.press(Button.FRONT).body.recording is None
    assert camera.wait(5).press(Button.FRONT).body.recording is not None


def test_battery_and_storage_are_shown_for_ten_seconds() -> None:
    camera = asked(Camera())
    assert camera.shows() == {"operation": "green", "battery": "green", "storage": "green"}
    assert camera.wait(10).shows() == {"operation": "green"}


def test_a_charger_charges_without_docking() -> None:
    camera = Camera().set(charger=True)
    assert camera.shows() == {"docking": "pulsing amber"}
    assert camera.set(charged=True).shows() == {}
    assert camera.set(charged=False, faults=frozenset({BodyFault.CHARGING})).shows() == {"docking": "flashing amber"}
    assert camera.set(battery_hours=0.0).worn().body.phase is Phase.ON


@dataclass(frozen=True)
class Use:
    """A row of the daily use table: a button, how long it is held, and what it changes."""

    row: str
    bring: Bring
    button: Button
    seconds: float
    shown: dict[str, str]
    heard: bool


def recording(camera: Camera) -> Camera:
    return camera.worn().press(Button.FRONT)


STANDBY = {"operation": "green"}
RECORDING = {"operation": "green", "recording": "red", "front": "red"}

DAILY_USE_TABLE = [
    Use("turn on my camera", lambda camera: camera, Button.POWER, 0.2, dict.fromkeys(STATUS, "pulsing amber"), False),
    Use("turn off my camera", worn(), Button.POWER, 5, {}, True),
    Use("turn off my camera: not before 5 s", worn(), Button.POWER, 4.9, STANDBY, False),
    Use("start a recording", worn(), Button.FRONT, 0.2, RECORDING, True),
    Use("stop a recording", recording, Button.FRONT, 4, STANDBY, True),
    Use("stop a recording: not before 4 s", recording, Button.FRONT, 3.9, RECORDING, False),
    Use("turn off microphone", worn(), Button.FUNCTION, 3, {**STANDBY, "microphone": "amber"}, False),
    Use("turn off microphone: not before 3 s", worn(), Button.FUNCTION, 2.9, STANDBY, False),
    Use(
        "turn on microphone",
        lambda camera: camera.worn().press(Button.FUNCTION, 3),
        Button.FUNCTION,
        3,
        STANDBY,
        False,
    ),
    Use("turn on silent mode", recording, Button.TOP, 3, {}, False),
    Use(
        "turn off silent mode",
        lambda camera: recording(camera).press(Button.TOP, 3),
        Button.TOP,
        3,
        {**RECORDING, "battery": "green", "storage": "green"},
        False,
    ),
    Use(
        "turn off silent mode: not after 2 s",
        lambda camera: recording(camera).press(Button.TOP, 3),
        Button.TOP,
        2,
        {},
        False,
    ),
    Use("check remaining battery", worn(battery_hours=0.7), Button.TOP, 0.2, {"battery": "amber"}, False),
    Use("check remaining storage", worn(storage_hours=0.7), Button.TOP, 0.2, {"storage": "amber"}, False),
]


@pytest.mark.parametrize("use", DAILY_USE_TABLE, ids=[use.row for use in DAILY_USE_TABLE])
def test_daily_use_table(use: Use) -> None:
    camera = use.bring(Camera()).press(use.button, use.seconds)
    if use.row.startswith("check"):
        assert use.shown.items() <= camera.shows().items()
    else:
        assert camera.shows() == use.shown
    assert bool(camera.heard()) is use.heard
    assert all(signal.beep and signal.buzz for signal in camera.heard())


def test_silent_mode_silences_what_follows() -> None:
    camera = Camera().worn().press(Button.TOP, 3).press(Button.FRONT)
    assert camera.body.recording is not None
    assert camera.heard() == []
    assert camera.shows() == {}
    assert camera.press(Button.FRONT, 4).heard() == []
    assert camera.body.recording is None


@pytest.mark.feature("SIM-3")
@pytest.mark.parametrize("button", [Button.TOP, Button.FUNCTION])
def test_silent_mode_and_microphone_are_the_profiles_to_allow(button: Button) -> None:
    camera = Camera().set(profile=a_profile(allow_silent_mode=False, allow_audio_off=False)).worn()
    camera.press(button, 5)
    assert not camera.body.silent
    assert not camera.body.muted


def test_one_press_does_one_thing() -> None:
    assert Camera().press(Button.POWER, 30).body.phase is Phase.ON
    assert Camera().worn().press(Button.FRONT, 30).body.recording is not None


# --- times


@pytest.mark.feature("SIM-2")
def test_turning_on_takes_fifteen_seconds() -> None:
    camera = Camera().press(Button.POWER).wait(14.7)
    assert camera.shows() == dict.fromkeys(STATUS, "pulsing amber")
    assert camera.press(Button.FRONT, 0).body.recording is None
    assert camera.wait(0.11).shows() == STANDBY


@pytest.mark.feature("SIM-2")
def test_undocking_restarts_within_twenty_seconds() -> None:
    camera = Camera().in_dock().happen(behaviour.undock)
    assert camera.shows() == {}
    assert camera.wait(19.9).shows() == dict.fromkeys(STATUS, "pulsing amber")
    assert camera.wait(0.1).shows() == STANDBY


@pytest.mark.feature("SIM-2")
def test_docking_is_dark_for_ten_seconds_pulses_for_ten_and_uploads_then() -> None:
    camera = recording(Camera()).set(transfer=Transfer.UNDER_WAY).happen(behaviour.dock)
    assert len(camera.body.takes) == 1
    assert camera.body.recording is None
    assert camera.wait(9.9).shows() == {}
    assert camera.wait(0.1).shows() == dict.fromkeys(STATUS, "pulsing amber")
    assert camera.wait(9.9).body.phase is Phase.STARTING
    assert camera.wait(0.1).light(Light.DOCKING) == "pulsing amber"
    assert camera.body.phase is Phase.ON


def test_a_camera_that_runs_out_of_battery_keeps_its_recording() -> None:
    camera = recording(Camera()).wait(60).set(battery_hours=0.0)
    assert camera.body.phase is Phase.OFF
    assert [take.until - take.since for take in camera.body.takes if take.until] == [pytest.approx(60.2)]


@pytest.mark.feature("SIM-3")
@pytest.mark.parametrize(
    ("bring", "seconds", "why"),
    [
        (lambda camera: camera.worn().wait(90), 90, None),
        (lambda camera: camera.worn().wait(30), 30, "just turned on"),
        (
            lambda camera: recording(camera).wait(200).press(Button.FRONT, 4).wait(10),
            10,
            "just after another recording",
        ),
        (lambda camera: camera.set(pre_buffer_room_seconds=70).worn().wait(90), 70, "its space was full"),
        (lambda camera: camera.set(profile=a_profile(pre_buffer_seconds=0)).worn(), 0, None),
    ],
    ids=["long enough on", "just turned on", "just after a recording", "full", "not wanted"],
)
def test_a_recording_begins_with_what_the_pre_buffer_holds(bring: Bring, seconds: float, why: str | None) -> None:
    take = bring(Camera()).press(Button.FRONT, 0).body.recording
    assert take is not None
    assert take.pre_buffer.seconds == pytest.approx(seconds, abs=0.3)
    assert take.pre_buffer.short == why


@pytest.mark.feature("SIM-3")
def test_a_recording_knows_when_the_microphone_was_off() -> None:
    camera = recording(Camera()).wait(10).press(Button.FUNCTION, 3).wait(10).press(Button.FUNCTION, 3)
    (take,) = camera.wait(10).press(Button.FRONT, 4).body.takes
    assert [(start - take.since, end - take.since) for start, end in take.muted] == [
        (pytest.approx(13.2), pytest.approx(26.2))
    ]
