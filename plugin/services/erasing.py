"""May the camera's copy go? One pure function decides, and only it makes the proof that an erase order needs (I1, I5).

How a camera is told to erase is the drivers' business; which copies exist is read by ``recordings``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..models import ClipKind, CopyState, Place

#: Kinds that exist on a camera; bookmarks are part of its document, keys are made here.
ON_CAMERA = frozenset({ClipKind.CLIP, ClipKind.TRACK, ClipKind.ATTACHMENT})
_MINT = object()


@dataclass(frozen=True)
class CopyFacts:
    """What is known of one copy."""

    place: Place
    state: CopyState
    failure_domain: str


@dataclass(frozen=True)
class ClipFacts:
    """One object of a recording: a file on the camera, its key, or a bookmark in its document; and its copies."""

    clip_id: str
    #: As read from the camera and stored.
    sha256: str | None
    #: False for objects that this destination has no place for (a track, say): their copy here is what they have.
    goes_to_destination: bool
    copies: tuple[CopyFacts, ...]


@dataclass(frozen=True)
class ErasePolicy:
    """What the system wants to be sure of."""

    #: True when the camera has no room for the next shift, and so cannot wait for the destination.
    camera_lacks_room: bool
    #: Distinct failure domains that must hold a verified copy; never below one.
    least_copies: int = 1

    def __post_init__(self) -> None:
        if self.least_copies < 1:
            raise ValueError("nothing is erased without a copy")


class Ground(StrEnum):
    """Why a camera's copy may go."""

    DESTINATION_VERIFIED = "destination-verified"
    DESTINATION_ACKNOWLEDGED = "destination-acknowledged-and-stored"
    STORED_AND_NO_ROOM = "stored-and-no-room-for-the-next-shift"


class Reason(StrEnum):
    """Why a camera's copy stays."""

    NOTHING_KNOWN = "nothing-known"
    NOT_STORED = "not-stored"
    WAITING_FOR_DESTINATION = "waiting-for-destination"
    TOO_FEW_COPIES = "too-few-copies"


@dataclass(frozen=True)
class EraseProof:
    """Permission to erase one recording from its camera; only :func:`may_erase` makes one."""

    recording_id: str
    ground: Ground
    sha256s: tuple[str, ...]
    domains: tuple[str, ...]
    mint: object = field(repr=False)

    def __post_init__(self) -> None:
        assert self.mint is _MINT, "I1: only may_erase makes a proof"
        assert self.sha256s, "I1: a proof names what was copied"
        assert self.domains, "I1: a proof names where the copies are"


@dataclass(frozen=True)
class Kept:
    """The copy on the camera stays, and why."""

    recording_id: str
    reason: Reason


def may_erase(recording_id: str, clips: Sequence[ClipFacts], policy: ErasePolicy) -> EraseProof | Kept:
    """Decide whether a recording may go from its camera, by all of its objects (decision 14).

    Whatever is not known counts as not there (I11).
    """
    if not clips or any(clip.sha256 is None for clip in clips):
        return Kept(recording_id, Reason.NOTHING_KNOWN)
    grounds = [_ground(clip, policy) for clip in clips]
    reasons = [ground for ground in grounds if isinstance(ground, Reason)]
    if reasons:
        return Kept(recording_id, reasons[0])
    domains = _common_domains(clips)
    if len(domains) < policy.least_copies:
        return Kept(recording_id, Reason.TOO_FEW_COPIES)
    weakest = max((ground for ground in grounds if isinstance(ground, Ground)), key=list(Ground).index)
    return EraseProof(recording_id, weakest, tuple(clip.sha256 or "" for clip in clips), domains, mint=_MINT)


def _ground(clip: ClipFacts, policy: ErasePolicy) -> Ground | Reason:
    destination = _state(clip.copies, Place.DESTINATION)
    stored = _state(clip.copies, Place.SPOOL) is CopyState.VERIFIED
    if destination is CopyState.VERIFIED:
        return Ground.DESTINATION_VERIFIED
    if not stored:
        return Reason.NOT_STORED
    if destination is CopyState.ACKNOWLEDGED or not clip.goes_to_destination:
        return Ground.DESTINATION_ACKNOWLEDGED
    return Ground.STORED_AND_NO_ROOM if policy.camera_lacks_room else Reason.WAITING_FOR_DESTINATION


def _state(copies: Iterable[CopyFacts], place: Place) -> CopyState | None:
    return next((copy.state for copy in copies if copy.place is place), None)


def _common_domains(clips: Sequence[ClipFacts]) -> tuple[str, ...]:
    """Name the places that each lose or keep copies together; the clip with the fewest decides."""
    per_clip = [
        {c.failure_domain for c in clip.copies if c.state is CopyState.VERIFIED and c.place is not Place.CAMERA}
        for clip in clips
    ]
    fewest: set[str] = min(per_clip, key=lambda domains: len(domains))
    return tuple(sorted(fewest))
