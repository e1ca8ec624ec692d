"""A large system in a database: thousands of cameras, docks full of them, and as many recordings as years bring.

Rows are written as the services leave them, but all at once and without their events; the same system each time.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bodyworn.models import (
    Base,
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
)
from sqlalchemy import Select, func, insert, literal, select
from sqlalchemy.orm import Session

BAYS_A_DOCK = 8
_SPAN = timedelta(days=730)
_TOGETHER = 5000
_FIRST = ("Anna", "Jonas", "Miriam", "Peter", "Sofia", "Yusuf", "Chloé", "Łukasz", "Ingrid", "Tomás")
_LAST = ("Berger", "Weiss", "Okafor", "Lang", "Rossi", "Demir", "Novák", "Larsen", "Fontaine", "O'Neill", "Kowalska")
_DOCKED = (BayState.READY, BayState.READY, BayState.READY, BayState.OFFLOADING, BayState.NEW, BayState.PROBLEM)


@dataclass(frozen=True)
class Size:
    """How large a system is."""

    cameras: int = 5000
    docks: int = 100
    recordings: int = 0


def fill(database: Database, size: Size) -> None:
    """Make the system in an empty database."""
    chance, now = random.Random(5), datetime.now(UTC)
    with database.write() as session:
        controller = _system(session, now)
        users = list(_users(chance, size.cameras, now))
        cameras = list(_cameras(chance, users, now))
        _insert(session, CameraUser, users)
        _insert(session, Camera, cameras)
        _docks(session, chance, size.docks, controller, cameras, now)
        _insert(session, Recording, _recordings(chance, size.recordings, controller, cameras, now))
        _clips(session)


def _system(session: Session, now: datetime) -> str:
    system = System(
        name="North region",
        recovery_public_key=b"r" * 32,
        recovery_encryption_key=b"e" * 32,
        system_certificate=b"certificate",
        master_key_file=b"{}",
        time_zone="Europe/Vienna",
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
        # it is not running: ahead, so that it does not fall silent while pages are measured
        heartbeat_at=now + timedelta(hours=1),
        spool_free_bytes=7 * 10**11,
        spool_total_bytes=10**12,
    )
    destination = Destination(
        site_name="Evidence Store",
        application="Evidence Store 4.2",
        address="https://evidence.example:8080/auth/v1.0",
        sealed_file=b"sealed",
        connection_id=str(uuid.UUID(int=1)),
        capabilities={"bookmarks": True},
        can_verify=True,
        created_at=now,
        state=DestinationState.OKAY,
        state_since=now,
    )
    session.add_all((controller, destination))
    session.flush()
    return controller.id


def _users(chance: random.Random, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)} {number}"
        yield {"id": _id(chance), "name": name, "user_id": f"P{10_000 + number}", "created_at": now}


def _cameras(chance: random.Random, users: list[dict[str, Any]], now: datetime) -> Iterator[dict[str, Any]]:
    for number, user in enumerate(users):
        serial = f"B8A44F{number:06X}"
        yield {
            "id": _id(chance),
            "serial": serial,
            "public_key": chance.randbytes(32),
            "trust": Trust.ATTESTED,
            "driver": "volume",
            "model": "W-volume 1.0",
            "name": serial,
            "belonging": Belonging.ADDED,
            "camera_user_id": user["id"],
            "wanted_settings": 1,
            "applied_settings": 1,
            "firmware": "1.4.2",
            "battery_percent": chance.randrange(20, 101),
            "charging": True,
            "storage_used_bytes": chance.randrange(64) * 10**9,
            "storage_total_bytes": 64 * 10**9,
            "clock_offset_seconds": 0.4,
            "first_seen_at": now - _SPAN,
            "last_seen_at": now - timedelta(minutes=chance.randrange(5000)),
        }


def _docks(
    session: Session, chance: random.Random, count: int, controller: str, cameras: list[dict[str, Any]], now: datetime
) -> None:
    docked = iter(chance.sample(cameras, min(len(cameras), count * BAYS_A_DOCK)))
    for number in range(1, count + 1):
        dock = Dock(
            controller_id=controller, name=f"Dock {number}", kind=DockKind.SIMULATED, locator="/", position=number
        )
        dock.bays = [_bay(chance, place, next(docked, None), now) for place in range(1, BAYS_A_DOCK + 1)]
        session.add(dock)


def _bay(chance: random.Random, position: int, camera: dict[str, Any] | None, now: datetime) -> Bay:
    bay = Bay(position=position, name=f"Bay {position}")
    if camera is not None:
        bay.camera_id, bay.docked_at, bay.state = camera["id"], now, chance.choice(_DOCKED)
        if bay.state is BayState.OFFLOADING:
            bay.total_bytes, bay.done_bytes, bay.bytes_per_second = 12 * 10**9, 5 * 10**9, 41e6
            bay.progress_at = now + timedelta(hours=1)
        if bay.state is BayState.PROBLEM:
            bay.problem_id, bay.problem_values = "store-damaged", {"name": "clip 3", "reason": "input/output error"}
    return bay


def _recordings(
    chance: random.Random, count: int, controller: str, cameras: list[dict[str, Any]], now: datetime
) -> Iterator[dict[str, Any]]:
    """Make recordings in no order of time; nearly all are delivered, as in life."""
    for number in range(count):
        camera = chance.choice(cameras)
        start = now - chance.random() * _SPAN
        stop = start + timedelta(seconds=chance.randrange(10, 1800))
        state = RecordingState.DELIVERED if number % 1000 else chance.choice(list(RecordingState))
        yield {
            "id": _id(chance),
            "camera_id": camera["id"],
            "camera_recording_id": _id(chance),
            "controller_id": controller,
            "camera_user_id": camera["camera_user_id"],
            "container_name": f"{camera['camera_user_id']}_{camera['serial']}_{start:%Y%m%dT%H%M%S}{number:07}Z",
            "state": state,
            "start_at": start,
            "stop_at": stop,
            "trigger_on_at": start,
            "trigger_off_at": stop,
            "time_zone": "Europe/Vienna",
            "document": b"{}",
            "found_at": stop,
        }


def _clips(session: Session) -> None:
    """Give each recording one clip, erased from its camera and verified in the spool."""
    fixed = {
        Clip.name: "20260301_050107_5F3A.mkv",
        Clip.kind: ClipKind.CLIP,
        Clip.position: 0,
        Clip.size_bytes: 380_000_000,
        Clip.encrypted: False,
        Clip.wire_metadata: {},
    }
    _derive(session, Clip, select(Recording.id, Recording.id), (Clip.id, Clip.recording_id), fixed)
    for place, state in ((Place.CAMERA, CopyState.ERASED), (Place.SPOOL, CopyState.VERIFIED)):
        key = func.replace(Clip.id, "-", place.value[0])
        fixed = {Copy.place: place, Copy.state: state, Copy.failure_domain: place.value, Copy.done_bytes: 380_000_000}
        _derive(session, Copy, select(key, Clip.id), (Copy.id, Copy.clip_id), fixed)


def _derive(session: Session, table: type[Base], rows: Select[Any], keys: Sequence[Any], fixed: dict[Any, Any]) -> None:
    """Insert a row for each that is selected, with the same values besides."""
    rows = rows.add_columns(*(literal(value, column.type) for column, value in fixed.items()))
    session.execute(insert(table).from_select((*keys, *fixed), rows, include_defaults=False))


def _insert(session: Session, table: type[Base], rows: Any) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _TOGETHER:
            session.execute(insert(table), batch)
            batch.clear()
    if batch:
        session.execute(insert(table), batch)


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
