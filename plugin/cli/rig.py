"""A system with a simulated dock, put together in a few calls: for headless transfers and for the demonstration.

Commands are the modules beside; nothing here is used by a real installation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from ..crypto.master_key import KdfCost
from ..destination.rehearsal import rehearse
from ..migrations.run import upgrade
from ..models import Belonging, Camera, Database, DockKind
from ..services import cameras, destinations, docks, founding, systems, users
from ..services.keyring import Keyring
from ..simulator.dock import SimulatedDock

_POLL_SECONDS = 0.05
#: The passphrase of a system that exists for minutes guards nothing.
_CHEAPEST = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)
ACTOR = "demonstration"


@dataclass(frozen=True)
class Rig:
    """A system on one data folder, with its dock."""

    database: Database
    data_dir: Path
    keyring: Keyring
    dock: SimulatedDock


def build(database: Database, data_dir: Path, *, name: str, passphrase: str, bays: int, demonstration: bool) -> Rig:
    """Found a system with one simulated dock; what is there already is taken as it is."""
    upgrade(database.engine)
    keyring = Keyring(data_dir / "keys")
    folder = data_dir / "dock"
    with database.write() as session:
        if systems.find(session) is None:
            founding.found(
                session,
                keyring,
                name=name,
                controller_name=name,
                passphrase=passphrase,
                demonstration=demonstration,
                cost=_CHEAPEST,
            )
            docks.add_dock(session, name="Dock 1", kind=DockKind.SIMULATED, locator=str(folder.absolute()), bays=bays)
    return Rig(database, data_dir, keyring, SimulatedDock(folder, bays))


def connect(rig: Rig, connection_file: bytes) -> None:
    """Rehearse and adopt a destination.

    :raises BodywornError: the rule of the file that is broken, or the first step of the rehearsal that failed.
    """
    with rig.database.read() as session:
        file = destinations.read_file(session, rig.keyring, connection_file, allow_http=True)
    rehearsal = rehearse(file)
    for step in rehearsal.steps:
        if step.problem is not None and not step.ok:
            raise step.problem
    with rig.database.write() as session:
        destinations.adopt(session, rig.keyring, connection_file, rehearsal, actor=ACTOR)


def add_new_cameras(rig: Rig, serials: Sequence[str], user_names: Sequence[str]) -> int:
    """Add those cameras that were seen and are New, each with a user of its own; gives how many were added."""
    with rig.database.write() as session:
        rows = select(Camera).where(Camera.serial.in_(serials), Camera.belonging == Belonging.NEW)
        found = list(session.scalars(rows))
        cameras.add_cameras(session, [camera.id for camera in found], actor=ACTOR)
        for camera in found:
            user = users.create_user(session, name=user_names[list(serials).index(camera.serial)], actor=ACTOR)
            cameras.assign(session, camera.id, user.id, actor=ACTOR)
    return len(found)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Wait until something is so; tells whether it became so in time."""
    end = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True
