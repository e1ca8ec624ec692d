"""The pages of camera profiles in the reference host: list, editor, versions, removal, and what they cost."""

from __future__ import annotations

import pytest
import seed
from bodyworn.models import Camera, CameraUser, Profile
from bodyworn.services import profile_settings, profiles
from sqlalchemy import delete, select, update
from test_pages import open_site, post, text_of

LONG_SHIFT = {
    "resolution": "720p",
    "audio": "1",
    "pre_buffer_seconds": "0",
    "clip_limit_seconds": "900",
    "allow_audio_off": "1",
    "version": "1",
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A seeded system."""
    opened = open_site(tmp_path_factory.mktemp("site"))
    opened.ids = seed.seed(opened.database)
    yield opened
    opened.database.close()


@pytest.fixture
def site(opened):
    """Give it the profiles that a system begins with, whatever tests have made of them."""
    with opened.database.write() as session:
        session.execute(update(CameraUser).values(profile_id=None))
        session.execute(update(Camera).values(applied_profile_id=None, applied_profile_version=None))
        session.execute(delete(Profile))
        session.add_all(profiles.founding_profiles())
    return opened


def profile_named(site, name):
    with site.database.read() as session:
        return session.scalars(select(Profile).where(Profile.name == name)).one()


def address(site, name="Default", more=""):
    return f"/bodyworn/camera-profiles/{profile_named(site, name).id}{more}"


@pytest.mark.feature("USR-3")
def test_the_list_says_what_each_profile_sets(site):
    said = text_of(site.viewer.get("/bodyworn/camera-profiles"))
    assert "Best quality 1080p On 90 s On Allowed 0 none" in said
    assert "Long shift 720p Mono Off Off Not allowed 0 none" in said
    assert "Default for new users 1080p On 30 s On Not allowed 5" in said


@pytest.mark.feature("USR-3")
def test_each_setting_says_what_it_costs(site):
    said = text_of(site.operator.get(address(site)))
    for cost in (
        "outdoors only and takes battery",
        "a little shorter than it is set",
        "mono, which takes less storage",
    ):
        assert cost in said
    assert "any figure before would be a guess" in said


@pytest.mark.feature("USR-3")
def test_saving_raises_the_version_and_holds_for_its_cameras(site):
    answer = post(site.operator, address(site), LONG_SHIFT, name="Everyday")
    assert answer.status_code == 303
    assert "Docked cameras take it over at their next turn" in text_of(site.operator.get(answer.location))
    saved = profile_named(site, "Everyday")
    settings = profile_settings.read(saved)
    assert (saved.version, settings.resolution, settings.location) == (2, "720p", False)
    assert settings == profile_settings.LONG_SHIFT.settings


def test_a_viewer_sees_the_settings_and_no_form(site):
    page = site.viewer.get(address(site)).text
    assert 'name="resolution"' not in page
    assert "1080p" in page


def test_nothing_typed_is_lost_when_somebody_else_was_faster(site):
    assert post(site.operator, address(site), LONG_SHIFT, name="Default").status_code == 303
    answer = post(site.administrator, address(site), {**LONG_SHIFT, "location": "1"}, name="Mine")
    assert answer.status_code == 422
    assert "Somebody else has changed the camera profile Default" in text_of(answer)
    assert 'value="Mine"' in answer.text
    assert 'data-bw-unsaved="always"' in answer.text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "Enter a name."),
        ({"name": "x" * 65}, "Use at most 64 characters that can be seen"),
        ({"name": "Night\x07"}, "Use at most 64 characters that can be seen"),
        ({"name": "\u202egnihton"}, "none of which turn the text around"),
        ({"name": "Long shift"}, "Another camera profile has this name already."),
    ],
)
def test_a_wrong_name_is_told_beside_the_field(site, wrong, told):
    answer = post(site.operator, address(site), {**LONG_SHIFT, **wrong})
    assert answer.status_code == 422
    assert told in text_of(answer)


@pytest.mark.parametrize(
    "wrong", [{"resolution": "4320p"}, {"pre_buffer_seconds": "7"}, {"clip_limit_seconds": "x"}, {"version": "many"}]
)
def test_what_no_form_offers_is_refused(site, wrong):
    assert post(site.operator, address(site), {**LONG_SHIFT, "name": "Default", **wrong}).status_code == 422
    assert profile_named(site, "Default").version == 1


@pytest.mark.feature("USR-3")
def test_a_new_profile_starts_from_a_pre_configured_one_or_from_a_copy(site):
    page = site.operator.get("/bodyworn/camera-profiles/new?from=best-quality").text
    assert '<option value="90" selected>' in page
    copied = site.operator.get("/bodyworn/camera-profiles/new?from=" + profile_named(site, "Long shift").id)
    assert "Below are the settings of Long shift." in text_of(copied)
    answer = post(site.operator, "/bodyworn/camera-profiles/new", LONG_SHIFT, name="Nacht ☾")
    assert "Nacht ☾" in text_of(site.operator.get(answer.location))


def test_only_what_nobody_has_is_removed_and_the_page_says_what_is_lost(site):
    assert "is in use" in text_of(site.administrator.get(address(site, more="/remove")))
    gone = address(site, "Long shift", "/remove")
    assert "The profile is lost with its settings." in text_of(site.administrator.get(gone))
    assert post(site.administrator, gone).status_code == 303
    assert "Long shift" not in text_of(site.administrator.get("/bodyworn/camera-profiles?x"))


def test_new_users_get_another_profile(site):
    assert post(site.operator, address(site, "Long shift", "/default")).status_code == 303
    assert profile_named(site, "Long shift").default


def test_a_change_shows_on_the_page_of_the_profile(site):
    def shown():
        return text_of(site.operator.get(address(site)))

    with site.database.write() as session:
        profile = session.scalars(select(Profile).where(Profile.default)).one()
        for camera in session.scalars(select(Camera)):
            camera.applied_profile_id, camera.applied_profile_version = profile.id, 1
    assert "Version 1" in shown()
    post(site.operator, address(site), LONG_SHIFT, name="Default")
    assert "Version 1 until it is docked" in shown()
    assert "Version 2 at its next turn" in shown()


@pytest.mark.feature("USR-3")
def test_the_page_of_a_camera_says_which_version_of_which_profile_it_has(site):
    def shown():
        return text_of(site.viewer.get(f"/bodyworn/devices/cameras/{site.ids.ready_camera}"))

    assert "Camera profile Default Version 1 at its next turn" in shown()
    with site.database.write() as session:
        camera = session.get_one(Camera, site.ids.ready_camera)
        camera.applied_profile_id, camera.applied_profile_version = profile_named(site, "Default").id, 1
    assert "Camera profile Default Version 1 Battery" in shown()
