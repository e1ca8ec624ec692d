"""The four pages in the reference host: what they show to whom, their forms, and their live parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import seed
from bodyworn.models import Bay, BayState, Camera, CameraUser, Dock, DockKind, Event, RecordingState
from bodyworn.services import camera_list, recording_list
from hosting import ROLES, SAME_ORIGIN, host_app, signed_in, token_of
from sqlalchemy import select

PAGES = ("/bodyworn/", "/bodyworn/devices", "/bodyworn/recordings", "/bodyworn/destination")
FRAGMENTS = ("status", "devices", "recordings", "destination")
SOME_TIME = datetime(2026, 11, 22, tzinfo=UTC)


def open_site(folder):
    app = host_app(folder)
    database = app.extensions["bodyworn"].database
    browsers = {role: signed_in(app, role) for role in ROLES}
    return SimpleNamespace(app=app, database=database, folder=folder, **browsers)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A seeded system that these tests only look at."""
    opened = open_site(tmp_path_factory.mktemp("site"))
    opened.ids = seed.seed(opened.database)
    yield opened
    opened.database.close()


@pytest.fixture
def fresh(tmp_path):
    """A host whose plugin knows nothing yet."""
    opened = open_site(tmp_path)
    yield opened
    opened.database.close()


def post(browser, path, data=None, **values):
    form = {"csrf_token": token_of(browser), **(data or {}), **values}
    return browser.post(path, data=form, headers=SAME_ORIGIN)


