"""A believable system in a database: a dock of eight bays in every state, cameras, users, recordings in every state."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bodyworn.crypto.keys import SigningKey
from bodyworn.crypto.master_key import KdfCost, MasterSecret
from bodyworn.errors import AuthorizationFailed, DestinationRefusesConnection, StoreDamaged
from bodyworn.migrations.run import upgrade
from bodyworn.models import (
    Bay,
    BayState,
    Belonging,
    Camera,
    CameraUser,
    Clip,
    ClipKind,
    Controller,
    ControllerRole,
    Copy,
    CopyState,
    Database,
    Destination,
    DestinationState,
    Dock,
    DockKind,
    Place,
    Recording,
    RecordingState,
    System,
    Trust,
    new_id,
)
from bodyworn.services import events, profiles
from sqlalchemy.orm import Session

GB = 10**9


@cache
def empty_database() -> bytes:
    """Give the bytes of an empty database, made once: migrating takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        database = Database.at(f"sqlite:///{path}")
        upgrade(database.engine)
        database.close()
        return path.read_bytes()


@contextmanager
def open_database(folder: Path) -> Iterator[Database]:
    """Open an empty database of this version in a folder."""
    path = folder / "bodyworn.db"
    path.write_bytes(empty_database())
    database = Database.at(f"sqlite:///{path}")
    yield database
    database.close()


@dataclass(frozen=True)
class Seeded:
    """Ids that tests look for."""

    ready_camera: str
    offloading_camera: str
    new_camera: str
    problem_camera: str
    nobodys_camera: str
    away_camera: str
    delivered: str
    sending: str
    refused: str
    dock: str


@cache
def _master_key() -> bytes:
    """Wrap a master key once for all systems."""
    cost = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)
    created = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    return MasterSecret.generate().wrap("nobody reads it", system_id=new_id(), created=created, cost=cost)


def found_system(
    session: Session, now: datetime, *, demonstration: bool = False, time_zone: str = "Europe/Vienna"
) -> Controller:
    """Make a system with one controller, all well."""
    system = System(
        name="North depot",
        recovery_public_key=b"r" * 32,
        recovery_encryption_key=b"e" * 32,
        system_certificate=b"certificate",
        master_key_file=_master_key(),
        time_zone=time_zone,
        demonstration=demonstration,
        created_at=now,
        finished_at=now,
    )
    session.add(system)
    session.flush()
    controller = Controller(
        system_id=system.id,
        name="Depot",
        serial="CTL-0001",
        role=ControllerRole.FIRST,
        local=True,
        certificate=b"certificate",
        order_sequence=1,
        heartbeat_at=now,
        spool_free_bytes=710 * GB,
        spool_total_bytes=1000 * GB,
    )
    session.add(controller)
    session.flush()
    return controller


def connect_destination(session: Session, now: datetime, **changes: object) -> Destination:
    """Make a destination in force, working unless told otherwise."""
    values = {
        "site_name": "Evidence Store",
        "application": "Evidence Store 4.2",
        "address": "https://evidence.example:8080/auth/v1.0",
        "sealed_file": b"sealed",
        "connection_id": new_id(),
        "capabilities": {"bookmarks": True, "track": True, "system_id": True},
        "can_verify": True,
        "created_at": now - timedelta(days=9),
        "state": DestinationState.OKAY,
        "state_since": now - timedelta(hours=7),
        "last_success_at": now - timedelta(seconds=20),
        "bytes_per_second": 61e6,
        "clock_difference_seconds": 0.2,
    }
    destination = Destination(**{**values, **changes})
    session.add(destination)
    session.flush()
    return destination


def add_camera(
    session: Session, now: datetime, serial: str, user: CameraUser | None = None, **changes: object
) -> Camera:
    """Make a camera that belongs to the system."""
    values = {
        "serial": serial,
        "public_key": SigningKey.generate().public.raw,
        "trust": Trust.ATTESTED,
        "driver": "volume",
        "model": "W-volume 1.0",
        "manufacturer": "Example Cameras",
        "name": serial,
        "belonging": Belonging.ADDED,
        "camera_user_id": user.id if user else None,
        "wanted_settings": 1,
        "applied_settings": 1,
        "firmware": "1.4.2",
        "battery_percent": 71,
        "charging": True,
        "storage_used_bytes": 14 * GB,
        "storage_total_bytes": 64 * GB,
        "clock_offset_seconds": 0.4,
        "first_seen_at": now - timedelta(days=40),
        "last_seen_at": now,
        "lease_until": now + timedelta(days=55),
    }
    camera = Camera(**{**values, **changes})
    session.add(camera)
    session.flush()
    return camera


