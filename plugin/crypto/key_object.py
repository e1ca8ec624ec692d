"""The key object beside encrypted content: the content key, wrapped to who may read it, in a form that a shell can cut.

Its first reader is a few lines of shell, so the writer keeps to one member a line, and the two words that the shell
looks for occur once each. What the key then does is in ``content.py``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ..errors import DestinationKeyRefused, KeyObjectRefused, KeyRefused
from .documents import decode

CONTENT_KEY_BYTES: Final = 32
IV_BYTES: Final = 16
LARGEST_KEY_OBJECT_BYTES: Final = 64 * 1024
_LEAST_RSA_BITS: Final = 2048
_ADVISED_RSA_BITS: Final = 3072

#: What the shell looks for; they may occur in their own member's name and nowhere else.
_CUT_WORDS: Final = ("EncryptedKey", "ContentEncryptionIV")
_RECOVERY_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class KeyWarning(StrEnum):
    """What speaks against a destination's key without forbidding it."""

    SHORT = "rsa-below-3072"


@dataclass(frozen=True)
class ContentKey:
    """The AES-256-CBC key and initialization vector of one object; the representation shows neither."""

    key: bytearray = field(repr=False)
    iv: bytes = field(repr=False)

    def wipe(self) -> None:
        """Overwrite the key here; copies that Python made on the way are beyond reach."""
        self.key[:] = bytes(len(self.key))


@dataclass(frozen=True)
class WrappedKey:
    """A content key that is safe to store: for the destination and, unless it is strictly end to end, for recovery."""

    public_key_id: str
    for_destination: bytes
    for_recovery: bytes | None
    iv: bytes


@dataclass(frozen=True)
class ContentFacts:
    """What a key object says about the content it opens."""

    object_name: str
    size_bytes: int
    sha256_plaintext: str
    sha256_ciphertext: str


class _WrappedContentKey(msgspec.Struct, frozen=True, rename="pascal"):
    encrypted_key: str


class _KeyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Both shapes that exist: the flat one written here, and the one with the wrapped key in a member of its own."""

    iv: str = msgspec.field(name="ContentEncryptionIV")
    flat: str | None = msgspec.field(name="EncryptedKey", default=None)
    nested: _WrappedContentKey | None = msgspec.field(name="WrappedContentKey", default=None)
    for_recovery: str | None = msgspec.field(name="BwmRecoveryWrap", default=None)
    object_name: str = msgspec.field(name="BwmObject", default="")
    sha256_plaintext: str | None = msgspec.field(name="BwmSha256Plaintext", default=None)


@dataclass(frozen=True)
class OpenedKey:
    """A content key that was unwrapped, with the digest its content must have where the key object tells it."""

    content_key: ContentKey
    sha256_plaintext: str | None


def check_destination_key(pem: bytes) -> tuple[KeyWarning, ...]:
    """Judge the public key that content would be encrypted for.

    Raises:
        DestinationKeyRefused: it is no RSA key, or one below 2048 bits.
    """
    key = _destination_key(pem)
    return (KeyWarning.SHORT,) if key.key_size < _ADVISED_RSA_BITS else ()


def wrap_content_key(
    content_key: ContentKey, object_name: str, destination_pem: bytes, public_key_id: str, recovery_public: bytes | None
) -> WrappedKey:
    """Wrap a content key for the destination and, where ``recovery_public`` (32 raw bytes) is given, for recovery.

    Raises:
        DestinationKeyRefused: the destination's key cannot be used.
        KeyRefused: the recovery key cannot be used.
    """
    key = bytes(content_key.key)
    for_destination = _destination_key(destination_pem).encrypt(key, _oaep())
    for_recovery = None if recovery_public is None else _wrap_for_recovery(key, object_name, recovery_public)
    return WrappedKey(public_key_id, for_destination, for_recovery, content_key.iv)


def write_key_object(wrapped: WrappedKey, facts: ContentFacts) -> bytes:
    """Write a key object: JSON, one member a line."""
    members: dict[str, str | int] = {
        "PublicKeyId": wrapped.public_key_id,
        "EncryptedKey": _base64(wrapped.for_destination),
        "ContentEncryptionIV": _base64(wrapped.iv),
        "BwmVersion": 1,
        "BwmCipher": "AES-256-CBC-PKCS7",
        "BwmWrap": "RSA-OAEP-SHA1-MGF1-SHA1",
        "BwmObject": facts.object_name,
        "BwmSha256Ciphertext": facts.sha256_ciphertext,
        "BwmSha256Plaintext": facts.sha256_plaintext,
        "BwmSize": facts.size_bytes,
    }
    if wrapped.for_recovery is not None:
        members["BwmRecoveryWrap"] = _base64(wrapped.for_recovery)
    lines = ",\n".join(f'  "{name}": {_value(value)}' for name, value in members.items())
    return f"{{\n{lines}\n}}\n".encode()


def open_for_destination(key_object: bytes, private_key_pem: bytes) -> OpenedKey:
    """Unwrap a content key with the destination's private key; raises KeyObjectRefused."""
    document = _parse(key_object)
    wrapped = document.nested.encrypted_key if document.nested is not None else document.flat
    try:
        key = _private_key(private_key_pem).decrypt(_unbase64(wrapped), _oaep())
    except ValueError as error:
        raise KeyObjectRefused from error
    return _opened(document, key)


def open_for_recovery(key_object: bytes, recovery_key: X25519PrivateKey) -> OpenedKey:
    """Unwrap a content key with the system's recovery key; raises KeyObjectRefused, also where none was wrapped."""
    document = _parse(key_object)
    wrapped = _unbase64(document.for_recovery)
    try:
        key = _RECOVERY_SUITE.decrypt(wrapped, recovery_key, _recovery_info(document.object_name))
    except (InvalidTag, ValueError) as error:
        raise KeyObjectRefused from error
    return _opened(document, key)


def _destination_key(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DestinationKeyRefused from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_RSA_BITS:
        raise DestinationKeyRefused
    return key


def _private_key(pem: bytes) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyObjectRefused from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyObjectRefused
    return key


def _oaep() -> OAEP:
    # SHA-1 is what the wire format asks for; inside OAEP nothing rests on its resistance to collisions.
    return OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303


def _wrap_for_recovery(key: bytes, object_name: str, recovery_public: bytes) -> bytes:
    try:
        recovery_key = X25519PublicKey.from_public_bytes(recovery_public)
        return _RECOVERY_SUITE.encrypt(key, recovery_key, _recovery_info(object_name))
    except ValueError as error:
        raise KeyRefused from error


def _recovery_info(object_name: str) -> bytes:
    return b"bwm/v1/content-key\0" + object_name.encode()


def _value(value: str | int) -> str:
    text = json.dumps(value)
    for word in _CUT_WORDS:
        text = text.replace(word, f"\\u{ord(word[0]):04x}{word[1:]}")
    return text


def _parse(key_object: bytes) -> _KeyDocument:
    if len(key_object) > LARGEST_KEY_OBJECT_BYTES:
        raise KeyObjectRefused
    return decode(key_object, _KeyDocument, KeyObjectRefused)


def _opened(document: _KeyDocument, key: bytes) -> OpenedKey:
    iv = _unbase64(document.iv)
    if len(key) != CONTENT_KEY_BYTES or len(iv) != IV_BYTES:
        raise KeyObjectRefused
    return OpenedKey(ContentKey(bytearray(key), iv), document.sha256_plaintext)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError as error:
        raise KeyObjectRefused from error
