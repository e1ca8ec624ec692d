"""Camera users: people with a profile, and a number that nobody else has."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from bodyworn.errors import UnknownCameraUser, UserIdTaken, UserNameUnfit
from bodyworn.models import CameraUser, Profile
from bodyworn.services import (
    camera_settings,
    cameras,
    events,
    parcels,
    user_file,
    user_import,
    user_importing,
    users,
)
from bodyworn.services.user_import import Mode
from rig_parts import ACTOR, Depot, event_actions
from seed import connect_destination
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]


@pytest.mark.feature("USR-2")
def test_a_user_begins_with_the_default_profile(depot: Depot) -> None:
    with depot.database.write() as session:
        user = users.create_user(session, name="Ada", user_id="4711", actor=ACTOR)
        default = session.scalars(select(Profile).where(Profile.default)).one()
        assert (user.profile_id, user.active) == (default.id, True)
    assert event_actions(depot.database, user.id) == ["user.created"]


@pytest.mark.feature("USR-1")
def test_a_number_is_given_once(depot: Depot) -> None:
    with depot.database.write() as session:
        users.create_user(session, name="Ada", user_id="4711", actor=ACTOR)
    with pytest.raises(UserIdTaken, match="4711"), depot.database.write() as session:
        users.create_user(session, name="Bob", user_id="4711", actor=ACTOR)
    with depot.database.read() as session:
        assert session.scalars(select(CameraUser.name)).all() == ["Ada"]


def test_users_without_a_number_may_be_many(depot: Depot) -> None:
    with depot.database.write() as session:
        for name in ("Bob", "Ada", "Bob"):
            users.create_user(session, name=name, actor=ACTOR)
        assert [user.name for user in users.active_users(session)] == ["Ada", "Bob", "Bob"]


def test_who_was_removed_is_not_offered(depot: Depot) -> None:
    with depot.database.write() as session:
        users.create_user(session, name="Ada", actor=ACTOR).active = False
        session.flush()
        assert users.active_users(session) == []


@pytest.mark.feature("USR-1")
def test_a_new_name_reaches_camera_and_destination(depot: Depot) -> None:
    with depot.database.write() as session:
        destination, camera = connect_destination(session, datetime.now(UTC)), depot.camera(session)
        ada = users.create_user(session, name="Ada", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        for notice in parcels.all_notices(session, destination):
            parcels.noticed(session, notice, destination)
        assert parcels.knows_user(ada, destination)
        before = camera.wanted_settings
        users.change_user(session, ada.id, name="Ada Lovelace", user_id="1", profile_id=None, actor=ACTOR)
        (told,) = parcels.all_notices(session, destination)
        assert (told.container, told.metadata["Name"], told.metadata["Active"]) == ("Users", "Ada Lovelace", "True")
        assert not parcels.knows_user(ada, destination)
        assert camera.wanted_settings > before
        wanted = camera_settings.wanted(session, camera).user
        assert wanted is not None
        assert (wanted.name, wanted.user_id) == ("Ada Lovelace", "1")


@pytest.mark.feature("USR-1")
def test_removal_is_inactive_at_the_destination_and_leaves_recordings_their_user(depot: Depot) -> None:
    with depot.database.write() as session:
        destination, camera = connect_destination(session, datetime.now(UTC)), depot.camera(session)
        ada = users.create_user(session, name="Ada", actor=ACTOR)
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        worn = camera.wanted_settings
        for notice in parcels.all_notices(session, destination):
            parcels.noticed(session, notice, destination)
        users.remove_user(session, ada.id, actor=ACTOR)
        (told,) = parcels.all_notices(session, destination)
        assert told.metadata["Active"] == "False"
        assert camera.camera_user_id is None
        assert cameras.wearer(session, camera.id, worn) == ada.id, "what it recorded before it is docked is hers"
        with pytest.raises(UnknownCameraUser):
            cameras.assign(session, camera.id, ada.id, actor=ACTOR)


@pytest.mark.feature("USR-5")
def test_a_file_is_imported_whole_or_not_at_all(depot: Depot) -> None:
    file = user_file.read(b"name,user_id\nAda,1\nBob,2\n")
    with depot.database.read() as session:
        shown = user_import.plan(session, file, Mode.ADD).fingerprint
    how = {"fingerprint": shown, "file_name": "people.csv", "actor": ACTOR}
    with suppress(ZeroDivisionError), depot.database.write() as session:
        user_importing.import_users(session, file, Mode.ADD, **how)
        raise ZeroDivisionError
    with depot.database.read() as session:
        assert users.active_users(session) == []
    with depot.database.write() as session:
        user_importing.import_users(session, file, Mode.ADD, **how)
    with depot.database.read() as session:
        assert [user.name for user in users.active_users(session)] == ["Ada", "Bob"]
        assert list(events.check(session)) == []


@pytest.mark.parametrize("name", ["", " ", "\u200b", "a\nb", "a\u202eb", "x" * 101, "\ud800"])
def test_a_name_that_cannot_be_read_is_refused_wherever_it_comes_from(depot: Depot, name: str) -> None:
    with pytest.raises(UserNameUnfit), depot.database.write() as session:
        users.create_user(session, name=name, actor=ACTOR)


@pytest.mark.parametrize("name", ["李小龍", "ألف باء", "👮🏽‍♀️", "O'Brien", "Ngũgĩ wa Thiong'o", "نویسنده‌ها", "x" * 100])
def test_a_name_of_any_script_stays_as_it_is(depot: Depot, name: str) -> None:
    with depot.database.write() as session:
        assert users.create_user(session, name=name, actor=ACTOR).name == name
