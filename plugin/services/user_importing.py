"""Does what an import of camera users was shown to do: all of it or nothing, with an event for each change.

What single changes mean is in ``users``; here they are made for thousands at once, in one transaction of seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import UserImportOutdated
from ..models import Belonging, Camera, CameraUser, new_id
from . import cameras, events, systems
from .events import Happened
from .user_file import UserFile
from .user_import import Kind, Mode, Plan, Step, plan

#: So much of a file's name is kept.
_NAME_CHARACTERS = 100


def import_users(session: Session, file: UserFile, mode: Mode, *, fingerprint: str, file_name: str, actor: str) -> Plan:
    """Do what was shown, and nothing else.

    :raises UserImportOutdated: when ``fingerprint`` does not name what would be done now; nothing is changed then.
    """
    planned = plan(session, file, mode)
    if planned.mistakes or planned.fingerprint != fingerprint:
        raise UserImportOutdated
    changed = _of(planned, Kind.CHANGE, Kind.BRING_BACK)
    happened = [*_remove(session, _of(planned, Kind.REMOVE), actor), *_change(session, changed)]
    happened += _add(session, _of(planned, Kind.ADD))
    _tell_cameras(session, [step.camera_user_id for step in changed])
    events.record_all(session, [*happened, _summary(session, planned, file_name)], actor=actor)
    return planned


def _of(planned: Plan, *kinds: Kind) -> list[Step]:
    return [step for step in planned.steps if step.kind in kinds]


def _remove(session: Session, steps: Sequence[Step], actor: str) -> list[Happened]:
    """Remove users; the cameras of each belong to nobody first."""
    found = {one.id: one for one in session.scalars(select(CameraUser))}
    leaving = [found[step.camera_user_id] for step in steps if step.camera_user_id]
    ids = {user.id for user in leaving}
    for camera in session.scalars(select(Camera).where(Camera.camera_user_id.is_not(None))).all():
        if camera.camera_user_id in ids:
            cameras.assign(session, camera.id, None, actor=actor)
    for user in leaving:
        user.active = False
    session.flush()
    return [Happened("user.removed", "user", user.id, {"name": user.name}) for user in leaving]


def _change(session: Session, steps: Sequence[Step]) -> Iterator[Happened]:
    """Change users; user IDs are taken away from all before they are given, so that two may exchange theirs."""
    found = {one.id: one for one in session.scalars(select(CameraUser))}
    pairs = [(found[step.camera_user_id], step) for step in steps if step.camera_user_id]
    happened = [one for user, step in pairs for one in _differences(user, step)]
    for user, step in pairs:
        if user.user_id != step.user_id:
            user.user_id = None
    session.flush()
    for user, step in pairs:
        user.name, user.user_id, user.profile_id, user.active = step.name, step.user_id, step.profile_id, True
    session.flush()
    yield from happened


def _differences(user: CameraUser, step: Step) -> Iterator[Happened]:
    def told(action: str, **detail: str | None) -> Happened:
        return Happened(action, "user", user.id, detail)

    if not user.active:
        yield told("user.brought-back", name=user.name)
    if user.name != step.name:
        yield told("user.renamed", before=user.name, after=step.name)
    if user.user_id != step.user_id:
        action = "user.id-changed" if step.user_id else "user.id-taken-away"
        yield told(action, before=user.user_id, user_id=step.user_id)
    if user.profile_id != step.profile_id:
        yield told("user.profile-given", profile=step.profile)


def _add(session: Session, steps: Sequence[Step]) -> list[Happened]:
    now = datetime.now(UTC)
    added = [
        CameraUser(
            id=new_id(),
            name=step.name,
            user_id=step.user_id,
            profile_id=step.profile_id,
            active=True,
            created_at=now,
        )
        for step in steps
    ]
    session.add_all(added)
    session.flush()
    return [Happened("user.created", "user", one.id, {"name": one.name, "user_id": one.user_id}) for one in added]


def _tell_cameras(session: Session, camera_user_ids: Sequence[str | None]) -> None:
    """Ask for settings of a new number; one number serves all, because numbers are compared within a camera."""
    meant = set(camera_user_ids)
    worn = select(Camera).where(Camera.camera_user_id.is_not(None), Camera.belonging == Belonging.ADDED)
    concerned = [camera for camera in session.scalars(worn) if camera.camera_user_id in meant]
    if concerned:
        number = systems.next_order_sequence(session)
        for camera in concerned:
            camera.wanted_settings = number


def _summary(session: Session, planned: Plan, file_name: str) -> Happened:
    counts = {
        "added": planned.count(Kind.ADD),
        "changed": planned.count(Kind.CHANGE),
        "brought_back": planned.count(Kind.BRING_BACK),
        "removed": planned.count(Kind.REMOVE),
    }
    name = "".join(one if one.isprintable() else " " for one in file_name)[:_NAME_CHARACTERS]
    return Happened("users.imported", "system", systems.current(session).id, {"file": name or "–", **counts})
