"""System status: what needs a person, the docks, the latest recordings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..runtime import current
from ..services import checklist, devices, integrations, recording_list

_LATEST = 6


def add(blueprint: Blueprint) -> None:
    """Register the page and its live part."""
    pages.install(blueprint)
    blueprint.add_url_rule("/", "status", status)
    blueprint.add_url_rule("/fragments/status", "status_fragment", status_fragment)


@needs("bodyworn.view")
def status() -> ResponseReturnValue:
    """Show the page."""
    return pages.page("bodyworn/status.html", _content)


@needs("bodyworn.view")
def status_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment("bodyworn/status.html", _content)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    may_see_recordings = current().host.can("bodyworn.recordings")
    return {
        "tasks": checklist.left_to_do(session) if current().host.can("bodyworn.devices") else (),
        "packages": integrations.standing(session, now),
        "docks": devices.docks(session, now),
        "latest": recording_list.latest(session, _LATEST) if may_see_recordings else None,
    }
