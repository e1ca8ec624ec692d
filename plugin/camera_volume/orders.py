"""What a host may put into the inbox of a camera's control unit. How orders are signed is ``crypto.chain``'s business.

One rule for all: for each kind the camera remembers the highest (epoch, sequence) that it applied. A greater one is
applied, the same order again is answered as before, anything else is refused as stale.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta

from ..const import LARGEST_OBJECT_BYTES
from .documents import Bytes32, Counter, Document, KeyId, Line, Sha256, TimeZone, Utc, Uuid
from .recording import Container

#: A camera that was not docked for longer locks itself.
LEASE: Final = timedelta(days=56)

#: Recordings that one erase order may name.
MOST_ERASURES: Final = 1000


class OrderKind(StrEnum):
    """Kinds of inbox files; the payload type of each is ``application/vnd.bodyworn.<kind>.v1+json``."""

    CHALLENGE = "challenge"
    ENROLMENT = "enrolment"
    LEASE = "lease"
    SETTINGS = "settings"
    CLOCK = "clock"
    RECEIPT = "receipt"
    ERASE_ORDER = "erase-order"
    FIRMWARE = "firmware"
    RESET = "reset"
    UNLOCK = "unlock"


class Order(Document, frozen=True, kw_only=True):
    """Members that every order has. ``camera`` is the id of the camera's key: an order is for one camera alone."""

    system_id: Uuid
    camera: KeyId
    epoch: Counter
    sequence: Annotated[int, Meta(ge=1, le=2**53)]
    issued: Utc


class Challenge(Order, frozen=True, kw_only=True):
    """Prove who you are: answered by an Identity. Its camera nonce makes it good for one docking only."""

    nonce: Bytes32
    camera_nonce: Bytes32


class Enrolment(Order, frozen=True, kw_only=True):
    """Belong to this system from now on. The chain of the order is checked with the recovery key that it brings."""

    recovery_key: Bytes32
    system_name: Line = ""
    recovery_encryption_key: Bytes32 | None = None


class Lease(Order, frozen=True, kw_only=True):
    """Work until ``expires``, at most 56 days after ``issued``."""

    expires: Utc

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.issued < self.expires <= self.issued + LEASE:
            raise ValueError("a lease lasts 56 days at most")


class Profile(Document, frozen=True, kw_only=True):
    """How the camera records."""

    id: Uuid
    name: Line
    resolution: Literal["1080p", "720p"]
    audio: bool
    audio_post_processing: bool
    location: bool
    allow_silent_mode: bool
    allow_audio_off: bool
    pre_buffer_seconds: Annotated[int, Meta(ge=0, le=300)] = 0
    pre_buffer_audio: bool = False
    post_buffer_seconds: Annotated[int, Meta(ge=0, le=300)] = 0
    container: Container = "mkv"
    sign_video: bool = False
    clip_limit_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 900
    clip_limit_bytes: Annotated[int, Meta(ge=1024 * 1024, lt=LARGEST_OBJECT_BYTES)] = 4 * 1024**3


class AssignedUser(Document, frozen=True, kw_only=True):
    """Who wears the camera; ``user_id`` is the organisation's own number."""

    id: Uuid
    name: Line
    user_id: Line = ""


class Category(Document, frozen=True, kw_only=True):
    """A category that the camera user may give a bookmark."""

    id: Line
    name: Annotated[str, Meta(max_length=256)]


class Settings(Order, frozen=True, kw_only=True):
    """All settings of a camera; ``sequence`` is their version, which recordings carry. Without a user, no recording."""

    time_zone: TimeZone
    power_line_hertz: Literal[50, 60]
    profile: Profile | None = None
    user: AssignedUser | None = None
    camera_name: Line = ""
    language: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{2,35}\Z")] = "en"
    categories: Annotated[tuple[Category, ...], Meta(max_length=256)] = ()
    firmware_wanted: Line | None = None


class Clock(Order, frozen=True, kw_only=True):
    """It is ``time`` at the eject that begins this turn."""

    time: Utc


class ReceiptState(StrEnum):
    """``taking`` locks the recording for one controller while it copies; ``stored``: it has a verified copy."""

    TAKING = "taking"
    STORED = "stored"


class Receipt(Order, frozen=True, kw_only=True):
    """Recording → controller. ``replaces`` is the digest of another controller's receipt file, to take over from it."""

    recording_id: Uuid
    state: ReceiptState
    controller_id: Annotated[str, Meta(min_length=1, max_length=64)]
    content_sha256: Sha256 | None = None
    replaces: Sha256 | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.state is ReceiptState.STORED and self.content_sha256 is None:
            raise ValueError("a stored receipt names what was stored")


class Erasure(Document, frozen=True, kw_only=True):
    """A recording that may go if it is still what was stored."""

    recording_id: Uuid
    content_sha256: Sha256


class EraseOrder(Order, frozen=True, kw_only=True):
    """Delete these recordings: answered by Erased."""

    recordings: Annotated[tuple[Erasure, ...], Meta(min_length=1, max_length=MOST_ERASURES)]


class Firmware(Order, frozen=True, kw_only=True):
    """Install this image, which travels in numbered parts beside the order."""

    firmware: Line
    model: Line
    size_bytes: Annotated[int, Meta(ge=1, le=4 * 1024**3)]
    sha256: Sha256


class Reset(Order, frozen=True, kw_only=True):
    """Back to how the camera left its factory, with its key kept; into shipping mode if asked."""

    shipping: bool = True


class Unlock(Order, frozen=True, kw_only=True):
    """Work again, on the word of the recovery key itself; takes the camera to ``epoch`` and sets its clock.

    Not an order with a chain: an envelope signed by the recovery key.
    """

    camera_nonce: Bytes32
    time: Utc
    expires: Utc

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.time < self.expires <= self.time + LEASE:
            raise ValueError("a lease lasts 56 days at most")


ORDERS: Final[dict[OrderKind, type[Order]]] = {
    OrderKind.CHALLENGE: Challenge,
    OrderKind.ENROLMENT: Enrolment,
    OrderKind.LEASE: Lease,
    OrderKind.SETTINGS: Settings,
    OrderKind.CLOCK: Clock,
    OrderKind.RECEIPT: Receipt,
    OrderKind.ERASE_ORDER: EraseOrder,
    OrderKind.FIRMWARE: Firmware,
    OrderKind.RESET: Reset,
    OrderKind.UNLOCK: Unlock,
}
