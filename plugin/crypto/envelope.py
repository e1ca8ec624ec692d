"""DSSE envelopes: everything signed has a type that is signed with it, and is verified before it is parsed.

What the payloads say is not known here (``camera_volume.documents``); who may sign what is in ``chain.py``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Signature

from ..errors import EnvelopeMalformed, EnvelopeOfOtherType, EnvelopeTooLarge, SignatureRefused
from .documents import decode
from .keys import PublicKey, SigningKey

LARGEST_ENVELOPE_BYTES = 1024 * 1024


class PayloadType(StrEnum):
    """What an envelope holds. The version is part of the name; another version is another type."""

    RECORDING = "application/vnd.bodyworn.recording.v1+json"
    IDENTITY = "application/vnd.bodyworn.identity.v1+json"
    CHALLENGE = "application/vnd.bodyworn.challenge.v1+json"
    ENROLMENT = "application/vnd.bodyworn.enrolment.v1+json"
    LEASE = "application/vnd.bodyworn.lease.v1+json"
    SETTINGS = "application/vnd.bodyworn.settings.v1+json"
    CLOCK = "application/vnd.bodyworn.clock.v1+json"
    UNLOCK = "application/vnd.bodyworn.unlock.v1+json"
    ERASE_ORDER = "application/vnd.bodyworn.erase-order.v1+json"
    RECEIPT = "application/vnd.bodyworn.receipt.v1+json"
    ACKNOWLEDGEMENT = "application/vnd.bodyworn.acknowledgement.v1+json"
    ERASED = "application/vnd.bodyworn.erased.v1+json"
    LOG = "application/vnd.bodyworn.log.v1+json"
    FIRMWARE = "application/vnd.bodyworn.firmware.v1+json"
    RESET = "application/vnd.bodyworn.reset.v1+json"
    CERTIFICATE = "application/vnd.bodyworn.certificate.v1+json"
    MANIFEST = "application/vnd.bodyworn.manifest.v1+json"
    CHECKPOINT = "application/vnd.bodyworn.checkpoint.v1+json"
    MARK = "application/vnd.bodyworn.mark.v1+json"
    DELIVERY_PROOF = "application/vnd.bodyworn.delivery-proof.v1+json"


class _SignatureDocument(msgspec.Struct, frozen=True):
    keyid: Annotated[str, msgspec.Meta(max_length=128)]
    sig: Annotated[str, msgspec.Meta(max_length=1024)]


class _EnvelopeDocument(msgspec.Struct, frozen=True):
    payload: str
    payloadType: Annotated[str, msgspec.Meta(max_length=128)]  # noqa: N815
    signatures: Annotated[tuple[_SignatureDocument, ...], msgspec.Meta(min_length=1, max_length=8)]


def sign(payload: bytes, payload_type: PayloadType, key: SigningKey) -> bytes:
    """Put a payload into a signed envelope.

    Returns:
        The envelope as JSON.
    """
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(key.signer)
    return msgspec.json.encode(envelope.to_dict())


def verify(
    envelope: bytes,
    payload_type: PayloadType,
    keys: Sequence[PublicKey],
    *,
    limit_bytes: int = LARGEST_ENVELOPE_BYTES,
) -> bytes:
    """Give the payload of an envelope that one of ``keys`` signed as ``payload_type``.

    Raises:
        EnvelopeRefused: one of its kinds; nothing of the payload has been looked at then.
    """
    if len(envelope) > limit_bytes:
        raise EnvelopeTooLarge(limit_bytes=limit_bytes)
    parsed = _parse(envelope)
    if parsed.payload_type != payload_type:
        raise EnvelopeOfOtherType(expected=payload_type)
    _check_signature(parsed, keys)
    return parsed.payload


def _parse(envelope: bytes) -> Envelope:
    document = decode(envelope, _EnvelopeDocument, EnvelopeMalformed)
    try:
        payload = _decoded(document.payload)
        signatures = [Signature(one.keyid, _decoded(one.sig).hex()) for one in document.signatures]
    except ValueError as error:
        raise EnvelopeMalformed from error
    by_key = {one.keyid: one for one in signatures}
    if len(by_key) != len(signatures):
        raise EnvelopeMalformed
    return Envelope(payload, document.payloadType, by_key)


def _decoded(text: str) -> bytes:
    """Decode base64 that is spelled in the one right way: bits that mean nothing have to be nought (RFC 4648, 3.5)."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 with bits that mean nothing")
    return data


def _check_signature(envelope: Envelope, keys: Sequence[PublicKey]) -> None:
    if not keys:
        raise SignatureRefused
    try:
        envelope.verify([key.verifier() for key in keys], threshold=1)
    except VerificationError as error:
        raise SignatureRefused from error
