"""Ed25519 keys: what signs and what checks. Envelopes, chains and files are built on these in their own modules.

securesystemslib does the work underneath, so that its envelopes and these keys always agree about key ids and schemes.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

from ..errors import KeyRefused

KEY_BYTES = 32
_KEY_ID_LENGTH = 32


@dataclass(frozen=True)
class PublicKey:
    """A public Ed25519 key, by its 32 raw bytes."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise KeyRefused

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """Read a key from standard base64; raises KeyRefused."""
        try:
            return cls(base64.b64decode(text, validate=True))
        except ValueError as error:
            raise KeyRefused from error

    def to_base64(self) -> str:
        """Write the key as standard base64."""
        return base64.b64encode(self.raw).decode("ascii")

    @property
    def key_id(self) -> str:
        """Name the key: the first 32 hex digits of the SHA-256 of its raw bytes."""
        return hashlib.sha256(self.raw).hexdigest()[:_KEY_ID_LENGTH]

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Tell whether this key's owner signed exactly ``data``."""
        try:
            self.verifier().verify_signature(Signature(self.key_id, signature.hex()), data)
        except UnverifiedSignatureError:
            return False
        return True

    def verifier(self) -> SSlibKey:
        """Give the library's form of the key."""
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(self.raw), keyid=self.key_id)


class SigningKey:
    """A private Ed25519 key; its representation never shows it."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public = PublicKey(private_key.public_key().public_bytes_raw())
        self.signer = CryptoSigner(private_key, self.public.verifier())

    @classmethod
    def generate(cls) -> Self:
        """Make a new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_private_bytes(cls, raw: bytes) -> Self:
        """Take a key from its 32 private bytes; raises KeyRefused."""
        if len(raw) != KEY_BYTES:
            raise KeyRefused
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def private_bytes(self) -> bytes:
        """Give the 32 private bytes, to be sealed (``sealed.py``) and nothing else."""
        return self._private_key.private_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """Sign bare bytes. Whatever crosses a border is signed by ``envelope.sign``, which binds its type."""
        return bytes.fromhex(self.signer.sign(data).signature)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.key_id})"