def text_of(answer):
    """Give what a person reads: no markup, single spaces."""
    without_tags = re.sub(r"<[^>]+>", " ", answer.text)
    return " ".join(without_tags.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_first_what_needs_somebody(site, path):
    answer = site.administrator.get(path)
    assert answer.status_code == 200
    assert "5 things need you" in text_of(answer)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_style_or_script(site, path):
    page = site.administrator.get(path).text
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<[^>]+\son\w+=", page)


@pytest.mark.parametrize("path", PAGES)
def test_every_id_is_there_once(site, path):
    ids = re.findall(r'\sid="([^"]+)"', site.administrator.get(path).text)
    assert len(ids) == len(set(ids)) > 5


@pytest.mark.feature("SYS-8")
def test_every_message_leads_to_a_page_that_exists(site):
    page = site.administrator.get("/bodyworn/").text
    links = re.findall(r'class="bw-message".*?<a href="([^"]+)"', page, re.DOTALL)
    assert len(links) == 5
    assert {site.administrator.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


def test_the_dock_says_what_a_camera_user_looks_for(site):
    said = text_of(site.viewer.get("/bodyworn/devices"))
    assert "Ready · safe to undock" in said
    assert "9.1 GB of 14.2 GB" in said
    assert "no news since" in said


def test_tabs_show_only_what_exists_and_may_be_seen(site):
    page = site.administrator.get("/bodyworn/").text
    tabs = re.search(r'<nav class="bw-tabs".*?</nav>', page, re.DOTALL).group()
    names = ["System status", "Devices", "Users", "Camera profiles"]
    names += ["Recordings", "Content destination", "Settings", "Support"]
    assert re.findall(r">([^<>]+)</a>", tabs) == names
    assert 'aria-current="page">System status' in tabs


def test_each_clip_shows_its_three_places_its_hashes_and_its_custody(site):
    page = site.administrator.get(f"/bodyworn/recordings/{site.ids.delivered}")
    with site.database.read() as session:
        clips = recording_list.recording(session, site.ids.delivered).clips
    for clip in clips:
        assert clip.sha256 in page.text
        assert clip.stored_md5 in page.text
    assert "Complete at the content destination" in text_of(page)


@pytest.mark.feature("REC-3")
def test_a_refused_recording_says_what_to_do_and_can_be_downloaded(site):
    page = site.administrator.get(f"/bodyworn/recordings/{site.ids.refused}")
    assert "Not transferred" in text_of(page)
    assert "Ask the destination's operator why it is refused" in text_of(page)
    assert "/clips/" in page.text


@pytest.mark.parametrize("path", ["/bodyworn/recordings/nope", "/bodyworn/devices/cameras/nope"])
def test_what_does_not_exist_is_told_in_the_pages_frame(site, path):
    answer = site.administrator.get(path)
    assert answer.status_code == 404
    assert "System status" in text_of(answer)


def test_a_viewer_sees_no_forms_that_change_something(site):
    for path in (*PAGES, f"/bodyworn/devices/cameras/{site.ids.ready_camera}"):
        page = site.viewer.get(path).text
        content = page.partition('<div class="bw">')[2]
        assert 'method="post"' not in content


@pytest.mark.parametrize("name", FRAGMENTS)
def test_nothing_moved_is_304_and_a_write_is_a_new_fragment(site, name):
    path = f"/bodyworn/fragments/{name}"
    first = site.administrator.get(path)
    assert first.status_code == 200
    assert "<html" not in first.text
    again = site.administrator.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with site.database.write():
        pass
    moved = site.administrator.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200
    assert moved.headers["ETag"] != first.headers["ETag"]


def test_a_page_carries_the_etag_of_its_fragment(site):
    page = site.administrator.get("/bodyworn/devices?show=docked&q=b8").text
    live, etag = re.search(r'data-bw-live="([^"]+)" data-bw-etag="([^"]+)"', page).groups()
    answer = site.administrator.get(live.replace("&amp;", "&"), headers={"If-None-Match": f'"{etag}"'})
    assert answer.status_code == 304
    assert "show=docked" in live


def test_another_language_or_other_rights_are_another_fragment(site):
    path = "/bodyworn/fragments/status"
    plain = site.administrator.get(path).headers["ETag"]
    assert site.viewer.get(path).headers["ETag"] != plain
    assert site.administrator.get(path, headers={"Accept-Language": "de"}).headers["ETag"] != plain


def test_figures_that_became_old_are_another_fragment(fresh):
    with fresh.database.write() as session:
        seed.found_system(session, datetime.now(UTC) - timedelta(seconds=29.2))
    path = "/bodyworn/fragments/status"
    etag = fresh.viewer.get(path).headers["ETag"]
    with fresh.database.write() as session:
        pass
    later = fresh.viewer.get(path).headers["ETag"]
    assert later != etag


@pytest.mark.parametrize("path", PAGES)
def test_pages_speak_german(site, path):
    page = site.administrator.get(path, headers={"Accept-Language": "de"})
    said = text_of(page)
    assert "5 Sachen brauchen Sie" in said
    for english in ("Recordings", "Devices", "Assigned", "Content destination", "cameras", "Search"):
        assert english not in said.partition("Abmelden")[2]


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-3", "?page=x", "?page=99999999999", "?show=nope", "?sort=", "?q=%00", "?_external=1"]
)
@pytest.mark.parametrize("path", ["/bodyworn/devices", "/bodyworn/recordings"])
def test_nonsense_in_the_address_is_taken_for_its_default(site, path, query):
    assert site.administrator.get(path + query).status_code == 200


def test_names_from_cameras_are_shown_as_text(fresh):
    with fresh.database.write() as session:
        seed.found_system(session, SOME_TIME)
        camera = seed.add_camera(session, SOME_TIME, "<script>alert(1)</script>", name="{0} %s <b>")
        found = camera.id
    for path in ("/bodyworn/devices", f"/bodyworn/devices/cameras/{found}", "/bodyworn/"):
        page = fresh.administrator.get(path).text
        assert "<script>alert" not in page
        assert "<b>" not in page.partition('<div class="bw">')[2]


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_system_teaches(fresh, path):
    with fresh.database.write() as session:
        seed.found_system(session, datetime.now(UTC))
    answer = fresh.administrator.get(path)
    assert answer.status_code == 200
    assert "2 things need you" in text_of(answer)
    assert re.search("Dock a camera|Upload the connection file|upload it here", text_of(answer))


@pytest.mark.feature("CAM-2")
def test_selected_cameras_are_added_under_the_name_of_who_did_it(fresh):
    ids = seed.seed(fresh.database)
    answer = post(fresh.operator, "/bodyworn/devices/add", camera=[ids.new_camera])
    assert answer.status_code == 303
    assert "Added." in text_of(fresh.operator.get(answer.headers["Location"]))
    with fresh.database.read() as session:
        assert camera_list.camera(session, ids.new_camera).belongs
        event = session.scalars(select(Event).where(Event.action == "camera.added").order_by(Event.at.desc())).first()
        assert event.actor not in ("", "system")


def test_adding_nothing_says_so_and_changes_nothing(fresh):
    ids = seed.seed(fresh.database)
    answer = post(fresh.operator, "/bodyworn/devices/add")
    assert answer.status_code == 422
    assert "Select at least one camera." in text_of(answer)
    with fresh.database.read() as session:
        assert not camera_list.camera(session, ids.new_camera).belongs


@pytest.mark.feature("CAM-4")
@pytest.mark.feature("CAM-3")
def test_a_camera_is_assigned_and_renamed(fresh):
    ids = seed.seed(fresh.database)
    with fresh.database.read() as session:
        user = session.scalars(select(CameraUser).where(CameraUser.user_id == "1110")).one().id
    path = f"/bodyworn/devices/cameras/{ids.nobodys_camera}"
    answer = post(fresh.operator, path, camera_user=user, name=" Spare 1 ")
    assert answer.status_code == 303
    page = text_of(fresh.operator.get(answer.headers["Location"]))
    assert "Saved." in page
    assert "Spare 1" in page
    assert "Settings waiting" in page
    with fresh.database.read() as session:
        assert session.get_one(Camera, ids.nobodys_camera).camera_user_id == user


def test_a_new_user_is_created_on_the_way(fresh):
    ids = seed.seed(fresh.database)
    path = f"/bodyworn/devices/cameras/{ids.nobodys_camera}"
    assert post(fresh.operator, path, camera_user="", new_user="Vera Stein", name="Spare").status_code == 303
    with fresh.database.read() as session:
        assert camera_list.camera(session, ids.nobodys_camera).row.user == "Vera Stein"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"camera_user": "", "name": " "}, "Enter a name."),
        ({"camera_user": "", "name": "x" * 65}, "Use at most 64 characters."),
        ({"camera_user": "", "name": "Kept", "new_user": "y" * 101}, "Use at most 100 characters."),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_loses_nothing(site, form, sentence):
    answer = post(site.operator, f"/bodyworn/devices/cameras/{site.ids.nobodys_camera}", form)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert form["name"].strip() in answer.text
    assert "data-bw-live" not in answer.text


