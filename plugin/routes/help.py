"""Help: its index, what was found in it, and each topic. It is text in the page, searched on the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..contract import SupportingHost
from ..runtime import current
from ..services import help as topics


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    blueprint.add_url_rule("/help", "help", show_help)
    blueprint.add_url_rule("/help/<topic_id>", "help_topic", show_topic)


@needs("bodyworn.view", during_setup=True)
def show_help() -> ResponseReturnValue:
    """Show all topics, or those in which the words of a question stand."""
    question = request.args.get("q", "").strip()
    found = topics.search(question, pages.PageTools().figures.say)
    return pages.still("bodyworn/help.html", _contact, question=question, found=found, topics=topics.topics())


@needs("bodyworn.view", during_setup=True)
def show_topic(topic_id: str) -> ResponseReturnValue:
    """Show one topic."""
    topic = topics.topic(topic_id)
    if topic is None:
        abort(404)
    return pages.still("bodyworn/help_topic.html", _contact, topic=topic)


def _contact(_session: Session, _now: datetime) -> Mapping[str, Any]:
    """Name whom the host sends people to who need more than this."""
    host = current().host
    return {"contact": cast(SupportingHost, host).support_contact() if host.supports("support") else ""}
