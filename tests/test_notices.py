"""What people hear of through their host: each notice once, after it is true, over restarts and a host that fails."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.notices import TOLD, Notices
from bodyworn.runtime import Runtime
from bodyworn.services import events, history, overdue

NOW = datetime.now(UTC)

pytestmark = pytest.mark.feature("CAM-12")


class TakingHost:
    """A host that keeps what it is told."""

    def __init__(self, database):
        self.told, self.fails, self.takes = [], set(), True
        self._database = database

    def supports(self, feature):
        return feature == "notify" and self.takes

    def external_url(self, endpoint, **values):
        return f"https://host.example/{endpoint}" + "".join(f"/{value}" for value in values.values())

    def notify(self, name, sentence, address):
        with self._database.write():
            pass  # waits for ever if a transaction that writes were open
        if name in self.fails:
            raise RuntimeError("no mail today")
        self.told.append((name, sentence, address))


@pytest.fixture
def runtime(tmp_path):
    with seed.open_database(tmp_path) as database:
        with database.write() as session:
            seed.found_system(session, NOW)
            events.record(session, "camera.added", "camera", "x")
        yield Runtime(TakingHost(database), database, tmp_path)


@pytest.fixture
def notices(runtime):
    made = Notices(runtime)
    made.start()
    until(lambda: (runtime.data_dir / "notices").exists())
    yield made
    made.stop()


def until(done, seconds=10.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def refuse(runtime, recording):
    with runtime.database.write() as session:
        events.record(session, "recording.refused", "recording", recording)


def add_overdue(runtime):
    seen = NOW - timedelta(days=20)
    with runtime.database.write() as session:
        camera = seed.add_camera(
            session, NOW, "A1", seed.add_user(session, NOW, "Anna"), last_seen_at=seen, lease_until=None
        )
        overdue.escalate(session, NOW)
        return camera.id


def test_an_overdue_camera_is_told_in_words_with_the_page_that_shows_it(runtime, notices):
    camera_id = add_overdue(runtime)
    until(lambda: runtime.host.told)
    assert runtime.host.told == [
        ("camera.overdue", "Camera A1: Not docked for 20 days", f"https://host.example/bodyworn.camera/{camera_id}")
    ]


def test_what_happens_while_nobody_tells_is_told_after_the_next_start_and_once(runtime, notices):
    refuse(runtime, "first")
    until(lambda: len(runtime.host.told) == 1)
    notices.stop()
    refuse(runtime, "second")
    notices.start()
    until(lambda: len(runtime.host.told) == 2)
    again = Notices(runtime)
    notices.stop()
    again.start()
    refuse(runtime, "third")
    until(lambda: len(runtime.host.told) >= 3)
    again.stop()
    assert ["first" in runtime.host.told[0][1], "second" in runtime.host.told[1][1]] == [True, True]
    assert len(runtime.host.told) == 3


def test_a_host_that_fails_at_one_notice_is_told_the_next(runtime, notices, caplog):
    runtime.host.fails.add("recording.refused")
    refuse(runtime, "first")
    add_overdue(runtime)
    until(lambda: runtime.host.told)
    assert [name for name, _, _ in runtime.host.told] == ["camera.overdue"]
    assert "did not take the notice recording.refused" in caplog.text


def test_what_was_before_and_what_is_no_notice_is_not_told(runtime, notices):
    with runtime.database.write() as session:
        events.record(session, "camera.renamed", "camera", "x", before="a", after="b")
    refuse(runtime, "first")
    until(lambda: runtime.host.told)
    assert [name for name, _, _ in runtime.host.told] == ["recording.refused"]


def test_a_host_that_takes_none_costs_no_thread(runtime):
    runtime.host.takes = False
    Notices(runtime).start()
    assert "bodyworn-notices" not in {thread.name for thread in threading.enumerate()}


def test_every_notice_has_its_words():
    assert set(TOLD) <= history.sentences().keys()
