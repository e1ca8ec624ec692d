"""What stands in the address of the audit log. What makes no sense is taken for its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from ..services.audit_log import AuditQuery, Cursor, Outcome, Topic, Who
from .lists import choice, search_text

#: Marks the name of one person among the values of ``who``.
NAME_MARK: Final = "@"
_LONGEST_NAME = 100
_YEARS: Final = range(1970, 2200)


@dataclass(frozen=True)
class AuditArgs:
    """What was asked for, and the addresses of what is asked for otherwise."""

    query: AuditQuery
    cursor: Cursor | None

    @classmethod
    def read(cls, args: Mapping[str, str]) -> AuditArgs:
        """Read an address."""
        who, actor = _who(args)
        query = AuditQuery(
            since=_day(args.get("from", "")),
            until=_day(args.get("until", "")),
            who=who,
            actor=actor,
            topic=choice(args, "what", Topic.ALL),
            outcome=choice(args, "result", Outcome.ALL),
            text=search_text(args),
            about=_about(args.get("about", "")),
        )
        return cls(query, _cursor(args))

    @property
    def who(self) -> str:
        """Whose events, as the address says it."""
        return NAME_MARK + self.query.actor if self.query.who is Who.ONE else str(self.query.who)

    @property
    def about(self) -> str:
        """The one thing, as the address says it."""
        return ":".join(self.query.about) if self.query.about else ""

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything is left out."""
        return bool(self.address())

    def address(self, **changes: str | date | None) -> dict[str, str]:
        """Give the arguments of this page's address, from its newest event on, some of them changed.

        None leaves one out; ``since`` stands for ``from``, which is a word of the language.
        """
        query = self.query
        there: dict[str, str | date | None] = {
            "since": query.since,
            "until": query.until,
            "who": None if query.who is Who.ANYBODY else self.who,
            "what": None if query.topic is Topic.ALL else query.topic,
            "result": None if query.outcome is Outcome.ALL else query.outcome,
            "q": query.text or None,
            "about": self.about or None,
        } | changes
        return {"from" if key == "since" else key: str(value) for key, value in there.items() if value is not None}

    def at(self, cursor: Cursor) -> dict[str, str]:
        """Give the arguments of the page at a cursor."""
        place = f"{cursor.chain_id}:{cursor.sequence}"
        return {**self.address(), "newer" if cursor.newer else "older": place}


def _day(text: str) -> date | None:
    """Read a day; one of a year in which nothing can have happened is none."""
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-03-04") else None
    except ValueError:
        return None
    return day if day and day.year in _YEARS else None


def _who(args: Mapping[str, str]) -> tuple[Who, str]:
    who = args.get("who", "")
    if who.startswith(NAME_MARK):
        return Who.ONE, who[len(NAME_MARK) :].replace("\0", "")[:_LONGEST_NAME]
    found = choice(args, "who", Who.ANYBODY)
    return (Who.ANYBODY if found is Who.ONE else found), ""


def _about(text: str) -> tuple[str, str] | None:
    kind, _, object_id = text.replace("\0", "").partition(":")
    return (kind, object_id[:_LONGEST_NAME]) if kind and object_id else None


def _cursor(args: Mapping[str, str]) -> Cursor | None:
    newer = "newer" in args
    chain_id, _, number = args.get("newer" if newer else "older", "").replace("\0", "").rpartition(":")
    if not chain_id or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    return Cursor(chain_id, int(number), newer)
