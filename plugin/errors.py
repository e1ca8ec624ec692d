"""The one tree of errors: a stable id, a sentence for the operator, what to do, and whether trying again can help.

Foreign errors are translated into these once, at the edge where they appear. Pages show :attr:`BodywornError.sentence` and
:attr:`BodywornError.mend` in the operator's language; the database keeps ``id`` and ``values`` alone, so a problem that was
recorded yesterday is shown in whatever language is spoken today. Each room has its section below.
"""

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


# --- host and plugin -------------------------------------------------------------------------------------------------


class Incompatible(BodywornError):
    """Raised by ``setup`` when the host cannot run this version of the plugin."""

    id = "incompatible"
    sentence = "This host cannot run the body worn plugin: {reason}."
    mend = "Install the version of the plugin that the host asks for, or update the host."


class SetupFailed(BodywornError):
    """Raised by ``setup`` when a part of the host that the plugin relies on is missing or refuses."""

    id = "setup-failed"
    sentence = "The body worn plugin could not be set up: {reason}."
    mend = "Correct the host's configuration and load the plugin again."


class NotReady(BodywornError):
    """Raised by ``start`` when a service cannot run yet; the host tries again later."""

    id = "not-ready"
    sentence = "The body worn plugin is not ready: {reason}."
    mend = "Nothing needs to be done; it is tried again."
    retry = True
