"""A camera's two units on its own side: made, mounted where they are image files, touched in the camera's turn only."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..camera_volume.documents import Unit
from ..camera_volume.port import UnitKind
from ..errors import OutOfTurn, SimulatedVolumeFailed

_COMMAND_SECONDS: Final = 60
_MOST_TRIES: Final = 40
_AGAIN_SECONDS: Final = 0.05
_MAKE: Final = {"ext4": ("mkfs.ext4", "-q", "-F"), "exfat": ("mkfs.exfat",)}
_MOUNT: Final = {"ext4": ("mount", "-t", "ext4"), "exfat": ("mount.exfat-fuse",)}


class Volumes:
    """The units in the camera's own folder. Every access of the camera goes through :meth:`opened`."""

    def __init__(self, folder: Path, kind: UnitKind, filesystem: str) -> None:
        self.home = folder / "units"
        self._mounts = folder / "mounts"
        self._kind = kind
        self._filesystem = filesystem

    def create(self, unit: Unit, size_bytes: int) -> None:
        """Make a unit, empty: a folder, or a sparse image file with a filesystem."""
        self.home.mkdir(parents=True, exist_ok=True)
        path = self._path(unit)
        if self._kind is UnitKind.FOLDER:
            path.mkdir()
            return
        with path.open("xb") as file:
            file.truncate(size_bytes)
        _run(*_MAKE[self._filesystem], str(path))

    def at_home(self, unit: Unit) -> bool:
        """Tell whether the unit is in the camera's hands."""
        return self._path(unit).exists()

    @contextmanager
    def opened(self, unit: Unit) -> Iterator[Path]:
        """Give the folder of a unit while it is in the camera's hands.

        Raises:
            OutOfTurn: the host has it.
        """
        if not self.at_home(unit):
            raise OutOfTurn(unit=unit)
        if self._kind is UnitKind.FOLDER:
            yield self._path(unit)
            return
        with self._mounted(unit) as path:
            yield path

    def shorten(self, unit: Unit, exported_to: Path | None) -> None:
        """Cut an image file in half, at home or where it was exported to: reading past its end fails from then on."""
        if self._kind is not UnitKind.IMAGE:
            raise SimulatedVolumeFailed(reason="a folder cannot have read errors")
        path = self._path(unit)
        if not path.exists() and exported_to is not None:
            path = exported_to / path.name
        os.truncate(path, path.stat().st_size // 2)

    @contextmanager
    def _mounted(self, unit: Unit) -> Iterator[Path]:
        target = self._mounts / unit.value
        target.mkdir(parents=True, exist_ok=True)
        device = _run("losetup", "--find", "--show", str(self._path(unit))).strip()
        try:
            _run(*_MOUNT[self._filesystem], "-o", "nosuid,nodev,noexec", device, str(target))
            try:
                yield target
            finally:
                _unmount(target)
        finally:
            _run("losetup", "-d", device)

    def _path(self, unit: Unit) -> Path:
        return self.home / (unit.value if self._kind is UnitKind.FOLDER else f"{unit.value}.img")


def _unmount(target: Path) -> None:
    """Unmount; a process that another thread is just starting holds every open file for a moment."""
    for _ in range(_MOST_TRIES):
        try:
            _run("umount", str(target))
        except SimulatedVolumeFailed as error:
            if "busy" not in str(error):
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return
    _run("umount", str(target))


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        raise SimulatedVolumeFailed(reason=str(detail).strip()[:300]) from error
    return done.stdout
