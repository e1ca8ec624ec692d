"""What every part of a simulated camera shares: its key, its memory, its clock, and what state it is in."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ..camera_volume import documents
from ..camera_volume.documents import Applied, Battery, CameraDescription, CameraState, Storage
from ..camera_volume.orders import Profile
from ..crypto.keys import SigningKey
from . import consumption, memory as memory_file
from .consumption import Surroundings
from .faults import BodyFault
from .memory import Memory

_KEY: Final = "key"
_CLOCK_TOLERANCE: Final = timedelta(seconds=60)
_MOST_LOG_LINES: Final = 2000
_SUPPORTS: Final = ("reset", "unlock")
#: What of a body's faults the camera tells its host, in the words of the format.
_TOLD: Final = {
    BodyFault.STORAGE: "storage",
    BodyFault.CHARGING: "battery-not-charging",
    BodyFault.SENSOR: "sensor",
    BodyFault.SENSOR_PORT: "sensor",
    BodyFault.OPERATION: "operation",
}


class Core:
    """The inside of a camera. Not thread-safe; ``SimulatedCamera`` lets one thread in at a time.

    ``clock`` gives the world's time, from which the camera's own may differ; ``speed`` is how fast batteries run. What
    the battery's rate hangs on (``surroundings``, ``on``, ``charger``, ``body_faults``) is forgotten when the process
    ends; whoever changes it calls :meth:`settle_battery` before.
    """

    def __init__(self, folder: Path, memory: Memory, clock: Callable[[], datetime], speed: float) -> None:
        self.folder = folder
        self.memory = memory
        self.key = _load_key(folder)
        self._clock = clock
        self.speed = speed
        self.surroundings = Surroundings()
        self.on = True
        self.charger = False
        self.body_faults: frozenset[BodyFault] = frozenset()

    # time

    def world_now(self) -> datetime:
        """The true time."""
        return self._clock()

    def now(self) -> datetime:
        """The time by the camera's own clock."""
        return self._clock() + timedelta(seconds=self.memory.clock_offset_seconds)

    def set_clock(self, time: datetime) -> float:
        """Set the camera's clock; gives by how many seconds it was ahead."""
        ahead = (self.now() - time).total_seconds()
        self.memory.clock_offset_seconds -= ahead
        self.memory.last_seen = time
        return ahead

    # state

    def locked(self) -> bool:
        """Tell whether the camera refuses to work: lease over, clock gone back, or its system was restored."""
        now, memory = self.now(), self.memory
        if memory.system_id is None:
            return False
        clock_went_back = now < memory.last_seen - _CLOCK_TOLERANCE
        lease_is_over = memory.lease_expires is not None and max(now, memory.last_seen) > memory.lease_expires
        return clock_went_back or lease_is_over or memory.newer_epoch_seen

    def state(self) -> CameraState:
        """Tell what the camera is."""
        if self.memory.system_id is None:
            return CameraState.SHIPPING if self.memory.shipping else CameraState.NEW
        if self.locked():
            return CameraState.LOCKED
        if self.memory.lease_expires is None or self.memory.settings is None or self.memory.settings.user is None:
            return CameraState.UNASSIGNED
        return CameraState.READY

    def battery_percent(self) -> float:
        """Charge now: it rises while docked or on a charger, and falls while worn and on."""
        memory = self.memory
        hours = (self.world_now() - memory.battery_at).total_seconds() / 3600 * self.speed
        return min(100.0, max(0.0, memory.battery_percent + hours * self._percent_per_hour()))

    def battery_hours(self) -> float:
        """How long the battery lasts."""
        return self.battery_percent() / 100 * consumption.operating_hours(self.profile(), self.surroundings)

    def storage_hours(self) -> float:
        """How much can be recorded."""
        return self.free_bytes() * 8 / consumption.bits_per_second(self.profile(), self.surroundings) / 3600

    def charging(self) -> bool:
        """Tell whether the battery is being charged."""
        return self._percent_per_hour() > 0

    def settle_battery(self) -> None:
        """Note the charge, before what it runs by changes."""
        self.memory.battery_percent, self.memory.battery_at = self.battery_percent(), self.world_now()

    def _percent_per_hour(self) -> float:
        docked = self.memory.docking is not None
        if docked or self.charger:
            hours = consumption.charging_hours(self.surroundings, docked=docked)
            return 0.0 if hours is None or BodyFault.CHARGING in self.body_faults else 100 / hours
        return -100 / consumption.operating_hours(self.profile(), self.surroundings) if self.on else 0.0

    def profile(self) -> Profile | None:
        """The profile in force."""
        return self.memory.settings.profile if self.memory.settings else None

    def used_bytes(self) -> int:
        """What the recordings take up."""
        return sum(recording.size_bytes for recording in self.memory.recordings.values())

    def free_bytes(self) -> int:
        """What is left for recordings."""
        return self.memory.media_bytes - self.used_bytes()

    # memory

    def save(self) -> None:
        """Make durable what changed; the clock's highest reading goes along."""
        memory = self.memory
        self.settle_battery()
        memory.last_seen = max(memory.last_seen, self.now())
        memory_file.save(self.folder, memory)

    def log(self, line: str) -> None:
        """Note a line for the log that the next docking takes along."""
        self.memory.log = [*self.memory.log, f"{self.now():%Y-%m-%dT%H:%M:%SZ} {line}"[:512]][-_MOST_LOG_LINES:]

    def describe(self) -> CameraDescription:
        """Write what ``camera.json`` says."""
        memory = self.memory
        settings, docking = memory.settings, memory.docking
        applied = {kind: Applied(epoch=last.epoch, sequence=last.sequence) for kind, last in memory.applied.items()}
        return CameraDescription(
            format=documents.FORMAT,
            version=documents.VERSION,
            minor=0,
            serial=memory.serial,
            manufacturer=memory.manufacturer,
            model=memory.model,
            firmware=memory.firmware,
            public_key=self.key.public.to_base64(),
            state=self.state(),
            system_id=memory.system_id,
            epoch=memory.epoch,
            docking=memory.dockings,
            turn=memory.turns,
            nonce=docking.nonce if docking else new_nonce(),
            time=self.now(),
            battery=Battery(
                percent=int(self.battery_percent()),
                charging=self.charging(),
                temperature=round(self.surroundings.celsius),
            ),
            storage=Storage(
                total_bytes=memory.media_bytes, used_bytes=self.used_bytes(), recordings=len(memory.recordings)
            ),
            lease_expires=memory.lease_expires,
            user_id=settings.user.id if settings and settings.user else None,
            settings_sequence=settings.sequence if settings else 0,
            applied=applied,
            supports=_SUPPORTS,
            faults=tuple(sorted({_TOLD[fault] for fault in self.body_faults if fault in _TOLD})),
        )


def new_nonce() -> str:
    """Make 32 random bytes, as base64."""
    return b64encode(secrets.token_bytes(32)).decode("ascii")


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def _load_key(folder: Path) -> SigningKey:
    path = folder / _KEY
    if not path.exists():
        memory_file.write_durably(path, SigningKey.generate().private_bytes(), mode=0o600)
    return SigningKey.from_private_bytes(path.read_bytes())
