"""Whether a simulated camera believes an order: chain, system, camera, epoch, and what each kind may do when."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from ..camera_volume import documents, orders
from ..camera_volume.answers import Reason
from ..camera_volume.orders import Challenge, Enrolment, Order, OrderKind, Unlock
from ..crypto import chain, envelope
from ..crypto.chain import Right
from ..crypto.envelope import PayloadType
from ..crypto.keys import PublicKey
from ..errors import AuthorityOfOtherSystem, AuthorityRefused, BodywornError, DocumentRefused
from .core import Core

_RIGHTS: Final = {
    OrderKind.CHALLENGE: Right.OFFLOAD,
    OrderKind.RECEIPT: Right.OFFLOAD,
    OrderKind.ERASE_ORDER: Right.OFFLOAD,
    OrderKind.ENROLMENT: Right.ENROL,
    OrderKind.RESET: Right.ENROL,
    OrderKind.LEASE: Right.CONFIGURE,
    OrderKind.SETTINGS: Right.CONFIGURE,
    OrderKind.CLOCK: Right.CONFIGURE,
    OrderKind.FIRMWARE: Right.UPDATE,
}

#: What a locked camera still listens to.
_WHILE_LOCKED: Final = frozenset({OrderKind.CHALLENGE, OrderKind.UNLOCK})


class Refused(Exception):
    """An order is not applied; the reason goes into the answer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class OpenedOrder:
    """An order that the camera believes. ``controller_id`` is None where nobody proved to be a controller."""

    kind: OrderKind
    order: Order
    sha256: str
    data: bytes
    controller_id: str | None


class _EnvelopeShape(msgspec.Struct):
    payload: str


class _OrderShape(msgspec.Struct):
    envelope: _EnvelopeShape


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_ORDERS: Final = msgspec.json.Decoder(_OrderShape)


def open_order(core: Core, kind: OrderKind, data: bytes) -> OpenedOrder:
    """Verify an order, then parse it; raises Refused."""
    try:
        opened = _open(core, kind, data)
    except AuthorityOfOtherSystem as error:
        raise Refused(Reason.BELONGS_ELSEWHERE) from error
    except (DocumentRefused, msgspec.DecodeError, ValueError) as error:
        raise Refused(Reason.MALFORMED) from error
    except BodywornError as error:
        raise Refused(Reason.NOT_AUTHORIZED) from error
    _check(core, opened)
    return opened


def _open(core: Core, kind: OrderKind, data: bytes) -> OpenedOrder:
    digest, system_id = sha256(data).hexdigest(), core.memory.system_id
    if kind is OrderKind.UNLOCK:
        payload = envelope.verify(data, PayloadType.UNLOCK, [_recovery_key(core)])
        return OpenedOrder(kind, documents.decode(Unlock, payload), digest, data, None)
    if system_id is None and kind is OrderKind.CHALLENGE:
        return OpenedOrder(kind, documents.decode(Challenge, _unverified(data)), digest, data, None)
    if system_id is None and kind is OrderKind.ENROLMENT:
        enrolment = documents.decode(Enrolment, _unverified(data))
        key = PublicKey.from_base64(enrolment.recovery_key)
        return _by_chain(kind, data, digest, key, enrolment.system_id, 0, None)
    now = None if core.locked() else core.now()
    return _by_chain(kind, data, digest, _recovery_key(core), system_id or "", core.memory.epoch, now)


def _by_chain(
    kind: OrderKind, data: bytes, digest: str, key: PublicKey, system_id: str, least_epoch: int, now: datetime | None
) -> OpenedOrder:
    opened = chain.open_order(
        data,
        PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"),
        recovery_key=key,
        system_id=system_id,
        least_epoch=least_epoch,
        now=now,
        right=_RIGHTS[kind],
    )
    order = documents.decode(orders.ORDERS[kind], opened.payload)
    if order.system_id != system_id or order.epoch != opened.epoch:
        raise AuthorityRefused
    return OpenedOrder(kind, order, digest, data, opened.controller_id)


def _recovery_key(core: Core) -> PublicKey:
    if core.memory.recovery_key is None:
        raise Refused(Reason.NOT_ENROLLED)
    return PublicKey.from_base64(core.memory.recovery_key)


def _unverified(data: bytes) -> bytes:
    """Give an order's payload before anybody can vouch for it: a camera without a system has nobody yet."""
    return b64decode(_ORDERS.decode(data).envelope.payload, validate=True)


def _check(core: Core, opened: OpenedOrder) -> None:
    memory, order = core.memory, opened.order
    if order.camera != core.key.public.key_id:
        raise Refused(Reason.NOT_FOR_ME)
    if memory.system_id is not None and order.system_id != memory.system_id:
        raise Refused(Reason.BELONGS_ELSEWHERE)
    if memory.system_id is not None and opened.kind is not OrderKind.UNLOCK and order.epoch > memory.epoch:
        memory.newer_epoch_seen = True
    if opened.kind not in _WHILE_LOCKED and core.locked():
        raise Refused(Reason.LOCKED)
