"""A camera that comes loose for a moment stays docked, and is asked again who it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from bodyworn.camera_volume.port import HostPort
from bodyworn.errors import CameraInterrupted
from bodyworn.hw.drivers.volume import VolumeCamera
from bodyworn.hw.order_book import OrderBook
from bodyworn.hw.ports import SimulatedPort
from bodyworn.hw.sockets import SimulatedSocket, Socket, Sockets
from bodyworn.models import BayState
from rig_parts import event_actions
from running_station import Station

pytest_plugins = ["fixtures_rig"]


class LoosePort(SimulatedPort):
    """A socket whose camera comes loose when it is told to, and is back at once."""

    begun = 0
    loose = False

    def begin(self) -> None:
        LoosePort.loose = False
        super().begin()
        LoosePort.begun += 1

    def ensure_connected(self) -> None:
        super().ensure_connected()
        if LoosePort.loose:
            raise CameraInterrupted


class LooseSocket:
    """A simulated bay with such a socket."""

    def __init__(self, bay_id: str, port: HostPort) -> None:
        self.bay_id, self.bus, self._port = bay_id, bay_id, port

    def camera(self, book: OrderBook, scratch: Path) -> VolumeCamera | None:
        plug = self._port.state().plug
        return VolumeCamera(LoosePort(self._port, plug, scratch), book) if plug else None


class LooseSockets(Sockets):
    """Simulated docks with such sockets."""

    def local(self) -> Sequence[Socket]:
        return [LooseSocket(one.bay_id, one.port) for one in super().local() if isinstance(one, SimulatedSocket)]


@pytest.mark.feature("CAM-1")
def test_a_camera_that_came_loose_is_asked_again_and_stays_docked(station: Station) -> None:
    camera = station.camera()
    LoosePort.begun, LoosePort.loose = 0, False
    with station.running(sockets=LooseSockets(station.database)):
        camera.dock(station.bay())
        station.add(camera)
        station.wait(lambda: station.bay_state() is BayState.READY)
        (known,) = station.known(camera.serial)
        since = station.bay_row().docked_at
        assert LoosePort.begun == 1
        LoosePort.loose = True
        station.wait(lambda: LoosePort.begun == 2)
        station.wait(lambda: station.bay_state() is BayState.READY)
        assert (station.bay_row().camera_id, station.bay_row().docked_at) == (known.id, since)
        actions = event_actions(station.database, known.id)
        assert (actions.count("camera.docked"), actions.count("camera.undocked")) == (1, 0)