def add_user(session: Session, now: datetime, name: str, user_id: str | None = None) -> CameraUser:
    """Make a camera user."""
    user = CameraUser(name=name, user_id=user_id, created_at=now)
    session.add(user)
    session.flush()
    return user


def add_recording(
    session: Session, camera: Camera, controller: Controller, start: datetime, state: RecordingState, **changes: object
) -> Recording:
    """Make a recording with two clips whose copies fit its state."""
    stop = start + timedelta(minutes=12, seconds=40)
    values = {
        "camera_id": camera.id,
        "camera_recording_id": new_id(),
        "controller_id": controller.id,
        "camera_user_id": camera.camera_user_id,
        "container_name": f"{camera.camera_user_id}_{camera.serial}_{start:%Y%m%dT%H%M%SZ}",
        "state": state,
        "start_at": start,
        "stop_at": stop,
        "trigger_on_at": start + timedelta(seconds=30),
        "trigger_off_at": stop,
        "time_zone": "Europe/Vienna",
        "document": b"{}",
        "found_at": start + timedelta(minutes=20),
    }
    recording = Recording(**{**values, **changes})
    recording.clips = [_clip(recording, start + timedelta(minutes=6 * part), part) for part in (0, 1)]
    for clip in recording.clips:
        clip.copies = _copies(clip, state, start)
    session.add(recording)
    session.flush()
    events.record(session, "recording.found", "recording", recording.id, clips=2)
    return recording


def seed(database: Database, now: datetime | None = None) -> Seeded:
    """Fill a database with a night shift that has just come back."""
    now = now or datetime.now(UTC)
    with database.write() as session:
        return _seed(session, now)


def _seed(session: Session, now: datetime) -> Seeded:
    controller = found_system(session, now, demonstration=True)
    session.add_all(profiles.founding_profiles())
    destination = connect_destination(session, now)
    events.record(session, "destination.connected", "destination", destination.id, actor="root", site="Evidence Store")
    users = [add_user(session, now, name, number) for name, number in _USERS]
    ready = add_camera(session, now, "B8A44F1041", users[0], battery_percent=100, storage_used_bytes=GB)
    offloading = add_camera(session, now, "B8A44F1067", users[1])
    synchronising = add_camera(session, now, "B8A44F1088", users[2], battery_percent=38)
    new = add_camera(session, now, "B8A44F9031", belonging=Belonging.NEW, applied_settings=None)
    broken = add_camera(session, now, "B8A44F1102", users[3], battery_percent=12, charging=False)
    nobodys = add_camera(session, now, "B8A44F1120")
    away = add_camera(session, now, "B8A44F1110", users[4], last_seen_at=now - timedelta(hours=9), charging=False)
    dock = _dock(session, controller, now, ready, offloading, synchronising, new, broken, nobodys)
    for camera in (ready, offloading, broken):
        events.record(session, "camera.new", "camera", camera.id, serial=camera.serial, model=camera.model)
        events.record(session, "camera.added", "camera", camera.id, actor="root", serial=camera.serial)
        events.record(session, "camera.assigned", "camera", camera.id, actor="root", camera_user=camera.camera_user_id)
        events.record(session, "camera.docked", "camera", camera.id, bay="Bay 1", counter=3)
    delivered = add_recording(
        session,
        ready,
        controller,
        now - timedelta(hours=5),
        RecordingState.DELIVERED,
        destination_id=destination.id,
        stored_at=now - timedelta(hours=3),
        delivered_at=now - timedelta(hours=2),
        erased_at=now - timedelta(hours=2),
        protected=True,
    )
    for clip in delivered.clips:
        events.record(session, "clip.stored", "recording", delivered.id, clip=clip.name, sha256=clip.sha256)
        events.record(session, "clip.delivered", "recording", delivered.id, clip=clip.name, proof="verified")
    events.record(session, "recording.delivered", "recording", delivered.id, container=delivered.container_name)
    sending = add_recording(
        session, offloading, controller, now - timedelta(hours=4), RecordingState.STORED, destination_id=destination.id
    )
    add_recording(session, synchronising, controller, now - timedelta(hours=3), RecordingState.FOUND)
    refused = add_recording(
        session,
        ready,
        controller,
        now - timedelta(hours=6),
        RecordingState.REFUSED,
        problem_id="destination-rejected",
        problem_values={},
    )
    add_recording(session, broken, controller, now - timedelta(hours=7), RecordingState.QUARANTINED)
    return Seeded(
        ready.id, offloading.id, new.id, broken.id, nobodys.id, away.id, delivered.id, sending.id, refused.id, dock.id
    )


