"""Cameras are known by their keys, added by people, and worn by whom the settings say that they acknowledged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bodyworn.crypto.keys import SigningKey
from bodyworn.errors import UnknownCamera, UnknownCameraUser
from bodyworn.models import Assignment, Bay, Belonging, Camera, CameraUser, Trust, new_id
from bodyworn.services import camera_settings, cameras, users
from rig_parts import ACTOR, Depot, event_actions, seen_facts
from sqlalchemy import select
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]


def make_users(session: Session, *names: str) -> list[CameraUser]:
    return [users.create_user(session, name=name, actor=ACTOR) for name in names]


@pytest.mark.feature("CAM-1")
def test_a_camera_that_nobody_knows_is_new(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = cameras.seen(session, depot.bay_id, seen_facts(depot.key))
        assert (camera.belonging, camera.trust, camera.name) == (Belonging.NEW, Trust.ATTESTED, "SIM0001")
        assert session.get_one(Bay, depot.bay_id).camera_id == camera.id
    assert event_actions(depot.database, camera.id) == ["camera.new", "camera.docked"]


def test_it_is_known_again_by_its_key(depot: Depot) -> None:
    with depot.database.write() as session:
        first = cameras.seen(session, depot.bay_id, seen_facts(depot.key))
        again = cameras.seen(session, depot.bay_id, seen_facts(depot.key, serial="RENAMED", docking_counter=2))
    assert first.id == again.id
    assert event_actions(depot.database, first.id) == ["camera.new", "camera.docked"]


def test_two_cameras_with_one_serial_number_are_two(depot: Depot) -> None:
    with depot.database.write() as session:
        first = depot.camera(session)
        twin = cameras.seen(session, depot.bay_id, seen_facts(SigningKey.generate()))
        assert first.id != twin.id
        assert (first.belonging, twin.belonging) == (Belonging.ADDED, Belonging.NEW)


def test_a_camera_without_a_key_never_passes_for_one_that_has_one(depot: Depot) -> None:
    with depot.database.write() as session:
        attested = depot.camera(session)
        marked = cameras.seen(session, depot.bay_id, seen_facts(None, driver="disk"))
        assert attested.id != marked.id
        assert marked.trust is Trust.MARKED
        assert cameras.seen(session, depot.bay_id, seen_facts(None, driver="disk")).id == marked.id


def test_what_a_camera_says_is_taken_over_unless_it_is_old(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session, docking_counter=5, battery_percent=50)
        cameras.observe(camera, seen_facts(depot.key, docking_counter=5, battery_percent=60))
        assert camera.battery_percent == 60
        cameras.observe(camera, seen_facts(depot.key, docking_counter=4, battery_percent=10))
        assert (camera.battery_percent, camera.docking_counter) == (60, 5)


@pytest.mark.feature("CAM-2")
def test_adding_is_all_or_nothing(depot: Depot) -> None:
    with depot.database.write() as session:
        camera_id = cameras.seen(session, depot.bay_id, seen_facts(depot.key)).id
    with pytest.raises(UnknownCamera), depot.database.write() as session:
        cameras.add_cameras(session, [camera_id, new_id()], actor=ACTOR)
    with depot.database.read() as session:
        assert cameras.get(session, camera_id).belonging is Belonging.NEW


def test_adding_twice_is_adding_once(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        wanted = camera.wanted_settings
        assert cameras.add_cameras(session, [camera.id], actor=ACTOR) == []
        assert camera.wanted_settings == wanted
    assert event_actions(depot.database, camera.id).count("camera.added") == 1


@pytest.mark.feature("CAM-3")
def test_an_assignment_wants_new_settings(depot: Depot) -> None:
    with depot.database.write() as session:
        camera, (ada,) = depot.camera(session), make_users(session, "Ada")
        before = camera.wanted_settings
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        assert camera.wanted_settings > before
        wanted = camera_settings.wanted(session, camera)
        assert wanted.user is not None
        assert (wanted.user.name, wanted.sequence) == ("Ada", camera.wanted_settings)
        assert wanted.profile is not None
        assert wanted.profile.name == "Default"


def test_the_same_assignment_again_changes_nothing(depot: Depot) -> None:
    with depot.database.write() as session:
        camera, (ada,) = depot.camera(session), make_users(session, "Ada")
        for _ in range(2):
            cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        assert len(session.scalars(select(Assignment)).all()) == 1


def test_nobody_is_assigned_who_is_unknown_or_removed(depot: Depot) -> None:
    with depot.database.write() as session:
        camera, (ada,) = depot.camera(session), make_users(session, "Ada")
        ada.active = False
        for nobody in (ada.id, new_id()):
            with pytest.raises(UnknownCameraUser):
                cameras.assign(session, camera.id, nobody, actor=ACTOR)
        assert camera.camera_user_id is None


def test_the_wearer_is_who_the_settings_named_and_not_who_is_assigned_now(depot: Depot) -> None:
    with depot.database.write() as session:
        camera, (ada, bob) = depot.camera(session), make_users(session, "Ada", "Bob")
        sequences = []
        for user_id in (ada.id, bob.id, None, ada.id):
            cameras.assign(session, camera.id, user_id, actor=ACTOR)
            sequences.append(camera.wanted_settings)
        worn = [cameras.wearer(session, camera.id, sequence) for sequence in sequences]
        assert worn == [ada.id, bob.id, None, ada.id]
        assert cameras.wearer(session, camera.id, sequences[0] - 1) is None
        assert cameras.wearer(session, camera.id, 2**53) == ada.id


def test_assignments_begin_when_the_camera_says_so(depot: Depot) -> None:
    with depot.database.write() as session:
        camera, (ada, bob) = depot.camera(session), make_users(session, "Ada", "Bob")
        cameras.assign(session, camera.id, ada.id, actor=ACTOR)
        applied = camera.wanted_settings
        cameras.assign(session, camera.id, bob.id, actor=ACTOR)
        for _ in range(2):
            cameras.settings_applied(session, camera.id, applied)
        first, second = session.scalars(select(Assignment).order_by(Assignment.from_settings))
        assert first.acknowledged_at is not None
        assert second.acknowledged_at is None
        assert camera.applied_settings == applied
    assert event_actions(depot.database, camera.id).count("camera.settings-applied") == 1


def test_a_lease_lasts_eight_weeks(depot: Depot) -> None:
    now = datetime.now(UTC)
    with depot.database.write() as session:
        camera = depot.camera(session)
        cameras.leased(session, camera.id, now)
        cameras.enrolled(session, camera.id)
        assert camera.lease_until == now + timedelta(days=56)
        assert camera.enrolled_at is not None


@pytest.mark.feature("CAM-4")
def test_renaming_leaves_both_names_in_the_event(depot: Depot) -> None:
    with depot.database.write() as session:
        camera = depot.camera(session)
        for _ in range(2):
            cameras.rename(session, camera.id, "Rex", actor=ACTOR)
    with depot.database.read() as session:
        assert session.scalars(select(Camera.name)).one() == "Rex"
    assert event_actions(depot.database, camera.id).count("camera.renamed") == 1


def test_a_camera_that_does_not_exist_is_unknown(depot: Depot) -> None:
    with depot.database.read() as session, pytest.raises(UnknownCamera):
        cameras.get(session, new_id())
