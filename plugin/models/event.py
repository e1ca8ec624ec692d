"""The one table of events: journal, audit and custody, append-only and hash-chained (decision 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class Chain(Base):
    """Head of a chain, one a controller; whoever appends locks this row first."""

    __tablename__ = "bodyworn_chain"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    #: True for the chain of this machine; chains of other controllers are copies.
    local: Mapped[bool] = mapped_column(default=False)
    sequence: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(String(64))


class Event(Base):
    """Something that changed, written in the transaction that changed it; never updated, never deleted."""

    __tablename__ = "bodyworn_event"
    # what is asked of the audit log: all of it, one thing, one person, what went wrong; each newest first
    __table_args__ = (
        Index(None, "at"),
        Index(None, "object_kind", "object_id", "at"),
        Index(None, "actor", "at"),
        Index(None, "result", "at", sqlite_where=text("result != 'done'"), postgresql_where=text("result != 'done'")),
    )

    chain_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_chain.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    #: Time since start-up and which start-up, so that a changed clock cannot reorder anything (I12).
    boot_seconds: Mapped[float]
    boot_id: Mapped[str] = mapped_column(String(36))
    actor: Mapped[str] = mapped_column(String(100))
    #: Network address that the request came from; empty for what the system did by itself.
    address: Mapped[str] = mapped_column(String(45), default="")
    action: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(100))
    result: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]]
    tool_version: Mapped[str] = mapped_column(String(32))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class Checkpoint(Base):
    """A signed statement that a chain had this hash at this event; it shows what was cut off or written anew."""

    __tablename__ = "bodyworn_checkpoint"

    chain_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_chain.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    #: The statement, signed by the controller, with the certificates that lead to the recovery key.
    order: Mapped[bytes] = mapped_column(LargeBinary)


class Change(Base):
    """The change counter: one row, raised by every committed write, so that pages and controller notice."""

    __tablename__ = "bodyworn_change"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counter: Mapped[int] = mapped_column(default=0)
