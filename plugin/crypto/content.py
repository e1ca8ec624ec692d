"""Encryption of recordings on their way to a destination: AES-256-CBC, block by block, in constant memory.

One object has one content key. While it streams, the plaintext is hashed; what was written is read again, decrypted and
compared, because the wire format itself carries no proof of integrity. Reading what others stored is in
``content_reader.py``, the key object's form in ``key_object.py``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from typing import Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ..errors import ContentDamaged
from .content_reader import CIPHER_BLOCK_BYTES, Buffer, Decryption, decrypt_clip, open_with_recovery, room_bytes
from .key_object import (
    CONTENT_KEY_BYTES,
    IV_BYTES,
    ContentFacts,
    ContentKey,
    KeyWarning,
    WrappedKey,
    check_destination_key,
    wrap_content_key,
    write_key_object,
)

__all__ = [
    "ContentEncryption",
    "ContentVerifier",
    "KeyWarning",
    "check_destination_key",
    "decrypt_clip",
    "open_with_recovery",
]


class ContentEncryption:
    """Encrypts one object once; another attempt at the same object takes a new one, with a new key.

    The content key is wrapped at the start, so that an unusable key shows before a byte is read. One thread at a time.
    """

    def __init__(self, content_key: ContentKey, object_name: str, wrapped: WrappedKey) -> None:
        """Take a content key and its wrapped form; ``new`` makes both."""
        self._content_key = content_key
        self._object_name = object_name
        self._wrapped = wrapped
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._started = False
        self._finished = False

    @classmethod
    def new(cls, object_name: str, destination_key: bytes, public_key_id: str, recovery_public: bytes | None) -> Self:
        """Make a fresh content key and wrap it.

        Args:
            object_name: The name that the encrypted object will have at the destination.
            destination_key: RSA public key of the destination, PEM.
            public_key_id: What the destination calls that key.
            recovery_public: Raw X25519 public key of the system's recovery; None for strictly end to end.

        Raises:
            DestinationKeyRefused: the destination's key cannot be used.
            KeyRefused: the recovery key cannot be used.
        """
        content_key = ContentKey(bytearray(secrets.token_bytes(CONTENT_KEY_BYTES)), secrets.token_bytes(IV_BYTES))
        wrapped = wrap_content_key(content_key, object_name, destination_key, public_key_id, recovery_public)
        return cls(content_key, object_name, wrapped)

    def encrypt(self, blocks: Iterable[Buffer]) -> Iterator[Buffer]:
        """Encrypt a stream, once.

        Each block that comes out has memory of its own, so that others may still work on the one before.
        """
        assert not self._started, "one content key encrypts one stream"
        self._started = True
        return self._encrypted(blocks)

    @property
    def plaintext_sha256(self) -> str:
        """The digest of the plaintext, once the stream has ended."""
        assert self._finished
        return self._digest.hexdigest()

    @property
    def plaintext_size_bytes(self) -> int:
        """The size of the plaintext, once the stream has ended."""
        assert self._finished
        return self._size_bytes

    def verifier(self) -> ContentVerifier:
        """Make what proves a written copy; it may be made before the stream, and is fed after it."""
        return ContentVerifier(self._content_key, self)

    def key_object(self, sha256_ciphertext: str) -> bytes:
        """Write the key object of the finished stream; after ``wipe`` as well."""
        facts = ContentFacts(self._object_name, self.plaintext_size_bytes, self.plaintext_sha256, sha256_ciphertext)
        return write_key_object(self._wrapped, facts)

    def wipe(self) -> None:
        """Overwrite the content key, once the written copy has been verified or given up."""
        self._content_key.wipe()

    def _encrypted(self, blocks: Iterable[Buffer]) -> Iterator[Buffer]:
        encryptor = Cipher(AES(self._content_key.key), CBC(self._content_key.iv)).encryptor()
        for block in blocks:
            self._digest.update(block)
            self._size_bytes += len(block)
            room = bytearray(len(block) + CIPHER_BLOCK_BYTES - 1)
            written = encryptor.update_into(block, room)
            if written:
                yield memoryview(room)[:written]
        padding = CIPHER_BLOCK_BYTES - self._size_bytes % CIPHER_BLOCK_BYTES
        last = encryptor.update(bytes([padding]) * padding) + encryptor.finalize()
        self._finished = True
        yield last


class ContentVerifier:
    """Decrypts what is read again and compares it with what was encrypted; a ``verifier`` for the store."""

    def __init__(self, content_key: ContentKey, encryption: ContentEncryption) -> None:
        self._decryption = Decryption(content_key)
        self._encryption = encryption
        self._digest = hashlib.sha256()
        self._room = bytearray()

    def update(self, block: Buffer) -> None:
        """Take the next bytes of the written copy; their memory is free again when this returns."""
        if len(self._room) < room_bytes(block):
            self._room = bytearray(room_bytes(block))
        self._digest.update(self._decryption.open(block, self._room))

    def finish(self) -> None:
        """Raise ContentDamaged unless the copy decrypts to exactly what was encrypted."""
        self._digest.update(self._decryption.finish())
        if not hmac.compare_digest(self._digest.hexdigest(), self._encryption.plaintext_sha256):
            raise ContentDamaged
