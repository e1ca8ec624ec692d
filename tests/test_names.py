"""Names at a destination."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from bodyworn.destination import names
from bodyworn.errors import DestinationNameRefused
from hypothesis import given, settings, strategies as st

MOMENT = datetime(2019, 1, 1, 9, 9, 9, tzinfo=UTC)
USER = "3f2b8a36-0c0e-4f0e-8f8e-2f2b0c1d9a11"


def test_names_are_spelled_as_the_interface_spells_them() -> None:
    assert names.container_name(USER, "B8A44F000001", MOMENT) == f"{USER}_B8A44F000001_20190101T090909Z"
    assert names.clip_name(MOMENT, "7CF7", "mkv") == "20190101_090909_7CF7.mkv"
    assert names.track_name(MOMENT, "7CF7", "B8A44F000001") == "20190101_090909_7CF7_B8A44F000001_gpstrail.json"
    assert names.bookmark_name(MOMENT, "1") == "bookmark_20190101T090909Z_1"
    assert names.rejected_container_name(MOMENT, USER) == f"RejectedContent_20190101T090909Z_{USER}"
    assert names.rejected_container_name(None, USER) == f"RejectedContent_UnknownTime_{USER}"


def test_times_in_names_are_utc() -> None:
    east = MOMENT.astimezone(timezone(timedelta(hours=9)))
    assert names.clip_name(east, "7CF7", "mkv") == "20190101_090909_7CF7.mkv"
    with pytest.raises(ValueError, match="offset"):
        names.clip_name(datetime(2019, 1, 1), "7CF7", "mkv")  # noqa: DTZ001


def test_a_clip_and_a_track_of_the_same_second_have_different_keys() -> None:
    clip, track = names.clip_name(MOMENT, "7CF7", "mkv"), names.track_name(MOMENT, "7CF7", "cam")
    assert names.key_name(clip) == "20190101_090909_7CF7.key"
    assert names.key_name(track) == "20190101_090909_7CF7_cam_gpstrail.key"
    everything = [clip, track, names.key_name(clip), names.key_name(track), names.bookmark_name(MOMENT, "1")]
    assert len(set(everything)) == len(everything)


def test_containers_read_back_what_their_names_tell() -> None:
    read = names.read_container_name(names.container_name(USER, "AB_1.2", MOMENT))
    assert read == names.RecordingContainer(USER, "AB-1.2", MOMENT)
    older = names.read_container_name(f"{USER}_B8A44F_20190101_090909")
    assert older == names.RecordingContainer(USER, "B8A44F", MOMENT)


@pytest.mark.parametrize(
    "name", ["System", "Users", f"{USER}_B8A44F_20191301T090909Z", f"{USER}__20190101T090909Z", "x"]
)
def test_other_containers_are_no_recordings(name: str) -> None:
    assert names.read_container_name(name) is None


@settings(deadline=None)
@given(serial=st.text(), recording_id=st.text(max_size=60), extension=st.text(max_size=20))
def test_whatever_a_camera_calls_itself_the_names_can_be_sent(serial: str, recording_id: str, extension: str) -> None:
    for name in (
        names.container_name(str(uuid4()), serial, MOMENT),
        names.clip_name(MOMENT, recording_id, extension),
        names.track_name(MOMENT, recording_id, serial),
    ):
        assert names.require_name(name) == name
        assert name.isascii()
        assert not set(name) & set("/\\:\0 ")


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a:b", "a\x00b", "a\nb", "x" * 256, "ä" * 128])
def test_names_that_cannot_be_sent_are_refused(name: str) -> None:
    with pytest.raises(DestinationNameRefused):
        names.require_name(name)
