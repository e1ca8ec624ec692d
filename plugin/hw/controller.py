"""The controller: watches sockets, sees each docked camera through, sends what is stored, and says that it is alive.

It runs in a process of its own (``bodyworn controller``) or, for headless transfers, in threads of another one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ..errors import BodywornError
from ..migrations.run import check_head
from ..models import Database
from ..services import docks, systems
from ..services.keyring import Keyring
from . import auditor, housekeeping, sealing
from .docking import Docking
from .faults import Hook, no_fault
from .forecast import Forecast, Forecaster
from .lock import only_controller
from .mounts import unmount_leftovers
from .sockets import Socket, Sockets
from .uploader import Uploader
from .usb_guard import UsbGuard
from .workshop import RESERVE_BYTES, Workshop

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_AGAIN_SECONDS = 1.0
_WRITE_DOWN_SECONDS = 1.0
_HEARTBEAT_SECONDS = 5.0
#: Pages say to the minute when it was heard of.
_HEARD_SECONDS = 60.0
_HOUSEKEEPING_SECONDS = 600.0


class Controller:
    """One controller on one data folder.

    ``uploads`` is how many recordings travel at a time, whatever pages say; ``reserve_bytes`` is what stays free on
    the spool's disk.
    """

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        *,
        hook: Hook = no_fault,
        uploads: int | None = None,
        reserve_bytes: int = RESERVE_BYTES,
        sockets: Sockets | None = None,
        audit_bytes_per_second: float = auditor.BYTES_PER_SECOND,
    ) -> None:
        self._database, self._data_dir, self._hook = database, data_dir, hook
        self._sockets = sockets or Sockets(database)
        self._guard = UsbGuard(database)
        self._uploads, self._reserve_bytes = uploads, reserve_bytes
        self._audit_bytes_per_second = audit_bytes_per_second
        self._forecaster = Forecaster()
        self._dockings: dict[str, tuple[Docking, threading.Thread]] = {}
        #: What pages heard last of how it is, and when.
        self._seen: tuple[object, ...] = ()
        self._heard = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set.

        :raises ControllerRunning: when another one is at work on this data folder; DatabaseOutdated, NoSystem.
        """
        check_head(self._database.engine)
        with only_controller(self._data_dir):
            shop = self._open()
            sealing.clear_leftovers(shop)
            self._limit(shop)
            uploader = Uploader(shop, lambda: shop.parallel_uploads)
            checking = auditor.Auditor(shop, self._data_dir, self._audit_bytes_per_second)
            shop.bell.start()
            checking.start()
            uploader.start()
            try:
                self._watch(shop, stop)
            finally:
                checking.stop()
                self._close(shop, uploader)
                housekeeping.sign_chain(shop, at_once=True)

    def _open(self) -> Workshop:
        keyring = Keyring(self._data_dir / "keys")
        shop = Workshop.on(self._database, keyring, self._data_dir, hook=self._hook, reserve_bytes=self._reserve_bytes)
        left = shop.spool.sweep_parts()
        log.info("controller starts; %d unfinished copies of an earlier run removed", left)
        return shop

    def _watch(self, shop: Workshop, stop: threading.Event) -> None:
        unmount_leftovers(shop.scratch)
        sockets = self._sockets.local()
        self._clear(sockets)
        counter, written, beaten, cleared = shop.bell.counter, 0.0, 0.0, 0.0
        while not stop.wait(_LOOK_SECONDS):
            if shop.bell.counter != counter:
                counter, sockets = shop.bell.counter, self._sockets.local()
                self._limit(shop)
            self._guard.attend(counter)
            self._sockets.learn()
            self._sockets.tell()
            self._attend(shop, sockets)
            now = time.monotonic()
            if now - written >= _WRITE_DOWN_SECONDS:
                written = now
                shop.board.write_down(self._database, self._forecast(shop))
            if now - beaten >= _HEARTBEAT_SECONDS:
                beaten = now
                self._beat(shop)
                housekeeping.sign_chain(shop)
            if now - cleared >= _HOUSEKEEPING_SECONDS:
                cleared = now
                housekeeping.clear(shop)
                housekeeping.escalate(shop)

    def _attend(self, shop: Workshop, sockets: Sequence[Socket]) -> None:
        """Give every camera that has appeared a docking of its own, and forget those that ended."""
        for socket in sockets:
            known = self._dockings.get(socket.bay_id)
            if known is not None and known[1].is_alive():
                continue
            camera = socket.camera(shop.book, shop.scratch)
            if camera is None:
                self._dockings.pop(socket.bay_id, None)
                continue
            docking = Docking(shop, socket.bay_id, camera, socket.bus)
            thread = threading.Thread(target=_run, args=(docking,), name=f"bay-{socket.bay_id[:8]}", daemon=True)
            self._dockings[socket.bay_id] = (docking, thread)
            thread.start()

    def _clear(self, sockets: Sequence[Socket]) -> None:
        """Whatever an earlier run left in the bays is over; cameras that stand there are seen anew."""
        with self._database.write() as session:
            for socket in sockets:
                docks.empty(session, socket.bay_id)

    def _beat(self, shop: Workshop) -> None:
        """Say that it works. Pages are drawn anew for that once a minute, or when there is something else to see."""
        seen = (shop.lacks_room, self._sockets.problem, self._guard.problem)
        heard = seen != self._seen or time.monotonic() - self._heard >= _HEARD_SECONDS
        if heard:
            self._seen, self._heard = seen, time.monotonic()
        with self._database.write(heard=heard) as session:
            controller = systems.local_controller(session)
            controller.heartbeat_at = datetime.now(UTC)
            controller.spool_free_bytes = shop.spool.free_bytes()
            controller.spool_total_bytes = shop.spool.total_bytes()
            if not shop.lacks_room:
                controller.intake_stopped_at = None
            elif controller.intake_stopped_at is None:
                controller.intake_stopped_at = controller.heartbeat_at
            problem = self._sockets.problem or self._guard.problem
            controller.problem_id = problem.id if problem else None

    def _limit(self, shop: Workshop) -> None:
        """Take over how many transfers there may be at a time."""
        with self._database.read() as session:
            limits = systems.limits(session)
        shop.parallel_uploads = limits.uploads if self._uploads is None else self._uploads
        if shop.turns.limit != limits.offloads:
            shop.turns.limit = limits.offloads

    def _forecast(self, shop: Workshop) -> dict[str, Forecast]:
        lines = shop.turns.lines()
        for line in lines:
            if line.active:
                line.bytes_per_second = shop.board.rate(line.bay_id) or line.bytes_per_second
        return self._forecaster.look([line.place() for line in lines], shop.turns.limit)

    def _close(self, shop: Workshop, uploader: Uploader) -> None:
        for docking, _ in self._dockings.values():
            docking.stop()
        shop.turns.close()
        shop.bell.stop()
        uploader.stop()
        for _, thread in self._dockings.values():
            thread.join(timeout=10)
        self._sockets.close()


def _run(docking: Docking) -> None:
    try:
        docking.run()
    except (BodywornError, SQLAlchemyError):
        log.exception("a docking ended early; the camera is taken up again")
        # What ended it may last, as a full disk under the database does; without a pause it would be met all the time.
        time.sleep(_AGAIN_SECONDS)
