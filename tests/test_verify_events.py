"""Checkpoints, manifests and exports: who changes what is written, however cleverly, contradicts a signature."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodyworn.cli import main
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.errors import ExportRefused, KeyOtherwise
from bodyworn.hw import housekeeping
from bodyworn.models import Camera, Chain, Checkpoint, Clip, Database, Event, Recording, System
from bodyworn.services import checkpoints, event_export, events, records
from bodyworn.services.event_export import Verdict
from click.testing import CliRunner
from database_writers import record_events
from evidence_parts import Evidence
from rig_parts import ACTOR
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]
pytestmark = pytest.mark.feature("SYS-10")


@pytest.fixture
def evidence(database: Database, tmp_path: Path) -> Evidence:
    return Evidence.on(database, tmp_path)


@pytest.fixture
def signed(evidence: Evidence) -> Evidence:
    """A chain of some events, signed to its end, and a few more."""
    record_events(evidence.database, 10)
    assert housekeeping.sign_chain(evidence.shop, at_once=True)
    record_events(evidence.database, 3)
    return evidence


def found(evidence: Evidence) -> list[str]:
    with evidence.database.read() as session:
        return [one.problem.id for one in records.check(session).findings]


def sequences(evidence: Evidence) -> list[int]:
    with evidence.database.read() as session:
        return list(session.scalars(select(Checkpoint.sequence).order_by(Checkpoint.sequence)))


def head(evidence: Evidence) -> Chain:
    with evidence.database.read() as session:
        return session.scalars(select(Chain)).one()


def rewrite(session: Session, start: int, change: Callable[[Event], None]) -> None:
    """Change an event as somebody with the whole database could: every hash after it is made anew, the head as well."""
    chain = session.scalars(select(Chain)).one()
    rows = session.scalars(select(Event).where(Event.sequence >= start).order_by(Event.sequence)).all()
    change(rows[0])
    for number, entry in enumerate(rows):
        entry.previous_hash = rows[number - 1].hash if number else entry.previous_hash
        entry.hash = events.digest(entry)
    chain.hash = rows[-1].hash


def cut(session: Session, last: int) -> None:
    """Cut a chain off so that it is whole again."""
    session.execute(delete(Event).where(Event.sequence > last))
    entry = session.scalars(select(Event).where(Event.sequence == last)).one()
    session.execute(update(Chain).values(sequence=last, hash=entry.hash))


# checkpoints


def test_a_checkpoint_is_made_after_a_hundred_events_or_five_minutes(evidence: Evidence) -> None:
    assert housekeeping.sign_chain(evidence.shop)
    first = head(evidence).sequence
    assert not housekeeping.sign_chain(evidence.shop)
    record_events(evidence.database, checkpoints.EVERY_EVENTS - 1)
    assert not housekeeping.sign_chain(evidence.shop)
    record_events(evidence.database, 1)
    assert housekeeping.sign_chain(evidence.shop)
    record_events(evidence.database, 1)
    evidence.write(lambda session: session.execute(update(Checkpoint).values(at=datetime.now(UTC) - checkpoints.EVERY)))
    assert housekeeping.sign_chain(evidence.shop)
    assert sequences(evidence) == [first, first + 100, first + 101]


def test_nothing_new_is_never_signed_again(evidence: Evidence) -> None:
    assert housekeeping.sign_chain(evidence.shop, at_once=True)
    assert not housekeeping.sign_chain(evidence.shop, at_once=True)


def test_a_clock_that_was_set_back_does_not_keep_checkpoints_away(signed: Evidence) -> None:
    signed.write(lambda session: session.execute(update(Checkpoint).values(at=datetime.now(UTC) + timedelta(days=9))))
    assert housekeeping.sign_chain(signed.shop)


def test_what_is_sound_has_no_findings(signed: Evidence) -> None:
    signed.record(clips=2)
    signed.record(encrypted=True)
    assert found(signed) == []


@pytest.mark.parametrize("start", [1, 5, 12])
def test_a_chain_that_was_written_anew_contradicts_its_checkpoint(signed: Evidence, start: int) -> None:
    def forge(entry: Event) -> None:
        entry.actor = "somebody else"

    assert head(signed).sequence >= 13
    with signed.database.write() as session:
        rewrite(session, start, forge)
        assert list(events.check(session)) == []
    assert found(signed) == (["chain-rewritten"] if start <= sequences(signed)[-1] else [])


@pytest.mark.parametrize("last", [1, 6, 11])
def test_a_chain_that_was_cut_off_contradicts_its_checkpoint(signed: Evidence, last: int) -> None:
    assert last < sequences(signed)[-1]
    with signed.database.write() as session:
        cut(session, last)
        assert list(events.check(session)) == []
    assert found(signed) == ["chain-truncated"]


def test_a_checkpoint_by_another_key_is_refused(signed: Evidence) -> None:
    other = SigningKey.generate()
    with signed.database.write() as session:
        session.scalars(select(System)).one().recovery_public_key = other.public.raw
    assert "checkpoint-refused" in found(signed)


def test_a_checkpoint_that_stands_at_another_event_is_refused(signed: Evidence) -> None:
    signed.write(lambda session: session.execute(update(Checkpoint).values(sequence=Checkpoint.sequence - 1)))
    assert found(signed) == ["checkpoint-refused"]


# manifests


def _no_manifest(session: Session, recording: Recording) -> None:
    recording.manifest = None


def _damaged_manifest(session: Session, recording: Recording) -> None:
    recording.manifest = (recording.manifest or b"").replace(b"payload", b"pavload", 1)


def _foreign_manifest(session: Session, recording: Recording) -> None:
    other = session.scalars(select(Recording).where(Recording.id != recording.id)).one()
    recording.manifest = other.manifest


def _other_digest(session: Session, recording: Recording) -> None:
    recording.clips[0].stored_sha256 = "0" * 64


def _other_name(session: Session, recording: Recording) -> None:
    recording.clips[0].name = "20200101_000000_AAAA.mkv"


def _other_document(session: Session, recording: Recording) -> None:
    recording.document = recording.document.replace(b"payload", b"pavload", 1)


def _other_camera(session: Session, recording: Recording) -> None:
    session.get_one(Camera, recording.camera_id).public_key = SigningKey.generate().public.raw


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (_no_manifest, ["manifest-missing"]),
        (_damaged_manifest, ["manifest-unsigned"]),
        (_foreign_manifest, ["manifest-unsigned"]),
        (_other_digest, ["manifest-differs"]),
        (_other_name, ["manifest-differs", "manifest-differs"]),
        (_other_document, ["camera-word-refused"]),
    ],
)
def test_a_row_that_is_not_what_was_signed_is_found(
    evidence: Evidence, change: Callable[[Session, Recording], None], problems: list[str]
) -> None:
    recording_id = evidence.record()
    evidence.record()
    with evidence.database.write() as session:
        change(session, session.get_one(Recording, recording_id))
    with evidence.database.read() as session:
        report = records.check(session)
    assert [one.problem.id for one in report.findings] == problems
    assert {one.recording_id for one in report.findings} == {recording_id}


def test_what_the_camera_signed_outlives_a_new_manifest(evidence: Evidence) -> None:
    """Who has this controller's key can sign another manifest, and not another word of the camera."""
    recording_id = evidence.record()
    with evidence.database.write() as session:
        recording = session.get_one(Recording, recording_id)
        recording.clips[0].sha256 = "0" * 64
        evidence.sign_manifest(session, recording)
    assert found(evidence) == ["camera-word-differs"]
    with evidence.database.write() as session:
        _other_camera(session, session.get_one(Recording, recording_id))
    assert found(evidence) == ["camera-word-refused"]


