"""A simulated camera with its body: it is pressed, held, docked, undocked and looked at, and really records.

The body knows no threads, no files and no clock; here they meet. Nothing happens by itself unless the camera is used as
a context manager, or :meth:`WornCamera.look` is called now and then.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from ..camera_volume.documents import CameraState
from ..camera_volume.orders import ReceiptState
from ..camera_volume.port import HostPort
from ..errors import AlreadyDocked, BodywornError
from . import behaviour, consumption, power
from .body import Body, Take, taken
from .buttons import Button
from .camera import SimulatedCamera
from .circumstances import Circumstances, Transfer
from .consumption import Surroundings
from .core import Core
from .faults import BodyFault
from .lights import Lights, lights
from .power import Phase
from .prebuffer import PreBuffer, Short
from .recorder import Wish
from .sounds import Signal, Sounded

log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 0.05
_MOST_SOUNDS: Final = 20
_CHARGED_PERCENT: Final = 99.0
#: Of the free storage, what is promised as time, since files are larger than their bit rate says; and what is filled.
_PROMISED: Final = 0.8
_FILLED: Final = 0.95
_BETWEEN_RECORDINGS: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Appearance:
    """What somebody sees and hears who looks at the camera; ``sounded`` are the last signals, oldest first."""

    phase: Phase
    state: CameraState
    docked: bool
    recording: bool
    silent: bool
    #: A camera extension is connected.
    extension: bool
    lights: Lights
    sounded: tuple[Sounded, ...]
    repeating: Signal | None
    battery_percent: float
    recordings: int


class WornCamera:
    """A camera in somebody's hands. Thread-safe. Its time runs by the camera's clock, faster by the camera's speed.

    Recordings begin and end by the clock alone, so at a speed of 60 a minute's recording takes a minute, and an hour's
    battery. They are written when they end.
    """

    def __init__(self, camera: SimulatedCamera) -> None:
        self.camera = camera
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = camera.core.world_now()
        self._bay: Path | None = None
        self._sounded: deque[Sounded] = deque(maxlen=_MOST_SOUNDS)
        self._body = Body(docked=True, power=power.ON) if camera.docked() else Body()
        self._step(behaviour.advance)

    def __enter__(self) -> Self:
        self._stop.clear()
        self._thread = threading.Thread(target=self._tick, name=f"body {self.camera.serial}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def press(self, button: Button) -> None:
        """Press a button down."""
        self._step(lambda body, at, given: behaviour.press(body, button, at, given))

    def release(self, button: Button) -> None:
        """Let go of a button."""
        self._step(lambda body, at, given: behaviour.release(body, button, at, given))

    def dock(self, bay: Path) -> None:
        """Put the camera into a bay; it is there for the host when it has restarted. Raises AlreadyDocked."""
        with self._lock:
            if self._body.docked or HostPort(bay).state().plug is not None:
                raise AlreadyDocked(bay=bay.name)
            self._bay = bay
            self._step(behaviour.dock)

    def undock(self) -> None:
        """Pull the camera out of its bay, at any moment; one that is in none stays as it is."""
        with self._lock:
            if not self._body.docked:
                return
            self._bay = None
            self.camera.undock()
            self._step(behaviour.undock)

    def attach_extension(self) -> None:
        """Connect a sensor camera."""
        self._step(behaviour.attach)

    def detach_extension(self) -> None:
        """Disconnect the sensor camera."""
        self._step(behaviour.detach)

    def charge(self, *, connected: bool) -> None:
        """Connect a 5 V charger, or disconnect it."""
        with self.camera.inside() as core:
            core.settle_battery()
            core.charger = connected
        self._step(behaviour.advance)

    def suffer(self, faults: Iterable[BodyFault]) -> None:
        """Let these be broken from now on, and nothing else."""
        with self.camera.inside() as core:
            core.settle_battery()
            core.body_faults = frozenset(faults)
        self._step(behaviour.advance)

    def go(self, surroundings: Surroundings) -> None:
        """Take the camera somewhere else."""
        with self.camera.inside() as core:
            core.settle_battery()
            core.surroundings = surroundings
        self._step(behaviour.advance)

    def look(self) -> Appearance:
        """Look at the camera and listen."""
        with self._lock:
            self._step(behaviour.advance)
            given, body = self._circumstances(), self._body
            repeating = body.lasting if body.lasting and body.lasting.again_seconds and not body.silent else None
            return Appearance(
                phase=body.phase,
                state=given.state,
                docked=body.docked,
                recording=body.recording is not None,
                silent=body.silent,
                extension=body.extension.attached,
                lights=lights(body, given),
                sounded=tuple(self._sounded),
                repeating=repeating,
                battery_percent=self.camera.core.battery_percent(),
                recordings=len(self.camera.recordings()),
            )

    # steps

    def _tick(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            try:
                self._step(behaviour.advance)
            except BodywornError as error:
                log.error("camera %s: %s %s", self.camera.serial, error, error.advice)

    def _step(self, what: Callable[[Body, float, Circumstances], Body]) -> None:
        """Let something happen to the body, and do what follows from it for the rest of the camera."""
        with self._lock:
            self._body = what(self._body, self._now(), self._circumstances())
            takes = self._body.takes
            self._sounded.extend(self._body.sounded)
            self._body = taken(self._body)
            for take in takes:
                self._keep(take)
            self._switch()

    def _switch(self) -> None:
        """Let the battery run as the body does, and plug in once the restart in the dock is over."""
        on = self._body.phase is not Phase.OFF
        with self.camera.inside() as core:
            if core.on is not on:
                core.settle_battery()
                core.on = on
        if self._bay is not None and self._body.docked and self._body.phase is Phase.ON and not self.camera.docked():
            self.camera.dock(self._bay)

    def _now(self) -> float:
        core = self.camera.core
        return (core.world_now() - self._began).total_seconds() * core.speed

    def _circumstances(self) -> Circumstances:
        with self.camera.inside() as core:
            profile = core.profile()
            return Circumstances(
                state=core.state(),
                profile=profile,
                battery_hours=core.battery_hours(),
                storage_hours=core.storage_hours() * _PROMISED - self._running_seconds(core) / 3600,
                charged=core.battery_percent() >= _CHARGED_PERCENT,
                charger=core.charger,
                transfer=_transfer(core),
                pre_buffer_room_seconds=consumption.pre_buffer_room_seconds(profile, core.surroundings),
                faults=core.body_faults,
            )

    def _running_seconds(self, core: Core) -> float:
        take = self._body.recording
        if take is None:
            return 0.0
        return take.pre_buffer.seconds + (self._now() - take.since) / core.speed

    # recordings

    def _keep(self, take: Take) -> None:
        """Write a recording that has ended; one that does not fit ends where the storage does."""
        with self.camera.inside() as core:
            assert take.until is not None
            pressed = self._camera_time(core, take.since)
            before = _before(core, pressed, take.pre_buffer)
            rate = consumption.bits_per_second(core.profile(), core.surroundings)
            seconds = before.seconds + max(1.0, (take.until - take.since) / core.speed)
            room = core.free_bytes()
            fits = seconds * rate / 8 <= room * _PROMISED
            clips = math.ceil(seconds / _clip_seconds(core))
            wish = Wish(
                clips=clips,
                seconds=seconds / clips,
                size_bytes=None if fits else int(room * _FILLED / clips),
                start=_start(core, pressed, before),
                bits_per_second=rate,
                pre_buffer=before,
                muted=tuple(self._muted(take, before, core.speed)),
                as_profile=True,
            )
        self.camera.record(wish, anyway=True)

    def _muted(self, take: Take, before: PreBuffer, speed: float) -> Iterable[tuple[float, float]]:
        for begin, end in take.muted:
            first = before.seconds + (begin - take.since) / speed
            yield (max(0.0, first), before.seconds + (end - take.since) / speed)

    def _camera_time(self, core: Core, at: float) -> datetime:
        """Give the time by the camera's own clock at a time of the body's."""
        return self._began + timedelta(seconds=at / core.speed + core.memory.clock_offset_seconds)


def _clip_seconds(core: Core) -> int:
    profile = core.profile()
    return profile.clip_limit_seconds if profile else 900


def _before(core: Core, pressed: datetime, held: PreBuffer) -> PreBuffer:
    """Cut the pre-buffer off where the recording before it ends, which a faster body may not have noticed."""
    last = core.memory.last_recording_stop
    if last is None:
        return held
    passed = (pressed - last - _BETWEEN_RECORDINGS).total_seconds()
    return held if held.seconds <= passed else PreBuffer(max(0.0, passed), Short.JUST_RECORDED)


def _start(core: Core, pressed: datetime, before: PreBuffer) -> datetime:
    start, last = pressed - timedelta(seconds=before.seconds), core.memory.last_recording_stop
    return start if last is None else max(start, last + _BETWEEN_RECORDINGS)


def _transfer(core: Core) -> Transfer:
    """Tell how far the recordings are, from the receipts that hosts left."""
    memory = core.memory
    receipts = [memory.receipts.get(recording_id) for recording_id in memory.recordings]
    own = memory.docking.controller_id if memory.docking else None
    taking = {held.controller_id for held in receipts if held and held.state is ReceiptState.TAKING}
    if own is not None and taking - {own}:
        return Transfer.ELSEWHERE
    stored = all(held is not None and held.state is ReceiptState.STORED for held in receipts)
    return Transfer.DONE if stored else Transfer.UNDER_WAY
