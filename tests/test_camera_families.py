"""A camera of every known family, the whole way: docked, taken, delivered, deleted; every file has its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bodyworn.hw.docking import Docking
from bodyworn.hw.drivers.disk import DiskCamera
from bodyworn.hw.drivers.plugged import PluggedDisk, Surroundings
from bodyworn.models import Camera, DockKind, Event, Recording
from bodyworn.services import cameras, docks, findings, history, users
from camera_families import FAMILIES, End, Family
from disk_parts import FolderDisk
from rig_parts import ACTOR
from sqlalchemy import select
from yard import Yard

pytest_plugins = ["fixtures_database", "fixtures_yard"]

pytest.importorskip("av", reason="the clips are made with PyAV (the extra `media`)")

PATIENCE_SECONDS = 180.0
#: Before anything was recorded.
HANDED_OUT = datetime(2026, 3, 4, tzinfo=UTC)


@dataclass
class Docked:
    """A camera of a family in its bay."""

    family: Family
    disk: FolderDisk
    camera_id: str = ""

    def plugged(self) -> PluggedDisk:
        shown = self.family.shown
        vendor, _, product = shown.usb.partition(":")
        told = {"label": shown.label, "product": shown.product, "vendor_id": vendor, "product_id": product}
        return replace(self.disk.plugged(), **told)

    def left(self) -> set[str]:
        """List what must stay on the disk."""
        return {file.path for file in self.family.files if file.end is End.LEFT}


@pytest.mark.feature("HST-5")
def test_every_file_of_every_family_has_its_end(yard: Yard, tmp_path: Path) -> None:
    fleet = [_made(make(), tmp_path, number) for number, make in enumerate(FAMILIES)]
    with yard.uploading(parallel=2), _docked(yard, fleet):
        _wait(lambda: all(one.disk.files() == one.left() for one in fleet), lambda: _story(yard, fleet))
        _wait(lambda: all(map(_is_erased_of(yard), fleet)), lambda: _story(yard, fleet))
    for one in fleet:
        _check(yard, one)


def _made(family: Family, beneath: Path, number: int) -> Docked:
    folder = beneath / family.name
    folder.mkdir()
    family.lay(folder)
    return Docked(family, FolderDisk(folder, uuid=f"1A2B-{number:04}"))


@contextmanager
def _docked(yard: Yard, fleet: list[Docked]) -> Iterator[None]:
    """Dock all cameras, each worn by somebody when it recorded."""
    surroundings = Surroundings.of(yard.database, yard.shop.book)
    with yard.database.write() as session:
        dock = docks.add_dock(session, name="Row", kind=DockKind.SIMULATED, locator="/row", bays=len(fleet))
        bays = [bay.id for bay in dock.bays]
        for one, bay_id in zip(fleet, bays, strict=True):
            camera = cameras.seen(session, bay_id, DiskCamera(one.plugged(), surroundings).identify())
            one.camera_id = camera.id
            cameras.add_cameras(session, [camera.id], actor=ACTOR)
            user = users.create_user(session, name=f"Wearer of {one.family.name}", actor=ACTOR)
            cameras.assign(session, camera.id, user.id, actor=ACTOR)
            cameras.settings_applied(session, camera.id, camera.wanted_settings)
            camera.listed_at = HANDED_OUT
    dockings = [
        Docking(yard.shop, bay_id, DiskCamera(one.plugged(), surroundings))
        for one, bay_id in zip(fleet, bays, strict=True)
    ]
    threads = [threading.Thread(target=docking.run) for docking in dockings]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for docking in dockings:
            docking.stop()
        for one in fleet:
            one.disk.plugged_in = False
        for thread in threads:
            thread.join()


def _check(yard: Yard, one: Docked) -> None:
    family = one.family
    with yard.database.read() as session:
        rows = session.scalars(
            select(Recording).where(Recording.camera_id == one.camera_id).order_by(Recording.start_at)
        )
        made = list(rows)
        assert {findings.read(row.document).layout for row in made} == {family.layout}, family.name
        assert tuple(len(row.clips) for row in made) == family.recordings, family.name
        assert all(row.erased_at for row in made), family.name
        clips = {clip.source_name: (row.container_name, clip) for row in made for clip in row.clips}
        for file in family.files:
            if file.end is End.LEFT:
                continue
            container, clip = clips.pop(file.path)
            assert (yard.shop.spool.root / container / clip.spool_name).read_bytes() == file.data, file.path
            arrived = yard.fake.objects.get(f"{container}/{clip.name}")
            assert (arrived.body if arrived else None) == (file.data if file.end is End.SENT else None), file.path
        assert clips == {}
        lines = history.history(session, "camera", [one.camera_id])
        told = "".join(text for line in lines for _, text in line.detail)
        assert [path for path in one.left() if path not in told] == []
        assert family.first in _first_stored(session, one.camera_id)


def _first_stored(session, camera_id: str) -> str:
    """Give the names on the camera of the recording that was stored before all others."""
    rows = select(Event).where(Event.action == "recording.stored").order_by(Event.sequence)
    for event in session.scalars(rows):
        recording = session.get_one(Recording, event.object_id)
        if recording.camera_id == camera_id:
            return " ".join(clip.source_name for clip in recording.clips)
    return ""


def _is_erased_of(yard: Yard):
    def is_erased(one: Docked) -> bool:
        with yard.database.read() as session:
            rows = list(session.scalars(select(Recording).where(Recording.camera_id == one.camera_id)))
            return bool(rows) and all(row.erased_at for row in rows)

    return is_erased


def _story(yard: Yard, fleet: list[Docked]) -> str:
    lines = []
    with yard.database.read() as session:
        for one in fleet:
            camera = session.get_one(Camera, one.camera_id)
            states = [
                (row.state, row.problem_id, len(row.clips))
                for row in session.scalars(select(Recording).where(Recording.camera_id == camera.id))
            ]
            lines.append(f"{one.family.name}: on it {sorted(one.disk.files() - one.left())[:3]}, {states}")
    return "\n".join(lines)


def _wait(condition, story) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, story()
        time.sleep(0.1)
