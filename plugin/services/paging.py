"""Lists of any length: a page of rows, counted and cut by the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

PAGE_ROWS = 25

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and where in it they stand."""

    rows: Sequence[Row]
    #: Rows of the whole list, as filtered.
    total: int
    #: From 1.
    number: int
    size: int = PAGE_ROWS

    @property
    def pages(self) -> int:
        """Count the pages; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Number of the first row shown, from 1; 0 when there is none."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0


def paged(
    session: Session, query: Select[Any], number: int, show: Callable[[Any], Row], size: int = PAGE_ROWS
) -> Page[Row]:
    """Fetch one page of a query over entities; a number past the end gives the last page."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = max(1, min(number, max(1, -(-total // size))))
    found = session.scalars(query.limit(size).offset((number - 1) * size)).unique()
    return Page([show(entity) for entity in found], total, number, size)


def like(text: str) -> str:
    """Make a LIKE pattern (escape ``\\``) that finds the text anywhere and takes its signs literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
