"""A disk that reports errors when it is told to: nbdkit between an image file and its loop device.

nbdkit serves the image and makes the errors, nbdfuse shows what it serves as a file, and a loop device makes a disk of
that. Needs root, nbdkit and nbdfuse.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import loops
from loops import Disk

TOOLS: Final = ("nbdkit", "nbdfuse", "mkfs.ext4")
_COMES_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02


class Trouble(StrEnum):
    """What goes wrong while it does."""

    READING = "pread"
    WRITING = "pwrite"


@dataclass(frozen=True)
class Switch:
    """Turns the errors of a disk on and off, at once."""

    folder: Path

    def path(self, trouble: Trouble) -> Path:
        """Name the file that turns them on: while it is there, every request of the kind fails."""
        return self.folder / trouble

    def off(self) -> None:
        """Let everything go well again."""
        for trouble in Trouble:
            self.path(trouble).unlink(missing_ok=True)


@contextmanager
def erring(disk: Disk) -> Iterator[Switch]:
    """Insert a disk for the block's time, with a switch for its errors."""
    scratch = disk.image.parent / "erring"
    scratch.mkdir()
    switch = Switch(scratch)
    with (
        _served(disk.image, scratch) as socket,
        _shown(socket, scratch) as shown,
        loops.attached(shown, direct=True) as device,
        disk.inserted_as(device),
    ):
        try:
            yield switch
        finally:
            switch.off()


@contextmanager
def _served(image: Path, scratch: Path) -> Iterator[Path]:
    socket = scratch / "nbd"
    settings = [
        setting
        for trouble in Trouble
        for setting in (
            f"error-{trouble}=EIO",
            f"error-{trouble}-rate=1",
            f"error-{trouble}-file={scratch / trouble}",
        )
    ]
    command = ["nbdkit", "--foreground", "--unix", str(socket), "--filter=error", "file", str(image), *settings]
    with _program(command, scratch / "log"):
        _wait_for(socket.exists, "nbdkit")
        yield socket


@contextmanager
def _shown(socket: Path, scratch: Path) -> Iterator[Path]:
    shown = scratch / "shown"
    shown.touch()
    with _program(["nbdfuse", str(shown), "--unix", str(socket)], scratch / "log"):
        _wait_for(lambda: shown.stat().st_size > 0, "nbdfuse")
        try:
            yield shown
        finally:
            loops.unmount(shown)


@contextmanager
def _program(command: list[str], log: Path) -> Iterator[None]:
    """Run a program for the block's time; it tells of each error that it makes, into the log."""
    with log.open("ab") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_COMES_SECONDS)


def _wait_for(condition: Callable[[], bool], name: str) -> None:
    end = time.monotonic() + _COMES_SECONDS
    while True:
        with suppress(OSError):
            if condition():
                return
        if time.monotonic() > end:
            raise TimeoutError(f"{name} did not start")
        time.sleep(_LOOK_SECONDS)
