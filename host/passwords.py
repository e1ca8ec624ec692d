"""Password hashes: Argon2id, at most two at a time, and as slow for an unknown account as for a known one."""

from __future__ import annotations

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .settings import PasswordCost

LEAST_CHARACTERS = 8
MOST_BYTES = 256


class PasswordRefused(Exception):
    """Raised for a password that is too short or too long."""


class Passwords:
    """Hashes and checks passwords at one cost. Thread-safe; memory is bounded, because only two run at once."""

    def __init__(self, cost: PasswordCost) -> None:
        """Prepare a hash that no password matches, for accounts that do not exist."""
        memory_kib, passes, lanes = cost.value
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._turn = BoundedSemaphore(2)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: str) -> str:
        """Hash a new password.

        :raises PasswordRefused: below 8 characters or above 256 bytes.
        """
        if len(password) < LEAST_CHARACTERS or len(password.encode()) > MOST_BYTES:
            raise PasswordRefused(
                f"A password has {LEAST_CHARACTERS} characters at least and {MOST_BYTES} bytes at most."
            )
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


def generate() -> str:
    """Make up a password of 120 bits that can be read out and typed."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(6)) for _ in range(4))
