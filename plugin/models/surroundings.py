"""What a controller sees around it: devices in USB places, whether bays or not, and drivers that cannot be used."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Identified


class UsbDevice(Identified, Base):
    """What stands in a USB place now. All texts are the device's claims."""

    __tablename__ = "bodyworn_usb_device"
    __table_args__ = (UniqueConstraint("controller_id", "place"),)

    controller_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_controller.id"))
    place: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200))
    #: What it is beside a disk ("keyboard or mouse"); a camera in its dock is nothing of the kind.
    foreign_kinds: Mapped[list[str]] = mapped_column(default=list)
    could_be_camera: Mapped[bool]
    #: Whether it shows a disk, and whether a medium is in it; a card reader without a card has none.
    has_disk: Mapped[bool]
    has_medium: Mapped[bool]


class BrokenDriver(Identified, Base):
    """A camera driver of another package that was not taken."""

    __tablename__ = "bodyworn_broken_driver"

    controller_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_controller.id"))
    name: Mapped[str] = mapped_column(String(200))
    #: The package that brings it; empty where the installation does not say.
    package: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(200))
