"""Make a camera's unit readable as a folder by mounting it: only filesystems that are allowed, never more rights.

This is the part that needs root; a helper process takes it over where the controller is not root.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import FilesystemNotAllowed, MountFailed

#: What a camera may be formatted with, and how it is mounted; never auto-detected.
ALLOWED = {"vfat": ("mount", "-t", "vfat"), "exfat": ("mount", "-t", "exfat"), "ext4": ("mount", "-t", "ext4")}
_EXFAT_IN_USER_SPACE = ("mount.exfat-fuse",)
_RESTRICTIONS = "nosuid,nodev,noexec"
_TIMEOUT_SECONDS = 60


@contextmanager
def mounted(image: Path, filesystem: str, target: Path, *, read_only: bool) -> Iterator[Path]:
    """Mount an image file for the block's time.

    :raises FilesystemNotAllowed: before anything is touched; MountFailed with the tool's words.
    """
    command = _command(filesystem)
    target.mkdir(parents=True, exist_ok=True)
    device = _run("losetup", "--find", "--show", *(["--read-only"] if read_only else []), str(image)).strip()
    try:
        _run(*command, "-o", f"{'ro' if read_only else 'rw'},{_RESTRICTIONS}", device, str(target))
        try:
            yield target
        finally:
            _run("umount", str(target))
    finally:
        _run("losetup", "--detach", device)


def _command(filesystem: str) -> tuple[str, ...]:
    if filesystem not in ALLOWED:
        raise FilesystemNotAllowed(filesystem=filesystem)
    if filesystem == "exfat" and "exfat" not in Path("/proc/filesystems").read_text("ascii"):
        return _EXFAT_IN_USER_SPACE
    return ALLOWED[filesystem]


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_TIMEOUT_SECONDS)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise MountFailed(tool=command[0], reason=error.stderr.strip()[:200]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MountFailed(tool=command[0], reason=str(error)[:200]) from error
    return done.stdout
