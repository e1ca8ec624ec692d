"""One's own account: changing the password, ending other sign-ins; and what all pages about accounts share."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from . import access, accounts, events, passwords, roles, state, transport
from .database import Account, SignedIn, db, now
from .language import gettext as _
from .pages import needs
from .password_words import age, strength, why
from .passwords import PasswordRefused
from .signing_in import ask_again, said

Answer = Response | tuple[str, int]


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    route = blueprint.add_url_rule
    route("/account", "account", own)
    route("/account/password", "change_password", change_password, methods=["POST"])
    route("/account/end-others", "end_other_sign_ins", end_others, methods=["POST"])
    route("/password-strength", "weigh_password", weigh, methods=["POST"])


@needs()
def own() -> str:
    """Show one's own account."""
    return _page()


@needs()
def change_password() -> Answer:
    """Change one's own password; the old one is asked for, and all other sign-ins end."""
    account = me()
    found = ask_again("account.confirmed", "account.password-change-refused")
    if not isinstance(found, Account):
        problem, status = said(found, _("The old password is not right."))
        return _page(problem), status
    problem = take_over(account, request.form.get("new", ""), request.form.get("again", ""))
    if problem:
        return _page(problem), 422
    events.tell("account.password-changed", account)
    return access.begin(account, redirect(url_for("host.account", done="password"), 303))


@needs()
def end_others() -> Response:
    """End one's other sign-ins."""
    accounts.end_sign_ins(me(), but=access.signed_in())
    events.tell("account.sessions-ended", me())
    return redirect(url_for("host.account", done="ended"), 303)


def weigh() -> Response:
    """Tell how strong a password would be, to pages on which one is chosen."""
    account = access.account()
    if account is None and accounts.exist():
        return access.challenge()
    name = request.form.get("name", "") or (account.name if account else accounts.ROOT)
    weighed = strength(request.form.get("password", "")[: 2 * passwords.MOST_BYTES], name[: accounts.LONGEST_NAME])
    return jsonify(score=weighed.score, words=weighed.words)


def take_over(account: Account, password: str, again: str) -> str:
    """Set a password that was entered twice, or say why not."""
    if password != again:
        return differ()
    try:
        accounts.set_password(hasher(), account, password)
    except PasswordRefused as refused:
        return why(refused.reason)
    return ""


def differ() -> str:
    """Say that a password was not entered twice."""
    return _("The two passwords differ. Enter the same one twice.")


def _page(problem: str = "") -> str:
    account = me()
    others = sign_ins().get(account.id, 1) - 1
    return drawn("host/account.html", problem, shown=account, age=age(account.password_changed_at), others=others)


def drawn(template: str, problem: str, **values: object) -> str:
    """Draw a page about accounts, with what all of them show."""
    return render_template(
        template,
        problem=problem,
        done=request.args.get("done", ""),
        role_names={role: roles.title(role) for role in roles.ROLES},
        ROOT=accounts.ROOT,
        suggestion=passwords.generate(),
        readable=transport.is_readable(),
        **values,
    )


def sign_ins() -> dict[str, int]:
    """Count the sign-ins that still hold, by account."""
    holds = (SignedIn.seen_at > now() - access.IDLE, SignedIn.created_at > now() - access.LONGEST)
    counted = select(SignedIn.account_id, func.count().label("number")).where(*holds).group_by(SignedIn.account_id)
    return {row.account_id: row.number for row in db.session.execute(counted)}


def me() -> Account:
    """Give the account that is signed in, on pages that ask for one."""
    account = access.account()
    assert account is not None
    return account


def hasher() -> passwords.Passwords:
    """Give what hashes passwords for this app."""
    return state.of(current_app).passwords
