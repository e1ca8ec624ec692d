"""Nothing leaves a camera without a proof, and a proof is made of verified copies alone (I1, I5, I11)."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bodyworn.crypto.keys import SigningKey
from bodyworn.models import (
    Bay,
    Camera,
    Clip,
    ClipKind,
    CopyState,
    Database,
    Destination,
    Place,
    Recording,
    RecordingState,
)
from bodyworn.services import copies, erasures
from bodyworn.services.deliveries import Delivery, clip_delivered
from bodyworn.services.erasing import (
    ClipFacts,
    CopyFacts,
    ErasePolicy,
    EraseProof,
    Ground,
    Kept,
    Reason,
    may_erase,
)
from bodyworn.services.keyring import Keyring
from hypothesis import given, settings, strategies as st
from rig_parts import add_bay, add_camera, bookmark, event_actions, find, found_system, make_document, store
from seed import connect_destination
from sqlalchemy import select
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]

DIGEST = "a" * 64
NO_ROOM = ErasePolicy(camera_lacks_room=True)
ROOM = ErasePolicy(camera_lacks_room=False)

#: What can be known of a copy in one place; None is that nobody ever heard of one.
STATES: list[CopyState | None] = [None, *CopyState]


def facts(
    spool: CopyState | None = None,
    destination: CopyState | None = None,
    camera: CopyState | None = CopyState.KEPT,
    *,
    goes: bool = True,
    sha256: str | None = DIGEST,
    spool_domain: str = "disk",
) -> ClipFacts:
    known = [
        CopyFacts(place, state, domain)
        for place, state, domain in (
            (Place.CAMERA, camera, "camera"),
            (Place.SPOOL, spool, spool_domain),
            (Place.DESTINATION, destination, "destination"),
        )
        if state is not None
    ]
    return ClipFacts("clip", sha256, goes, tuple(known))


def allowed(spool: CopyState | None, destination: CopyState | None, *, goes: bool, lacks_room: bool) -> bool:
    """Say by decision 14, in its own words, whether one file may go."""
    if destination is CopyState.VERIFIED:
        return True
    if spool is not CopyState.VERIFIED:
        return False
    return destination is CopyState.ACKNOWLEDGED or not goes or lacks_room


def copies_elsewhere(clip: ClipFacts) -> set[str]:
    return {c.failure_domain for c in clip.copies if c.state is CopyState.VERIFIED and c.place is not Place.CAMERA}


def test_every_state_of_one_file_is_decided_as_the_decision_says() -> None:
    tried = 0
    for spool, destination, camera in itertools.product(STATES, STATES, STATES):
        for goes, lacks_room in itertools.product([True, False], repeat=2):
            clip = facts(spool, destination, camera, goes=goes)
            answer = may_erase("r", [clip], ErasePolicy(camera_lacks_room=lacks_room))
            expected = allowed(spool, destination, goes=goes, lacks_room=lacks_room)
            assert isinstance(answer, EraseProof) is expected, (spool, destination, camera, goes, lacks_room)
            if expected:
                assert copies_elsewhere(clip), "I1: a proof without a verified copy that is not the camera's own"
            tried += 1
    assert tried == 4 * len(STATES) ** 3


@given(
    clips=st.lists(
        st.tuples(st.sampled_from(STATES), st.sampled_from(STATES), st.booleans(), st.sampled_from([DIGEST, None])),
        max_size=5,
    ),
    lacks_room=st.booleans(),
    least_copies=st.integers(1, 3),
    one_disk=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_a_recording_goes_only_if_each_of_its_files_may_and_has_enough_copies(
    clips: list[tuple[CopyState | None, CopyState | None, bool, str | None]],
    lacks_room: bool,
    least_copies: int,
    one_disk: bool,
) -> None:
    domain = "destination" if one_disk else "disk"
    known = [facts(s, d, goes=goes, sha256=digest, spool_domain=domain) for s, d, goes, digest in clips]
    answer = may_erase("r", known, ErasePolicy(lacks_room, least_copies))
    each_may = all(allowed(s, d, goes=goes, lacks_room=lacks_room) and digest for s, d, goes, digest in clips)
    enough = all(len(copies_elsewhere(clip)) >= least_copies for clip in known)
    assert isinstance(answer, EraseProof) is bool(clips and each_may and enough)
    if isinstance(answer, EraseProof):
        assert answer.sha256s == tuple(DIGEST for _ in clips)
        assert answer.domains


def test_nothing_is_proved_of_a_recording_without_files() -> None:
    assert may_erase("r", [], NO_ROOM) == Kept("r", Reason.NOTHING_KNOWN)


def test_a_file_that_was_never_read_keeps_its_recording() -> None:
    whole = facts(CopyState.VERIFIED, CopyState.VERIFIED)
    unread = facts(CopyState.VERIFIED, CopyState.VERIFIED, sha256=None)
    assert may_erase("r", [whole, unread], NO_ROOM) == Kept("r", Reason.NOTHING_KNOWN)


@pytest.mark.parametrize("state", [None, *(state for state in CopyState if state is not CopyState.VERIFIED)])
def test_what_is_not_known_to_be_there_never_erases(state: CopyState | None) -> None:
    for other in (None, CopyState.KEPT, CopyState.WRITING, CopyState.PROBLEM, CopyState.ERASED):
        assert isinstance(may_erase("r", [facts(state, other)], NO_ROOM), Kept)


def test_two_copies_on_one_disk_are_one() -> None:
    clip = facts(CopyState.VERIFIED, CopyState.VERIFIED, spool_domain="destination")
    two = ErasePolicy(camera_lacks_room=False, least_copies=2)
    assert may_erase("r", [clip], two) == Kept("r", Reason.TOO_FEW_COPIES)
    assert isinstance(may_erase("r", [facts(CopyState.VERIFIED, CopyState.VERIFIED)], two), EraseProof)


def test_a_proof_names_its_weakest_ground() -> None:
    sure, said = facts(CopyState.VERIFIED, CopyState.VERIFIED), facts(CopyState.VERIFIED, CopyState.ACKNOWLEDGED)
    waiting = facts(CopyState.VERIFIED)
    for clips, ground in (
        ([sure], Ground.DESTINATION_VERIFIED),
        ([sure, said], Ground.DESTINATION_ACKNOWLEDGED),
        ([said, waiting, sure], Ground.STORED_AND_NO_ROOM),
    ):
        proof = may_erase("r", clips, NO_ROOM)
        assert isinstance(proof, EraseProof)
        assert proof.ground is ground


def test_a_policy_cannot_ask_for_no_copy() -> None:
    for least in (0, -1):
        with pytest.raises(ValueError, match="without a copy"):
            ErasePolicy(camera_lacks_room=True, least_copies=least)


def test_a_proof_cannot_be_made_elsewhere() -> None:
    with pytest.raises(AssertionError, match="only may_erase"):
        EraseProof("r", Ground.DESTINATION_VERIFIED, (DIGEST,), ("disk",), mint=object())
    with pytest.raises(TypeError):
        EraseProof("r", Ground.DESTINATION_VERIFIED, (DIGEST,), ("disk",))  # type: ignore[call-arg]
    proof = may_erase("r", [facts(CopyState.VERIFIED, CopyState.VERIFIED)], ROOM)
    assert isinstance(proof, EraseProof)
    with pytest.raises(dataclasses.FrozenInstanceError):
        proof.recording_id = "another"  # type: ignore[misc]
    assert "mint" not in repr(proof)


# --- what the database knows


@dataclasses.dataclass
class World:
    """A system with a destination, and recordings on its one camera."""

    database: Database
    bay_id: str
    destination_id: str
    key: SigningKey = dataclasses.field(default_factory=SigningKey.generate)

    def recording(self, session: Session, *, encrypted: bool = False, bookmarks: int = 0) -> Recording:
        """Let the camera bring a recording that is stored here."""
        camera = add_camera(session, session.get_one(Bay, self.bay_id), self.key)
        document = make_document(bookmarks=tuple(bookmark(str(number)) for number in range(bookmarks)))
        recording = find(session, camera, self.key, document)
        recording.destination_id = self.destination_id
        store(session, recording, encrypted=encrypted)
        return recording

    def erasable(self, session: Session, policy: ErasePolicy = ROOM) -> list[str]:
        """List what may go."""
        return [recording.id for recording, _ in erasures.erasable(session, the_camera(session), policy)]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """A stored recording on a camera, and a destination that verifies."""
    with database.write() as session:
        found_system(session, Keyring(tmp_path / "keys"))
        destination = connect_destination(session, datetime.now(UTC))
        return World(database, add_bay(session).id, destination.id)


def the_camera(session: Session) -> Camera:
    return session.scalars(select(Camera)).one()


def deliver(session: Session, clip: Clip, *, verified: bool = True) -> None:
    clip_delivered(session, Delivery(clip.id, verified, clip.stored_md5 or ""), "destination:1")


def test_a_stored_recording_waits_for_its_destination(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session)
        assert world.erasable(session) == []
        assert world.erasable(session, NO_ROOM) == [recording.id]


def test_it_goes_once_each_file_is_verified_there(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session)
        first, *others = recording.clips
        deliver(session, first)
        assert world.erasable(session) == []
        for clip in others:
            deliver(session, clip)
        assert world.erasable(session) == [recording.id]


def test_an_encrypted_clip_without_its_key_is_no_copy(world: World) -> None:
    """What cannot be decrypted there is not there (I8): the key has to be proved as well."""
    with world.database.write() as session:
        recording = world.recording(session, encrypted=True)
        for clip in recording.clips:
            if clip.kind is not ClipKind.KEY:
                deliver(session, clip)
        assert world.erasable(session) == []
        for clip in recording.clips:
            if clip.kind is ClipKind.KEY:
                deliver(session, clip)
        assert world.erasable(session) == [recording.id]


def test_a_bookmark_that_is_not_there_yet_keeps_its_recording(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session, bookmarks=1)
        for clip in recording.clips:
            if clip.kind is not ClipKind.BOOKMARK:
                deliver(session, clip)
        assert world.erasable(session) == []


def test_what_the_destination_has_no_place_for_needs_its_copy_here(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session, bookmarks=1)
        session.get_one(Destination, world.destination_id).capabilities = {}
        for clip in recording.clips:
            if clip.kind is ClipKind.CLIP:
                deliver(session, clip)
        assert world.erasable(session) == [recording.id]
        track = next(clip for clip in recording.clips if clip.kind is ClipKind.TRACK)
        copies.put(track, Place.SPOOL, CopyState.PROBLEM, "disk")
        assert world.erasable(session) == []


def test_what_was_refused_goes_only_where_each_object_is_proved_there(world: World) -> None:
    """It may never be delivered otherwise, so that the camera lacks room is no ground to give the original up."""
    with world.database.write() as session:
        recording = world.recording(session)
        recording.state = RecordingState.REFUSED
        first, *others = recording.clips
        for clip in others:
            deliver(session, clip)
        assert world.erasable(session, NO_ROOM) == []
        deliver(session, first)
        assert world.erasable(session, NO_ROOM) == [recording.id]


@pytest.mark.parametrize("state", [RecordingState.FOUND, RecordingState.QUARANTINED])
def test_what_is_not_well_stays_on_the_camera(world: World, state: RecordingState) -> None:
    with world.database.write() as session:
        recording = world.recording(session)
        for clip in recording.clips:
            deliver(session, clip)
        recording.state = state
        assert world.erasable(session, NO_ROOM) == []


def test_the_order_and_the_cameras_word_are_two_events(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session)
        for clip in recording.clips:
            deliver(session, clip)
        granted = erasures.erasable(session, the_camera(session), ROOM)
        erasures.erase_ordered(session, [proof for _, proof in granted])
        assert recording.erased_at is None
        erasures.erased(session, recording.camera_id, [recording.camera_recording_id])
        assert recording.erased_at is not None
        assert world.erasable(session, NO_ROOM) == []
        on_camera = [clip for clip in recording.clips if copies.state(clip, Place.CAMERA)]
        assert {copies.state(clip, Place.CAMERA) for clip in on_camera} == {CopyState.ERASED}
    actions = event_actions(world.database, recording.id)
    assert actions[-2:] == ["recording.erase-ordered", "recording.erased"]


def test_hearing_twice_that_it_is_gone_changes_nothing(world: World) -> None:
    with world.database.write() as session:
        recording = world.recording(session)
        for _ in range(2):
            erasures.erased(session, recording.camera_id, [recording.camera_recording_id])
    assert event_actions(world.database, recording.id).count("recording.erased") == 1
