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
    #: False where there are more than ``total``, and nobody counted how many.
    counted: bool = True

    @property
    def pages(self) -> int:
        """Count the pages; an empty list has one."""
        return last_page(self.total, self.size)

    @property
    def has_next(self) -> bool:
        """Tell whether there may be another page after this one."""
        return self.number < self.pages or (not self.counted and len(self.rows) == self.size)

    @property
    def first(self) -> int:
        """Number of the first row shown, from 1; 0 when there is none."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0


def page_of(rows: Sequence[Row], number: int, size: int = PAGE_ROWS) -> Page[Row]:
    """Cut one page out of a list that is at hand; a number past the end gives the last page."""
    number = max(1, min(number, last_page(len(rows), size)))
    return Page(rows[(number - 1) * size : number * size], len(rows), number, size)


def paged(
    session: Session, query: Select[Any], number: int, show: Callable[[Any], Row], size: int = PAGE_ROWS
) -> Page[Row]:
    """Fetch one page of a query over entities; a number past the end gives the last page."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = max(1, min(number, last_page(total, size)))
    found = session.scalars(query.limit(size).offset((number - 1) * size)).unique()
    return Page([show(entity) for entity in found], total, number, size)


def last_page(total: int, size: int) -> int:
    """Give the number of the last page; an empty list has one."""
    return max(1, -(-total // size))


def like(text: str) -> str:
    """Make a LIKE pattern (escape ``\\``) that finds the text anywhere and takes its signs literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
