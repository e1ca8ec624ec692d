"""Envelopes: one changed bit, another type, another key or another size, and nothing of the payload is believed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from bodyworn.crypto.envelope import PayloadType, sign, verify
from bodyworn.crypto.keys import SigningKey
from bodyworn.errors import (
    EnvelopeMalformed,
    EnvelopeOfOtherType,
    EnvelopeRefused,
    EnvelopeTooLarge,
    SignatureRefused,
)
from hypothesis import given, settings, strategies as st

_KEY = SigningKey.from_private_bytes(bytes(range(32)))
_OTHER = SigningKey.from_private_bytes(bytes(range(1, 33)))
_PAYLOAD = b'{"camera": "c-1", "sequence": 7}'
_ENVELOPE = sign(_PAYLOAD, PayloadType.SETTINGS, _KEY)


def _changed(**members: Any) -> bytes:
    return json.dumps(json.loads(_ENVELOPE) | members).encode()


def test_a_signed_payload_comes_back() -> None:
    assert verify(_ENVELOPE, PayloadType.SETTINGS, [_KEY.public]) == _PAYLOAD


def test_one_of_several_keys_is_enough() -> None:
    assert verify(_ENVELOPE, PayloadType.SETTINGS, [_OTHER.public, _KEY.public]) == _PAYLOAD


def test_the_form_is_that_of_dsse() -> None:
    document = json.loads(_ENVELOPE)
    payload_type = document["payloadType"]
    encoded = f"DSSEv1 {len(payload_type)} {payload_type} {len(_PAYLOAD)} ".encode() + _PAYLOAD
    assert base64.b64decode(document["payload"]) == _PAYLOAD
    assert document["signatures"][0]["keyid"] == _KEY.public.key_id
    assert _KEY.public.verifies(base64.b64decode(document["signatures"][0]["sig"]), encoded)


def test_every_type_names_itself_and_its_version() -> None:
    for payload_type in PayloadType:
        thing = payload_type.name.lower().replace("_", "-")
        assert payload_type == f"application/vnd.bodyworn.{thing}.v1+json"


@pytest.mark.parametrize("position", range(0, len(_ENVELOPE), 3))
def test_a_flipped_bit_is_never_believed(position: int) -> None:
    for bit in range(8):
        damaged = bytearray(_ENVELOPE)
        damaged[position] ^= 1 << bit
        try:
            payload = verify(bytes(damaged), PayloadType.SETTINGS, [_KEY.public])
        except EnvelopeRefused:
            continue
        # A bit of base64 that decodes to nothing, or of a member that nobody reads: what was signed is what comes back.
        assert payload == _PAYLOAD


@pytest.mark.parametrize("bit", range(len(_PAYLOAD) * 8))
def test_a_flipped_bit_of_the_payload_is_refused(bit: int) -> None:
    payload = bytearray(_PAYLOAD)
    payload[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureRefused):
        verify(_changed(payload=base64.b64encode(payload).decode()), PayloadType.SETTINGS, [_KEY.public])


@pytest.mark.parametrize("length", range(0, len(_ENVELOPE), 5))
def test_a_truncated_envelope_is_refused(length: int) -> None:
    with pytest.raises(EnvelopeMalformed):
        verify(_ENVELOPE[:length], PayloadType.SETTINGS, [_KEY.public])


def test_another_type_is_refused() -> None:
    with pytest.raises(EnvelopeOfOtherType):
        verify(_ENVELOPE, PayloadType.ERASE_ORDER, [_KEY.public])


def test_a_type_relabelled_after_signing_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        verify(_changed(payloadType=PayloadType.ERASE_ORDER), PayloadType.ERASE_ORDER, [_KEY.public])


def test_another_version_of_a_type_is_refused() -> None:
    with pytest.raises(EnvelopeOfOtherType):
        verify(_changed(payloadType=PayloadType.SETTINGS.replace("v1", "v2")), PayloadType.SETTINGS, [_KEY.public])


def test_another_key_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        verify(_ENVELOPE, PayloadType.SETTINGS, [_OTHER.public])


def test_a_signature_under_a_borrowed_key_id_is_refused() -> None:
    signatures = json.loads(sign(_PAYLOAD, PayloadType.SETTINGS, _OTHER))["signatures"]
    signatures[0]["keyid"] = _KEY.public.key_id
    with pytest.raises(SignatureRefused):
        verify(_changed(signatures=signatures), PayloadType.SETTINGS, [_KEY.public])


def test_no_keys_verify_nothing() -> None:
    with pytest.raises(SignatureRefused):
        verify(_ENVELOPE, PayloadType.SETTINGS, [])


def test_an_oversized_envelope_is_refused_unread() -> None:
    with pytest.raises(EnvelopeTooLarge):
        verify(b"[" * (1024 * 1024 + 1), PayloadType.SETTINGS, [_KEY.public])
    with pytest.raises(EnvelopeTooLarge):
        verify(_ENVELOPE, PayloadType.SETTINGS, [_KEY.public], limit_bytes=len(_ENVELOPE) - 1)


_SIGNATURE = json.loads(_ENVELOPE)["signatures"][0]


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"unknown":' + b"[" * 200_000,
        _changed(payload=None),
        _changed(payload="*" + base64.b64encode(_PAYLOAD).decode()),
        _changed(payloadType=1),
        _changed(signatures=[]),
        _changed(signatures={}),
        _changed(signatures=[_SIGNATURE, _SIGNATURE]),
        _changed(signatures=[_SIGNATURE | {"keyid": str(n)} for n in range(9)]),
        _changed(signatures=[{"keyid": _KEY.public.key_id}]),
        _changed(signatures=[_SIGNATURE | {"sig": "zzz"}]),
        _changed(signatures=[_SIGNATURE | {"sig": "ä"}]),
    ],
)
def test_what_is_no_envelope_is_refused_as_malformed(envelope: bytes) -> None:
    with pytest.raises(EnvelopeMalformed):
        verify(envelope, PayloadType.SETTINGS, [_KEY.public])


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_refused(envelope: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        verify(envelope, PayloadType.SETTINGS, [_KEY.public])


@given(st.binary(max_size=2000), st.sampled_from(PayloadType))
@settings(max_examples=100, deadline=None)
def test_any_payload_of_any_type_comes_back(payload: bytes, payload_type: PayloadType) -> None:
    assert verify(sign(payload, payload_type, _KEY), payload_type, [_KEY.public]) == payload


@pytest.mark.parametrize("field", ["payload", "sig"])
def test_bits_of_base64_that_mean_nothing_have_to_be_nought(field: str) -> None:
    """Another spelling of the same bytes would be a change that nobody sees."""
    signed = json.loads(sign(b"ab", PayloadType.SETTINGS, _KEY))
    holder = signed if field == "payload" else signed["signatures"][0]
    body = holder[field].rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(body[-1]) ^ 1]
    holder[field] = body[:-1] + other + "=" * (len(holder[field]) - len(body))
    with pytest.raises(EnvelopeMalformed):
        verify(json.dumps(signed).encode(), PayloadType.SETTINGS, [_KEY.public])
