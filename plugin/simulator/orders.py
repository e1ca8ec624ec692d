"""What a simulated camera does with each kind of order, once it believes it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from ..camera_volume.answers import NotErased, Reason
from ..camera_volume.control import ControlUnit
from ..camera_volume.media import recording_folder
from ..camera_volume.orders import (
    Challenge,
    Clock,
    Enrolment,
    EraseOrder,
    Erasure,
    Lease,
    Order,
    OrderKind,
    Receipt,
    ReceiptState,
    Reset,
    Settings,
    Unlock,
)
from ..camera_volume.recording import DOCUMENT_NAME
from .core import Core
from .memory import Docking, HeldReceipt, Remembered, sync_folder
from .verification import OpenedOrder, Refused

_MOST_REMEMBERED: Final = 10_000

Kind = TypeVar("Kind", bound=Order)


@dataclass(frozen=True)
class Turn:
    """What the camera holds in this turn: the control unit, the media unit if the host ejected it, the time since."""

    core: Core
    control: ControlUnit
    media: Path | None
    since_eject: timedelta


def is_repeat(core: Core, opened: OpenedOrder) -> bool:
    """Tell whether an order was applied before; a stale one raises Refused, as does an unlock for another docking."""
    if opened.kind is OrderKind.UNLOCK:
        _check_docking(core, _as(Unlock, opened).camera_nonce)
    last, order = core.memory.applied.get(opened.kind), opened.order
    if last is None or (order.epoch, order.sequence) > (last.epoch, last.sequence):
        return False
    if (order.epoch, order.sequence) == (last.epoch, last.sequence) and opened.sha256 == last.order_sha256:
        return True
    raise Refused(Reason.STALE)


def remember(core: Core, opened: OpenedOrder) -> None:
    """Note that an order was applied, so that it is never applied again."""
    order = opened.order
    core.memory.applied[opened.kind] = Remembered(order.epoch, order.sequence, opened.sha256)


def grant(turn: Turn, opened: OpenedOrder) -> None:
    """Let the media unit be exported in this docking, if a controller of the camera's system proved itself."""
    docking = _check_docking(turn.core, _as(Challenge, opened).camera_nonce)
    docking.granted = docking.granted or opened.controller_id is not None
    docking.controller_id = opened.controller_id or docking.controller_id


def enrol(turn: Turn, opened: OpenedOrder) -> None:
    """Belong to a system; only one that has none does."""
    memory, order = turn.core.memory, _as(Enrolment, opened)
    if memory.system_id is not None:
        raise Refused(Reason.STALE)
    memory.system_id, memory.recovery_key, memory.epoch = order.system_id, order.recovery_key, order.epoch
    memory.applied, memory.shipping = {}, False
    if memory.docking is not None:
        memory.docking.granted = True


def renew_lease(turn: Turn, opened: OpenedOrder) -> None:
    """Work until then."""
    turn.core.memory.lease_expires = _as(Lease, opened).expires


def change_settings(turn: Turn, opened: OpenedOrder) -> None:
    """Take over user and profile."""
    turn.core.memory.settings = _as(Settings, opened)


def set_clock(turn: Turn, opened: OpenedOrder) -> float:
    """Set the clock; gives by how many seconds it was ahead."""
    return turn.core.set_clock(_as(Clock, opened).time + turn.since_eject)


def keep_receipt(turn: Turn, opened: OpenedOrder) -> None:
    """Put a receipt where every host sees it, unless another controller owns the recording."""
    memory, order = turn.core.memory, _as(Receipt, opened)
    recording = memory.recordings.get(order.recording_id)
    if recording is None:
        raise Refused(Reason.UNKNOWN_RECORDING)
    if order.controller_id != opened.controller_id:
        raise Refused(Reason.NOT_AUTHORIZED)
    held = memory.receipts.get(order.recording_id)
    if held is not None and held.controller_id != order.controller_id and order.replaces != held.order_sha256:
        raise Refused(Reason.OWNED_ELSEWHERE)
    if order.state is ReceiptState.STORED and order.content_sha256 != recording.content_sha256:
        raise Refused(Reason.DIFFERS)
    turn.control.put_receipt(order.recording_id, opened.data)
    memory.receipts[order.recording_id] = HeldReceipt(order.controller_id, order.state, opened.sha256)


