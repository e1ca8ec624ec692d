"""The Cameras card of System status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from ..errors import (
    CameraFileImpossible,
    CameraFolderUnread,
    CameraNameTwice,
    CameraReadFailed,
    CameraTooSlow,
    CameraUnreadable,
)
from ..models import Bay, BayState, Belonging, Camera
from . import advice, battery_care, overdue
from .message import Card, Message
from .sentence import Problem, Tone, plural, problem, sentence

#: Messages of one kind beyond this are counted, not listed.
_LISTED = 4
#: Problems that come from a camera's own storage.
_STORAGE_ERRORS = frozenset(
    error.id
    for error in (
        CameraReadFailed,
        CameraUnreadable,
        CameraFolderUnread,
        CameraNameTwice,
        CameraFileImpossible,
        CameraTooSlow,
    )
)


def camera_card(session: Session, now: datetime) -> Card:
    """Tell how the cameras are."""
    added = _count(session, Camera.belonging == Belonging.ADDED)
    messages = [
        *_new_cameras(session),
        *_locked(session),
        *_no_cameras(added),
        *_troubled_bays(session),
        *_troubled_cameras(session),
        *_unassigned(session),
        *overdue.messages(session, now),
        *battery_care.messages(session, now),
    ]
    docked = session.scalar(select(func.count()).select_from(Bay).where(Bay.camera_id.is_not(None))) or 0
    ready = session.scalar(select(func.count()).select_from(Bay).where(Bay.state == BayState.READY)) or 0
    summary = [plural("{n} docked", "{n} docked", docked), plural("{n} ready", "{n} ready", ready)]
    return Card(messages, plural("{n} camera", "{n} cameras", added), summary)


def _new_cameras(session: Session) -> Iterable[Message]:
    docked = select(Bay.camera_id).where(Bay.camera_id.is_not(None))
    n = _count(session, Camera.belonging == Belonging.NEW, Camera.locked_at.is_(None), Camera.id.in_(docked))
    if n:
        yield Message(
            Tone.ATTENTION,
            advice.CAMERA_NEW,
            plural("{n} new camera is docked", "{n} new cameras are docked", n),
            sentence("Add it, then assign a user."),
            plural("Add camera", "Add cameras", n),
            "devices",
            {"_anchor": "new"},
        )


def _locked(session: Session) -> Iterable[Message]:
    n = _count(session, Camera.locked_at.is_not(None))
    if n:
        yield Message(
            Tone.ATTENTION,
            advice.CAMERA_LOCKED,
            plural("{n} camera is locked", "{n} cameras are locked", n),
            sentence("The passphrase of the master key unlocks it."),
            sentence("Show them"),
            "locked_cameras",
        )


def _no_cameras(added: int) -> Iterable[Message]:
    if not added:
        yield Message(
            Tone.ATTENTION,
            advice.NO_CAMERAS,
            sentence("No cameras added to the system"),
            sentence("Dock a camera and wait until its lights flash amber. It then shows under New."),
            sentence("Go to Devices"),
            "devices",
        )


def _troubled_bays(session: Session) -> Iterable[Message]:
    ill = select(Bay).where(Bay.problem_id.is_not(None)).order_by(Bay.dock_id, Bay.position)
    for bay in session.scalars(ill.limit(_LISTED)).all():
        camera = session.get(Camera, bay.camera_id) if bay.camera_id else None
        name = camera.name if camera is not None else bay.name
        yield _device_problem(name, problem(bay.problem_id, bay.problem_values), camera)
    yield from _more(_beyond(session, ill))


def _troubled_cameras(session: Session) -> Iterable[Message]:
    in_bays = select(Bay.camera_id).where(Bay.problem_id.is_not(None), Bay.camera_id.is_not(None))
    query = select(Camera).where(Camera.belonging == Belonging.ADDED, Camera.problem_id.is_not(None))
    query = query.where(Camera.id.not_in(in_bays)).order_by(Camera.name, Camera.id)
    for camera in session.scalars(query.limit(_LISTED)).all():
        yield _device_problem(camera.name, problem(camera.problem_id, camera.problem_values), camera)
    yield from _more(_beyond(session, query))


def _beyond(session: Session, query: Select[Any]) -> int:
    """Count what is found beyond those that are listed."""
    return (session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0) - _LISTED


def _device_problem(name: str, trouble: Problem | None, camera: Camera | None) -> Message:
    is_storage = trouble is not None and trouble.id in _STORAGE_ERRORS
    return Message(
        Tone.PROBLEM,
        advice.CAMERA_STORAGE_ERROR if is_storage else advice.CAMERA_PROBLEM,
        sentence("{name} needs attention", name=name),
        trouble.sentence if trouble else None,
        sentence("What to do"),
        "camera" if camera else "devices",
        {"camera_id": camera.id} if camera else {},
    )


def _more(n: int) -> Iterable[Message]:
    if n > 0:
        yield Message(
            Tone.PROBLEM,
            advice.CAMERA_PROBLEM,
            plural("{n} more camera has a problem", "{n} more cameras have a problem", n),
            None,
            sentence("Show them"),
            "devices",
            {"show": "problem"},
        )


def _unassigned(session: Session) -> Iterable[Message]:
    n = _count(session, Camera.belonging == Belonging.ADDED, Camera.camera_user_id.is_(None))
    if n:
        yield Message(
            Tone.ATTENTION,
            advice.CAMERA_WITHOUT_USER,
            plural("{n} camera has no user", "{n} cameras have no user", n),
            sentence("A camera without a user does not work."),
            sentence("Assign a user"),
            "devices",
            {"show": "unassigned", "_anchor": "cameras"},
        )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Camera).where(*conditions)) or 0
