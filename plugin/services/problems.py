"""Problems that stand on a row: which error it was, and the values its sentence names."""

from __future__ import annotations

from typing import Any, Protocol

from ..errors import BodywornError, describe


class Troubled(Protocol):
    """Any row with the two columns."""

    problem_id: Any
    problem_values: Any


def note(row: Troubled, error: BodywornError) -> None:
    """Write an error down on a row."""
    row.problem_id, row.problem_values = error.id, dict(error.values)


def clear(row: Troubled) -> None:
    """Write down that there is no problem any more."""
    row.problem_id = row.problem_values = None


def read(row: Troubled) -> BodywornError | None:
    """Give the error that stands on a row, with its sentence and what to do, or None."""
    if row.problem_id is None:
        return None
    return describe(str(row.problem_id))(**(row.problem_values or {}))
