"""What a host's accounts do stands in the same chain as everything else."""

from __future__ import annotations

import logging

import pytest
from bodyworn.models import Event
from bodyworn.services import events, host_events
from hosting import host_app, loader_of
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]


def written(database) -> list[Event]:
    with database.read() as session:
        assert list(events.check(session)) == []
        return list(session.scalars(select(Event).order_by(Event.sequence)))


def test_an_event_of_the_host_says_who_did_what_from_where(database):
    host_events.record(database, "account.signed-in", "root", "192.0.2.7", "account", "root", "done", role="viewer")
    (event,) = written(database)
    assert (event.action, event.actor, event.address) == ("account.signed-in", "root", "192.0.2.7")
    assert (event.object_kind, event.object_id, event.result) == ("account", "root", "done")
    assert event.detail == {"role": "viewer"}


def test_the_address_is_that_of_one_event_alone(database):
    events.from_address("192.0.2.1")
    host_events.record(database, "account.signed-in", "root", "192.0.2.7", "account", "root")
    with database.write() as session:
        events.record(session, "camera.added", "camera", "c", actor="root")
    events.from_address("")
    assert [event.address for event in written(database)] == ["192.0.2.7", "192.0.2.1"]


def test_what_a_stranger_types_as_a_name_is_kept_as_far_as_it_fits(database):
    typed = "x\0y\ud800" + "z" * 500
    host_events.record(database, "account.sign-in-refused", typed, "::1", "account", typed, "refused", name=typed)
    (event,) = written(database)
    assert event.actor == event.object_id == ("xy?" + "z" * 500)[:100]


@pytest.mark.parametrize("action", ["recording.delivered", "accounting", "events.exported", ""])
def test_a_host_cannot_speak_for_the_plugin(database, action):
    with pytest.raises(ValueError, match="an action of the host"):
        host_events.record(database, action, "root", "", "recording", "r")
    assert written(database) == []


def test_the_loader_hands_on_what_its_accounts_did(tmp_path):
    app = host_app(tmp_path)
    loader_of(app).record("account.signed-in", "root", "192.0.2.7", "account", "root", role="viewer")
    last = written(app.extensions["bodyworn"].database)[-1]
    assert (last.action, last.actor, last.address, last.result) == ("account.signed-in", "root", "192.0.2.7", "done")


def test_a_plugin_that_cannot_write_it_down_does_not_stop_the_host(tmp_path, caplog):
    app = host_app(tmp_path, with_accounts=False)
    with caplog.at_level(logging.ERROR):
        loader_of(app).record("nonsense", "root", "192.0.2.7", "account", "root")
    assert "did not write down: nonsense by root from 192.0.2.7" in caplog.text
