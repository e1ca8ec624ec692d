"""Metadata: its keys, and its way through headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bodyworn.destination import metadata
from bodyworn.destination.metadata import CONTAINER_PREFIX, OBJECT_PREFIX, RecordingFacts
from hypothesis import given, settings, strategies as st

START = datetime(2019, 1, 1, 9, 9, 9, tzinfo=UTC)
FACTS = RecordingFacts(
    user_uuid="3f2b8a36-0c0e-4f0e-8f8e-2f2b0c1d9a11",
    serial="B8A44F000001",
    trigger_on_time=START + timedelta(seconds=30),
    start=START,
    stop=START + timedelta(minutes=5),
    firmware_version="12.1",
    model="W110",
    time_zone="Europe/Stockholm",
)


def test_a_recording_is_described_with_the_keys_of_the_interface() -> None:
    assert metadata.recording_metadata("c", FACTS, metadata.TRANSFERRING) == {
        "ContainerName": "c",
        "BWCSerialNumber": "B8A44F000001",
        "FirmwareVersion": "12.1",
        "UserID": "3f2b8a36-0c0e-4f0e-8f8e-2f2b0c1d9a11",
        "TimeZone": "Europe/Stockholm",
        "BWCModel": "W110",
        "Status": "Transferring",
        "TriggerOnTime": "1546333779",
        "TriggerOnTimeISO": "2019-01-01T09:09:39Z",
        "StartTime": "1546333749",
        "StartTimeISO": "2019-01-01T09:09:09Z",
        "StopTime": "1546334049",
        "StopTimeISO": "2019-01-01T09:14:09Z",
    }


def test_rejected_content_tells_where_it_belongs_and_has_no_status() -> None:
    described = metadata.rejected_metadata("RejectedContent_x", FACTS, "c", START, "no duration")
    assert "Status" not in described
    assert described["ContainerName"] == "RejectedContent_x"
    assert described["RejectedContentOriginalContainer"] == "c"
    assert described["RejectedContentReason"] == "no duration"
    assert described["RejectedContentTime"] == "2019-01-01T09:09:09Z"
    assert metadata.rejected_object_metadata({"a": "b"}, "c") == {"a": "b", "RejectedContentOriginalContainer": "c"}


def test_objects_are_described_with_the_keys_of_the_interface() -> None:
    start = {"StartTime": "1546333749", "StartTimeISO": "2019-01-01T09:09:09Z"}
    assert metadata.clip_metadata(START, None, "mkv") == {**start, "ContainerType": "mkv"}
    assert metadata.key_metadata(START) == {**start, "FileType": "key"}
    assert metadata.track_metadata(START) == {**start, "FileType": "json"}
    assert metadata.bookmark_metadata(START, category=("7", "Traffic"), tags=[("case", "12"), ("a", "b")]) == {
        "StartTime": "2019-01-01T09:09:09Z",
        "CategoryID": "7",
        "CategoryName": "Traffic",
        "Tags": "case:12;a:b",
    }
    assert metadata.bookmark_metadata(START) == {"StartTime": "2019-01-01T09:09:09Z"}


def test_users_cameras_and_the_system_are_described() -> None:
    assert metadata.user_metadata("Zoë", active=True) == {"Active": "True", "Name": "Zoë"}
    assert metadata.user_metadata("Zoë", active=False, user_id="7")["UserID"] == "7"
    assert metadata.device_metadata("Cam", "W1", active=False) == {"Active": "False", "Name": "Cam", "Model": "W1"}
    assert metadata.system_metadata("id", "North") == {"ConnectionId": "id", "SystemName": "North"}


def test_names_of_people_are_cut_at_64_bytes_between_characters() -> None:
    assert metadata.short_name("ä" * 40) == "ä" * 32
    assert metadata.short_name("a" + "ä" * 40) == "a" + "ä" * 31


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("100 %", "100%20%25"),
        ("2019-01-01T09:09:09Z", "2019-01-01T09:09:09Z"),
        ("case:12;a:b", "case:12;a:b"),
        ("Zoë", "Zo%C3%AB"),
        ("two\r\nlines", "two%20%20lines"),
    ],
)
def test_values_are_percent_encoded_in_path_style(value: str, sent: str) -> None:
    assert metadata.encode_value(value) == sent


@pytest.mark.parametrize(
    ("came", "read"), [("a+b", "a+b"), ("%zz", "%zz"), ("%ff", "%ff"), ("a%0Ab", "a%0Ab"), ("a%20b", "a b")]
)
def test_values_that_do_not_decode_are_kept_as_they_came(came: str, read: str) -> None:
    assert metadata.decode_value(came) == read


def test_keys_are_read_whatever_their_case() -> None:
    headers = {"X-Container-Meta-Bwcserialnumber": "1", "x-container-meta-Status": "Complete", "X-Object-Meta-A": "b"}
    assert metadata.from_headers(CONTAINER_PREFIX, headers) == {"bwcserialnumber": "1", "status": "Complete"}


@settings(deadline=None)
@given(st.text(max_size=20))
def test_every_legible_value_survives_the_way(value: str) -> None:
    headers = metadata.to_headers(OBJECT_PREFIX, {"Key": value})
    sent = headers["X-Object-Meta-Key"]
    assert sent.isascii()
    assert sent.isprintable()
    assert len(sent) <= metadata.LARGEST_VALUE_BYTES
    if metadata.is_legible(value):
        assert metadata.from_headers(OBJECT_PREFIX, headers) == {"key": value}


def test_values_are_cut_where_a_stock_swift_would_refuse_them() -> None:
    sent = metadata.encode_value("ä" * 100)
    assert len(sent) <= 256
    assert metadata.decode_value(sent) == "ä" * 42
