"""The audit log: who did what, when, from where, with what result; and what of it is taken away as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.audit_log import NAME_MARK, AuditArgs
from ..models import Database
from ..runtime import current
from ..services import audit_export, audit_log, events, history, systems, things
from ..services.audit_log import AuditLine, AuditPage, AuditQuery, Who
from ..text import translator

_TEMPLATE = "bodyworn/audit_log.html"
#: Days that are offered to look back.
_DAYS: Final = (1, 7, 30)
#: Lines of an export travel together, because each piece costs the server a little.
_PIECE_BYTES: Final = 64 * 1024


def add(blueprint: Blueprint) -> None:
    """Register the page and its files."""
    blueprint.add_url_rule("/support/audit-log", "audit_log", show_audit_log)
    blueprint.add_url_rule("/support/audit-log/events.csv", "export_audit_csv", export_audit_csv)
    blueprint.add_url_rule("/support/audit-log/events.jsonl", "export_audit_lines", export_audit_lines)


@needs("bodyworn.audit")
def show_audit_log() -> ResponseReturnValue:
    """Show the page; it stands still, so that nobody loses the line they read."""
    return pages.still(_TEMPLATE, _content)


@needs("bodyworn.audit")
def export_audit_csv() -> Response:
    """Hand out the filtered log as a table, in the reader's language."""
    say = pages.PageTools().figures.say
    return _export("csv", "text/csv", lambda session, query: audit_export.table(session, query, say))


@needs("bodyworn.audit")
def export_audit_lines() -> Response:
    """Hand out the filtered log as JSON lines, with everything that the hashes cover."""
    return _export("jsonl", "application/x-ndjson", audit_export.lines)


def _export(kind: str, mimetype: str, write: Callable[[Session, Any], Iterator[bytes]]) -> Response:
    """Write down who takes it, and with which filter; that event is in it where it fits the filter."""
    runtime = current()
    args, query = _wanted()
    if request.method == "GET":
        with runtime.database.write() as session:
            system = systems.find(session)
            kept = {f"filter_{key}": value for key, value in args.address().items()}
            about = system.id if system else ""
            events.record(session, "audit-log.exported", "system", about, actor=pages.actor(), format=kind, **kept)
    zone = pages.zone()

    def selected(session: Session) -> Iterator[bytes]:
        return write(session, audit_log.newest_first(audit_log.matching(session, query, zone)))

    name = f"bodyworn-audit-log-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_pieces(runtime.database, selected), mimetype=mimetype, headers=headers)


def _pieces(database: Database, write: Callable[[Session], Iterator[bytes]]) -> Iterator[bytes]:
    """Read as it is sent, in one view of the database; closing the answer ends both."""
    piece = bytearray()
    with database.read() as session:
        for line in write(session):
            piece += line
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
    yield bytes(piece)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    zone = pages.zone()
    args, query = _wanted()
    today = now.astimezone(zone).date()
    log = audit_log.page(session, query, zone, args.cursor)
    return {
        "args": args,
        "wanted": query,
        "log": log,
        "most": audit_log.COUNTED_EVENTS,
        "days": _by_day(log, zone),
        "who": _people(session, args),
        "about": things.one(session, *query.about) if query.about else None,
        "periods": [(days, today - timedelta(days=days - 1)) for days in _DAYS],
    }


def _by_day(log: AuditPage, zone: ZoneInfo) -> list[tuple[datetime, list[AuditLine]]]:
    """Put events of one day together; each day is named by its newest event."""
    days = groupby(log.lines, key=lambda line: line.event.at.astimezone(zone).date())
    return [(together[0].event.at, together) for together in (list(lines) for _, lines in days)]


def _people(session: Session, args: AuditArgs) -> list[tuple[str, str]]:
    """List whose events can be chosen: value and name; whoever was asked for is among them."""
    gettext = translator(current().host.locale()).gettext
    asked = {args.query.actor: args.query.actor} if args.query.actor else {}
    names = sorted((asked | audit_log.people(session)).items(), key=lambda one: one[1].casefold())
    groups = [
        (str(Who.ANYBODY), gettext("Anybody")),
        (str(Who.PEOPLE), gettext("People")),
        (str(Who.SYSTEM), gettext("The system")),
    ]
    return groups + [(NAME_MARK + actor, name) for actor, name in names]


def _wanted() -> tuple[AuditArgs, AuditQuery]:
    args = AuditArgs.read(request.args)
    return args, replace(args.query, actions=_meant(args.query.text)) if args.query.text else args.query


def _meant(text: str) -> tuple[str, ...]:
    """Find the actions whose names, or sentences as this reader sees them, hold the text."""
    say, sought = pages.PageTools().figures.word, text.casefold()
    return tuple(one for one, told in history.sentences().items() if sought in f"{one}\n{say(told)}".casefold())
