"""What a destination refuses for good: each object by itself, the rest goes on, and nothing of it is lost (C3, I11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import fake_destination as fd
import pytest
from bodyworn.models import ClipKind, CopyState, Destination, DestinationState, Place, Recording, RecordingState
from bodyworn.services import copies, deliveries, destinations
from bodyworn.services.erasing import ErasePolicy
from bodyworn.services.purging import purgeable
from fake_destination import Turn
from rig_parts import ACTOR, event_actions
from yard import Yard, adopt

pytest_plugins = ["fixtures_database", "fixtures_yard"]

TWICE = 2


def capable(session_destination: Destination, **declared: bool) -> None:
    session_destination.capabilities = {**session_destination.capabilities, **declared}


@pytest.fixture
def plain(yard: Yard) -> Yard:
    """A destination that has no place for what it rejects."""
    with yard.database.write() as session:
        active = destinations.active(session)
        assert active is not None
        capable(active, rejected_content=False)
        active.categories_read_at = datetime.now(UTC)  # nobody asks it what it can do
    return yard


def rejecting(yard: Yard, path: str, turn: Turn, times: int = TWICE) -> None:
    yard.fake.script("PUT", path, *[turn] * times)


def there(yard: Yard, recording_id: str) -> dict[str, CopyState | None]:
    return {clip.name: copies.state(clip, Place.DESTINATION) for clip in yard.recording(recording_id).clips}


def is_refused(yard: Yard, *recording_ids: str) -> bool:
    return all(yard.state(one) is RecordingState.REFUSED for one in recording_ids)


@pytest.mark.feature("REC-3")
@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        (fd.status(400), "destination-rejected"),
        (fd.early(400), "destination-rejected"),
        (fd.status(413), "destination-too-large"),
    ],
)
def test_a_recording_that_is_refused_stays_here_and_the_others_go_on(plain: Yard, turn: Turn, problem: str) -> None:
    refused, other = plain.store(), plain.store()
    rejecting(plain, plain.clip_path(refused), turn)
    with plain.uploading():
        plain.wait(lambda: plain.is_delivered(other) and is_refused(plain, refused))
    assert plain.recording(refused).problem_id == problem
    assert plain.destination().state is DestinationState.OKAY
    assert plain.fake.containers[plain.recording(refused).container_name]["X-Container-Meta-Status"] == "Transferring"
    plain.check_nothing_lost(refused)
    assert plain.erasable(ErasePolicy(camera_lacks_room=True)) == [other]
    plain.check_delivered_once(other)


def test_one_refused_clip_does_not_hold_up_the_others_of_its_recording(plain: Yard) -> None:
    recording_id = plain.store(clips=3)
    refused = plain.recording(recording_id).clips[1].name
    rejecting(plain, refused, fd.status(400))
    with plain.uploading():
        plain.wait(lambda: is_refused(plain, recording_id))
    recording, states = plain.recording(recording_id), there(plain, recording_id)
    assert states.pop(refused) is CopyState.PROBLEM
    assert set(states.values()) == {CopyState.VERIFIED}
    assert plain.fake.containers[recording.container_name]["X-Container-Meta-Status"] == "Complete"
    assert recording.delivered_at is not None
    actions = event_actions(plain.database, recording_id)
    assert actions.index("clip.refused") < actions.index("recording.completed-in-part")
    plain.check_nothing_lost(recording_id)


def test_what_is_refused_goes_to_the_rejected_content_of_the_destination(yard: Yard) -> None:
    recording_id = yard.store(clips=2)
    refused = yard.recording(recording_id).clips[0].name
    rejecting(yard, refused, fd.status(400))
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    recording = yard.recording(recording_id)
    container = recording.rejected_container or ""
    about = yard.fake.containers[container]
    assert container.startswith("RejectedContent_")
    assert about["X-Container-Meta-Containername"] == container
    assert about["X-Container-Meta-Rejectedcontentoriginalcontainer"] == recording.container_name
    assert about["X-Container-Meta-Rejectedcontentreason"] == "rejected%20with%20status%20400"
    assert container.split("_")[1] == about["X-Container-Meta-Rejectedcontenttime"].replace("-", "").replace(":", "")
    assert "X-Container-Meta-Status" not in about
    put_aside = {path: one for path, one in yard.fake.objects.items() if path.startswith(container)}
    assert list(put_aside) == [f"{container}/{refused}"]
    original = put_aside[f"{container}/{refused}"].metadata["X-Object-Meta-Rejectedcontentoriginalcontainer"]
    assert original == recording.container_name
    assert set(there(yard, recording_id).values()) == {CopyState.VERIFIED}
    assert yard.erasable() == [recording_id], "each object is proved at the destination"
    with yard.database.read() as session:
        assert purgeable(session, 10, grace_seconds=-1.0) == [], "and its copy here stays for whoever asks for it"


def test_an_encrypted_clip_is_rejected_with_its_key_and_a_bookmark_never_is(yard: Yard) -> None:
    recording_id = yard.store(encrypted=True, bookmarks=1)
    clip = yard.recording(recording_id).clips[0]
    rejecting(yard, clip.name, fd.status(400))
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    recording = yard.recording(recording_id)
    kinds = {one.name: one.kind for one in recording.clips}
    aside = [path.partition("/")[2] for path in yard.fake.objects if path.startswith("RejectedContent_")]
    assert {kinds[name] for name in aside} == {ClipKind.CLIP, ClipKind.KEY, ClipKind.TRACK}
    bookmark = next(one.name for one in recording.clips if one.kind is ClipKind.BOOKMARK)
    assert there(yard, recording_id)[bookmark] is CopyState.PROBLEM
    assert yard.erasable() == []


def test_a_destination_that_refuses_even_rejected_content_leaves_all_here(yard: Yard) -> None:
    recording_id = yard.store()
    rejecting(yard, yard.recording(recording_id).clips[0].name, fd.status(400), times=3)
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    recording = yard.recording(recording_id)
    clip = recording.clips[0]
    assert {copy.problem_id for copy in clip.copies if copy.place is Place.DESTINATION} == {
        "destination-rejects-rejected"
    }
    yard.check_nothing_lost(recording_id)


def test_rejected_content_that_does_not_arrive_is_sent_later_into_the_same_container(yard: Yard) -> None:
    recording_id = yard.store()
    rejecting(yard, yard.recording(recording_id).clips[0].name, fd.status(400))
    yard.fake.script("PUT", "/RejectedContent_", fd.status(503))
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    containers = [name for name in yard.fake.containers if name.startswith("RejectedContent_")]
    assert containers == [yard.recording(recording_id).rejected_container]
    assert set(there(yard, recording_id).values()) == {CopyState.VERIFIED}


def test_a_container_that_is_refused_refuses_all_that_would_be_in_it(yard: Yard) -> None:
    recording_id = yard.store(clips=2)
    container = yard.recording(recording_id).container_name
    yard.fake.script("PUT", f"/{container}", fd.status(400), fd.status(400))
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    assert container not in yard.fake.containers
    assert len([path for path in yard.fake.objects if path.startswith("RejectedContent_")]) == 3
    assert yard.erasable() == [recording_id]


def test_users_and_cameras_that_are_refused_hold_up_and_refuse_nothing_for_good(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", "/Users/", *[fd.status(400)] * 20)
    with yard.uploading():
        yard.wait(lambda: yard.recording(recording_id).problem_id == "destination-refuses-description")
        assert yard.state(recording_id) is RecordingState.STORED
        yard.check_nothing_lost(recording_id)
        yard.fake.behave_again()
        yard.wait(lambda: yard.is_delivered(recording_id))
    yard.check_delivered_once(recording_id)


def test_a_container_that_vanishes_on_the_way_is_made_once_more_at_once(yard: Yard) -> None:
    recording_id = yard.store()
    path = yard.clip_path(recording_id)
    yard.fake.script("PUT", path, fd.status(404))
    with yard.uploading():
        yard.wait(lambda: yard.is_delivered(recording_id))
    container = path.partition("/")[0]
    assert [one.path.rpartition("/")[2] for one in yard.fake.seen("PUT", container)][:3] == [
        container,
        path.partition("/")[2],
        container,
    ]
    assert "recording.upload-failed" not in event_actions(yard.database, recording_id)


def test_one_that_stays_away_is_tried_again_later(yard: Yard) -> None:
    recording_id = yard.store()
    yard.fake.script("PUT", yard.clip_path(recording_id), fd.status(404), fd.status(404))
    with yard.uploading():
        yard.wait(lambda: yard.recording(recording_id).problem_id == "destination-container-missing")
        yard.check_nothing_lost(recording_id)
        yard.wait(lambda: yard.is_delivered(recording_id))


def test_bytes_that_arrive_changed_again_and_again_raise_an_alarm_and_are_sent_on(yard: Yard) -> None:
    recording_id = yard.store()
    path = yard.clip_path(recording_id)
    yard.fake.script("PUT", path, *[fd.status(422)] * 4)
    with yard.uploading():
        for attempt in range(1, 5):
            yard.wait(lambda n=attempt: yard.recording(recording_id).attempts >= n or yard.is_delivered(recording_id))
            with yard.database.write() as session:
                session.get_one(Recording, recording_id).retry_at = None
        assert yard.recording(recording_id).problem_id == "network-corrupts"
        yard.wait(lambda: yard.is_delivered(recording_id))
    assert len(yard.fake.seen("PUT", path)) == 5


def test_a_destination_that_knows_this_system_by_another_connection_gets_nothing(yard: Yard) -> None:
    recording_id = yard.store()
    with yard.database.read() as session:
        system_id = parcels_system_id(session)
    yard.fake.containers["System"] = {}
    yard.fake.objects[f"System/{system_id}"] = fd.StoredObject(b"", {"X-Object-Meta-Connectionid": "somebody-else"})
    with yard.uploading():
        yard.wait(lambda: yard.destination().state is DestinationState.STOPPED)
    assert yard.destination().problem_id == "another-destination"
    assert yard.recording(recording_id).container_name not in yard.fake.containers
    yard.check_nothing_lost(recording_id)


def parcels_system_id(session: object) -> str:
    from bodyworn.services import systems

    return systems.current(session).id  # type: ignore[arg-type]


@pytest.mark.feature("REC-3")
def test_trying_again_sends_what_was_refused_where_it_belongs(plain: Yard) -> None:
    recording_id = plain.store(clips=2)
    container = plain.recording(recording_id).container_name
    plain.fake.script("PUT", f"/{container}", fd.status(400), fd.status(400))
    with plain.uploading():
        plain.wait(lambda: is_refused(plain, recording_id))
        assert try_again(plain, recording_id)
        plain.wait(lambda: plain.is_delivered(recording_id))
    plain.check_delivered_once(recording_id)
    assert "recording.tried-again" in event_actions(plain.database, recording_id)
    assert not try_again(plain, recording_id), "what is delivered needs no other attempt"


def test_nothing_can_be_added_to_a_recording_that_was_completed_without_it(plain: Yard) -> None:
    recording_id = plain.store(clips=2)
    rejecting(plain, plain.clip_path(recording_id), fd.status(400))
    with plain.uploading():
        plain.wait(lambda: is_refused(plain, recording_id))
        assert not try_again(plain, recording_id)
        with plain.database.write() as session:
            active = destinations.active(session)
            assert active is not None
            capable(active, rejected_content=True)
        assert try_again(plain, recording_id), "but it can be put aside, where the destination has learned to"
        plain.wait(lambda: is_refused(plain, recording_id))
    assert [path for path in plain.fake.objects if path.startswith("RejectedContent_")]
    puts = plain.fake.seen("PUT", plain.clip_path(recording_id))
    assert len(puts) == TWICE, "after Complete nothing is sent to that container"


def try_again(yard: Yard, recording_id: str) -> bool:
    with yard.database.write() as session:
        active = destinations.active(session)
        assert active is not None
        return deliveries.try_again(session, recording_id, active, actor=ACTOR)


def test_another_destination_may_take_what_one_has_refused(
    make_yard: Callable[..., Yard],
) -> None:
    yard = make_yard()
    recording_id = yard.store()
    rejecting(yard, yard.clip_path(recording_id), fd.status(400))
    with yard.uploading():
        yard.wait(lambda: is_refused(yard, recording_id))
    with fd.FakeDestination() as yard.fake:
        adopt(yard)
        assert try_again(yard, recording_id)
        with yard.uploading():
            yard.wait(lambda: yard.is_delivered(recording_id))
        yard.check_delivered_once(recording_id)
