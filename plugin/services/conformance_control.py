"""The control unit held against the camera volume format: ``camera.json``, outbox, receipts, size."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

from msgspec import DecodeError, json

from ..camera_volume.answers import ANSWERS, Answer, AnswerKind, Identity
from ..camera_volume.control import ControlUnit, Described, Message
from ..camera_volume.documents import Unit, decode
from ..crypto.envelope import PayloadType, verify
from ..crypto.keys import PublicKey
from .conformance_remarks import Remarks

LARGEST_BYTES: Final = 16 * 1024 * 1024


def check_control(folder: Path, remarks: Remarks) -> Described | None:
    """Check a control unit; gives ``camera.json`` where it can be read."""
    with ControlUnit(folder) as unit:
        described: Described | None = None
        with remarks.faulting(6, "camera.json"):
            described = unit.read_description()
        if described is not None:
            _check_units(folder, described, remarks)
            with remarks.faulting(8, "outbox"):
                _check_outbox(unit, described, remarks)
        with remarks.faulting(15, "inbox"):
            unit.list_inbox()
        with remarks.faulting(3, "receipts"):
            _check_receipts(unit, remarks)
    return described


def check_receipts_belong(folder: Path, recording_ids: frozenset[str], remarks: Remarks) -> None:
    """Check that no receipt is left of a recording that is gone."""
    with ControlUnit(folder) as unit, remarks.faulting(3, "receipts"):
        for recording_id in unit.list_receipts():
            if recording_id not in recording_ids:
                remarks.fault(7, f"receipts/{recording_id}.json", "Its recording is not on the camera any more.")


def _check_units(folder: Path, described: Described, remarks: Remarks) -> None:
    description = described.description
    has_recordings = (folder / "recordings").is_dir()
    if Unit.CONTROL not in description.units:
        remarks.fault(13, "camera.json", "Its units do not name the control unit.")
    if has_recordings and Unit.MEDIA in description.units:
        remarks.fault(13, "recordings", "Recordings lie on the control unit of a camera that has a media unit.")
    if Unit.MEDIA in description.units and _size_bytes(folder) > LARGEST_BYTES:
        remarks.fault(15, ".", f"The control unit holds more than {LARGEST_BYTES} bytes.")
    if description.battery.percent == 0:
        remarks.note(6, "camera.json", "The battery is said to be empty.")
    for fault in description.faults:
        remarks.note(6, "camera.json", f"The camera says that something is wrong with it: {fault}.")


def _check_outbox(unit: ControlUnit, described: Described, remarks: Remarks) -> None:
    messages = unit.list_outbox()
    for number, count in Counter(message.number for message in messages).items():
        if count > 1:
            remarks.fault(3, f"outbox/{number:08}", "Two answers have one number.")
    read = {message: _read(unit, message, described, remarks) for message in messages}
    answers = {message: answer for message, answer in read.items() if answer is not None}
    for message, answer in answers.items():
        _check_answer(message, answer, described, remarks)


def _read(unit: ControlUnit, message: Message, described: Described, remarks: Remarks) -> Answer | None:
    path = f"outbox/{message.name}"
    if message.kind not in set(AnswerKind):
        remarks.note(16, path, "This kind of answer is of no version that is known here.")
        return None
    kind = AnswerKind(message.kind)
    with remarks.faulting(8, path):
        key = PublicKey.from_base64(described.description.public_key)
        payload = verify(unit.read_answer(message), PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"), [key])
        return decode(ANSWERS[kind], payload)
    return None


def _check_answer(message: Message, answer: Answer, described: Described, remarks: Remarks) -> None:
    path, description = f"outbox/{message.name}", described.description
    now = (description.docking, description.turn)
    if answer.serial != description.serial:
        remarks.fault(8, path, "It names another serial number than camera.json.")
    if (answer.docking, answer.turn) > now:
        remarks.fault(8, path, "It is of a later turn than camera.json.")
    if answer.order_sha256 is None and message.kind != AnswerKind.LOG:
        remarks.fault(8, path, "It does not say which order it answers.")
    is_of_now = (answer.docking, answer.turn) == now
    if isinstance(answer, Identity) and is_of_now and answer.camera_sha256 != described.sha256:
        remarks.fault(8, path, "Its digest is not that of the camera.json beside it.")


def _check_receipts(unit: ControlUnit, remarks: Remarks) -> None:
    for recording_id in unit.list_receipts():
        path = f"receipts/{recording_id}.json"
        with remarks.faulting(3, path):
            if not _is_order(unit.read_receipt(recording_id)):
                remarks.fault(5, path, "It is not an order with its chain.")


def _is_order(data: bytes) -> bool:
    try:
        order = json.decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(order, dict) and {"envelope", "authority"} <= order.keys()


def _size_bytes(folder: Path) -> int:
    """Add up the ordinary files of a unit, without following anything."""
    found = 0
    for parent, _, names in os.walk(folder):
        found += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
    return found
