"""The controller's end of the helper's socket; raises the errors that the helper met, as if it had been in-process."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from ...errors import BodywornError, HelperRefused, HelperUnreachable, describe
from ..usb_policy import Refusal
from . import wire

#: The helper bounds what it does; this is for one that does not answer at all.
_PATIENCE_SECONDS: Final = 120.0
_HELLO_SECONDS: Final = 2.0


class Helper:
    """Asks a helper; any thread may. Of a ``target`` the two last names count, for the folder above is the helper's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Raise HelperUnreachable or HelperRefused when it would not do anything for us."""
        self._ask(wire.Hello(), _HELLO_SECONDS)

    def mount(self, device: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Have a disk mounted; gives the folder."""
        bay, unit = target.parts[-2:]
        request = wire.Mount(os.path.realpath(device), filesystem, bay, unit, read_only)
        return Path(self._ask(request).folder)

    def mount_image(self, image: Path, filesystem: str, target: Path, *, read_only: bool) -> Path:
        """Have an image mounted; gives the folder."""
        bay, unit = target.parts[-2:]
        request = wire.MountImage(os.path.realpath(image), filesystem, bay, unit, read_only)
        return Path(self._ask(request).folder)

    def unmount(self, target: Path) -> None:
        """Have it unmounted."""
        bay, unit = target.parts[-2:]
        self._ask(wire.Unmount(bay, unit))

    def abandon(self, target: Path) -> None:
        """Have it taken away from under everybody."""
        bay, unit = target.parts[-2:]
        self._ask(wire.Abandon(bay, unit))

    def unmount_beneath(self, folder: Path) -> int:
        """Have everything unmounted that an earlier run left; the folder is the helper's own."""
        return self._ask(wire.UnmountAll()).count

    def eject(self, node: str) -> None:
        """Have the medium of a disk ejected; raises EjectFailed."""
        self._ask(wire.Eject(node))

    def deny(self) -> None:
        """Have new USB devices come up switched off."""
        self._ask(wire.UsbDeny())

    def allow(self) -> None:
        """Have that taken back."""
        self._ask(wire.UsbAllow())

    def admit(self, places: Collection[str], learning_beneath: str | None) -> Sequence[Refusal]:
        """Have storage in these places switched on; gives what else is off."""
        answer = self._answer(wire.UsbAdmit(tuple(places), learning_beneath), _PATIENCE_SECONDS)
        found = answer.found if isinstance(answer, wire.Refusals) else ()
        return [Refusal(one.place, one.attachment, one.name, one.kinds) for one in found]

    def _ask(self, request: wire.Request, patience_seconds: float = _PATIENCE_SECONDS) -> wire.Done:
        answer = self._answer(request, patience_seconds)
        return answer if isinstance(answer, wire.Done) else wire.Done()

    def _answer(self, request: wire.Request, patience_seconds: float) -> wire.Done | wire.Refusals:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(patience_seconds)
                connection.connect(str(self._path))
                wire.send(connection, request)
                answer = wire.as_answer(wire.receive(connection))
        except OSError as error:
            raise HelperUnreachable from error
        if isinstance(answer, wire.Failed):
            raise _error(answer)
        return answer


def _error(failed: wire.Failed) -> BodywornError:
    kind = describe(failed.error_id)
    try:
        return kind(**failed.values)
    except (KeyError, IndexError):  # of another version, whose values it does not have
        return HelperRefused(reason=failed.error_id)
