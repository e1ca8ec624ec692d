"""What is sent of a recording: its objects in order, its description, and what the destination must be told first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest
from bodyworn.camera_volume.recording import Location, RecordingDocument
from bodyworn.destination.capabilities import EVERYTHING, NOTHING
from bodyworn.models import Camera, CameraUser, Clip, ClipKind, CopyState, Destination, Place, Recording, new_id
from bodyworn.services import cameras, copies, deliveries, documents, parcels, users
from bodyworn.services.deliveries import Delivery
from bodyworn.services.parcels import Notice, Parcel
from rig_parts import ACTOR, START, Depot, bookmark, find, make_document, store
from seed import connect_destination
from sqlalchemy import select
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]


@dataclass
class Waiting:
    """A stored recording and the destination that it is for."""

    depot: Depot
    recording_id: str
    destination_id: str

    def recording(self, session: Session) -> Recording:
        return session.get_one(Recording, self.recording_id)

    def destination(self, session: Session) -> Destination:
        return session.get_one(Destination, self.destination_id)

    def pack(self, session: Session) -> Parcel:
        recording = self.recording(session)
        document = documents.read(recording, session.scalars(select(Camera)).one())
        return parcels.pack(session, recording, document, self.destination(session))


@pytest.fixture
def waiting(depot: Depot) -> Waiting:
    with depot.database.write() as session:
        everything = msgspec.to_builtins(EVERYTHING)
        destination = connect_destination(session, datetime.now(UTC), capabilities=everything)
        camera = depot.camera(session, serial="SIM 0001/ä")
        ada = users.create_user(session, name="Ada", user_id="4711", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        recording = find(session, camera, depot.key, _document(camera.wanted_settings))
        store(session, recording, encrypted=True)
        return Waiting(depot, recording.id, destination.id)


def _document(settings_sequence: int) -> RecordingDocument:
    return make_document(
        "SIM0001",
        clips=2,
        settings_sequence=settings_sequence,
        bookmarks=(bookmark("here"),),
        trigger_on_location=Location(latitude=48.2, longitude=-16.37, accuracy=4.5, time=START),
    )


def notices(waiting: Waiting, session: Session, **how: bool) -> list[Notice]:
    return parcels.notices(session, waiting.recording(session), waiting.destination(session), **how)


def test_clips_go_first_and_their_keys_and_the_rest_after(waiting: Waiting) -> None:
    with waiting.depot.database.read() as session:
        parcel = waiting.pack(session)
        kinds = {clip.name: clip.kind for clip in waiting.recording(session).clips}
    assert [kinds[item.name] for item in parcel.items[:2]] == [ClipKind.CLIP, ClipKind.CLIP]
    assert kinds[parcel.items[-1].name] is ClipKind.BOOKMARK
    assert sorted(kinds.values()) == sorted(kinds[item.name] for item in parcel.items)
    assert [item.is_clip for item in parcel.items] == [True, True, *[False] * 5]


def test_an_item_is_what_lies_in_the_spool(waiting: Waiting) -> None:
    with waiting.depot.database.read() as session:
        parcel = waiting.pack(session)
        for item in parcel.items:
            clip = session.get_one(Clip, item.clip_id)
            assert (item.size_bytes, item.sha256, item.md5) == (
                clip.stored_size_bytes, clip.stored_sha256, clip.stored_md5,
            )  # fmt: skip
            assert item.metadata
            assert not item.delivered


def test_the_container_says_whose_and_when_and_where(waiting: Waiting) -> None:
    with waiting.depot.database.read() as session:
        parcel = waiting.pack(session)
        user = session.scalars(select(CameraUser)).one()
    told = parcel.metadata
    assert parcel.container == told["ContainerName"] == f"{user.id}_SIM-0001--_20260304T050607Z"
    assert told["BWCSerialNumber"] == "SIM-0001--"
    assert told["Status"] == "Transferring"
    assert told["UserID"] == user.id
    assert told["TimeZone"] == "Europe/Vienna"
    assert told["TriggerOnLocation"] == f"+48.200000-16.370000+4.5{START.timestamp():+.0f}"
    assert "TriggerOffLocation" not in told
    assert told["SCUSerialNumber"].startswith("BWC-")


def test_a_corrected_name_says_why_it_is_not_the_cameras_time(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        assert not any(key.startswith("Bodyworn") for key in waiting.pack(session).metadata)
        recording = waiting.recording(session)
        recording.clock_offset_seconds, recording.shifted_seconds = -3724.6, 2
        told = waiting.pack(session).metadata
    assert (told["BodywornClockOffsetSeconds"], told["BodywornShiftedSeconds"]) == ("-3725", "2")
    assert told["TriggerOnTime"] == f"{START.timestamp():.0f}", "what the camera said stays as it is"


@pytest.mark.feature("REC-4")
def test_a_category_travels_with_its_name_where_the_destination_has_categories(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        bookmark_row = next(clip for clip in waiting.recording(session).clips if clip.kind is ClipKind.BOOKMARK)
        bookmark_row.wire_metadata = {**bookmark_row.wire_metadata, "CategoryID": "5"}
        destination = waiting.destination(session)
        destination.categories = [{"id": "5", "name": "Traffic"}]

        def told() -> dict[str, str]:
            return next(item.metadata for item in waiting.pack(session).items if item.clip_id == bookmark_row.id)

        assert (told()["CategoryID"], told()["CategoryName"]) == ("5", "Traffic")
        destination.categories = []
        assert told()["CategoryID"] == "5", "one that is not known here comes from a camera that was long away"
        destination.capabilities = {**destination.capabilities, "read_categories": False}
        assert not {"CategoryID", "CategoryName"} & told().keys()


def test_what_this_destination_has_proved_is_not_sent_again(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        clip = waiting.recording(session).clips[0]
        domain = parcels.failure_domain(waiting.destination(session))
        deliveries.clip_delivered(session, Delivery(clip.id, verified=True, md5=clip.stored_md5 or ""), domain)
        assert [item.clip_id for item in waiting.pack(session).items if item.delivered] == [clip.id]


def test_what_another_destination_proved_or_this_one_only_said_is_sent_again(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        first, second, *_ = waiting.recording(session).clips
        domain = parcels.failure_domain(waiting.destination(session))
        deliveries.clip_delivered(session, Delivery(first.id, verified=True, md5=first.stored_md5 or ""), "elsewhere")
        deliveries.clip_delivered(session, Delivery(second.id, verified=False, md5=second.stored_md5 or ""), domain)
        assert not any(item.delivered for item in waiting.pack(session).items)


def test_what_is_not_safe_here_is_not_sent(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        copies.put(waiting.recording(session).clips[0], Place.SPOOL, CopyState.PROBLEM, "disk")
        with pytest.raises(AssertionError, match="I8"):
            waiting.pack(session)


@pytest.mark.feature("DST-3")
def test_system_user_and_camera_are_told_before_the_first_recording(waiting: Waiting) -> None:
    with waiting.depot.database.read() as session:
        told = notices(waiting, session)
        user = session.scalars(select(CameraUser)).one()
        assert [(one.container, one.name) for one in told[1:]] == [("Users", user.id), ("Devices", "SIM-0001--")]
        assert told[0].container == "System"
        assert "4711" in told[1].metadata.values()


@pytest.mark.feature("DST-7")
def test_what_was_told_is_told_again_only_when_it_changed_or_is_asked_for(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        destination = waiting.destination(session)
        for notice in notices(waiting, session):
            parcels.noticed(session, notice, destination)
        assert [one.container for one in notices(waiting, session)] == ["System"]
        assert [one.container for one in notices(waiting, session, again=True)] == ["System", "Users", "Devices"]
        session.scalars(select(CameraUser)).one().name = "Ada Lovelace"
        assert [one.container for one in notices(waiting, session)] == ["System", "Users"]


def test_another_destination_is_told_everything(waiting: Waiting) -> None:
    with waiting.depot.database.write() as session:
        for notice in notices(waiting, session):
            parcels.noticed(session, notice, waiting.destination(session))
        waiting.destination(session).active = False
        session.flush()
        other = connect_destination(session, datetime.now(UTC), capabilities=msgspec.to_builtins(NOTHING), id=new_id())
        told = parcels.notices(session, waiting.recording(session), other)
        assert [one.container for one in told] == ["Users", "Devices"]
        assert "4711" not in told[0].metadata.values(), "it did not say that it has a place for user ids"
