"""Documents of the camera volume format hold their limits, and ignore what a later version adds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bodyworn.camera_volume import answers, documents, orders
from bodyworn.camera_volume.answers import AnswerKind
from bodyworn.camera_volume.documents import CameraDescription, FileDigest, content_sha256, decode, encode
from bodyworn.camera_volume.orders import EraseOrder, Lease, OrderKind, Receipt
from bodyworn.camera_volume.recording import RecordingDocument, clip_name, is_clip_name
from bodyworn.crypto.envelope import PayloadType
from bodyworn.errors import DocumentRefused
from hypothesis import given, settings, strategies as st

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def recording(**changes: Any) -> dict[str, Any]:
    clip = {
        "name": "20260304_050607_7CF7.mkv",
        "size_bytes": 1000,
        "start": "2026-03-04T05:06:07Z",
        "stop": "2026-03-04T05:06:17Z",
        "container": "mkv",
    }
    return {
        "id": "2f0a2f3e-1111-4222-8333-444455556666",
        "number": 1,
        "serial": "SIM-0001",
        "key_id": "0" * 32,
        "manufacturer": "Bodyworn",
        "model": "Simulated camera",
        "firmware": "1.0.0",
        "settings_sequence": 3,
        "trigger_on": "2026-03-04T05:06:10Z",
        "trigger_off": "2026-03-04T05:06:17Z",
        "start": "2026-03-04T05:06:07Z",
        "stop": "2026-03-04T05:06:17Z",
        "time_zone": "Europe/Stockholm",
        "clips": [clip],
        **changes,
    }


def with_clip(**changes: Any) -> dict[str, Any]:
    whole = recording()
    return {**whole, "clips": [{**whole["clips"][0], **changes}]}


def read(document: dict[str, Any]) -> RecordingDocument:
    return decode(RecordingDocument, json.dumps(document).encode())


def test_a_recording_document_is_read() -> None:
    document = read(recording())
    assert document.clips[0].start == NOW
    assert read(json.loads(encode(document))) == document


def test_members_of_later_versions_are_ignored() -> None:
    document = with_clip(sharpness={"a": [1, 2]})
    assert read({**document, "mood": "good"}) == read(with_clip())


@pytest.mark.parametrize(
    "document",
    [
        recording(id="not-a-uuid"),
        recording(id="2F0A2F3E-1111-4222-8333-444455556666"),
        recording(serial="../../etc"),
        recording(serial="A" * 33),
        recording(number=-1),
        recording(number=1.5),
        recording(time_zone="Europe/Stock holm"),
        recording(start="2026-03-04T07:06:07+02:00"),
        recording(start="2026-03-04T05:06:07"),
        recording(start="2026-03-04T06:00:00Z"),
        recording(trigger_on="2026-03-04T05:06:00Z"),
        recording(stop="2026-03-04T05:06:00Z"),
        recording(clips=[]),
        recording(clips=recording()["clips"] * 2),
        recording(clips=recording()["clips"] * 1001),
        recording(notes=[{"kind": "Not A Word"}]),
        recording(model="m" * 65),
        recording(track={"name": "../track.json", "size_bytes": 1}),
        recording(bookmarks=[{"id": str(uuid4()), "start": "2026-03-04T05:06:07Z", "text": "x" * 4097}]),
        recording(trigger_on_location={"latitude": 91, "longitude": 0}),
        with_clip(name="20260304_050607_7CF7.avi"),
        with_clip(name="../20260304_050607_7CF7.mkv"),
        with_clip(name="20260304_050607_7CF7.mkv\n"),
        with_clip(size_bytes=0),
        with_clip(size_bytes=5 * 1024**3),
        with_clip(size_bytes=2**63),
        with_clip(sha256="0" * 63),
        with_clip(stop="2026-03-04T05:06:00Z"),
        with_clip(container="avi"),
    ],
)
def test_a_recording_document_outside_its_limits_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(DocumentRefused) as refused:
        read(document)
    assert refused.value.values["reason"]


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"id": "' + b"x" * 2_000_000])
def test_garbage_is_refused(data: bytes) -> None:
    for kind in (RecordingDocument, CameraDescription, Lease, answers.Identity):
        with pytest.raises(DocumentRefused):
            decode(kind, data)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_in_plain_words(data: bytes) -> None:
    for kind in (CameraDescription, Lease):
        with pytest.raises(DocumentRefused) as refused:
            decode(kind, data)
        assert str(refused.value).isascii()


def test_an_unknown_version_of_the_volume_is_refused() -> None:
    with pytest.raises(DocumentRefused, match="version"):
        decode(CameraDescription, json.dumps({"format": documents.FORMAT, "version": 2}).encode())


def order(**members: Any) -> dict[str, Any]:
    common = {"system_id": str(uuid4()), "camera": "0" * 32, "epoch": 0, "sequence": 1}
    return {**common, "issued": "2026-03-04T05:06:07Z", **members}


def test_a_lease_lasts_56_days_at_most() -> None:
    longest = (NOW + timedelta(days=56)).strftime("%Y-%m-%dT%H:%M:%SZ")
    too_long = (NOW + timedelta(days=56, seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert decode(Lease, json.dumps(order(expires=longest)).encode()).expires == NOW + orders.LEASE
    for expires in (too_long, "2026-03-04T05:06:07Z"):
        with pytest.raises(DocumentRefused):
            decode(Lease, json.dumps(order(expires=expires)).encode())


def test_a_receipt_for_what_is_stored_names_it() -> None:
    receipt = order(recording_id=str(uuid4()), state="stored", controller_id="first")
    with pytest.raises(DocumentRefused):
        decode(Receipt, json.dumps(receipt).encode())
    assert decode(Receipt, json.dumps({**receipt, "content_sha256": "0" * 64}).encode()).state == "stored"


def test_an_erase_order_is_bounded() -> None:
    erasure = {"recording_id": str(uuid4()), "content_sha256": "0" * 64}
    for count in (0, orders.MOST_ERASURES + 1):
        with pytest.raises(DocumentRefused):
            decode(EraseOrder, json.dumps(order(recordings=[erasure] * count)).encode())


def test_every_kind_has_its_payload_type_and_its_document() -> None:
    types = {member.value for member in PayloadType}
    assert set(orders.ORDERS) == set(OrderKind)
    assert set(answers.ANSWERS) == set(AnswerKind)
    assert {f"application/vnd.bodyworn.{kind}.v1+json" for kind in (*OrderKind, *AnswerKind)} <= types


def test_the_content_digest_is_what_the_specification_says() -> None:
    files = [FileDigest("track.json", 2, "b" * 64), FileDigest("recording.dsse.json", 1, "a" * 64)]
    text = f"{'a' * 64} 1 recording.dsse.json\n{'b' * 64} 2 track.json\n"
    assert content_sha256(files) == documents.sha256(text.encode()).hexdigest()
    assert content_sha256(reversed(files)) == content_sha256(files)


def test_clip_names_are_as_on_the_wire() -> None:
    assert clip_name(NOW, "7CF7", "mp4") == "20260304_050607_7CF7.mp4"
    assert is_clip_name("20260304_050607_7CF7.mp4")
    for name in ("20260304_050607_7cf7.mp4", "20260304_050607_7CF7.mp4\n", "20260304_050607_7CF7.mkv.key", ""):
        assert not is_clip_name(name)


def _documents() -> list[type[documents.Document]]:
    found: list[type[documents.Document]] = [documents.Document]
    for kind in found:
        found.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__.startswith("bodyworn.camera_volume.")]


def test_every_member_stands_in_the_specification() -> None:
    text = (Path(__file__).parent.parent / "docs" / "camera-volume.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", " ".join(re.findall(r"`[^`]*`", text))))
    members = {name for kind in _documents() for name in kind.__struct_encode_fields__}
    assert "content_sha256" in members
    assert members - words == set()
