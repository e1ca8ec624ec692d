"""Clocks of cameras: how wrong each was at its dockings, how it drifts, and how far times of recordings are trusted.

Nothing here changes a recording: its times stay the camera's. A camera with a key gets the time at each docking; the
clock of a plain disk is only judged.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ..models import Camera, Event, Recording, Trust
from .devices import State
from .recordings import LARGEST_CLOCK_OFFSET_SECONDS
from .sentence import Sentence, Tone, sentence

#: Up to this difference nobody can tell by the times that a clock was off.
EXACT_SECONDS = 2.0
_DOCKINGS_SHOWN = 20
#: What passed in less says nothing about a day.
_SHORTEST = timedelta(hours=1)


@dataclass(frozen=True)
class ClockAtDocking:
    """How wrong a clock was when its camera was docked."""

    at: datetime
    #: What it was ahead of the true time; None where nothing told.
    offset_seconds: float | None
    #: What it gained a day since the docking before; None where that cannot be known.
    drift_seconds: float | None


@dataclass(frozen=True)
class ClockLedger:
    """The clock of one camera, newest docking first."""

    dockings: Sequence[ClockAtDocking]
    #: What it usually gains a day.
    drift_seconds: float | None


@dataclass(frozen=True)
class TimesTrust:
    """How far the times of a recording are to be trusted, and why."""

    state: State
    why: Sentence


def ledger(session: Session, camera: Camera) -> ClockLedger:
    """Tell how the clock of a camera went."""
    told = session.scalars(_dockings(camera.id).limit(_DOCKINGS_SHOWN + 1)).all()
    was_set = camera.trust is Trust.ATTESTED
    dockings = [_docking(event, before, was_set) for event, before in zip_longest(told, told[1:])]
    drifts = [one.drift_seconds for one in dockings if one.drift_seconds is not None]
    return ClockLedger(dockings[:_DOCKINGS_SHOWN], statistics.median(drifts) if drifts else None)


def trust(session: Session, recording: Recording) -> TimesTrust:
    """Judge the times of a recording by the docking in which it was found."""
    found_in = _dockings(recording.camera_id).where(Event.at <= recording.found_at).limit(1)
    docking = session.scalars(found_in).one_or_none()
    offset = _offset(docking) if docking is not None else None
    if docking is None or offset is None:
        return TimesTrust(State(Tone.INACTIVE, sentence("Unknown")), sentence("Nothing tells how the clock went."))
    if recording.stop_at - timedelta(seconds=offset) > docking.at + timedelta(seconds=LARGEST_CLOCK_OFFSET_SECONDS):
        return TimesTrust(
            State(Tone.ATTENTION, sentence("Doubtful")),
            sentence("By its times it ended after the camera was docked; the clock was changed in between."),
        )
    return TimesTrust(_state(abs(offset)), _why(offset))


def _state(off_seconds: float) -> State:
    if off_seconds <= EXACT_SECONDS:
        return State(Tone.OKAY, sentence("Trusted"))
    if off_seconds <= LARGEST_CLOCK_OFFSET_SECONDS:
        return State(Tone.INACTIVE, sentence("Inexact"))
    return State(Tone.ATTENTION, sentence("Doubtful"))


def _why(offset: float) -> Sentence:
    seconds = round(abs(offset), 1)
    if offset >= 0:
        return sentence("When it was docked afterwards, the clock was {seconds} s ahead.", seconds=seconds)
    return sentence("When it was docked afterwards, the clock was {seconds} s behind.", seconds=seconds)


def _docking(event: Event, before: Event | None, was_set: bool) -> ClockAtDocking:
    offset = _offset(event)
    return ClockAtDocking(event.at, offset, _drift(event, before, was_set) if before is not None else None)


def _drift(event: Event, before: Event, was_set: bool) -> float | None:
    """Give what a clock gained a day; one that was set at the docking before began there at nought."""
    offset, began, passed = _offset(event), _offset(before), event.at - before.at
    if was_set:
        began = 0.0
    if offset is None or began is None or passed < _SHORTEST:
        return None
    return (offset - began) / (passed / timedelta(days=1))


def _offset(event: Event) -> float | None:
    told = event.detail.get("clock_offset_seconds")
    return float(told) if isinstance(told, int | float) else None


def _dockings(camera_id: str) -> Select[Any]:
    about = (Event.object_kind == "camera", Event.object_id == camera_id, Event.action == "camera.docked")
    return select(Event).where(*about).order_by(Event.at.desc(), Event.sequence.desc())