def erase(turn: Turn, opened: OpenedOrder) -> tuple[tuple[str, ...], tuple[NotErased, ...]]:
    """Delete what is still what was stored; gives what is gone and what stays."""
    gone: list[str] = []
    kept: list[NotErased] = []
    for erasure in _as(EraseOrder, opened).recordings:
        reason = _reason_to_keep(turn, erasure, opened.controller_id)
        if reason is None:
            _delete(turn, erasure.recording_id)
            gone.append(erasure.recording_id)
        else:
            kept.append(NotErased(recording_id=erasure.recording_id, reason=reason))
    return tuple(gone), tuple(kept)


def reset(turn: Turn, opened: OpenedOrder) -> None:
    """Forget the system; only an empty camera does."""
    memory, order = turn.core.memory, _as(Reset, opened)
    if memory.recordings:
        raise Refused(Reason.RECORDINGS_LEFT)
    memory.system_id = memory.recovery_key = memory.lease_expires = memory.settings = None
    memory.epoch, memory.newer_epoch_seen, memory.shipping = 0, False, order.shipping
    memory.applied = {}
    if memory.docking is not None:
        memory.docking.granted = False


def unlock(turn: Turn, opened: OpenedOrder) -> None:
    """Work again on the recovery key's word, in its epoch and by its clock."""
    memory, order = turn.core.memory, _as(Unlock, opened)
    if order.epoch < memory.epoch:
        raise Refused(Reason.STALE)
    turn.core.set_clock(order.time + turn.since_eject)
    memory.lease_expires, memory.epoch, memory.newer_epoch_seen = order.expires, order.epoch, False


#: What is answered by a plain acknowledgement; a number is the clock's offset.
ACTIONS: Final[dict[OrderKind, Callable[[Turn, OpenedOrder], float | None]]] = {
    OrderKind.ENROLMENT: enrol,
    OrderKind.LEASE: renew_lease,
    OrderKind.SETTINGS: change_settings,
    OrderKind.CLOCK: set_clock,
    OrderKind.RECEIPT: keep_receipt,
    OrderKind.RESET: reset,
    OrderKind.UNLOCK: unlock,
}


def _reason_to_keep(turn: Turn, erasure: Erasure, controller_id: str | None) -> Reason | None:
    memory = turn.core.memory
    recording = memory.recordings.get(erasure.recording_id)
    receipt = memory.receipts.get(erasure.recording_id)
    if recording is None:
        return None if erasure.recording_id in memory.erased else Reason.UNKNOWN_RECORDING
    if turn.media is None:
        return Reason.MEDIA_EXPORTED
    if recording.content_sha256 != erasure.content_sha256:
        return Reason.DIFFERS
    if receipt is not None and receipt.controller_id != controller_id and receipt.state is ReceiptState.TAKING:
        return Reason.OWNED_ELSEWHERE
    return None


def _delete(turn: Turn, recording_id: str) -> None:
    """Delete a recording, its document first, so that what a kill leaves behind is no recording any more."""
    memory = turn.core.memory
    if recording_id not in memory.recordings or turn.media is None:
        return
    folder = turn.media / recording_folder(recording_id)
    (folder / DOCUMENT_NAME).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    sync_folder(folder.parent)
    turn.control.remove_receipt(recording_id)
    memory.receipts.pop(recording_id, None)
    memory.recordings.pop(recording_id)
    memory.erased = [*memory.erased, recording_id][-_MOST_REMEMBERED:]
    turn.core.log(f"erased {recording_id}")


def _check_docking(core: Core, nonce: str) -> Docking:
    """Give the docking that is under way, if the order is for it."""
    docking = core.memory.docking
    if docking is None or nonce != docking.nonce:
        raise Refused(Reason.STALE)
    return docking


def _as(kind: type[Kind], opened: OpenedOrder) -> Kind:
    if not isinstance(opened.order, kind):
        raise Refused(Reason.MALFORMED)
    return opened.order
