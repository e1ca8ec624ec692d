"""Pages about camera users, in the reference host: list, forms, profiles for many, removal and the way back."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import seed
from bodyworn.models import Belonging, Camera, CameraUser, Destination, Profile
from bodyworn.services import users
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import event_actions
from sqlalchemy import select

NIGHT = {"resolution": "720p"}


@pytest.fixture
def site(tmp_path):
    app = host_app(tmp_path)
    database = app.extensions["bodyworn"].database
    seed.seed(database)
    with database.write() as session:
        night = Profile(name="Night shift", settings=NIGHT)
        session.add_all([Profile(name="Day shift", settings=NIGHT, default=True), night])
        session.flush()
    browsers = {role: signed_in(app, role) for role in ("viewer", "operator")}
    yield SimpleNamespace(database=database, night=night.id, **browsers)
    database.close()


def post(browser, path, **values):
    return browser.post(path, data={"csrf_token": token_of(browser), **values}, headers=SAME_ORIGIN)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\N{NO-BREAK SPACE}", " ").split())


def find(site, name):
    with site.database.read() as session:
        return session.scalars(select(CameraUser).where(CameraUser.name == name)).one()


def worn(site):
    """Find a user with a camera that was added, and the camera."""
    with site.database.read() as session:
        query = select(Camera, CameraUser).join(CameraUser, CameraUser.id == Camera.camera_user_id)
        camera, user = session.execute(query.where(Camera.belonging == Belonging.ADDED).limit(1)).one()
        return user, camera


@pytest.mark.feature("USR-1")
def test_a_user_is_added_with_the_default_profile_and_shows(site):
    answer = post(site.operator, "/bodyworn/users", name="  Zoë  Müller ", user_id="4711")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bodyworn/users?notice=user-added")
    said = text_of(site.viewer.get("/bodyworn/users?q=4711"))
    assert "Zoë Müller 4711 Day shift –" in said
    user = find(site, "Zoë Müller")
    assert event_actions(site.database, user.id) == ["user.created"]
    assert "Camera user Zoë Müller was added" in text_of(site.viewer.get(f"/bodyworn/users/{user.id}"))


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"name": " "}, "Enter a name."),
        ({"name": "a\u202eb"}, "none of which turn the text around"),
        ({"name": "x" * 101}, "Use at most 100 characters"),
        ({"name": "\u200b\u200d"}, "that can be seen"),
        ({"name": "Bob", "user_id": "4\x007"}, "Use at most 64 characters"),
        ({"name": "Bob", "user_id": "4711"}, "Somebody else has this user ID."),
    ],
)
def test_what_cannot_be_kept_is_told_and_nothing_typed_is_lost(site, entered, said):
    post(site.operator, "/bodyworn/users", name="Ada Lovelace", user_id="4711")
    answer = post(site.operator, "/bodyworn/users", **entered)
    assert (answer.status_code, said in text_of(answer)) == (422, True)
    if entered.get("user_id") == "4711":
        assert 'value="Bob"' in answer.text
    with site.database.read() as session:
        assert session.scalars(select(CameraUser).where(CameraUser.name == "Bob")).all() == []


@pytest.mark.feature("USR-1")
def test_a_renamed_users_camera_gets_other_settings(site):
    user, camera = worn(site)
    answer = post(site.operator, f"/bodyworn/users/{user.id}", name="Renée", user_id=user.user_id or "")
    assert answer.status_code == 303
    with site.database.read() as session:
        assert session.get_one(Camera, camera.id).wanted_settings > camera.wanted_settings
    assert "user.renamed" in event_actions(site.database, user.id)
    assert "Settings waiting" in text_of(site.viewer.get(f"/bodyworn/users/{user.id}"))


def test_saving_what_is_there_already_tells_nobody(site):
    user, camera = worn(site)
    before = event_actions(site.database)
    with site.database.write() as session:
        users.change_user(
            session, user.id, name=user.name, user_id=user.user_id, profile_id=user.profile_id, actor="olga"
        )
    with site.database.read() as session:
        assert session.get_one(Camera, camera.id).wanted_settings == camera.wanted_settings
    assert event_actions(site.database) == before


@pytest.mark.feature("USR-2")
def test_selected_users_get_a_profile(site):
    user, camera = worn(site)
    post(site.operator, "/bodyworn/users", name="Bystander")
    answer = post(site.operator, "/bodyworn/users/all/profile", user=user.id, profile=site.night)
    assert answer.status_code == 303
    assert (find(site, user.name).profile_id, find(site, "Bystander").profile_id == site.night) == (site.night, False)
    with site.database.read() as session:
        assert session.get_one(Camera, camera.id).wanted_settings > camera.wanted_settings


@pytest.mark.feature("USR-2")
def test_everybody_who_is_found_gets_a_profile_on_every_page(site):
    with site.database.write() as session:
        for number in range(30):
            users.create_user(session, name=f"Recruit {number}", actor="olga")
    page = site.operator.get("/bodyworn/users?q=Recruit")
    assert "All 30 users that this search and filter find" in text_of(page)
    post(site.operator, "/bodyworn/users/all/profile", matching="y", q="Recruit", profile=site.night)
    with site.database.read() as session:
        given = session.scalars(select(CameraUser.name).where(CameraUser.profile_id == site.night)).all()
    assert sorted(given) == sorted(f"Recruit {number}" for number in range(30))


@pytest.mark.parametrize(("form", "said"), [({"profile": "x"}, "Select at least one user."), ({"user": "x"}, "Choose")])
def test_giving_nothing_to_somebody_or_something_to_nobody_is_told(site, form, said):
    answer = post(site.operator, "/bodyworn/users/all/profile", **form)
    assert (answer.status_code, said in text_of(answer)) == (422, True)


def test_a_profile_or_user_that_is_not_there_changes_nobody(site):
    user, _ = worn(site)
    assert (
        post(site.operator, "/bodyworn/users/all/profile", user=[user.id, "x"], profile=site.night).status_code == 404
    )
    assert post(site.operator, "/bodyworn/users/all/profile", user=user.id, profile="x").status_code == 404
    assert find(site, user.name).profile_id != site.night


@pytest.mark.feature("USR-1")
def test_removal_says_what_happens_to_cameras_and_can_be_taken_back(site):
    user, camera = worn(site)
    path = f"/bodyworn/users/{user.id}"
    said = text_of(site.operator.get(f"{path}/remove"))
    assert camera.name in said
    assert "Never remove this user at the content destination" in said
    assert find(site, user.name).active, "asking changes nothing"
    assert post(site.operator, f"{path}/remove").status_code == 303
    with site.database.read() as session:
        assert session.get_one(Camera, camera.id).camera_user_id is None
    assert user.name not in text_of(site.viewer.get("/bodyworn/users"))
    assert user.name in text_of(site.viewer.get("/bodyworn/users?show=removed"))
    assert post(site.operator, f"{path}/remove").status_code == 404
    assert post(site.operator, f"{path}/bring-back").status_code == 303
    assert find(site, user.name).active
    assert event_actions(site.database, user.id)[-2:] == ["user.removed", "user.brought-back"]


def test_the_number_of_a_removed_user_stays_with_that_user(site):
    post(site.operator, "/bodyworn/users", name="Grace", user_id="007")
    post(site.operator, f"/bodyworn/users/{find(site, 'Grace').id}/remove")
    answer = post(site.operator, "/bodyworn/users", name="James", user_id="007")
    assert (answer.status_code, "A removed user has this user ID." in text_of(answer)) == (422, True)


def test_who_may_only_look_sees_no_forms(site):
    user, _ = worn(site)
    page = site.viewer.get("/bodyworn/users")
    assert user.name in text_of(page)
    assert "Add user" not in page.text
    assert 'type="checkbox"' not in page.text
    assert "Save user" not in site.viewer.get(f"/bodyworn/users/{user.id}").text


def test_users_are_found_sorted_and_kept_up_to_date(site):
    for name, number in (("Anne 100%", "2"), ("Zed 100%", "1"), ("Zed 1000", "3")):
        post(site.operator, "/bodyworn/users", name=name, user_id=number)
    listed = text_of(site.viewer.get("/bodyworn/users?q=100%25&sort=user-id"))
    assert listed.index("Zed 100%") < listed.index("Anne 100%")
    assert "Zed 1000" not in listed
    live = site.viewer.get("/bodyworn/fragments/users")
    assert (
        site.viewer.get("/bodyworn/fragments/users", headers={"If-None-Match": live.headers["ETag"]}).status_code == 304
    )
    assert "No user matches" in text_of(site.viewer.get("/bodyworn/users?q=nobody-like-this"))


@pytest.mark.parametrize(("keeps", "said"), [(True, False), (False, True)])
def test_a_page_says_where_a_number_stays_when_the_destination_keeps_none(site, keeps, said):
    user, _ = worn(site)
    with site.database.write() as session:
        destination = session.scalars(select(Destination)).first()
        destination.capabilities = {**destination.capabilities, "user_id_key": keeps}
        users.change_user(session, user.id, name=user.name, user_id="0815", profile_id=None, actor="olga")
    page = text_of(site.viewer.get(f"/bodyworn/users/{user.id}"))
    assert ("the content destination keeps no user IDs" in page) is said
    assert "Will be told" in page
