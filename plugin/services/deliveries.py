"""The second half of a recording's way: delivered to the content destination, or why not (P15 to P20).

Only the controller process calls what changes something here. The wire is ``destination``, threads are ``hw.uploader``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from ..destination.capabilities import Capabilities
from ..destination.names import rejected_container_name
from ..errors import BodywornError, EtagDiffers, NetworkCorrupts, NoticeRefused, Rejected, RejectedAlsoThere
from ..models import Clip, ClipKind, Copy, CopyState, Destination, Place, Recording, RecordingState, new_id
from . import copies, events, problems
from .recordings import get

_SHORTEST_RETRY = timedelta(seconds=1)
_LONGEST_RETRY = timedelta(minutes=5)


#: Other bytes than ours arrived: sent again so often before somebody has to look.
_RESENDS = 3
_DIFFERED = (EtagDiffers.id, NetworkCorrupts.id)
#: Problems of a recording that do not pass because the destination does.
OWN_PROBLEMS = (NetworkCorrupts.id, NoticeRefused.id)


@dataclass(frozen=True)
class Delivery:
    """The destination's proof for one object."""

    clip_id: str
    verified: bool
    md5: str


def due(session: Session, limit: int) -> list[Recording]:
    """List recordings to upload now: bookmarked and protected first, then the oldest; photos alone stay here."""
    now = datetime.now(UTC)
    rows = (
        select(Recording)
        .where(
            Recording.state == RecordingState.STORED,
            Recording.camera_user_id.is_not(None),
            Recording.clips.any(Clip.kind == ClipKind.CLIP),
            or_(Recording.retry_at.is_(None), Recording.retry_at <= now),
        )
        .order_by(Recording.protected.desc(), Recording.start_at)
        .limit(limit)
        .options(selectinload(Recording.clips).selectinload(Clip.copies))
    )
    return list(session.scalars(rows))


def sending(session: Session, recording_id: str, destination: Destination) -> None:
    """Write down that an upload begins (P15)."""
    recording = get(session, recording_id)
    recording.destination_id = destination.id
    events.record(session, "recording.sending", "recording", recording_id, destination=destination.site_name)


def send_progress(session: Session, by_clip: Mapping[str, tuple[int, str]]) -> None:
    """Write down how far several uploads are (bytes and failure domain); no event, because nothing is decided."""
    for clip_id, (done_bytes, failure_domain) in by_clip.items():
        clip = session.get_one(Clip, clip_id)
        if copies.state(clip, Place.DESTINATION) in (None, CopyState.WRITING):
            copies.put(clip, Place.DESTINATION, CopyState.WRITING, failure_domain).done_bytes = done_bytes


def clip_delivered(session: Session, delivery: Delivery, failure_domain: str) -> None:
    """Write down what the destination proved of one object (P18)."""
    clip = session.get_one(Clip, delivery.clip_id)
    state = CopyState.VERIFIED if delivery.verified else CopyState.ACKNOWLEDGED
    assert not delivery.verified or delivery.md5 == clip.stored_md5, "I3: verified means equal to our digest"
    copy = copies.put(clip, Place.DESTINATION, state, failure_domain, md5=delivery.md5)
    copy.done_bytes = clip.stored_size_bytes or 0
    events.record(
        session, "clip.delivered", "recording", clip.recording_id, clip=clip.name, proof=str(state), md5=delivery.md5
    )


def object_refused(session: Session, clip_id: str, error: BodywornError, failure_domain: str) -> None:
    """Write down that the destination will never take an object; the recording's others go on."""
    clip = session.get_one(Clip, clip_id)
    problems.note(copies.put(clip, Place.DESTINATION, CopyState.PROBLEM, failure_domain), error)
    events.record(session, "clip.refused", "recording", clip.recording_id, result=error.id, clip=clip.name)


def rejected_container(session: Session, recording_id: str) -> str:
    """Name the container for what the destination rejected; every attempt at one recording gets the same name."""
    recording = get(session, recording_id)
    if recording.rejected_container is None:
        recording.rejected_container = rejected_container_name(datetime.now(UTC), new_id())
    return recording.rejected_container


def put_aside(session: Session, delivery: Delivery, failure_domain: str) -> None:
    """Write down what the destination proved of an object that it keeps as rejected content."""
    clip = session.get_one(Clip, delivery.clip_id)
    reason = copies.refusal(clip, failure_domain)
    assert reason is not None, "only what was refused is put aside"
    state = CopyState.VERIFIED if delivery.verified else CopyState.ACKNOWLEDGED
    assert not delivery.verified or delivery.md5 == clip.stored_md5, "I3: verified means equal to our digest"
    problems.note(copies.put(clip, Place.DESTINATION, state, failure_domain, md5=delivery.md5), reason)
    events.record(
        session,
        "clip.put-aside",
        "recording",
        clip.recording_id,
        clip=clip.name,
        container=clip.recording.rejected_container,
        proof=str(state),
        md5=delivery.md5,
    )


def refused_there_as_well(session: Session, clip_id: str, failure_domain: str) -> None:
    """Write down that an object is not even taken as rejected content; then only the camera and we have it."""
    clip = session.get_one(Clip, clip_id)
    error = RejectedAlsoThere()
    problems.note(copies.put(clip, Place.DESTINATION, CopyState.PROBLEM, failure_domain), error)
    events.record(session, "clip.refused", "recording", clip.recording_id, result=error.id, clip=clip.name)


def completed_in_part(session: Session, recording_id: str) -> None:
    """Write down that the recording is Complete at the destination without what was refused; nothing can be added."""
    recording = get(session, recording_id)
    if recording.delivered_at is None:
        recording.delivered_at = datetime.now(UTC)
        events.record(
            session, "recording.completed-in-part", "recording", recording_id, container=recording.container_name
        )


