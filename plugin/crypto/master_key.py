"""The master key: the secret that a system is restored from, and its file, wrapped by a passphrase.

The secret exists unwrapped for the length of an unlock, a restore or a change of passphrase, and nowhere else. From it
come the two recovery keys: one signs (epochs of the system, unlocking of cameras), one opens what was encrypted for
recovery. What makes a passphrase good is in ``passphrase.py``; where the file lies, and who may ask, is not known here.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import KeyRefused, MasterKeyRefused, WrongPassphrase
from .documents import decode
from .keys import PublicKey, SigningKey

LARGEST_FILE_BYTES: Final = 8 * 1024
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12

#: A derivation takes hundreds of MiB; several at once would be a way to bring the machine down.
_one_derivation = threading.Lock()

_Salt = Annotated[bytes, msgspec.Meta(min_length=_SALT_BYTES, max_length=_SALT_BYTES)]
_Nonce = Annotated[bytes, msgspec.Meta(min_length=_NONCE_BYTES, max_length=_NONCE_BYTES)]


class KdfCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one guess of the passphrase costs; a file outside these ranges is refused before anything is computed."""

    memory_kib: Annotated[int, msgspec.Meta(ge=64 * 1024, le=1024 * 1024)] = msgspec.field(
        default=256 * 1024, name="m_kib"
    )
    iterations: Annotated[int, msgspec.Meta(ge=1, le=10)] = msgspec.field(default=3, name="t")
    lanes: Annotated[int, msgspec.Meta(ge=1, le=8)] = msgspec.field(default=4, name="p")


class _Kdf(KdfCost, frozen=True, kw_only=True):
    alg: Literal["argon2id"] = "argon2id"
    v: Literal[19] = 19
    salt: _Salt


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """What authenticates with the secret: its exact bytes are the additional data of the encryption."""

    system_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    created: Annotated[datetime, msgspec.Meta(tz=True)]
    recovery_public_key: Annotated[str, msgspec.Meta(max_length=64)]
    kdf: _Kdf
    aead: Literal["AES-256-GCM"] = "AES-256-GCM"
    nonce: _Nonce
    #: The system's epoch when the file was made; a restore begins the next one.
    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**52)] = 1


class _File(msgspec.Struct, frozen=True, kw_only=True):
    type: Literal["bwm-master-key"] = "bwm-master-key"
    version: Literal[1] = 1
    header: bytes
    commit: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class MasterKeyLabel:
    """What a file says of itself before anybody enters a passphrase; unproven until it is unwrapped."""

    system_id: str
    created: datetime
    recovery_key: PublicKey
    epoch: int


class MasterSecret:
    """The 32 bytes that a system's recovery rests on; the representation never shows them."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == _KEY_BYTES
        self._secret = bytearray(secret)

    @classmethod
    def generate(cls) -> Self:
        """Make the secret of a new system."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def recovery_signing_key(self) -> SigningKey:
        """Derive the key that certifies epochs and unlocks cameras."""
        return SigningKey.from_private_bytes(_expand(bytes(self._secret), b"bwm/v1/recovery-sign", _KEY_BYTES))

    def recovery_encryption_key(self) -> X25519PrivateKey:
        """Derive the key that opens what was encrypted for recovery (``content.open_with_recovery``)."""
        return X25519PrivateKey.from_private_bytes(_expand(bytes(self._secret), b"bwm/v1/recovery-kem", _KEY_BYTES))

    def wrap(
        self, passphrase: str, *, system_id: str, created: datetime, epoch: int = 1, cost: KdfCost | None = None
    ) -> bytes:
        """Make the master key's file, as it is kept and downloaded (``<system>.bwmk``).

        Takes about a second at the usual cost, one call at a time. The passphrase is taken as it is: ask
        ``passphrase.check_passphrase`` before.
        """
        header_bytes = msgspec.json.encode(self._header(system_id, created, epoch, cost or KdfCost()))
        header = _parse_header(header_bytes)
        key, commit = _derive(passphrase, header)
        return self._enclose(header_bytes, header.nonce, key, commit)

    def _enclose(self, header_bytes: bytes, nonce: bytes, key: bytes, commit: bytes) -> bytes:
        ciphertext = AESGCM(key).encrypt(nonce, bytes(self._secret), header_bytes)
        return msgspec.json.encode(_File(header=header_bytes, commit=commit, ciphertext=ciphertext))

    def _header(self, system_id: str, created: datetime, epoch: int, cost: KdfCost) -> _Header:
        salt = secrets.token_bytes(_SALT_BYTES)
        return _Header(
            system_id=system_id,
            created=created,
            recovery_public_key=self.recovery_signing_key().public.to_base64(),
            kdf=_Kdf(memory_kib=cost.memory_kib, iterations=cost.iterations, lanes=cost.lanes, salt=salt),
            nonce=secrets.token_bytes(_NONCE_BYTES),
            epoch=epoch,
        )

    def wipe(self) -> None:
        """Overwrite the secret here; copies that Python made on the way are beyond reach."""
        self._secret[:] = bytes(len(self._secret))

    def __repr__(self) -> str:
        return "MasterSecret()"


