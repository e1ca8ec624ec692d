"""Make a camera's unit readable as a folder by mounting it: only filesystems that are allowed, never more rights.

The type is always said, so neither the kernel nor a tool guesses by what a camera wrote on its disk. The kernel's own
filesystems come first, programs in user space (FUSE) where the kernel lacks one. This is the part that needs root.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import FilesystemNotAllowed, MountFailed

log = logging.getLogger(__name__)

#: What a camera may be formatted with. Richer filesystems trust what they read far more.
ALLOWED = frozenset({"vfat", "exfat"})
#: More of them, by name and with commas between, for cameras that cannot do otherwise.
VARIABLE = "BODYWORN_FILESYSTEMS"
#: Images of simulated cameras are our own.
_ALLOWED_FOR_IMAGES = ALLOWED | {"ext4"}
_RESTRICTIONS = ("nosuid", "nodev", "noexec")
_TIMEOUT_SECONDS = 60
_BUSY_SECONDS, _AGAIN_SECONDS = 2.0, 0.05
#: Tools get nothing of our environment: no secrets, no preloaded libraries, no translated messages.
#: Cameras write local time without a zone; programs in user space take it for the zone that they are told here.
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class _Kind:
    """How a filesystem is mounted beside what all have in common."""

    options: tuple[str, ...] = ()
    read_only_options: tuple[str, ...] = ()
    #: Program that mounts it in user space.
    helper: str | None = None


_KINDS: Mapping[str, _Kind] = {
    "vfat": _Kind(options=("errors=remount-ro", "tz=UTC", "utf8")),
    "exfat": _Kind(options=("errors=remount-ro", "iocharset=utf8"), helper="mount.exfat-fuse"),
    "ext4": _Kind(options=("errors=remount-ro",), read_only_options=("noload",)),
}


def allowed_filesystems() -> frozenset[str]:
    """Give what cameras may be formatted with here."""
    more = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return ALLOWED | {name for name in more if re.fullmatch(r"[a-z0-9]{1,16}", name)}


@contextmanager
def mounted(
    device: Path, filesystem: str, target: Path, *, read_only: bool, allowed: Collection[str] = ALLOWED
) -> Iterator[Path]:
    """Mount a block device for the block's time.

    :raises FilesystemNotAllowed: before anything is touched; MountFailed with the tool's words.
    """
    if filesystem not in allowed:
        raise FilesystemNotAllowed(filesystem=filesystem or "unknown")
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    _mount(Path(os.path.realpath(device)), filesystem, target, read_only=read_only)
    try:
        yield target
    finally:
        unmount(target)


@contextmanager
def image_mounted(image: Path, filesystem: str, target: Path, *, read_only: bool) -> Iterator[Path]:
    """Mount an image file of a simulated camera for the block's time; raises as :func:`mounted`."""
    if filesystem not in _ALLOWED_FOR_IMAGES:
        raise FilesystemNotAllowed(filesystem=filesystem or "unknown")
    device = _run("losetup", "--find", "--show", *(["--read-only"] if read_only else []), str(image)).strip()
    try:
        with mounted(Path(device), filesystem, target, read_only=read_only, allowed=_ALLOWED_FOR_IMAGES) as folder:
            yield folder
    finally:
        _run("losetup", "--detach", device)


def unmount(target: Path) -> None:
    """Unmount; what stays in use, of a camera that was pulled out above all, goes as soon as it is not.

    A process that another thread is just starting has a copy of every open file for a moment, so it is tried for a
    while.

    :raises MountFailed: when it was in use: then nothing may be handed back to the camera.
    """
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            _run("umount", str(target))
        except MountFailed as error:
            if "busy" in str(error.values["reason"]) and time.monotonic() < end:
                time.sleep(_AGAIN_SECONDS)
                continue
            _run("umount", "--lazy", str(target))
            raise
        else:
            return


def unmount_leftovers(folder: Path) -> int:
    """Unmount whatever an earlier run left mounted beneath a folder; gives how many there were."""
    beneath = os.path.realpath(folder) + "/"
    left = [point for point in _mount_points() if point.startswith(beneath)]
    for point in reversed(left):
        _run("umount", "--lazy", point)
    return len(left)


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    return [_ESCAPED.sub(lambda match: chr(int(match[1], 8)), line.split(" ")[4]) for line in lines]


def _mount(device: Path, filesystem: str, target: Path, *, read_only: bool) -> None:
    kind = _KINDS.get(filesystem, _Kind())
    common = ("ro" if read_only else "rw", *_RESTRICTIONS)
    own = (*common, *kind.options, *(kind.read_only_options if read_only else ()))
    try:
        # -i: the kernel's filesystem of this name and no program of that name
        _run("mount", "-i", "-t", filesystem, "-o", ",".join(own), str(device), str(target))
    except MountFailed as error:
        helper = _helper(filesystem, kind)
        if helper is None:
            raise
        log.debug("the kernel does not mount %s (%s); %s does", filesystem, error.values["reason"], helper)
        _run(helper, "-o", ",".join(common), str(device), str(target))
        _restrict(target, common)


def _restrict(target: Path, options: tuple[str, ...]) -> None:
    """Have the kernel hold the options: not every program in user space passes on all that it is told."""
    try:
        _run("mount", "-i", "-o", ",".join(("remount", "bind", *options)), str(target))
    except MountFailed:
        unmount(target)
        raise


def _helper(filesystem: str, kind: _Kind) -> str | None:
    """Find the program in user space; none is needed where the kernel has the filesystem and said no."""
    if kind.helper is None or f"\t{filesystem}\n" in Path("/proc/filesystems").read_text("ascii"):
        return None
    return shutil.which(kind.helper, path=_ENVIRONMENT["PATH"])


def _run(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments as they are, no shell
            command, capture_output=True, text=True, check=True, timeout=_TIMEOUT_SECONDS, env=_ENVIRONMENT
        )
    except subprocess.CalledProcessError as error:
        raise MountFailed(tool=command[0], reason=error.stderr.strip()[:200]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MountFailed(tool=command[0], reason=str(error)[:200]) from error
    return done.stdout
