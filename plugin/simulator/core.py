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
from ..crypto.keys import SigningKey
from . import memory as memory_file
from .memory import Memory

_KEY: Final = "key"
_CLOCK_TOLERANCE: Final = timedelta(seconds=60)
_CHARGING_HOURS: Final = 4.0
_OPERATING_HOURS: Final = 12.0
_MOST_LOG_LINES: Final = 2000
_SUPPORTS: Final = ("reset", "unlock")


class Core:
    """The inside of a camera. Not thread-safe; ``SimulatedCamera`` lets one thread in at a time.

    ``clock`` gives the world's time, from which the camera's own may differ; ``speed`` is how fast batteries run.
    """

    def __init__(self, folder: Path, memory: Memory, clock: Callable[[], datetime], speed: float) -> None:
        self.folder = folder
        self.memory = memory
        self.key = _load_key(folder)
        self._clock = clock
        self._speed = speed

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
        """Charge now: it rises while docked and falls while worn."""
        memory = self.memory
        hours = (self.world_now() - memory.battery_at).total_seconds() / 3600 * self._speed
        change = 100 * hours / (_CHARGING_HOURS if memory.docking else -_OPERATING_HOURS)
        return min(100.0, max(0.0, memory.battery_percent + change))

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
        memory.battery_percent, memory.battery_at = self.battery_percent(), self.world_now()
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
            battery=Battery(percent=int(self.battery_percent()), charging=docking is not None, temperature=23),
            storage=Storage(
                total_bytes=memory.media_bytes, used_bytes=self.used_bytes(), recordings=len(memory.recordings)
            ),
            lease_expires=memory.lease_expires,
            user_id=settings.user.id if settings and settings.user else None,
            settings_sequence=settings.sequence if settings else 0,
            applied=applied,
            supports=_SUPPORTS,
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
