"""Content encryption: strangers' shells open it, every flipped bit is found, and nothing of it waits in memory."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from bodyworn.const import BLOCK_BYTES
from bodyworn.crypto.content import (
    ContentEncryption,
    KeyWarning,
    check_destination_key,
    decrypt_clip,
    open_with_recovery,
)
from bodyworn.crypto.content_reader import decrypt, decrypt_range, plaintext_size_bytes
from bodyworn.crypto.key_object import open_for_destination
from bodyworn.errors import ContentDamaged, DestinationKeyRefused, KeyObjectRefused, KeyRefused
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings, strategies as st

_NAME = "20260601_120000_7CF7.mkv"
_MIB = 1024 * 1024
_SIZES = [0, 1, 15, 16, 17, 3 * _MIB + 5]


def _private_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


_RSA = rsa.generate_private_key(65537, 2048)
_PRIVATE, _PUBLIC = _private_pem(_RSA), _public_pem(_RSA)
_RECOVERY = X25519PrivateKey.generate()


def _encryption(public_key_id: str = "key-1", name: str = _NAME, *, recovery: bool = True) -> ContentEncryption:
    recovery_public = _RECOVERY.public_key().public_bytes_raw() if recovery else None
    return ContentEncryption.new(name, _PUBLIC, public_key_id, recovery_public)


def _blocks(data: bytes, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _encrypted(data: bytes, encryption: ContentEncryption) -> tuple[bytes, bytes]:
    ciphertext = b"".join(encryption.encrypt(_blocks(data)))
    return ciphertext, encryption.key_object(hashlib.sha256(ciphertext).hexdigest())


def _verify(encryption: ContentEncryption, copy: Iterable[bytes]) -> None:
    verifier = encryption.verifier()
    for block in copy:
        verifier.update(block)
    verifier.finish()


# --- strangers open it -----------------------------------------------------------------------------------------------

_SHELL = """
set -eu
hex() { od -An -v -tx1 "$1" | tr -d ' \\n'; }
grep EncryptedKey clip.key | cut -d'"' -f4 | base64 -d > wrapped
grep ContentEncryptionIV clip.key | cut -d'"' -f4 | base64 -d > vector
UNWRAP
openssl enc -d -aes-256-cbc -K "$(hex content)" -iv "$(hex vector)" -in clip -out plain
"""
_UNWRAP = {
    "pkeyutl": "openssl pkeyutl -decrypt -inkey private.pem -pkeyopt rsa_padding_mode:oaep -in wrapped -out content",
    "rsautl": "openssl rsautl -decrypt -inkey private.pem -oaep -in wrapped -out content",
}


def _open_with_shell(folder: Path, ciphertext: bytes, key_object: bytes, tool: str) -> bytes:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    for name, data in {"clip": ciphertext, "clip.key": key_object, "private.pem": _PRIVATE}.items():
        (folder / name).write_bytes(data)
    subprocess.run(["sh", "-c", _SHELL.replace("UNWRAP", _UNWRAP[tool])], cwd=folder, check=True, capture_output=True)
    return (folder / "plain").read_bytes()


@pytest.mark.parametrize("tool", _UNWRAP)
@pytest.mark.parametrize("size", _SIZES)
def test_a_few_lines_of_shell_recover_the_clip(tmp_path: Path, size: int, tool: str) -> None:
    clip = os.urandom(size)
    assert _open_with_shell(tmp_path, *_encrypted(clip, _encryption()), tool) == clip


@pytest.mark.parametrize(
    "public_key_id",
    ["", 'a "quoted" id', "EncryptedKey", "x ContentEncryptionIV y", 'line\n"EncryptedKey": "AAAA",', "ключ №1", "\\"],
)
def test_no_key_id_leads_the_shell_astray(tmp_path: Path, public_key_id: str) -> None:
    ciphertext, key_object = _encrypted(b"clip", _encryption(public_key_id))
    assert _open_with_shell(tmp_path, ciphertext, key_object, "pkeyutl") == b"clip"
    assert json.loads(key_object)["PublicKeyId"] == public_key_id


def test_the_key_object_has_one_member_a_line_and_each_word_once() -> None:
    clip = b"frames" * 1000
    ciphertext, key_object = _encrypted(clip, _encryption())
    text = key_object.decode("utf-8")
    members = json.loads(text)
    assert text.splitlines() == ["{", *(line for line in text.splitlines() if line.startswith('  "')), "}"]
    assert len(text.splitlines()) == len(members) + 2
    assert text.count("EncryptedKey") == 1
    assert text.count("ContentEncryptionIV") == 1
    assert members["BwmObject"] == _NAME
    assert members["BwmSize"] == len(clip)
    assert members["BwmSha256Plaintext"] == hashlib.sha256(clip).hexdigest()
    assert members["BwmSha256Ciphertext"] == hashlib.sha256(ciphertext).hexdigest()


# --- both keys open it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*_SIZES, BLOCK_BYTES, BLOCK_BYTES - 1])
def test_the_destination_and_the_recovery_key_open_it(size: int) -> None:
    clip = os.urandom(size)
    ciphertext, key_object = _encrypted(clip, _encryption())
    assert b"".join(decrypt_clip(_blocks(ciphertext), key_object, _PRIVATE)) == clip
    assert b"".join(open_with_recovery(_blocks(ciphertext), key_object, _RECOVERY)) == clip


@given(
    st.lists(st.binary(max_size=50), max_size=12),
    st.integers(1, 70),
)
@settings(max_examples=100, deadline=None)
def test_blocks_of_any_size_open_to_the_same(blocks: list[bytes], size: int) -> None:
    encryption = _encryption()
    produced = list(encryption.encrypt(iter(blocks)))
    ciphertext = b"".join(produced)
    key_object = encryption.key_object(hashlib.sha256(ciphertext).hexdigest())
    opened = list(open_with_recovery(_blocks(ciphertext, size), key_object, _RECOVERY))
    assert b"".join(opened) == b"".join(blocks)
    assert all(produced)
    assert all(opened)
    _verify(encryption, _blocks(ciphertext, size))


def test_strictly_end_to_end_leaves_nothing_for_recovery() -> None:
    ciphertext, key_object = _encrypted(b"clip", _encryption(recovery=False))
    assert b"BwmRecoveryWrap" not in key_object
    assert b"".join(decrypt_clip([ciphertext], key_object, _PRIVATE)) == b"clip"
    with pytest.raises(KeyObjectRefused):
        open_with_recovery([ciphertext], key_object, _RECOVERY)


def test_another_key_opens_nothing() -> None:
    ciphertext, key_object = _encrypted(b"clip", _encryption())
    with pytest.raises(KeyObjectRefused):
        decrypt_clip([ciphertext], key_object, _private_pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(KeyObjectRefused):
        open_with_recovery([ciphertext], key_object, X25519PrivateKey.generate())


def test_the_recovery_wrap_belongs_to_its_object() -> None:
    ciphertext, key_object = _encrypted(b"clip", _encryption())
    renamed = key_object.replace(_NAME.encode(), b"20260601_120000_0000.mkv")
    with pytest.raises(KeyObjectRefused):
        open_with_recovery([ciphertext], renamed, _RECOVERY)


def test_every_object_has_a_key_of_its_own() -> None:
    first, second = _encrypted(b"clip" * 100, _encryption()), _encrypted(b"clip" * 100, _encryption())
    assert first[0] != second[0]
    assert b"".join(decrypt_clip([first[0]], first[1], _PRIVATE)) == b"clip" * 100
    with pytest.raises(ContentDamaged):
        list(decrypt_clip([first[0]], second[1], _PRIVATE))


def test_a_nested_key_object_is_read_as_well() -> None:
    ciphertext, key_object = _encrypted(b"clip", _encryption())
    flat = json.loads(key_object)
    nested = {
        "WrappedContentKey": {"KeyId": "k", "EncryptedKey": flat["EncryptedKey"], "Algorithm": "RSA_OAEP"},
        "ContentEncryptionIV": flat["ContentEncryptionIV"],
    }
    assert b"".join(decrypt_clip([ciphertext], json.dumps(nested).encode(), _PRIVATE)) == b"clip"


# --- damage is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", _SIZES)
def test_a_good_copy_is_verified(size: int) -> None:
    encryption = _encryption()
    verifier = encryption.verifier()
    ciphertext, _ = _encrypted(os.urandom(size), encryption)
    for block in _blocks(ciphertext):
        verifier.update(memoryview(block))
    verifier.finish()


def test_every_flipped_bit_of_a_copy_is_found() -> None:
    encryption = _encryption()
    ciphertext, key_object = _encrypted(os.urandom(70), encryption)
    opened = open_for_destination(key_object, _PRIVATE)
    for bit in range(len(ciphertext) * 8):
        damaged = bytearray(ciphertext)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ContentDamaged):
            _verify(encryption, [bytes(damaged)])
        with pytest.raises(ContentDamaged):
            list(decrypt([bytes(damaged)], opened))


def test_a_flipped_bit_in_a_large_copy_is_found() -> None:
    encryption = _encryption()
    ciphertext, _ = _encrypted(os.urandom(3 * _MIB + 5), encryption)
    damaged = bytearray(ciphertext)
    damaged[2 * _MIB + 7] ^= 4
    with pytest.raises(ContentDamaged):
        _verify(encryption, _blocks(bytes(damaged)))


@pytest.mark.parametrize("end", [0, 1, 15, 16, 32, 63, 79])
def test_a_truncated_copy_is_found(end: int) -> None:
    encryption = _encryption()
    ciphertext, key_object = _encrypted(b"f" * 70, encryption)
    with pytest.raises(ContentDamaged):
        _verify(encryption, [ciphertext[:end]])
    with pytest.raises(ContentDamaged):
        list(decrypt_clip([ciphertext[:end]], key_object, _PRIVATE))


@pytest.mark.parametrize("more", [b"\0", bytes(16), bytes(100)])
def test_a_copy_with_more_at_its_end_is_found(more: bytes) -> None:
    encryption = _encryption()
    ciphertext, _ = _encrypted(b"f" * 70, encryption)
    with pytest.raises(ContentDamaged):
        _verify(encryption, [ciphertext + more])


def test_swapped_blocks_of_a_copy_are_found() -> None:
    encryption = _encryption()
    ciphertext, _ = _encrypted(b"f" * 64, encryption)
    with pytest.raises(ContentDamaged):
        _verify(encryption, [ciphertext[16:32], ciphertext[:16], ciphertext[32:]])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_of_a_key_object_never_opens_to_something_else(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(_SEALED_KEY) - 1))
    damaged = bytearray(_SEALED_KEY)
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    for opening in (
        lambda: decrypt_clip([_SEALED], bytes(damaged), _PRIVATE),
        lambda: open_with_recovery([_SEALED], bytes(damaged), _RECOVERY),
    ):
        try:
            opened = b"".join(opening())
        except (KeyObjectRefused, ContentDamaged):
            continue
        # Where the name of the digest's member was hit, nothing is left to tell a changed vector by.
        assert opened == b"clip" or b'"BwmSha256Plaintext"' not in damaged


_SEALED, _SEALED_KEY = _encrypted(b"clip", _encryption())
_MEMBERS = json.loads(_SEALED_KEY)


@pytest.mark.parametrize(
    "key_object",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"unknown":' + b"[" * 30_000,
        b"{" + b" " * 70_000 + b"}",
        json.dumps(_MEMBERS | {"EncryptedKey": None}).encode(),
        json.dumps(_MEMBERS | {"EncryptedKey": "*"}).encode(),
        json.dumps(_MEMBERS | {"EncryptedKey": "AAAA"}).encode(),
        json.dumps(_MEMBERS | {"ContentEncryptionIV": "AAAA"}).encode(),
        json.dumps(_MEMBERS | {"ContentEncryptionIV": 5}).encode(),
        json.dumps(
            _MEMBERS | {"EncryptedKey": base64.b64encode(bytes(_RSA.key_size // 8)).decode()},
        ).encode(),
    ],
)
def test_what_is_no_key_object_is_refused(key_object: bytes) -> None:
    with pytest.raises(KeyObjectRefused):
        decrypt_clip([_SEALED], key_object, _PRIVATE)


@pytest.mark.parametrize(
    "private_key",
    [
        b"",
        _PUBLIC,
        _private_pem(ed25519.Ed25519PrivateKey.generate()),
        _RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"locked")),
    ],
)
def test_what_is_no_private_key_opens_nothing(private_key: bytes) -> None:
    with pytest.raises(KeyObjectRefused):
        decrypt_clip([_SEALED], _SEALED_KEY, private_key)


# --- a part of it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", _SIZES)
def test_the_size_is_known_from_the_end(size: int) -> None:
    ciphertext, key_object = _encrypted(os.urandom(size), _encryption())
    opened = open_for_destination(key_object, _PRIVATE)
    assert plaintext_size_bytes(io.BytesIO(ciphertext), opened) == size


@pytest.mark.parametrize("length", [0, 8, 17])
def test_the_size_of_a_damaged_object_is_refused(length: int) -> None:
    opened = open_for_destination(_SEALED_KEY, _PRIVATE)
    with pytest.raises(ContentDamaged):
        plaintext_size_bytes(io.BytesIO(bytes(length)), opened)


_LONG = os.urandom(2 * BLOCK_BYTES + 5)
_LONG_SEALED, _LONG_KEY = _encrypted(_LONG, _encryption())
_LONG_OPENED = open_for_destination(_LONG_KEY, _PRIVATE)


@given(st.integers(0, len(_LONG)), st.integers(0, len(_LONG)))
@settings(max_examples=60, deadline=None)
def test_any_range_is_that_part_of_the_clip(first: int, end: int) -> None:
    first, end = min(first, end), max(first, end)
    part = b"".join(decrypt_range(io.BytesIO(_LONG_SEALED), _LONG_OPENED, first, end - first))
    assert part == _LONG[first:end]


def test_a_range_reads_little_more_than_itself() -> None:
    file = io.BytesIO(_LONG_SEALED)
    assert b"".join(decrypt_range(file, _LONG_OPENED, 1000, 100)) == _LONG[1000:1100]
    assert file.tell() <= 1120


@pytest.mark.parametrize("first", [0, 100, 5 * BLOCK_BYTES])
def test_a_range_beyond_the_end_is_refused(first: int) -> None:
    with pytest.raises(ContentDamaged):
        list(decrypt_range(io.BytesIO(_LONG_SEALED[:64]), _LONG_OPENED, first, 200))


# --- how it works ----------------------------------------------------------------------------------------------------


def test_memory_stays_constant_however_long_the_stream() -> None:
    encryption = _encryption()
    verifier = encryption.verifier()
    block = os.urandom(BLOCK_BYTES)
    tracemalloc.start()
    try:
        for out in encryption.encrypt(block for _ in range(48)):
            verifier.update(out)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    verifier.finish()
    assert encryption.plaintext_size_bytes == 48 * BLOCK_BYTES
    assert peak_bytes < 6 * BLOCK_BYTES


def test_a_block_that_came_out_is_not_written_over() -> None:
    encryption = _encryption()
    stream = encryption.encrypt([b"a" * 64, b"b" * 64, b"c" * 64])
    first = next(stream)
    before = bytes(first)
    list(stream)
    assert bytes(first) == before


def test_one_key_encrypts_one_stream() -> None:
    encryption = _encryption()
    list(encryption.encrypt([b"clip"]))
    with pytest.raises(AssertionError):
        encryption.encrypt([b"clip"])


def test_an_unfinished_stream_has_no_key_object() -> None:
    encryption = _encryption()
    next(encryption.encrypt([b"a" * 64, b"b" * 64]))
    with pytest.raises(AssertionError):
        encryption.key_object("0" * 64)


def test_wiping_takes_the_key_and_leaves_the_key_object() -> None:
    encryption = _encryption()
    ciphertext, _ = _encrypted(b"clip", encryption)
    encryption.wipe()
    with pytest.raises(ContentDamaged):
        _verify(encryption, [ciphertext])
    key_object = encryption.key_object(hashlib.sha256(ciphertext).hexdigest())
    assert b"".join(decrypt_clip([ciphertext], key_object, _PRIVATE)) == b"clip"


def test_an_opened_key_does_not_show_itself() -> None:
    opened = open_for_destination(_SEALED_KEY, _PRIVATE)
    assert repr(bytes(opened.content_key.key))[2:-1] not in repr(opened)
    assert "ContentKey()" in repr(opened)


# --- the keys it takes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "warnings"), [(2048, (KeyWarning.SHORT,)), (3072, ())])
def test_short_keys_are_warned_about(bits: int, warnings: tuple[KeyWarning, ...]) -> None:
    assert check_destination_key(_public_pem(rsa.generate_private_key(65537, bits))) == warnings


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"no key",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        _PRIVATE,
        _public_pem(rsa.generate_private_key(65537, 1024)),
        _public_pem(ec.generate_private_key(ec.SECP256R1())),
        _public_pem(ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_before_a_byte_is_read(pem: bytes) -> None:
    with pytest.raises(DestinationKeyRefused):
        check_destination_key(pem)
    with pytest.raises(DestinationKeyRefused):
        ContentEncryption.new(_NAME, pem, "key-1", None)


@pytest.mark.parametrize("recovery_public", [b"", bytes(31), bytes(32)])
def test_a_recovery_key_that_cannot_be_used_is_refused(recovery_public: bytes) -> None:
    with pytest.raises(KeyRefused):
        ContentEncryption.new(_NAME, _PUBLIC, "key-1", recovery_public)
