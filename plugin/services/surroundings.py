"""What the controller of this machine sees around its docks: written down by it, shown by ``dock_setup``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ..models import BrokenDriver, UsbDevice
from . import systems


@dataclass(frozen=True)
class SeenDevice:
    """What stands in a USB place; all texts are its own claims."""

    place: str
    name: str
    #: What it is beside a disk, in words.
    foreign_kinds: tuple[str, ...]
    could_be_camera: bool
    has_disk: bool
    has_medium: bool


@dataclass(frozen=True)
class SeenBroken:
    """A camera driver of another package that was not taken, and why."""

    name: str
    package: str
    reason: str


def take_down(session: Session, devices: Sequence[SeenDevice], broken: Sequence[SeenBroken]) -> None:
    """Replace what was seen before; no event, because nothing is decided by it."""
    controller = systems.local_controller(session)
    for table in (UsbDevice, BrokenDriver):
        session.execute(delete(table).where(table.controller_id == controller.id))
    for one in devices:
        session.add(
            UsbDevice(
                controller_id=controller.id,
                place=one.place[:255],
                name=one.name[:200],
                foreign_kinds=list(one.foreign_kinds),
                could_be_camera=one.could_be_camera,
                has_disk=one.has_disk,
                has_medium=one.has_medium,
            )
        )
    for driver in broken:
        session.add(
            BrokenDriver(
                controller_id=controller.id,
                name=driver.name[:200],
                package=driver.package[:200],
                reason=driver.reason[:200],
            )
        )
