"""Which devices the helper touches, by what the kernel says of them, never by what it was told."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ...errors import HelperRefused, MountFailed
from .mounting import mount_points

SYS: Final = Path("/sys")


def check_camera_disk(node: Path, *, images: Sequence[Path] = (), ours: Path | None = None, sys: Path = SYS) -> None:
    """Let only a USB disk pass that this machine does not use itself, or an image in one of some folders.

    Beneath ``ours`` it may be mounted; any other mount is a use. Raises HelperRefused for anything else, and
    MountFailed when there is no such device any more.
    """
    device = _device(node, sys)
    whole = device.parent if (device / "partition").exists() else device
    if not (_is_on_usb(whole) or _is_image(whole, images)):
        raise HelperRefused(reason=f"{node.name} is no USB disk")
    if any(_uses(whole, ours)):
        raise HelperRefused(reason=f"{node.name} is in use by this machine")


def _device(node: Path, sys: Path) -> Path:
    """Find the kernel's folder of a device by its number, and compare the name with the one that was said."""
    try:
        facts = os.lstat(node)
        if not stat.S_ISBLK(facts.st_mode):
            raise HelperRefused(reason=f"{node.name} is no disk")
        found = (sys / "dev/block" / f"{os.major(facts.st_rdev)}:{os.minor(facts.st_rdev)}").resolve(strict=True)
    except OSError as error:
        raise MountFailed(tool="helper", reason=f"{node.name}: {os.strerror(error.errno or 0)}") from error
    if found.name != node.name:
        raise HelperRefused(reason=f"{node.name} is no disk")
    return found


def _is_on_usb(whole: Path) -> bool:
    return any(os.path.basename(os.path.realpath(parent / "subsystem")) == "usb" for parent in whole.parents)


def _is_image(whole: Path, images: Sequence[Path]) -> bool:
    try:
        backing = Path((whole / "loop/backing_file").read_text().strip())
    except OSError:
        return False
    return any(backing.is_relative_to(folder) for folder in images)


def _uses(whole: Path, ours: Path | None) -> Iterator[str]:
    """Tell where a disk or a part of it is mounted by others, or what is built on it."""
    folders = [whole, *(part.parent for part in whole.glob("*/partition"))]
    numbers = {(folder / "dev").read_text().strip() for folder in folders}
    for point in mount_points():
        is_ours = ours is not None and Path(point.path).is_relative_to(ours)
        if point.number in numbers and not is_ours:
            yield point.path
    for folder in folders:
        yield from (holder.name for holder in (folder / "holders").glob("*"))
