"""Locked cameras as the page that unlocks them lists them; unlocking is ``unlocking``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Bay, Belonging, Camera, Dock
from .paging import Page, paged
from .sentence import Sentence, sentence


@dataclass(frozen=True)
class LockedCamera:
    """A camera that waits for the passphrase."""

    id: str
    name: str
    serial: str
    model: str
    #: Dock and bay; None while it is not docked.
    place: str | None
    #: True where an unlock would reach it: it is docked, and said in which docking it is.
    unlockable: bool
    #: True while its unlock is on the way.
    ordered: bool
    locked_at: datetime
    why: Sentence


@dataclass(frozen=True)
class LockedCameras:
    """One page of them, docked ones first, and how many can be unlocked now."""

    page: Page[LockedCamera]
    unlockable: int


def locked_list(session: Session, page_number: int) -> LockedCameras:
    """List one page of the cameras that are locked."""
    docked = select(Bay.camera_id).where(Bay.camera_id.is_not(None))
    query = select(Camera).where(Camera.locked_at.is_not(None))
    found = paged(
        session, query.order_by(Camera.id.not_in(docked), Camera.name, Camera.id), page_number, lambda camera: camera
    )
    rows = _rows(session, found.rows)
    return LockedCameras(Page(rows, found.total, found.number, found.size), len(unlockable_ids(session)))


def unlockable_ids(session: Session) -> list[str]:
    """Name all cameras that an unlock would reach now."""
    docked = select(Bay.camera_id).where(Bay.camera_id.is_not(None))
    named = (Camera.nonce.is_not(None), Camera.public_key.is_not(None))
    return list(session.scalars(select(Camera.id).where(Camera.locked_at.is_not(None), Camera.id.in_(docked), *named)))


def chosen(session: Session, camera_ids: Sequence[str]) -> list[LockedCamera]:
    """List those of them that are still locked."""
    query = select(Camera).where(Camera.locked_at.is_not(None), Camera.id.in_(camera_ids))
    return _rows(session, session.scalars(query.order_by(Camera.name, Camera.id)).all())


def _rows(session: Session, cameras: Sequence[Camera]) -> list[LockedCamera]:
    ids = [camera.id for camera in cameras]
    bays = select(Bay.camera_id, Bay.name, Dock.name).join(Dock, Dock.id == Bay.dock_id).where(Bay.camera_id.in_(ids))
    places = {camera_id: f"{dock} · {bay}" for camera_id, bay, dock in session.execute(bays)}
    return [_row(camera, places.get(camera.id)) for camera in cameras]


def _row(camera: Camera, place: str | None) -> LockedCamera:
    assert camera.locked_at is not None
    return LockedCamera(
        id=camera.id,
        name=camera.name,
        serial=camera.serial,
        model=camera.model,
        place=place,
        unlockable=place is not None and camera.nonce is not None and camera.public_key is not None,
        ordered=camera.unlock_order is not None,
        locked_at=camera.locked_at,
        why=_why(camera, camera.locked_at),
    )


def _why(camera: Camera, locked_at: datetime) -> Sentence:
    """Tell as much as is known: a camera says that it is locked, not why."""
    if camera.belonging is not Belonging.ADDED:
        return sentence("The system was restored since it was docked last.")
    if camera.lease_until is not None and camera.lease_until <= locked_at:
        return sentence("It was not docked for over eight weeks.")
    return sentence("Its clock was wrong, or the system was restored elsewhere.")
