"""Which texts may be shown and sent: any script, but no control characters, half characters or breaks of lines."""

from __future__ import annotations

import unicodedata
from typing import Final

_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_legible(text: str) -> bool:
    """Tell whether a text has none of the characters that break lines, headers or names."""
    return (text.isascii() and text.isprintable()) or not any(unicodedata.category(one) in _UNFIT for one in text)
