"""A camera that does not exist: it records, is docked, takes its turns, and survives being killed.

Its folder holds its key, its memory and its units. One lock lets one thread in at a time; the firmware runs in a thread
of its own while the camera is docked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from ..camera_volume.control import ControlUnit
from ..camera_volume.documents import CameraDescription, CameraState, Unit
from ..camera_volume.port import CameraPort, UnitKind
from ..crypto.keys import PublicKey, SigningKey
from ..errors import AlreadyDocked, CameraNotReady, OutOfTurn
from . import firmware, memory, recorder
from .build import Build, new_memory
from .core import Core, new_nonce, utc_now
from .faults import TurnFault
from .memory import Docking
from .orders import Turn
from .recorder import Recorded, Wish
from .volumes import Volumes

_POLL_SECONDS: Final = 0.02
_FLAT_PERCENT: Final = 1.0


class SimulatedCamera:
    """A camera in a folder. ``faults`` may be changed at any time; see ``TurnFault``."""

    def __init__(
        self, folder: Path, build: Build, *, clock: Callable[[], datetime] = utc_now, speed: float = 1.0
    ) -> None:
        """Open the camera in ``folder``, or make it there. A camera that was docked when it stopped goes on.

        Args:
            folder: On the same filesystem as the docks.
            build: What to make it as.
            clock: The world's time; the camera's own clock starts equal to it.
            speed: How much faster than real the battery runs.
        """
        folder.mkdir(parents=True, exist_ok=True)
        saved = memory.load(folder)
        self.core = Core(folder, saved or new_memory(build, clock()), clock, speed)
        self.faults: set[TurnFault] = set()
        self._volumes = Volumes(folder, self.core.memory.kind, self.core.memory.filesystem)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if saved is None:
            self._make_units()
        elif self._volumes.at_home(Unit.MEDIA):
            with self._volumes.opened(Unit.MEDIA) as unit:
                recorder.recover(self.core, unit)
        self._resume()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def serial(self) -> str:
        """The camera's serial number."""
        return self.core.memory.serial

    @property
    def public_key(self) -> PublicKey:
        """The camera's identity."""
        return self.core.key.public

    def describe(self) -> CameraDescription:
        """Tell what the camera would say of itself now."""
        with self._lock:
            return self.core.describe()

    def docked(self) -> bool:
        """Tell whether the camera is in a bay."""
        return self.core.memory.docking is not None

    def recordings(self) -> tuple[str, ...]:
        """List the ids of the recordings that are on the camera, oldest first."""
        with self._lock:
            held = self.core.memory.recordings
            return tuple(sorted(held, key=lambda recording_id: held[recording_id].number))

    def record(self, wish: Wish | None = None, *, anyway: bool = False) -> Recorded:
        """Record, at once and without waiting for the time that passes in the recording.

        Args:
            wish: What to record; one clip of ten seconds by default.
            anyway: Record even if the camera should not, as one with broken firmware would.

        Raises:
            OutOfTurn: the media unit is in the host's hands.
            CameraNotReady: no system, no user, locked, docked or flat.
            CameraFull: no room.
        """
        with self._lock:
            if not anyway:
                self._check_ready()
            with self._volumes.opened(Unit.MEDIA) as unit:
                return recorder.record(self.core, unit, wish or Wish())

    def dock(self, bay: Path) -> None:
        """Put the camera into a bay: it exports its control unit, and its firmware runs until it is undocked."""
        with self._lock:
            if self.docked():
                raise AlreadyDocked(bay=bay.name)
            port = self._port(bay)
            if port.plugged() is not None:
                raise AlreadyDocked(bay=bay.name)
            self._begin_docking(port)
        self._start()

    def undock(self) -> None:
        """Pull the camera out, at any moment: the host loses the units at once."""
        self._halt()
        with self._lock:
            self._unplug()

    def stop(self) -> None:
        """Stop the firmware's thread, as switching the camera off would; it stays where it is."""
        self._halt()
        with self._lock:
            self.core.save()

    @contextmanager
    def inside(self) -> Iterator[Core]:
        """Give the camera's inside while nobody else is in it."""
        with self._lock:
            yield self.core

    @contextmanager
    def touch(self, unit: Unit) -> Iterator[Path]:
        """Give a unit's folder as the firmware sees it; raises OutOfTurn while the host has it."""
        with self._lock, self._volumes.opened(unit) as path:
            yield path

    def break_medium(self) -> None:
        """Let the second half of the media unit fail with read errors, now and wherever it is; image files alone."""
        with self._lock:
            docking = self.core.memory.docking
            self._volumes.shorten(Unit.MEDIA, Path(docking.bay) / "host" if docking else None)

    # docking

    def _begin_docking(self, port: CameraPort) -> None:
        core = self.core
        core.settle_battery()
        core.memory.dockings += 1
        core.memory.turns = 0
        core.memory.docking = Docking(bay=str(port.bay.absolute()), attachment="", nonce=new_nonce())
        with self._control() as control:
            for message in control.list_inbox():
                control.remove_order(message)
            control.write_description(core.describe())
        core.log(f"docked, docking {core.memory.dockings}")
        core.save()
        self._plug(port)

    def _plug(self, port: CameraPort) -> None:
        saved, docking = self.core.memory, self.core.memory.docking
        assert docking is not None
        filesystem = saved.filesystem if saved.kind is UnitKind.IMAGE else ""
        plug = port.plug(saved.serial, saved.manufacturer, saved.model, filesystem)
        docking.attachment = plug.attachment
        self.core.save()
        self._export(port)

    def _unplug(self) -> None:
        core, docking = self.core, self.core.memory.docking
        if docking is None:
            return
        self._port(Path(docking.bay)).unplug()
        core.settle_battery()
        core.memory.docking = None
        core.log("undocked")
        core.save()

    def _export(self, port: CameraPort) -> None:
        """Give the host what is at home: control always, media only if its controller proved itself."""
        docking = self.core.memory.docking
        granted = docking is not None and docking.granted and self.core.state() is not CameraState.LOCKED
        units = [Unit.MEDIA, Unit.CONTROL] if granted else [Unit.CONTROL]
        port.export(unit for unit in units if self._volumes.at_home(unit))

    def _resume(self) -> None:
        """Go on with a docking in which the camera was stopped or killed."""
        docking = self.core.memory.docking
        if docking is None:
            return
        port = self._port(Path(docking.bay))
        plug = port.plugged()
        if plug is None or plug.attachment != docking.attachment:
            self._unplug_stale(port, ours=plug is not None and plug.serial == self.serial)
            return
        if self._volumes.at_home(Unit.CONTROL):
            self._answer(port, timedelta(0))
        self._start()

    def _unplug_stale(self, port: CameraPort, *, ours: bool) -> None:
        """Come out of a bay in which plugging in, or pulling out, had not been finished."""
        if ours:
            port.unplug()
        self.core.memory.docking = None
        self.core.save()

    # turns

    def _start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=f"camera {self.serial}", daemon=True)
        self._thread.start()

    def _halt(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            with self._lock:
                docking = self.core.memory.docking
                if docking is None:
                    return
                self._take_turn(self._port(Path(docking.bay)))

    def _take_turn(self, port: CameraPort) -> None:
        units = port.ejected()
        if Unit.CONTROL not in units:
            return
        begin = time.monotonic()
        port.take_back(units)
        if TurnFault.UNDOCKED in self.faults:
            self._unplug()
        elif TurnFault.SILENT not in self.faults:
            self._answer(port, timedelta(seconds=time.monotonic() - begin))

    def _answer(self, port: CameraPort, since_eject: timedelta) -> None:
        key = SigningKey.generate() if TurnFault.IMPOSTOR in self.faults else self.core.key
        with ExitStack() as stack:
            control = stack.enter_context(self._control())
            media = None
            if self._volumes.at_home(Unit.MEDIA):
                media = stack.enter_context(self._volumes.opened(Unit.MEDIA))
            firmware.take_turn(Turn(self.core, control, media, since_eject), key)
        self.core.save()
        self._export(port)

    # units

    def _make_units(self) -> None:
        saved = self.core.memory
        self._volumes.create(Unit.MEDIA, saved.media_bytes)
        self._volumes.create(Unit.CONTROL, saved.control_bytes)
        with self._control() as control:
            control.prepare()
        self.core.save()

    @contextmanager
    def _control(self) -> Iterator[ControlUnit]:
        with self._volumes.opened(Unit.CONTROL) as path, ControlUnit(path) as control:
            yield control

    def _port(self, bay: Path) -> CameraPort:
        return CameraPort(bay, self._volumes.home, self.core.memory.kind)

    def _check_ready(self) -> None:
        if not self._volumes.at_home(Unit.MEDIA):
            raise OutOfTurn(unit=Unit.MEDIA)
        if self.docked():
            raise CameraNotReady(reason="it is docked")
        state = self.core.state()
        if state is not CameraState.READY:
            raise CameraNotReady(reason=f"it is {state}")
        if self.core.battery_percent() < _FLAT_PERCENT:
            raise CameraNotReady(reason="its battery is flat")
