"""The guest's controller with its dock and its destination, and the questions that the steps ask of them."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bodyworn.cli.rig import Rig
from bodyworn.hw import usb_port
from bodyworn.hw.sockets import Sockets
from bodyworn.models import Bay, BayState, Belonging, Camera, Controller, Database, Event, Recording
from bodyworn.services import cameras, docks, users
from bodyworn.services.keyring import Keyring
from bodyworn.simulator.dock import SimulatedDock
from disk_parts import put
from fake_destination import FakeDestination
from running_station import Station
from sqlalchemy import select
from testbed.vm.depot import DATABASE, Disk
from testbed.vm.link import Link

SHARE, DATA = Path("/mnt/share"), Path("/srv/depot")
#: Generous, because the processor is emulated and its host is shared.
PATIENCE_SECONDS = 180.0
#: A socket that is USB 3 and USB 2 in one, and one that is USB 2 alone.
FAST, SLOW = ("xhci", "1"), ("ehci", "1")
#: Where no bay is.
ELSEWHERE = ("xhci", "4")
START = datetime(2026, 3, 4, 6, 6, 7)  # noqa: DTZ001 - on a camera's clock, which has no zone


class Bench:
    """Everything that a step needs."""

    def __init__(self, stack: ExitStack, link: Link, port: int) -> None:
        self.link = link
        DATA.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(DATA)], check=True)
        shutil.copytree(SHARE / "depot", DATA, dirs_exist_ok=True)
        database = Database.at(f"sqlite:///{DATA / DATABASE}")
        stack.callback(database.close)
        rig = Rig(database, DATA, Keyring(DATA / "keys"), SimulatedDock(DATA / "dock", 1))
        self.station = Station(rig, stack, stack.enter_context(FakeDestination(at_port=port)))
        self.database = database
        #: What was written to each camera, and must arrive.
        self.written: dict[str, str] = {}

    def running(self) -> Any:
        """Run the controller for a block's time, with its own watch; what is pulled out is gone after a second."""
        usb_port.GRACE_SECONDS = 1.0
        return self.station.running(sockets=Sockets(self.database))

    # waiting

    def wait(
        self,
        condition: Callable[[], object],
        what: str,
        *,
        every_seconds: float = 0.4,
        seconds: float = PATIENCE_SECONDS,
    ) -> float:
        """Wait until something is so; gives how long that took. Looking often takes time from what is looked at."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < seconds, f"{what}: not within {seconds} s\n{self.story()}"
            time.sleep(every_seconds)
        return time.monotonic() - begin

    def wait_for_bay(self, number: int, state: BayState) -> float:
        """Wait until a bay says so."""
        return self.wait(lambda: self.state(number) is state, f"bay {number} {state}")

    def story(self) -> str:
        """Say how everything stands, for whoever reads why a step failed."""
        lines = [f"{one.name} {one.places}: {one.state} {self.station.sentence(one)}" for one in self.bays()]
        lines += [f"recording {one.state} {self.station.sentence(one)}" for one in self.station.recordings()]
        lines += [f"{event.action} {event.result} {event.detail}" for event in self.events()[-12:]]
        lines.append(Path("/proc/partitions").read_text())
        return "\n".join(lines)

    # what there is

    def bays(self) -> list[Bay]:
        """List the bays in their order."""
        with self.database.read() as session:
            return sorted(
                (bay for dock in docks.local_docks(session) for bay in dock.bays), key=lambda bay: bay.position
            )

    def state(self, number: int) -> BayState | None:
        """Tell how a bay stands."""
        return next((bay.state for bay in self.bays() if bay.position == number), None)

    def bay(self, number: int) -> Bay:
        """Give a bay."""
        return self.bays()[number - 1]

    def camera(self, number: int) -> Camera:
        """Give the camera that stands in a bay."""
        with self.database.read() as session:
            return session.get_one(Camera, self.bay(number).camera_id)

    def events(self, action: str = "") -> list[Event]:
        """List what happened, in order."""
        with self.database.read() as session:
            found = session.scalars(select(Event).order_by(Event.sequence)).all()
        return [one for one in found if one.action.startswith(action)]

    def heartbeat(self) -> datetime | None:
        """Tell when the controller last said that it is alive."""
        with self.database.read() as session:
            return session.scalars(select(Controller)).one().heartbeat_at

    def recording(self, camera_id: str) -> Recording | None:
        """Give the newest recording of a camera."""
        found = [one for one in self.station.recordings() if one.camera_id == camera_id]
        return found[-1] if found else None

    def is_delivered_and_deleted(self, camera_id: str) -> bool:
        """Tell whether a camera's recordings are at the destination and gone from it."""
        found = [one for one in self.station.recordings() if one.camera_id == camera_id]
        return bool(found) and all(one.delivered_at and one.erased_at for one in found)

    def part_bytes(self) -> int:
        """Tell how much of a copy has been made."""
        return sum(part.stat().st_size for part in self.station.parts() if part.exists())

    def arrived(self) -> set[str]:
        """List the digests of all that the destination holds."""
        return {hashlib.sha256(one.body).hexdigest() for one in self.station.fake.objects.values()}

    # what a person does

    def learn(self, *, on: bool) -> None:
        """Let the dock learn its bays, or end that."""
        with self.database.write() as session:
            docks.learn(session, docks.find_dock(session, "Dock").id, on=on, actor="olga")

    def add(self, *camera_ids: str) -> None:
        """Add cameras, each with a user of its own."""
        with self.database.write() as session:
            cameras.add_cameras(session, camera_ids, actor="olga")
            for camera_id in camera_ids:
                user = users.create_user(session, name=f"User {camera_id[:8]}", actor="olga")
                cameras.assign(session, camera_id, user.id, actor="olga")

    def wear(self, disk: Disk, sizes: dict[str, int], *, seed: int) -> None:
        """Write recordings as the camera does when it is out of its dock."""
        noise = random.Random(seed)
        with mounted_image(disk) as folder:
            for number, (name, size) in enumerate(sizes.items()):
                data = noise.randbytes(size)
                put(folder, name, data, end=START + timedelta(minutes=number + 1))
                self.written[hashlib.sha256(data).hexdigest()] = name

    @staticmethod
    def is_up_to_date(camera: Camera) -> bool:
        """Tell whether it has been told, as far as it can be, who wears it."""
        return (camera.applied_settings or 0) >= camera.wanted_settings > 0

    @staticmethod
    def is_new(camera: Camera) -> bool:
        """Tell whether nobody has added it."""
        return camera.belonging is Belonging.NEW


@contextmanager
def mounted_image(disk: Disk) -> Iterator[Path]:
    """Mount a disk's image where no USB is between, with the kernel's own filesystem."""
    target = Path("/mnt/image")
    target.mkdir(exist_ok=True)
    options = "loop,rw" + (",tz=UTC" if disk.filesystem == "vfat" else "")
    subprocess.run(
        ["mount", "-t", disk.filesystem, "-o", options, str(SHARE / f"{disk.name}.img"), str(target)], check=True
    )
    try:
        yield target
        os.sync()
    finally:
        subprocess.run(["umount", str(target)], check=True)
