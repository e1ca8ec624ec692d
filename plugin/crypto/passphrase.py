"""What makes a new passphrase good enough for a master key. Existing ones are never judged."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zxcvbn import zxcvbn

from ..errors import PassphraseTooWeak

LEAST_CHARACTERS: Final = 15
LEAST_WORDS: Final = 5
LARGEST_BYTES: Final = 1024
#: Of five, from 0: beyond ten thousand million guesses.
LEAST_SCORE: Final = 4
#: What one guess costs a thief with a machine like ours, at the usual cost of a master key.
SECONDS_A_GUESS: Final = 0.6
#: What comes after makes no passphrase weaker, and takes the library seconds.
_JUDGED_CHARACTERS: Final = 64

#: The library keeps the words of its caller in a place that all callers share.
_one_judgement = threading.Lock()


@dataclass(frozen=True)
class Strength:
    """How hard a passphrase is to guess for whoever knows what people choose."""

    #: From 0 to 4.
    score: int
    guesses: float
    #: Whether it has the characters or words that are asked for.
    long_enough: bool

    @property
    def seconds(self) -> float:
        """How long a thief guesses with one machine, who has the master key's file."""
        return self.guesses * SECONDS_A_GUESS

    @property
    def good_enough(self) -> bool:
        """Whether it may become the passphrase of a master key."""
        return self.long_enough and self.score >= LEAST_SCORE


def strength(passphrase: str, *, also: Sequence[str] = ()) -> Strength:
    """Judge a passphrase; ``also`` are words that are guessed first here, such as the names of system and person."""
    text = unicodedata.normalize("NFKC", passphrase)
    judged = text[:_JUDGED_CHARACTERS]
    if not judged:
        return Strength(0, 1.0, long_enough=False)
    with _one_judgement:
        found = zxcvbn(judged, [word for given in also for word in (given, *given.split())], len(judged))
    return Strength(int(found["score"]), float(found["guesses"]), _is_long_enough(text))


def check_passphrase(passphrase: str, *, also: Sequence[str] = ()) -> None:
    """Refuse a new passphrase that is short, or that others would guess; raises PassphraseTooWeak."""
    too_large = len(passphrase.encode("utf-8", "surrogatepass")) > LARGEST_BYTES
    if too_large or not passphrase.strip() or not strength(passphrase, also=also).good_enough:
        raise PassphraseTooWeak


def _is_long_enough(text: str) -> bool:
    return len(text) >= LEAST_CHARACTERS or len(set(text.split())) >= LEAST_WORDS
