"""A camera's body as a pure state machine: what buttons, the dock and time make of it. Nothing here waits or records.

Every function takes a body and gives another. Times are seconds on any scale that only grows; ``given`` is what the
rest of the camera is like in that moment. What lights show of a body is in ``lights``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ..camera_volume.documents import CameraState
from . import extension, power, sounds
from .buttons import Button, Gesture, Meaning, Press, meanings
from .circumstances import Circumstances
from .extension import Extension
from .faults import BodyFault
from .power import Phase, Power
from .prebuffer import Buffering, PreBuffer, Short
from .sounds import Signal, Sounded

#: How long the display shows battery and storage after a press of the top button.
LOOK_SECONDS: Final = 10.0

_SENSOR_FAULTS: Final = frozenset({BodyFault.SENSOR, BodyFault.SENSOR_PORT})


@dataclass(frozen=True)
class Take:
    """A recording, from the press on; ``muted`` are the stretches in which the microphone was off."""

    since: float
    pre_buffer: PreBuffer
    muted: tuple[tuple[float, float], ...] = ()
    until: float | None = None


@dataclass(frozen=True)
class Body:
    """The body at the time ``at``. ``takes`` and ``sounded`` are what was finished and heard since they were taken."""

    at: float = 0.0
    power: Power = power.OFF
    docked: bool = False
    silent: bool = False
    muted_since: float | None = None
    looked_until: float = float("-inf")
    presses: tuple[Press, ...] = ()
    extension: Extension = extension.NONE
    buffering: Buffering | None = None
    recording: Take | None = None
    lasting: Signal | None = None
    takes: tuple[Take, ...] = ()
    sounded: tuple[Sounded, ...] = ()

    @property
    def phase(self) -> Phase:
        """What the camera is in the middle of."""
        return self.power.phase(self.at)

    @property
    def muted(self) -> bool:
        """Whether the user has turned off the microphone."""
        return self.muted_since is not None

    @property
    def looked_at(self) -> bool:
        """Whether the display shows battery and storage."""
        return self.at < self.looked_until

    @property
    def working(self) -> bool:
        """Whether the camera is on and worn, so that its buttons work."""
        return self.phase is Phase.ON and not self.docked


# --- what happens to a body


def advance(body: Body, at: float, given: Circumstances) -> Body:
    """Let time pass until ``at``; what falls due meanwhile happens in order."""
    while (due := min((time for time in _milestones(body) if body.at < time <= at), default=None)) is not None:
        body = _settle(_hold(replace(body, at=due), given), given)
    return _settle(replace(body, at=max(at, body.at)), given)


def press(body: Body, button: Button, at: float, given: Circumstances) -> Body:
    """Press a button down; it stays down until it is released."""
    body = advance(body, at, given)
    if any(one.button is button for one in body.presses):
        return body
    down = replace(body, presses=(*body.presses, Press(button, body.at)))
    return _settle(_hold(down, given), given)


def release(body: Body, button: Button, at: float, given: Circumstances) -> Body:
    """Let go of a button."""
    body = advance(body, at, given)
    return replace(body, presses=tuple(one for one in body.presses if one.button is not button))


def dock(body: Body, at: float, given: Circumstances) -> Body:
    """Put the camera into a dock: a recording ends, and it restarts."""
    body = advance(body, at, given)
    return replace(_shut_down(body), docked=True, power=power.docked(body.at))


def undock(body: Body, at: float, given: Circumstances) -> Body:
    """Pull the camera out of its dock: it restarts, unless it is in shipping mode or out of battery."""
    body = advance(body, at, given)
    started = power.undocked(body.at) if given.starts else power.OFF
    return replace(_shut_down(body), docked=False, power=started)


def attach(body: Body, at: float, given: Circumstances) -> Body:
    """Connect a camera extension; a recording ends, because there is none while the source changes."""
    body = _stop(advance(body, at, given))
    return _settle(replace(body, extension=extension.attached(body.at)), given)


def detach(body: Body, at: float, given: Circumstances) -> Body:
    """Disconnect the camera extension; an error of it stays shown until the top button is pressed."""
    body = advance(body, at, given)
    return replace(body, extension=Extension(faulty=body.extension.faulty))


def taken(body: Body) -> Body:
    """Forget the takes and the sounds that were collected."""
    return replace(body, takes=(), sounded=())


# --- gestures


def _hold(body: Body, given: Circumstances) -> Body:
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
    return replace(_sound(_shut_down(body), sounds.TURNED_OFF, silent=body.silent), power=power.OFF)


def _start(body: Body, given: Circumstances) -> Body:
    if not body.working or body.recording is not None or not given.can_record or body.extension.switching(body.at):
        return _sound(body, sounds.RECORDING_NOT_POSSIBLE) if _refuses(body, given) else body
    assert body.buffering is not None
    take = Take(body.at, body.buffering.at(body.at, given))
    return _sound(replace(body, recording=take, buffering=None), sounds.RECORDING_STARTED)


def _refuses(body: Body, given: Circumstances) -> bool:
    return body.working and given.state in (CameraState.READY, CameraState.LOCKED) and not given.can_record


def _stop(body: Body, given: Circumstances | None = None) -> Body:
    if body.recording is None:
        return body
    take = replace(_unmuted(body).recording or body.recording, until=body.at)
    emptied = Buffering(body.at, Short.JUST_RECORDED)
    muted_since = body.at if body.muted else None
    stopped = replace(body, recording=None, buffering=emptied, takes=(*body.takes, take), muted_since=muted_since)
    return _sound(stopped, sounds.RECORDING_STOPPED)


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
    return replace(looked, extension=replace(body.extension, faulty=_faulty(body, given)))


_GESTURES: Final[dict[Gesture, Callable[[Body, Circumstances], Body]]] = {
    Gesture.TURN_ON: _turn_on,
    Gesture.TURN_OFF: _turn_off,
    Gesture.START_RECORDING: _start,
    Gesture.STOP_RECORDING: _stop,
    Gesture.SWITCH_MICROPHONE: _switch_microphone,
    Gesture.SWITCH_SILENT_MODE: _switch_silent_mode,
    Gesture.SHOW_STATUS: _show_status,
}


# --- what follows by itself


def _milestones(body: Body) -> Iterator[float]:
    """Give the times at which something may happen by itself."""
    if body.power.on_at is not None:
        yield body.power.on_at
    if body.extension.attached:
        yield body.extension.switched_at
    for one in body.presses:
        yield from (one.since + meaning.held_seconds for meaning in meanings(one.button))


def _settle(body: Body, given: Circumstances) -> Body:
    """Bring the body in line with its circumstances."""
    if body.phase is not Phase.OFF and not body.docked and not given.starts:
        return replace(_shut_down(body), power=power.OFF)
    if not body.working:
        return body
    if body.buffering is None and body.recording is None:
        body = replace(body, buffering=Buffering(body.at, Short.JUST_TURNED_ON))
    if not given.can_record:
        body = _stop(body)
    if body.silent and not given.silent_mode_allowed:
        body = replace(body, silent=False)
    return _complain(_find_fault(body, given), given)


def _find_fault(body: Body, given: Circumstances) -> Body:
    """Notice that a sensor camera, which the body has switched over to, does not answer."""
    found = body.extension
    if not found.attached or found.switching(body.at) or found.faulty or not _faulty(body, given):
        return body
    return _sound(replace(body, extension=replace(found, faulty=True)), sounds.EXTENSION_FAULTY)


def _faulty(body: Body, given: Circumstances) -> bool:
    """A broken port is an error with nothing connected as well; a broken sensor camera only while it is there."""
    if body.extension.attached:
        return not body.extension.switching(body.at) and bool(given.faults & _SENSOR_FAULTS)
    return body.extension.faulty and BodyFault.SENSOR_PORT in given.faults


def _complain(body: Body, given: Circumstances) -> Body:
    """Sound what hinders work, once when it begins, or again and again until it ends."""
    wanted = _complaint(given)
    if wanted is body.lasting:
        return body
    return replace(_sound(body, wanted) if wanted else body, lasting=wanted)


def _complaint(given: Circumstances) -> Signal | None:
    if given.state is CameraState.UNASSIGNED:
        return sounds.NO_USER
    if given.state is CameraState.NEW or given.can_record:
        return None
    return sounds.RECORDING_NOT_POSSIBLE


def _shut_down(body: Body) -> Body:
    """End what does not outlive a restart."""
    return replace(
        _stop(body),
        silent=False,
        muted_since=None,
        looked_until=float("-inf"),
        buffering=None,
        lasting=None,
        extension=replace(body.extension, switched_at=body.at),
    )


def _sound(body: Body, signal: Signal, *, silent: bool | None = None) -> Body:
    if body.silent if silent is None else silent:
        return body
    return replace(body, sounded=(*body.sounded, Sounded(body.at, signal)))
