"""What is to be sent of one recording, taken from the database in one view, so that sending holds no transaction open.

Which recordings are due, and what follows from the answers, is in ``deliveries``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination import metadata, names
from ..destination.metadata import RecordingFacts
from ..errors import BodywornError
from ..models import Belonging, Camera, CameraUser, Clip, ClipKind, CopyState, Destination, Place, Recording, System
from . import copies, events, systems
from .deliveries import GOES_ASIDE, can, travels
from .documents import Description
from .recording_names import location_text

#: Stands where something was pushed and is to be pushed again.
AGAIN = "again"
#: Clips first, what explains them after: a destination that shows early sees the picture first.
_ORDER = {ClipKind.CLIP: 0, ClipKind.KEY: 1, ClipKind.TRACK: 1, ClipKind.BOOKMARK: 2}


@dataclass(frozen=True)
class Item:
    """One object to send; it lies in the spool in a container of the same name."""

    clip_id: str
    name: str
    spool_name: str
    kind: ClipKind
    size_bytes: int
    sha256: str
    md5: str
    metadata: dict[str, str]
    #: True when the destination proved it already, in an earlier attempt, wherever it keeps it.
    delivered: bool
    #: For a key: the object that it opens.
    unlocks_id: str | None = None
    #: Why this destination refused it for good, in an earlier attempt.
    refusal: BodywornError | None = None

    @property
    def is_clip(self) -> bool:
        """Tell whether it is what a recording consists of."""
        return self.kind is ClipKind.CLIP

    @property
    def goes_aside(self) -> bool:
        """Tell whether it may be kept as rejected content."""
        return self.kind in GOES_ASIDE


@dataclass(frozen=True)
class Notice:
    """Something that the destination must know before a recording comes: a user, a camera, this system."""

    container: str
    name: str
    metadata: dict[str, str]
    #: Row that remembers what was pushed: a camera, a camera user, or None for the system.
    row_id: str | None

    def fingerprint(self, destination_id: str) -> str:
        """Name what is pushed, to tell whether it changed since."""
        text = json.dumps([destination_id, self.metadata], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Parcel:
    """A recording as it travels."""

    recording_id: str
    container: str
    metadata: dict[str, str]
    items: tuple[Item, ...]
    #: Those that the destination has not been told yet.
    notices: tuple[Notice, ...]
    #: What the container's description is made of.
    facts: RecordingFacts


def pack(session: Session, recording: Recording, document: Description, destination: Destination) -> Parcel:
    """Take everything that sending needs out of the database."""
    sent = [clip for clip in recording.clips if travels(clip, destination)]
    sent.sort(key=lambda clip: (_ORDER[clip.kind], clip.position))
    facts = _facts(session, recording, document)
    return Parcel(
        recording_id=recording.id,
        container=recording.container_name,
        metadata=metadata.recording_metadata(recording.container_name, facts, metadata.TRANSFERRING),
        items=tuple(_item(clip, destination) for clip in sent),
        notices=tuple(notices(session, recording, destination)),
        facts=facts,
    )


def notices(session: Session, recording: Recording, destination: Destination, *, again: bool = False) -> list[Notice]:
    """List what the destination must be told first; all of it when ``again`` is set, else what changed (DST-7)."""
    user = session.get_one(CameraUser, recording.camera_user_id)
    camera = session.get_one(Camera, recording.camera_id)
    wanted = [(_user_notice(user, destination), user.pushed), (_device_notice(camera), camera.pushed)]
    if can(destination).system_id:
        wanted.insert(0, (_system_notice(systems.current(session), destination), None))
    return [notice for notice, pushed in wanted if again or pushed != notice.fingerprint(destination.id)]


def noticed(session: Session, notice: Notice, destination: Destination) -> None:
    """Remember that the destination was told."""
    if notice.container == "Users":
        session.get_one(CameraUser, notice.row_id).pushed = notice.fingerprint(destination.id)
    elif notice.container == "Devices":
        session.get_one(Camera, notice.row_id).pushed = notice.fingerprint(destination.id)


def failure_domain(destination: Destination) -> str:
    """Name what is lost together with a destination."""
    return f"destination:{destination.connection_id}"


def _item(clip: Clip, destination: Destination) -> Item:
    domain = failure_domain(destination)
    there = copies.find(clip, Place.DESTINATION)
    delivered = there is not None and there.state is CopyState.VERIFIED and there.failure_domain == domain
    stored = copies.state(clip, Place.SPOOL) is CopyState.VERIFIED
    assert delivered or stored, "I8: only what is stored and checked is sent"
    return Item(
        clip_id=clip.id,
        name=clip.name,
        spool_name=clip.spool_name,
        kind=clip.kind,
        size_bytes=clip.stored_size_bytes or 0,
        sha256=clip.stored_sha256 or "",
        md5=clip.stored_md5 or "",
        metadata=_wire_metadata(clip, destination),
        delivered=delivered,
        unlocks_id=clip.unlocks_id,
        refusal=copies.refusal(clip, domain),
    )


def _wire_metadata(clip: Clip, destination: Destination) -> dict[str, str]:
    """Give an object's metadata; a category travels only where the destination has categories, and with its name."""
    told = {key: str(value) for key, value in clip.wire_metadata.items()}
    category_id = told.get("CategoryID")
    if not can(destination).read_categories:
        return {key: value for key, value in told.items() if key not in ("CategoryID", "CategoryName")}
    known = next((one["name"] for one in destination.categories if one["id"] == category_id), None)
    return {**told, "CategoryName": known} if known and "CategoryName" not in told else told


