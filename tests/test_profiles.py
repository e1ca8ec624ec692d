"""Camera profiles: both worked examples, versions, and what a change asks of cameras."""

from __future__ import annotations

import pytest
from bodyworn.errors import ProfileChangedMeanwhile, ProfileInUse, ProfileNameTaken, ProfileNameUnfit, UnknownProfile
from bodyworn.models import CameraUser, Profile, new_id
from bodyworn.services import camera_settings, cameras, docks, profile_list, profile_settings, profiles, users
from bodyworn.services.profile_settings import BEST_QUALITY, DEFAULT, LONG_SHIFT, PRE_BUFFER_SECONDS, ProfileSettings
from bodyworn.services.sentence import Tone
from msgspec import structs
from rig_parts import ACTOR, START, Depot, event_actions, find, make_document
from sqlalchemy import select
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]


def named(session: Session, name: str) -> Profile:
    return session.scalars(select(Profile).where(Profile.name == name)).one()


def user_with(session: Session, profile: Profile) -> CameraUser:
    user = users.create_user(session, name=f"Wears {profile.name}", actor=ACTOR)
    user.profile_id = profile.id
    session.flush()
    return user


def change(session: Session, profile: Profile, **changes: object) -> Profile:
    settings = structs.replace(profile_settings.read(profile), **changes)
    return profiles.change(session, profile.id, profile.name, settings, of_version=profile.version, actor=ACTOR)


@pytest.mark.feature("USR-3")
def test_a_system_begins_with_profiles_to_start_from(depot: Depot) -> None:
    with depot.database.read() as session:
        listed = profile_list.rows(session)
    assert [(one.name, one.default) for one in listed] == [
        ("Default", True),
        ("Best quality", False),
        ("Long shift", False),
    ]
    assert [one.settings for one in listed] == [DEFAULT.settings, BEST_QUALITY.settings, LONG_SHIFT.settings]


@pytest.mark.feature("USR-3")
def test_nobody_is_heard_where_audio_is_off() -> None:
    silent = ProfileSettings(audio=False).consistent()
    assert (silent.audio_post_processing, silent.pre_buffer_audio) == (False, False)
    assert not ProfileSettings(pre_buffer_seconds=0).consistent().pre_buffer_audio
    assert [one.settings.consistent() for one in profile_settings.PRESETS] == [
        one.settings for one in profile_settings.PRESETS
    ]
    assert PRE_BUFFER_SECONDS == (0, 15, 30, 60, 90)


@pytest.mark.feature("USR-3")
def test_a_change_raises_the_version_and_is_wanted_of_exactly_its_cameras(depot: Depot) -> None:
    with depot.database.write() as session:
        long_shift, default = named(session, "Long shift"), named(session, "Default")
        camera = depot.camera(session)
        cameras.assign(session, camera.id, user_with(session, long_shift).id, actor=ACTOR)
        wanted = camera.wanted_settings
        change(session, default, location=False)
        session.refresh(camera)
        assert camera.wanted_settings == wanted
        change(session, long_shift, location=True)
        session.refresh(camera)
        assert camera.wanted_settings > wanted
        told = camera_settings.wanted(session, camera)
        assert told.profile is not None
        assert (told.profile.location, told.profile_version) == (True, 2)
    assert event_actions(depot.database, long_shift.id) == ["profile.changed"]


def test_saving_what_is_there_already_changes_nothing(depot: Depot) -> None:
    with depot.database.write() as session:
        profile = change(session, named(session, "Default"))
        assert profile.version == 1
    assert event_actions(depot.database, profile.id) == []


def test_nobody_saves_over_what_somebody_else_has_saved(depot: Depot) -> None:
    with depot.database.write() as session:
        profile = change(session, named(session, "Default"), location=False)
        with pytest.raises(ProfileChangedMeanwhile, match="Default"):
            profiles.change(session, profile.id, "Default", DEFAULT.settings, of_version=1, actor=ACTOR)


def test_a_name_belongs_to_one_profile(depot: Depot) -> None:
    with depot.database.write() as session:
        with pytest.raises(ProfileNameTaken, match="Long shift"):
            profiles.create(session, "Long shift", DEFAULT.settings, actor=ACTOR)
        default = named(session, "Default")
        with pytest.raises(ProfileNameTaken):
            profiles.change(session, default.id, "Long shift", DEFAULT.settings, of_version=1, actor=ACTOR)
        made = profiles.create(session, "Nacht ☾", LONG_SHIFT.settings, actor=ACTOR)
        assert (made.version, made.default) == (1, False)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\x07", "\u202egnihton", "\u200b"])