# exports


def export(evidence: Evidence) -> bytes:
    evidence.write(lambda session: event_export.seal(session, evidence.keyring, ACTOR))
    with evidence.database.read() as session:
        return b"".join(event_export.lines(session))


def verify(data: bytes, key: PublicKey | None = None) -> Verdict:
    return event_export.verify(io.BytesIO(data), key)


def problems_of(data: bytes) -> set[str]:
    return {finding.id for finding in verify(data).findings}


def edited(data: bytes, number: int, **changes: Any) -> bytes:
    """Change members of a line."""
    lines = data.splitlines(keepends=True)
    lines[number] = json.dumps({**json.loads(lines[number]), **changes}).encode() + b"\n"
    return b"".join(lines)


def test_an_export_is_whole_and_signed_to_its_end(signed: Evidence) -> None:
    verdict = verify(export(signed))
    last = head(signed)
    assert verdict.is_whole
    assert verdict.events == last.sequence
    assert verdict.signed_until == {last.id: last.sequence}
    assert verdict.recovery_key_id == signed.shop.book.recovery_key.key_id


def test_every_value_survives_the_export(evidence: Evidence) -> None:
    with evidence.database.write() as session:
        events.record(session, "a", "b", "日本\u2028", actor='"\\', ratio=0.1 + 0.2, huge=2**62, none=None, many=["x"])
    assert verify(export(evidence)).is_whole