def _facts(session: Session, recording: Recording, document: Description) -> RecordingFacts:
    camera = session.get_one(Camera, recording.camera_id)
    return RecordingFacts(
        user_uuid=recording.camera_user_id or "",
        serial=names.wire_serial(camera.serial),
        controller_serial=systems.local_controller(session).serial,
        firmware_version=document.firmware,
        model=document.model,
        time_zone=document.time_zone,
        trigger_on_time=document.trigger_on,
        trigger_off_time=document.trigger_off,
        start=document.start,
        stop=document.stop,
        trigger_on_location=location_text(document.trigger_on_location),
        trigger_off_location=location_text(document.trigger_off_location),
        clock_offset_seconds=recording.clock_offset_seconds,
        shifted_seconds=recording.shifted_seconds,
    )


def all_notices(session: Session, destination: Destination) -> list[Notice]:
    """List every user and camera that the destination knows otherwise, or not at all (DST-3).

    New cameras are none of its business; one that was removed is told only where it was known.
    """
    users = [(_user_notice(one, destination), one.pushed, one.active) for one in session.scalars(select(CameraUser))]
    cameras = session.scalars(select(Camera))
    devices = [(_device_notice(one), one.pushed, one.belonging is Belonging.ADDED) for one in cameras]
    return [
        notice
        for notice, pushed, active in [*users, *devices]
        if pushed != notice.fingerprint(destination.id) and (active or pushed is not None)
    ]


def knows_user(user: CameraUser, destination: Destination) -> bool:
    """Tell whether a destination was told of a user as it is here now; one removed before that needs no telling."""
    if user.pushed is None:
        return not user.active
    return user.pushed == _user_notice(user, destination).fingerprint(destination.id)


def tell_all_again(session: Session, destination: Destination, *, actor: str) -> None:
    """Forget what the destination was told of users and cameras, so that all of it is pushed again (DST-7)."""
    for row in [*session.scalars(select(CameraUser)), *session.scalars(select(Camera))]:
        row.pushed = None if row.pushed is None else AGAIN
    destination.attempts_wanted += 1
    events.record(session, "destination.pushed-again", "destination", destination.id, actor=actor)


def _user_notice(user: CameraUser, destination: Destination) -> Notice:
    user_id = (user.user_id or "") if can(destination).user_id_key else None
    return Notice("Users", user.id, metadata.user_metadata(user.name, active=user.active, user_id=user_id), user.id)


def _device_notice(camera: Camera) -> Notice:
    told = metadata.device_metadata(camera.name, camera.model, active=camera.belonging is Belonging.ADDED)
    return Notice("Devices", names.wire_serial(camera.serial), told, camera.id)


def _system_notice(system: System, destination: Destination) -> Notice:
    return Notice("System", system.id, metadata.system_metadata(destination.connection_id, system.name), None)
