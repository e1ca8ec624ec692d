"""Password hashes: Argon2id, at most two at a time, and as slow for an unknown account as for a known one.

Which passwords are refused is decided here, how that is said in ``password_words``. There are no rules of composition:
length, not being on the list of common ones, and not being the account's own name (NIST SP 800-63B).
"""

from __future__ import annotations

import secrets
from enum import Enum
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .settings import PasswordCost

LEAST_CHARACTERS = 8
ADVISED_CHARACTERS = 15
MOST_BYTES = 256


class Refusal(Enum):
    """Why a password may not be one."""

    SHORT = "too short"
    LONG = "too long"
    COMMON = "among the most common ones"
    NAMED = "the name of the account"


class PasswordRefused(Exception):
    """Raised for a password that may not be one."""

    def __init__(self, reason: Refusal) -> None:
        """Keep the reason; the password itself stands nowhere."""
        super().__init__(
            f"This password is {reason.value}. It needs {LEAST_CHARACTERS} characters at least and {MOST_BYTES} bytes "
            "at most, and must be neither a common one nor the account's name."
        )
        self.reason = reason


class Passwords:
    """Hashes and checks passwords at one cost. Thread-safe; memory is bounded, because only two run at once."""

    def __init__(self, cost: PasswordCost) -> None:
        """Prepare a hash that no password matches, for accounts that do not exist."""
        memory_kib, passes, lanes = cost.value
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._turn = BoundedSemaphore(2)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: str, name: str = "") -> str:
        """Hash a new password for an account of that name.

        :raises PasswordRefused: when it is too short, too long, common, or the name.
        """
        reason = refusal(password, name)
        if reason is not None:
            raise PasswordRefused(reason)
        return self.renew(password)

    def renew(self, password: str) -> str:
        """Hash a password that was accepted before."""
        with self._turn:
            return self._hasher.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Check a password; None stands for an account that does not exist and takes as long."""
        if len(password.encode()) > MOST_BYTES:
            return False
        with self._turn:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost and should be made again at the next sign-in."""
        return self._hasher.check_needs_rehash(stored)


def refusal(password: str, name: str = "") -> Refusal | None:
    """Tell why a password may not be that of an account, or None when it may."""
    if len(password) < LEAST_CHARACTERS:
        return Refusal.SHORT
    if len(password.encode()) > MOST_BYTES:
        return Refusal.LONG
    if name and password.casefold() in (name.casefold(), name.casefold()[::-1]):
        return Refusal.NAMED
    return Refusal.COMMON if is_common(password) else None


def is_common(password: str) -> bool:
    """Tell whether a password is among the 30,000 that leaked most often."""
    # imported here, because reading the lists takes a moment that only new passwords are worth
    from zxcvbn.matching import RANKED_DICTIONARIES

    return password.casefold() in RANKED_DICTIONARIES["passwords"]


def generate() -> str:
    """Make up a password of 120 bits that can be read out and typed."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(6)) for _ in range(4))
