"""A USB socket with a simulated camera in it, within one machine: the kernel's own mass storage function and bus.

It plays the part of the camera's USB controller, as ``loop_dock`` does for loop devices: a unit that the camera exports
becomes the medium of a logical unit, and when the host ejects that, the camera has it again.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.port import HostPort
from bodyworn.errors import CameraGone, UnitAbsent

#: The place of the socket: the bus has no PCI address, for it is no hardware.
PLACE = "dummy_hcd.0/1"
_CONFIGFS = Path("/sys/kernel/config")
_UNITS = (Unit.MEDIA, Unit.CONTROL)
_POLL_SECONDS = 0.05


class GadgetSocket:
    """The socket; cameras are docked into ``bay``, a folder as of a simulated dock."""

    def __init__(self, bay: Path) -> None:
        self._port = HostPort(bay)
        self._folder = _CONFIGFS / "usb_gadget/camera"
        self._function = self._folder / "functions/mass_storage.0"
        self._exported: set[Unit] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gadget", daemon=True)

    def __enter__(self) -> GadgetSocket:
        subprocess.run(["modprobe", "-a", "dummy_hcd", "libcomposite", "usb_f_mass_storage"], check=True)
        if not (_CONFIGFS / "usb_gadget").exists():
            subprocess.run(["mount", "-t", "configfs", "configfs", str(_CONFIGFS)], check=True)
        self._describe()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._bind(False)

    def _describe(self) -> None:
        for folder in ("strings/0x409", "configs/c.1"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        (self._folder / "idVendor").write_text("0x1d6b")
        (self._folder / "idProduct").write_text("0x0104")
        for name, value in (("serialnumber", "GADGET7"), ("manufacturer", "Maker"), ("product", "Bodycam")):
            (self._folder / "strings/0x409" / name).write_text(value)
        self._function.mkdir()
        (self._function / "lun.1").mkdir()
        for unit in _UNITS:
            (self._lun(unit) / "removable").write_text("1")
        (self._lun(Unit.MEDIA) / "ro").write_text("1")
        (self._folder / "configs/c.1/mass_storage.0").symlink_to(self._function)

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            with suppress(UnitAbsent, CameraGone):  # it was pulled out while it was looked at
                self._exchange()

    def _exchange(self) -> None:
        if self._port.state().plug is None:
            self._bind(False)
            self._exported.clear()
            return
        self._take_ejected()
        present = self._port.state().present
        for unit in [unit for unit in _UNITS if unit in present - self._exported]:
            (self._lun(unit) / "file").write_text(str(self._port.path(unit)))
            self._exported.add(unit)
        self._bind(True)

    def _take_ejected(self) -> None:
        """The host has sent START STOP UNIT with "load/eject", and the kernel has closed the file."""
        for unit in [unit for unit in _UNITS if unit in self._exported]:
            if not (self._lun(unit) / "file").read_text().strip():
                self._exported.discard(unit)
                self._port.eject([unit])

    def _bind(self, on: bool) -> None:
        controller = self._folder / "UDC"
        wanted = "dummy_udc.0" if on else ""
        if controller.read_text().strip() != wanted:
            controller.write_text(f"{wanted}\n")
            if not on:
                for unit in _UNITS:
                    (self._lun(unit) / "file").write_text("\n")

    def _lun(self, unit: Unit) -> Path:
        return self._function / f"lun.{_UNITS.index(unit)}"
