"""Disks that can be broken: files behind loop devices, mounted where nobody else sees it, and gone with this process.

Needs root. What is broken, and when, is for the tiers.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_LOOP_CONTROL: Final = Path("/dev/loop-control")
_LOOP_GET_FREE: Final = 0x4C82
_LOOP_REMOVE: Final = 0x4C81
_LOOP_CONFIGURE: Final = 0x4C0A
#: struct loop_config: file, block size, then loop_info64 (five longs, four words of which the last are the flags).
_LOOP_CONFIG: Final = struct.Struct("=II 5Q 4I 160x 16x 64x")
_READ_ONLY, _GOES_WITH_ITS_LAST_USER, _PAST_THE_CACHE = 1, 4, 16
#: Loop devices that the kernel keeps anyway.
_USUAL_LOOPS: Final = 8
_FS_IOC_SHUTDOWN: Final = 0x8004587D
_WITHOUT_FLUSHING_THE_LOG: Final = struct.pack("I", 2)
_BLKFLSBUF: Final = 0x1261
_MS_RDONLY: Final = 1
#: The highest exit code of fsck that says that all is well now.
_MENDED: Final = 2
_BUSY_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 0.02
_TRIES: Final = 50
_MAKE: Final = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard"),
    "xfs": ("mkfs.xfs", "-q", "-f", "-K"),
    "exfat": ("mkfs.exfat", "-q"),
}

_libc = ctypes.CDLL(None, use_errno=True)


def unavailable(*tools: str) -> str | None:
    """Say why disks cannot be made here; None if they can."""
    if os.geteuid():
        return "mounting needs root"
    if not _LOOP_CONTROL.exists():
        return "there are no loop devices here"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [tool for tool in ("unshare", *tools) if shutil.which(tool, path=path) is None]
    if missing:
        return f"missing: {', '.join(missing)}"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
    return "mount namespaces cannot be made here" if done.returncode else None


def alone(command: Sequence[str]) -> list[str]:
    """Give the command that runs another with mounts and processes of its own: all of them end with it."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *command]


@contextmanager
def attached(file: Path, *, read_only: bool = False, direct: bool = False) -> Iterator[Path]:
    """Put a file behind a loop device; the kernel takes it away when nobody has it open or mounted any more.

    ``direct`` goes past the memory that the file itself would be kept in.
    """
    flags = _GOES_WITH_ITS_LAST_USER | (_READ_ONLY if read_only else 0) | (_PAST_THE_CACHE if direct else 0)
    backing = os.open(file, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
    try:
        number, device = _attach(backing, flags, read_only)
    finally:
        os.close(backing)
    try:
        yield _node(number)
    finally:
        os.close(device)
        _forget(number)


@dataclass
class Disk:
    """A file system in an image file, mounted at a folder while :meth:`inserted`."""

    image: Path
    folder: Path
    filesystem: str
    #: What is mounted; set while it is attached.
    device: Path | None = field(default=None, init=False)
    mounted: bool = field(default=False, init=False)

    @classmethod
    def make(cls, beneath: Path, filesystem: str, size_bytes: int) -> Disk:
        """Make an empty one; nothing of its size is taken until it is written to."""
        beneath.mkdir(parents=True, exist_ok=True)
        disk = cls(beneath / "disk.img", beneath / "disk", filesystem)
        disk.folder.mkdir()
        with disk.image.open("xb") as file:
            file.truncate(size_bytes)
        run(*_MAKE[filesystem], str(disk.image))
        return disk

    @contextmanager
    def inserted(self) -> Iterator[Path]:
        """Attach and mount for the block's time."""
        with attached(self.image) as device, self.inserted_as(device) as folder:
            yield folder

    @contextmanager
    def inserted_as(self, device: Path) -> Iterator[Path]:
        """Mount from a device that shows the image, whatever stands between the two."""
        self.device = device
        self.mount()
        try:
            yield self.folder
        finally:
            if self.mounted:
                self.unmount()
            self.device = None

    def mount(self) -> None:
        """Mount, which replays the journal."""
        assert self.device is not None, "attach it first"
        mount(self.device, self.folder, self.filesystem)
        self.mounted = True

    def unmount(self) -> None:
        """Unmount; waits for processes that are just ending."""
        unmount(self.folder)
        self.mounted = False

    def cut_power(self) -> None:
        """Drop everything that has not reached the disk; whatever follows fails until it is mounted again."""
        cut_power(self.folder)


def cut_power(folder: Path) -> None:
    """Let the file system of a folder lose its power: what is in memory and in its log's buffers is gone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _FS_IOC_SHUTDOWN, _WITHOUT_FLUSHING_THE_LOG)
    finally:
        os.close(descriptor)


def mount(device: Path, folder: Path, filesystem: str, *, read_only: bool = False) -> None:
    """Mount by the kernel itself."""
    flags = _MS_RDONLY if read_only else 0
    if _libc.mount(os.fsencode(device), os.fsencode(folder), filesystem.encode(), flags, None):
        raise _error(folder)


def unmount(folder: Path) -> None:
    """Unmount; tried again while something that is ending has it in use."""
    end = time.monotonic() + _BUSY_SECONDS
    while _libc.umount2(os.fsencode(folder), 0):
        error = _error(folder)
        if error.errno != errno.EBUSY or time.monotonic() > end:
            raise error
        time.sleep(_AGAIN_SECONDS)


def check(device: Path, filesystem: str) -> None:
    """Do what a start does before it mounts: read the disk itself, and mend what errors have left half written."""
    descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _BLKFLSBUF)
    finally:
        os.close(descriptor)
    if filesystem == "ext4":  # the log of xfs is replayed by its mount
        done = subprocess.run(["fsck.ext4", "-y", str(device)], capture_output=True, text=True)
        if done.returncode > _MENDED:
            raise RuntimeError(f"{device} cannot be mended: {done.stdout} {done.stderr}")


def run(*command: str) -> str:
    """Run a tool and give what it says; raises RuntimeError with its complaint."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _attach(backing: int, flags: int, read_only: bool) -> tuple[int, int]:
    """Take a free device; another process may be quicker."""
    config = _LOOP_CONFIG.pack(backing, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags)
    for _ in range(_TRIES):
        number = _control(_LOOP_GET_FREE, 0)
        device = os.open(_node(number), (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
        try:
            fcntl.ioctl(device, _LOOP_CONFIGURE, config)
        except OSError as error:
            os.close(device)
            if error.errno != errno.EBUSY:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return number, device
    raise TimeoutError("no loop device became free")


def _forget(number: int) -> None:
    """Let the kernel forget a device that was made for us, if nobody else has taken it meanwhile."""
    if number < _USUAL_LOOPS:
        return
    try:
        _control(_LOOP_REMOVE, number)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENODEV):
            raise


def _control(request: int, number: int) -> int:
    descriptor = os.open(_LOOP_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(descriptor, request, number)
    finally:
        os.close(descriptor)


def _node(number: int) -> Path:
    return Path(f"/dev/loop{number}")


def _error(folder: Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), str(folder))
