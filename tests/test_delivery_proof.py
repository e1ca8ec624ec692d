"""The proof of delivery: a file that says what its page says, stands alone, and cannot be changed by one bit."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from bodyworn.cli import main
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.errors import DestinationFull, KeyOtherwise, ProofRefused, RecordingNotDelivered, UnknownRecording
from bodyworn.models import Camera, CopyState, Database, Place, Recording, System
from bodyworn.services import copies, delivery_proof, events, problems, systems
from bodyworn.services.delivery_proof import Verdict
from click.testing import CliRunner
from evidence_parts import Evidence
from fake_destination import FakeDestination
from hosting import host_app, signed_in
from rig_parts import event_actions
from sqlalchemy import select
from yard import Yard, adopt

pytest_plugins = ["fixtures_database"]
pytestmark = pytest.mark.feature("REC-2")


@pytest.fixture
def evidence(sqlite_database: Database, tmp_path: Path) -> Evidence:
    return Evidence.on(sqlite_database, tmp_path)


@pytest.fixture
def recording_id(evidence: Evidence) -> str:
    """A recording of two clips that is delivered and erased from its camera."""
    made = evidence.record(clips=2)
    evidence.deliver(made)
    evidence.erase_from_camera(made)
    return made


def issued(evidence: Evidence, recording_id: str) -> bytes:
    with evidence.database.write() as session:
        return delivery_proof.issue(session, evidence.keyring, delivery_proof.delivered(session, recording_id))


def verify(data: bytes, key: PublicKey | None = None, folder: Path | None = None) -> Verdict:
    return delivery_proof.verify(io.BytesIO(data), key, folder)


def problems_of(verdict: Verdict) -> list[str]:
    return [finding.id for finding in verdict.findings]


def recovery_key(evidence: Evidence) -> PublicKey:
    with evidence.database.read() as session:
        return PublicKey(session.scalars(select(System)).one().recovery_public_key)


def files(evidence: Evidence, recording_id: str, folder: Path) -> list[Path]:
    """Put the files of a recording into a folder, as the destination has them."""
    folder.mkdir()
    recording = evidence.recording(recording_id)
    for number, clip in enumerate(recording.clips):
        (folder / clip.name).write_bytes(evidence.path(recording_id, number).read_bytes())
    return [folder / clip.name for clip in recording.clips]


# what it says


def test_it_says_what_is_known_of_every_object_in_every_place(evidence: Evidence, recording_id: str) -> None:
    verdict = verify(issued(evidence, recording_id), recovery_key(evidence))
    assert problems_of(verdict) == []
    proof, recording = verdict.proof, evidence.recording(recording_id)
    assert (proof.container, proof.camera_serial) == (recording.container_name, evidence.serial())
    assert proof.user is not None
    assert (proof.user.id, proof.user.name) == (recording.camera_user_id, "User 1")
    assert (proof.times.delivered, proof.times.erased) == (recording.delivered_at, recording.erased_at)
    assert proof.manifest == recording.manifest
    assert len(proof.objects) == 2
    for number, said in enumerate(proof.objects):
        content = evidence.path(recording_id, number).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        assert said.camera_sha256 == said.read_sha256 == said.stored_sha256 == sha256
        assert said.destination_md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
        states = {copy.place: copy.state for copy in said.copies}
        assert states == {
            Place.CAMERA: CopyState.ERASED,
            Place.SPOOL: CopyState.VERIFIED,
            Place.DESTINATION: CopyState.VERIFIED,
        }
    assert [one.action for one in proof.custody] == event_actions(evidence.database, recording_id)


def test_a_destination_that_really_answered_with_etags_is_proved(evidence: Evidence, tmp_path: Path) -> None:
    recording_id = evidence.record(encrypted=True)
    with evidence.database.read() as session:
        camera_id = session.scalars(select(Camera.id)).one()
    with FakeDestination() as fake:
        yard = Yard(evidence.shop, fake, evidence.depot.key, camera_id, 0)
        adopt(yard)
        with yard.uploading():
            yard.wait(lambda: yard.is_delivered(recording_id))
        data = issued(evidence, recording_id)
        verdict = verify(data, folder=None)
        site, address = yard.destination().site_name, yard.destination().address
    assert problems_of(verdict) == []
    assert verdict.proof.destination == site
    assert {one.at_destination() for one in verdict.proof.objects} == {CopyState.VERIFIED}
    assert [one.encrypted for one in verdict.proof.objects] == [True, False]
    files(evidence, recording_id, tmp_path / "files")
    assert verify(data, folder=tmp_path / "files").is_whole
    said = json.loads(data)["envelope"]["payload"]
    assert address.encode() not in signed_payload(said)


def signed_payload(payload: str) -> bytes:
    """Decode what was signed."""
    return base64.b64decode(payload)


def test_a_yes_without_proof_is_called_that(evidence: Evidence) -> None:
    recording_id = evidence.record()
    evidence.deliver(recording_id, CopyState.ACKNOWLEDGED)
    verdict = verify(issued(evidence, recording_id))
    assert verdict.is_whole
    assert verdict.proof.objects[0].at_destination() is CopyState.ACKNOWLEDGED


def test_what_was_put_aside_says_why(evidence: Evidence) -> None:
    recording_id = evidence.record()
    evidence.deliver(recording_id)
    with evidence.database.write() as session:
        recording = session.get_one(Recording, recording_id)
        recording.rejected_container = "rejected"
        there = copies.find(recording.clips[0], Place.DESTINATION)
        assert there is not None
        problems.note(there, DestinationFull())
    proof = verify(issued(evidence, recording_id)).proof
    assert proof.rejected_container == "rejected"
    assert {copy.place: copy.problem for copy in proof.objects[0].copies}[Place.DESTINATION] == DestinationFull.id


def test_there_is_none_before_there_was_a_delivery(evidence: Evidence) -> None:
    recording_id = evidence.record()
    with pytest.raises(RecordingNotDelivered):
        issued(evidence, recording_id)
    with pytest.raises(UnknownRecording):
        issued(evidence, "absent")


def test_a_recording_of_a_whole_shift_fits(evidence: Evidence) -> None:
    recording_id = evidence.record(clips=700, size_bytes=10)
    evidence.deliver(recording_id)
    data = issued(evidence, recording_id)
    assert len(data) > 2**20
    assert verify(data).is_whole


# what is not as it was signed


def test_no_bit_of_it_can_be_changed(evidence: Evidence, recording_id: str) -> None:
    data = issued(evidence, recording_id)
    assert verify(data).is_whole
    sound, spread = [], range(0, len(data) * 8, max(1, len(data) * 8 // 400))
    ends = [data.index(b'"sig"') * 8 + bit for bit in range(160)]
    for bit in (*spread, *range(160), *ends):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            verify(bytes(changed), recovery_key(evidence))
        except (ProofRefused, KeyOtherwise):
            continue
        sound.append(bit)
    assert sound == []


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"envelope": {"payload": "e30="}}'])
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ProofRefused):
        verify(data)


def test_a_proof_that_is_cut_off_or_signed_as_something_else_is_refused(evidence: Evidence, recording_id: str) -> None:
    data = issued(evidence, recording_id)
    with pytest.raises(ProofRefused):
        verify(data[:-1])
    with evidence.database.read() as session:
        payload = signed_payload(json.loads(data)["envelope"]["payload"])
        other = systems.authority(session, evidence.keyring).issue(payload, PayloadType.MANIFEST)
    with pytest.raises(ProofRefused):
        verify(other)


def test_a_proof_of_another_system_is_told_apart(evidence: Evidence, recording_id: str) -> None:
    with pytest.raises(KeyOtherwise):
        verify(issued(evidence, recording_id), SigningKey.generate().public)


def test_a_database_that_was_changed_contradicts_the_manifest_in_it(evidence: Evidence, recording_id: str) -> None:
    with evidence.database.write() as session:
        session.get_one(Recording, recording_id).clips[0].stored_sha256 = "0" * 64
    assert problems_of(verify(issued(evidence, recording_id))) == ["manifest-differs", "proof-contradicts"]


def test_a_destination_that_proved_other_bytes_is_found(evidence: Evidence, recording_id: str) -> None:
    with evidence.database.write() as session:
        there = copies.find(session.get_one(Recording, recording_id).clips[1], Place.DESTINATION)
        assert there is not None
        there.proved_md5 = "0" * 32
    assert problems_of(verify(issued(evidence, recording_id))) == ["proof-contradicts"]


def test_a_recording_without_manifest_is_found(evidence: Evidence, recording_id: str) -> None:
    with evidence.database.write() as session:
        session.get_one(Recording, recording_id).manifest = None
    assert problems_of(verify(issued(evidence, recording_id))) == ["manifest-missing"]


def test_files_beside_it_are_compared(evidence: Evidence, recording_id: str, tmp_path: Path) -> None:
    data = issued(evidence, recording_id)
    first, second = files(evidence, recording_id, tmp_path / "files")
    verdict = verify(data, folder=tmp_path / "files")
    assert (verdict.files, problems_of(verdict)) == (2, [])
    first.write_bytes(first.read_bytes()[:-1] + b"!")
    second.unlink()
    verdict = verify(data, folder=tmp_path / "files")
    assert (verdict.files, problems_of(verdict)) == (1, ["proof-file-differs", "proof-file-missing"])


# the command


def run(*options: str | Path) -> Any:
    return CliRunner().invoke(main, ["verify", *map(str, options)])


def test_the_command_says_yes_and_no(evidence: Evidence, recording_id: str, tmp_path: Path) -> None:
    path, folder = tmp_path / "proof.json", tmp_path / "files"
    path.write_bytes(issued(evidence, recording_id))
    first, _ = files(evidence, recording_id, folder)
    key = recovery_key(evidence)
    done = run("--proof", path, "--files", folder, "--recovery-key", key.to_base64())
    assert done.exit_code == 0, done.output
    assert "The proof is whole." in done.output
    document = json.loads(run("--proof", path, "--json").stdout)
    assert (document["whole"], document["verified"], document["recovery_key_id"]) == (True, 2, key.key_id)
    first.write_bytes(b"other")
    done = run("--proof", path, "--files", folder)
    assert done.exit_code == 1
    assert f"proof: {first.name} in the folder is not the file" in done.output
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"A', 1))
    done = run("--proof", path)
    assert done.exit_code == 1
    assert "its signature does not hold" in done.output


def test_the_command_wants_one_thing_to_check(tmp_path: Path) -> None:
    (tmp_path / "proof.json").touch()
    assert run("--proof", tmp_path / "proof.json", "--data-dir", tmp_path).exit_code == 2
    assert run("--data-dir", tmp_path, "--files", tmp_path).exit_code == 2


# the page


def test_the_page_of_a_delivered_recording_offers_it(tmp_path: Path) -> None:
    app = host_app(tmp_path)
    runtime = app.extensions["bodyworn"]
    here = Evidence.on(runtime.database, runtime.data_dir)
    waiting, recording_id = here.record(), here.record()
    here.deliver(recording_id)
    operator = signed_in(app, "operator")
    path = f"/bodyworn/recordings/{recording_id}/proof"
    assert f'href="{path}"' in operator.get(f"/bodyworn/recordings/{recording_id}").text
    assert "/proof" not in operator.get(f"/bodyworn/recordings/{waiting}").text
    answer = operator.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == PayloadType.DELIVERY_PROOF
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"{here.recording(recording_id).container_name}_proof.json" in answer.headers["Content-Disposition"]
    proof = verify(answer.data, recovery_key(here)).proof
    assert proof.custody[-1].action == "recording.proof-downloaded"
    assert proof.custody[-1].actor != events.SYSTEM
    assert operator.head(path).status_code == 200
    assert event_actions(runtime.database, recording_id).count("recording.proof-downloaded") == 1
    assert operator.get(f"/bodyworn/recordings/{waiting}/proof").status_code == 400
    assert operator.get("/bodyworn/recordings/absent/proof").status_code == 404
    runtime.database.close()
