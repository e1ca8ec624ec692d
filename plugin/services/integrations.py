"""Which packages of integrators fail: told by every process, kept in the database, named on System status."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..models import Database, PackageFault
from . import advice
from .hooks import Fault, Faults
from .message import Message
from .sentence import Tone, sentence

log = logging.getLogger(__name__)

#: A fault is shown until it was not seen for this long.
_SHOWN = timedelta(hours=24)


def tell(database: Database, faults: Faults) -> None:
    """Write down what is new among the faults of this process; no transaction may be open. Never raises."""
    due = faults.due(datetime.now(UTC))
    if not due:
        return
    try:
        with database.write() as session:
            for fault in due:
                session.merge(PackageFault(package=fault.package, hook=fault.hook, reason=fault.reason, at=fault.at))
            session.execute(delete(PackageFault).where(PackageFault.at < datetime.now(UTC) - _SHOWN))
    except SQLAlchemyError:
        log.warning("faults of other packages could not be written down", exc_info=True)
    else:
        faults.told(due)


def standing(session: Session, now: datetime) -> Sequence[Fault]:
    """List the faults of the last day, package by package."""
    seen = select(PackageFault).where(PackageFault.at >= now - _SHOWN).order_by(PackageFault.package, PackageFault.hook)
    return [Fault(one.package, one.hook, one.reason, one.at) for one in session.scalars(seen)]


def messages(session: Session, now: datetime) -> Iterable[Message]:
    """Say which packages fail."""
    for package in dict.fromkeys(fault.package for fault in standing(session, now)):
        yield Message(
            Tone.ATTENTION,
            advice.PACKAGE_FAILED,
            sentence("The installed package {package} failed", package=package),
            sentence("What it adds to this system is missing or late. Everything else goes on."),
            sentence("What to do"),
            "status",
            {"_anchor": "packages"},
        )
