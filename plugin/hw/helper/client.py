"""The controller's end of the helper's socket; raises the errors that the helper met, as if it had been in-process."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Final

from ...errors import BodywornError, HelperRefused, HelperUnreachable, describe
from . import wire

log = logging.getLogger(__name__)

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

    def _ask(self, request: wire.Request, patience_seconds: float = _PATIENCE_SECONDS) -> wire.Done:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(patience_seconds)
                connection.connect(str(self._path))
                wire.send(connection, request)
                answer = wire.receive_answer(connection)
        except OSError as error:
            log.warning("the helper does not answer at %s: %s", self._path, error)
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
