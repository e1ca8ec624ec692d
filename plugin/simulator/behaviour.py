"""What happens to a camera's body: time passes, buttons go down and up, it is docked and undocked.

A pure state machine: every function takes a body and gives another, and nothing here waits or records. ``given`` is
what the rest of the camera is like in that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..camera_volume.documents import CameraState
from . import extension, power, sounds
from .body import Body, sound
from .buttons import Button, Press, meanings
from .circumstances import Circumstances
from .extension import Extension
from .gestures import faulty, hold, shut_down, stop
from .power import Phase
from .prebuffer import Buffering, Short
from .sounds import Signal


def advance(body: Body, at: float, given: Circumstances) -> Body:
    """Let time pass until ``at``; what falls due meanwhile happens in order."""
    while (due := min((time for time in _milestones(body) if body.at < time <= at), default=None)) is not None:
        body = _settle(hold(replace(body, at=due), given), given)
    return _settle(replace(body, at=max(at, body.at)), given)


def press(body: Body, button: Button, at: float, given: Circumstances) -> Body:
    """Press a button down; it stays down until it is released."""
    body = advance(body, at, given)
    if any(one.button is button for one in body.presses):
        return body
    down = replace(body, presses=(*body.presses, Press(button, body.at)))
    return _settle(hold(down, given), given)


def release(body: Body, button: Button, at: float, given: Circumstances) -> Body:
    """Let go of a button."""
    body = advance(body, at, given)
    return replace(body, presses=tuple(one for one in body.presses if one.button is not button))


def dock(body: Body, at: float, given: Circumstances) -> Body:
    """Put the camera into a dock: a recording ends, and it restarts."""
    body = advance(body, at, given)
    return replace(shut_down(body), docked=True, power=power.docked(body.at))


def undock(body: Body, at: float, given: Circumstances) -> Body:
    """Pull the camera out of its dock: it restarts, unless it is in shipping mode or out of battery."""
    body = advance(body, at, given)
    started = power.undocked(body.at) if given.starts else power.OFF
    return replace(shut_down(body), docked=False, power=started)


def attach(body: Body, at: float, given: Circumstances) -> Body:
    """Connect a camera extension; a recording ends, because there is none while the source changes."""
    body = stop(advance(body, at, given))
    return _settle(replace(body, extension=extension.attached(body.at)), given)


def detach(body: Body, at: float, given: Circumstances) -> Body:
    """Disconnect the camera extension; an error of it stays shown until the top button is pressed."""
    body = advance(body, at, given)
    return replace(body, extension=Extension(faulty=body.extension.faulty))


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
        return replace(shut_down(body), power=power.OFF)
    if not body.working:
        return body
    if body.buffering is None and body.recording is None:
        body = replace(body, buffering=Buffering(body.at, Short.JUST_TURNED_ON))
    if not given.can_record:
        body = stop(body)
    if body.silent and not given.silent_mode_allowed:
        body = replace(body, silent=False)
    return _complain(_find_fault(body, given), given)


def _find_fault(body: Body, given: Circumstances) -> Body:
    """Notice that a sensor camera, which the body has switched over to, does not answer."""
    found = body.extension
    if not found.attached or found.switching(body.at) or found.faulty or not faulty(body, given):
        return body
    return sound(replace(body, extension=replace(found, faulty=True)), sounds.EXTENSION_FAULTY)


def _complain(body: Body, given: Circumstances) -> Body:
    """Sound what hinders work, once when it begins, or again and again until it ends."""
    wanted = _complaint(given)
    if wanted is body.lasting:
        return body
    return replace(sound(body, wanted) if wanted else body, lasting=wanted)


def _complaint(given: Circumstances) -> Signal | None:
    if given.state is CameraState.UNASSIGNED:
        return sounds.NO_USER
    if given.state is CameraState.NEW or given.can_record:
        return None
    return sounds.RECORDING_NOT_POSSIBLE
