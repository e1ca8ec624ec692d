"""More docks than a page can draw: pages of them, and all on one line each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import seed
from bodyworn.models import Bay, BayState, Belonging, Camera, Controller, Dock, DockKind
from bodyworn.services import camera_list
from bodyworn.services.dock_list import DOCKS_A_PAGE, dock_list
from sqlalchemy import select

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)

pytestmark = pytest.mark.feature("CAM-10")


@pytest.fixture
def database(tmp_path):
    with seed.open_database(tmp_path) as opened:
        seed.seed(opened, NOW)
        yield opened


def add_docks(database, count, *states):
    with database.write() as session:
        controller = session.scalars(select(Controller)).one()
        for number in range(2, count + 2):
            dock = Dock(
                controller_id=controller.id, name=f"Dock {number}", kind=DockKind.USB, locator="", position=number
            )
            dock.bays = [Bay(position=place, name=f"Bay {place}", state=state) for place, state in enumerate(states)]
            session.add(dock)


def listed(database, number=1):
    with database.read() as session:
        return dock_list(session, NOW, number)


def test_a_few_docks_are_all_drawn_and_need_no_overview(database):
    add_docks(database, DOCKS_A_PAGE - 1)
    found = listed(database)
    assert (len(found.page.rows), found.lines) == (DOCKS_A_PAGE, [])


def test_of_many_docks_a_page_is_drawn_and_every_one_has_a_line_that_leads_to_its_page(database):
    add_docks(database, 2 * DOCKS_A_PAGE)
    last = listed(database, 99)
    name = f"Dock {2 * DOCKS_A_PAGE + 1}"
    assert [dock.name for dock in last.page.rows] == [name]
    assert [line.name for line in last.lines if line.page == 3] == [name]
    assert [dock.id for dock in listed(database, 2).page.rows] == [line.id for line in last.lines if line.page == 2]


def test_a_line_tells_what_needs_somebody_first_and_in_how_many_bays(database):
    add_docks(database, DOCKS_A_PAGE, BayState.READY, BayState.READY, BayState.NEW, BayState.LOCKED, BayState.LOCKED)
    seeded, other = listed(database).lines[:2]
    assert (seeded.state.word.one, seeded.count, seeded.camera_count, seeded.bay_count) == ("Problem", 1, 6, 8)
    assert (other.state.word.one, other.count, other.camera_count, other.bay_count) == ("Locked", 2, 0, 5)


def test_a_dock_without_bays_has_a_line_without_a_state(database):
    add_docks(database, DOCKS_A_PAGE)
    assert listed(database).lines[-1].state is None


def test_of_many_new_cameras_the_first_are_listed_and_all_are_counted(database):
    add_docks(database, 60, BayState.NEW)
    with database.write() as session:
        for number, bay in enumerate(session.scalars(select(Bay).where(Bay.camera_id.is_(None), Bay.state == "new"))):
            bay.camera_id = seed.add_camera(session, NOW, f"X{number}", belonging=Belonging.NEW).id
        total = len(session.scalars(select(Camera).where(Camera.belonging == Belonging.NEW)).all())
    with database.read() as session:
        found = camera_list.new_cameras(session)
    assert (len(found.rows), found.total) == (50, total) == (50, 61)
