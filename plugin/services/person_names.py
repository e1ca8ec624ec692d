"""What people and their numbers may be called: any script, one line, nothing that hides or turns text around."""

from __future__ import annotations

import unicodedata
from typing import Final

from ..destination.legible import is_legible
from ..errors import UserIdUnfit, UserNameUnfit

LONGEST_NAME: Final = 100
LONGEST_USER_ID: Final = 64
#: They make the rest of a line run the other way, so that one name can look like another.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Letters, numbers, punctuation and symbols: what can be seen without anything else.
_VISIBLE: Final = frozenset("LNPS")


def name_of(text: str) -> str:
    """Give a person's name as it is kept: composed characters, single blanks.

    :raises UserNameUnfit: when nothing of it can be seen, or it is too long, or has characters that no name has.
    """
    name = _tidy(text)
    if name is None or not name or len(name) > LONGEST_NAME:
        raise UserNameUnfit(longest=LONGEST_NAME)
    return name


def user_id_of(text: str) -> str | None:
    """Give an organisation's number for a person as it is kept; None when there is none.

    :raises UserIdUnfit: when it is too long, or has characters that cannot be read.
    """
    if not text.strip():
        return None
    user_id = _tidy(text)
    if not user_id or len(user_id) > LONGEST_USER_ID:
        raise UserIdUnfit(longest=LONGEST_USER_ID)
    return user_id


def line_of(text: str, longest: int) -> str | None:
    """Give what something else is called, by the same rules; None when it is empty, too long, or cannot be read."""
    tidy = _tidy(text)
    return tidy if tidy and len(tidy) <= longest else None


def _tidy(text: str) -> str | None:
    """Compose and trim; None when it cannot be read."""
    if not is_legible(text) or _TURNING & set(text):
        return None
    tidy = " ".join(unicodedata.normalize("NFC", text).split())
    return tidy if any(unicodedata.category(one)[0] in _VISIBLE for one in tidy) else None
