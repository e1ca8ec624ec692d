"""The daily use guide: only what the profile allows, in the system's language."""

from __future__ import annotations

import re

import pytest
import seed
from bodyworn.models import Profile
from bodyworn.services import systems
from bodyworn.services.profile_settings import DEFAULT, plain
from sqlalchemy import select
from test_pages import open_site, text_of

SILENT, MICROPHONE = "Hold the top button for 3 seconds.", "Hold the function button for 3 seconds."


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A seeded system."""
    opened = open_site(tmp_path_factory.mktemp("site"))
    opened.ids = seed.seed(opened.database)
    yield opened
    opened.database.close()


def guide(site, language="en", **settings):
    """Print the guide of the default profile with some of its settings changed."""
    with site.database.write() as session:
        systems.current(session).language = language
        profile = session.scalars(select(Profile).where(Profile.default)).one()
        profile.settings = {**plain(DEFAULT.settings), **settings}
    return site.viewer.get(f"/bodyworn/camera-profiles/{profile.id}/guide")


@pytest.mark.feature("USR-9")
@pytest.mark.parametrize("allowed", [True, False])
def test_silent_mode_is_explained_where_it_is_allowed(site, allowed):
    assert (SILENT in text_of(guide(site, allow_silent_mode=allowed))) is allowed


@pytest.mark.feature("USR-9")
@pytest.mark.parametrize(("audio", "may"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_microphone_is_explained_where_there_is_something_to_switch_off(site, audio, may):
    said = text_of(guide(site, audio=audio, allow_audio_off=may))
    assert (MICROPHONE in said) is (audio and may)
    assert ("Your camera records no sound." in said) is not audio


@pytest.mark.feature("USR-9")
def test_it_says_what_is_recorded_before_the_button_is_pressed(site):
    with_sound = text_of(guide(site, pre_buffer_seconds=90, pre_buffer_audio=True))
    assert "Also the 90 seconds before you press the button. With what was said in them." in with_sound
    assert "in them" not in text_of(guide(site, pre_buffer_seconds=90, pre_buffer_audio=False))
    assert "Nothing from before you press the button." in text_of(guide(site, pre_buffer_seconds=0))


@pytest.mark.feature("USR-9")
def test_location_is_told_where_it_is_recorded(site):
    assert "Where you are, outdoors." in text_of(guide(site, location=True))
    assert "Where you are, outdoors." not in text_of(guide(site, location=False))


@pytest.mark.feature("USR-9")
def test_it_speaks_the_language_of_the_system_and_not_of_whoever_prints_it(site):
    page = guide(site, "de").text
    (article,) = re.findall(r'<article class="bw-guide bw-card" lang="de">.*</article>', page, re.DOTALL)
    assert "Drücken Sie die vordere Taste einmal." in article
    assert "the front button" not in article
    assert "Daily use guide" in page
