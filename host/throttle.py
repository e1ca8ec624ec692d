"""How often somebody may try a password: rules as data, counted in the database, so that every worker knows.

An account cannot be locked from elsewhere: failures count for an account and an address together, or for an address
over all accounts. Only addresses from which the account has never signed in share a count for the account. A try is
written down as failed before its password is looked at, so that many at the same moment are counted as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session, aliased

from .database import Attempt, Preference

WINDOW = timedelta(minutes=15)
MEMORY = timedelta(days=30)
#: Name under which the choice is kept.
PREFERENCE = "lockout"


@dataclass(frozen=True)
class Preset:
    """How strict the host is: so many failures of an account from an address within the window, then a pause."""

    id: str
    failures: int
    pause: timedelta


#: The usual one follows the FBI's CJIS policy, the strict one FedRAMP High.
PRESETS = {
    preset.id: preset for preset in (Preset("usual", 5, timedelta(minutes=10)), Preset("strict", 3, timedelta(hours=3)))
}


@dataclass(frozen=True)
class Limit:
    """So many failures within the window, then a pause."""

    of_account: bool
    of_address: bool
    failures: int


ANY_FROM_ADDRESS = Limit(of_account=False, of_address=True, failures=20)
ACCOUNT_FROM_STRANGERS = Limit(of_account=True, of_address=False, failures=50)


def chosen(session: Session) -> Preset:
    """Give the preset that an administrator chose, or the usual one."""
    kept = session.get(Preference, PREFERENCE)
    return PRESETS.get(kept.value if kept else "", PRESETS["usual"])


def refused_until(session: Session, name: str, address: str, now: datetime, but: int = 0) -> datetime | None:
    """Tell when this account may be tried again from this address, or None when it may be tried now.

    The empty name is no account's, and strangers cannot lock it. ``but`` is a try that is not counted.
    """
    preset = chosen(session)
    until = [
        _until(session, limit, preset.pause, [*_whose(limit, name, address), Attempt.id != but], now)
        for limit in _limits(session, preset, name, address)
    ]
    return max((moment for moment in until if moment is not None and moment > now), default=None)


def begin(session: Session, name: str, address: str, now: datetime) -> datetime | None:
    """Write a try down as failed, or tell until when none is taken. Commits; forgets what is a month old."""
    until = refused_until(session, name, address, now)
    if until is not None:
        return until
    attempt = Attempt(name=name, address=address, succeeded=False, at=now)
    session.add(attempt)
    session.flush()  # whoever comes at the same moment waits from here on
    until = refused_until(session, name, address, now, but=attempt.id)
    if until is not None:
        session.rollback()
        return until
    session.execute(delete(Attempt).where(Attempt.at < now - MEMORY))
    session.commit()
    return None


def forgive(session: Session, name: str, address: str, now: datetime) -> None:
    """Note that a try was right, which forgives the failures of this account from this address. The caller commits."""
    session.execute(delete(Attempt).where(Attempt.name == name, Attempt.address == address))
    session.add(Attempt(name=name, address=address, succeeded=True, at=now))


def _limits(session: Session, preset: Preset, name: str, address: str) -> list[Limit]:
    limits = [Limit(of_account=True, of_address=True, failures=preset.failures), ANY_FROM_ADDRESS]
    known = select(Attempt.id).where(Attempt.name == name, Attempt.address == address, Attempt.succeeded).limit(1)
    if name and session.scalar(known) is None:
        limits.append(ACCOUNT_FROM_STRANGERS)
    return limits


def _until(
    session: Session, limit: Limit, pause: timedelta, whose: list[ColumnElement[bool]], now: datetime
) -> datetime | None:
    """Give the end of the pause that a limit imposes, counted from the last failure that was one too many."""
    query = select(Attempt.at).where(~Attempt.succeeded, Attempt.at > now - WINDOW - pause, *whose)
    failed_at = session.scalars(query.order_by(Attempt.at.desc())).all()
    for last, first in zip(failed_at, failed_at[limit.failures - 1 :], strict=False):
        if last - first <= WINDOW:
            return last + pause
    return None


def _whose(limit: Limit, name: str, address: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
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
