"""Which files make a recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from bodyworn.hw.drivers.disk_walk import DiskFile
from bodyworn.hw.drivers.segments import Segment, runs, seconds_ahead, segment
from bodyworn.models import ClipKind

VIENNA, NEW_YORK = ZoneInfo("Europe/Vienna"), ZoneInfo("America/New_York")
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TOLERANCE = timedelta(seconds=10)


def at(seconds: float, length: float = 60, path: str = "a.mp4") -> Segment:
    start = START + timedelta(seconds=seconds)
    return Segment(DiskFile(path, 1, 0, False), ClipKind.CLIP, start, start + timedelta(seconds=length), False)


def lengths(*segments: Segment) -> list[int]:
    return [len(run) for run in runs(segments, TOLERANCE)]


def file(name: str, changed: datetime) -> DiskFile:
    return DiskFile(name, 1, int(changed.timestamp()) * 10**9, False)


def test_segments_that_follow_each_other_are_one_recording() -> None:
    assert lengths(at(0), at(60), at(120)) == [3]


def test_a_gap_below_the_tolerance_parts_nothing_and_one_above_does() -> None:
    assert lengths(at(0), at(70)) == [2]
    assert lengths(at(0), at(70.1)) == [1, 1]


def test_front_and_rear_of_one_second_are_one_recording() -> None:
    assert lengths(at(0, path="F.ts"), at(0, path="R.ts"), at(60, path="F2.ts")) == [3]


def test_a_short_file_within_a_long_one_does_not_end_the_recording() -> None:
    assert lengths(at(0, length=600), at(10, length=1), at(605)) == [3]


def test_the_order_in_which_files_are_found_does_not_matter() -> None:
    one, two, three = at(0), at(60), at(1000)
    assert list(runs([three, two, one], TOLERANCE)) == [(one, two), (three,)]


def test_a_run_too_long_for_a_document_becomes_several() -> None:
    assert lengths(*(at(60 * number, path=f"{number}") for number in range(2001))) == [1000, 1000, 1]


def test_no_segments_make_no_recording() -> None:
    assert lengths() == []


def test_a_segment_lasts_from_the_time_in_its_name_to_its_last_change() -> None:
    """The camera's clock shows Vienna's time; FAT keeps it as it is."""
    found = segment(file("20260304_060607.mp4", datetime(2026, 3, 4, 6, 7, 7, tzinfo=UTC)), ClipKind.CLIP, VIENNA)
    assert (found.start, found.stop) == (START, START + timedelta(minutes=1))


@pytest.mark.parametrize(("zone", "name"), [(VIENNA, "20260304_060607"), (NEW_YORK, "20260304_000607")])
def test_a_filesystem_that_keeps_utc_is_understood(zone: ZoneInfo, name: str) -> None:
    found = segment(file(f"{name}.mp4", START + timedelta(minutes=1)), ClipKind.CLIP, zone)
    assert (found.start, found.stop) == (START, START + timedelta(minutes=1))


def test_a_file_that_was_touched_later_ends_where_it_begins() -> None:
    found = segment(file("20260304_060607.mp4", START + timedelta(days=3)), ClipKind.CLIP, VIENNA)
    assert found.stop == found.start == START


def test_a_file_without_a_time_in_its_name_has_that_of_its_last_change() -> None:
    found = segment(file("MOV_0001.mp4", datetime(2026, 3, 4, 6, 6, 7, tzinfo=UTC)), ClipKind.CLIP, VIENNA)
    assert found.stop == found.start == START


def test_a_photo_lasts_no_time() -> None:
    found = segment(file("20260304_060607.jpg", START + timedelta(minutes=1)), ClipKind.ATTACHMENT, VIENNA)
    assert found.stop == found.start == START


def test_a_file_from_the_future_proves_that_the_clock_is_ahead() -> None:
    ahead = [file("a.mp4", START - timedelta(days=1)), file("b.mp4", START + timedelta(seconds=90))]
    assert seconds_ahead(ahead, START, ZoneInfo("UTC")) == 90


def test_files_from_the_past_prove_nothing() -> None:
    assert seconds_ahead([file("a.mp4", START - timedelta(days=900))], START, VIENNA) is None
    assert seconds_ahead([], START, VIENNA) is None


def test_a_filesystem_that_keeps_utc_does_not_make_a_clock_wrong() -> None:
    assert seconds_ahead([file("a.mp4", START)], START, NEW_YORK) is None


def test_one_damaged_time_makes_no_clock_wrong() -> None:
    assert seconds_ahead([file("a.mp4", datetime(2099, 1, 1, tzinfo=UTC))], START, VIENNA) is None
