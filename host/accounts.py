"""Accounts: made on the console alone, checked at the sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from . import passwords as password_rules, throttle
from .database import Account, db, now
from .passwords import Passwords
from .roles import ROLES


class UnknownRole(Exception):
    """Raised when an account is to have a role that there is not."""


@dataclass(frozen=True)
class Throttled:
    """The answer to a try that was not even looked at."""

    until: datetime


def create(passwords: Passwords, name: str, role: str, password: str) -> Account:
    """Make an account; within an application context.

    :raises UnknownRole: when there is no such role.
    :raises PasswordRefused: when the password is too short or too long.
    """
    if role not in ROLES:
        raise UnknownRole(f"There is no role {role}; there are {', '.join(ROLES)}.")
    account = Account(name=name, role=role, password_hash=passwords.hash(password))
    db.session.add(account)
    db.session.commit()
    return account


def create_first(passwords: Passwords, password: str = "") -> str | None:
    """Make the account ``admin`` where there is none at all; give its password, or None when there were accounts."""
    if db.session.scalar(select(func.count()).select_from(Account)):
        return None
    chosen = password or password_rules.generate()
    create(passwords, "admin", "administrator", chosen)
    return chosen


def sign_in(passwords: Passwords, name: str, password: str, address: str) -> Account | Throttled | None:
    """Check a name and a password; None when they do not belong together."""
    until = throttle.refused_until(db.session(), name, address, now())
    if until is not None:
        return Throttled(until)
    account = db.session.scalar(select(Account).where(Account.name == name))
    matches = passwords.matches(password, account.password_hash if account else None)
    throttle.note(db.session(), name, address, matches, now())
    if account is not None and matches and passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hash(password)
    db.session.commit()
    return account if matches else None
