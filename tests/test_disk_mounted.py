"""The driver for plain disks on real filesystems: what it remembers of a file holds over mounting anew and writable."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from bodyworn.errors import MountFailed
from bodyworn.hw import mounts
from bodyworn.hw.drivers import disk_files
from bodyworn.hw.drivers.disk import DiskCamera
from bodyworn.hw.drivers.plugged import PluggedDisk, Surroundings
from bodyworn.hw.drivers.protocol import Erasure, Listed, Wishes
from bodyworn.hw.order_book import OrderBook
from bodyworn.models import Camera, Clip, Recording
from bodyworn.services import cameras, erasures, recordings
from bodyworn.services.erasing import ErasePolicy
from disk_parts import dash, transcend
from rig_parts import Depot, stored_clip
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]

IMAGE_BYTES = 64 * 1024 * 1024
MAKERS = {"exfat": ("mkfs.exfat",), "vfat": ("mkfs.vfat",), "ext4": ("mkfs.ext4", "-q")}


@dataclass
class ImageDisk:
    """A disk in an image file, mounted as a camera's is."""

    mounted: Callable[..., AbstractContextManager[Path]]

    def plugged(self) -> PluggedDisk:
        return PluggedDisk(mount=self.mounted, is_there=lambda: True, usb_serial="1", filesystem_uuid="1A2B-3C4D")


@pytest.fixture(params=MAKERS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> ImageDisk:
    maker = MAKERS[request.param]
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if shutil.which(maker[0]) is None:
        pytest.skip(f"{maker[0]} is missing")
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([*maker, str(image)], check=True, capture_output=True)
    made = ImageDisk(partial(mounts.image_mounted, image, request.param, tmp_path / "mount"))
    try:
        with made.mounted(read_only=False) as folder:
            transcend(folder)
            dash(folder)
    except MountFailed as reason:
        pytest.skip(f"this machine cannot mount {request.param}: {reason}")
    return made


def test_a_disk_is_read_emptied_and_marked(disk: ImageDisk, sqlite_database, keyring) -> None:
    depot = Depot.found(sqlite_database, keyring)
    camera = DiskCamera(disk.plugged(), Surroundings.of(sqlite_database, OrderBook(sqlite_database, keyring)))
    facts = camera.identify()
    camera.synchronise(Wishes(enrol_as="North depot"))
    listed = list_on(camera)
    with sqlite_database.write() as session:
        row = cameras.seen(session, depot.bay_id, facts)
        for one in listed:
            assert one.document
            recordings.found(session, row, one.document, one.envelope)
        for clip in session.scalars(select(Clip)):
            recordings.clip_stored(session, stored_clip(clip), "spool")
        for recording in session.scalars(select(Recording)):
            recordings.stored(session, recording.id, b"manifest")
        camera_id = row.id
    assert [one.document for one in list_on(camera)] == [one.document for one in listed]
    gone = camera.erase(granted(sqlite_database, camera_id))
    assert len(gone) == len(listed)
    assert list_on(camera) == []
    with disk.mounted(read_only=True) as folder, disk_files.opened_root(folder):
        left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {"DPB30/SYSTEM/VERSION.TXT", "bodyworn.mark"}


def list_on(camera: DiskCamera) -> list[Listed]:
    """List the recordings; of what is beside them only the maker's own file is told."""
    with camera.recordings() as source:
        listed = source.listed()
    assert {one.problem.id for one in listed if one.problem} <= {"camera-files-left-alone"}
    return [one for one in listed if one.document]


def granted(database, camera_id: str) -> list[Erasure]:
    with database.read() as session:
        may_go = erasures.erasable(session, session.get_one(Camera, camera_id), ErasePolicy(camera_lacks_room=True))
        return [Erasure(r.camera_recording_id, recordings.content_digest(r), proof) for r, proof in may_go]
