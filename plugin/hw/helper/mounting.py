"""Mounting and unmounting, by whoever is root: of the type that is said, with few rights, and bounded in time.

The type is always said, so neither the kernel nor a tool guesses by what a camera wrote on its disk. The kernel's own
filesystems come first, programs in user space (FUSE) where the kernel lacks one.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...errors import MountFailed
from .filesystems import KINDS, Owner, Program, common_options, kernel_options, program_for, program_options
from .tools import run

log = logging.getLogger(__name__)

_BUSY_SECONDS, _AGAIN_SECONDS = 2.0, 0.05
#: Within this time a program in user space has written what it still had.
_PROGRAM_SECONDS = 10.0
_FORCE, _DETACH = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)
_PROGRAMS: Final = {kind.program.name for kind in KINDS.values() if kind.program}
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class MountPoint:
    """A line of the kernel's table of mounts."""

    #: Of the device, as ``8:17``.
    number: str
    path: str


def mount_points() -> list[MountPoint]:
    """List what is mounted, in the order of mounting."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    return [MountPoint(fields[2], _unescaped(fields[4])) for fields in (line.split(" ") for line in lines)]


def is_mounted(target: Path) -> bool:
    """Tell whether something is mounted on a folder; the folder itself is not touched."""
    return any(point.path == str(target) for point in mount_points())


def mount(device: Path, filesystem: str, target: Path, owner: Owner, *, read_only: bool) -> None:
    """Mount a device on a folder, both trusted paths.

    :raises MountFailed: with the tool's words; nothing is mounted then.
    """
    own = kernel_options(filesystem, owner, read_only=read_only)
    try:
        # -i: the kernel's filesystem of this name and no program of that name
        run("mount", "-i", "-t", filesystem, "-o", own, str(device), str(target))
    except MountFailed as error:
        program = program_for(filesystem)
        if program is None:
            raise
        log.debug("the kernel does not mount %s (%s); %s does", filesystem, error.values["reason"], program.name)
        _mount_by_program(program, device, target, owner, read_only=read_only)


def unmount(target: Path) -> None:
    """Unmount; what stays in use, of a camera that was pulled out above all, goes as soon as it is not.

    A process that another thread is just starting has a copy of every open file for a moment, so it is tried for a
    while. It returns when everything that was written is with the device.

    :raises MountFailed: when it was in use, or did not answer: then nothing may be handed back to the camera.
    """
    programs = list(_programs_of(target))
    try:
        try:
            _unmount_unless_busy(target)
        except MountFailed:
            abandon(target)
            raise
        _wait_for(programs)
    finally:
        for descriptor in programs:
            os.close(descriptor)


def abandon(target: Path) -> None:
    """Take a mount away from under everybody: whoever waits for a program in user space gets an error.

    No process is started for it, because one that is just starting closes every open file, and would wait as well.
    """
    programs = list(_programs_of(target))
    if _libc.umount2(os.fsencode(target), _FORCE | _DETACH):
        log.info("%s was not mounted any more: %s", target, os.strerror(ctypes.get_errno()))
    for descriptor in programs:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


def unmount_beneath(folder: Path) -> int:
    """Unmount, lazily, whatever an earlier run left mounted beneath a folder; gives how many there were."""
    beneath = os.path.realpath(folder) + "/"
    left = [point.path for point in mount_points() if point.path.startswith(beneath)]
    for path in reversed(left):
        run("umount", "--no-canonicalize", "--lazy", path)
    return len(left)


def _mount_by_program(program: Program, device: Path, target: Path, owner: Owner, *, read_only: bool) -> None:
    """Mount in user space, and have the kernel hold the options: not every program passes on all that it is told."""
    held = ",".join(("remount", "bind", *common_options(read_only)))
    try:
        run(program.name, "-o", program_options(program, owner, read_only=read_only), str(device), str(target))
        run("mount", "-i", "-o", held, str(target))
    except MountFailed:
        with suppress(MountFailed):
            unmount(target)
        raise


def _unmount_unless_busy(target: Path) -> None:
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            # the folder itself is never asked: who is mounted there may not answer
            run("umount", "--no-canonicalize", str(target))
        except MountFailed as error:
            if "busy" not in str(error.values["reason"]) or time.monotonic() > end:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def _programs_of(target: Path) -> Iterator[int]:
    """Open a process descriptor of each program of root's that has mounted a folder in user space."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            is_one = os.path.basename(os.fsdecode(words[0])) in _PROGRAMS and os.fsencode(target) in words
            if is_one and folder.stat().st_uid == os.geteuid():
                yield os.pidfd_open(int(folder.name))
        except OSError:
            continue  # it has just ended


def _wait_for(programs: list[int]) -> None:
    """Programs may still write after the mount is gone; the device is whole when they have ended."""
    end = time.monotonic() + _PROGRAM_SECONDS
    for descriptor in programs:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(max(0.0, end - time.monotonic()) * 1000):
            raise MountFailed(tool="umount", reason="the program that mounted it does not end")


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), path)
