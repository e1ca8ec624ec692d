"""The authority chain: recovery key → system key → controller key, and the orders that travel with it.

A camera knows one key for good, the system's recovery key. The recovery key certifies the system key of an epoch
once; the system key certifies each controller for some weeks, with the rights it has. An order carries both
certificates, so a camera obeys a controller that it never met, and obeys nobody any more whose epoch is over. Unlocking
is not an order: it is signed by the recovery key itself (``envelope.sign`` with ``PayloadType.UNLOCK``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from ..errors import (
    AuthorityExpired,
    AuthorityOfOlderEpoch,
    AuthorityOfOtherSystem,
    AuthorityRefused,
    EnvelopeMalformed,
    EnvelopeTooLarge,
    KeyRefused,
    RightMissing,
)
from . import envelope
from .documents import decode
from .envelope import PayloadType
from .keys import PublicKey, SigningKey

#: What the certificates of an order may add to its envelope.
_CHAIN_BYTES = 64 * 1024
_LARGEST_CERTIFICATE_BYTES = 16 * 1024

#: Types that no controller may ever sign, whatever its rights: the recovery key alone unlocks.
_NEVER_ORDERS = frozenset({PayloadType.UNLOCK, PayloadType.CERTIFICATE})

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Role(StrEnum):
    """Whose key a certificate is about."""

    SYSTEM = "system"
    CONTROLLER = "controller"


class Right(StrEnum):
    """What a controller may order a camera to do."""

    ENROL = "enrol"  # enrolment, reset
    OFFLOAD = "offload"  # challenge, receipt, erase order
    CONFIGURE = "configure"  # settings, clock, lease
    UPDATE = "update"  # firmware


class Subject(msgspec.Struct, frozen=True):
    """Who is certified."""

    role: Role
    id: _Id


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What the key above says about a key.

    A system's certificate has no end and lists no rights: it holds as long as its epoch.
    """

    subject: Subject
    public_key: Annotated[str, msgspec.Meta(max_length=64)]
    system_id: _Id
    epoch: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    rights: Annotated[list[str], msgspec.Meta(max_length=32)]
    not_before: _Moment
    not_after: _Moment | None


class _OrderDocument(msgspec.Struct, frozen=True):
    envelope: msgspec.Raw
    authority: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(min_length=2, max_length=2)]


@dataclass(frozen=True)
class Authority:
    """A controller's key with the certificates that make others believe it: the system's, then its own."""

    key: SigningKey
    certificates: tuple[bytes, bytes]

    def issue(self, payload: bytes, payload_type: PayloadType) -> bytes:
        """Sign a payload as an order; it carries the chain, so its reader needs the recovery key alone."""
        signed = envelope.sign(payload, payload_type, self.key)
        chain = tuple(msgspec.Raw(certificate) for certificate in self.certificates)
        return msgspec.json.encode(_OrderDocument(msgspec.Raw(signed), chain))


@dataclass(frozen=True)
class OpenedOrder:
    """An order whose chain holds: what it says and who gave it."""

    payload: bytes
    controller_id: str
    epoch: int
    controller_key: PublicKey


def certify(issuer: SigningKey, certificate: Certificate) -> bytes:
    """Sign a certificate: the recovery key for a system, the system key for a controller."""
    return envelope.sign(msgspec.json.encode(certificate), PayloadType.CERTIFICATE, issuer)


def open_order(
    order: bytes,
    payload_type: PayloadType,
    *,
    recovery_key: PublicKey,
    system_id: str,
    least_epoch: int,
    now: datetime | None,
    right: str,
    limit_bytes: int = envelope.LARGEST_ENVELOPE_BYTES,
) -> OpenedOrder:
    """Give an order's payload if its whole chain holds.

    Args:
        order: Bytes as ``Authority.issue`` made them.
        payload_type: The only type that is accepted.
        recovery_key: The one key the reader trusts.
        system_id: The reader's own system; orders of another are refused.
        least_epoch: The highest epoch the reader has seen; older ones are refused.
        now: The reader's time, or None where it has no clock it may trust; validity is not judged then.
        right: What the controller must have been granted.
        limit_bytes: The largest envelope that is read, its certificates not counted.

    Raises:
        EnvelopeRefused: something is not signed as it must be, or is no order at all.
        AuthorityRefused: the signatures hold, but the signer may not give this order here and now.
    """
    if payload_type in _NEVER_ORDERS:
        raise AuthorityRefused
    document = _parse(order, limit_bytes + _CHAIN_BYTES)
    system = _certificate(document.authority[0], recovery_key, Role.SYSTEM)
    controller = _certificate(document.authority[1], _key_of(system), Role.CONTROLLER)
    for certificate in (system, controller):
        _check_scope(certificate, system_id, least_epoch)
        _check_validity(certificate, now)
    _check_controller(controller, system, right)
    keys = [_key_of(controller)]
    payload = envelope.verify(bytes(document.envelope), payload_type, keys, limit_bytes=limit_bytes)
    return OpenedOrder(payload, controller.subject.id, controller.epoch, _key_of(controller))


def _parse(order: bytes, limit_bytes: int) -> _OrderDocument:
    if len(order) > limit_bytes:
        raise EnvelopeTooLarge(limit_bytes=limit_bytes)
    return decode(order, _OrderDocument, EnvelopeMalformed)


def _certificate(signed: msgspec.Raw, issuer: PublicKey, role: Role) -> Certificate:
    payload = envelope.verify(bytes(signed), PayloadType.CERTIFICATE, [issuer], limit_bytes=_LARGEST_CERTIFICATE_BYTES)
    certificate = decode(payload, Certificate, EnvelopeMalformed)
    if certificate.subject.role is not role:
        raise AuthorityRefused
    return certificate


def _key_of(certificate: Certificate) -> PublicKey:
    try:
        return PublicKey.from_base64(certificate.public_key)
    except KeyRefused as error:
        raise EnvelopeMalformed from error


def _check_scope(certificate: Certificate, system_id: str, least_epoch: int) -> None:
    if certificate.system_id != system_id:
        raise AuthorityOfOtherSystem
    if certificate.epoch < least_epoch:
        raise AuthorityOfOlderEpoch(epoch=certificate.epoch, least_epoch=least_epoch)


def _check_validity(certificate: Certificate, now: datetime | None) -> None:
    if now is None:
        return
    if now < certificate.not_before or (certificate.not_after is not None and now >= certificate.not_after):
        raise AuthorityExpired


def _check_controller(controller: Certificate, system: Certificate, right: str) -> None:
    if controller.epoch != system.epoch or controller.not_after is None:
        raise AuthorityRefused
    if right not in controller.rights:
        raise RightMissing(right=right)
