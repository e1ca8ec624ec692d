"""What a destination is asked and told apart from recordings: categories, capabilities, users and cameras."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import fake_destination as fd
import pytest
from bodyworn.camera_volume.orders import Category
from bodyworn.destination.names import wire_serial
from bodyworn.models import Camera, Destination, DestinationState
from bodyworn.services import camera_settings, cameras, categories, destinations, parcels, users
from rig_parts import ACTOR
from yard import Yard

pytest_plugins = ["fixtures_database", "fixtures_yard"]


def offer(yard: Yard, body: bytes) -> None:
    yard.fake.containers.setdefault("System", {})
    yard.fake.objects["System/Categories.json"] = fd.StoredObject(body, {})


def ask_now(yard: Yard) -> None:
    with yard.database.write() as session:
        active(session).categories_read_at = None


def active(session: object) -> Destination:
    found = destinations.active(session)  # type: ignore[arg-type]
    assert found is not None
    return found


def names_of(yard: Yard) -> list[str]:
    return [one["name"] for one in yard.destination().categories]


@pytest.mark.feature("DST-3")
def test_categories_are_read_and_given_to_cameras_with_their_settings(yard: Yard) -> None:
    offer(yard, b'[{"Name": "Traffic", "Id": "5"}, {"Name": "Feuer & Rauch", "Id": "x-1"}]')
    with yard.uploading():
        yard.wait(lambda: names_of(yard) == ["Traffic", "Feuer & Rauch"])
    with yard.database.read() as session:
        camera = cameras.get(session, yard.camera_id)
        assert camera.wanted_settings > yard.settings, "the camera gets another set"
        wanted = camera_settings.wanted(session, camera)
    assert wanted.categories == (Category(id="5", name="Traffic"), Category(id="x-1", name="Feuer & Rauch"))


def test_a_destination_without_a_list_has_the_built_in_one(yard: Yard) -> None:
    with yard.uploading():
        yard.wait(lambda: names_of(yard)[:1] == ["Testimony"])
    assert len(names_of(yard)) == 10


def test_a_malformed_list_is_said_so_and_the_former_one_stays(yard: Yard) -> None:
    offer(yard, b'[{"Name": "Traffic", "Id": "5"}]')
    with yard.uploading():
        yard.wait(lambda: names_of(yard) == ["Traffic"])
        for body, problem in (
            (b'[{"Name": "Traffic", "Id": "5"},]', "categories-malformed"),
            (b"x" * (2 << 20), "nonsense-answer"),
        ):
            offer(yard, body)
            ask_now(yard)
            yard.wait(lambda expected=problem: yard.destination().categories_problem_id == expected)
            assert names_of(yard) == ["Traffic"]
        assert yard.destination().state is DestinationState.OKAY
        offer(yard, b'[{"Name": "Fire", "Id": "6"}]')
        ask_now(yard)
        yard.wait(lambda: names_of(yard) == ["Fire"])
    assert yard.destination().categories_problem_id is None


def test_they_are_asked_for_once_a_day(yard: Yard) -> None:
    now = datetime.now(UTC)
    destination = yard.destination()
    for read_at, due in (
        (None, True),
        (now, False),
        (now - timedelta(hours=23), False),
        (now - timedelta(hours=25), True),
        (now + timedelta(days=400), True),
    ):
        destination.categories_read_at = read_at
        assert categories.are_due(destination, now) is due


def test_what_a_destination_declared_once_it_keeps_and_it_may_learn(yard: Yard) -> None:
    from bodyworn.destination.capabilities import Capabilities

    with yard.database.write() as session:
        active(session).capabilities = {"bookmarks": True, "track": False}
        categories.were_read(session, active(session), (), Capabilities(track=True))
        assert active(session).capabilities["bookmarks"]
        assert active(session).capabilities["track"]
        assert not active(session).capabilities["rejected_content"]


def test_cameras_get_no_categories_that_could_not_travel(yard: Yard) -> None:
    destination = yard.destination()
    destination.categories = [{"id": "5", "name": "Traffic"}, {"id": "x" * 65, "name": "Too long for a camera"}]
    for declared, expected in (
        ({"bookmarks": True, "read_categories": True}, [("5", "Traffic")]),
        ({"bookmarks": True}, []),
        ({"read_categories": True}, []),
    ):
        destination.capabilities = declared
        assert categories.for_cameras(destination) == expected
    destination.capabilities = {"bookmarks": True, "read_categories": True}
    destination.categories = [{"id": str(number), "name": "ü" * 256} for number in range(1000)]
    assert 50 < len(categories.for_cameras(destination)) < 64, "as many as an order to a camera can carry"


@pytest.mark.feature("DST-3")
def test_users_and_cameras_are_told_without_any_recording(yard: Yard) -> None:
    with yard.uploading():
        yard.wait(lambda: untold(yard) == 0)
        with yard.database.write() as session:
            ada = users.create_user(session, name="Bérénice", actor=ACTOR)
            cameras.rename(session, yard.camera_id, "Gate 4", actor=ACTOR)
        yard.wait(lambda: untold(yard) == 0)
    with yard.database.read() as session:
        serial = wire_serial(session.get_one(Camera, yard.camera_id).serial)
    assert yard.fake.objects[f"Users/{ada.id}"].metadata["X-Object-Meta-Name"] == "B%C3%A9r%C3%A9nice"
    assert yard.fake.objects[f"Devices/{serial}"].metadata["X-Object-Meta-Name"] == "Gate%204"


def untold(yard: Yard) -> int:
    with yard.database.read() as session:
        return len(parcels.all_notices(session, active(session)))


@pytest.mark.feature("DST-7")
def test_all_of_them_are_pushed_again_when_somebody_wishes_it(yard: Yard) -> None:
    with yard.uploading():
        yard.wait(lambda: untold(yard) == 0)
        yard.fake.objects.clear()
        with yard.database.write() as session:
            parcels.tell_all_again(session, active(session), actor=ACTOR)
        yard.wait(lambda: untold(yard) == 0)
    assert len([path for path in yard.fake.objects if path.startswith(("Users/", "Devices/"))]) == 2


def test_one_description_that_is_refused_does_not_hold_up_the_others(yard: Yard) -> None:
    yard.fake.script("PUT", "/Users/", fd.status(400))
    with yard.uploading():
        yard.wait(lambda: untold(yard) == 1)
    assert any(path.startswith("Devices/") for path in yard.fake.objects)


@pytest.mark.feature("DST-4")
def test_without_licences_for_users_the_destination_says_so_and_rests(yard: Yard) -> None:
    yard.fake.script("PUT", "/Users/", *[fd.status(402)] * 20)
    with yard.uploading():
        yard.wait(lambda: yard.destination().problem_id == "licence-missing")
        asked = len(yard.fake.seen("PUT", "/Users/"))
        yard.fake.behave_again()
        with yard.database.write() as session:
            destinations.try_again(session, actor=ACTOR)
        yard.wait(lambda: untold(yard) == 0 and yard.destination().state is DestinationState.OKAY)
    assert asked == 1
