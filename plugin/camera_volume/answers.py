"""What a camera puts into the outbox of its control unit: envelopes signed by the camera's own key."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from .documents import Bytes32, Counter, Document, Serial, Sha256, Utc, Uuid, Word
from .orders import MOST_ERASURES


class AnswerKind(StrEnum):
    """Kinds of outbox files; the payload type of each is ``application/vnd.bodyworn.<kind>.v1+json``."""

    IDENTITY = "identity"
    ACKNOWLEDGEMENT = "acknowledgement"
    ERASED = "erased"
    LOG = "log"


class Reason(StrEnum):
    """Why a camera refuses. Open: hosts treat one that they do not know as ``other``."""

    STALE = "stale"
    NOT_FOR_ME = "not-for-me"
    NOT_AUTHORIZED = "not-authorized"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    LOCKED = "locked"
    NOT_ENROLLED = "not-enrolled"
    BELONGS_ELSEWHERE = "belongs-elsewhere"
    OWNED_ELSEWHERE = "owned-elsewhere"
    UNKNOWN_RECORDING = "unknown-recording"
    DIFFERS = "differs"
    MEDIA_EXPORTED = "media-exported"
    RECORDINGS_LEFT = "recordings-left"
    STORAGE = "storage"
    OTHER = "other"


class Answer(Document, frozen=True, kw_only=True):
    """Members that every answer has. ``order_sha256`` is the digest of the inbox file; logs have none."""

    serial: Serial
    docking: Counter
    turn: Counter
    time: Utc
    order_sha256: Sha256 | None = None


class Identity(Answer, frozen=True, kw_only=True):
    """The answer to a challenge: both nonces, and the digest of the ``camera.json`` that lies beside it."""

    nonce: Bytes32
    camera_nonce: Bytes32
    camera_sha256: Sha256


class Acknowledgement(Answer, frozen=True, kw_only=True):
    """The answer to every other order but erasing: applied, or refused with a reason."""

    order: Word
    applied: bool
    epoch: Counter = 0
    sequence: Counter = 0
    reason: Word | None = None
    clock_offset_seconds: float | None = None


class NotErased(Document, frozen=True, kw_only=True):
    """A recording that stays, and why."""

    recording_id: Uuid
    reason: Word


class Erased(Answer, frozen=True, kw_only=True):
    """The answer to an erase order: what is gone, now or before, and what stays."""

    erased: Annotated[tuple[Uuid, ...], Meta(max_length=MOST_ERASURES)] = ()
    refused: Annotated[tuple[NotErased, ...], Meta(max_length=MOST_ERASURES)] = ()


class Log(Answer, frozen=True, kw_only=True):
    """What happened on the camera since the last log; the newest lines when there are too many."""

    lines: Annotated[tuple[Annotated[str, Meta(max_length=512)], ...], Meta(max_length=2000)]


ANSWERS: Final[dict[AnswerKind, type[Answer]]] = {
    AnswerKind.IDENTITY: Identity,
    AnswerKind.ACKNOWLEDGEMENT: Acknowledgement,
    AnswerKind.ERASED: Erased,
    AnswerKind.LOG: Log,
}
