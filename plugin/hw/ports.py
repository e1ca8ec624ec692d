"""The socket that a volume camera stands in, whatever it is made of: units come, are opened, and are handed back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from ..camera_volume.documents import Unit
from ..camera_volume.port import HostPort, Plug, UnitKind
from ..errors import CameraGone
from . import mounts


class Port(Protocol):
    """One docking of one camera. Every method but ``is_there`` may raise CameraGone or CameraInterrupted."""

    def is_there(self) -> bool:
        """Tell whether it stands there, or was there so recently that it may only have come loose; cheap."""

    def ensure_connected(self) -> None:
        """Raise CameraGone, or CameraInterrupted when it came loose since ``begin``."""

    def begin(self) -> None:
        """Take the camera as it is connected now; who it is must be found out after this."""

    def wait_until_present(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Wait until the host has the units; raises TurnTimedOut."""

    def turn(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Hand units over, all of them closed, and wait until they are back; raises TurnTimedOut."""

    def opened(self, unit: Unit, *, read_only: bool) -> AbstractContextManager[Path]:
        """Give a unit's folder for the block's time."""


class SimulatedPort:
    """A bay of a simulated dock: units are folders, or images that are mounted beneath ``scratch``."""

    def __init__(self, port: HostPort, plug: Plug, scratch: Path) -> None:
        self._port, self._plug, self._scratch = port, plug, scratch

    def is_there(self) -> bool:
        """Tell whether the plug that was seen first is still in."""
        return self._port.state().plug == self._plug

    def ensure_connected(self) -> None:
        """Raise CameraGone when it is not; simulated plugs do not come loose."""
        if not self.is_there():
            raise CameraGone

    def begin(self) -> None:
        """Raise CameraGone when it is not there any more."""
        self.ensure_connected()

    def wait_until_present(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Wait until the units are in the bay's ``host`` folder."""
        self._port.wait_until_present(units, self._plug, timeout_seconds)

    def turn(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Move the units to the bay's ``camera`` folder, and wait until the camera has put them back."""
        self._port.turn(units, timeout_seconds)

    @contextmanager
    def opened(self, unit: Unit, *, read_only: bool) -> Iterator[Path]:
        """Give the folder, or mount the image."""
        path = self._port.path(unit)
        if self._plug.kind is UnitKind.FOLDER:
            yield path
            return
        with mounts.image_mounted(path, self._plug.filesystem, self._scratch / unit, read_only=read_only) as target:
            yield target
