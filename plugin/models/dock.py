"""Docks, and their bays: places in which a camera can stand. A bay is never a device node."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Identified, choice


class DockKind(StrEnum):
    """How the controller hears of cameras in a dock."""

    USB = "usb"
    #: A folder in which simulated cameras appear.
    SIMULATED = "simulated"


class Dock(Identified, Base):
    """A docking station."""

    __tablename__ = "bodyworn_dock"

    controller_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_controller.id"))
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[DockKind] = mapped_column(choice(DockKind))
    #: Where the kind finds it: a folder for a simulated dock; for a USB dock, the place beneath which its bays are
    #: learned, empty for everywhere.
    locator: Mapped[str] = mapped_column(String(512))
    position: Mapped[int] = mapped_column(default=0)
    #: True while every new place in which something appears becomes a bay of this dock.
    learning: Mapped[bool] = mapped_column(default=False)

    bays: Mapped[list[Bay]] = relationship(back_populates="dock", order_by="Bay.position", cascade="all, delete-orphan")


class BayState(StrEnum):
    """What is going on in a bay, as the docking status LED of the camera would show it."""

    EMPTY = "empty"
    #: A camera is there and being asked who it is.
    CONNECTING = "connecting"
    #: A camera that nobody added; listed, never read.
    NEW = "new"
    #: A camera of this system that waits for the passphrase of the master key.
    LOCKED = "locked"
    #: Settings, clock and receipts are being exchanged.
    SYNCHRONISING = "synchronising"
    OFFLOADING = "offloading"
    #: Everything is stored here and checked, and the camera is up to date: safe to undock.
    READY = "ready"
    #: As ready, and the camera is to be removed once the rest of its content is safe.
    LEAVING = "leaving"
    #: The camera was reset, and belongs to nobody.
    REMOVED = "removed"
    PROBLEM = "problem"


class Bay(Identified, Base):
    """One place of a dock, and what was last seen in it."""

    __tablename__ = "bodyworn_bay"
    __table_args__ = (UniqueConstraint("dock_id", "position"),)

    dock_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_dock.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(64))
    #: USB places that are this bay; more than one where a socket has several, or was connected differently for a time.
    places: Mapped[list[str]] = mapped_column(default=list)
    # observed
    state: Mapped[BayState] = mapped_column(choice(BayState), default=BayState.EMPTY)
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_camera.id"))
    docked_at: Mapped[datetime | None]
    #: Bytes of this docking's recordings: known at listing, and how far the offload is.
    total_bytes: Mapped[int] = mapped_column(default=0)
    done_bytes: Mapped[int] = mapped_column(default=0)
    #: Over the last minute; None while nothing moves.
    bytes_per_second: Mapped[float | None]
    #: When ``done_bytes`` was last written; older than a few seconds is stale.
    progress_at: Mapped[datetime | None]
    #: True while its offload stands in line for a turn.
    waiting: Mapped[bool] = mapped_column(default=False)
    #: Forecasts as of ``progress_at``; None where nobody can know.
    turn_in_seconds: Mapped[float | None]
    ready_in_seconds: Mapped[float | None]
    problem_id: Mapped[str | None] = mapped_column(String(64))
    problem_values: Mapped[dict[str, Any] | None]

    dock: Mapped[Dock] = relationship(back_populates="bays")
