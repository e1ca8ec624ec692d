"""System status: what needs a person, the docks, the latest recordings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.lists import page_number
from ..runtime import current
from ..services import checklist, dock_list, integrations, recording_list, status_document
from ..services.message import Message

_LATEST = 6


def add(blueprint: Blueprint) -> None:
    """Register the page and its live part."""
    pages.install(blueprint)
    blueprint.add_url_rule("/", "status", status)
    blueprint.add_url_rule("/fragments/status", "status_fragment", status_fragment)
    blueprint.add_url_rule("/api/status.json", "status_json", status_json)


@needs("bodyworn.view")
def status() -> ResponseReturnValue:
    """Show the page."""
    return pages.page("bodyworn/status.html", _content)


@needs("bodyworn.view")
def status_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment("bodyworn/status.html", _content)


@needs("bodyworn.view")
def status_json() -> Response:
    """Tell the same to programs, in the language of the request."""
    tools = pages.PageTools()
    document = status_document.encode(tools.status(), datetime.now(UTC), tools.figures.say, _page_of, tools.help_row)
    return Response(document, mimetype="application/json")


def _page_of(message: Message) -> str:
    values: dict[str, Any] = {**message.values}
    return url_for(f".{message.endpoint}", **values)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    may_see_recordings = current().host.can("bodyworn.recordings")
    return {
        "tasks": checklist.left_to_do(session) if current().host.can("bodyworn.devices") else (),
        "packages": integrations.standing(session, now),
        "docks": dock_list.dock_list(session, now, page_number(request.args, "docks")),
        "latest": recording_list.latest(session, _LATEST) if may_see_recordings else None,
    }
