"""What accounts do, told to the plugins, which keep it where auditors look. Passwords and tokens are never told.

Accounts are told of by name, which is what auditors know: names are unique and never change.
"""

from __future__ import annotations

from flask import current_app, request

from . import access, state
from .database import Account


def tell(action: str, account: Account | str, result: str = "done", **detail: str) -> None:
    """Tell of something that was done to an account; by whoever is signed in, or by that account where nobody is."""
    name = account if isinstance(account, str) else account.name
    actor = access.account()
    _record(action, actor.name if actor else name, "account", name, result, **detail)


def tell_of_host(action: str, **detail: str) -> None:
    """Tell of something that whoever is signed in did to the host."""
    actor = access.account()
    assert actor is not None
    _record(action, actor.name, "host", "host", "done", **detail)


def tell_locked_out(account: Account | None) -> None:
    """Tell that nobody may try for a while; what was entered as an unknown name might be a password."""
    if account is not None:
        tell("account.locked-out", account, "refused")
    else:
        _record("account.locked-out", "", "address", request.remote_addr or "", "refused")


def _record(action: str, actor: str, kind: str, object_id: str, result: str, **detail: str) -> None:
    loader = state.of(current_app).loader
    loader.record(action, actor, request.remote_addr or "", kind, object_id, result, **detail)
