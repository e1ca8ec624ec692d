"""The wizard's progress: what was chosen before there is a system, so that leaving and coming back loses nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class Setup(Base):
    """The one setup of this database; there is at most one row."""

    __tablename__ = "bodyworn_setup"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    began_by: Mapped[str] = mapped_column(String(100))
    #: Names of the steps that were passed, in their order.
    passed: Mapped[list[str]] = mapped_column(JSON, default=list)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    ntp_server: Mapped[str | None] = mapped_column(String(253))
    power_line_hertz: Mapped[int | None]
    system_name: Mapped[str | None] = mapped_column(String(100))
    language: Mapped[str | None] = mapped_column(String(16))
    #: Whether a master key was uploaded: the system has its identity again, and its cameras wait to be unlocked.
    restored: Mapped[bool] = mapped_column(default=False)
