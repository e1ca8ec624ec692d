"""Where cameras appear: the sockets of this controller's docks, simulated or USB, and who stands in each.

What happens with a camera is ``docking``. A simulated dock is a folder with a folder for each bay (``bay-01``,
``bay-02``, ...), each a socket as described in ``camera_volume.port``. A bay of a USB dock is a set of places.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..camera_volume.port import HostPort
from ..errors import BodywornError, NoUdevEvents
from ..models import Database, Dock, DockKind
from ..services import docks, surroundings
from ..services.surroundings import SeenBroken, SeenDevice
from . import mounts
from .drivers.plugged import Surroundings
from .drivers.protocol import DockedCamera
from .drivers.registry import Registry
from .drivers.volume import VolumeCamera
from .order_book import OrderBook
from .ports import SimulatedPort
from .usb_camera import UsbCamera, chooser
from .usb_device import Attached
from .usb_marks import mark_ports
from .usb_place import bus_of
from .usb_port import Eject, UsbPort
from .usb_watch import UsbWatch

log = logging.getLogger(__name__)


class Socket(Protocol):
    """A bay that can be looked into."""

    @property
    def bay_id(self) -> str:
        """Which bay it is."""

    @property
    def bus(self) -> str:
        """What it shares with other bays; its own name where it shares nothing."""

    def camera(self, book: OrderBook, scratch: Path) -> DockedCamera | None:
        """Give the camera that stands there, or None; cheap, asked several times a second."""


@dataclass(frozen=True)
class SimulatedSocket:
    """A bay of a simulated dock."""

    bay_id: str
    port: HostPort

    @property
    def bus(self) -> str:
        """Folders share a disk, which is the same for all of them."""
        return self.bay_id

    def camera(self, book: OrderBook, scratch: Path) -> DockedCamera | None:
        """Give the camera that is plugged in."""
        try:
            plug = self.port.state().plug
        except BodywornError as error:
            log.warning("socket %s cannot be read: %s", self.port.bay.name, error.id)
            return None
        return VolumeCamera(SimulatedPort(self.port, plug, scratch / self.bay_id), book) if plug else None


@dataclass(frozen=True)
class UsbHub:
    """What all USB sockets of this machine share."""

    database: Database
    watch: UsbWatch
    registry: Registry
    eject: Eject


@dataclass(frozen=True)
class UsbSocket:
    """A bay of a USB dock."""

    bay_id: str
    places: tuple[str, ...]
    hub: UsbHub

    @property
    def bus(self) -> str:
        """The host controller's port that it is connected to, directly or through hubs."""
        attached = self._attached()
        return bus_of(attached.place) if attached else self.bay_id

    def camera(self, book: OrderBook, scratch: Path) -> DockedCamera | None:
        """Give what stands in one of the bay's places; what can be no camera says so when it is identified."""
        attached = self._attached()
        if attached is None or _is_empty_reader(attached):
            return None
        port = UsbPort(self.hub.watch, attached, scratch / self.bay_id, self.hub.eject)
        return UsbCamera(port, chooser(book, self.hub.registry, Surroundings.of(self.hub.database, book)))

    def _attached(self) -> Attached | None:
        return next(filter(None, map(self.hub.watch.at, self.places)), None)