_USERS = (
    ("Anna Berger", "1041"),
    ("Jonas Weiss-Hohenberg zu Thalheim", "1067"),
    ("Miriam Okafor", "1088"),
    ("Peter Lang", None),
    ("Sofia Rossi", "1110"),
)


def _dock(session: Session, controller: Controller, now: datetime, *cameras: Camera) -> Dock:
    ready, offloading, synchronising, new, broken, nobodys = cameras
    dock = Dock(controller_id=controller.id, name="Dock 1", kind=DockKind.SIMULATED, locator="/nowhere")
    damage = StoreDamaged(name="clip 3", reason="input/output error")
    dock.bays = [
        _bay(1, BayState.READY, ready, now),
        _bay(
            2,
            BayState.OFFLOADING,
            offloading,
            now,
            total_bytes=142 * GB // 10,
            done_bytes=91 * GB // 10,
            bytes_per_second=41e6,
            progress_at=now,
        ),
        _bay(3, BayState.SYNCHRONISING, synchronising, now),
        _bay(4, BayState.NEW, new, now),
        _bay(5, BayState.PROBLEM, broken, now, problem_id=damage.id, problem_values=dict(damage.values)),
        _bay(6, BayState.CONNECTING, None, now),
        _bay(7, BayState.EMPTY, None, None),
        _bay(
            8,
            BayState.OFFLOADING,
            nobodys,
            now,
            total_bytes=2 * GB,
            done_bytes=GB,
            progress_at=now - timedelta(minutes=3),
            bytes_per_second=30e6,
        ),
    ]
    session.add(dock)
    session.flush()
    return dock


def _bay(number: int, state: BayState, camera: Camera | None, docked_at: datetime | None, **values: object) -> Bay:
    return Bay(
        position=number,
        name=f"Bay {number}",
        state=state,
        camera_id=camera.id if camera else None,
        docked_at=docked_at,
        **values,
    )


def _clip(recording: Recording, start: datetime, position: int) -> Clip:
    name = f"{start:%Y%m%d_%H%M%S}_{position:04X}.mkv"
    digest = hashlib.sha256(json.dumps([recording.container_name, name]).encode())
    return Clip(
        kind=ClipKind.CLIP,
        position=position,
        name=name,
        source_name=name,
        start_at=start,
        stop_at=start + timedelta(minutes=6, seconds=20),
        size_bytes=380_000_000,
        sha256=digest.hexdigest(),
        stored_size_bytes=380_000_000,
        stored_sha256=digest.hexdigest(),
        stored_md5=digest.hexdigest()[:32],
        wire_metadata={},
    )


def _copies(clip: Clip, state: RecordingState, at: datetime) -> list[Copy]:
    first = clip.position == 0
    kept, writing, verified = CopyState.KEPT, CopyState.WRITING, CopyState.VERIFIED
    by_state = {
        RecordingState.FOUND: (kept, verified if first else writing, None),
        RecordingState.STORED: (kept, verified, verified if first else writing),
        RecordingState.DELIVERED: (CopyState.ERASED, verified, verified),
        RecordingState.REFUSED: (kept, verified, CopyState.PROBLEM),
        RecordingState.QUARANTINED: (kept, CopyState.PROBLEM, None),
    }
    places = (Place.CAMERA, Place.SPOOL, Place.DESTINATION)
    return [_copy(clip, place, is_, at) for place, is_ in zip(places, by_state[state], strict=True) if is_]


def _copy(clip: Clip, place: Place, state: CopyState, at: datetime) -> Copy:
    proved = state is CopyState.VERIFIED
    return Copy(
        place=place,
        state=state,
        failure_domain=str(place),
        done_bytes=clip.size_bytes * 64 // 100 if state is CopyState.WRITING else clip.size_bytes,
        proved_sha256=clip.sha256 if proved and place is Place.SPOOL else None,
        proved_md5=clip.stored_md5 if proved else None,
        proved_at=at + timedelta(hours=1) if proved else None,
    )


def stop_destination(session: Session, destination: Destination, now: datetime) -> None:
    """Let the destination refuse the key of its connection file."""
    destination.state, destination.state_since = DestinationState.STOPPED, now
    destination.problem_id, destination.problem_values = AuthorizationFailed.id, {}


def lose_destination(session: Session, destination: Destination, now: datetime) -> None:
    """Let the destination be out of reach."""
    error = DestinationRefusesConnection(host="evidence.example", reason="connection refused")
    destination.state, destination.state_since = DestinationState.WAITING, now
    destination.problem_id, destination.problem_values = error.id, dict(error.values)
