"""A simulated camera's turn: read the inbox in order, obey or refuse, answer, describe itself anew.

The memory is saved after each order and before its answer; the inbox is cleared last. So a camera that is killed
anywhere finds the same orders again, and answers them the same.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final, TypedDict

import msgspec

from ..camera_volume import documents
from ..camera_volume.answers import Acknowledgement, Answer, AnswerKind, Erased, Identity, Log, Reason
from ..camera_volume.control import ControlUnit, Message
from ..camera_volume.orders import Challenge, OrderKind
from ..crypto import envelope
from ..crypto.envelope import PayloadType
from ..crypto.keys import SigningKey
from ..errors import CameraVolumeError
from . import orders
from .core import Core
from .orders import Turn
from .verification import OpenedOrder, Refused, open_order

_MOST_ANSWERS: Final = 1000
_LOG_LINES: Final = 500

_KINDS: Final[dict[type[Answer], AnswerKind]] = {
    Identity: AnswerKind.IDENTITY,
    Acknowledgement: AnswerKind.ACKNOWLEDGEMENT,
    Erased: AnswerKind.ERASED,
    Log: AnswerKind.LOG,
}


class _Facts(TypedDict):
    serial: str
    docking: int
    turn: int
    time: datetime


def take_turn(turn: Turn, signing_key: SigningKey) -> None:
    """Handle the whole inbox; ``signing_key`` is the camera's own unless it is an impostor."""
    core, control = turn.core, turn.control
    core.memory.turns += 1
    messages = control.list_inbox()
    answers = [_obey(turn, message) for message in messages]
    answers += _take_log(core)
    camera_sha256 = control.write_description(core.describe())
    for answer in answers:
        _put(core, control, answer, camera_sha256, signing_key)
    for message in messages:
        control.remove_order(message)
    _drop_oldest(control)


def _obey(turn: Turn, message: Message) -> Answer:
    core, data = turn.core, _read(turn.control, message)
    digest = sha256(data).hexdigest()
    if _is_last_reset(core, message, digest):
        return Acknowledgement(**_facts(core), order_sha256=digest, order=message.kind, applied=True)
    try:
        answer = _apply(turn, open_order(core, _kind(message), data))
    except Refused as refused:
        core.log(f"refused {message.kind}: {refused.reason}")
        answer = _refusal(core, message.kind, digest, refused.reason)
    core.save()
    return answer


def _apply(turn: Turn, opened: OpenedOrder) -> Answer:
    if opened.kind is OrderKind.CHALLENGE:
        orders.grant(turn, opened)
        return _identity(turn.core, opened)
    repeat = orders.is_repeat(turn.core, opened)
    if opened.kind is OrderKind.ERASE_ORDER:
        gone, kept = orders.erase(turn, opened)
        orders.remember(turn.core, opened)
        return Erased(**_facts(turn.core), order_sha256=opened.sha256, erased=gone, refused=kept)
    action = orders.ACTIONS.get(opened.kind)
    if action is None:
        raise Refused(Reason.UNSUPPORTED)
    offset = None if repeat else action(turn, opened)
    orders.remember(turn.core, opened)
    turn.core.log(f"applied {opened.kind} {opened.order.epoch}/{opened.order.sequence}")
    return _applied(turn.core, opened, offset)


def _is_last_reset(core: Core, message: Message, digest: str) -> bool:
    """Tell whether this order made the camera forget its system: it cannot be verified a second time."""
    last = core.memory.applied.get(OrderKind.RESET)
    return message.kind == OrderKind.RESET and last is not None and last.order_sha256 == digest


def _identity(core: Core, opened: OpenedOrder) -> Identity:
    challenge = opened.order
    assert isinstance(challenge, Challenge)
    return Identity(
        **_facts(core),
        order_sha256=opened.sha256,
        nonce=challenge.nonce,
        camera_nonce=challenge.camera_nonce,
        camera_sha256="0" * 64,  # replaced in _put, when camera.json is written
    )


def _applied(core: Core, opened: OpenedOrder, clock_offset_seconds: float | None) -> Acknowledgement:
    return Acknowledgement(
        **_facts(core),
        order_sha256=opened.sha256,
        order=opened.kind,
        applied=True,
        epoch=opened.order.epoch,
        sequence=opened.order.sequence,
        clock_offset_seconds=clock_offset_seconds,
    )


def _refusal(core: Core, kind: str, digest: str, reason: Reason) -> Acknowledgement:
    return Acknowledgement(**_facts(core), order_sha256=digest, order=kind, applied=False, reason=reason)


def _take_log(core: Core) -> list[Answer]:
    """Send the log's lines, which are forgotten once this turn is saved."""
    lines = core.memory.log[:_LOG_LINES]
    if not lines:
        return []
    core.memory.log = core.memory.log[_LOG_LINES:]
    return [Log(**_facts(core), lines=tuple(lines))]


def _put(core: Core, control: ControlUnit, answer: Answer, camera_sha256: str, key: SigningKey) -> None:
    if isinstance(answer, Identity):
        answer = msgspec.structs.replace(answer, camera_sha256=camera_sha256)
    kind = _KINDS[type(answer)]
    signed = envelope.sign(documents.encode(answer), PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"), key)
    core.memory.last_answer_number += 1
    core.save()
    control.put_answer(core.memory.last_answer_number, kind, signed)


def _drop_oldest(control: ControlUnit) -> None:
    for message in control.list_outbox()[:-_MOST_ANSWERS]:
        control.remove_answer(message)


def _read(control: ControlUnit, message: Message) -> bytes:
    """Read an order; one that cannot be read is as good as an empty one, and is refused as malformed."""
    try:
        return control.read_order(message)
    except CameraVolumeError:
        return b""


def _kind(message: Message) -> OrderKind:
    try:
        return OrderKind(message.kind)
    except ValueError as error:
        raise Refused(Reason.UNSUPPORTED) from error


def _facts(core: Core) -> _Facts:
    memory = core.memory
    return _Facts(serial=memory.serial, docking=memory.dockings, turn=memory.turns, time=core.now())