def test_a_user_who_does_not_exist_is_refused(site):
    form = {"camera_user": "somebody", "name": "Spare"}
    assert post(site.operator, f"/bodyworn/devices/cameras/{site.ids.nobodys_camera}", form).status_code == 422


@pytest.mark.parametrize("path", ["devices/add", "destination/connect", "destination/export"])
def test_a_form_of_another_site_is_refused(site, path):
    answer = site.administrator.post(f"/bodyworn/{path}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_received_recordings_are_a_tab_when_there_are_some(fresh):
    from bodyworn.models import ReceivedContainer, ReceiverAccount

    with fresh.database.write() as session:
        seed.found_system(session, SOME_TIME)
    assert "Received recordings" not in text_of(fresh.administrator.get("/bodyworn/"))
    with fresh.database.write() as session:
        account = ReceiverAccount(user_name="one", key_sha256="0" * 64, created_at=SOME_TIME)
        session.add(account)
        session.flush()
        session.add(
            ReceivedContainer(
                account_id=account.id,
                name="a_b_20261122T000000Z",
                wire_metadata={},
                is_recording=True,
                started_at=SOME_TIME,
                created_at=SOME_TIME,
            )
        )
    assert "Received recordings" in text_of(fresh.administrator.get("/bodyworn/"))


def test_a_download_is_byte_for_byte_and_noted_in_the_custody(fresh):
    ids = seed.seed(fresh.database)
    body = b"evidence" * 1000
    with fresh.database.read() as session:
        found = recording_list.recording(session, ids.delivered)
    clip = found.clips[0]
    fresh.app.extensions["bodyworn"].spool().write(found.container_name, clip.name, iter([body]))
    path = f"/bodyworn/recordings/{ids.delivered}/clips/{clip.id}"
    with fresh.operator.get(path) as answer:
        assert answer.data == body
        assert clip.name in answer.headers["Content-Disposition"]
    with fresh.operator.get(path, headers={"Range": "bytes=8-15"}) as part:
        assert (part.status_code, part.data) == (206, b"evidence")
    with fresh.database.read() as session:
        custody = recording_list.recording(session, ids.delivered).custody
    assert [line.what.one for line in custody].count("{clip} downloaded") == 2, "a part counts as well"


def test_a_copy_that_is_gone_from_the_disk_is_told(site):
    with site.database.read() as session:
        clip = recording_list.recording(session, site.ids.refused).clips[0]
    answer = site.operator.get(f"/bodyworn/recordings/{site.ids.refused}/clips/{clip.id}")
    assert answer.status_code in (400, 404)
    assert "The storage has no" in text_of(answer)


def test_a_bay_that_becomes_ready_says_so_in_the_next_fragment(fresh):
    ids = seed.seed(fresh.database)
    with fresh.database.write() as session:
        bay = session.scalars(select(Bay).where(Bay.camera_id == ids.offloading_camera)).one()
        bay.state = BayState.READY
    fragment = fresh.viewer.get("/bodyworn/fragments/devices").text
    assert fragment.count("safe to undock</small>") == 2
    assert 'data-bw-say="Jonas Weiss-Hohenberg zu Thalheim (1067): Ready · safe to undock"' in fragment


def test_many_recordings_are_paged_with_their_filter(fresh):
    with fresh.database.write() as session:
        controller = seed.found_system(session, SOME_TIME)
        camera = seed.add_camera(session, SOME_TIME, "A1", seed.add_user(session, SOME_TIME, "Anna"))
        for minutes in range(30):
            start = SOME_TIME + timedelta(minutes=minutes)
            seed.add_recording(session, camera, controller, start, RecordingState.STORED)
    page = fresh.operator.get("/bodyworn/recordings?show=underway&q=anna&sort=oldest")
    assert "1–25 of 30" in text_of(page)
    (following,) = re.findall(r'rel="next" href="([^"]+)"', page.text)
    assert "26–30 of 30" in text_of(fresh.operator.get(following.replace("&amp;", "&")))
    assert "show=underway" in following


def test_many_docks_are_paged_and_their_lines_lead_to_their_page(fresh):
    with fresh.database.write() as session:
        controller = seed.found_system(session, SOME_TIME)
        for number in range(1, 9):
            dock = Dock(controller_id=controller.id, name=f"Dock {number}", locator="", position=number)
            dock.kind, dock.bays = DockKind.USB, [Bay(position=1, name="Bay 1")]
            session.add(dock)
    for path in ("/bodyworn/", "/bodyworn/devices"):
        page = fresh.viewer.get(path).text
        assert "8 docks" in page
        assert f'href="{path}?docks=2#dock-' in page
        other = fresh.viewer.get(f"{path}?docks=2").text
        assert (page.count('class="bw-dock"'), other.count('class="bw-dock"')) == (4, 4)