def delivered(session: Session, recording_id: str) -> None:
    """Write down that the recording is Complete at the destination (P20)."""
    recording = get(session, recording_id)
    recording.state, recording.delivered_at = RecordingState.DELIVERED, datetime.now(UTC)
    recording.attempts, recording.retry_at = 0, None
    problems.clear(recording)
    events.record(session, "recording.delivered", "recording", recording_id, container=recording.container_name)


def upload_failed(session: Session, recording_id: str, error: BodywornError, after_seconds: float | None) -> None:
    """Write down why an upload failed and when it is tried again, later and later (I11: never towards deletion)."""
    recording = get(session, recording_id)
    if isinstance(error, EtagDiffers) and recording.problem_id in _DIFFERED and recording.attempts >= _RESENDS:
        error = NetworkCorrupts()
    recording.attempts += 1
    wait = min(_SHORTEST_RETRY * 2 ** min(recording.attempts - 1, 16), _LONGEST_RETRY)
    if after_seconds is not None:
        wait = max(wait, timedelta(seconds=min(after_seconds, 3600)))
    recording.retry_at = datetime.now(UTC) + wait
    if recording.problem_id != error.id:
        events.record(session, "recording.upload-failed", "recording", recording_id, result=error.id)
    problems.note(recording, error)


def retry_all(session: Session) -> None:
    """Make every waiting upload due now, after something about the destination changed."""
    for recording in session.scalars(select(Recording).where(Recording.state == RecordingState.STORED)):
        recording.retry_at = None


def refused(session: Session, recording_id: str, error: BodywornError) -> None:
    """Write down that the destination will never take a recording, or some of it; it stays here, downloadable.

    It stays on the camera as well, unless each of its objects is proved somewhere or there is no room (decision 14).
    """
    recording = get(session, recording_id)
    recording.state, recording.attempts, recording.retry_at = RecordingState.REFUSED, 0, None
    problems.note(recording, error)
    events.record(session, "recording.refused", "recording", recording_id, result=error.id)


def may_try_again(recording: Recording, destination: Destination | None) -> bool:
    """Tell whether another attempt at a refused recording can change anything.

    Where its other objects are Complete already, nothing can be added there (API, section 4); what was refused can
    then only go to the rejected content.
    """
    if recording.state is not RecordingState.REFUSED or destination is None:
        return False
    if not _is_complete_at(recording, destination):
        return True
    return can(destination).rejected_content and any(
        copies.state(clip, Place.DESTINATION) is CopyState.PROBLEM and clip.kind in GOES_ASIDE
        for clip in recording.clips
    )


def try_again(session: Session, recording_id: str, destination: Destination, *, actor: str) -> bool:
    """Make a refused recording due again, because somebody thinks that it may be taken now; tells whether it is."""
    recording = get(session, recording_id)
    if not may_try_again(recording, destination):
        return False
    again_elsewhere = recording.destination_id != destination.id
    if again_elsewhere:
        recording.delivered_at = recording.rejected_container = None
    for clip in recording.clips:
        there = copies.find(clip, Place.DESTINATION)
        if there is not None and there.problem_id is not None:
            _forget_refusal(clip, there, keep=recording.delivered_at is not None)
    recording.state, recording.attempts, recording.retry_at = RecordingState.STORED, 0, None
    problems.clear(recording)
    events.record(session, "recording.tried-again", "recording", recording_id, actor=actor)
    return True


def try_all_again(session: Session, destination: Destination, *, actor: str) -> int:
    """Make every refused recording due again for which that can change anything; gives how many."""
    refused = select(Recording.id).where(Recording.state == RecordingState.REFUSED)
    return sum(try_again(session, one, destination, actor=actor) for one in list(session.scalars(refused)))


def _forget_refusal(clip: Clip, there: Copy, *, keep: bool) -> None:
    """Let an object be sent as if it had never been; what can only go aside any more stays refused for that."""
    if not keep:
        clip.copies.remove(there)
    elif there.state is CopyState.PROBLEM:
        problems.note(there, Rejected())


def _is_complete_at(recording: Recording, destination: Destination) -> bool:
    return recording.delivered_at is not None and recording.destination_id == destination.id


def quarantined(session: Session, recording_id: str, error: BodywornError) -> None:
    """Write down that two contents claim one identity: both are kept, nothing is sent or erased (I6)."""
    recording = get(session, recording_id)
    recording.state = RecordingState.QUARANTINED
    problems.note(recording, error)
    events.record(session, "recording.quarantined", "recording", recording_id, result=error.id)


#: What a container of rejected content may hold (API, section 4).
GOES_ASIDE = frozenset({ClipKind.CLIP, ClipKind.TRACK, ClipKind.KEY})
#: Capabilities that an object needs at the destination; clips and keys always go, attachments never.
_NEEDS = {ClipKind.BOOKMARK: "bookmarks", ClipKind.TRACK: "track"}


def travels(clip: Clip, destination: Destination | None) -> bool:
    """Tell whether an object goes to a destination, by what the destination said it can store; None for any."""
    kind = clip.kind
    if clip.unlocks_id is not None:
        kind = next(other.kind for other in clip.recording.clips if other.id == clip.unlocks_id)
    if kind is ClipKind.ATTACHMENT:
        return False
    return destination is None or kind not in _NEEDS or bool(getattr(can(destination), _NEEDS[kind]))


def can(destination: Destination) -> Capabilities:
    """Give what a destination declared."""
    return Capabilities(**destination.capabilities)
