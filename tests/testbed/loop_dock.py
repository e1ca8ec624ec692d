"""A dock whose disks are real block devices with real events: loop devices, which a udev rule gives their places.

It plays the part of the USB bus and of the SCSI layer between a simulated camera and the kernel: a unit that the camera
exports becomes the medium of a loop device, and ejecting takes it out again. udev, filesystems and mounts are real.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.port import HostPort
from bodyworn.hw import usb_marks

_ADD, _REMOVE = 0x4C80, 0x4C81
#: Loop devices belong to the whole machine, and tests may run on it twice at a time.
_FIRST = 300 + 8 * (os.getpid() % 1000)
#: ``losetup --find`` takes the first that is free: with these before ours, ours are nobody else's.
_SPARE = range(100, 116)
_LUNS = {Unit.MEDIA: 0, Unit.CONTROL: 1}
_POLL_SECONDS = 0.01

RULES = Path("/run/udev/rules.d/61-test.rules")
PACKAGED = Path("/run/udev/rules.d/61-bodyworn.rules")


def private_run() -> None:
    """Give this mount namespace a /run of its own, in which udev seems to be."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    RULES.parent.mkdir(parents=True)
    Path("/run/udev/control").touch()


@contextmanager
def private_udev() -> Iterator[None]:
    """Run udevd for this network and mount namespace alone."""
    Path("/run/udev/control").unlink(missing_ok=True)
    RULES.write_text("".join(map(_rule, range(1, 4))))
    PACKAGED.write_text(usb_marks.rules())
    subprocess.run(["/lib/systemd/systemd-udevd", "--daemon"], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["udevadm", "control", "--exit"], check=True)
        for number in _SPARE:
            with suppress(OSError):  # somebody else's by now
                _control(_REMOVE, f"/dev/loop{number}")


def place(number: int) -> str:
    """Name the place of a socket."""
    return f"loops/{number}"


def _rule(number: int) -> str:
    return "".join(
        f'SUBSYSTEM=="block", KERNEL=="{Path(_node(number, unit)).name}", '
        f'ENV{{BODYWORN_PLACE}}="{place(number)}", ENV{{BODYWORN_LUN}}="{_LUNS[unit]}"\n'
        for unit in Unit
    )


def _node(number: int, unit: Unit) -> str:
    return f"/dev/loop{_FIRST + 2 * number + _LUNS[unit]}"


class LoopSocket:
    """One socket; cameras are docked into ``bay``, a folder as of a simulated dock."""

    def __init__(self, number: int, bay: Path) -> None:
        self.place, self.bay = place(number), bay
        self._nodes = {unit: _node(number, unit) for unit in Unit}
        self._port = HostPort(bay)
        self._lock = threading.Lock()
        self._in: set[Unit] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> LoopSocket:
        for node in (*(f"/dev/loop{number}" for number in _SPARE), *self._nodes.values()):
            _control(_ADD, node)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for unit, node in self._nodes.items():
            if unit in self._in:
                _losetup("--detach", node)
            _wait_until_free(node)
            subprocess.run(["udevadm", "settle"], check=True)
            _control(_REMOVE, node)

    def has(self, node: str) -> bool:
        """Tell whether a disk is of this socket."""
        return node in self._nodes.values()

    def eject(self, node: str) -> None:
        """Take the medium out, and let the camera have it."""
        unit = next(unit for unit, one in self._nodes.items() if one == node)
        with self._lock:
            _losetup("--detach", node)
            _wait_until_free(node)
            self._in.discard(unit)
            self._port.eject([unit])

    @contextmanager
    def holding(self, image: Path) -> Iterator[None]:
        """Have a disk stand there that is no simulated camera."""
        node = self._nodes[Unit.MEDIA]
        _losetup(node, str(image))
        try:
            yield
        finally:
            _losetup("--detach", node)
            _wait_until_free(node)

    def backing(self, unit: Unit) -> Path:
        """Give the image that is a unit's medium now."""
        return self._port.path(unit)

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            with self._lock:
                self._exchange()

    def _exchange(self) -> None:
        present = self._port.state().present if self.bay.exists() else frozenset()
        for unit in sorted(present - self._in, key=lambda unit: unit is Unit.CONTROL):
            options = ["--read-only"] if unit is Unit.MEDIA else []
            _losetup(*options, self._nodes[unit], str(self._port.path(unit)))
            self._in.add(unit)
        for unit in self._in - present:
            _losetup("--detach", self._nodes[unit])
            self._in.discard(unit)


def _losetup(*arguments: str) -> None:
    subprocess.run(["losetup", *arguments], check=True, capture_output=True)


def _wait_until_free(node: str) -> None:
    """The kernel lets go of a medium when the last user, udev among them, has closed it."""
    size = Path(f"/sys/block/{Path(node).name}/size")
    end = time.monotonic() + 5
    while size.read_text().strip() != "0":
        assert time.monotonic() < end, f"{node} is still in use"
        time.sleep(0.005)


def _control(request: int, node: str) -> None:
    """Whoever still looks at a device that is being removed, as udev does at each event, makes it anew by doing so."""
    number = int(Path(node).name.removeprefix("loop"))
    with Path("/dev/loop-control").open("rb") as control, suppress(FileExistsError):
        fcntl.ioctl(control, request, number)
