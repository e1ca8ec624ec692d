"""The disk beneath a store: its room, and which disk it is. Reads the kernel's own lists; changes nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_BLOCK_DEVICES: Final = Path("/sys/dev/block")
_MOUNTS: Final = Path("/proc/self/mountinfo")

#: Where a disk says which one it is, anywhere in the world; a serial number alone is not worth as much.
_IDENTITIES: Final = ("wwid", "device/wwid")


def free_bytes(path: Path) -> int:
    """Measure the room that is left for an account without privileges."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def total_bytes(path: Path) -> int:
    """Measure the size of the file system."""
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize


def failure_domain(path: Path) -> str:
    """Name what is lost together: the disks beneath, through partitions, volumes, arrays and loop devices.

    A file system without a disk of this machine (memory, network) is named by what is mounted.
    """
    device = os.stat(path).st_dev
    numbers = f"{os.major(device)}:{os.minor(device)}"
    disks = _disks(numbers) or _disks_of_mount(numbers)
    return "+".join(sorted(disks)) or f"{_machine()}/{_mounted(numbers)}"


def _disks(numbers: str) -> set[str]:
    device = _BLOCK_DEVICES / numbers
    return _beneath(device.resolve()) if device.exists() else set()


def _disks_of_mount(numbers: str) -> set[str]:
    """Find the disks of file systems that number themselves, such as btrfs."""
    source = Path(_mounted(numbers))
    if not source.is_block_device():
        return set()
    device = source.stat().st_rdev
    return _disks(f"{os.major(device)}:{os.minor(device)}")


def _beneath(device: Path) -> set[str]:
    if (device / "partition").exists():
        return _beneath(device.parent)
    slaves = [slave.resolve() for slave in device.glob("slaves/*")]
    if slaves:
        return set().union(*map(_beneath, slaves))
    backing = _read(device / "loop/backing_file")
    if backing and Path(backing).exists():
        return {failure_domain(Path(backing))}
    return {_identity(device)}


def _identity(disk: Path) -> str:
    known = (_read(disk / place) for place in _IDENTITIES)
    return next(filter(None, known), f"{_machine()}/{disk.name}")


def _mounted(numbers: str) -> str:
    """Look up what is mounted as a file system; its number where nobody says."""
    for line in _MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2] == numbers:
            kind, source, *_ = after.split()
            return source if "/" in source else f"{kind}:{numbers}"
    return numbers


def _machine() -> str:
    """Tell machines apart whose disks have no identity of their own."""
    return _read(Path("/etc/machine-id")) or os.uname().nodename


def _read(path: Path) -> str:
    return path.read_text(errors="replace").strip() if path.is_file() else ""
