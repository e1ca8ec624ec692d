"""Decryption of stored content: whole objects with their proof, or a range of one. Writing is in ``content.py``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ..const import BLOCK_BYTES
from ..errors import ContentDamaged
from .key_object import ContentKey, OpenedKey, open_for_destination, open_for_recovery

Buffer: TypeAlias = bytes | memoryview

CIPHER_BLOCK_BYTES: Final = 16


class Decryption:
    """AES-256-CBC whose last cipher block is held back, because it shows only at the end how much of it is padding."""

    def __init__(self, content_key: ContentKey) -> None:
        self._decryptor = _decryptor(content_key, content_key.iv)
        self._held = b""

    def open(self, block: Buffer, room: bytearray) -> memoryview:
        """Decrypt the next bytes into ``room`` of ``room_bytes(block)`` at least; the result is a view of it."""
        held = len(self._held)
        room[:held] = self._held
        end = held + self._decryptor.update_into(block, memoryview(room)[held:])
        ready = max(0, end - CIPHER_BLOCK_BYTES)
        self._held = bytes(room[ready:end])
        return memoryview(room)[:ready]

    def finish(self) -> bytes:
        """Give the rest of the plaintext; raises ContentDamaged where the padding does not hold."""
        try:
            self._decryptor.finalize()
        except ValueError as error:
            raise ContentDamaged from error
        return _without_padding(self._held)


def room_bytes(block: Buffer) -> int:
    """Tell how much room the decryption of a block may need: what is held back, the block, the cipher's slack."""
    return CIPHER_BLOCK_BYTES + len(block) + CIPHER_BLOCK_BYTES - 1


def decrypt_clip(blocks: Iterable[Buffer], key_object: bytes, private_key_pem: bytes) -> Iterator[Buffer]:
    """Decrypt an object with the destination's private key.

    Raises:
        KeyObjectRefused: at once, when the key object is damaged or was made for another key.
        ContentDamaged: at the end of the stream, as ``decrypt`` does.
    """
    return decrypt(blocks, open_for_destination(key_object, private_key_pem))


def open_with_recovery(blocks: Iterable[Buffer], key_object: bytes, recovery_key: X25519PrivateKey) -> Iterator[Buffer]:
    """Decrypt an object with the system's recovery key; raises as ``decrypt_clip`` does."""
    return decrypt(blocks, open_for_recovery(key_object, recovery_key))


def decrypt(blocks: Iterable[Buffer], opened: OpenedKey) -> Iterator[Buffer]:
    """Decrypt a whole object; no block that comes out is empty.

    Damage shows only at the end, as ContentDamaged: who must not pass on a damaged byte reads to the end first.
    """
    decryption, digest = Decryption(opened.content_key), hashlib.sha256()
    for block in blocks:
        plain = decryption.open(block, bytearray(room_bytes(block)))
        digest.update(plain)
        if plain:
            yield plain
    last = decryption.finish()
    digest.update(last)
    if last:
        yield last
    if opened.sha256_plaintext is not None and digest.hexdigest() != opened.sha256_plaintext:
        raise ContentDamaged


def plaintext_size_bytes(ciphertext: BinaryIO, opened: OpenedKey) -> int:
    """Tell how long the plaintext of a stored object is, from its end alone; raises ContentDamaged."""
    size_bytes = ciphertext.seek(0, os.SEEK_END)
    if size_bytes == 0 or size_bytes % CIPHER_BLOCK_BYTES:
        raise ContentDamaged
    before_last = size_bytes - CIPHER_BLOCK_BYTES
    decryptor = _decryptor_at(ciphertext, opened.content_key, before_last)
    return before_last + len(_without_padding(decryptor.update(ciphertext.read(CIPHER_BLOCK_BYTES))))


def decrypt_range(ciphertext: BinaryIO, opened: OpenedKey, first: int, size_bytes: int) -> Iterator[Buffer]:
    """Decrypt ``size_bytes`` of the plaintext from byte ``first`` on, reading little more than that.

    The range lies within ``plaintext_size_bytes``; where the file ends earlier, ContentDamaged is raised. A part of an
    object proves nothing about its integrity.
    """
    skip = first % CIPHER_BLOCK_BYTES
    decryptor = _decryptor_at(ciphertext, opened.content_key, first - skip)
    left = size_bytes
    while left > 0:
        block = ciphertext.read(min(BLOCK_BYTES, _whole_cipher_blocks(skip + left)))
        plain = memoryview(decryptor.update(block))[skip : skip + left]
        if not plain:
            raise ContentDamaged
        yield plain
        left -= len(plain)
        skip = 0


def _decryptor(content_key: ContentKey, iv: bytes) -> CipherContext:
    return Cipher(AES(content_key.key), CBC(iv)).decryptor()


def _decryptor_at(ciphertext: BinaryIO, content_key: ContentKey, offset: int) -> CipherContext:
    """Start at a cipher block in the middle: the block before it takes the place of the initialization vector."""
    if offset == 0:
        ciphertext.seek(0)
        return _decryptor(content_key, content_key.iv)
    ciphertext.seek(offset - CIPHER_BLOCK_BYTES)
    before = ciphertext.read(CIPHER_BLOCK_BYTES)
    if len(before) != CIPHER_BLOCK_BYTES:
        raise ContentDamaged
    return _decryptor(content_key, before)


def _whole_cipher_blocks(size_bytes: int) -> int:
    return -(-size_bytes // CIPHER_BLOCK_BYTES) * CIPHER_BLOCK_BYTES


def _without_padding(last: bytes) -> bytes:
    padding = last[-1] if last else 0
    if not 1 <= padding <= CIPHER_BLOCK_BYTES or last[-padding:] != bytes([padding]) * padding:
        raise ContentDamaged
    return last[:-padding]
