"""Accounts: who there is, and what may be done with them. How often a password may be tried is decided in ``throttle``.

``root`` is the first one. It stays an administrator and cannot be removed, so there is always somebody who can help.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from . import throttle
from .database import Account, SignedIn, db, now
from .language import gettext as _
from .passwords import Passwords
from .roles import ROLES

ROOT = "root"
LONGEST_NAME = 64


class UnknownRole(Exception):
    """Raised when an account is to have a role that there is not."""


class AccountRefused(Exception):
    """Raised when an account cannot be as it is asked for; its text is the sentence."""


@dataclass(frozen=True)
class Throttled:
    """The answer to a try that was not even looked at."""

    until: datetime


@dataclass(frozen=True)
class Wrong:
    """The answer to a wrong name or password."""

    #: The account that was meant, where there is one.
    account: Account | None
    #: True when this was the failure after which nobody may try for a while.
    locked_out: bool


def exist() -> bool:
    """Tell whether there is any account."""
    return db.session.scalar(select(Account.id).limit(1)) is not None


def every() -> list[Account]:
    """List the accounts, ``root`` first."""
    found = db.session.scalars(select(Account)).all()
    return sorted(found, key=lambda account: (account.name != ROOT, account.name.casefold()))


def create(passwords: Passwords, name: str, role: str, password: str) -> Account:
    """Make an account; within an application context.

    :raises UnknownRole: when there is no such role.
    :raises AccountRefused: when the name is taken or cannot be one.
    :raises PasswordRefused: when the password may not be one.
    """
    _refuse_unknown(role)
    _refuse_name(name)
    account = Account(name=name, role=role, password_hash=passwords.hash(password, name))
    db.session.add(account)
    db.session.commit()
    return account


def create_first(passwords: Passwords, password: str) -> Account | None:
    """Make the account ``root`` where there is none at all; None when there were accounts."""
    return None if exist() else create(passwords, ROOT, "administrator", password)


def sign_in(passwords: Passwords, name: str, password: str, address: str) -> Account | Throttled | Wrong:
    """Check a name and a password."""
    name = name[:LONGEST_NAME]
    until = throttle.begin(db.session(), name, address, now())
    if until is not None:
        return Throttled(until)
    account = db.session.scalar(select(Account).where(Account.name == name))
    if not passwords.matches(password, account.password_hash if account else None) or account is None:
        return Wrong(account, throttle.refused_until(db.session(), name, address, now()) is not None)
    throttle.forgive(db.session(), name, address, now())
    if passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.renew(password)
    db.session.commit()
    return account


def set_password(passwords: Passwords, account: Account, password: str) -> None:
    """Give an account another password, and end all its sign-ins.

    :raises PasswordRefused: when the password may not be one.
    """
    account.password_hash = passwords.hash(password, account.name)
    account.password_changed_at = now()
    end_sign_ins(account)


def change_role(account: Account, role: str, *, by: Account) -> None:
    """Give an account another role.

    :raises UnknownRole: when there is no such role.
    :raises AccountRefused: for ``root``, and for one's own account.
    """
    _refuse_unknown(role)
    if account.name == ROOT:
        raise AccountRefused(_("root stays an administrator, so that there is always one."))
    if account.id == by.id:
        raise AccountRefused(_("Nobody changes their own role. Ask another administrator."))
    account.role = role
    db.session.commit()


def remove(account: Account, *, by: Account) -> None:
    """Remove an account; what it did stays in the plugins' records.

    :raises AccountRefused: for ``root``, and for one's own account.
    """
    if account.name == ROOT:
        raise AccountRefused(_("root cannot be removed, so that there is always an administrator."))
    if account.id == by.id:
        raise AccountRefused(_("Nobody removes their own account. Ask another administrator."))
    db.session.delete(account)
    db.session.commit()


def end_sign_ins(account: Account, but: SignedIn | None = None) -> None:
    """End all sign-ins of an account, or all but one."""
    kept = but.token_digest if but else ""
    db.session.execute(delete(SignedIn).where(SignedIn.account_id == account.id, SignedIn.token_digest != kept))
    db.session.commit()


def _refuse_unknown(role: str) -> None:
    if role not in ROLES:
        raise UnknownRole(f"There is no role {role}; there are {', '.join(ROLES)}.")


def _refuse_name(name: str) -> None:
    if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountRefused(
            _("A name has 1 to %(most)s characters that can be seen, and no space around it.", most=LONGEST_NAME)
        )
    # compared here and not in SQL, which knows the case of ASCII alone
    if any(account.name.casefold() == name.casefold() for account in every()):
        raise AccountRefused(_("There is an account with this name already."))
