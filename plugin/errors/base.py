"""The base of the tree of errors, and how a stored problem finds its error again."""

from __future__ import annotations

from typing import ClassVar


class BodywornError(Exception):
    """Base of the tree.

    Values named in a sentence are passed as keywords and must be plain strings or numbers, never secrets.
    """

    #: Stable name of the problem, in logs, database, API and help.
    id: ClassVar[str] = "internal"
    #: What happened, for the operator; ``str.format`` fields are taken from the values.
    sentence: ClassVar[str] = "Something unexpected happened."
    #: What the operator can do about it; empty when nothing is needed.
    mend: ClassVar[str] = "Download a system report and contact support."
    #: True when the same action may succeed later without anybody doing anything.
    retry: ClassVar[bool] = False

    def __init__(self, **values: str | int | float) -> None:
        self.values = values
        super().__init__(self.sentence.format(**values))

    @property
    def advice(self) -> str:
        """What the operator can do about it, with the values filled in; in English, like ``str()``."""
        return self.mend.format(**self.values)


def describe(problem_id: str) -> type[BodywornError]:
    """Find the error class of a stored problem id; the base class when the id is of another version."""
    return _by_id().get(problem_id, BodywornError)


def every_error() -> list[type[BodywornError]]:
    """List the whole tree, base first; each id occurs once (a test holds that)."""
    found: list[type[BodywornError]] = [BodywornError]
    for parent in found:
        found.extend(parent.__subclasses__())
    return found


def _by_id() -> dict[str, type[BodywornError]]:
    return {error.id: error for error in every_error()}
