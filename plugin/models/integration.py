"""What packages of integrators get wrong, so that pages can name them whatever process noticed it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class PackageFault(Base):
    """Something that a package hooked in and that failed; the last time that it did."""

    __tablename__ = "bodyworn_package_fault"

    package: Mapped[str] = mapped_column(String(200), primary_key=True)
    #: Where it hooked in, as ``bodyworn.slots: camera``.
    hook: Mapped[str] = mapped_column(String(200), primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