def test_a_changed_line_of_an_export_is_found_whichever_it_is(signed: Evidence) -> None:
    data = export(signed)
    lines = data.splitlines()
    for number, line in enumerate(lines):
        kind = json.loads(line)["line"]
        changes = {"event": {"actor": "x"}, "checkpoint": {"order": "AAAA"}, "export": {"chains": []}}[kind]
        assert problems_of(edited(data, number, **changes)), f"line {number} ({kind})"


def test_a_line_that_was_taken_out_of_an_export_is_found(signed: Evidence) -> None:
    lines = export(signed).splitlines(keepends=True)
    first_event = next(number for number, line in enumerate(lines) if json.loads(line)["line"] == "event")
    for number in (first_event, first_event + 4, len(lines) - 1):
        assert problems_of(b"".join(lines[:number] + lines[number + 1 :])), f"line {number}"


def test_an_export_that_was_cut_off_and_titled_anew_contradicts_its_checkpoint(signed: Evidence) -> None:
    lines = export(signed).splitlines(keepends=True)[:-3]
    last = json.loads(lines[-1])
    chains = [{"chain_id": last["chain_id"], "sequence": last["sequence"], "hash": last["hash"]}]
    assert problems_of(edited(b"".join(lines), 0, chains=chains)) == {"chain-truncated"}


def test_an_export_of_another_system_is_told_apart(signed: Evidence) -> None:
    data, own, other = export(signed), signed.shop.book.recovery_key, SigningKey.generate().public
    assert verify(data, own).is_whole
    with pytest.raises(KeyOtherwise):
        verify(data, other)
    assert problems_of(edited(data, 0, recovery_key=other.to_base64())) == {"checkpoint-refused"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}",
        b"[]" * 1000,
        b"\xff\xfe",
        b'{"line": "event"}',
        b'{"line": "export", "format": "bodyworn-events-2"}',
        b"[" * 100_000,
        b"x" * (event_export.LONGEST_LINE_BYTES + 1),
    ],
)
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(ExportRefused):
        verify(data)


# the command


def run(*options: str) -> Any:
    return CliRunner().invoke(main, ["verify", *options])


