"""Signals: what happens, told to functions of other packages (entry points ``bodyworn.signals``).

Each signal is an event of the chain, told after it was committed, by the controller process of the machine on which it
happened: so there is one teller, pages and transfers never wait for a receiver, and nothing is told that was not kept.
Every package has a thread and a place in the chain of its own: one that hangs holds up nobody else, and after a
restart it goes on where it was. An event may be told twice, when the process died in between.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .models import Database, Event
from .services import hooks, integrations
from .services.chain_place import ChainPlace
from .services.hooks import Faults, Hook

log = logging.getLogger(__name__)

GROUP: Final = "bodyworn.signals"
#: Every signal, and when it is sent.
SIGNALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "system.founded": "The setup of a new system was finished.",
        "system.restored": "The setup of a system that was brought back from its master key was finished.",
        "camera.new": "A camera was docked for the first time; it does not belong to the system yet.",
        "camera.added": "Somebody added a camera to the system.",
        "camera.docked": "A camera was docked.",
        "camera.undocked": "A camera was taken out of its bay.",
        "camera.assigned": "A camera was assigned to somebody, or taken from its user.",
        "camera.overdue": "A camera was not docked for two weeks.",
        "camera.locks-soon": "A camera that was not docked locks itself within a week.",
        "recording.stored": "All clips of a recording are verified on the controller.",
        "recording.delivered": "A recording is complete at the content destination, each object confirmed.",
        "recording.refused": "The destination refused a recording for good; it is kept here.",
        "recording.quarantined": "Two contents claim to be the same recording; both are kept.",
        "recording.erased": "The camera says that it erased a recording, which had been permitted.",
        "container.completed": "The receiver of this host took in a whole recording.",
        "copy.damaged": "A copy on the controller is not what was stored.",
        "object.damaged": "Something that the receiver of this host keeps is not what was stored.",
        "evidence.finding": "A check of everything found something that is not as it was.",
        "destination.connected": "A content destination was connected.",
        "destination.okay": "The destination works again.",
        "destination.waiting": "The destination cannot be used at the moment; it is tried again.",
        "destination.stopped": "The destination is left alone until somebody mends it.",
    }
)

#: A receiver that needs longer is named as slow; it is waited for all the same.
_SLOW_SECONDS = 10.0
_FOLDER = "signals"
_LOOK_SECONDS = 1.0
_ENDS_SECONDS = 2.0


@dataclass(frozen=True)
class Happened:
    """An event, as a receiver is given it."""

    #: One of ``SIGNALS``.
    signal: str
    at: datetime
    #: The host's id of whoever did it; ``system`` for what the system did by itself.
    actor: str
    #: What it happened to, as ``recording`` and its id.
    object_kind: str
    object_id: str
    #: ``done``, or the id of the error.
    result: str
    #: Plain values; which ones is seen in the audit log. Later versions may add some.
    detail: Mapping[str, Any]
    #: Both together name the event for ever; a receiver that must not act twice remembers them.
    chain_id: str
    sequence: int


Receiver = Callable[[Happened], object]


@contextmanager
def telling(database: Database, data_dir: Path, found: Iterable[EntryPoint] | None = None) -> Iterator[None]:
    """Tell receivers what happens, for the block's time. ``found`` takes the place of the installation's."""
    faults = Faults()
    receivers: dict[str, list[Hook]] = defaultdict(list)
    for hook in hooks.load(GROUP, _check, faults, found):
        receivers[hook.package].append(hook)
    for fault in faults.due(datetime.now(UTC)):
        receivers.setdefault(fault.package, [])
    places = {data_dir / _FOLDER / quote(package, safe=""): of_one for package, of_one in receivers.items()}
    _forget_removed(data_dir / _FOLDER, places)
    tellers = [_Teller(database, faults, of_one, place) for place, of_one in places.items()]
    for teller in tellers:
        teller.start()
    try:
        yield
    finally:
        for teller in tellers:
            teller.stop()


def _check(point: EntryPoint, value: object) -> None:
    if point.name not in SIGNALS:
        raise ValueError(f"there is no signal {point.name}")
    if not callable(value):
        raise TypeError("it is no function")


def _forget_removed(folder: Path, installed: Container[Path]) -> None:
    """Forget where packages stood that are gone, so that they begin anew should they come back."""
    with suppress(OSError):
        for place in folder.iterdir():
            if place not in installed:
                place.unlink()


class _Teller:
    """Tells one package what happens, in a thread of its own."""

    def __init__(self, database: Database, faults: Faults, receivers: Sequence[Hook], place: Path) -> None:
        self._database, self._faults, self._receivers = database, faults, receivers
        self._place = ChainPlace(database, place, {hook.name for hook in receivers})
        self._stop = threading.Event()
        # it may be within a receiver that never comes back, and must not keep the process alive then
        self._thread = threading.Thread(target=self._run, name=f"signals {place.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_ENDS_SECONDS)

    def _run(self) -> None:
        counter, away = -1, False
        while not self._stop.is_set():
            try:
                counter = self._database.wait_for_change(counter, _LOOK_SECONDS)
                self._tell_new()
                away = False
            except (SQLAlchemyError, OSError, ValueError):
                # the tables may not be there yet, and what is not told now is told later
                if not away:
                    log.warning("signals wait: database or data folder cannot be used", exc_info=True)
                away = True
                self._stop.wait(_LOOK_SECONDS)

    def _tell_new(self) -> None:
        while (found := self._place.following(_happened)) and not self._stop.is_set():
            for happened in found:
                if self._stop.is_set():
                    return
                self._tell(happened)
                self._place.move(happened.chain_id, happened.sequence)
        integrations.tell(self._database, self._faults)

    def _tell(self, happened: Happened) -> None:
        for hook in self._receivers:
            if hook.name == happened.signal:
                hangs = threading.Timer(_SLOW_SECONDS, self._hangs, (hook,))
                hangs.daemon = True
                hangs.start()
                with hook.guarded(_SLOW_SECONDS):
                    hook.value(happened)
                hangs.cancel()

    def _hangs(self, hook: Hook) -> None:
        hook.failed(f"it has not come back for {_SLOW_SECONDS:.0f} s")
        integrations.tell(self._database, self._faults)


def _happened(_session: Session, event: Event) -> Happened:
    return Happened(
        signal=event.action,
        at=event.at,
        actor=event.actor,
        object_kind=event.object_kind,
        object_id=event.object_id,
        result=event.result,
        detail=MappingProxyType(dict(event.detail)),
        chain_id=event.chain_id,
        sequence=event.sequence,
    )
