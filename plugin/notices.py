"""What people should hear of before they look, told through the host: overdue cameras, refusals, damage.

Each notice is an event of the chain, told after it was committed. There is a thread for it only where the host takes
notices, and only in the process in which it called ``start()``.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .const import DOMAIN
from .contract import NotifyingHost
from .figures import Figures, zone_named
from .models import Event
from .runtime import Runtime
from .services import history, systems, things
from .services.chain_place import ChainPlace
from .text import translator

_LOG = logging.getLogger(__name__)

#: Events that are told.
TOLD: Final = (
    "camera.overdue",
    "camera.locks-soon",
    "destination.stopped",
    "recording.refused",
    "recording.quarantined",
    "copy.damaged",
    "object.damaged",
    "evidence.finding",
)
_PLACE = "notices"
_LOOK_SECONDS = 1.0
_ENDS_SECONDS = 2.0


@dataclass(frozen=True)
class _Notice:
    name: str
    sentence: str
    #: Page that shows what it is about.
    endpoint: str
    values: dict[str, str]
    chain_id: str
    sequence: int


class Notices:
    """Tells the host of this app. ``start`` and ``stop`` may be called again and again."""

    def __init__(self, runtime: Runtime) -> None:
        """Remember whom to tell; nothing runs yet."""
        self._runtime = runtime
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Tell from now on, where the host takes notices; a second call does nothing."""
        if not self._runtime.host.supports("notify") or (self._thread is not None and self._thread.is_alive()):
            return
        self._stopping = threading.Event()
        # it may be within a host that never comes back, and must not keep the process alive then
        self._thread = threading.Thread(target=self._run, args=(self._stopping,), name="bodyworn-notices", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell no more; what happens meanwhile is told after the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_ENDS_SECONDS)

    def _run(self, stopping: threading.Event) -> None:
        database = self._runtime.database
        place = ChainPlace(database, self._runtime.data_dir / _PLACE, TOLD)
        counter, away = -1, False
        while not stopping.is_set():
            try:
                counter = database.wait_for_change(counter, _LOOK_SECONDS)
                while (found := place.following(_notice)) and not stopping.is_set():
                    self._tell(place, found, stopping)
                away = False
            except (SQLAlchemyError, OSError):
                # there may be no system yet, and what is not told now is told later
                if not away:
                    _LOG.warning("notices wait: database or data folder cannot be used", exc_info=True)
                away = True
                stopping.wait(_LOOK_SECONDS)

    def _tell(self, place: ChainPlace, found: list[_Notice], stopping: threading.Event) -> None:
        host = cast(NotifyingHost, self._runtime.host)
        for notice in found:
            if stopping.is_set():
                return
            try:
                address = host.external_url(f"{DOMAIN}.{notice.endpoint}", **notice.values)
                host.notify(notice.name, notice.sentence, address)
            except Exception:
                # the host's own trouble; the event stays in the audit log, and the next one is told all the same
                _LOG.exception("The host did not take the notice %s", notice.name)
            place.move(notice.chain_id, notice.sequence)


def _notice(session: Session, event: Event) -> _Notice:
    """Say in words what happened to what; no person's language is known here, so it is English."""
    system = systems.find(session)
    figures = Figures(translator("en"), zone_named(system.time_zone if system else "UTC"), datetime.now(UTC))
    thing = things.one(session, event.object_kind, event.object_id)
    about = f"{figures.say(thing.word)} {figures.say(thing.name)}" if thing.name else figures.say(thing.word)
    (line,) = history.lines(session, [event])
    return _Notice(
        event.action,
        f"{about}: {figures.say(line.what)}",
        thing.endpoint or "status",
        dict(thing.values) if thing.endpoint else {},
        event.chain_id,
        event.sequence,
    )
