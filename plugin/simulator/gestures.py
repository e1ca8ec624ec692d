"""What the presses of a camera's buttons do to its body, in the moment in which a button was held long enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..camera_volume.documents import CameraState
from . import power, sounds
from .body import Body, Take, sound
from .buttons import Gesture, Meaning, Press, meanings
from .circumstances import Circumstances
from .faults import BodyFault
from .power import Phase
from .prebuffer import Buffering, Short

#: How long the display shows battery and storage after a press of the top button.
LOOK_SECONDS: Final = 10.0

_SENSOR_FAULTS: Final = frozenset({BodyFault.SENSOR, BodyFault.SENSOR_PORT})


def hold(body: Body, given: Circumstances) -> Body:
    """Do what the buttons that are down ask for in this very moment."""
    for one in body.presses:
        for meaning in meanings(one.button):
            if not one.spent and one.since + meaning.held_seconds == body.at:
                body, one = _do(body, one, meaning, given)
    return body


def _do(body: Body, one: Press, meaning: Meaning, given: Circumstances) -> tuple[Body, Press]:
    after = _GESTURES[meaning.gesture](body, given)
    if after is body:
        return body, one
    spent = replace(one, spent=meaning.gesture is not Gesture.SHOW_STATUS)
    return replace(after, presses=tuple(spent if other is one else other for other in after.presses)), spent


def _turn_on(body: Body, given: Circumstances) -> Body:
    if body.phase is not Phase.OFF or body.docked or not given.starts:
        return body
    return replace(body, power=power.turned_on(body.at))


def _turn_off(body: Body, given: Circumstances) -> Body:
    if not body.working:
        return body
    return replace(sound(shut_down(body), sounds.TURNED_OFF, silent=body.silent), power=power.OFF)


def _start(body: Body, given: Circumstances) -> Body:
    if not body.working or body.recording is not None or not given.can_record or body.extension.switching(body.at):
        return sound(body, sounds.RECORDING_NOT_POSSIBLE) if _refuses(body, given) else body
    assert body.buffering is not None
    take = Take(body.at, body.buffering.at(body.at, given))
    return sound(replace(body, recording=take, buffering=None), sounds.RECORDING_STARTED)


def _refuses(body: Body, given: Circumstances) -> bool:
    return body.working and given.state in (CameraState.READY, CameraState.LOCKED) and not given.can_record


def stop(body: Body, given: Circumstances | None = None) -> Body:
    """End the recording that is under way, if there is one; it waits among the takes until it is fetched."""
    if body.recording is None:
        return body
    take = replace(_unmuted(body).recording or body.recording, until=body.at)
    emptied = Buffering(body.at, Short.JUST_RECORDED)
    muted_since = body.at if body.muted else None
    stopped = replace(body, recording=None, buffering=emptied, takes=(*body.takes, take), muted_since=muted_since)
    return sound(stopped, sounds.RECORDING_STOPPED)


def _switch_microphone(body: Body, given: Circumstances) -> Body:
    if body.muted:
        return replace(_unmuted(body), muted_since=None)
    if not body.working or not given.audio_off_allowed:
        return body
    return replace(body, muted_since=body.at)


def _unmuted(body: Body) -> Body:
    """Note the stretch of silence that ends now in the recording that is under way."""
    if body.muted_since is None or body.recording is None or body.muted_since == body.at:
        return body
    take = body.recording
    return replace(body, recording=replace(take, muted=(*take.muted, (body.muted_since, body.at))))


def _switch_silent_mode(body: Body, given: Circumstances) -> Body:
    if not body.working or not (body.silent or given.silent_mode_allowed):
        return body
    return replace(body, silent=not body.silent)


def _show_status(body: Body, given: Circumstances) -> Body:
    """Light the display, and look at the camera extension again."""
    if not body.working:
        return body
    looked = replace(body, looked_until=body.at + LOOK_SECONDS)
    return replace(looked, extension=replace(body.extension, faulty=faulty(body, given)))


_GESTURES: Final[dict[Gesture, Callable[[Body, Circumstances], Body]]] = {
    Gesture.TURN_ON: _turn_on,
    Gesture.TURN_OFF: _turn_off,
    Gesture.START_RECORDING: _start,
    Gesture.STOP_RECORDING: stop,
    Gesture.SWITCH_MICROPHONE: _switch_microphone,
    Gesture.SWITCH_SILENT_MODE: _switch_silent_mode,
    Gesture.SHOW_STATUS: _show_status,
}


# --- what others need as well


def shut_down(body: Body) -> Body:
    """End what does not outlive a restart."""
    return replace(
        stop(body),
        silent=False,
        muted_since=None,
        looked_until=float("-inf"),
        buffering=None,
        lasting=None,
        extension=replace(body.extension, switched_at=body.at),
    )


def faulty(body: Body, given: Circumstances) -> bool:
    """A broken port is an error with nothing connected as well; a broken sensor camera only while it is there."""
    if body.extension.attached:
        return not body.extension.switching(body.at) and bool(given.faults & _SENSOR_FAULTS)
    return body.extension.faulty and BodyFault.SENSOR_PORT in given.faults