def test_a_name_that_cameras_cannot_keep_is_refused(depot: Depot, name: str) -> None:
    with depot.database.write() as session:
        with pytest.raises(ProfileNameUnfit, match="1 to 64 characters"):
            profiles.create(session, name, DEFAULT.settings, actor=ACTOR)
        default = named(session, "Default")
        with pytest.raises(ProfileNameUnfit):
            profiles.change(session, default.id, name, DEFAULT.settings, of_version=1, actor=ACTOR)


@pytest.mark.feature("USR-2")
def test_new_users_get_the_default_profile_and_others_keep_theirs(depot: Depot) -> None:
    with depot.database.write() as session:
        before = users.create_user(session, name="Ada", actor=ACTOR)
        long_shift = profiles.make_default(session, named(session, "Long shift").id, actor=ACTOR)
        after = users.create_user(session, name="Bob", actor=ACTOR)
        assert (before.profile_id, after.profile_id) == (named(session, "Default").id, long_shift.id)
        assert session.scalars(select(Profile.name).where(Profile.default)).all() == ["Long shift"]


def test_another_default_is_wanted_of_cameras_without_a_user(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        wanted = camera.wanted_settings
        profiles.make_default(session, named(session, "Long shift").id, actor=ACTOR)
        session.refresh(camera)
        assert camera.wanted_settings > wanted


def test_a_profile_that_somebody_has_cannot_be_removed(depot: Depot) -> None:
    with depot.database.write() as session:
        long_shift = named(session, "Long shift")
        user = user_with(session, long_shift)
        with pytest.raises(ProfileInUse, match="Long shift"):
            profiles.remove(session, long_shift.id, actor=ACTOR)
        with pytest.raises(ProfileInUse, match="Default"):
            profiles.remove(session, named(session, "Default").id, actor=ACTOR)
        user.active = False
        session.flush()
        profiles.remove(session, long_shift.id, actor=ACTOR)
        with pytest.raises(UnknownProfile):
            profiles.get(session, long_shift.id)
        session.refresh(user)
        assert user.profile_id is None


def test_what_was_acknowledged_says_which_version_a_camera_has(depot: Depot) -> None:
    def has() -> tuple[str, Tone]:
        (row,) = profile_list.cameras(session, default.id, 1).rows
        return row.word.one.format(**row.word.values), row.tone

    with depot.database.write() as session:
        default, camera = named(session, "Default"), depot.camera(session)
        camera_settings_before = camera_settings.wanted(session, camera)
        profiles.taken_over(session, camera, camera.wanted_settings, camera_settings_before)
        cameras.settings_applied(session, camera.id, camera.wanted_settings)
        assert has() == ("Version 1", Tone.OKAY)
        change(session, default, location=False)
        assert has() == ("Version 2 at its next turn", Tone.MOVING)
        docks.empty(session, depot.bay_id)
        assert has() == ("Version 1 until it is docked", Tone.ATTENTION)
        profiles.taken_over(session, camera, 9999, camera_settings_before)
        assert has() == ("Not known until it is docked", Tone.ATTENTION)


def test_storage_is_measured_from_recordings_with_this_version_alone(depot: Depot) -> None:
    with depot.database.write() as session:
        default, camera = named(session, "Default"), depot.camera(session)
        assert profile_list.profile(session, default.id).measured is None
        wanted = camera_settings.wanted(session, camera)
        profiles.taken_over(session, camera, wanted.sequence, wanted)
        cameras.settings_applied(session, camera.id, wanted.sequence)
        document = make_document(camera.serial, clips=7, start=START, settings_sequence=wanted.sequence)
        find(session, camera, depot.key, document)
        measured = profile_list.profile(session, default.id).measured
        assert measured is not None
        assert (measured.recordings, measured.bytes_per_hour) == (1, 360_000)
        change(session, default, location=False)
        assert profile_list.profile(session, default.id).measured is None


def test_a_profile_that_is_not_there_is_told(depot: Depot) -> None:
    with depot.database.read() as session, pytest.raises(UnknownProfile):
        profile_list.profile(session, new_id())


def test_the_list_counts_users_and_the_versions_of_their_cameras(depot: Depot) -> None:
    def counted() -> dict[str, tuple[int, int, int]]:
        return {one.name: (one.users, one.cameras, one.up_to_date) for one in profile_list.rows(session)}

    with depot.database.write() as session:
        camera, user = depot.camera(session), user_with(session, named(session, "Long shift"))
        user_with(session, named(session, "Default")).profile_id = None
        assert counted() == {"Default": (1, 1, 0), "Best quality": (0, 0, 0), "Long shift": (1, 0, 0)}
        cameras.assign(session, camera.id, user.id, actor=ACTOR)
        wanted = camera_settings.wanted(session, camera)
        profiles.taken_over(session, camera, wanted.sequence, wanted)
        session.flush()
        assert counted()["Long shift"] == (1, 1, 1)
        change(session, named(session, "Long shift"), location=True)
        assert counted()["Long shift"] == (1, 1, 0)
