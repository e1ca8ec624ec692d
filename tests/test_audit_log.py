"""The audit log: who did what, filtered, a page at a time, and taken away as a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import seed
from bodyworn.crypto.keys import SigningKey
from bodyworn.models import Database, Event
from bodyworn.services import audit_export, audit_log, events, things
from bodyworn.services.audit_log import AuditQuery, Cursor, Outcome, Topic, Who
from hosting import host_app, signed_in
from rig_parts import add_bay, add_camera, found_system
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]
pytestmark = pytest.mark.feature("SYS-10")

UTC_ZONE = ZoneInfo("UTC")


def write(database: Database, *lines: dict[str, Any]) -> None:
    """Record events; each line says what differs from an ordinary one."""
    for line in lines:
        facts = {"action": "camera.renamed", "object_kind": "camera", "object_id": "c"} | line
        address, at = facts.pop("address", ""), facts.pop("at", None)
        with events.coming_from(address), database.write() as session:
            event = events.record(
                session, facts.pop("action"), facts.pop("object_kind"), facts.pop("object_id"), **facts
            )
            event.at = at or event.at


def read(database: Database, zone: ZoneInfo = UTC_ZONE, **filters: Any) -> list[str]:
    """Give the objects of the events that a filter shows."""
    with database.read() as session:
        page = audit_log.page(session, AuditQuery(**filters), zone)
    return [line.thing.id for line in page.lines]


def test_events_of_people_and_of_the_system_are_told_apart(database: Database) -> None:
    write(database, {"object_id": "a"}, {"object_id": "b", "actor": "olga"}, {"object_id": "c", "actor": "root"})
    assert read(database) == ["c", "b", "a"]
    assert read(database, who=Who.PEOPLE) == ["c", "b"]
    assert read(database, who=Who.SYSTEM) == ["a"]
    assert read(database, who=Who.ONE, actor="olga") == ["b"]
    with database.read() as session:
        assert audit_log.people(session) == {"olga": "olga", "root": "root"}


def test_a_person_is_named_as_they_were_called_when_identifiers_are_no_names(database: Database) -> None:
    events.in_name_of("17", "Olga Berg")
    write(database, {"object_id": "other", "actor": "18"})
    with database.write() as session:
        events.record(session, "camera.added", "camera", "c", actor="17")
    events.from_address("")
    assert read(database, text="olga") == read(database, who=Who.ONE, actor="17") == ["c"]
    with database.read() as session:
        assert audit_log.people(session) == {"17": "Olga Berg", "18": "18"}
        lines = audit_log.page(session, AuditQuery(), UTC_ZONE).lines
    assert [(line.event.actor, line.event.detail) for line in lines] == [("Olga Berg", []), ("18", [])]


def test_days_are_those_of_the_system(database: Database) -> None:
    for hour in (22, 23):
        write(database, {"object_id": f"at {hour}", "at": datetime(2026, 3, 1, hour, 30, tzinfo=UTC)})
    berlin = ZoneInfo("Europe/Berlin")
    assert read(database, berlin, since=date(2026, 3, 2)) == ["at 23"]
    assert read(database, berlin, until=date(2026, 3, 1)) == ["at 22"]
    assert read(database, UTC_ZONE, since=date(2026, 3, 1), until=date(2026, 3, 1)) == ["at 23", "at 22"]


@pytest.mark.parametrize(
    ("topic", "shown"),
    [(Topic.ACCOUNTS, ["account"]), (Topic.CAMERAS, ["user", "camera"]), (Topic.SYSTEM, ["new", "system"])],
)
def test_each_kind_of_thing_belongs_to_a_topic(database: Database, topic: Topic, shown: list[str]) -> None:
    for kind in ("account", "camera", "dock", "system", "user", "recording", "new"):
        write(database, {"object_kind": kind, "object_id": kind})
    assert read(database, topic=topic) == shown


def test_what_was_refused_or_failed_is_found(database: Database) -> None:
    write(database, {}, {"object_id": "r", "result": "refused"}, {"object_id": "p", "result": "store-damaged"})
    assert read(database, outcome=Outcome.OTHERWISE) == ["p", "r"]
    assert read(database, outcome=Outcome.DONE) == ["c"]


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:DB8::7", "OLGA", "C%_\\"])
def test_a_search_finds_names_addresses_and_what_happened_as_they_are_written(database: Database, text: str) -> None:
    write(database, {"object_id": "other", "action": "dock.added", "actor": "root", "address": "192.0.27"})
    address = "2001:db8::7" if ":" in text else "192.0.2.7"
    write(database, {"object_id": "c%_\\", "actor": "olga", "address": address})
    assert read(database, text=text) == ["c%_\\"]
    assert read(database, text=text + "x") == []


def test_a_search_finds_a_camera_by_its_name_and_by_its_serial_number(database: Database, keyring) -> None:
    with database.write() as session:
        found_system(session, keyring)
        camera = add_camera(session, add_bay(session), SigningKey.generate(), serial="AXN0017")
        camera.name = "Spare one"
        events.record(session, "camera.renamed", "camera", camera.id, actor="olga")
    assert set(read(database, text="spare")) == set(read(database, text="0017")) == {camera.id}


def test_one_thing_alone_and_a_camera_with_its_recordings(database: Database, evidence_camera) -> None:
    camera_id, recording_id = evidence_camera
    write(database, {"object_id": "another"}, {"object_id": camera_id, "actor": "olga"})
    shown = read(database, about=("camera", camera_id))
    assert set(shown) == {camera_id, recording_id}
    assert set(read(database, about=("recording", recording_id))) == {recording_id}
    assert read(database, about=("camera", "another")) == ["another"]


@pytest.fixture
def evidence_camera(database: Database, tmp_path) -> tuple[str, str]:
    from bodyworn.models import Recording
    from evidence_parts import Evidence

    recording_id = Evidence.on(database, tmp_path).record()
    with database.read() as session:
        return session.get_one(Recording, recording_id).camera_id, recording_id


# pages


def walk(database: Database, cursor: Cursor | None, *, newer: bool = False) -> list[list[int]]:
    """Turn pages until there are no more."""
    pages = []
    while True:
        with database.read() as session:
            page = audit_log.page(session, AuditQuery(), UTC_ZONE, cursor)
        pages.append([line.event.sequence for line in page.lines])
        cursor = page.newer if newer else page.older
        if cursor is None:
            return pages


def test_pages_follow_one_another_and_what_happens_meanwhile_moves_nothing(database: Database) -> None:
    same = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    for number in range(120):
        write(database, {"at": same if number < 70 else same + timedelta(seconds=number)})
    older = walk(database, None)
    assert [number for page in older for number in page] == list(range(120, 0, -1))
    assert [len(page) for page in older] == [50, 50, 20]
    with database.read() as session:
        chain_id = session.scalars(select(Event.chain_id)).first()
    write(database, {})
    assert walk(database, Cursor(chain_id, 71)) == older[1:]
    back = walk(database, Cursor(chain_id, 20, newer=True), newer=True)
    assert back[0] == older[1]
    assert [number for page in reversed(back) for number in page] == list(range(121, 20, -1))


def test_a_place_that_is_not_there_begins_at_the_newest(database: Database) -> None:
    write(database, {}, {})
    assert walk(database, Cursor("nonsense", 7)) == [[2, 1]]


def test_more_than_anybody_counts_is_said_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "COUNTED_EVENTS", 60)
    monkeypatch.setattr(audit_log, "PAGE_EVENTS", 2)
    for total in (60, None):
        write(database, *[{} for _ in range(60 if total else 1)])
        with database.read() as session:
            assert audit_log.page(session, AuditQuery(), UTC_ZONE).total == total


# things


def test_a_thing_is_named_as_it_is_now_and_led_to(database: Database, evidence_camera) -> None:
    camera_id, recording_id = evidence_camera
    with database.read() as session:
        camera = things.one(session, "camera", camera_id)
        recording = things.one(session, "recording", recording_id)
        strange = things.one(session, "moon_base", "7")
    assert (camera.endpoint, camera.values) == ("camera", {"camera_id": camera_id})
    assert (recording.endpoint, recording.permission) == ("recording", "bodyworn.recordings")
    assert recording.name is not None
    assert recording.name.values["camera"] == camera.name.values["name"]
    assert (strange.endpoint, strange.word.values["name"], strange.name.values["name"]) == (None, "moon base", "7")


def test_what_is_gone_is_named_by_its_event(database: Database) -> None:
    write(database, {"object_kind": "dock", "object_id": "d", "action": "dock.forgotten", "name": "Cellar"})
    with database.read() as session:
        (line,) = audit_log.page(session, AuditQuery(), UTC_ZONE).lines
    assert line.thing.name.values["name"] == "Cellar"


# files


def test_the_table_holds_everything_and_no_formulas(database: Database) -> None:
    write(database, {"actor": "=HYPERLINK(1)", "object_id": "@x", "address": "::1", "before": "é", "after": "+1"}, {})
    with database.read() as session:
        data = b"".join(audit_export.table(session, audit_log.newest_first(select(Event)), lambda said: said.one))
        hashes = list(session.scalars(select(Event.hash).order_by(Event.sequence.desc())))
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["hash"] for row in rows] == hashes
    assert (rows[1]["actor"], rows[1]["object_id"], rows[1]["address"]) == ("'=HYPERLINK(1)", "'@x", "::1")
    assert json.loads(rows[1]["detail"]) == {"before": "é", "after": "+1"}
    assert (rows[0]["actor"], rows[0]["kind"], rows[0]["result"]) == ("system", "Camera", "done")


def test_each_json_line_carries_all_that_its_hash_covers(database: Database) -> None:
    write(database, *[{"actor": f"person {number}"} for number in range(3)])
    with database.read() as session:
        query = audit_log.newest_first(audit_log.matching(session, AuditQuery(who=Who.PEOPLE), UTC_ZONE))
        lines = [json.loads(line) for line in audit_export.lines(session, query)]
    assert [line["sequence"] for line in lines] == [3, 2, 1]
    for line in lines:
        del line["line"]
        assert events.digest(Event(**line | {"at": datetime.fromisoformat(line["at"])})) == line["hash"]


# the page


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    app = host_app(tmp_path_factory.mktemp("audit"))
    database = app.extensions["bodyworn"].database
    with database.write() as session:
        seed.found_system(session, datetime.now(UTC))
    lines = [{"actor": "olga", "address": "192.0.2.7", "object_id": f"c{number}"} for number in range(60)]
    write(database, *lines, {"actor": "<b>eve</b>", "result": "refused", "object_kind": "account", "object_id": "eve"})
    return app


def shown(app: Any, query: str) -> str:
    answer = signed_in(app, "administrator").get(f"/bodyworn/support/audit-log{query}")
    assert answer.status_code == 200
    return str(answer.text)


def test_the_page_says_who_did_what_from_where(app: Any) -> None:
    page = shown(app, "?who=@olga&what=cameras")
    assert page.count("192.0.2.7</a>") == 50
    assert "Older" in page
    assert "60 events" in page
    assert "<b>eve" not in shown(app, "?result=otherwise")
    assert "61 events" in shown(app, "?q=Renamed from")
    assert "No event matches" in shown(app, "?q=Forgotten by")


@pytest.mark.parametrize(
    "query",
    [
        "?from=yesterday&until=2026-02-30&who=me&what=x&result=y&about=z&older=1&page=2",
        "?from=0001-01-01&until=9999-12-31",
        "?older=x:99999999999999999999",
        "?newer=:1",
        "?q=%00&about=a%00:b&who=@%00",
        "?about=camera:" + "x" * 5000,
    ],
)
def test_an_address_that_makes_no_sense_shows_what_it_can(app: Any, query: str) -> None:
    assert "Audit log" in shown(app, query)


def test_who_takes_the_log_away_is_in_it(app: Any) -> None:
    browser = signed_in(app, "administrator")
    answer = browser.get("/bodyworn/support/audit-log/events.csv?who=people&what=system")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="bodyworn-audit-log-')
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0]["action"] == "audit-log.exported"
    assert json.loads(rows[0]["detail"]) == {"format": "csv", "filter_who": "people", "filter_what": "system"}
    lines = browser.get("/bodyworn/support/audit-log/events.jsonl").data.splitlines()
    assert json.loads(lines[0])["detail"] == {"format": "jsonl"}
