"""Where cameras appear: finds those that were docked and gives each its driver. What happens then is ``docking``.

A simulated dock is a folder with a folder for each bay (``bay-01``, ``bay-02``, ...), each a socket as described in
``camera_volume.port``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..camera_volume.port import HostPort
from ..errors import BodywornError
from ..models import Database, Dock, DockKind
from ..services import docks
from .drivers.protocol import DockedCamera
from .drivers.volume import VolumeCamera
from .order_book import OrderBook

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Socket:
    """A bay that can be looked into."""

    bay_id: str
    port: HostPort

    def camera(self, book: OrderBook, scratch: Path) -> DockedCamera | None:
        """Give the camera that stands there, or None."""
        try:
            plug = self.port.state().plug
        except BodywornError as error:
            log.warning("socket %s cannot be read: %s", self.port.bay.name, error.id)
            return None
        return VolumeCamera(self.port, plug, book, scratch / self.bay_id) if plug else None


def local_sockets(database: Database) -> list[Socket]:
    """List the sockets of this controller's docks."""
    with database.read() as session:
        return [socket for dock in docks.local_docks(session) for socket in _sockets(dock)]


def _sockets(dock: Dock) -> Iterator[Socket]:
    if dock.kind is DockKind.SIMULATED:
        for bay in dock.bays:
            yield Socket(bay.id, HostPort(Path(dock.locator) / f"bay-{bay.position:02}"))