def test_the_command_verifies_an_export_alone(signed: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(export(signed))
    key = signed.shop.book.recovery_key
    done = run("--events", str(path), "--recovery-key", key.to_base64())
    assert done.exit_code == 0, done.output
    assert "The chain is whole." in done.output
    assert head(signed).hash in done.output
    document = json.loads(run("--events", str(path), "--json").stdout)
    assert (document["whole"], document["recovery_key_id"]) == (True, key.key_id)
    path.write_bytes(edited(path.read_bytes(), -1, actor="x"))
    done = run("--events", str(path))
    assert done.exit_code == 1
    assert "is not what was written" in done.output


def test_the_command_says_how_much_it_checked_and_what_to_do(signed: Evidence, tmp_path: Path) -> None:
    url = signed.database.engine.url.render_as_string(hide_password=False)
    recording_id, other = signed.record(clips=2), signed.record()
    options = ("--data-dir", str(tmp_path), "--database", url)
    document = json.loads(run(*options, "--json").stdout)
    assert (document["whole"], document["objects"], document["bytes"]) == (True, 3, 15000)
    assert (document["manifests"], document["checkpoints"], document["findings"]) == (2, 1, [])
    assert document["events"] == head(signed).sequence
    signed.flip(recording_id)
    signed.path(other).unlink()
    done = run(*options)
    assert done.exit_code == 1
    assert "Check the disk: it may be failing." in done.output
    document = json.loads(run(*options, "--json").stdout)
    assert sorted(one["problem"] for one in document["findings"]) == ["copy-changed", "copy-missing"]


def test_the_command_checks_one_recording_alone(signed: Evidence, tmp_path: Path) -> None:
    url = signed.database.engine.url.render_as_string(hide_password=False)
    good, bad = signed.record(), signed.record(clips=2)
    signed.flip(bad)
    options = ("--data-dir", str(tmp_path), "--database", url)
    assert run(*options, "--recording", good).exit_code == 0
    done = run(*options, "--recording", bad, "--json")
    assert (done.exit_code, json.loads(done.stdout)["objects"]) == (1, 2)
    with signed.database.write() as session:
        session.execute(update(Clip).where(Clip.recording_id == bad).values(stored_md5="0" * 32))
    problems = [one["problem"] for one in json.loads(run(*options, "--recording", bad, "--json").stdout)["findings"]]
    assert problems == ["copy-changed", "manifest-differs", "manifest-differs"]
    assert "does not exist" in run(*options, "--recording", "nothing").output


def test_damage_that_is_known_already_is_still_damage(evidence: Evidence, tmp_path: Path) -> None:
    url = evidence.database.engine.url.render_as_string(hide_password=False)
    recording_id = evidence.record()
    evidence.flip(recording_id)
    evidence.check_all()
    done = run("--data-dir", str(tmp_path), "--database", url, "--json")
    assert (done.exit_code, [one["problem"] for one in json.loads(done.stdout)["findings"]]) == (1, ["copy-changed"])


def test_a_file_that_nothing_speaks_of_is_told(evidence: Evidence, tmp_path: Path) -> None:
    url = evidence.database.engine.url.render_as_string(hide_password=False)
    evidence.record()
    evidence.shop.spool.write_bytes("strange", "thing", b"?")
    done = run("--data-dir", str(tmp_path), "--database", url, "--json")
    assert [one["problem"] for one in json.loads(done.stdout)["findings"]] == ["object-unexpected"]


@pytest.mark.parametrize("options", [(), ("--data-dir", "/tmp", "--events", "/dev/null")])
def test_the_command_needs_one_thing_to_check(options: tuple[str, ...]) -> None:
    assert run(*options).exit_code == 2


def test_the_chain_of_an_edited_database_is_told_as_before(signed: Evidence, tmp_path: Path) -> None:
    url = signed.database.engine.url.render_as_string(hide_password=False)
    signed.write(lambda session: session.execute(text("UPDATE bodyworn_event SET actor = 'x' WHERE sequence = 5")))
    document = json.loads(run("--data-dir", str(tmp_path), "--database", url, "--json").stdout)
    assert [(one["sequence"], one["kind"]) for one in document["chain"]] == [(5, "edited")]
