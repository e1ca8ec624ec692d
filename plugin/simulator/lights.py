"""A camera's lights: which there are, and what they show of the body and its circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..camera_volume.documents import CameraState
from .body import Body
from .circumstances import ENOUGH_HOURS, LOW_HOURS, Circumstances, Transfer
from .faults import BodyFault
from .power import Phase


class Light(StrEnum):
    """The lights; all but the front indicator are on the display."""

    DOCKING = "docking"
    RECORDING = "recording"
    OPERATION = "operation"
    BATTERY = "battery"
    STORAGE = "storage"
    MICROPHONE = "microphone"
    EXTENSION = "extension"
    FRONT = "front"


class Colour(StrEnum):
    """The colours that a light can have."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Pattern(StrEnum):
    """How a light is lit: flashing is on and off, pulsing swells and fades."""

    STEADY = "steady"
    FLASHING = "flashing"
    PULSING = "pulsing"


@dataclass(frozen=True)
class Lamp:
    """What one lit light shows."""

    colour: Colour
    pattern: Pattern = Pattern.STEADY


#: The lights that are lit; all others are dark.
Lights = Mapping[Light, Lamp]

_DISPLAY: Final = tuple(light for light in Light if light is not Light.FRONT)
_STATUS: Final = (Light.DOCKING, Light.RECORDING, Light.OPERATION, Light.BATTERY, Light.STORAGE)
_GREEN: Final = Lamp(Colour.GREEN)
_AMBER: Final = Lamp(Colour.AMBER)
_RED: Final = Lamp(Colour.RED)
_FLASHING_GREEN: Final = Lamp(Colour.GREEN, Pattern.FLASHING)
_FLASHING_AMBER: Final = Lamp(Colour.AMBER, Pattern.FLASHING)
_FLASHING_RED: Final = Lamp(Colour.RED, Pattern.FLASHING)
_PULSING_AMBER: Final = Lamp(Colour.AMBER, Pattern.PULSING)


def lights(body: Body, given: Circumstances) -> Lights:
    """Tell what is lit at the body's time."""
    if body.silent:
        return {}
    match body.phase:
        case Phase.OFF:
            return _charging(given)
        case Phase.RESTARTING:
            return {}
        case Phase.STARTING:
            return dict.fromkeys(_STATUS, _PULSING_AMBER)
    if given.state in (CameraState.NEW, CameraState.SHIPPING):
        return dict.fromkeys(_DISPLAY, _FLASHING_AMBER)
    return _docked(given) if body.docked else _worn(body, given)


def _docked(given: Circumstances) -> Lights:
    shown = {Light.DOCKING: _docking(given), Light.BATTERY: level(given.battery_hours), Light.STORAGE: _GREEN}
    if BodyFault.CHARGING in given.faults:
        shown[Light.BATTERY] = _RED
    if BodyFault.UPLOAD in given.faults:
        shown[Light.STORAGE] = _RED
    elif given.transfer is Transfer.ELSEWHERE:
        shown[Light.STORAGE] = _AMBER
    elif given.transfer is Transfer.UNDER_WAY:
        shown[Light.STORAGE] = _PULSING_AMBER
    return shown


def _docking(given: Circumstances) -> Lamp:
    wrong = given.faults & {BodyFault.DOCKING, BodyFault.UPLOAD, BodyFault.CHARGING, BodyFault.STORAGE}
    if wrong or given.transfer is Transfer.ELSEWHERE or given.state is CameraState.LOCKED:
        return _FLASHING_AMBER
    ready = given.charged and given.transfer is Transfer.DONE and not given.updating
    return _GREEN if ready else _PULSING_AMBER


def _worn(body: Body, given: Circumstances) -> Lights:
    if given.state is CameraState.UNASSIGNED:
        return dict.fromkeys(_DISPLAY, _FLASHING_RED)
    shown = {Light.OPERATION: _operation(given), **_levels(body, given), **_charging(given)}
    if body.recording is not None:
        shown[Light.RECORDING] = shown[Light.FRONT] = _RED
    if body.muted:
        shown[Light.MICROPHONE] = _AMBER
    return {**shown, **_extension(body)}


def _operation(given: Circumstances) -> Lamp:
    if not given.can_record:
        return _AMBER
    return _FLASHING_GREEN if min(given.battery_hours, given.storage_hours) < LOW_HOURS else _GREEN


def _levels(body: Body, given: Circumstances) -> dict[Light, Lamp]:
    """Battery and storage are shown for a while when they are asked for, and always when they are red."""
    shown = {Light.BATTERY: level(given.battery_hours), Light.STORAGE: level(given.storage_hours)}
    return {light: lamp for light, lamp in shown.items() if body.looked_at or lamp.colour is Colour.RED}


def level(hours: float) -> Lamp:
    """Give the colour of a battery or storage that lasts for so many hours."""
    if hours < LOW_HOURS:
        return _RED
    return _AMBER if hours <= ENOUGH_HOURS else _GREEN


def _extension(body: Body) -> dict[Light, Lamp]:
    if body.extension.switching(body.at):
        return {Light.EXTENSION: _PULSING_AMBER}
    if body.extension.faulty:
        return {Light.EXTENSION: _RED}
    return {Light.EXTENSION: _GREEN} if body.extension.attached else {}


def _charging(given: Circumstances) -> dict[Light, Lamp]:
    """On a charger, the docking status shows that the battery is charging; nothing else of it is true."""
    if not given.charger or given.charged:
        return {}
    return {Light.DOCKING: _FLASHING_AMBER if BodyFault.CHARGING in given.faults else _PULSING_AMBER}
