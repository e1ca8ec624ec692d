"""Verification: how what is stored has stood the checks, asking for one now, and the chain of events to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..models import Database
from ..runtime import current
from ..services import checks, event_export
from ..services.keyring import Keyring
from ..services.verification_view import verification as describe

_TEMPLATE = "bodyworn/verification.html"
#: Lines of an export travel together, because each piece costs the server a little.
_PIECE_BYTES = 64 * 1024


def add(blueprint: Blueprint) -> None:
    """Register the page, its live part, and what is done on it."""
    blueprint.add_url_rule("/verification", "verification", verification)
    blueprint.add_url_rule("/fragments/verification", "verification_fragment", verification_fragment)
    blueprint.add_url_rule("/verification/check", "check_now", check_now, methods=["POST"])
    blueprint.add_url_rule("/verification/events.jsonl", "export_events", export_events)


@needs("bodyworn.recordings")
def verification() -> ResponseReturnValue:
    """Show the page."""
    return pages.page(_TEMPLATE, _content)


@needs("bodyworn.recordings")
def verification_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment(_TEMPLATE, _content)


@needs("bodyworn.recordings")
def check_now() -> ResponseReturnValue:
    """Ask the controller to check everything now."""
    with current().database.write() as session:
        checks.request(session, pages.actor())
    return pages.done(".verification", "check-requested")


@needs("bodyworn.recordings")
def export_events() -> Response:
    """Hand out the chain of events, signed up to this request, which is itself in it."""
    runtime = current()
    with runtime.database.write() as session:
        event_export.seal(session, Keyring(runtime.data_dir / "keys"), pages.actor())
    name = f"bodyworn-events-{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_exported(runtime.database), mimetype="application/x-ndjson", headers=headers)


def _exported(database: Database) -> Iterator[bytes]:
    """Read as it is sent, in one view of the database; closing the answer ends both."""
    piece = bytearray()
    with database.read() as session:
        for line in event_export.lines(session):
            piece += line
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
    yield bytes(piece)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"verification": describe(session, now)}
