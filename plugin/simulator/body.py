"""The state of a camera's body, which buttons, the dock and time change: ``behaviour`` and ``gestures`` say how.

Times are seconds on any scale that only grows. What lights show of a body is in ``lights``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import extension, power
from .buttons import Press
from .extension import Extension
from .power import Phase, Power
from .prebuffer import Buffering, PreBuffer
from .sounds import Signal, Sounded


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


def taken(body: Body) -> Body:
    """Forget the takes and the sounds that were collected."""
    return replace(body, takes=(), sounded=())


def sound(body: Body, signal: Signal, *, silent: bool | None = None) -> Body:
    """Give a signal, unless the camera is silent; ``silent`` says so for a body that was silent until now."""
    if body.silent if silent is None else silent:
        return body
    return replace(body, sounded=(*body.sounded, Sounded(body.at, signal)))
