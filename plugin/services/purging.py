"""May the spool's copy go, and when: delivered, proved, and a grace period over (I4).

Removing bytes is ``hw.housekeeping``.
"""

from __future__ import annotations

import time

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session, selectinload

from ..models import Clip, Copy, CopyState, Event, Place, Recording, RecordingState
from . import copies, events, problems

#: How long a delivered recording stays here.
GRACE_SECONDS = 24 * 3600.0


def purgeable(session: Session, limit: int, grace_seconds: float = GRACE_SECONDS) -> list[Recording]:
    """List delivered recordings of which every object is proved at the destination, and whose grace is over.

    What a destination only acknowledged, or has no place for, stays here.
    """
    rows = (
        select(Recording)
        .where(Recording.state == RecordingState.DELIVERED, _has_copy_here())
        .order_by(Recording.delivered_at)
        .limit(limit)
        .options(selectinload(Recording.clips).selectinload(Clip.copies))
    )
    return [one for one in session.scalars(rows) if _is_proved(one) and _waited_seconds(session, one) > grace_seconds]


def purged(session: Session, recording: Recording) -> None:
    """Write down that the copies here are given up, before their bytes go."""
    assert _is_proved(recording), "I4: only what is proved elsewhere is purged"
    for clip in recording.clips:
        found = copies.find(clip, Place.SPOOL)
        if found is not None:
            found.state = CopyState.ERASED
            problems.clear(found)
    events.record(session, "recording.purged", "recording", recording.id, container=recording.container_name)


def given_up(session: Session, container_name: str) -> bool:
    """Tell whether nothing of a container in the spool is wanted any more."""
    found = session.scalars(select(Recording).where(Recording.container_name == container_name)).one_or_none()
    return found is not None and all(copies.state(clip, Place.SPOOL) is CopyState.ERASED for clip in found.clips)


def _has_copy_here() -> Exists:
    here = select(Copy.id).join(Clip, Copy.clip_id == Clip.id)
    return exists(
        here.where(
            Clip.recording_id == Recording.id,
            Copy.place == Place.SPOOL,
            Copy.state.in_([CopyState.VERIFIED, CopyState.PROBLEM]),
        )
    )


def _is_proved(recording: Recording) -> bool:
    return bool(recording.clips) and all(
        copies.state(clip, Place.DESTINATION) is CopyState.VERIFIED for clip in recording.clips
    )


def _waited_seconds(session: Session, recording: Recording) -> float:
    """Measure how long ago it was delivered, by time since start-up, which nobody can set (I12).

    Delivered in an earlier life of this machine: as long as this life has lasted, which is never too much.
    """
    delivered = session.scalars(
        select(Event)
        .where(Event.object_kind == "recording", Event.object_id == recording.id)
        .where(Event.action == "recording.delivered")
        .order_by(Event.sequence.desc())
    ).first()
    if delivered is None:
        return 0.0
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now - delivered.boot_seconds if delivered.boot_id == events.boot_id() else now
