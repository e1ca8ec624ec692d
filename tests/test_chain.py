"""The authority chain: a camera obeys who the recovery key leads to, within epoch, time and rights, and nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bodyworn.crypto import envelope
from bodyworn.crypto.chain import Authority, Certificate, Right, Role, Subject, certify, open_order
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.errors import (
    AuthorityExpired,
    AuthorityOfOlderEpoch,
    AuthorityOfOtherSystem,
    AuthorityRefused,
    EnvelopeMalformed,
    EnvelopeOfOtherType,
    EnvelopeRefused,
    EnvelopeTooLarge,
    RightMissing,
    SignatureRefused,
)
from hypothesis import given, settings, strategies as st

_SYSTEM = "11111111-1111-4111-8111-111111111111"
_NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
_PAYLOAD = b'{"erase": ["r-1"]}'

_RECOVERY, _SYSTEM_KEY, _CONTROLLER_KEY, _STRANGER = (
    SigningKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 5)
)


def _system_certificate(issuer: SigningKey = _RECOVERY, key: SigningKey = _SYSTEM_KEY, **changes: Any) -> bytes:
    members = {
        "subject": Subject(Role.SYSTEM, _SYSTEM),
        "public_key": key.public.to_base64(),
        "system_id": _SYSTEM,
        "epoch": 3,
        "rights": [],
        "not_before": _NOW - timedelta(days=400),
        "not_after": None,
    }
    return certify(issuer, Certificate(**members | changes))


def _controller_certificate(
    issuer: SigningKey = _SYSTEM_KEY, key: SigningKey = _CONTROLLER_KEY, **changes: Any
) -> bytes:
    members = {
        "subject": Subject(Role.CONTROLLER, "controller-1"),
        "public_key": key.public.to_base64(),
        "system_id": _SYSTEM,
        "epoch": 3,
        "rights": [Right.OFFLOAD],
        "not_before": _NOW - timedelta(days=1),
        "not_after": _NOW + timedelta(days=29),
    }
    return certify(issuer, Certificate(**members | changes))


def _order(system: bytes | None = None, controller: bytes | None = None, key: SigningKey = _CONTROLLER_KEY) -> bytes:
    authority = Authority(key, (system or _system_certificate(), controller or _controller_certificate()))
    return authority.issue(_PAYLOAD, PayloadType.ERASE_ORDER)


def _open(order: bytes, payload_type: PayloadType = PayloadType.ERASE_ORDER, **changes: Any) -> bytes:
    known = {
        "recovery_key": _RECOVERY.public,
        "system_id": _SYSTEM,
        "least_epoch": 3,
        "now": _NOW,
        "right": Right.OFFLOAD,
    }
    return open_order(order, payload_type, **known | changes).payload


def test_an_order_opens_with_the_recovery_key_alone() -> None:
    opened = open_order(
        _order(),
        PayloadType.ERASE_ORDER,
        recovery_key=_RECOVERY.public,
        system_id=_SYSTEM,
        least_epoch=3,
        now=_NOW,
        right=Right.OFFLOAD,
    )
    assert opened.payload == _PAYLOAD
    assert opened.controller_id == "controller-1"
    assert opened.controller_key == _CONTROLLER_KEY.public
    assert opened.epoch == 3


def test_a_newer_epoch_is_obeyed() -> None:
    order = _order(_system_certificate(epoch=4), _controller_certificate(epoch=4))
    assert _open(order) == _PAYLOAD


def test_another_system_is_refused() -> None:
    other = {"system_id": "22222222-2222-4222-8222-222222222222"}
    with pytest.raises(AuthorityOfOtherSystem):
        _open(_order(), **other)
    with pytest.raises(AuthorityOfOtherSystem):
        _open(_order(_system_certificate(**other)))
    with pytest.raises(AuthorityOfOtherSystem):
        _open(_order(controller=_controller_certificate(**other)))


def test_another_recovery_key_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        _open(_order(), recovery_key=_STRANGER.public)


def test_an_older_epoch_is_refused() -> None:
    with pytest.raises(AuthorityOfOlderEpoch):
        _open(_order(), least_epoch=4)
    with pytest.raises(AuthorityOfOlderEpoch):
        _open(_order(_system_certificate(epoch=4)), least_epoch=4)


@pytest.mark.parametrize("epoch", [4, 5])
def test_a_controller_of_another_epoch_than_its_system_is_refused(epoch: int) -> None:
    with pytest.raises(AuthorityRefused):
        _open(_order(controller=_controller_certificate(epoch=epoch)))


@pytest.mark.parametrize("now", [_NOW + timedelta(days=29), _NOW + timedelta(days=3650), _NOW - timedelta(days=2)])
def test_authority_outside_its_time_is_refused(now: datetime) -> None:
    with pytest.raises(AuthorityExpired):
        _open(_order(), now=now)


def test_a_system_before_its_time_is_refused() -> None:
    with pytest.raises(AuthorityExpired):
        _open(_order(_system_certificate(not_before=_NOW + timedelta(seconds=1))))


def test_a_reader_without_a_clock_does_not_judge_time() -> None:
    expired = _controller_certificate(not_after=_NOW - timedelta(hours=1))
    assert _open(_order(controller=expired), now=None) == _PAYLOAD


def test_a_controller_without_an_end_is_refused() -> None:
    with pytest.raises(AuthorityRefused):
        _open(_order(controller=_controller_certificate(not_after=None)))


@pytest.mark.parametrize("rights", [[], [Right.CONFIGURE], ["OFFLOAD"], ["*"]])
def test_a_missing_right_is_refused(rights: list[str]) -> None:
    with pytest.raises(RightMissing):
        _open(_order(controller=_controller_certificate(rights=rights)))


def test_rights_of_the_system_certificate_give_a_controller_none() -> None:
    order = _order(_system_certificate(rights=[Right.UPDATE]))
    with pytest.raises(RightMissing):
        _open(order, right=Right.UPDATE)


def test_another_type_is_refused() -> None:
    with pytest.raises(EnvelopeOfOtherType):
        _open(_order(), PayloadType.RECEIPT)


@pytest.mark.parametrize("payload_type", [PayloadType.UNLOCK, PayloadType.CERTIFICATE])
def test_no_controller_unlocks_or_certifies(payload_type: PayloadType) -> None:
    order = Authority(_CONTROLLER_KEY, (_system_certificate(), _controller_certificate())).issue(b"{}", payload_type)
    with pytest.raises(AuthorityRefused):
        _open(order, payload_type)


def test_swapped_certificates_are_refused() -> None:
    with pytest.raises(SignatureRefused):
        _open(_order(_controller_certificate(), _system_certificate()))


def test_a_system_key_cannot_pass_as_a_controller() -> None:
    with pytest.raises(SignatureRefused):
        _open(_order(_system_certificate(), _system_certificate(), _SYSTEM_KEY))


def test_a_certificate_for_the_other_role_is_refused() -> None:
    as_controller = _system_certificate(subject=Subject(Role.CONTROLLER, "controller-1"))
    with pytest.raises(AuthorityRefused):
        _open(_order(as_controller))
    as_system = _controller_certificate(subject=Subject(Role.SYSTEM, _SYSTEM))
    with pytest.raises(AuthorityRefused):
        _open(_order(controller=as_system))


def test_a_certificate_of_another_controller_does_not_help() -> None:
    with pytest.raises(SignatureRefused):
        _open(_order(controller=_controller_certificate(key=_STRANGER)))


def test_a_controller_cannot_certify_another() -> None:
    forged = _controller_certificate(issuer=_CONTROLLER_KEY, key=_STRANGER)
    with pytest.raises(SignatureRefused):
        _open(_order(controller=forged, key=_STRANGER))


def test_a_stranger_with_a_chain_of_its_own_is_refused() -> None:
    order = _order(
        _system_certificate(issuer=_STRANGER, key=_STRANGER),
        _controller_certificate(issuer=_STRANGER, key=_STRANGER),
        _STRANGER,
    )
    with pytest.raises(SignatureRefused):
        _open(order)


def test_a_document_of_another_type_is_no_certificate() -> None:
    certificate = envelope.verify(_system_certificate(), PayloadType.CERTIFICATE, [_RECOVERY.public])
    unlock = envelope.sign(certificate, PayloadType.UNLOCK, _RECOVERY)
    with pytest.raises(EnvelopeOfOtherType):
        _open(_order(unlock))


@pytest.mark.parametrize(
    "certificate",
    [
        b"{}",
        b"not json",
        b'{"subject": {"role": "owner", "id": "x"}}',
        json.dumps({"unknown": 1}).encode(),
        b'{"unknown":' + b"[" * 5000,
    ],
)
def test_a_signed_certificate_that_says_nothing_is_refused(certificate: bytes) -> None:
    with pytest.raises(EnvelopeMalformed):
        _open(_order(envelope.sign(certificate, PayloadType.CERTIFICATE, _RECOVERY)))


def test_a_certificate_for_what_is_no_key_is_refused() -> None:
    with pytest.raises(EnvelopeMalformed):
        _open(_order(_system_certificate(public_key="AAAA")))


def test_an_oversized_certificate_is_refused() -> None:
    with pytest.raises(EnvelopeTooLarge):
        _open(_order(envelope.sign(b" " * 20_000, PayloadType.CERTIFICATE, _RECOVERY)))


def test_an_oversized_order_is_refused_unread() -> None:
    with pytest.raises(EnvelopeTooLarge):
        _open(b"[" * (2 * 1024 * 1024))


_ORDER = _order()


@pytest.mark.parametrize(
    "order",
    [
        b"",
        b"null",
        b"{}",
        b'{"envelope":' + b"[" * 200_000,
        json.dumps(json.loads(_ORDER) | {"authority": []}).encode(),
        json.dumps(json.loads(_ORDER) | {"authority": json.loads(_ORDER)["authority"] * 2}).encode(),
        json.dumps(json.loads(_ORDER) | {"envelope": None}).encode(),
        json.dumps(json.loads(_ORDER)["envelope"]).encode(),
    ],
)
def test_what_is_no_order_is_refused_as_malformed(order: bytes) -> None:
    with pytest.raises(EnvelopeMalformed):
        _open(order)


@pytest.mark.parametrize("length", range(0, len(_ORDER), 37))
def test_a_truncated_order_is_refused(length: int) -> None:
    with pytest.raises(EnvelopeMalformed):
        _open(_ORDER[:length])


@given(st.integers(0, len(_ORDER) - 1), st.integers(0, 7))
@settings(max_examples=400, deadline=None)
def test_a_flipped_bit_is_never_believed(position: int, bit: int) -> None:
    damaged = bytearray(_ORDER)
    damaged[position] ^= 1 << bit
    try:
        payload = _open(bytes(damaged))
    except EnvelopeRefused:
        return
    # A bit of base64 that decodes to nothing, or of a member that nobody reads: what was signed is what comes back.
    assert payload == _PAYLOAD
