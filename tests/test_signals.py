"""What the controller process tells other packages, and that nobody waits for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
import seed
from bodyworn import signals
from bodyworn.models import PackageFault
from bodyworn.services import events, history
from bodyworn.supervise import DATABASE_VARIABLE
from hosting import ROOT
from integrator_parts import install
from sqlalchemy import select

pytest_plugins = ["fixtures_integrators"]
pytestmark = pytest.mark.feature("HST-3")
WAIT_SECONDS = 20.0


def wait_for(found):
    deadline = time.monotonic() + WAIT_SECONDS
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_every_signal_is_an_event_that_is_written():
    source = "\n".join(path.read_text() for path in (ROOT / "plugin" / "services").glob("*.py"))
    for signal in signals.SIGNALS:
        prefix, _, state = signal.partition(".")
        assert f'"{signal}"' in source.replace(f'f"{prefix}.{{state}}"', f'"{prefix}.{state}"'), signal
        assert signal in history._ACTIONS, signal


def deliver(site):
    with site.database.write() as session:
        events.record(session, "recording.delivered", "recording", site.ids.delivered, container="c")


def delivered():
    with sys.modules["someones_inventory"].inventory() as opened:
        return [row[0] for row in opened.execute("SELECT recording FROM delivery")]


def test_the_controller_process_tells_the_example(example):
    data_dir = example.app.extensions["bodyworn"].data_dir
    place = data_dir / "signals" / "someones-inventory"
    url = example.database.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, DATABASE_VARIABLE: url, "PYTHONPATH": str(example.folder / "site")}
    command = [sys.executable, "-P", str(ROOT / "plugin" / "launch.py"), "controller", "--data-dir", str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        wait_for(place.exists)
        deliver(example)
        wait_for(lambda: delivered() == [example.ids.delivered])
        process.stdin.close()
        process.wait(WAIT_SECONDS)


@pytest.fixture
def told(tmp_path, packages, patch):
    """A database, a package whose receivers note what they are told, and the noting of it."""
    code = (
        "import threading\nNOTED = []\nHELD = threading.Event()\n"
        "def note(happened):\n    NOTED.append(happened)\n"
        "def fail(happened):\n    NOTED.append(happened)\n    raise KeyError(happened.object_id)\n"
        "def hang(happened):\n    HELD.wait(60)\n"
    )

    def installed(name, **points):
        target = {signal.replace("_", "."): f"{name.replace('-', '_')}:{value}" for signal, value in points.items()}
        install(packages, patch, name, code, {signals.GROUP: target})

    with seed.open_database(tmp_path) as database:
        ids = seed.seed(database)
        yield SimpleNamespace(database=database, folder=tmp_path, ids=ids, install=installed)


def module_of(name):
    return sys.modules[name]


def test_a_receiver_is_told_in_order_what_happens_from_its_first_day_on(told):
    told.install("noting", recording_delivered="note", camera_docked="note")
    deliver(told)
    with signals.telling(told.database, told.folder):
        wait_for((told.folder / "signals" / "noting").exists)
        with told.database.write() as session:
            events.record(session, "camera.docked", "camera", "C1", actor="system", bay="Bay 1")
            events.record(session, "camera.undocked", "camera", "C1", bay="Bay 1")
            events.record(session, "recording.delivered", "recording", "R1")
        noted = module_of("noting").NOTED
        wait_for(lambda: len(noted) == 2)
    assert [(one.signal, one.object_id) for one in noted] == [("camera.docked", "C1"), ("recording.delivered", "R1")]
    assert noted[0].detail == {"bay": "Bay 1"}
    assert noted[0].at.tzinfo is not None


def test_what_happened_while_nobody_told_is_told_afterwards_and_once(told):
    told.install("noting", recording_delivered="note")
    with signals.telling(told.database, told.folder):
        wait_for((told.folder / "signals" / "noting").exists)
    deliver(told)
    for _ in range(2):
        with signals.telling(told.database, told.folder):
            wait_for(lambda: len(module_of("noting").NOTED) == 1)
    assert len(module_of("noting").NOTED) == 1


def test_nothing_is_told_that_was_not_kept(told):
    told.install("noting", recording_delivered="note")
    with signals.telling(told.database, told.folder):
        wait_for((told.folder / "signals" / "noting").exists)
        with suppress(RuntimeError), told.database.write() as session:
            events.record(session, "recording.delivered", "recording", "never")
            raise RuntimeError
        deliver(told)
        wait_for(lambda: module_of("noting").NOTED)
    assert [one.object_id for one in module_of("noting").NOTED] == [told.ids.delivered]


def test_a_receiver_that_fails_or_hangs_is_named_and_the_others_are_told(told, patch, caplog):
    patch.setattr(signals, "_SLOW_SECONDS", 0.2)
    patch.setattr(signals, "_ENDS_SECONDS", 0.1)
    told.install("failing", recording_delivered="fail")
    told.install("hanging", recording_delivered="hang")
    told.install("noting", recording_delivered="note")
    told.install("misspelt", recording_deliverd="note")
    with signals.telling(told.database, told.folder):
        for name in ("failing", "hanging", "noting"):
            wait_for((told.folder / "signals" / name).exists)
        for _ in range(3):
            deliver(told)
        wait_for(lambda: len(module_of("noting").NOTED) == 3 == len(module_of("failing").NOTED))
        wait_for(lambda: named(told) == {"failing", "hanging", "misspelt"})
    module_of("hanging").HELD.set()
    logged = [record.getMessage() for record in caplog.records if record.name == "bodyworn.services.hooks"]
    assert sorted(re.search(r"package (\w+)", text).group(1) for text in logged) == ["failing", "hanging", "misspelt"]


def named(told):
    with told.database.read() as session:
        return set(session.scalars(select(PackageFault.package)))


def test_nobody_who_writes_waits_for_a_receiver(told, patch):
    patch.setattr(signals, "_ENDS_SECONDS", 0.1)
    told.install("hanging", recording_delivered="hang")
    with signals.telling(told.database, told.folder):
        wait_for((told.folder / "signals" / "hanging").exists)
        deliver(told)
        began = time.monotonic()
        for _ in range(20):
            deliver(told)
        assert time.monotonic() - began < 5
    module_of("hanging").HELD.set()


def test_a_package_that_was_removed_begins_anew(told, patch):
    told.install("noting", recording_delivered="note")
    with signals.telling(told.database, told.folder):
        wait_for((told.folder / "signals" / "noting").exists)
    with signals.telling(told.database, told.folder, found=()):
        assert list((told.folder / "signals").iterdir()) == []


def test_without_receivers_there_is_neither_thread_nor_folder(told):
    before = threading.active_count()
    with signals.telling(told.database, told.folder, found=()):
        assert threading.active_count() == before
    assert not (told.folder / "signals").exists()
