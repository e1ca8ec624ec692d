"""Secrets at rest on this machine: sealed with a key file that only the service's user can read.

It keeps what falls into other hands without the machine (a database dump, a copy of the data folder without its key)
useless. Which secrets there are, and where the sealed bytes lie, is not known here.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import SealBroken, SealKeyUnsafe

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_VERSION: Final = b"\x01"


class SealedBox:
    """Seals and opens secrets; each is bound to its purpose, so one cannot be passed off as another. Thread-safe."""

    def __init__(self, key_file: Path) -> None:
        """Read the machine's key, or make it where there is none.

        Raises:
            SealKeyUnsafe: the key file is damaged, or others may read it.
            OSError: there is none, and none can be written.
        """
        if not key_file.exists():
            _create(key_file)
        self._cipher = AESGCM(_read(key_file))

    def seal(self, purpose: str, secret: bytes) -> bytes:
        """Encrypt a secret for one purpose."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _bound_to(purpose))

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed here for the same purpose; raises SealBroken."""
        if sealed[:1] != _VERSION or len(sealed) < len(_VERSION) + _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _bound_to(purpose))
        except InvalidTag as error:
            raise SealBroken from error


def _bound_to(purpose: str) -> bytes:
    return b"bodyworn/sealed/v1\0" + purpose.encode("utf-8")


def _create(key_file: Path) -> None:
    """Write a new key durably, whole or not at all; where another process was faster, its key stays."""
    draft = key_file.with_name(f".{key_file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _link_unless_there(draft, key_file)
    finally:
        draft.unlink()
    _sync_folder(key_file.parent)


def _link_unless_there(draft: Path, key_file: Path) -> None:
    try:
        os.link(draft, key_file)
    except FileExistsError:
        return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(key_file: Path) -> bytes:
    try:
        with open(key_file, "rb", opener=_open_without_following) as file:
            about = os.fstat(file.fileno())
            key = file.read(_KEY_BYTES + 1)
    except OSError as error:
        raise SealKeyUnsafe from error
    if not stat.S_ISREG(about.st_mode) or about.st_mode & 0o077 or len(key) != _KEY_BYTES:
        raise SealKeyUnsafe
    return key


def _open_without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
