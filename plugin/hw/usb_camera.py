"""A device in a USB socket, until it is known which driver it needs, and from then on.

A device shows itself bit by bit: interfaces, disks, media, filesystems. So its driver is found when it is identified,
and found anew whenever it came loose in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from ..errors import UsbDeviceRefused
from ..services.cameras import SeenCamera
from .drivers.plugged import PluggedDisk, Surroundings
from .drivers.protocol import DockedCamera, Erasure, Outcome, Receipted, RecordingSource, Wishes
from .drivers.registry import Registry
from .drivers.volume import VolumeCamera
from .order_book import OrderBook
from .usb_device import Attached
from .usb_port import UsbPort

#: Finds the driver for what stands there now.
Choose = Callable[[UsbPort], DockedCamera]


class UsbCamera:
    """Answers through the driver that was found."""

    def __init__(self, port: UsbPort, choose: Choose) -> None:
        self._port, self._choose = port, choose
        self._found: DockedCamera | None = None

    def identify(self) -> SeenCamera:
        """Wait until it has shown itself, find its driver, and ask who it is.

        :raises UsbDeviceRefused: when it is more than a disk; NeverADisk when it is less.
        """
        self._port.begin()
        self._port.wait_until_shown()
        self._found = self._choose(self._port)
        return self._found.identify()

    def synchronise(self, wishes: Wishes) -> Outcome:
        """Tell it what is wanted, and hear what it did."""
        return self._camera.synchronise(wishes)

    def recordings(self) -> AbstractContextManager[RecordingSource]:
        """Open its recordings for reading."""
        return self._camera.recordings()

    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        """Lock recordings for this controller while it copies."""
        return self._camera.claim(camera_recording_ids)

    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        """Leave a receipt for recordings that are stored."""
        return self._camera.acknowledge(stored)

    def erase(self, erasures: Sequence[Erasure]) -> tuple[str, ...]:
        """Have recordings deleted."""
        return self._camera.erase(erasures)

    def facts(self) -> SeenCamera:
        """Give what the camera said at its last turn."""
        return self._camera.facts()

    def is_there(self) -> bool:
        """Tell whether it stands there, or came loose only a moment ago."""
        return self._port.is_there()

    def ensure_connected(self) -> None:
        """Raise CameraGone, or CameraInterrupted when it came loose since it was identified."""
        self._port.ensure_connected()

    @property
    def _camera(self) -> DockedCamera:
        assert self._found is not None, "a camera is identified first"
        return self._found


def chooser(book: OrderBook, registry: Registry, surroundings: Surroundings) -> Choose:
    """Give what finds a device's driver."""

    def choose(port: UsbPort) -> DockedCamera:
        attached = port.attached
        if attached.foreign_kinds:
            raise UsbDeviceRefused(name=attached.name, kinds=", ".join(attached.foreign_kinds))
        if is_volume_camera(attached):
            return VolumeCamera(port, book)
        return registry.camera(_plugged(port), surroundings)

    return choose


def is_volume_camera(attached: Attached) -> bool:
    """Tell whether its units are those of the open format: by their labels, or because there is a second one."""
    labelled = any(disk.label.upper().startswith("BWC-") for disk in attached.disks)
    return labelled or any(disk.lun == 1 and disk.medium for disk in attached.disks)


def _plugged(port: UsbPort) -> PluggedDisk:
    attached, disk = port.attached, port.first_disk()
    return PluggedDisk(
        mount=port.first_disk_opened,
        is_there=port.is_there,
        vendor_id=attached.vendor_id,
        product_id=attached.product_id,
        usb_serial=attached.serial,
        manufacturer=attached.manufacturer,
        product=attached.model,
        filesystem=disk.filesystem,
        filesystem_uuid=disk.filesystem_uuid,
        label=disk.label,
    )
