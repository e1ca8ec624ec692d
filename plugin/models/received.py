"""What the receiver holds: containers and objects that body worn systems have brought here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Identified


class ReceiverAccount(Identified, Base):
    """A way in for one body worn system: what an exported connection file contains."""

    __tablename__ = "bodyworn_receiver_account"

    user_name: Mapped[str] = mapped_column(String(64), unique=True)
    #: SHA-256 of the random key; it has 256 bits, so nothing slower is needed.
    key_sha256: Mapped[str] = mapped_column(String(64))
    active: Mapped[bool] = mapped_column(default=True)
    #: The key pair that systems encrypt to, private part sealed; None where encryption is not asked for.
    sealed_private_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    public_key_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]


class ReceivedContainer(Identified, Base):
    """A container that a system made here: a recording, or one of Users, Devices, System."""

    __tablename__ = "bodyworn_received_container"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_receiver_account.id"))
    name: Mapped[str] = mapped_column(String(255))
    #: As received, keys in lower case, values decoded.
    wire_metadata: Mapped[dict[str, Any]]
    #: True for recordings, from their name and metadata.
    is_recording: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]

    objects: Mapped[list[ReceivedObject]] = relationship(back_populates="container", order_by="ReceivedObject.name")


class ReceivedObject(Identified, Base):
    """An object in a container; its bytes are in the receiver's store under the same two names."""

    __tablename__ = "bodyworn_received_object"
    __table_args__ = (UniqueConstraint("container_id", "name"),)

    container_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_received_container.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    md5: Mapped[str] = mapped_column(String(32))
    content_type: Mapped[str] = mapped_column(String(100), default="application/octet-stream")
    wire_metadata: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    #: When its bytes were last read again, or first read back; and what was wrong with them then.
    checked_at: Mapped[datetime] = mapped_column(index=True)
    problem_id: Mapped[str | None] = mapped_column(String(64), index=True)
    problem_values: Mapped[dict[str, Any] | None]

    container: Mapped[ReceivedContainer] = relationship(back_populates="objects")
