"""Ed25519 keys: names, text forms, and a private part that stays private."""

from __future__ import annotations

import hashlib

import pytest
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.errors import KeyRefused

# RFC 8032, section 7.1, test 2
_PRIVATE = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_signature_is_that_of_the_standard() -> None:
    key = SigningKey.from_private_bytes(_PRIVATE)
    assert key.public.raw == _PUBLIC
    assert key.sign(b"\x72") == _SIGNATURE
    assert key.public.verifies(_SIGNATURE, b"\x72")


@pytest.mark.parametrize("signature", [b"", bytes(64), _SIGNATURE[:-1], _SIGNATURE + b"\0", _SIGNATURE[::-1]])
def test_another_signature_does_not_verify(signature: bytes) -> None:
    assert not PublicKey(_PUBLIC).verifies(signature, b"\x72")


def test_other_data_does_not_verify() -> None:
    assert not PublicKey(_PUBLIC).verifies(_SIGNATURE, b"\x73")


def test_a_key_is_named_after_its_bytes() -> None:
    assert PublicKey(_PUBLIC).key_id == hashlib.sha256(_PUBLIC).hexdigest()[:32]


def test_keys_come_back_from_their_text_and_bytes() -> None:
    key = SigningKey.generate()
    assert PublicKey.from_base64(key.public.to_base64()) == key.public
    assert SigningKey.from_private_bytes(key.private_bytes()).public == key.public


def test_two_generated_keys_differ() -> None:
    assert SigningKey.generate().public != SigningKey.generate().public


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", PublicKey(_PUBLIC).to_base64()[:-4], "ä" * 44])
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused):
        PublicKey.from_base64(text)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_private_bytes_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(KeyRefused):
        SigningKey.from_private_bytes(bytes(length))


def test_a_private_key_does_not_show_itself() -> None:
    key = SigningKey.from_private_bytes(_PRIVATE)
    shown = f"{key!r} {key} {vars(key)!r}"
    assert _PRIVATE.hex() not in shown
    assert repr(_PRIVATE)[2:-1] not in shown
