"""The end of a recording's way on its camera: what may go, the order, and the camera's word that it is gone (P21, P22).

Whether it may is decided by ``erasing``; how a camera is told is ``hw``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..errors import RecordingVanished
from ..models import Camera, Clip, CopyState, Destination, Place, Recording, RecordingState
from . import copies, events
from .deliveries import travels
from .erasing import ON_CAMERA, ClipFacts, CopyFacts, ErasePolicy, EraseProof, Kept, may_erase


def erasable(session: Session, camera: Camera, policy: ErasePolicy) -> list[tuple[Recording, EraseProof]]:
    """List what may go from a camera, each with its proof; from a plain disk nothing until all is stored (I14)."""
    if camera.public_key is None and _waits(session, camera):
        return []
    rows = (
        select(Recording)
        .where(Recording.camera_id == camera.id, Recording.erased_at.is_(None))
        .where(Recording.state.in_([RecordingState.STORED, RecordingState.DELIVERED, RecordingState.REFUSED]))
        .options(selectinload(Recording.clips).selectinload(Clip.copies))
    )
    answers = [(one, may_erase(one.id, _facts(session, one), _policy(one, policy))) for one in session.scalars(rows)]
    return [(found, answer) for found, answer in answers if not isinstance(answer, Kept)]


def _policy(recording: Recording, policy: ErasePolicy) -> ErasePolicy:
    """What was refused may never reach the destination, so lack of room is no ground to give the original up (I11)."""
    refused = recording.state is RecordingState.REFUSED
    return replace(policy, camera_lacks_room=False) if refused else policy


def _waits(session: Session, camera: Camera) -> bool:
    """Tell whether something that was found on a camera, and has not vanished from it, is not stored yet."""
    waiting = select(Recording.problem_id).where(
        Recording.camera_id == camera.id, Recording.stored_at.is_(None), Recording.erased_at.is_(None)
    )
    return any(problem_id != RecordingVanished.id for problem_id in session.scalars(waiting))


def erase_ordered(session: Session, proofs: Iterable[EraseProof]) -> None:
    """Write down the intent to erase, before the order leaves (P21)."""
    for proof in proofs:
        events.record(
            session,
            "recording.erase-ordered",
            "recording",
            proof.recording_id,
            ground=str(proof.ground),
            sha256s=list(proof.sha256s),
            copies=list(proof.domains),
        )


def erased(session: Session, camera_id: str, camera_recording_ids: Sequence[str]) -> None:
    """Write down what the camera says it has deleted (P22)."""
    rows = select(Recording).where(
        Recording.camera_id == camera_id,
        Recording.camera_recording_id.in_(camera_recording_ids),
        Recording.erased_at.is_(None),
    )
    for recording in session.scalars(rows):
        recording.erased_at = datetime.now(UTC)
        for clip in recording.clips:
            if clip.kind in ON_CAMERA:
                copies.put(clip, Place.CAMERA, CopyState.ERASED, f"camera:{camera_id}")
        events.record(session, "recording.erased", "recording", recording.id)


def _facts(session: Session, recording: Recording) -> list[ClipFacts]:
    """Say of every object of a recording where it is: an encrypted clip is no copy without its key (I8)."""
    destination = session.get(Destination, recording.destination_id) if recording.destination_id else None
    return [
        ClipFacts(
            clip_id=clip.id,
            sha256=clip.sha256,
            goes_to_destination=travels(clip, destination),
            copies=tuple(CopyFacts(copy.place, copy.state, copy.failure_domain) for copy in clip.copies),
        )
        for clip in recording.clips
    ]
