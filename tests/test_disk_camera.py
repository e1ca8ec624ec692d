"""The driver for plain disks on a whole system: who it is, what is taken, who wore it, and what is deleted when."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodyworn import errors
from bodyworn.hw.docking import Docking
from bodyworn.hw.drivers.disk import DiskCamera
from bodyworn.hw.drivers.plugged import Surroundings
from bodyworn.hw.drivers.protocol import Erasure, Wishes
from bodyworn.hw.intake import Intake
from bodyworn.hw.workshop import Workshop
from bodyworn.models import (
    Bay,
    BayState,
    Belonging,
    Camera,
    CameraUser,
    ClipKind,
    CopyState,
    Place,
    Recording,
    RecordingState,
    Trust,
)
from bodyworn.services import (
    camera_settings,
    cameras,
    copies,
    deliveries,
    documents,
    erasures,
    findings,
    history,
    parcels,
    recordings,
    users,
)
from bodyworn.services.deliveries import Delivery
from bodyworn.services.erasing import ErasePolicy
from bodyworn.services.findings import Finding
from disk_parts import FAMILIES, MINUTE, START, Family, FolderDisk, dcim, put, transcend
from rig_parts import ACTOR, Depot, event_actions, find, make_document, sign
from seed import connect_destination
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]

PATIENCE_SECONDS = 10
#: Before anything was recorded on the disks of these tests.
HANDED_OUT = datetime(2026, 3, 4, tzinfo=UTC)
WAITING, NO_ROOM = ErasePolicy(camera_lacks_room=False), ErasePolicy(camera_lacks_room=True)


@dataclass
class Site:
    """A system with a disk camera in its bay."""

    shop: Workshop
    bay_id: str
    disk: FolderDisk
    camera: DiskCamera
    camera_id: str = ""

    def dock(self, worn_by: str | None = None) -> None:
        """Plug it in; it is added, and told what a docking tells it."""
        self.camera = DiskCamera(self.disk.plugged(), Surroundings.of(self.shop.database, self.shop.book))
        facts = self.camera.identify()
        with self.shop.database.write() as session:
            self.camera_id = cameras.seen(session, self.bay_id, facts).id
            if cameras.get(session, self.camera_id).belonging is Belonging.NEW:
                cameras.add_cameras(session, [self.camera_id], actor=ACTOR)
        if worn_by:
            self.wear(worn_by)
        self.synchronise()

    def synchronise(self) -> None:
        """Do what a docking does between identifying and taking."""
        with self.shop.database.read() as session:
            camera = cameras.get(session, self.camera_id)
            wishes = Wishes(
                enrol_as="North depot",
                settings=camera_settings.wanted(session, camera),
                set_clock=True,
                renew_lease=True,
                came_with_settings=camera.applied_settings or 0,
            )
        outcome = self.camera.synchronise(wishes)
        with self.shop.database.write() as session:
            cameras.observe(cameras.get(session, self.camera_id), self.camera.facts())
            if outcome.settings_sequence is not None:
                cameras.settings_applied(session, self.camera_id, outcome.settings_sequence)

    def wear(self, name: str) -> None:
        """Assign it to a new user."""
        with self.shop.database.write() as session:
            user_id = users.create_user(session, name=name, actor=ACTOR).id
            cameras.assign(session, self.camera_id, user_id, actor=ACTOR)

    def take(self) -> list[errors.BodywornError]:
        """Take what it has, and look after it as a docking does then; gives the problems."""
        intake = Intake(self.shop, self.bay_id, self.camera_id, self.camera)
        intake.run()
        self.synchronise()
        return intake.problems

    def hand_out(self, name: str) -> None:
        """Give the empty camera to somebody, who takes it out."""
        self.dock(worn_by=name)
        self.take()
        self.disk.mountings.clear()
        self.listed_at(HANDED_OUT)

    def listed_at(self, moment: datetime) -> None:
        """Let its last listing have been then."""
        with self.shop.database.write() as session:
            cameras.get(session, self.camera_id).listed_at = moment

    def deliver(self) -> None:
        """Let a destination prove everything that goes there."""
        with self.shop.database.write() as session:
            destination = connect_destination(session, datetime.now(UTC))
            for recording in deliveries.due(session, limit=100):
                deliveries.sending(session, recording.id, destination)
                for clip in recording.clips:
                    if deliveries.travels(clip, destination):
                        proof = Delivery(clip.id, verified=True, md5=clip.stored_md5 or "")
                        deliveries.clip_delivered(session, proof, "there")
                deliveries.delivered(session, recording.id)
            destination.active = False

    def granted(self, policy: ErasePolicy = WAITING) -> list[Erasure]:
        """List what may go."""
        with self.shop.database.read() as session:
            granted = erasures.erasable(session, session.get_one(Camera, self.camera_id), policy)
            return [Erasure(r.camera_recording_id, recordings.content_digest(r), proof) for r, proof in granted]

    def wearers(self) -> list[str | None]:
        """Name who wore it, recording by recording."""
        with self.shop.database.read() as session:
            names = {user.id: user.name for user in session.scalars(select(CameraUser))}
            return [names.get(one.camera_user_id or "") for one in self._recordings(session)]

    def states(self) -> list[RecordingState]:
        """Say how far each recording is."""
        with self.shop.database.read() as session:
            return [one.state for one in self._recordings(session)]

    def spooled(self) -> dict[str, bytes]:
        """Give every file in the spool by its name on the camera."""
        with self.shop.database.read() as session:
            return {
                clip.source_name or "": (self.shop.spool.root / one.container_name / clip.spool_name).read_bytes()
                for one in self._recordings(session)
                for clip in one.clips
            }

    @staticmethod
    def _recordings(session):
        return list(session.scalars(select(Recording).order_by(Recording.start_at)))


@pytest.fixture
def site(sqlite_database, keyring, tmp_path: Path) -> Site:
    depot = Depot.found(sqlite_database, keyring)
    shop = Workshop.on(sqlite_database, keyring, tmp_path, reserve_bytes=0)
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = FolderDisk(folder)
    return Site(shop, depot.bay_id, disk, DiskCamera(disk.plugged(), Surroundings.of(sqlite_database, shop.book)))


def on(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# who it is


def test_a_disk_is_identified_without_being_opened(site: Site) -> None:
    facts = site.camera.identify()
    assert site.disk.mountings == []
    assert facts.public_key is None
    assert facts.serial.startswith("966110000000100-")


def test_two_disks_with_one_serial_number_are_two_cameras(site: Site) -> None:
    one, other = (DiskCamera(replace(site.disk, uuid=uuid).plugged(), site.camera._surroundings) for uuid in ("A", "B"))
    assert one.identify().serial != other.identify().serial


def test_the_same_disk_is_the_same_camera_and_is_marked_only(site: Site) -> None:
    site.dock()
    first = site.camera_id
    site.dock()
    assert site.camera_id == first
    with site.shop.database.read() as session:
        assert cameras.get(session, first).trust is Trust.MARKED


@pytest.mark.parametrize("uuid", ["", "0000-0000"])
def test_a_disk_without_a_number_is_not_read(site: Site, uuid: str) -> None:
    camera = DiskCamera(replace(site.disk, uuid=uuid).plugged(), site.camera._surroundings)
    with pytest.raises(errors.DiskWithoutIdentity):
        camera.identify()


def test_a_disk_without_any_serial_number_is_known_by_its_filesystem(site: Site) -> None:
    camera = DiskCamera(replace(site.disk, serial="").plugged(), site.camera._surroundings)
    assert camera.identify().serial.startswith("disk-")


def test_what_a_disk_looks_like_is_seen_once_it_belongs_here(site: Site) -> None:
    transcend(site.disk.folder)
    site.dock()
    facts = site.camera.facts()
    assert (facts.manufacturer, facts.model) == ("Transcend", "DrivePro Body 30")
    assert facts.storage_total_bytes
    assert site.disk.mountings == ["ro"]


def test_a_clock_that_is_ahead_is_measured_and_corrects_the_containers_name(site: Site) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    put(site.disk.folder, "DCIM/MOV_0001.MOV", end=ahead.replace(tzinfo=None))
    site.dock()
    offset = site.camera.facts().clock_offset_seconds
    assert offset is not None
    assert offset == pytest.approx(5 * 3600, abs=60)
    site.take()
    with site.shop.database.read() as session:
        recording = session.scalars(select(Recording)).one()
        corrected = recording.trigger_on_at - timedelta(seconds=round(offset))
        assert f"{corrected:%Y%m%dT%H%M%SZ}" in recording.container_name


@pytest.mark.feature("CAM-13")
def test_a_clock_that_is_behind_is_known_by_what_was_recorded_since_the_last_docking(site: Site) -> None:
    site.hand_out("Ada")
    site.listed_at(START.replace(tzinfo=UTC) + timedelta(days=30))
    transcend(site.disk.folder)
    site.dock()
    offset = site.camera.facts().clock_offset_seconds
    assert offset is not None
    assert -31 * 86400 < offset < -29 * 86400
    site.take()
    with site.shop.database.read() as session:
        camera = cameras.get(session, site.camera_id)
        assert camera.problem_id == errors.CameraClockBehind.id
        for recording in session.scalars(select(Recording)):
            corrected = recording.trigger_on_at - timedelta(seconds=round(offset))
            assert f"{corrected:%Y%m%dT%H%M%SZ}" in recording.container_name
    with pytest.raises(errors.CameraClockBehind):
        site.wear("Bob")


def test_a_clock_that_was_behind_is_right_again_when_something_later_is_recorded(site: Site) -> None:
    test_a_clock_that_is_behind_is_known_by_what_was_recorded_since_the_last_docking(site)
    site.listed_at(HANDED_OUT + timedelta(days=60))
    put(site.disk.folder, "DPB30/VIDEO/20260601_060607.MP4", end=START + timedelta(days=89))
    site.dock()
    site.wear("Bob")
    with site.shop.database.read() as session:
        assert cameras.get(session, site.camera_id).problem_id is None


def test_nothing_new_on_a_disk_proves_nothing_about_its_clock(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.dock()
    site.take()
    (site.disk.folder / "Event").mkdir()
    moved = min(site.disk.folder.rglob("*.MP4"))
    moved.rename(site.disk.folder / "Event" / moved.name)
    site.dock()
    assert site.camera.facts().clock_is_behind is None


def test_what_was_left_on_a_camera_is_in_its_history_once(site: Site) -> None:
    transcend(site.disk.folder)
    (site.disk.folder / "link.mp4").symlink_to("/etc/passwd")
    site.dock()
    for _ in range(2):
        assert [type(one) for one in site.take()] == [errors.CameraFileRefused]
    with site.shop.database.read() as session:
        lines = history.history(session, "camera", [site.camera_id])
    told = [dict(line.detail)["left"] for line in lines if "remarks" in line.what.one]
    assert len(told) == 1
    assert "link.mp4" in told[0]
    assert "DPB30/SYSTEM/VERSION.TXT" in told[0]


# what is taken


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.layout)
@pytest.mark.feature("HST-5")
def test_every_file_of_every_family_is_stored_as_it_is(site: Site, family: Family) -> None:
    family.build(site.disk.folder)
    before = on(site.disk.folder)
    site.dock()
    assert site.take() == []
    stored = site.spooled()
    assert len(stored) == sum(family.recordings)
    assert all(before[path] == data for path, data in stored.items())
    assert len(before) - len(stored) == family.left_alone
    assert on(site.disk.folder) == before
    assert set(site.disk.mountings) == {"ro"}
    assert site.states() == [RecordingState.STORED] * len(family.recordings)


def test_what_is_sent_is_described_from_the_finding(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.dock()
    site.take()
    with site.shop.database.write() as session:
        destination = connect_destination(session, datetime.now(UTC))
        recording = deliveries.due(session, limit=1)[0]
        document = documents.read(recording, session.get_one(Camera, recording.camera_id))
        parcel = parcels.pack(session, recording, document, destination)
    assert isinstance(document, Finding)
    assert parcel.metadata["BWCModel"] == "DrivePro Body 30"
    assert parcel.metadata["StartTimeISO"] == "2026-03-04T06:06:07Z"
    assert [item.name.partition(".")[2] for item in parcel.items] == ["mp4"] * 3
    assert {item.metadata["ContainerType"] for item in parcel.items} == {"mp4"}


def test_photos_stay_here_and_recordings_of_nothing_else_are_not_sent(site: Site) -> None:
    site.hand_out("Ada")
    put(site.disk.folder, f"DCIM/{START:%Y%m%d_%H%M%S}.JPG")
    site.dock()
    site.take()
    assert site.wearers() == ["Ada"]
    with site.shop.database.write() as session:
        assert deliveries.due(session, limit=10) == []
    assert len(site.granted()) == 1  # its copy here is all that it will have


def test_a_file_that_grows_or_shrinks_meanwhile_is_not_taken_for_what_was_listed(site: Site) -> None:
    dcim(site.disk.folder)
    site.dock()
    one, other = sorted(site.disk.folder.rglob("*.MOV"))
    intake = Intake(site.shop, site.bay_id, site.camera_id, site.camera)
    claim = site.camera.claim

    def change_after_listing(ids):
        one.write_bytes(one.read_bytes() + b"more")
        os.truncate(other, 3)
        return claim(ids)

    site.camera.claim = change_after_listing  # type: ignore[method-assign]
    intake.run()
    assert [type(problem) for problem in intake.problems] == [errors.ClipDiffers] * 2
    assert [path for path in site.shop.spool.root.glob("*/*") if path.is_file()] == []
    site.camera.claim = claim  # type: ignore[method-assign]
    assert site.take() == []
    stored = {path.read_bytes() for path in site.shop.spool.root.glob("*/*") if path.is_file()}
    assert stored == {one.read_bytes(), other.read_bytes()}


def test_a_disk_pulled_out_is_gone(site: Site) -> None:
    site.dock()
    site.disk.plugged_in = False
    with pytest.raises(errors.CameraGone), site.camera.recordings():
        pass
    with pytest.raises(errors.CameraGone):
        site.camera.ensure_connected()
    assert not site.camera.is_there()


# who wore it


def test_the_wearer_is_whoever_had_it_when_it_was_undocked(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.wear("Bob")  # decided while it is out
    site.dock()
    site.take()
    assert site.wearers() == ["Ada", "Ada"]
    later = START + timedelta(days=1)
    put(site.disk.folder, f"DPB30/VIDEO/{later:%Y%m%d_%H%M%S}.MP4", end=later + MINUTE)
    site.dock()
    site.take()
    assert site.wearers() == ["Ada", "Ada", "Bob"]


def test_an_assignment_in_the_dock_changes_nothing_about_what_is_on_the_camera(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.dock()
    site.wear("Bob")
    site.synchronise()
    site.take()
    assert site.wearers() == ["Ada", "Ada"]


def test_a_docking_cut_short_before_its_listing_gives_nothing_to_the_next_wearer(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.wear("Bob")
    for _ in range(3):
        site.dock()  # pulled out, or the controller is started anew
    site.take()
    assert site.wearers() == ["Ada", "Ada"]


def test_what_was_recorded_before_anybody_wore_it_is_nobodys(site: Site) -> None:
    transcend(site.disk.folder)
    site.dock(worn_by="Ada")
    site.take()
    assert site.wearers() == [None, None]


# what is deleted


@pytest.fixture
def worn(site: Site) -> Site:
    """A camera that was worn, with everything of it stored and delivered."""
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.dock()
    site.take()
    site.deliver()
    site.disk.mountings.clear()
    return site


def test_what_is_proved_elsewhere_is_deleted_in_one_writable_window(worn: Site) -> None:
    granted = worn.granted()
    assert len(granted) == 2
    gone = worn.camera.erase(granted)
    assert set(gone) == {one.camera_recording_id for one in granted}
    assert worn.disk.files() == {"DPB30/SYSTEM/VERSION.TXT"}
    assert worn.disk.mountings == ["ro", "rw", "ro"]


def test_deleting_again_after_a_crash_ends_in_the_same_place(worn: Site) -> None:
    granted = worn.granted()
    assert worn.camera.erase(granted) == worn.camera.erase(granted)


def test_nothing_may_go_while_anything_on_the_disk_is_not_stored(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.dock()
    site.take()
    with site.shop.database.write() as session:
        recording = session.scalars(select(Recording)).first()
        recording.stored_at = None
    assert site.granted(NO_ROOM) == []


def test_a_recording_that_vanished_keeps_nothing_else_back(worn: Site) -> None:
    with worn.shop.database.write() as session:
        recording = session.scalars(select(Recording).order_by(Recording.start_at)).first()
        recording.stored_at, recording.state = None, RecordingState.FOUND
        recordings.vanished(session, cameras.get(session, worn.camera_id), [])
    assert len(worn.granted()) == 1


def test_a_file_that_nobody_has_seen_yet_closes_the_window_before_it_opens(worn: Site) -> None:
    granted = worn.granted()
    put(worn.disk.folder, "DPB30/VIDEO/20260305_060607.MP4")
    with pytest.raises(errors.DiskNotAllStored):
        worn.camera.erase(granted)
    assert worn.disk.mountings == ["ro"]
    assert worn.take() == []


def test_a_folder_that_cannot_be_looked_into_closes_the_window(worn: Site) -> None:
    (worn.disk.folder / "/".join("abcdefghijk")).mkdir(parents=True)
    with pytest.raises(errors.DiskNotAllStored):
        worn.camera.erase(worn.granted())
    assert worn.disk.mountings == ["ro"]


@pytest.mark.parametrize("change", ["size", "time", "head", "tail", "link"])
def test_a_file_that_changed_stays_and_so_does_everything_else(worn: Site, change: str) -> None:
    """It changes in the last moment: between the look at everything and the window."""
    granted, before = worn.granted(), worn.disk.files()
    target = min(worn.disk.folder.rglob("*.MP4"))
    facts, data = target.stat(), target.read_bytes()

    def tamper() -> None:
        if change == "time":
            os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns + 2 * 10**9))
            return
        if change == "link":
            target.unlink()
            target.symlink_to("/etc/passwd")
            return
        target.write_bytes({"size": data + b"x", "head": b"X" + data[1:], "tail": data[:-1] + b"X"}[change])
        os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    worn.disk.on_writable = tamper
    with pytest.raises((errors.DiskChanged, errors.CameraFileRefused)):
        worn.camera.erase(granted)
    assert worn.disk.files() | {str(target.relative_to(worn.disk.folder))} == before


def test_nothing_is_deleted_that_was_not_ordered(worn: Site) -> None:
    first, second = worn.granted()
    assert worn.camera.erase([first]) == (first.camera_recording_id,)
    with worn.shop.database.read() as session:
        kept = session.scalars(select(Recording).where(Recording.camera_recording_id == second.camera_recording_id))
        assert {clip.source_name for clip in kept.one().clips} <= worn.disk.files()


def test_an_order_without_a_proof_for_each_file_is_a_defect(worn: Site) -> None:
    first = max(worn.granted(), key=lambda one: len(one.proof.sha256s))
    short = replace(first.proof, sha256s=first.proof.sha256s[:1])
    with pytest.raises(AssertionError, match="I1"):
        worn.camera.erase([replace(first, proof=short)])
    assert worn.disk.mountings == []


def test_unknown_recordings_are_not_looked_for(worn: Site) -> None:
    stranger = replace(worn.granted()[0], camera_recording_id="00000000-0000-0000-0000-000000000000")
    before = worn.disk.files()
    assert worn.camera.erase([stranger]) == ()
    assert worn.disk.files() == before


def test_the_disk_is_marked_in_the_window_and_a_card_from_another_camera_is_noticed(worn: Site) -> None:
    worn.camera.erase(worn.granted())
    assert (worn.disk.folder / "bodyworn.mark").exists()
    worn.dock()
    worn.disk = replace(worn.disk, serial="966110000000200")
    with pytest.raises(errors.CameraNotGenuine):
        worn.dock()


def test_a_mark_that_is_damaged_or_foreign_counts_as_none(site: Site) -> None:
    put(site.disk.folder, "bodyworn.mark", b"{")
    transcend(site.disk.folder)
    site.dock()
    assert site.take() == []


# signed documents stay as strict as they are


def test_a_camera_with_a_key_never_has_an_unsigned_recording(sqlite_database, keyring, site: Site) -> None:
    transcend(site.disk.folder)
    site.dock()
    site.take()
    with sqlite_database.write() as session:
        unsigned = session.scalars(select(Recording)).first()
        finding = findings.read(unsigned.document)
        depot = Depot(sqlite_database, keyring, site.bay_id)
        camera = depot.camera(session)
        with pytest.raises(AssertionError):
            recordings.found(session, camera, finding, unsigned.document)
        signed = find(session, camera, depot.key, make_document(camera.serial))
        signed.document = unsigned.document
        with pytest.raises(errors.EnvelopeRefused):
            documents.read(signed, camera)


def test_a_disk_camera_never_has_a_signed_recording(site: Site) -> None:
    site.dock()
    depot = Depot(site.shop.database, site.shop.keyring, site.bay_id)
    document = make_document()
    with site.shop.database.write() as session, pytest.raises(AssertionError):
        recordings.found(session, cameras.get(session, site.camera_id), document, sign(document, depot.key))


# all of it


def test_a_docking_takes_everything_and_deletes_it_once_it_is_delivered(site: Site) -> None:
    site.hand_out("Ada")
    transcend(site.disk.folder)
    site.shop.bell.start()
    camera = DiskCamera(site.disk.plugged(), Surroundings.of(site.shop.database, site.shop.book))
    docking = Docking(site.shop, site.bay_id, camera)
    thread = threading.Thread(target=docking.run)
    thread.start()
    try:
        assert wait_until(lambda: state(site) is BayState.READY)
        assert len(site.disk.files()) == 6
        site.deliver()
        assert wait_until(lambda: site.disk.files() == {"DPB30/SYSTEM/VERSION.TXT"})
        assert wait_until(lambda: event_actions(site.shop.database).count("recording.erased") == 2)
    finally:
        site.disk.plugged_in = False
        thread.join(PATIENCE_SECONDS)
        site.shop.bell.stop()
    assert not thread.is_alive()
    with site.shop.database.read() as session:
        for recording in session.scalars(select(Recording)):
            for clip in recording.clips:
                assert copies.state(clip, Place.SPOOL) is CopyState.VERIFIED
                assert copies.state(clip, Place.CAMERA) is CopyState.ERASED
                there = copies.state(clip, Place.DESTINATION)
                assert (there is CopyState.VERIFIED) == (clip.kind is not ClipKind.ATTACHMENT)


def state(site: Site) -> BayState:
    with site.shop.database.read() as session:
        return session.get_one(Bay, site.bay_id).state


def wait_until(condition) -> bool:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
