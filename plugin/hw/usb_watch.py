"""Watches what is plugged in, by udev's events: who stands where now, and whether events come at all.

Monitor first, then enumeration, so that nothing falls between. Facts about disks come with the events themselves,
because those are of one moment; a look at everything now and then mends what was missed. pyudev is imported when
a watch starts and not before: a machine without it can do all but USB.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import NoUdevEvents
from .usb_device import Attached, BlockFacts, Disk, attached_by_rule, attached_usb, block_facts, disks_of

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
#: Events come in swarms; they are taken together once they have been quiet for so long, or gone on for so long.
_QUIET_SECONDS, _SWARM_SECONDS = 0.02, 0.2
_RESCAN_SECONDS = 15.0
_ECHO_EVERY_SECONDS, _ECHO_WITHIN_SECONDS = 60.0, 3.0
#: Writing ``change`` here makes the kernel send an event about a device that nothing happens to.
_ECHO = Path("/sys/devices/virtual/mem/null/uevent")
_UDEV = Path("/run/udev/control")
_RECEIVE_BYTES = 4 * 1024 * 1024


class UsbWatch:
    """One thread hears the events; any other may ask and wait."""

    def __init__(self, source: str = "udev") -> None:
        """``source`` is ``udev``, or ``kernel``: then filesystems are not known."""
        self._source = source
        self._blocks: dict[str, BlockFacts] = {}
        #: Media that a look found and no event has told of yet: sequence number and size.
        self._doubtful: dict[str, tuple[str, int]] = {}
        self._changes: Counter[str] = Counter()
        self._view: Mapping[str, Attached] = {}
        self._changed_at: dict[str, float] = {}
        self._version = 0
        self._told = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard = self._asked = False
        self._asked_at = self._scanned_at = 0.0

    # anybody

    def start(self) -> None:
        """Begin to listen, and look at what is there.

        :raises NoUdevEvents: when this machine cannot listen.
        """
        try:
            import pyudev

            self._context = pyudev.Context()
            self._monitor = pyudev.Monitor.from_netlink(self._context, source=self._source)
            for subsystem in ("block", "usb", "mem"):
                self._monitor.filter_by(subsystem)
            self._monitor.start()
        except (ImportError, OSError) as error:
            raise NoUdevEvents from error
        self._widen()
        self._stopping = os.eventfd(0, os.EFD_CLOEXEC)
        self._ready = select.poll()
        for descriptor in (self._monitor.fileno(), self._stopping):
            self._ready.register(descriptor, select.POLLIN)
        self._scan()
        self._publish()
        self._thread = threading.Thread(target=self._run, name="usb", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._thread is None:
            return
        self._stop.set()
        os.eventfd_write(self._stopping, 1)
        with self._told:
            self._told.notify_all()
        self._thread.join()
        self._thread = None
        os.close(self._stopping)

    @property
    def problem(self) -> NoUdevEvents | None:
        """Say whether events do not come; a machine that only looks notices cameras late, or not at all."""
        if self._heard:
            return None
        if self._asked:
            return NoUdevEvents() if time.monotonic() - self._asked_at > _ECHO_WITHIN_SECONDS else None
        return None if _UDEV.exists() else NoUdevEvents()

    @property
    def version(self) -> int:
        """Counts changes, for :meth:`wait`."""
        return self._version

    def wait(self, seen: int, timeout_seconds: float) -> int:
        """Wait until something has changed since ``seen``, or the time is over; gives the version then."""
        with self._told:
            self._told.wait_for(lambda: self._version != seen or self._stop.is_set(), timeout_seconds)
            return self._version

    def places(self) -> Mapping[str, Attached]:
        """Give what stands where, by place."""
        return self._view

    def at(self, place: str) -> Attached | None:
        """Give what stands in a place."""
        return self._view.get(place)

    def quiet_seconds(self, place: str) -> float:
        """Tell for how long nothing has changed in a place."""
        return time.monotonic() - self._changed_at.get(place, 0.0)

    # the thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception:
                # whatever a device shows, or however it vanishes while it is looked at: the others are still watched
                log.exception("a look at USB devices failed; it is repeated")
                self._scanned_at = 0.0
                self._stop.wait(_POLL_SECONDS)

    def _listen(self) -> None:
        heard = self._take_swarm()
        now = time.monotonic()
        if now - self._asked_at > _ECHO_EVERY_SECONDS:
            self._ask(now)
        if now - self._scanned_at > _RESCAN_SECONDS:
            self._scan()
            heard = True
        if heard:
            self._publish()

    def _take_swarm(self) -> bool:
        self._ready.poll(_POLL_SECONDS * 1000)
        device = self._monitor.poll(timeout=0)
        end = time.monotonic() + _SWARM_SECONDS
        heard = False
        while device is not None:
            heard = self._heard = True
            if device.subsystem == "block":
                self._take(device, device.action)
            if time.monotonic() > end:
                break
            device = self._monitor.poll(timeout=_QUIET_SECONDS)
        return heard

    def _take(self, device: Any, action: str) -> None:
        path = device.sys_path
        facts = block_facts(device) if action != "remove" else None
        if facts is None or not facts.size_bytes or device.properties.get("DISK_MEDIA_CHANGE") == "1":
            self._changes[path] += 1
        if facts is None:
            self._blocks.pop(path, None)
        else:
            self._blocks[path] = facts

    def _scan(self) -> None:
        """Look at everything; what the events told stays unless the kernel says that it is another medium by now."""
        self._scanned_at = time.monotonic()
        found = {device.sys_path: device for device in self._context.list_devices(subsystem="block")}
        for path in self._blocks.keys() - found.keys():
            del self._blocks[path]
        for path, device in found.items():
            if self._is_being_examined(device):
                continue
            facts, known = block_facts(device), self._blocks.get(path)
            if facts is not None and (known is None or self._was_missed(path, known, facts)):
                self._take(device, "change")

    def _was_missed(self, path: str, known: BlockFacts, seen: BlockFacts) -> bool:
        """Tell whether a disk has had another medium since the look before this one, and no event has said so.

        At the first look the event may still be on its way through udev, which then knows more than is seen here.
        """
        if not _is_other_medium(known, seen):
            self._doubtful.pop(path, None)
            return False
        doubtful = (seen.disk_sequence, seen.size_bytes)
        before, self._doubtful[path] = self._doubtful.get(path), doubtful
        return before == doubtful

    def _is_being_examined(self, device: Any) -> bool:
        """Tell whether udev is still finding out what is on a disk: its event will say, and until then nobody knows."""
        return self._source == "udev" and _UDEV.exists() and not device.is_initialized

    def _publish(self) -> None:
        view = {one.place: one for one in self._attached()}
        if view == self._view:
            return
        now = time.monotonic()
        for place in view.keys() | self._view.keys():
            if view.get(place) != self._view.get(place):
                self._changed_at[place] = now
        with self._told:
            self._view, self._version = view, self._version + 1
            self._told.notify_all()

    def _attached(self) -> Iterator[Attached]:
        blocks = list(self._blocks.values())
        for place in {one.place for one in blocks if one.place}:
            yield attached_by_rule(place, self._disks([one for one in blocks if one.place == place]))
        for device in self._context.list_devices(subsystem="usb", DEVTYPE="usb_device"):
            disks = self._disks([one for one in blocks if one.usb_path == device.sys_path and not one.place])
            attached = attached_usb(device, disks)
            if attached is not None:
                yield attached

    def _disks(self, facts: list[BlockFacts]) -> tuple[Disk, ...]:
        """Kernels before 5.15 do not number media; then the events that say so are counted."""
        media = {one.sys_path: one.disk_sequence or f"change {self._changes[one.sys_path]}" for one in facts}
        return disks_of(facts, media)

    # whether events come

    def _ask(self, now: float) -> None:
        """Have the kernel send an event; whether it comes back is what matters."""
        self._asked_at = now
        try:
            _ECHO.write_text("change")
        except OSError:
            self._asked = False
        else:
            self._heard, self._asked = False, True

    def _widen(self) -> None:
        """Make room for a dock full of cameras that come at once; not everybody may."""
        try:
            self._monitor.set_receive_buffer_size(_RECEIVE_BYTES)
        except OSError as error:
            log.info("udev's events have the usual buffer: %s", error)


def _is_other_medium(known: BlockFacts, seen: BlockFacts) -> bool:
    return (known.disk_sequence, known.size_bytes) != (seen.disk_sequence, seen.size_bytes)
