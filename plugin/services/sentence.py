"""What services say to people: sentences in no particular language yet, tones, and problems. Pages translate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..errors import BodywornError, describe

#: What a sentence may be filled with; pages format moments and nothing else.
Value = str | int | float | datetime


class Tone(StrEnum):
    """How loudly something is shown; each tone has a shape and a colour, and is always beside a word."""

    OKAY = "okay"
    #: Somebody should see to it, nothing is broken.
    ATTENTION = "attention"
    PROBLEM = "problem"
    #: Something really moves.
    MOVING = "moving"
    INACTIVE = "inactive"


#: Loudest first.
LOUDNESS = (Tone.PROBLEM, Tone.ATTENTION, Tone.MOVING, Tone.OKAY, Tone.INACTIVE)


@dataclass(frozen=True)
class Sentence:
    """A sentence in English, which is the key of its translations, and what to fill it with."""

    one: str
    values: Mapping[str, Value] = field(default_factory=dict)
    #: The plural, where there is one; ``values["n"]`` decides.
    many: str | None = None


@dataclass(frozen=True)
class Problem:
    """A problem as the database keeps it, in sentences."""

    id: str
    sentence: Sentence
    #: What to do about it; None when nothing is needed.
    mend: Sentence | None
    #: True when it may go away by itself.
    passing: bool


def sentence(text: str, **values: Value) -> Sentence:
    """Make a sentence; its first argument is collected into the catalogue."""
    return Sentence(text, values)


def plural(one: str, many: str, n: int, **values: Value) -> Sentence:
    """Make a sentence about ``n`` things; both forms are collected into the catalogue."""
    return Sentence(one, {"n": n, **values}, many)


def named(name: str) -> Sentence:
    """Let a name stand for itself, in every language."""
    return Sentence("{name}", {"name": name})


def problem(problem_id: str | None, values: Mapping[str, Any] | None = None) -> Problem | None:
    """Put a stored problem into sentences; None when there is none."""
    if problem_id is None:
        return None
    error = describe(problem_id)
    return _problem(problem_id, error, values or {})


def problem_of(error: BodywornError) -> Problem:
    """Put an error that has just happened into sentences."""
    return _problem(error.id, type(error), error.values)


def loudest(tones: list[Tone], default: Tone = Tone.OKAY) -> Tone:
    """Give the tone that a person must see first."""
    return min(tones, key=LOUDNESS.index, default=default)


def _problem(problem_id: str, error: type[BodywornError], values: Mapping[str, Any]) -> Problem:
    plain = {key: value for key, value in values.items() if isinstance(value, str | int | float)}
    mend = Sentence(error.mend, plain) if error.mend else None
    return Problem(problem_id, Sentence(error.sentence, plain), mend, error.retry)


def marked(text: str) -> str:
    """Give the text back as it is; it is collected into the catalogue and translated where it is shown."""
    return text
