"""The sign-in page, the way out, and the page that asks for the password again before grave actions."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from . import access, accounts, events, state, transport, visitors
from .accounts import Throttled, Wrong
from .database import Account, db, now
from .language import gettext as _
from .pages import needs

Found = Account | Throttled | Wrong


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    blueprint.add_url_rule("/sign-in", "sign_in", sign_in)
    blueprint.add_url_rule("/sign-in", "check", check, methods=["POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])
    blueprint.add_url_rule("/confirm", "confirm", confirm)
    blueprint.add_url_rule("/confirm", "check_again", check_again, methods=["POST"])


def sign_in() -> Response:
    """Ask for name and password."""
    target = request.args.get("next", "")
    if access.account() is not None:
        return redirect(access.local_path(target))
    if not accounts.exist():
        return redirect(url_for("host.first_visit", next=target))
    return _form(target)


def check() -> Response:
    """Sign in, or say why not."""
    target = request.form.get("next", "")
    problem = visitors.problem()
    if problem:
        return _form(target, problem, status=400)
    name = request.form.get("name", "").strip()
    found = _look_at(name, request.form.get("password", ""), "account.signed-in", "account.sign-in-refused")
    if isinstance(found, Account):
        return access.begin(found, redirect(access.local_path(target)))
    return _form(target, *said(found, _("Name and password do not belong together."), 401), name=name)


def sign_out() -> Response:
    """Sign this browser out."""
    account = access.account()
    if account is not None:
        events.tell("account.signed-out", account)
    return access.end(redirect(url_for("host.sign_in")))


@needs()
def confirm() -> str:
    """Ask for the password again."""
    return render_template("host/confirm.html", target=request.args.get("next", ""))


@needs()
def check_again() -> Response | tuple[str, int]:
    """Note that somebody is still who they are, or say why not."""
    target = request.form.get("next", "")
    found, sign_in = ask_again("account.confirmed", "account.confirmation-refused"), access.signed_in()
    if isinstance(found, Account) and sign_in is not None:
        sign_in.confirmed_at = now()
        db.session.commit()
        return redirect(access.local_path(target), 303)
    problem, status = said(found, _("This is not your password."))
    return render_template("host/confirm.html", target=target, problem=problem), status


def ask_again(right: str, wrong: str) -> Found:
    """Look at the password that whoever is signed in entered once more; the same throttle holds as at the sign-in.

    ``right`` and ``wrong`` are what the plugins are told.
    """
    account = access.account()
    assert account is not None
    return _look_at(account.name, request.form.get("password", ""), right, wrong)


def said(found: Found, wrong: str, status: int = 422) -> tuple[str, int]:
    """Give the sentence and the status of an answer that is no account."""
    if isinstance(found, Throttled):
        return _("Too many wrong passwords. Try again after %(time)s UTC.", time=f"{found.until:%H:%M}"), 429
    return wrong, status


def _look_at(name: str, password: str, right: str, wrong: str) -> Found:
    """Try a name and a password, and tell the plugins how it went."""
    found = accounts.sign_in(state.of(current_app).passwords, name, password, request.remote_addr or "")
    if isinstance(found, Account):
        events.tell(right, found)
    elif isinstance(found, Wrong):
        if found.account is not None:
            events.tell(wrong, found.account, "refused")
        if found.locked_out:
            events.tell_locked_out(found.account)
    return found


def _form(target: str, problem: str = "", status: int = 200, name: str = "") -> Response:
    return visitors.page(
        "host/sign_in.html",
        status,
        target=target,
        problem=problem,
        name=name,
        done=request.args.get("done", ""),
        readable=transport.is_readable(),
    )
