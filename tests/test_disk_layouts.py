"""The rules about makers' layouts: times in names, kinds of files, what is protected, which family a disk is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from string import Formatter

import pytest
from bodyworn.hw.drivers import disk_files, disk_layouts
from bodyworn.hw.drivers.disk_layouts import Shown
from bodyworn.hw.drivers.disk_walk import DiskFile, walk
from bodyworn.models import ClipKind
from disk_parts import FAMILIES, START, Family


def file(path: str, *, modified_ns: int = 0, locked: bool = False) -> DiskFile:
    return DiskFile(path, 1, modified_ns, locked)


@pytest.mark.parametrize(
    "name",
    [
        "20260304_060607.AVI",
        "20260304_060607_PF.mp4",
        "20260304_060607_001A.MP4",
        "20260304060607.mp4",
        "TS20260304060607.ts",
        "260304_060607_123_F.TS",
        "260304_060607_123_R.TS",
        "2026_0304_060607.MOV",
        "2026_0304_060607_01.MOV",
        "2026_0304_060607_001A.MP4",
        "2026_03_04_060607.MOV",
        "REC_20260304_060607_N.mkv",
    ],
)
def test_the_time_in_a_name_is_read(name: str) -> None:
    assert disk_layouts.named_time(f"DCIM/{name}") == START


@pytest.mark.parametrize(
    "name",
    [
        "MOV_0001.MOV",
        "20261304_060607.AVI",  # there is no month 13
        "20260304_250607.AVI",
        "12345678901234567890.mp4",
        "00010101_000000.mp4",
        "99991231_235959.mp4",
        "GRMN0001.MP4",
        ".mp4",
        "",
    ],
)
def test_a_name_without_a_time_tells_none(name: str) -> None:
    assert disk_layouts.named_time(name) is None


@pytest.mark.parametrize("modified_ns", [-(2**62), 0, 2**63 - 1, 2**80, -1])
def test_a_time_of_change_from_outside_the_calendar_becomes_the_first_one(modified_ns: int) -> None:
    assert disk_layouts.modified_time(file("a.mp4", modified_ns=modified_ns)) == datetime(1980, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b.MP4", ClipKind.CLIP),
        ("b.avi", ClipKind.CLIP),
        ("b.wav", ClipKind.CLIP),
        ("b.jpg", ClipKind.ATTACHMENT),
        ("b.THM", ClipKind.ATTACHMENT),
        ("b.gps", ClipKind.ATTACHMENT),
        ("mp4", None),
        ("b.txt", None),
        ("b.mp4.exe", None),
        ("autorun.inf", None),
    ],
)
def test_the_extension_tells_the_kind(path: str, kind: ClipKind | None) -> None:
    assert disk_layouts.kind_of(path) is kind


@pytest.mark.parametrize(
    "path",
    ["Event/a.ts", "DCIM/102SAVED/a.mp4", "DCIM/103EVENT/a.mp4", "CARDV/Movie/RO/a.mov", "PROTECTED/a.mp4"],
)
def test_folders_of_events_are_protected(path: str) -> None:
    assert disk_layouts.is_protected(file(path))


@pytest.mark.parametrize("path", ["Movie/a.ts", "DCIM/105UNSVD/a.mp4", "eventful.mp4", "Eventually/a.mp4"])
def test_other_folders_are_not(path: str) -> None:
    assert not disk_layouts.is_protected(file(path))


def test_a_write_protected_file_is_protected_wherever_it_is() -> None:
    assert disk_layouts.is_protected(file("Movie/a.ts", locked=True))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.layout)
def test_a_family_is_known_by_its_folders(tmp_path: Path, family: Family) -> None:
    family.build(tmp_path)
    with disk_files.opened_root(tmp_path) as root:
        assert disk_layouts.recognise(walk(root).files, family.shown).layout == family.layout


def test_a_model_is_named_by_its_folder() -> None:
    recognised = disk_layouts.recognise([file("DPB30/VIDEO/a.mp4")], Shown())
    assert (recognised.manufacturer, recognised.model) == ("Transcend", "DrivePro Body 30")


def test_a_label_is_enough_where_the_family_has_one() -> None:
    assert disk_layouts.recognise([file("a.avi")], Shown(label="CAM02")).layout == "tecsar"


def test_the_last_layout_fits_every_disk() -> None:
    assert disk_layouts.recognise([], Shown()).layout == "plain"


@pytest.mark.parametrize(
    ("shown", "layout"),
    [
        (Shown(product="DV16 DEVICE V1.00"), "jieli"),
        (Shown(product="DV16_DEVICE"), "jieli"),
        (Shown(usb="0603:8611"), "novatek"),
        (Shown(usb="4255:0001"), "amba"),
        (Shown(usb="0603:0000", label="NO NAME", product="DISK"), "plain"),
    ],
)
def test_a_family_is_known_by_what_its_device_says(shown: Shown, layout: str) -> None:
    assert disk_layouts.recognise([file("x.avi")], shown).layout == layout


def test_a_layout_that_is_known_from_outside_needs_no_path_to_name_its_model() -> None:
    outside = [one for one in disk_layouts.rules().layouts if one.label or one.product or one.usb]
    assert [one for one in outside if _fields(one.model)] == []


@pytest.mark.parametrize("name", ["20260304_060607_EF", "EMER0001", "MOV_0001_SOS", "20260304060607_IMP", "a_EVT"])
def test_names_say_that_a_file_is_protected(name: str) -> None:
    assert disk_layouts.is_protected(file(f"DCIM/{name}.mp4"))


@pytest.mark.parametrize("name", ["20260304_060607_NF", "20260304_060607_PF", "IMPORT", "EVENTUALLY", "MOV_0001"])
def test_other_names_do_not(name: str) -> None:
    assert not disk_layouts.is_protected(file(f"DCIM/{name}.mp4"))


def test_models_name_groups_that_their_folder_has() -> None:
    for layout in disk_layouts.rules().layouts:
        assert _fields(layout.model) <= set(re.compile(layout.path or "").groupindex), layout.name


def _fields(text: str) -> set[str]:
    parsed: Sequence[str | None] = [name for _, name, _, _ in Formatter().parse(text)]
    return {name for name in parsed if name}
