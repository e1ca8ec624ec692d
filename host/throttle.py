"""How often somebody may try to sign in: rules as data, counted in the database, so that every worker knows.

An account cannot be locked from elsewhere: failures count for an account and an address together, or for an address
over all accounts. Only addresses from which the account has never signed in share a count for the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from .database import Attempt

WINDOW = timedelta(minutes=15)
PAUSE = timedelta(minutes=10)
MEMORY = timedelta(days=30)


@dataclass(frozen=True)
class Limit:
    """So many failures within the window, then a pause."""

    of_account: bool
    of_address: bool
    failures: int


ACCOUNT_FROM_ADDRESS = Limit(of_account=True, of_address=True, failures=5)
ANY_FROM_ADDRESS = Limit(of_account=False, of_address=True, failures=20)
ACCOUNT_FROM_STRANGERS = Limit(of_account=True, of_address=False, failures=50)


def refused_until(session: Session, name: str, address: str, now: datetime) -> datetime | None:
    """Tell when this account may be tried again from this address, or None when it may be tried now."""
    until = [_until(session, limit, name, address, now) for limit in _limits(session, name, address)]
    return max((moment for moment in until if moment is not None and moment > now), default=None)


def note(session: Session, name: str, address: str, succeeded: bool, now: datetime) -> None:
    """Count a try; a success forgives the failures of this account from this address. Forgets what is a month old."""
    session.execute(delete(Attempt).where(Attempt.at < now - MEMORY))
    if succeeded:
        session.execute(delete(Attempt).where(Attempt.name == name, Attempt.address == address))
    session.add(Attempt(name=name, address=address, succeeded=succeeded, at=now))


def _limits(session: Session, name: str, address: str) -> list[Limit]:
    limits = [ACCOUNT_FROM_ADDRESS, ANY_FROM_ADDRESS]
    known = select(Attempt.id).where(Attempt.name == name, Attempt.address == address, Attempt.succeeded).limit(1)
    if session.scalar(known) is None:
        limits.append(ACCOUNT_FROM_STRANGERS)
    return limits


def _until(session: Session, limit: Limit, name: str, address: str, now: datetime) -> datetime | None:
    """Give the end of the pause that a limit imposes: ten minutes after the last failure that counts."""
    counted = select(func.count(), func.max(Attempt.at)).where(
        ~Attempt.succeeded, Attempt.at > now - WINDOW, *_whose(limit, name, address)
    )
    failures, last = session.execute(counted).one()
    return last + PAUSE if failures >= limit.failures else None


def _whose(limit: Limit, name: str, address: str) -> list[ColumnElement[bool]]:
    conditions = []
    if limit.of_account:
        conditions.append(Attempt.name == name)
    if limit.of_address:
        conditions.append(Attempt.address == address)
    else:
        conditions.append(~_has_signed_in_from_there())
    return conditions


def _has_signed_in_from_there() -> ColumnElement[bool]:
    success = aliased(Attempt)
    return exists().where(success.name == Attempt.name, success.address == Attempt.address, success.succeeded)
