"""Camera users: people with a profile, and a number that nobody else has."""

from __future__ import annotations

import pytest
from bodyworn.errors import UserIdTaken
from bodyworn.models import CameraUser, Profile
from bodyworn.services import users
from rig_parts import ACTOR, Depot, event_actions
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
