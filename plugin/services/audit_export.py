"""A filtered audit log as a file: a table for people, JSON lines for programs.

A part of a chain proves nothing about what was left out. The export of the whole chain does (``event_export``); each
line here carries the number and hash under which its event stands there.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Select
from sqlalchemy.orm import Session

from ..models import Event
from . import event_export, history, things
from .history import EventLine
from .sentence import Sentence
from .things import Thing

#: Puts a sentence into the reader's language.
Say = Callable[[Sentence], str]

_TOGETHER: Final = 500
_COLUMNS: Final = (
    "time_utc",
    "actor",
    "address",
    "what",
    "kind",
    "name",
    "result",
    "problem",
    "action",
    "object_kind",
    "object_id",
    "detail",
    "chain",
    "sequence",
    "hash",
)
#: Spreadsheets take what begins like this for a formula, and strangers choose the names they try to sign in with.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def table(session: Session, query: Select[Event], say: Say) -> Iterator[bytes]:
    """Write events as CSV, UTF-8 with the mark that spreadsheets look for; constant memory."""
    yield "\ufeff".encode()
    yield _row(_COLUMNS)
    for found in _together(session, query):
        about = things.of(session, found)
        for event, line in zip(found, history.lines(session, found), strict=True):
            yield _row(_cells(event, line, about[event.object_kind, event.object_id], say))


def lines(session: Session, query: Select[Event]) -> Iterator[bytes]:
    """Write events as JSON lines, as the export of the whole chain does; constant memory."""
    for found in _together(session, query):
        for event in found:
            yield msgspec.json.encode(event_export.happened(event)) + b"\n"


def _together(session: Session, query: Select[Event]) -> Iterator[Sequence[Event]]:
    rows = session.scalars(query.execution_options(yield_per=_TOGETHER))
    for found in rows.partitions():
        yield found
        session.expunge_all()


def _cells(event: Event, line: EventLine, thing: Thing, say: Say) -> Sequence[str]:
    return (
        event.at.isoformat(),
        event.actor,
        event.address,
        say(line.what),
        say(thing.word),
        say(thing.name) if thing.name else "",
        event.result,
        say(line.problem.sentence) if line.problem else "",
        event.action,
        event.object_kind,
        event.object_id,
        json.dumps(event.detail, ensure_ascii=False, sort_keys=True),
        event.chain_id,
        str(event.sequence),
        event.hash,
    )


def _row(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue().encode()
