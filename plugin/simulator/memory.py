"""What a simulated camera remembers, in one file that survives a kill at any moment."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from ..camera_volume.documents import CameraState, Uuid
from ..camera_volume.orders import ReceiptState, Settings
from ..camera_volume.port import UnitKind
from ..errors import DocumentRefused

_MEMORY: Final = "memory.json"


class Remembered(msgspec.Struct, frozen=True):
    """The last order of one kind that was applied."""

    epoch: int
    sequence: int
    order_sha256: str


class HeldReceipt(msgspec.Struct, frozen=True):
    """A receipt on the control unit."""

    controller_id: str
    state: ReceiptState
    order_sha256: str


class HeldRecording(msgspec.Struct, frozen=True):
    """A recording on the media unit, with the true digest of its content."""

    number: int
    size_bytes: int
    content_sha256: str


class Docking(msgspec.Struct):
    """The docking that is under way. ``granted``: a controller of the camera's own system proved itself in it."""

    bay: str
    attachment: str
    nonce: str
    granted: bool = False
    controller_id: str | None = None


class Memory(msgspec.Struct, kw_only=True):
    """Everything that outlives the process, but the key and the units."""

    serial: str
    manufacturer: str
    model: str
    firmware: str
    kind: UnitKind
    filesystem: str
    media_bytes: int
    control_bytes: int
    last_seen: datetime
    clock_offset_seconds: float = 0.0
    battery_percent: float = 100.0
    battery_at: datetime
    shipping: bool = False
    system_id: str | None = None
    recovery_key: str | None = None
    epoch: int = 0
    newer_epoch_seen: bool = False
    lease_expires: datetime | None = None
    settings: Settings | None = None
    applied: dict[str, Remembered] = {}
    dockings: int = 0
    turns: int = 0
    docking: Docking | None = None
    recordings: dict[Uuid, HeldRecording] = {}
    receipts: dict[Uuid, HeldReceipt] = {}
    erased: list[Uuid] = []
    last_recording_number: int = 0
    last_recording_stop: datetime | None = None
    last_answer_number: int = 0
    last_state: CameraState | None = None
    log: list[str] = []


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_MEMORIES: Final = msgspec.json.Decoder(Memory)


def load(folder: Path) -> Memory | None:
    """Read a camera's memory; None where there is none yet."""
    try:
        return _MEMORIES.decode((folder / _MEMORY).read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DocumentRefused(document=_MEMORY, reason=str(error)) from error


def save(folder: Path, memory: Memory) -> None:
    """Replace the memory durably: it is the old one or the new one, whatever happens."""
    write_durably(folder / _MEMORY, msgspec.json.encode(memory))


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file under a temporary name, sync it, rename it, and sync its folder."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
