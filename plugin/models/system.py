"""The body worn system itself, and the controllers it consists of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Identified, choice


class System(Identified, Base):
    """The one system that this database belongs to; there is at most one row."""

    __tablename__ = "bodyworn_system"

    name: Mapped[str] = mapped_column(String(100))
    #: Raised by every restore, so that orders of an earlier life are refused.
    epoch: Mapped[int] = mapped_column(default=1)
    recovery_public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    recovery_encryption_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    system_certificate: Mapped[bytes] = mapped_column(LargeBinary)
    #: The master key file, wrapped under the passphrase; None until the administrator has made one.
    master_key_file: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: When the master key was last handed out; a system whose key nobody holds cannot be restored.
    master_key_downloaded_at: Mapped[datetime | None]
    #: Language in which cameras and printed guides speak; pages follow whoever looks at them.
    language: Mapped[str] = mapped_column(String(16), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    #: Where this machine gets the time from; None for what the machine does by itself, or a time set by hand.
    ntp_server: Mapped[str | None] = mapped_column(String(253))
    power_line_hertz: Mapped[int] = mapped_column(default=50)
    #: Hours of recording that a camera must have room for before it goes out again (decision 14).
    next_shift_hours: Mapped[int] = mapped_column(default=12)
    #: How many cameras are offloaded, and how many recordings are sent, at a time; of each controller.
    parallel_offloads: Mapped[int] = mapped_column(default=8)
    parallel_uploads: Mapped[int] = mapped_column(default=2)
    #: True for a system that was made to be looked at; pages say so.
    demonstration: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    #: When its setup was finished; until then it is a draft of the wizard, and nothing but the wizard works.
    finished_at: Mapped[datetime | None]


class ControllerRole(StrEnum):
    """Whether pages are served here or on another machine."""

    FIRST = "first"
    EXTENSION = "extension"


class Controller(Identified, Base):
    """A machine with docks."""

    __tablename__ = "bodyworn_controller"

    system_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_system.id"))
    name: Mapped[str] = mapped_column(String(64))
    serial: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[ControllerRole] = mapped_column(choice(ControllerRole))
    #: True for the machine that this database is on.
    local: Mapped[bool] = mapped_column(default=False)
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    #: Next number of an order to a camera, within the system's epoch.
    order_sequence: Mapped[int] = mapped_column(default=0)
    #: Whether new USB devices that are no cameras in bays are refused.
    usb_guard: Mapped[bool] = mapped_column(default=False)
    # observed
    heartbeat_at: Mapped[datetime | None]
    spool_free_bytes: Mapped[int | None]
    spool_total_bytes: Mapped[int | None]
    #: Since when recordings stay on cameras because the spool has no room for the next one (decision 32).
    intake_stopped_at: Mapped[datetime | None]
    problem_id: Mapped[str | None] = mapped_column(String(64))
