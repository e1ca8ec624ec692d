"""What a simulated camera is made as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..camera_volume.port import UnitKind
from .memory import Memory


@dataclass(frozen=True)
class Build:
    """What a camera is made as; only looked at when its folder is new."""

    serial: str
    manufacturer: str = "Bodyworn"
    model: str = "Simulated camera"
    firmware: str = "1.0.0"
    kind: UnitKind = UnitKind.FOLDER
    filesystem: str = "ext4"
    media_bytes: int = 64 * 1024**3
    control_bytes: int = 16 * 1024**2


def new_memory(build: Build, now: datetime) -> Memory:
    """Give what a camera remembers when it leaves its factory."""
    return Memory(
        serial=build.serial,
        manufacturer=build.manufacturer,
        model=build.model,
        firmware=build.firmware,
        kind=build.kind,
        filesystem=build.filesystem,
        media_bytes=build.media_bytes,
        control_bytes=build.control_bytes,
        last_seen=now,
        battery_at=now,
    )
