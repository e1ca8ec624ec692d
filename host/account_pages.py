"""Accounts, for administrators: adding, changing and removing them, and what happens after wrong passwords.

Nobody comes here who has not entered the password within the last ten minutes.
"""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from . import access, accounts, events, roles, throttle
from .accounts import AccountRefused
from .database import Account, db, prefer
from .language import gettext as _
from .own_account import Answer, differ, drawn, hasher, me, sign_ins, take_over
from .pages import needs
from .password_words import age, why
from .passwords import PasswordRefused


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    route = blueprint.add_url_rule
    route("/accounts", "accounts", show_all)
    route("/accounts", "add_account", add_account, methods=["POST"])
    route("/lockout", "choose_lockout", choose_lockout, methods=["POST"])
    route("/accounts/<account_id>", "one_account", show_one)
    route("/accounts/<account_id>/role", "change_role", change_role, methods=["POST"])
    route("/accounts/<account_id>/password", "set_password", set_password, methods=["POST"])
    route("/accounts/<account_id>/end", "end_sign_ins", end_all, methods=["POST"])
    route("/accounts/<account_id>/remove", "ask_remove_account", ask_remove)
    route("/accounts/<account_id>/remove", "remove_account", remove, methods=["POST"])


@needs(roles.ACCOUNTS, confirmed=True)
def show_all() -> str:
    """List the accounts."""
    return _all()


@needs(roles.ACCOUNTS, confirmed=True)
def add_account() -> Answer:
    """Add an account."""
    name, role = request.form.get("name", "").strip(), _role()
    password = request.form.get("new", "")
    if password != request.form.get("again", ""):
        return _all(differ()), 422
    try:
        made = accounts.create(hasher(), name, role, password)
    except AccountRefused as refused:
        return _all(str(refused)), 422
    except PasswordRefused as refused:
        return _all(why(refused.reason)), 422
    events.tell("account.added", made, role=role)
    return redirect(url_for("host.accounts", done="added"), 303)


@needs(roles.ACCOUNTS, confirmed=True)
def choose_lockout() -> Response:
    """Choose how strict the host is with wrong passwords."""
    chosen = request.form.get("lockout", "")
    if chosen not in throttle.PRESETS:
        abort(422)
    prefer(throttle.PREFERENCE, chosen)
    db.session.commit()
    events.tell_of_host("host.lockout-chosen", lockout=chosen)
    return redirect(url_for("host.accounts", done="lockout"), 303)


@needs(roles.ACCOUNTS, confirmed=True)
def show_one(account_id: str) -> str:
    """Show what can be done with an account."""
    return _one(_account_or_404(account_id))


@needs(roles.ACCOUNTS, confirmed=True)
def change_role(account_id: str) -> Answer:
    """Give an account another role."""
    account, role = _account_or_404(account_id), _role()
    before = account.role
    try:
        accounts.change_role(account, role, by=me())
    except AccountRefused as refused:
        return _one(account, str(refused)), 409
    events.tell("account.role-changed", account, before=before, role=role)
    return redirect(url_for("host.one_account", account_id=account.id, done="role"), 303)


@needs(roles.ACCOUNTS, confirmed=True)
def set_password(account_id: str) -> Answer:
    """Give somebody else a new password; all their sign-ins end."""
    account = _account_or_404(account_id)
    if account.id == me().id:
        return _one(account, _("Your own password is changed on the page of your account.")), 409
    problem = take_over(account, request.form.get("new", ""), request.form.get("again", ""))
    if problem:
        return _one(account, problem), 422
    events.tell("account.password-set", account)
    return redirect(url_for("host.one_account", account_id=account.id, done="password-set"), 303)


@needs(roles.ACCOUNTS, confirmed=True)
def end_all(account_id: str) -> Response:
    """End all sign-ins of an account; of one's own, all but this one."""
    account = _account_or_404(account_id)
    accounts.end_sign_ins(account, but=access.signed_in())
    events.tell("account.sessions-ended", account)
    return redirect(url_for("host.one_account", account_id=account.id, done="ended"), 303)


@needs(roles.ACCOUNTS, confirmed=True)
def ask_remove(account_id: str) -> str:
    """Say what is lost when an account is removed."""
    return render_template("host/account_remove.html", shown=_account_or_404(account_id))


@needs(roles.ACCOUNTS, confirmed=True)
def remove(account_id: str) -> Answer:
    """Remove an account."""
    account = _account_or_404(account_id)
    name, role = account.name, account.role
    try:
        accounts.remove(account, by=me())
    except AccountRefused as refused:
        return _one(account, str(refused)), 409
    events.tell("account.removed", name, role=role)
    return redirect(url_for("host.accounts", done="removed"), 303)


def _all(problem: str = "") -> str:
    listed = [(account, age(account.password_changed_at)) for account in accounts.every()]
    return drawn(
        "host/accounts.html",
        problem,
        listed=listed,
        sign_ins=sign_ins(),
        presets=throttle.PRESETS.values(),
        chosen=throttle.chosen(db.session()),
    )


def _one(account: Account, problem: str = "") -> str:
    return drawn(
        "host/account_one.html",
        problem,
        shown=account,
        age=age(account.password_changed_at),
        sign_ins=sign_ins().get(account.id, 0),
        is_me=account.id == me().id,
    )


def _role() -> str:
    role = request.form.get("role", "")
    if role not in roles.ROLES:
        abort(422)
    return role


def _account_or_404(account_id: str) -> Account:
    found = db.session.get(Account, account_id)
    if found is None:
        abort(404)
    return found
