"""How the controller's checks of what is stored go: asked for, under way, and what they found in the records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class Audit(Base):
    """The checks of one controller; a row each. What is known of a single copy stands at the copy."""

    __tablename__ = "bodyworn_audit"

    controller_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_controller.id"), primary_key=True)
    #: When somebody asked for everything to be checked now, and who.
    requested_at: Mapped[datetime | None]
    requested_by: Mapped[str | None] = mapped_column(String(100))
    began_at: Mapped[datetime | None]
    #: None until that check is over.
    ended_at: Mapped[datetime | None]
    #: Of that check: how much there is to read, and how much of it has been read.
    objects: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(default=0)
    done_objects: Mapped[int] = mapped_column(default=0)
    done_bytes: Mapped[int] = mapped_column(default=0)
    #: When the chain of events, its checkpoints and the manifests were checked, and how many there were.
    records_checked_at: Mapped[datetime | None]
    events: Mapped[int] = mapped_column(default=0)
    checkpoints: Mapped[int] = mapped_column(default=0)
    manifests: Mapped[int] = mapped_column(default=0)
    #: What was wrong with them: problem ids with their values.
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    #: Why copies cannot be read at the moment: the whole disk, not one of them.
    problem_id: Mapped[str | None] = mapped_column(String(64))
