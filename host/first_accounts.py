"""Accounts when the host is started: the first one, or the token with which somebody makes it; a way back for root.

What is secret is announced on the console that once, and never logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from . import accounts, first_visit, passwords, state
from .accounts import ROOT
from .database import Account, db
from .passwords import PasswordRefused, Passwords
from .problems import UnfitPassword

Announce = Callable[[str], None]


@dataclass(frozen=True)
class AtStart:
    """What whoever starts the host says about accounts."""

    #: Password of ``root`` where there is no account yet; empty: somebody chooses it at the first visit.
    root_password: str = ""
    #: Make an operator and a viewer along with it.
    demo_accounts: bool = False
    #: Give ``root`` a new password, because it was forgotten.
    reset_root: bool = False


def prepare(app: Flask, chosen: AtStart, announce: Announce) -> None:
    """Make or mend what was asked for; after the plugins' tables are there, before anything is served.

    :raises UnfitPassword: when the password of ``root`` may not be one.
    """
    hasher = state.of(app).passwords
    with app.app_context():
        if chosen.reset_root:
            _reset_root(app, announce)
        if chosen.root_password:
            _make_accounts(hasher, chosen, announce)


def invite(app: Flask, announce: Announce) -> None:
    """Say how the first account is made, where there is none."""
    with app.app_context():
        token = first_visit.new_token()
    if token:
        announce(f"Nobody has an account yet. Open {state.of(app).settings.base_url}/first-visit")
        announce(f"and enter this setup token, which is shown this once: {token}")


def _make_accounts(hasher: Passwords, chosen: AtStart, announce: Announce) -> None:
    try:
        if accounts.create_first(hasher, chosen.root_password) is None:
            return
    except PasswordRefused as refused:
        raise UnfitPassword(f"root cannot have this password. {refused}") from refused
    announce(f"The account {ROOT} (administrator) was made; its password is the one in the file.")
    for role in ("operator", "viewer") if chosen.demo_accounts else ():
        password = passwords.generate()
        accounts.create(hasher, role, role, password)
        announce(f"The account {role} was made; its password is shown this once: {password}")


def _reset_root(app: Flask, announce: Announce) -> None:
    root = db.session.scalar(select(Account).where(Account.name == ROOT))
    if root is None:
        return
    password = passwords.generate()
    accounts.set_password(state.of(app).passwords, root, password)
    state.of(app).loader.record("account.password-set", "console", "", "account", ROOT)
    announce(f"All sign-ins of {ROOT} have ended. The new password is shown this once: {password}")
