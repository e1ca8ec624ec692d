"""Receipts of controllers that the system lost: after a restore, what they had in hand is taken over (I9).

A receipt belongs to a lost controller if its chain is our system's, of an earlier epoch, and names a controller that is
not in our database: since the restore nobody can prove to be that controller any more. All others keep what they have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256

from ...camera_volume.control import ControlUnit
from ...crypto.chain import OpenedOrder, Right, open_order
from ...crypto.envelope import PayloadType
from ...errors import BodywornError
from ..order_book import OrderBook


def lost_receipts(control: ControlUnit, recording_ids: Collection[str], book: OrderBook) -> Mapping[str, str]:
    """Give the digests of the receipt files that may be taken over, by their recordings."""
    found: dict[str, str] = {}
    for recording_id in set(recording_ids).intersection(control.list_receipts()):
        try:
            data = control.read_receipt(recording_id)
            opened = _opened(data, book)
        except BodywornError:
            continue  # what does not hold, or cannot be read, is nobody's to take over
        if opened.epoch < book.epoch and not book.has_controller(opened.controller_id):
            found[recording_id] = sha256(data).hexdigest()
    return found


def _opened(data: bytes, book: OrderBook) -> OpenedOrder:
    """Verify a receipt, whenever it was written."""
    return open_order(
        data,
        PayloadType.RECEIPT,
        recovery_key=book.recovery_key,
        system_id=book.system_id,
        least_epoch=0,
        now=None,
        right=Right.OFFLOAD,
    )
