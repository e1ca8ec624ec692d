"""Many camera users at once: a file is chosen, what it would change is shown, and then it is imported. And exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from .. import pages
from ..access import needs
from ..errors import BodywornError, UserFileTooLarge, UserImportOutdated
from ..forms.lists import choice
from ..runtime import current
from ..services import events, systems, user_file, user_import, user_importing
from ..services.sentence import Problem, problem_of
from ..services.user_import import Mode, Plan

_ASK, _CHECK = "bodyworn/users_import.html", "bodyworn/users_check.html"
#: Of the request that brings a file, with what a browser adds.
_REQUEST_LIMIT_BYTES: Final = user_file.LARGEST_BYTES + 64 * 1024
#: So many rows of what would be done, or has to be corrected, are shown.
_SHOWN: Final = 200


def add(blueprint: Blueprint) -> None:
    """Register the pages and files."""
    blueprint.add_url_rule("/users/all/template.csv", "users_template", users_template)
    blueprint.add_url_rule("/users/all/users.csv", "export_users", export_users)
    blueprint.add_url_rule("/users/all/import", "ask_import_users", ask_import_users)
    blueprint.add_url_rule("/users/all/import", "check_users_file", check_users_file, methods=["POST"])
    blueprint.add_url_rule("/users/all/import/apply", "import_users", import_users, methods=["POST"])


@needs("bodyworn.devices")
def users_template() -> Response:
    """Hand out the empty file."""
    return _csv(user_file.template(), "bodyworn-users.csv")


@needs("bodyworn.devices")
def export_users() -> Response:
    """Hand out all users, and write down who took them."""
    if request.method == "GET":
        with current().database.write() as session:
            about = systems.current(session).id
            events.record(session, "users.exported", "system", about, actor=pages.actor())
    with current().database.read() as session:
        content = b"".join(user_file.export(session))
    return _csv(content, f"bodyworn-users-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv")


@needs("bodyworn.devices", confirmed=True)
def ask_import_users() -> ResponseReturnValue:
    """Ask for the file."""
    return pages.still(_ASK, _asking(None))


@needs("bodyworn.devices", confirmed=True)
def check_users_file() -> ResponseReturnValue:
    """Show what a file would change; nothing is changed yet."""
    mode = choice(request.args, "mode", Mode.ADD)
    try:
        data, name = _uploaded()
        mode = choice(request.form, "mode", Mode.ADD)
        file = user_file.read(data)
    except BodywornError as error:
        return pages.still(_ASK, _asking(problem_of(error), mode), 422)
    with current().database.read() as session:
        plan = user_import.plan(session, file, mode)
    ticket = current().uploads.keep(pages.actor(), data) if plan.changes else ""
    return _show(plan, mode, name, ticket, 422 if plan.mistakes else 200)


@needs("bodyworn.devices", confirmed=True)
def import_users() -> ResponseReturnValue:
    """Do what was shown; where that would be something else by now, show it again."""
    ticket, mode, name = (request.form.get(key, "") for key in ("ticket", "mode", "file_name"))
    wanted = choice({"mode": mode}, "mode", Mode.ADD)
    try:
        file = user_file.read(current().uploads.find(pages.actor(), ticket))
    except BodywornError as error:
        return pages.still(_ASK, _asking(problem_of(error), wanted), 422)
    try:
        with current().database.write() as session:
            user_importing.import_users(
                session,
                file,
                wanted,
                fingerprint=request.form.get("fingerprint", ""),
                file_name=name,
                actor=pages.actor(),
            )
    except UserImportOutdated as error:
        with current().database.read() as session:
            plan = user_import.plan(session, file, wanted)
        return _show(plan, wanted, name, ticket, 409, problem_of(error))
    current().uploads.forget(ticket)
    return pages.done(".users", "users-imported")


def _uploaded() -> tuple[bytes, str]:
    """Read the file and its name; both are bounded before anything looks at them."""
    request.max_content_length = _REQUEST_LIMIT_BYTES
    try:
        file = request.files.get("file")
    except RequestEntityTooLarge as error:
        raise UserFileTooLarge(rows=user_file.MOST_ROWS, size_mib=user_file.LARGEST_BYTES // 1024**2) from error
    data = file.stream.read(user_file.LARGEST_BYTES + 1) if file else b""
    return data, (file.filename or "") if file else ""


def _asking(problem: Problem | None, mode: Mode = Mode.ADD) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        return {"problem": problem, "mode": mode}

    return content


def _show(
    plan: Plan, mode: Mode, name: str, ticket: str, status_code: int, problem: Problem | None = None
) -> ResponseReturnValue:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        shown = {"steps": plan.changes[:_SHOWN], "mistakes": plan.mistakes[:_SHOWN]}
        return {"plan": plan, "mode": mode, "file_name": name, "ticket": ticket, "problem": problem, **shown}

    return pages.still(_CHECK, content, status_code)


def _csv(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="text/csv", headers=headers)
