"""Certificates as pages show them: the state of each, and what browsers will have against one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..crypto.certificates import Facts
from .certificate_store import Stored
from .sentence import Problem, Sentence, Tone, problem_of, sentence


@dataclass(frozen=True)
class Line:
    """One certificate in the list."""

    stored: Stored
    tone: Tone
    word: Sentence
    is_served: bool
    problem: Problem | None


def line(stored: Stored, *, is_served: bool, waits: bool, now: datetime) -> Line:
    """Give a certificate its state; ``waits``: what is served has to be confirmed yet."""
    tone, word = _state(stored, is_served, waits, now)
    return Line(stored, tone, word, is_served, problem_of(stored.problem) if stored.problem else None)


def _state(stored: Stored, is_served: bool, waits: bool, now: datetime) -> tuple[Tone, Sentence]:
    if stored.facts is None:
        return Tone.PROBLEM, sentence("Damaged")
    if is_served and waits:
        return Tone.MOVING, sentence("Waiting to be confirmed")
    if stored.facts.valid_until <= now:
        return Tone.PROBLEM, sentence("Active, and expired") if is_served else sentence("Expired")
    if stored.ends_soon(now):
        return Tone.ATTENTION, sentence("Active, and ends soon") if is_served else sentence("Ends soon")
    return (Tone.OKAY, sentence("Active")) if is_served else (Tone.INACTIVE, sentence("Not active"))


def warnings(stored: Stored, former: Facts | None, *, host: str, now: datetime) -> list[Sentence]:
    """Say what browsers will have against a certificate, when it follows ``former`` and people come by ``host``."""
    facts = stored.facts
    if facts is None:
        return []
    found = []
    if facts.valid_until <= now:
        found.append(sentence("It has expired: browsers will warn everybody who opens a page here."))
    if not covers(facts.names, host):
        found.append(sentence("It is not made for {host}, by which you came: browsers will warn there.", host=host))
    if facts.is_self_signed:
        found.append(sentence("It is self-signed: every browser asks once whether to trust it."))
    if facts.is_self_signed and former is not None and not former.is_self_signed:
        found.append(
            sentence(
                "Browsers that came by host name over the present certificate refuse a self-signed one for up to a "
                "month, without asking."
            )
        )
    return found


def covers(names: tuple[str, ...], host: str) -> bool:
    """Tell whether a certificate is for a host; a wildcard stands for one label."""
    host = host.casefold()
    wildcard = f"*.{host.partition('.')[2]}"
    return any(name.casefold() in (host, wildcard) for name in names)
