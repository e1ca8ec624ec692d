"""Cameras that are pulled out while they are read: their disk ends, their plug goes, their mount dies.

Cameras are images that the controller mounts, as it mounts a real camera's units: ext4 by the kernel, exFAT by a
program in user space. What was cut off is docked again, or comes back, and everything ends as if nothing had been.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Final

import alone
import controllers  # noqa: F401 - mounts the plugin
import goals
import loops
from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.media import recording_folder
from bodyworn.camera_volume.port import UnitKind
from bodyworn.const import Step
from bodyworn.errors import OutOfTurn
from bodyworn.hw.mounts import unmount_leftovers
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from outcome import Outcome, Plan, Size
from trial import Point, Trial
from workload import PATIENCE_SECONDS, Original, Workload

NAME = "yank"

CLIP_BYTES: Final = 3_000_000
MEDIA_BYTES: Final = 64 * 1024**2
#: What happens to a camera, on each of its filesystems.
UNDOCKED, TRUNCATED, DETACHED, KILLED = "undocked", "truncated", "detached", "killed"
KINDS: Final = {"ext4": (UNDOCKED, TRUNCATED, DETACHED), "exfat": (UNDOCKED, TRUNCATED, KILLED)}
#: Steps at which a camera is being read, or has just been.
STEPS: Final = (Step.STREAMED, Step.STREAMED, Step.SYNCED, Step.LISTED)
MOST_OBJECTS: Final = 6
LONGEST_SECONDS: Final = 1.0
_ROUNDS: Final = {Size.SAMPLE: 1, Size.ORDINARY: 1, Size.FULL: 8}


def unavailable() -> str | None:
    """Say why this tier cannot run here; None if it can."""
    return loops.unavailable("mkfs.ext4", "mkfs.exfat", "mount.exfat-fuse")


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Pull cameras as often as the plan wants."""
    return alone.outcomes(NAME, plan)


def tried(plan: Plan) -> Iterator[Outcome]:
    """Do what ``outcomes`` gives, in a process that has mounts of its own."""
    work: list[Callable[[], Iterator[Outcome]]] = [partial(_points, plan, filesystem) for filesystem in KINDS]
    yield from alone.in_lanes(plan.lanes, work)


def points(plan: Plan, filesystem: str) -> list[Point]:
    """List when a camera goes; a sample is one on ext4."""
    return plan.chosen(list(_every(plan, filesystem)), filesystem, sampled=filesystem == "ext4")


def _every(plan: Plan, filesystem: str) -> Iterator[Point]:
    chosen = plan.choice(f"{filesystem}/steps")
    for number in range(1, _ROUNDS[plan.size] + 1):
        for kind, (place, step) in product(KINDS[filesystem], enumerate(STEPS)):
            count = 1 if step is Step.LISTED else chosen.randint(1, MOST_OBJECTS)
            yield Point(f"{filesystem}/{kind}/{step}:{count}/{number}.{place}", step, count, LONGEST_SECONDS)


def _points(plan: Plan, filesystem: str) -> Iterator[Outcome]:
    wanted = points(plan, filesystem)
    if wanted:
        with _founded(plan.folder / filesystem, filesystem) as load:
            for point in wanted:
                chosen = plan.choice(point.name)
                pulled = _Pulled(load.around / "flag", load, point.name.split("/")[1], chosen.random())
                yield Trial(NAME, load, pulled).run(point, chosen, plan.seed)


@contextmanager
def _founded(folder: Path, filesystem: str) -> Iterator[_ImageWorkload]:
    with ExitStack() as stack:
        goal = stack.enter_context(goals.scripted(encrypted=filesystem == "exfat"))
        yield stack.enter_context(_ImageWorkload(folder / "data", folder / "around", goal, filesystem))


class _ImageWorkload(Workload):
    """Cameras of images, whose files can be seen while they are in their own hands only."""

    def __init__(self, home: Path, around: Path, goal: goals.Goal, filesystem: str) -> None:
        super().__init__(home, around, goal, clip_bytes=CLIP_BYTES)
        self._filesystem = filesystem

    def build(self, serial: str) -> Build:
        """Make them of images."""
        return Build(serial, kind=UnitKind.IMAGE, filesystem=self._filesystem, media_bytes=MEDIA_BYTES)

    def digests_of(self, camera: SimulatedCamera, recording_id: str) -> dict[str, str]:
        """Look into the camera; it has nothing to show while somebody else has its unit."""
        with suppress(OutOfTurn), camera.touch(Unit.MEDIA) as unit:
            files = (path for path in (unit / recording_folder(recording_id)).iterdir() if path.is_file())
            return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
        return {}

    def take_out(self) -> None:
        """Pull all cameras out of a dock in which nobody is at work any more."""
        unmount_leftovers(self.home / "mounts")
        self.undock_all()

    def put_in(self) -> None:
        """Dock those cameras that are out."""
        for number, camera in enumerate(self.cameras, 1):
            if not camera.docked():
                camera.dock(self.dock.bay(number))

    def recover(self, originals: list[Original], seconds: float = PATIENCE_SECONDS) -> float | None:
        """Dock first whatever was pulled out."""
        self.put_in()
        return super().recover(originals, seconds)


@dataclass
class _Pulled:
    """The first camera goes, in one of the ways in which cameras go."""

    flag: Path
    load: _ImageWorkload
    kind: str
    #: How much of its disk is left, where it ends.
    left: float

    def begin(self) -> None:
        """Let it go."""
        _WAYS[self.kind](self)

    def end(self) -> None:
        """Give back what was cut off; what was undocked is docked again by whoever sees it standing there."""
        if self._kept.exists():
            with self._kept.open("rb") as kept, self._medium().open("r+b") as medium:
                shutil.copyfileobj(kept, medium)
            self._kept.unlink()

    def outlived(self) -> bool:
        """A camera that is back is as good as before."""
        return True

    def repair(self) -> None:
        """Take the cameras out, so that what they hold can be looked at."""
        self.load.take_out()

    def undock(self) -> None:
        """Pull it out."""
        self.load.cameras[0].undock()

    def truncate(self) -> None:
        """Let its disk end early; nothing that was written to it is lost for good."""
        medium = self._medium()
        shutil.copyfile(medium, self._kept)
        os.truncate(medium, int(self.left * MEDIA_BYTES))

    def detach(self) -> None:
        """Take the device away from beneath the mount."""
        for line in loops.run("losetup", "--associated", str(self._medium())).splitlines():
            loops.run("losetup", "--detach", line.partition(":")[0])

    def kill(self) -> None:
        """End the program that serves the controller's mount."""
        for process in _serving(self.load.home / "mounts"):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _medium(self) -> Path:
        """Find the image, in whose hands it is at the moment."""
        home = self.load.around / "cameras" / "1" / "units" / "media.img"
        bay = self.load.dock.bay(1)
        return next(path for path in (bay / "host" / "media.img", bay / "camera" / "media.img", home) if path.exists())

    @property
    def _kept(self) -> Path:
        return self.load.around / "kept.img"


_WAYS: Final[dict[str, Callable[[_Pulled], None]]] = {
    UNDOCKED: _Pulled.undock,
    TRUNCATED: _Pulled.truncate,
    DETACHED: _Pulled.detach,
    KILLED: _Pulled.kill,
}


def _serving(folder: Path) -> Iterator[int]:
    """Find the programs that serve mounts beneath a folder; all processes that can be seen here are the campaign's."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().split(b"\0")
            if b"exfat" in command[0] and any(one.startswith(os.fsencode(folder)) for one in command):
                yield int(process.name)
