"""Several cameras at once: their users get a profile from the list of cameras."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import seed
from bodyworn.models import Camera, CameraUser
from bodyworn.services import profiles
from bodyworn.services.profile_settings import ProfileSettings
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from sqlalchemy import select

pytestmark = pytest.mark.feature("USR-2")


@pytest.fixture
def site(tmp_path):
    """A seeded system, and somebody who manages devices."""
    app = host_app(tmp_path)
    database = app.extensions["bodyworn"].database
    ids = seed.seed(database)
    with database.write() as session:
        given = profiles.create(session, "Night shift", ProfileSettings(), actor="root").id
    yield SimpleNamespace(app=app, database=database, ids=ids, profile=given, browser=signed_in(app, "operator"))
    database.close()


def give(site, **form):
    return site.browser.post(
        "/bodyworn/devices/profile", data={"csrf_token": token_of(site.browser), **form}, headers=SAME_ORIGIN
    )


def who_has_it(site):
    with site.database.read() as session:
        return sorted(session.scalars(select(CameraUser.name).where(CameraUser.profile_id == site.profile)))


def test_the_users_of_selected_cameras_get_the_profile_and_their_cameras_are_told(site):
    with site.database.read() as session:
        before = session.get_one(Camera, site.ids.ready_camera).wanted_settings
    chosen = [site.ids.ready_camera, site.ids.problem_camera, site.ids.nobodys_camera]
    assert give(site, camera=chosen, profile=site.profile).status_code == 303
    assert who_has_it(site) == ["Anna Berger", "Peter Lang"]
    with site.database.read() as session:
        assert session.get_one(Camera, site.ids.ready_camera).wanted_settings > before


def test_all_that_a_search_finds_are_meant_on_whichever_page(site):
    answer = give(site, matching="y", q="rossi", profile=site.profile)
    assert "q=rossi" in answer.location
    assert who_has_it(site) == ["Sofia Rossi"]


@pytest.mark.parametrize(("missing", "sentence"), [("camera", "Select at least one camera"), ("profile", "Choose a")])
def test_what_is_missing_is_said_and_what_was_selected_stays(site, missing, sentence):
    form = {"camera": site.ids.ready_camera, "profile": site.profile, "q": "1041", missing: ""}
    answer = give(site, **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert who_has_it(site) == []
    checked = re.findall(r'name="camera" value="([^"]+)" checked', answer.text)
    assert site.ids.ready_camera in checked or missing == "camera"


def test_somebody_who_may_only_look_selects_nothing(site):
    page = signed_in(site.app, "viewer").get("/bodyworn/devices").text
    assert "give-profile" not in page
