"""Cameras: seen, added, assigned, kept up to date. What is wanted and what was observed are separate columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.names import wire_serial
from ..errors import (
    BodywornError,
    CameraClockBehind,
    CameraLocked,
    CameraRefused,
    CameraTwice,
    SerialTaken,
    UnknownCamera,
    UnknownCameraUser,
)
from ..models import Assignment, Bay, Belonging, Camera, CameraUser, Event, Trust, new_id
from . import events, problems, systems

#: How long a camera works without being docked (safety page, D2).
LEASE_DAYS = 56
#: What was left on a camera is told of so many; the rest is counted.
_MOST_LEFT = 50
_LEFT = "camera.files-left"


@dataclass(frozen=True)
class SeenCamera:
    """What a driver learned of a docked camera at a turn."""

    driver: str
    serial: str
    model: str
    manufacturer: str
    firmware: str
    #: Raw key that the camera proved to hold; None for cameras that cannot.
    public_key: bytes | None
    #: Whether it says that it belongs to this system.
    enrolled: bool
    docking_counter: int
    battery_percent: int | None
    charging: bool | None
    storage_used_bytes: int | None
    storage_total_bytes: int | None
    clock_offset_seconds: float | None
    #: Whether its clock is behind the time of its last docking; None where nothing tells.
    clock_is_behind: bool | None = None
    #: Whether it has locked itself.
    locked: bool = False
    #: The latest epoch of its system that it has seen, and the nonce that names this docking, where it has them.
    epoch: int = 0
    nonce: str | None = None
    #: False for a camera that has seen a later epoch than ours: until it is unlocked it proves nothing to us.
    proved: bool = True


def seen(session: Session, bay_id: str, facts: SeenCamera) -> Camera:
    """Write down that a camera stands in a bay; one that nobody knows becomes New."""
    camera = _find(session, facts)
    if camera is None:
        camera = _new(facts)
        session.add(camera)
        session.flush()
        events.record(session, "camera.new", "camera", camera.id, serial=facts.serial, model=facts.model)
    elif camera.belonging is Belonging.REMOVED:
        camera.belonging = Belonging.NEW
        events.record(session, "camera.seen-again", "camera", camera.id, serial=facts.serial)
    bay = session.get_one(Bay, bay_id)
    if bay.camera_id != camera.id:
        bay.camera_id = camera.id
        events.record(
            session,
            "camera.docked",
            "camera",
            camera.id,
            bay=bay.name,
            counter=facts.docking_counter,
            clock_offset_seconds=facts.clock_offset_seconds,
        )
    if facts.proved:
        observe(camera, facts)
    _judge_lock(session, camera, facts)
    return camera


def _judge_lock(session: Session, camera: Camera, facts: SeenCamera) -> None:
    """Tell whether it waits for the passphrase: it says so, or it says it is ours and nobody here knows it (D2)."""
    if camera.nonce != facts.nonce:
        camera.unlock_order = None
    camera.nonce, camera.epoch = facts.nonce, facts.epoch
    stranger = facts.enrolled and camera.belonging is Belonging.NEW
    locked = facts.locked or stranger
    if locked and camera.locked_at is None:
        camera.locked_at = datetime.now(UTC)
        events.record(
            session, "camera.locked", "camera", camera.id, serial=camera.serial, epoch=facts.epoch, unknown=stranger
        )
    elif not locked and camera.locked_at is not None:
        camera.locked_at = camera.unlock_order = None
        events.record(session, "camera.unlocked", "camera", camera.id, serial=camera.serial, epoch=facts.epoch)


def observe(camera: Camera, facts: SeenCamera) -> None:
    """Take over what the camera said at a turn; an answer older than the last one is ignored."""
    if facts.docking_counter < camera.docking_counter:
        return
    camera.model, camera.manufacturer, camera.firmware = facts.model, facts.manufacturer, facts.firmware
    camera.docking_counter = facts.docking_counter
    camera.battery_percent, camera.charging = facts.battery_percent, facts.charging
    camera.storage_used_bytes, camera.storage_total_bytes = facts.storage_used_bytes, facts.storage_total_bytes
    camera.clock_offset_seconds = facts.clock_offset_seconds
    camera.last_seen_at = datetime.now(UTC)
    _judge_clock(camera, facts)


def _judge_clock(camera: Camera, facts: SeenCamera) -> None:
    """Keep in mind that a clock is earlier than the last time seen, until it is shown that it is not (decision 19)."""
    if facts.clock_is_behind:
        hours = round(abs(facts.clock_offset_seconds or 0) / 3600, 1)
        problems.note(camera, CameraClockBehind(serial=camera.serial, hours=hours))
    elif facts.clock_is_behind is False and camera.problem_id == CameraClockBehind.id:
        problems.clear(camera)


def listed(session: Session, camera: Camera, left: Sequence[BodywornError], *, whole_at: datetime | None) -> None:
    """Write down that a camera was listed: what was left on it, where that changed, and when it was found whole."""
    if whole_at is not None:
        camera.listed_at = whole_at
    said = [f"{error} ({error.id})" for error in left[:_MOST_LEFT]]
    before = select(Event).where(Event.object_id == camera.id, Event.action == _LEFT).order_by(Event.sequence.desc())
    last = session.scalars(before.limit(1)).first()
    if said != (last.detail["left"] if last else []):
        events.record(session, _LEFT, "camera", camera.id, count=len(left), left=said)


def add_cameras(session: Session, camera_ids: Sequence[str], *, actor: str) -> list[Camera]:
    """Add cameras to the system; those that belong already stay as they are.

    :raises UnknownCamera: when one does not exist, SerialTaken or CameraTwice when it has the serial number of
        another, CameraLocked when it has to be unlocked instead; then none is added.
    """
    added = []
    for camera_id in camera_ids:
        camera = get(session, camera_id)
        if camera.belonging is not Belonging.ADDED:
            if camera.locked_at is not None:
                raise CameraLocked(serial=camera.serial)
            _add(session, camera, actor)
            added.append(camera)
    return added


def _add(session: Session, camera: Camera, actor: str) -> None:
    if (in_the_way := twin(session, camera)) is not None:
        raise in_the_way
    camera.belonging = Belonging.ADDED
    camera.wanted_settings = systems.next_order_sequence(session)
    events.record(session, "camera.added", "camera", camera.id, actor=actor, serial=camera.serial)


def order_unlock(session: Session, camera: Camera, order: bytes, *, actor: str) -> None:
    """Keep a signed unlock for the camera's present docking; a camera from before a restore belongs again by it.

    :raises SerialTaken: or CameraTwice, when it has the serial number of another camera.
    """
    if camera.belonging is not Belonging.ADDED:
        _add(session, camera, actor)
    camera.unlock_order = order
    events.record(session, "camera.unlock-ordered", "camera", camera.id, actor=actor, serial=camera.serial)


def unlock_delivered(session: Session, camera_id: str, refused: str | None) -> None:
    """Write down that a camera got its unlock; whether it works again is told when it is identified anew."""
    camera = get(session, camera_id)
    camera.unlock_order = None
    if refused is not None:
        result = CameraRefused.id
        events.record(
            session, "camera.unlock-delivered", "camera", camera_id, result=result, serial=camera.serial, reason=refused
        )


def assign(session: Session, camera_id: str, camera_user_id: str | None, *, actor: str) -> Camera:
    """Assign a camera to a user; holds for what is recorded after the camera has acknowledged it (decision 18).

    :raises UnknownCamera: or UnknownCameraUser, also for a user who was removed; CameraClockBehind.
    """
    camera = get(session, camera_id)
    if camera_user_id is not None:
        user = session.get(CameraUser, camera_user_id)
        if user is None or not user.active:
            raise UnknownCameraUser
        _refuse_wrong_clock(camera)
    if camera.camera_user_id == camera_user_id:
        return camera
    camera.camera_user_id = camera_user_id
    camera.wanted_settings = systems.next_order_sequence(session)
    session.add(
        Assignment(
            camera_id=camera.id,
            camera_user_id=camera_user_id,
            from_settings=camera.wanted_settings,
            created_at=datetime.now(UTC),
        )
    )
    events.record(session, "camera.assigned", "camera", camera.id, actor=actor, camera_user=camera_user_id)
    return camera


def _refuse_wrong_clock(camera: Camera) -> None:
    problem = problems.read(camera)
    if isinstance(problem, CameraClockBehind):
        raise problem


def rename(session: Session, camera_id: str, name: str, *, actor: str) -> Camera:
    """Rename a camera; the destination is told at its next contact."""
    camera = get(session, camera_id)
    if camera.name != name:
        events.record(session, "camera.renamed", "camera", camera.id, actor=actor, before=camera.name, after=name)
        camera.name = name
    return camera


def enrolled(session: Session, camera_id: str) -> None:
    """Write down that the camera acknowledged to belong to this system."""
    camera = get(session, camera_id)
    camera.enrolled_at = datetime.now(UTC)
    events.record(session, "camera.enrolled", "camera", camera.id)


def settings_applied(session: Session, camera_id: str, sequence: int) -> None:
    """Write down which settings the camera acknowledged; assignments begin with them."""
    camera = get(session, camera_id)
    if camera.applied_settings == sequence:
        return
    camera.applied_settings = sequence
    waiting = select(Assignment).where(
        Assignment.camera_id == camera.id, Assignment.from_settings <= sequence, Assignment.acknowledged_at.is_(None)
    )
    for assignment in session.scalars(waiting):
        assignment.acknowledged_at = datetime.now(UTC)
    if sequence > camera.wanted_settings:
        # It works by settings that this database does not know, so what is wanted gets a number above them.
        camera.wanted_settings = systems.next_order_sequence(session)
    events.record(session, "camera.settings-applied", "camera", camera.id, sequence=sequence)


def leased(session: Session, camera_id: str, issued_at: datetime) -> None:
    """Write down until when the camera works without being docked."""
    get(session, camera_id).lease_until = issued_at + timedelta(days=LEASE_DAYS)


def wearer(session: Session, camera_id: str, settings_sequence: int) -> str | None:
    """Tell who wore a camera while it recorded under these settings; None when nobody was assigned."""
    rows = (
        select(Assignment)
        .where(Assignment.camera_id == camera_id, Assignment.from_settings <= settings_sequence)
        .order_by(Assignment.from_settings.desc())
        .limit(1)
    )
    found = session.scalars(rows).one_or_none()
    return found.camera_user_id if found else None


def get(session: Session, camera_id: str) -> Camera:
    """Give a camera; raises UnknownCamera."""
    camera = session.get(Camera, camera_id)
    if camera is None:
        raise UnknownCamera
    return camera


def _find(session: Session, facts: SeenCamera) -> Camera | None:
    """Find by key where there is one; a serial number alone identifies only cameras that have no key."""
    if facts.public_key is not None:
        return session.scalars(select(Camera).where(Camera.public_key == facts.public_key)).one_or_none()
    marked = select(Camera).where(Camera.serial == facts.serial, Camera.public_key.is_(None))
    return session.scalars(marked.where(Camera.driver == facts.driver)).first()


def twin(session: Session, camera: Camera) -> BodywornError | None:
    """Tell of another camera with the serial number of a New one: added before, or New and docked as well.

    Two cameras of one serial number would be one camera to the destination, and one of them may be a copy.
    """
    others = select(Camera.serial).where(Camera.id != camera.id)
    wanted = wire_serial(camera.serial)
    added = others.where(Camera.belonging == Belonging.ADDED)
    docked = others.where(Camera.id.in_(select(Bay.camera_id).where(Bay.camera_id.is_not(None))))
    for query, error in ((added, SerialTaken), (docked, CameraTwice)):
        if any(wire_serial(other) == wanted for other in session.scalars(query)):
            return error(serial=camera.serial)
    return None


def _new(facts: SeenCamera) -> Camera:
    now = datetime.now(UTC)
    return Camera(
        id=new_id(),
        serial=facts.serial,
        public_key=facts.public_key,
        trust=Trust.ATTESTED if facts.public_key else Trust.MARKED,
        driver=facts.driver,
        model=facts.model,
        manufacturer=facts.manufacturer,
        name=facts.serial,
        docking_counter=0,
        first_seen_at=now,
        last_seen_at=now,
    )
