"""Where the helper mounts: two levels beneath one folder that nobody but root can change, made and removed by it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...camera_volume import beneath
from ...errors import BodywornError, HelperRefused, HelperUnsafe
from .mounting import is_mounted, mount_points

_MOST_MOUNTS: Final = 256


def trusted_folder(path: Path) -> Path:
    """Make a folder if it is missing, and check that nobody but root can put another in its place.

    :raises HelperUnsafe: when somebody could.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o755)
    path = Path(os.path.realpath(path))
    for one in (path, *path.parents):
        facts = os.lstat(one)
        shared = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not facts.st_mode & stat.S_ISVTX
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != 0 or shared:
            raise HelperUnsafe(reason=f"others than root may change {one}")
    return path


def make_place(scratch: Path, bay: str, unit: str) -> Path:
    """Make the folder that a unit is mounted on, one level after the other and without following links.

    :raises HelperRefused: when something is mounted there, or too much is mounted already.
    """
    if sum(Path(point.path).is_relative_to(scratch) for point in mount_points()) >= _MOST_MOUNTS:
        raise HelperRefused(reason="too much is mounted already")
    target = scratch / bay / unit
    if is_mounted(target):
        raise HelperRefused(reason="something is mounted there already")
    root = beneath.open_folder(scratch)
    try:
        _make(root, bay)
        _make(root, f"{bay}/{unit}")
    except (OSError, BodywornError) as error:
        raise HelperRefused(reason=f"{bay}/{unit} is no place for it") from error
    finally:
        os.close(root)
    return target


def remove_place(target: Path) -> None:
    """Remove a folder on which nothing is mounted any more; one that is not empty or in use stays."""
    for folder in (target, target.parent):
        with suppress(OSError):
            folder.rmdir()


def open_image(path: str, images: Sequence[Path], owner_uid: int, *, read_only: bool) -> int:
    """Open an image beneath one of the allowed folders, without following links; gives a descriptor.

    :raises HelperRefused: for anything but a regular file of the caller's.
    """
    folder = next((folder for folder in images if Path(path).is_relative_to(folder)), None)
    if folder is None:
        raise HelperRefused(reason="images are not attached from there")
    root = beneath.open_folder(folder)
    try:
        flags = os.O_RDONLY if read_only else os.O_RDWR
        descriptor = beneath.open_beneath(root, str(Path(path).relative_to(folder)), flags)
    except BodywornError as error:
        raise HelperRefused(reason="there is no such image") from error
    finally:
        os.close(root)
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_uid != owner_uid:
        os.close(descriptor)
        raise HelperRefused(reason="it is no image of the caller's")
    return descriptor


def _make(root: int, path: str) -> None:
    """Make a folder beneath an open one, and go into it, which fails where it is a link or another filesystem."""
    parent, _, name = path.rpartition("/")
    above = beneath.open_beneath(root, parent or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=above)
        os.close(beneath.open_beneath(above, name, os.O_RDONLY | os.O_DIRECTORY))
    finally:
        os.close(above)
