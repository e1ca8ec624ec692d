"""Make a camera's unit readable as a folder by mounting it, and end that again, whatever became of the camera.

Root does it: this process, or the helper, by the socket that ``BODYWORN_HELPER`` names. How, is in ``helper``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from ..errors import BodywornError, EjectFailed, FilesystemNotAllowed, HelperUnreachable, MountingImpossible
from .helper import loops, mounting
from .helper.client import Helper
from .helper.eject import eject_medium
from .helper.filesystems import ALLOWED, VARIABLE, Owner, allowed_filesystems
from .mount_pulse import watched

__all__ = ["ALLOWED", "HELPER_VARIABLE", "VARIABLE", "allowed_filesystems", "eject", "image_mounted", "mounted"]

log = logging.getLogger(__name__)

#: The helper's socket, where this process is not root.
HELPER_VARIABLE: Final = "BODYWORN_HELPER"
#: Images of simulated cameras are our own.
_ALLOWED_FOR_IMAGES = ALLOWED | {"ext4"}


class Hands(Protocol):
    """Whoever does what needs root."""

    def mount(self, device: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Mount a device, and give the folder."""

    def mount_image(self, image: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Mount an image, and give the folder."""

    def unmount(self, target: Path) -> None:
        """Unmount what was mounted for a target; raises MountFailed when it was in use."""

    def abandon(self, target: Path) -> None:
        """Take it away from under everybody who waits for it."""

    def unmount_beneath(self, folder: Path) -> int:
        """Unmount what an earlier run left, and count it."""

    def eject(self, node: str) -> None:
        """Eject the medium of a disk; raises EjectFailed."""


class OwnHands:
    """This process, as root."""

    def mount(self, device: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Mount on the target itself."""
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = Owner(os.geteuid(), os.getegid())
        mounting.mount(Path(os.path.realpath(device)), filesystem, target, owner, read_only=read_only)
        return target

    def mount_image(self, image: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Mount by a loop device that goes with the mount."""
        descriptor = os.open(image, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
        try:
            with loops.attached(descriptor, read_only=read_only) as device:
                return self.mount(device, filesystem, target, read_only=read_only)
        finally:
            os.close(descriptor)

    def unmount(self, target: Path) -> None:
        """Unmount the target."""
        mounting.unmount(target)

    def abandon(self, target: Path) -> None:
        """Take it away from under everybody."""
        mounting.abandon(target)

    def unmount_beneath(self, folder: Path) -> int:
        """Unmount everything beneath a folder."""
        return mounting.unmount_beneath(folder)

    def eject(self, node: str) -> None:
        """Ask the kernel to."""
        try:
            eject_medium(node)
        except OSError as error:
            raise EjectFailed(reason=os.strerror(error.errno or 0)) from error


@contextmanager
def mounted(
    device: Path, filesystem: str, target: Path, *, read_only: bool, allowed: Collection[str] = ALLOWED
) -> Iterator[Path]:
    """Mount a block device for the block's time; gives the folder, which a helper has elsewhere than at ``target``.

    :raises FilesystemNotAllowed: before anything is touched; MountingImpossible; MountFailed with the tool's words.
    """
    if filesystem not in allowed:
        raise FilesystemNotAllowed(filesystem=filesystem or "unknown")
    hands = _hands()
    with _until_unmounted(hands, target, hands.mount(device, filesystem, target, read_only=read_only)) as folder:
        yield folder


@contextmanager
def image_mounted(image: Path, filesystem: str, target: Path, *, read_only: bool) -> Iterator[Path]:
    """Mount an image file of a simulated camera for the block's time; raises as :func:`mounted`."""
    if filesystem not in _ALLOWED_FOR_IMAGES:
        raise FilesystemNotAllowed(filesystem=filesystem or "unknown")
    hands = _hands()
    with _until_unmounted(hands, target, hands.mount_image(image, filesystem, target, read_only=read_only)) as folder:
        yield folder


def eject(node: str) -> None:
    """Hand a unit back to its camera.

    :raises EjectFailed: when it does not let go; MountingImpossible.
    """
    _hands().eject(node)


def unmount_leftovers(folder: Path) -> int:
    """Unmount whatever an earlier run left mounted; gives how many there were. Who may not mount has left nothing."""
    try:
        return _hands().unmount_beneath(folder)
    except (MountingImpossible, HelperUnreachable) as error:
        log.warning("what an earlier run left mounted stays: %s", error)
        return 0


def problem() -> BodywornError | None:
    """Say why no camera could be opened here; quick, for a look now and then."""
    try:
        hands = _hands()
        if isinstance(hands, Helper):
            hands.check()
    except BodywornError as error:
        return error
    return None


def helper() -> Helper | None:
    """Give the helper that is to be asked, if there is to be one."""
    path = os.environ.get(HELPER_VARIABLE)
    return Helper(Path(path)) if path else None


def _hands() -> Hands:
    if (asked := helper()) is not None:
        return asked
    if os.geteuid() != 0:
        raise MountingImpossible
    return OwnHands()


@contextmanager
def _until_unmounted(hands: Hands, target: Path, folder: Path) -> Iterator[Path]:
    try:
        with watched(folder, lambda: hands.abandon(target)):
            yield folder
    finally:
        hands.unmount(target)
