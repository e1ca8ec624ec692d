"""Recordings as pages show them: a list, and one recording with every clip in its three places and its custody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..errors import UnknownRecording
from ..models import (
    Camera,
    CameraUser,
    Clip,
    ClipKind,
    Controller,
    CopyState,
    Destination,
    Place,
    Recording,
    RecordingState,
)
from . import clock_ledger, copies, deliveries, destinations
from .clock_ledger import TimesTrust
from .devices import State, user_label
from .history import EventLine, history
from .paging import Page
from .places import WAY, CopyView, Standing, copy_view, standings
from .recording_search import RecordingQuery, search
from .sentence import Problem, Tone, problem, sentence


@dataclass(frozen=True)
class RecordingRow:
    """A recording in a list."""

    id: str
    start_at: datetime
    user: str | None
    camera: str
    #: None when the camera did not say anything that can be true.
    length: timedelta | None
    size_bytes: int
    clip_count: int
    protected: bool
    state: State
    places: tuple[Standing, ...]
    #: Of its first clip, as the camera recorded it.
    sha256: str | None
    problem: Problem | None


@dataclass(frozen=True)
class ClipView:
    """An object of a recording in its three places."""

    id: str
    name: str
    kind: ClipKind
    source_name: str | None
    start_at: datetime | None
    length: timedelta | None
    #: As recorded.
    size_bytes: int
    sha256: str | None
    encrypted: bool
    #: As it lies here and travels.
    stored_size_bytes: int | None
    stored_sha256: str | None
    stored_md5: str | None
    copies: tuple[CopyView, ...]
    #: True while the controller holds a verified copy.
    held_here: bool
    #: True while it holds the key as well, which the system's passphrase opens.
    opens_here: bool


@dataclass(frozen=True)
class HeldClip:
    """Where a clip lies in the spool."""

    container_name: str
    name: str
    spool_name: str
    sha256: str


@dataclass(frozen=True)
class RecordingDetail:
    """One recording, whole."""

    row: RecordingRow
    camera_id: str
    camera_serial: str
    controller: str
    destination: str | None
    container_name: str
    trigger_on_at: datetime
    stop_at: datetime
    time_zone: str
    found_at: datetime
    stored_at: datetime | None
    delivered_at: datetime | None
    erased_at: datetime | None
    attempts: int
    retry_at: datetime | None
    #: How wrong the camera's clock was, where the container's name was corrected for it.
    clock_error: timedelta | None
    clock_was_ahead: bool
    #: How far its times are to be trusted.
    times: TimesTrust
    shifted_seconds: int
    #: Where the destination keeps what it rejected, and how many objects those are.
    rejected_container: str | None
    put_aside: int
    #: Refused by the destination, whole or in part.
    not_transferred: bool
    #: Objects that the destination takes nowhere, and clips that it took.
    refused: int
    clips_taken: int
    may_try_again: bool
    clips: Sequence[ClipView]
    custody: Sequence[EventLine]


_STATES = {
    RecordingState.FOUND: State(Tone.MOVING, sentence("On the camera")),
    RecordingState.STORED: State(Tone.MOVING, sentence("On the controller")),
    RecordingState.DELIVERED: State(Tone.OKAY, sentence("Delivered")),
    RecordingState.REFUSED: State(Tone.PROBLEM, sentence("Not transferred")),
    RecordingState.QUARANTINED: State(Tone.PROBLEM, sentence("In quarantine")),
}
_COPIES = selectinload(Recording.clips).selectinload(Clip.copies)


def recordings(session: Session, wanted: RecordingQuery) -> Page[RecordingRow]:
    """List the recordings that a query asks for."""
    page = search(session, wanted)
    of_page = select(Recording).where(Recording.id.in_(page.rows)).options(_COPIES)
    rows = {row.id: row for row in _rows(session, list(session.scalars(of_page)))}
    return Page([rows[one] for one in page.rows], page.total, page.number, page.size, page.counted)


def latest(session: Session, limit: int) -> list[RecordingRow]:
    """List the newest recordings."""
    query = select(Recording).order_by(Recording.start_at.desc(), Recording.id.desc()).limit(limit).options(_COPIES)
    return _rows(session, list(session.scalars(query)))


def recording(session: Session, recording_id: str) -> RecordingDetail:
    """Give one recording with its clips and its custody; raises UnknownRecording."""
    found = session.get(Recording, recording_id, options=[_COPIES])
    if found is None:
        raise UnknownRecording
    camera = session.get_one(Camera, found.camera_id)
    destination = session.get(Destination, found.destination_id) if found.destination_id else None
    return RecordingDetail(
        row=_rows(session, [found])[0],
        camera_id=camera.id,
        camera_serial=camera.serial,
        controller=session.get_one(Controller, found.controller_id).name,
        destination=destination.site_name if destination else None,
        container_name=found.container_name,
        trigger_on_at=found.trigger_on_at,
        stop_at=found.stop_at,
        time_zone=found.time_zone,
        found_at=found.found_at,
        stored_at=found.stored_at,
        delivered_at=found.delivered_at,
        erased_at=found.erased_at,
        attempts=found.attempts,
        retry_at=found.retry_at,
        clock_error=abs(timedelta(seconds=found.clock_offset_seconds)) if found.clock_offset_seconds else None,
        clock_was_ahead=(found.clock_offset_seconds or 0) > 0,
        times=clock_ledger.trust(session, found),
        shifted_seconds=found.shifted_seconds,
        rejected_container=found.rejected_container,
        not_transferred=found.state is RecordingState.REFUSED,
        put_aside=sum(_was_refused(clip) and _is_at_destination(clip) for clip in found.clips),
        refused=sum(_was_refused(clip) and not _is_at_destination(clip) for clip in found.clips),
        clips_taken=sum(
            clip.kind is ClipKind.CLIP and _is_at_destination(clip) and not _was_refused(clip) for clip in found.clips
        ),
        may_try_again=deliveries.may_try_again(found, destinations.active(session)),
        clips=[_clip(clip) for clip in found.clips],
        custody=history(session, "recording", [found.id]),
    )


def held_clip(session: Session, recording_id: str, clip_id: str) -> HeldClip:
    """Find the verified copy of a clip on this controller; raises UnknownRecording where there is none."""
    clip = session.get(Clip, clip_id)
    if clip is None or clip.recording_id != recording_id or not _is_held(clip):
        raise UnknownRecording
    return HeldClip(clip.recording.container_name, clip.name, clip.spool_name, clip.stored_sha256 or "")


def _rows(session: Session, found: Sequence[Recording]) -> list[RecordingRow]:
    camera_ids = {recording.camera_id for recording in found}
    user_ids = {recording.camera_user_id for recording in found}
    cameras = {c.id: c.name for c in session.scalars(select(Camera).where(Camera.id.in_(camera_ids)))}
    users = {u.id: user_label(u) for u in session.scalars(select(CameraUser).where(CameraUser.id.in_(user_ids)))}
    return [_row(one, cameras[one.camera_id], users.get(one.camera_user_id or "")) for one in found]


def _row(found: Recording, camera: str, user: str | None) -> RecordingRow:
    clips = [clip for clip in found.clips if clip.kind is ClipKind.CLIP]
    return RecordingRow(
        id=found.id,
        start_at=found.start_at,
        user=user,
        camera=camera,
        length=_length(found.start_at, found.stop_at),
        size_bytes=sum(clip.size_bytes for clip in clips),
        clip_count=len(clips),
        protected=found.protected,
        state=_state(found),
        places=standings(found.clips),
        sha256=clips[0].sha256 if clips else None,
        problem=problem(found.problem_id, found.problem_values),
    )


def _state(found: Recording) -> State:
    """A problem that may go away by itself waits; any other needs somebody."""
    trouble = problem(found.problem_id, found.problem_values)
    if trouble is None or found.state not in (RecordingState.FOUND, RecordingState.STORED):
        return _STATES[found.state]
    return State(Tone.ATTENTION, sentence("Waiting")) if trouble.passing else State(Tone.PROBLEM, sentence("Problem"))


def _clip(clip: Clip) -> ClipView:
    return ClipView(
        id=clip.id,
        name=clip.name,
        kind=clip.kind,
        source_name=clip.source_name,
        start_at=clip.start_at,
        length=_length(clip.start_at, clip.stop_at),
        size_bytes=clip.size_bytes,
        sha256=clip.sha256,
        encrypted=clip.encrypted,
        stored_size_bytes=clip.stored_size_bytes,
        stored_sha256=clip.stored_sha256,
        stored_md5=clip.stored_md5,
        copies=tuple(copy_view(clip, place) for place in WAY),
        held_here=_is_held(clip),
        opens_here=clip.encrypted and _is_held(clip) and any(_is_held(one) for one in _keys(clip)),
    )


def _keys(clip: Clip) -> list[Clip]:
    return [one for one in clip.recording.clips if one.unlocks_id == clip.id]


def _was_refused(clip: Clip) -> bool:
    there = copies.find(clip, Place.DESTINATION)
    return there is not None and there.problem_id is not None


def _is_at_destination(clip: Clip) -> bool:
    return copies.state(clip, Place.DESTINATION) in (CopyState.VERIFIED, CopyState.ACKNOWLEDGED)


def _is_held(clip: Clip) -> bool:
    return any(copy.place is Place.SPOOL and copy.state is CopyState.VERIFIED for copy in clip.copies)


def _length(start: datetime | None, stop: datetime | None) -> timedelta | None:
    return stop - start if start and stop and stop > start else None
