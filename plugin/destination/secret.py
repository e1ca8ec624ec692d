"""What must not be seen: it prints as nothing, so that no log, error or traceback can show it."""

from __future__ import annotations

import hmac
from typing import Final


class Secret:
    """Hold a secret text; equality takes the same time whatever differs, and nothing prints or encodes it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """Return the text itself; call this only to send or seal it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


class SecretHeaders(dict[str, str]):
    """Headers of a request, some of which are secret: only their names are printed."""

    def __repr__(self) -> str:
        return f"SecretHeaders({', '.join(self)})"

    def copy(self) -> SecretHeaders:
        """Copy them into headers that are as discreet; HTTP libraries do so."""
        return SecretHeaders(self)
