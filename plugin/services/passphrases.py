"""New passphrases as people are told of them: good enough or not, and how long a thief would guess.

What is judged is in the crypto room; an existing passphrase is never judged.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from ..crypto.passphrase import Strength, check_passphrase, strength
from .sentence import Sentence, Tone, plural, sentence

#: What whoever guesses at a system like this tries first.
_OBVIOUS = ("bodyworn", "body worn", "camera", "master key", "passphrase")
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY
_MOST_YEARS = 10_000


@dataclass(frozen=True)
class Judgement:
    """What is said of a new passphrase while it is entered."""

    #: From 0 to 4, for a meter.
    score: int
    tone: Tone
    word: Sentence
    text: Sentence
    good_enough: bool


def check(passphrase: str, *, actor: str) -> None:
    """Refuse a new passphrase that is short, or that others would guess; raises PassphraseTooWeak."""
    check_passphrase(passphrase, also=_known(actor))


def judge(passphrase: str, *, actor: str) -> Judgement:
    """Say how good a new passphrase is, by the same rules that refuse it."""
    found = strength(passphrase, also=_known(actor))
    if not found.long_enough:
        text = sentence("Use at least five words, or fifteen characters.")
        return Judgement(0, Tone.ATTENTION, sentence("Too short"), text, good_enough=False)
    if not found.good_enough:
        return Judgement(min(found.score, 3), Tone.PROBLEM, sentence("Easy to guess"), _time(found), good_enough=False)
    return Judgement(found.score, Tone.OKAY, sentence("Hard to guess"), _time(found), good_enough=True)


def _known(actor: str) -> Sequence[str]:
    return [*_OBVIOUS, actor, socket.gethostname()]


def _time(found: Strength) -> Sentence:
    """Say how long somebody guesses who stole the file, on one machine; with more machines it is less."""
    seconds = found.seconds
    if seconds < 2 * _MINUTE:
        return sentence("Whoever has the master key guesses it within two minutes.")
    if seconds < _DAY:
        hours = max(1, round(seconds / _HOUR))
        return plural(
            "Whoever has the master key guesses it within {n} hour.",
            "Whoever has the master key guesses it within {n} hours.",
            hours,
        )
    if seconds < _YEAR:
        days = round(seconds / _DAY)
        return plural(
            "Whoever has the master key guesses it in about {n} day with one machine.",
            "Whoever has the master key guesses it in about {n} days with one machine.",
            days,
        )
    if seconds < _MOST_YEARS * _YEAR:
        years = round(seconds / _YEAR)
        return plural(
            "Whoever has the master key guesses it in about {n} year with one machine.",
            "Whoever has the master key guesses it in about {n} years with one machine.",
            years,
        )
    return sentence("Whoever has the master key guesses for more than ten thousand years with one machine.")
