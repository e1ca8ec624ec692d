"""What follows for a recording when its copy on this controller is damaged, and when it is whole again.

Finding it out is ``auditing``. Only the controller process calls what is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from ..errors import (
    BodywornError,
    CopyWithoutPartner,
    EvidenceFinding,
    RecordingDamaged,
    RecordingKeyLost,
    RecordingToTakeAgain,
)
from ..models import Camera, Clip, Copy, CopyState, Place, Recording, RecordingState
from . import copies, events, problems

#: Problems of a recording that end when its copies are whole.
OURS = frozenset({RecordingToTakeAgain.id, RecordingDamaged.id, RecordingKeyLost.id})


def copy_damaged(session: Session, copy: Copy, fault: EvidenceFinding) -> None:
    """Let a copy count as none, and have the recording taken again where its camera still has it.

    Where the destination has proved its own copy, nothing is lost and the recording goes on as it is. What is known
    to be damaged already stays as it is. The caller moves it aside.
    """
    clip, recording = copy.clip, copy.clip.recording
    if copy.problem_id is not None:
        return
    copy.state = CopyState.PROBLEM
    problems.note(copy, fault)
    _record(session, copy, "copy.damaged", fault.id)
    if copies.state(clip, Place.DESTINATION) is CopyState.VERIFIED:
        return
    if recording.erased_at is not None:
        _keep(recording, RecordingDamaged())
    elif any(copies.find(partner, Place.DESTINATION) for partner in _partners(clip)):
        _keep(recording, RecordingKeyLost())
    else:
        _take_again(session, recording, clip)


def copy_restored(session: Session, copy: Copy) -> None:
    """Let a copy count again: what was missing is back, with the very same bytes."""
    recording = copy.clip.recording
    copy.state = CopyState.VERIFIED
    problems.clear(copy)
    _record(session, copy, "copy.restored", "done")
    if recording.problem_id not in OURS or any(_is_damaged(clip) for clip in recording.clips):
        return
    problems.clear(recording)
    if recording.state is RecordingState.FOUND:
        recording.stored_at = datetime.now(UTC)
    if recording.state in (RecordingState.FOUND, RecordingState.QUARANTINED):
        recording.state = RecordingState.DELIVERED if _is_delivered_whole(recording) else RecordingState.STORED


def _take_again(session: Session, recording: Recording, clip: Clip) -> None:
    """Send a recording back to its beginning; what of it is whole stays and is not read from the camera again."""
    for partner in _partners(clip):
        found = copies.find(partner, Place.SPOOL)
        if found is not None and found.state is CopyState.VERIFIED:
            found.state = CopyState.PROBLEM
            problems.note(found, CopyWithoutPartner(name=partner.name))
    if recording.state is RecordingState.QUARANTINED:
        return
    recording.state, recording.stored_at, recording.receipted_at = RecordingState.FOUND, None, None
    serial = session.get_one(Camera, recording.camera_id).serial
    problems.note(recording, RecordingToTakeAgain(serial=serial))


def _keep(recording: Recording, error: BodywornError) -> None:
    """Let nothing move on by itself: what is left is for a person to see to."""
    if recording.state is not RecordingState.DELIVERED:
        recording.state = RecordingState.QUARANTINED
    problems.note(recording, error)


def _partners(clip: Clip) -> Iterator[Clip]:
    """Find what an encrypted clip and its key are to each other: taken again, both are made anew (I8, I10)."""
    for other in clip.recording.clips:
        if other.id == clip.unlocks_id or other.unlocks_id == clip.id:
            yield other


def _is_delivered_whole(recording: Recording) -> bool:
    """A recording that is Complete without what was refused has to be judged again by who sends it."""
    there = [copies.find(clip, Place.DESTINATION) for clip in recording.clips]
    return recording.delivered_at is not None and not any(copy and copy.problem_id for copy in there)


def _is_damaged(clip: Clip) -> bool:
    return copies.state(clip, Place.SPOOL) is CopyState.PROBLEM


def _record(session: Session, copy: Copy, action: str, result: str) -> None:
    clip = copy.clip
    events.record(
        session, action, "recording", clip.recording_id, result=result, clip=clip.name, sha256=clip.stored_sha256
    )
