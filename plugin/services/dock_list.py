"""Docks in pages, and all of them on one line each, for systems that have more than a page can draw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Bay, BayState, Controller, Dock
from .devices import DockView, State, bay_state, docks
from .paging import Page, page_of
from .sentence import LOUDNESS

#: A bay takes its time to draw and has its weight; 100 docks at once would be a page of a megabyte.
DOCKS_A_PAGE = 4

#: Bays by what is going on in them, and whether they wait for a turn.
_Counts = Counter[tuple[BayState, bool]]


@dataclass(frozen=True)
class DockLine:
    """A dock in the overview."""

    id: str
    name: str
    controller: str
    #: Number of the page on which it is drawn.
    page: int
    #: What a person should see first of its bays, and in how many of them; None for a dock without bays.
    state: State | None
    count: int
    camera_count: int
    bay_count: int


@dataclass(frozen=True)
class DockList:
    """One page of docks, and the way to the others."""

    page: Page[DockView]
    #: Empty when one page holds all.
    lines: Sequence[DockLine]


def dock_list(session: Session, now: datetime, number: int) -> DockList:
    """Draw one page of docks, by controller and position; a number past the end gives the last page."""
    ordered = select(Dock.id, Dock.name, Controller.name).join(Controller, Controller.id == Dock.controller_id)
    ordered = ordered.order_by(Controller.name, Dock.position, Dock.id)
    found = [(dock_id, name, controller) for dock_id, name, controller in session.execute(ordered)]
    page = page_of(found, number, DOCKS_A_PAGE)
    drawn = docks(session, now, [dock_id for dock_id, _, _ in page.rows])
    lines = _lines(session, found) if page.pages > 1 else []
    return DockList(Page(drawn, page.total, page.number, page.size), lines)


def _lines(session: Session, found: Sequence[tuple[str, str, str]]) -> list[DockLine]:
    counts, cameras = _states(session), _cameras(session)
    return [
        _line(dock, index // DOCKS_A_PAGE + 1, counts[dock[0]], cameras.get(dock[0], 0))
        for index, dock in enumerate(found)
    ]


def _line(dock: tuple[str, str, str], page: int, counts: _Counts, camera_count: int) -> DockLine:
    dock_id, name, controller = dock
    first = min(counts, key=lambda one: (LOUDNESS.index(_state(one).tone), -counts[one]), default=None)
    state, count = (_state(first), counts[first]) if first else (None, 0)
    return DockLine(dock_id, name, controller, page, state, count, camera_count, counts.total())


def _state(bay: tuple[BayState, bool]) -> State:
    return bay_state(bay[0], waiting=bay[1])


def _states(session: Session) -> Mapping[str, _Counts]:
    """Count the bays of each dock by what is going on in them."""
    counts: dict[str, _Counts] = defaultdict(Counter)
    query = select(Bay.dock_id, Bay.state, Bay.waiting, func.count()).group_by(Bay.dock_id, Bay.state, Bay.waiting)
    for dock_id, state, waiting, count in session.execute(query):
        counts[dock_id][state, waiting] += count
    return counts


def _cameras(session: Session) -> Mapping[str, int]:
    query = select(Bay.dock_id, func.count()).where(Bay.camera_id.is_not(None)).group_by(Bay.dock_id)
    return {str(dock_id): int(count) for dock_id, count in session.execute(query)}