class OpenedFile:
    """A master key's file that its passphrase opened, with what it takes to write it anew; shows neither."""

    def __init__(self, secret: MasterSecret, header: _Header, key: bytes, commit: bytes) -> None:
        self.secret = secret
        self._header, self._key, self._commit = header, bytearray(key), commit

    @property
    def epoch(self) -> int:
        """The epoch that the file was made in."""
        return self._header.epoch

    def of_epoch(self, epoch: int) -> bytes:
        """Write the file anew for another epoch, under the same passphrase and without deriving from it again."""
        header = msgspec.structs.replace(self._header, epoch=epoch, nonce=secrets.token_bytes(_NONCE_BYTES))
        header_bytes = msgspec.json.encode(header)
        return self.secret._enclose(header_bytes, header.nonce, bytes(self._key), self._commit)

    def wipe(self) -> None:
        """Overwrite what was opened, as far as Python allows it."""
        self.secret.wipe()
        self._key[:] = bytes(len(self._key))

    def __repr__(self) -> str:
        return "OpenedFile()"


def read_label(file: bytes) -> MasterKeyLabel:
    """Read whose master key a file is, without its passphrase; raises MasterKeyRefused."""
    _, header = _parse(file)
    recovery_key = PublicKey.from_base64(header.recovery_public_key)
    return MasterKeyLabel(header.system_id, header.created, recovery_key, header.epoch)


def unwrap(file: bytes, passphrase: str) -> MasterSecret:
    """Open a master key's file for its secret alone; costs and raises what ``open_file`` does."""
    return open_file(file, passphrase).secret


def open_file(file: bytes, passphrase: str) -> OpenedFile:
    """Open a master key's file; whoever asks wipes it.

    Costs exactly one derivation, whether the passphrase is right or wrong.

    Raises:
        MasterKeyRefused: it is no master key, or asks for a cost outside the allowed range; nothing was computed.
        WrongPassphrase: the passphrase is wrong, or the file is damaged.
    """
    document, header = _parse(file)
    key, commit = _derive(passphrase, header)
    # The commitment comes first: AES-GCM alone would let one file open under two passphrases.
    if not hmac.compare_digest(commit, document.commit):
        raise WrongPassphrase
    try:
        secret = MasterSecret(AESGCM(key).decrypt(header.nonce, document.ciphertext, document.header))
    except InvalidTag as error:
        raise WrongPassphrase from error
    if secret.recovery_signing_key().public.to_base64() != header.recovery_public_key:
        raise MasterKeyRefused
    return OpenedFile(secret, header, key, commit)


def _parse(file: bytes) -> tuple[_File, _Header]:
    if len(file) > LARGEST_FILE_BYTES:
        raise MasterKeyRefused
    document = decode(file, _File, MasterKeyRefused)
    return document, _parse_header(document.header)


def _parse_header(header_bytes: bytes) -> _Header:
    header = decode(header_bytes, _Header, MasterKeyRefused)
    try:
        PublicKey.from_base64(header.recovery_public_key)
    except KeyRefused as error:
        raise MasterKeyRefused from error
    return header


def _derive(passphrase: str, header: _Header) -> tuple[bytes, bytes]:
    """Stretch a passphrase into the wrapping key and the commitment to it."""
    normal = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    with _one_derivation:
        stretched = Argon2id(
            salt=header.kdf.salt,
            length=_KEY_BYTES,
            iterations=header.kdf.iterations,
            lanes=header.kdf.lanes,
            memory_cost=header.kdf.memory_kib,
        ).derive(normal)
    both = _expand(stretched, b"bwm/v1/master-key-wrap", 2 * _KEY_BYTES)
    return both[:_KEY_BYTES], both[_KEY_BYTES:]


def _expand(secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)
