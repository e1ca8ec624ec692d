"""What makes a new passphrase good enough for a master key. Existing ones are never judged."""

from __future__ import annotations

import unicodedata
from typing import Final

from ..errors import PassphraseTooWeak

LEAST_CHARACTERS: Final = 15
LEAST_WORDS: Final = 5
LARGEST_BYTES: Final = 1024
_LEAST_DIFFERENT_CHARACTERS: Final = 5

#: Rows that fingers and minds follow; a passphrase that is a piece of one is guessed first.
_ROWS: Final = (
    "01234567890123456789012345678901234567890",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm1234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)


def check_passphrase(passphrase: str) -> None:
    """Refuse a new passphrase that is short, repeats itself or follows a row of keys; raises PassphraseTooWeak."""
    text = unicodedata.normalize("NFKC", passphrase)
    long_enough = len(text) >= LEAST_CHARACTERS or len(set(text.split())) >= LEAST_WORDS
    if not long_enough or len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES or _is_predictable(text.lower()):
        raise PassphraseTooWeak


def _is_predictable(text: str) -> bool:
    letters = "".join(text.split())
    few = len(set(letters)) < _LEAST_DIFFERENT_CHARACTERS
    repeats = letters in (letters + letters)[1:-1]
    follows = any(letters in row or letters[::-1] in row for row in _ROWS)
    return few or repeats or follows