class Sockets:
    """The sockets of this controller; watches USB as soon as there is a USB dock, and learns its bays."""

    def __init__(
        self, database: Database, *, watch: Callable[[], UsbWatch] = UsbWatch, eject: Eject = mounts.eject
    ) -> None:
        self._database, self._make_watch, self._eject = database, watch, eject
        self._hub: UsbHub | None = None
        self._deaf: NoUdevEvents | None = None
        self._learning: str | None = None
        self._beneath = ""
        #: Attachments that were there when learning began; they become bays once they are plugged in anew.
        self._before: frozenset[tuple[str, str]] = frozenset()
        self._learned_version = -1
        self._told: tuple[list[SeenDevice], list[SeenBroken]] | None = None
        self._drivers: Registry | None = None

    def local(self) -> Sequence[Socket]:
        """List the sockets as the database has them now."""
        with self._database.read() as session:
            found = docks.local_docks(session)
            if any(dock.kind is DockKind.USB for dock in found):
                self._listen()
            self._note_learning(next((dock for dock in found if dock.learning and dock.kind is DockKind.USB), None))
            if self._hub is not None:
                mark_ports({place for dock in found for bay in dock.bays for place in bay.places})
            return [socket for dock in found for socket in self._sockets(dock)]

    def learn(self) -> None:
        """Make bays of the places in which something has appeared, while a dock is learning."""
        if self._hub is None or self._learning is None or self._hub.watch.version == self._learned_version:
            return
        self._learned_version = self._hub.watch.version
        new = [one for one in self._hub.watch.places().values() if self._is_new(one)]
        if new:
            with self._database.write() as session:
                for one in sorted(new, key=lambda one: one.place):
                    docks.learn_place(session, self._learning, one.place)
            self._before |= {(one.place, one.attachment) for one in new}

    def tell(self) -> None:
        """Write down what stands in which place, whether a bay or not, and which drivers cannot be used."""
        if self._drivers is None:
            return
        places = self._hub.watch.places().values() if self._hub else ()
        broken = [SeenBroken(one.name, one.package, one.reason) for one in self._drivers.broken]
        seen = sorted((_seen(one) for one in places), key=lambda one: one.place), broken
        if seen != self._told:
            with self._database.write() as session:
                surroundings.take_down(session, *seen)
            self._told = seen

    def forget(self) -> None:
        """Write down that nothing is known yet: whatever an earlier run saw may have gone."""
        with self._database.write() as session:
            surroundings.take_down(session, [], [])
        self._told = None

    @property
    def problem(self) -> BodywornError | None:
        """Say why cameras would not be noticed, or not opened."""
        return (self._hub.watch.problem or mounts.problem()) if self._hub else self._deaf

    def close(self) -> None:
        """Stop watching."""
        if self._hub is not None:
            self._hub.watch.stop()

    def _listen(self) -> None:
        if self._hub is not None:
            return
        self._drivers = self._drivers or Registry.load()
        watch = self._make_watch()
        try:
            watch.start()
        except NoUdevEvents as error:
            if self._deaf is None:
                log.warning("%s (%s)", error, error.__cause__)
            self._deaf = error
        else:
            self._hub = UsbHub(self._database, watch, self._drivers, self._eject)
            self._deaf = None

    def _note_learning(self, dock: Dock | None) -> None:
        dock_id = dock.id if dock else None
        if dock_id == self._learning:
            return
        self._learning, self._beneath, self._learned_version = dock_id, dock.locator if dock else "", -1
        present = self._hub.watch.places().values() if self._hub else ()
        self._before = frozenset((one.place, one.attachment) for one in present if not _is_empty_reader(one))

    def _is_new(self, one: Attached) -> bool:
        beneath = not self._beneath or one.place == self._beneath or one.place.startswith(f"{self._beneath}.")
        candidate = one.could_be_camera and not _is_empty_reader(one)
        return beneath and candidate and (one.place, one.attachment) not in self._before

    def _sockets(self, dock: Dock) -> Iterator[Socket]:
        for bay in dock.bays:
            if dock.kind is DockKind.SIMULATED:
                yield SimulatedSocket(bay.id, HostPort(Path(dock.locator) / f"bay-{bay.position:02}"))
            elif self._hub is not None:
                yield UsbSocket(bay.id, tuple(bay.places), self._hub)


def _seen(attached: Attached) -> SeenDevice:
    return SeenDevice(
        place=attached.place,
        name=attached.name,
        foreign_kinds=attached.foreign_kinds,
        could_be_camera=attached.could_be_camera,
        has_disk=bool(attached.disks),
        has_medium=attached.has_medium,
    )


def _is_empty_reader(attached: Attached) -> bool:
    """A device with disks and no medium in any is a card reader that nobody has put a card in."""
    return bool(attached.disks) and not attached.has_medium
