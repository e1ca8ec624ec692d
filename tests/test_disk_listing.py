"""Recordings of a plain disk: the same files are always the same recording, whatever happens around them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bodyworn import errors
from bodyworn.const import LARGEST_OBJECT_BYTES
from bodyworn.destination.names import key_name
from bodyworn.hw.drivers import disk_files, disk_layouts, disk_listing
from bodyworn.hw.drivers.disk_layouts import Shown
from bodyworn.hw.drivers.disk_listing import Ticket
from bodyworn.hw.drivers.disk_walk import Bounds, walk
from bodyworn.hw.drivers.protocol import Listed
from bodyworn.models import ClipKind
from bodyworn.services import findings
from bodyworn.services.findings import Finding, Known
from disk_parts import FAMILIES, MINUTE, NOTHING_SHOWN, START, Family, dash, put, transcend


def listed(
    folder: Path,
    known: Sequence[Known] = (),
    bounds: Bounds | None = None,
    *,
    shown: Shown = NOTHING_SHOWN,
    **how: float,
) -> list[Listed]:
    with disk_files.opened_root(folder) as root:
        walked = walk(root, bounds or Bounds())
        recognised = disk_layouts.recognise(walked.files, shown)
        return disk_listing.recordings(
            root, walked, known, Ticket("CAM-1", recognised, 7, ZoneInfo("Europe/Vienna")), **how
        )


def found(folder: Path, known: Sequence[Known] = (), **how: Any) -> list[Finding]:
    return [one.document for one in listed(folder, known, **how) if isinstance(one.document, Finding)]


def problems(folder: Path, bounds: Bounds | None = None) -> list[errors.BodywornError]:
    return [one.problem for one in listed(folder, bounds=bounds) if one.problem and not one.harmless]


def paths(finding: Finding) -> list[str]:
    return [file.path for file in finding.clips]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.layout)
def test_each_family_is_parted_into_its_recordings(tmp_path: Path, family: Family) -> None:
    family.build(tmp_path)
    made = found(tmp_path, shown=family.shown)
    assert tuple(len(one.clips) for one in made) == family.recordings
    assert {one.layout for one in made} == {family.layout}
    assert problems(tmp_path) == []
    total = sum(len(files) for _, _, files in os.walk(tmp_path))
    assert total == sum(family.recordings) + family.left_alone


def test_a_finding_says_what_is_known(tmp_path: Path) -> None:
    transcend(tmp_path)
    first, second = found(tmp_path)
    assert (first.made_by, first.signed) == ("host", False)
    assert (first.manufacturer, first.model, first.settings_sequence) == ("Transcend", "DrivePro Body 30", 7)
    assert first.start.isoformat() == "2026-03-04T05:06:07+00:00"
    assert first.stop - first.start == 3 * MINUTE
    assert second.start - first.start == timedelta(hours=1)
    assert [file.kind for file in first.clips].count(ClipKind.ATTACHMENT) == 1


def test_a_finding_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    for one in FAMILIES:
        one.build(tmp_path)
    for one in listed(tmp_path):
        assert one.document or one.harmless
        if not one.document:
            continue
        assert findings.read(one.envelope) == one.document


def test_files_keep_their_extension_and_no_two_have_one_stem(tmp_path: Path) -> None:
    dash(tmp_path)
    names = [file.name for file in found(tmp_path)[0].clips]
    assert sorted(name.partition(".")[2] for name in names) == ["nmea", "thm", "ts", "ts"]
    assert len({key_name(name) for name in names}) == len(names)
    assert all(name.startswith("20260304_050607_") for name in names)


def test_the_same_disk_gives_the_same_recordings(tmp_path: Path) -> None:
    transcend(tmp_path)
    assert [one.id for one in found(tmp_path)] == [one.id for one in found(tmp_path)]


def test_what_was_found_before_stays_as_it_is_when_the_camera_records_on(tmp_path: Path) -> None:
    """The new segment follows at once, but the recording before it is described and perhaps delivered already."""
    transcend(tmp_path)
    before = found(tmp_path)
    next_start = START + 3 * MINUTE
    put(tmp_path, f"DPB30/VIDEO/{next_start:%Y%m%d_%H%M%S}_009A.MP4", end=next_start + MINUTE)
    now = found(tmp_path, [Known(one, stored=True) for one in before])
    assert [one for one in now if one in before] == before
    assert [paths(one) for one in now if one not in before] == [["DPB30/VIDEO/20260304_060907_009A.MP4"]]


def test_a_stored_recording_that_the_camera_has_overwritten_in_part_is_still_itself(tmp_path: Path) -> None:
    transcend(tmp_path)
    before = found(tmp_path)
    (tmp_path / before[0].clips[0].path).unlink()
    assert found(tmp_path, [Known(one, stored=True) for one in before]) == before


def test_one_that_was_not_stored_and_is_not_whole_any_more_is_another(tmp_path: Path) -> None:
    """So that its loss is told, and what is left of it is taken."""
    transcend(tmp_path)
    before = found(tmp_path)
    gone = before[0].clips[0].path
    (tmp_path / gone).unlink()
    now = found(tmp_path, [Known(one, stored=False) for one in before])
    assert before[0].id not in {one.id for one in now}
    assert set(paths(now[0])) == set(paths(before[0])) - {gone}


@pytest.mark.parametrize("where", ["head", "tail"])
def test_a_file_of_the_same_name_size_and_time_is_another_when_its_content_is(tmp_path: Path, where: str) -> None:
    path = f"DCIM/{START:%Y%m%d_%H%M%S}.mp4"
    data = bytearray(100_000)
    put(tmp_path, path, bytes(data))
    before = found(tmp_path)
    data[0 if where == "head" else -1] = 1
    put(tmp_path, path, bytes(data))
    now = found(tmp_path, [Known(one, stored=True) for one in before])
    assert len(now) == 1
    assert now[0].id != before[0].id


def test_a_file_larger_than_its_disk_is_explained_and_the_others_are_taken(tmp_path: Path) -> None:
    put(tmp_path, "DCIM/small.mp4")
    with (tmp_path / "DCIM" / "huge.mp4").open("wb") as file:
        file.truncate(8 * 1024**4)
    assert [type(one) for one in problems(tmp_path)] == [errors.CameraFileImpossible]
    assert [paths(one) for one in found(tmp_path)] == [["DCIM/small.mp4"]]


def test_a_file_too_large_for_any_destination_is_explained(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    os.truncate(tmp_path / "a.mp4", LARGEST_OBJECT_BYTES)
    assert [type(one) for one in problems(tmp_path)] == [errors.CameraFileImpossible]


def test_empty_files_and_files_that_are_no_recordings_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    put(tmp_path, "autorun.inf")
    (told,) = listed(tmp_path)
    assert (told.document, told.harmless) == (None, True)
    assert isinstance(told.problem, errors.CameraFilesLeftAlone)
    assert told.problem.values == {"count": 2, "names": "autorun.inf, empty.mp4"}


def test_a_folder_that_cannot_be_looked_into_is_explained(tmp_path: Path) -> None:
    put(tmp_path, "a/b/c/d.mp4")
    assert [type(one) for one in problems(tmp_path, Bounds(deepest=1))] == [errors.CameraFolderUnread]


def test_five_thousand_files_are_listed_quickly(tmp_path: Path) -> None:
    (tmp_path / "Movie").mkdir()
    for number in range(5000):
        moment = START + number * MINUTE
        put(tmp_path, f"Movie/{moment:%Y%m%d_%H%M%S}.ts", b"x", end=moment + MINUTE)
    made = found(tmp_path)
    assert [len(one.clips) for one in made] == [1000] * 5
    assert found(tmp_path, [Known(one, stored=True) for one in made]) == made
