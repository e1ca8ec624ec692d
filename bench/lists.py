"""Large systems: what the Devices page and an open page cost, and how soon a million recordings are searched."""

from __future__ import annotations

import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import crowd
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database
from bodyworn_host import accounts, state
from bodyworn_host.app import create_app
from bodyworn_host.settings import PasswordCost, Settings
from flask.testing import FlaskClient
from measure import Goal, Plan, Row

_ROOT = Path(__file__).resolve().parent.parent
_ROUNDS = 9
_KIB = 1024
_PASSWORD = "bench-of-many-cameras"
#: What people do in a list of recordings: its pages, what they search for (name, number, serial number, day), each
#: filter and each order.
_LOOKS = (
    "",
    "page=2",
    "page=40",
    "q=berger",
    "q=anna+berger&page=2",
    "q=P1234",
    "q=B8A44F0003E8",
    "q=no+such+person",
    "q=2026-03-01",
    "show=underway",
    "show=delivered&page=3",
    "show=refused",
    "show=problem",
    "sort=oldest",
    "sort=user",
    "sort=user&q=berger",
    "sort=camera&page=30",
)

_PAGE_NOTE = (
    "5,000 cameras, 100 docks of 8 bays, 800 cameras docked; the whole answer of the reference host within its process "
    "(WSGI), signed in as an administrator, in CPU time, which is all that it takes once the database is in memory; "
    "the median of {rounds}."
)
_LIVE_NOTE = "CPU time of one answer to an open page where nothing has changed, which it asks for once a second."
_LISTS_NOTE = (
    "{count} recordings of 5,000 cameras in SQLite; the whole page of Recordings for {looks} searches, filters, orders "
    "and pages, each the median of {rounds}; in brackets the quickest and the slowest of them."
)


def rows(plan: Plan) -> Iterator[Row]:
    """Measure all of it on one system."""
    folder = plan.folder / "lists"
    with _site(folder, crowd.Size(recordings=plan.recordings)) as browser:
        yield from _devices(browser)
        yield _recordings(browser, plan.recordings)


def _devices(browser: FlaskClient) -> Iterator[Row]:
    took, size_kib = _look(browser, "/bodyworn/devices")
    note = (_PAGE_NOTE.format(rounds=_ROUNDS),)
    yield Row(
        "Devices page, 5,000 cameras", f"{took:.0f} ms", "", "", took, Goal(80, at_most=True, unit="ms"), notes=note
    )
    yield Row("Its size", f"{size_kib:.0f} KiB", "", "", size_kib, Goal(200, at_most=True, unit="KiB"))
    idle = _idle(browser)
    at_most = Goal(5, at_most=True, unit="ms CPU/s")
    yield Row("An idle open page", f"{idle:.1f} ms/s", "", "", idle, at_most, notes=(_LIVE_NOTE,))


def _recordings(browser: FlaskClient, count: int) -> Row:
    took = sorted(_look(browser, f"/bodyworn/recordings?{look}")[0] for look in _LOOKS)
    median = statistics.median(took)
    note = _LISTS_NOTE.format(count=f"{count:,}", looks=len(_LOOKS), rounds=_ROUNDS)
    shown = f"{median:.0f} ms ({took[0]:.0f}–{took[-1]:.0f})"
    goal = Goal(100, at_most=True, unit="ms")
    return Row(f"Search and page turns, {count:,} recordings", shown, "", "", median, goal, notes=(note,))


def _look(browser: FlaskClient, path: str) -> tuple[float, float]:
    """Open a page several times; gives the median of the CPU time in milliseconds, and its size in KiB."""
    samples = []
    for _ in range(_ROUNDS + 1):
        began = time.process_time()
        answer = browser.get(path)
        samples.append((time.process_time() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} was answered {answer.status}")
    return statistics.median(samples[1:]), len(answer.data) / _KIB


def _idle(browser: FlaskClient) -> float:
    """Ask for the live part as an open page does; gives CPU milliseconds of one answer."""
    headers = {"If-None-Match": browser.get("/bodyworn/fragments/devices").headers["ETag"]}
    began = time.process_time()
    for _ in range(_ROUNDS):
        if browser.get("/bodyworn/fragments/devices", headers=headers).status_code != 304:
            raise RuntimeError("something changed although nobody changed anything")
    return (time.process_time() - began) * 1000 / _ROUNDS


@contextmanager
def _site(folder: Path, size: crowd.Size) -> Iterator[FlaskClient]:
    """Open the reference host with such a system, as somebody who has signed in."""
    database = Database.at(f"sqlite:///{_database_file(folder)}")
    try:
        upgrade(database.engine)
        crowd.fill(database, size)
        database.close()
        app = create_app(Settings(folder, (_ROOT,), password_cost=PasswordCost.QUICK, testing=True))
        state.of(app).loader.migrate()
        with app.app_context():
            accounts.create(state.of(app).passwords, "bench", "administrator", _PASSWORD)
        browser = app.test_client()
        token = re.findall(r'name="csrf_token" value="([^"]*)"', browser.get("/sign-in").text)[-1]
        browser.post("/sign-in", data={"name": "bench", "password": _PASSWORD, "csrf_token": token})
        yield browser
    finally:
        database.close()
        shutil.rmtree(folder)


def _database_file(folder: Path) -> Path:
    (folder / "plugins" / "bodyworn").mkdir(parents=True)
    return folder / "plugins" / "bodyworn" / "bodyworn.db"
