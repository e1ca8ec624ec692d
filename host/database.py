"""The host's own tables: accounts, sign-ins, preferences, recordings that plugins told of, plugins that are disabled.

They lie in ``host.db`` and are made by ``create_all``; a few statements for each version bring older files up to date,
and a number in the file (``PRAGMA user_version``) keeps other code from opening it. The schema is not part of the
contract: a host with a history of its own brings its own Alembic, and the plugin's migrations stay apart from it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Engine, ForeignKey, Index, TypeDecorator, delete, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .problems import ForeignSchema

SCHEMA = 2
#: What brings a file of each earlier version to the next one.
_STEPS = {
    1: (
        "ALTER TABLE account ADD COLUMN password_changed_at DATETIME",
        "UPDATE account SET password_changed_at = created_at",
        # the first account has the manual's name since then
        "UPDATE account SET name = 'root' WHERE name = 'admin' AND 'root' NOT IN (SELECT name FROM account)",
        # when their people proved who they are is not known
        "DELETE FROM signed_in",
        "ALTER TABLE signed_in ADD COLUMN confirmed_at DATETIME",
    ),
}


class Moment(TypeDecorator[datetime]):
    """A point in time; aware in Python, UTC in the database (SQLite forgets the zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back, aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of the host's tables."""


db = SQLAlchemy(model_class=Base)


def now() -> datetime:
    """Give the present moment."""
    return datetime.now(UTC)


class Account(Base):
    """Somebody who may sign in."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: str(uuid4()))
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime] = mapped_column(Moment, default=now)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


class SignedIn(Base):
    """One browser that is signed in; the cookie's secret is kept as a digest."""

    __tablename__ = "signed_in"

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    csrf_token: Mapped[str]
    #: When the person last entered the password; signing in counts.
    confirmed_at: Mapped[datetime] = mapped_column(Moment, default=now)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    seen_at: Mapped[datetime] = mapped_column(Moment, default=now)


class Attempt(Base):
    """One try to sign in; what throttling counts."""

    __tablename__ = "attempt"
    __table_args__ = (Index("attempt_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    succeeded: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Moment, default=now)


class Recording(Base):
    """A recording that a plugin told of (``recording_arrived``), for the search page."""

    __tablename__ = "recording"

    plugin: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    camera: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(Moment, index=True)
    stopped_at: Mapped[datetime] = mapped_column(Moment)
    address: Mapped[str]


class Preference(Base):
    """Something that was chosen once for the whole host."""

    __tablename__ = "preference"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class DisabledPlugin(Base):
    """A plugin that an administrator switched off; it stays off over a restart."""

    __tablename__ = "disabled_plugin"

    domain: Mapped[str] = mapped_column(primary_key=True)


def prepare(app: Flask) -> None:
    """Make the tables where there are none, and bring older ones up to date.

    :raises ForeignSchema: when they are of a later version.
    """
    with app.app_context():
        event.listen(db.engine, "connect", _set_pragmas)
        _bring_up_to_date(db.engine)


def preference(name: str) -> str | None:
    """Give what was chosen, or None."""
    found = db.session.get(Preference, name)
    return found.value if found else None


def prefer(name: str, value: str | None) -> None:
    """Choose something, or with None take the choice back; the caller commits."""
    if value is None:
        db.session.execute(delete(Preference).where(Preference.name == name))
    else:
        db.session.merge(Preference(name=name, value=value))


def _bring_up_to_date(engine: Engine) -> None:
    """Do all steps or none."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if not 0 <= found <= SCHEMA:
            raise ForeignSchema(f"host.db has version {found} of its tables; this host knows version {SCHEMA}.")
        for version in range(found or SCHEMA, SCHEMA):
            for statement in _STEPS.get(version, ()):
                connection.exec_driver_sql(statement)
        Base.metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA:d}")
        connection.commit()


def _set_pragmas(raw: Any, record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        raw.execute(f"PRAGMA {pragma}")
