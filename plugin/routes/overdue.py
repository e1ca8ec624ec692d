"""The overdue board: who has not docked, and how many days are left until their cameras lock themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.lists import page_number
from ..services import overdue

_TEMPLATE = "bodyworn/overdue.html"


def add(blueprint: Blueprint) -> None:
    """Register the page and its live part."""
    blueprint.add_url_rule("/devices/overdue", "overdue", show_overdue)
    blueprint.add_url_rule("/fragments/overdue", "overdue_fragment", overdue_fragment)


@needs("bodyworn.view")
def show_overdue() -> ResponseReturnValue:
    """Show the page."""
    return pages.page(_TEMPLATE, _content)


@needs("bodyworn.view")
def overdue_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment(_TEMPLATE, _content)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"page": overdue.board(session, now, page_number(request.args))}
