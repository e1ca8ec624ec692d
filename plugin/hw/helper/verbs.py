"""The few things that the helper does, each checked first. A new one is a type in ``wire`` and a line in the table."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ...errors import EjectFailed, FilesystemNotAllowed, HelperRefused
from .. import usb_policy
from . import loops, mounting
from .devices import check_camera_disk
from .eject import eject_medium
from .filesystems import Owner
from .places import make_place, open_image, remove_place
from .wire import (
    Abandon,
    Done,
    Eject,
    Hello,
    Mount,
    MountImage,
    Refusals,
    Request,
    Unmount,
    UnmountAll,
    UsbAdmit,
    UsbAllow,
    UsbDeny,
    UsbRefusal,
)

log = logging.getLogger(__name__)


#: An answer has an end.
_MOST_REFUSALS: Final = 64


@dataclass(frozen=True)
class Remit:
    """What one helper may do; set when it starts, and nothing that a caller says changes it."""

    owner: Owner
    scratch: Path
    filesystems: frozenset[str]
    #: Folders with images of simulated cameras; usually none.
    images: tuple[Path, ...] = ()
    _busy: set[Path] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def usb(self) -> usb_policy.Tree:
        """Give the USB devices, with the mark of the policy where only root can put something."""
        return replace(usb_policy.KERNEL, mark=self.scratch.parent / "usb-guard")

    @contextmanager
    def alone(self, target: Path) -> Iterator[None]:
        """Keep everybody else from one place."""
        with self._lock:
            if target in self._busy:
                raise HelperRefused(reason="another request is at work there")
            self._busy.add(target)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(target)


Verb = Callable[[Remit, Any], Done | Refusals]


def perform(remit: Remit, request: Request) -> Done | Refusals:
    """Do what is asked for; raises an error of ours when that may not be, or fails."""
    verb: Verb = VERBS[type(request)]
    return verb(remit, request)


def _hello(remit: Remit, request: Hello) -> Done:
    return Done(folder=str(remit.scratch))


def _mount(remit: Remit, request: Mount) -> Done:
    with _place(remit, request) as target:
        node = Path(request.device)
        check_camera_disk(node, images=remit.images, ours=remit.scratch)
        mounting.mount(node, request.filesystem, target, remit.owner, read_only=request.read_only)
    return Done(folder=str(target))


def _mount_image(remit: Remit, request: MountImage) -> Done:
    with _place(remit, request) as target, ExitStack() as stack:
        image = open_image(request.image, remit.images, remit.owner.uid, read_only=request.read_only)
        stack.callback(os.close, image)
        node = stack.enter_context(loops.attached(image, read_only=request.read_only))
        mounting.mount(node, request.filesystem, target, remit.owner, read_only=request.read_only)
    return Done(folder=str(target))


def _unmount(remit: Remit, request: Unmount) -> Done:
    target = remit.scratch / request.bay / request.unit
    with remit.alone(target):
        try:
            mounting.unmount(target)
        finally:
            remove_place(target)
    return Done()


def _abandon(remit: Remit, request: Abandon) -> Done:
    """Another request may wait for just this, so it waits for none."""
    mounting.abandon(remit.scratch / request.bay / request.unit)
    return Done()


def _unmount_all(remit: Remit, request: UnmountAll) -> Done:
    return Done(count=mounting.unmount_beneath(remit.scratch))


def _eject(remit: Remit, request: Eject) -> Done:
    check_camera_disk(Path(request.device))
    try:
        eject_medium(request.device)
    except OSError as error:
        raise EjectFailed(reason=os.strerror(error.errno or 0)) from error
    return Done()


def _usb_deny(remit: Remit, request: UsbDeny) -> Done:
    usb_policy.deny(remit.usb)
    return Done()


def _usb_allow(remit: Remit, request: UsbAllow) -> Done:
    usb_policy.allow(remit.usb)
    return Done()


def _usb_admit(remit: Remit, request: UsbAdmit) -> Refusals:
    found = usb_policy.admit(request.places, remit.usb, learning_beneath=request.learning_beneath)
    told = found[:_MOST_REFUSALS]
    return Refusals(tuple(UsbRefusal(one.place, one.attachment, one.name, one.kinds) for one in told))


@contextmanager
def _place(remit: Remit, request: Mount | MountImage) -> Iterator[Path]:
    """Make the folder to mount on; it goes again when that fails."""
    if request.filesystem not in remit.filesystems:
        raise FilesystemNotAllowed(filesystem=request.filesystem)
    with remit.alone(remit.scratch / request.bay / request.unit):
        target = make_place(remit.scratch, request.bay, request.unit)
        try:
            yield target
        except BaseException:
            remove_place(target)
            raise


VERBS: Final[Mapping[type, Verb]] = {
    Hello: _hello,
    Mount: _mount,
    MountImage: _mount_image,
    Unmount: _unmount,
    Abandon: _abandon,
    UnmountAll: _unmount_all,
    Eject: _eject,
    UsbDeny: _usb_deny,
    UsbAllow: _usb_allow,
    UsbAdmit: _usb_admit,
}
