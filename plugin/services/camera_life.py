"""How a camera leaves the system: asked for, its content transferred, reset, removed; or by force, when it is lost.

Removal is a wish: the controller takes what is on the camera, and resets it once nothing is left there (``hw``). It can
be withdrawn until then. Nothing here ever removes a camera by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..crypto import master_key
from ..errors import CameraIsDocked, CameraNotOurs, NoRecoveryKey, RecordingVanished, WrongPassphrase
from ..models import Bay, Belonging, Camera, Database, Recording
from . import cameras, events, systems

_FORCED = "camera.force-removed"


@dataclass(frozen=True)
class Left:
    """What is known to be on a camera still."""

    #: Recordings that are nowhere but on the camera.
    not_stored: int
    #: Recordings with a copy here, which the camera keeps until the destination has proved its own.
    stored: int

    @property
    def total(self) -> int:
        """Count both."""
        return self.not_stored + self.stored


def ask_removal(session: Session, camera_id: str, *, actor: str) -> Camera:
    """Have a camera removed: now if it is docked, else at its next docking; either way its content goes first.

    :raises UnknownCamera: or CameraNotOurs, when it does not belong to the system.
    """
    camera = _ours(session, camera_id)
    if camera.removal_asked_at is None:
        camera.removal_asked_at = datetime.now(UTC)
        events.record(session, "camera.removal-asked", "camera", camera.id, actor=actor, serial=camera.serial)
    return camera


def withdraw_removal(session: Session, camera_id: str, *, actor: str) -> Camera:
    """Keep a camera after all; raises CameraNotOurs when it is too late."""
    camera = _ours(session, camera_id)
    if camera.removal_asked_at is not None:
        camera.removal_asked_at = None
        events.record(session, "camera.removal-withdrawn", "camera", camera.id, actor=actor, serial=camera.serial)
    return camera


def removed(session: Session, camera_id: str) -> None:
    """Write down that a camera was reset and belongs to nobody; its history and its recordings stay."""
    camera = cameras.get(session, camera_id)
    _let_go(session, camera, actor=events.SYSTEM)
    events.record(session, "camera.removed", "camera", camera.id, serial=camera.serial)


def force_removal(database: Database, camera_id: str, passphrase: str, reason: str, *, actor: str) -> None:
    """Remove a camera that is lost or destroyed; what is on it alone is lost, unless it is found again.

    Takes about a second. A camera that turns up again shows as Locked.

    :raises WrongPassphrase: which is written down as well; UnknownCamera, CameraNotOurs; CameraIsDocked when it stands
        in a bay; NoRecoveryKey.
    """
    with database.read() as session:
        _lost(session, camera_id)
        file = systems.current(session).master_key_file
    if file is None:
        raise NoRecoveryKey
    try:
        master_key.unwrap(file, passphrase).wipe()
    except WrongPassphrase as error:
        with database.write() as session:
            events.record(session, _FORCED, "camera", camera_id, actor=actor, result=error.id)
        raise
    with database.write() as session:
        camera = _lost(session, camera_id)
        left = left_on(session, camera_id)
        _let_go(session, camera, actor=actor)
        events.record(session, _FORCED, "camera", camera_id, actor=actor, reason=reason, not_stored=left.not_stored)


def left_on(session: Session, camera_id: str) -> Left:
    """Count what is known to be on a camera; recordings that vanished from it are not."""
    is_stored = Recording.stored_at.is_not(None)
    rows = select(is_stored, func.count()).where(
        Recording.camera_id == camera_id,
        Recording.erased_at.is_(None),
        Recording.problem_id.is_distinct_from(RecordingVanished.id),
    )
    found = {bool(stored): count for stored, count in session.execute(rows.group_by(is_stored))}
    return Left(found.get(False, 0), found.get(True, 0))


def check_ours(session: Session, camera_id: str) -> None:
    """Raise UnknownCamera, or CameraNotOurs when it does not belong to the system."""
    _ours(session, camera_id)


def _ours(session: Session, camera_id: str) -> Camera:
    camera = cameras.get(session, camera_id)
    if camera.belonging is not Belonging.ADDED:
        raise CameraNotOurs(serial=camera.serial)
    return camera


def _lost(session: Session, camera_id: str) -> Camera:
    camera = _ours(session, camera_id)
    if session.scalars(select(Bay.id).where(Bay.camera_id == camera_id)).first() is not None:
        raise CameraIsDocked(serial=camera.serial)
    return camera


def _let_go(session: Session, camera: Camera, *, actor: str) -> None:
    """Take back all that made it ours; whoever wears it next is another matter (decision 18)."""
    cameras.assign(session, camera.id, None, actor=actor)
    camera.belonging = Belonging.REMOVED
    camera.removal_asked_at = camera.enrolled_at = camera.lease_until = None
    camera.locked_at = camera.unlock_order = None
    camera.problem_id = camera.problem_values = None
