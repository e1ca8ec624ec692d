"""Content destinations: where recordings go, and how that was going last."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Identified, choice


class DestinationState(StrEnum):
    """How the destination was doing at the last attempt."""

    #: Never tried yet.
    UNTRIED = "untried"
    OKAY = "okay"
    #: Busy or out of reach for now; tried again by itself.
    WAITING = "waiting"
    #: Nothing is sent until somebody mends it.
    STOPPED = "stopped"


class Destination(Identified, Base):
    """A content destination, from its connection file; the row with ``active`` set receives new recordings."""

    __tablename__ = "bodyworn_destination"

    site_name: Mapped[str] = mapped_column(String(64))
    application: Mapped[str] = mapped_column(String(400))
    address: Mapped[str] = mapped_column(String(512))
    active: Mapped[bool] = mapped_column(default=True)
    #: The connection file as uploaded, sealed: it holds the password.
    sealed_file: Mapped[bytes] = mapped_column(LargeBinary)
    #: ``http://host:port`` of the proxy through which it is reached, and its sealed ``name:password``; None without.
    proxy_address: Mapped[str | None] = mapped_column(String(300))
    sealed_proxy_sign_in: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: ``host:port`` of a storage address elsewhere that an administrator confirmed (decision 26).
    confirmed_storage_host: Mapped[str | None] = mapped_column(String(300))
    #: Set once, in the system object at the destination: the same there = the same destination.
    connection_id: Mapped[str] = mapped_column(String(100))
    want_encryption: Mapped[bool] = mapped_column(default=False)
    public_key_id: Mapped[str | None] = mapped_column(String(128))
    container_type: Mapped[str] = mapped_column(String(8), default="mkv")
    capabilities: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Whether the rehearsal showed that uploads are answered with an Etag.
    can_verify: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    #: What all uploads together may take of the line; None for all of it.
    limit_bits_per_second: Mapped[int | None]
    #: Minutes of the day, in the system's time zone, between which the limit holds; both None for always.
    limit_from_minute: Mapped[int | None]
    limit_until_minute: Mapped[int | None]
    #: Raised whenever somebody wants it to be tried at once.
    attempts_wanted: Mapped[int] = mapped_column(default=0)
    # observed
    #: What came of the last rehearsal, step by step, and when it was.
    rehearsal: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    rehearsed_at: Mapped[datetime | None]
    #: Categories as they were read last, and when; what was wrong with the list since.
    categories: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    categories_read_at: Mapped[datetime | None]
    categories_problem_id: Mapped[str | None] = mapped_column(String(64))
    categories_problem_values: Mapped[dict[str, Any] | None]
    state: Mapped[DestinationState] = mapped_column(choice(DestinationState), default=DestinationState.UNTRIED)
    state_since: Mapped[datetime]
    last_success_at: Mapped[datetime | None]
    clock_difference_seconds: Mapped[float | None]
    bytes_per_second: Mapped[float | None]
    problem_id: Mapped[str | None] = mapped_column(String(64))
    problem_values: Mapped[dict[str, Any] | None]
