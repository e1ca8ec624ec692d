"""What is said about passwords: why one is refused, how strong one is, how old one has become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .database import now
from .language import gettext as _, ngettext
from .passwords import ADVISED_CHARACTERS, LEAST_CHARACTERS, Refusal, refusal

YEAR = timedelta(days=365)
#: What is looked at of longer ones; the estimate takes no more.
_MOST_CHARACTERS = 72


@dataclass(frozen=True)
class Strength:
    """How hard a password is to guess."""

    #: 0: refused, 1 to 4: from weak to very strong.
    score: int
    words: str


@dataclass(frozen=True)
class Age:
    """How long a password has been in use."""

    words: str
    #: True after a year; changing is advised then, never forced.
    is_old: bool


def why(reason: Refusal) -> str:
    """Say why a password is refused."""
    if reason is Refusal.SHORT:
        return _("This password is too short: it needs %(least)s characters at least.", least=LEAST_CHARACTERS)
    if reason is Refusal.LONG:
        return _("This password is too long: it may take 256 bytes at most.")
    if reason is Refusal.NAMED:
        return _("This password is the name of the account. Choose another one.")
    return _("This is one of the most common passwords, which are tried first. Choose another one.")


def strength(password: str, name: str) -> Strength:
    """Estimate a password of an account."""
    reason = refusal(password, name)
    if reason is not None:
        return Strength(0, why(reason))
    # imported here: only new passwords are worth the moment that reading the lists takes
    from zxcvbn import zxcvbn

    score = max(1, int(zxcvbn(password[:_MOST_CHARACTERS], user_inputs=[name, "harbour", "vms"])["score"]))
    return Strength(score, _words(score, len(password)))


def age(changed_at: datetime) -> Age:
    """Say how old a password is."""
    passed = now() - changed_at
    if passed.days < 1:
        return Age(_("Changed today"), is_old=False)
    return Age(ngettext("%(num)s day old", "%(num)s days old", passed.days), passed >= YEAR)


def _words(score: int, length: int) -> str:
    words = {
        1: _("Weak: it is allowed, but easily guessed."),
        2: _("Fair: guessed by somebody who means it."),
        3: _("Good."),
        4: _("Very strong."),
    }[score]
    if length >= ADVISED_CHARACTERS:
        return words
    return words + " " + _("%(advised)s characters or more are advised.", advised=ADVISED_CHARACTERS)
