"""The wizard: nothing else works before it, it waits for whoever left, and it founds or restores a system."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import seed
from bodyworn.crypto import master_key
from bodyworn.crypto.master_key import KdfCost
from bodyworn.destination.connection_file import export
from bodyworn.models import Dock, DockKind, Event, Profile, Setup, System
from bodyworn.services import checklist, power_line, setup, systems
from bodyworn.services.setup import STEPS, Step
from fake_destination import FakeDestination
from hosting import ROLES, SAME_ORIGIN, host_app, signed_in, token_of
from sqlalchemy import func, select

PASSPHRASE = "grey harbour lantern seven moths"
CHEAP = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch):
    """What a derivation costs is tested elsewhere; here it happens often."""
    monkeypatch.setattr(master_key, "KdfCost", lambda: CHEAP)


def open_site(folder):
    folder.mkdir(exist_ok=True)
    app = host_app(folder)
    browsers = {role: signed_in(app, role) for role in ROLES}
    return SimpleNamespace(app=app, database=app.extensions["bodyworn"].database, **browsers)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Two hosts, which take their time to be built, so that each test gets them emptied."""
    opened = [open_site(tmp_path_factory.mktemp(name)) for name in ("first", "second")]
    yield opened
    for site in opened:
        site.database.close()


def emptied(site):
    """Let a host's plugin know nothing yet."""
    site.database.close()
    path = Path(str(site.database.engine.url.database))
    for left in path.parent.glob(f"{path.name}-*"):
        left.unlink()
    path.write_bytes(seed.empty_database())
    vars(site.app.extensions["bodyworn"])["_set_up"] = False
    return site


@pytest.fixture
def site(hosts):
    """A host whose plugin knows nothing yet."""
    return emptied(hosts[0])


@pytest.fixture
def second(hosts):
    """Another machine, at the step of the master key."""
    pass_steps(emptied(hosts[1]), Step.MASTER_KEY)
    return hosts[1]


@pytest.fixture
def begun(site):
    post(site, "/bodyworn/setup/begin")
    return site


def post(site, path, data=None, **values):
    form = {"csrf_token": token_of(site.administrator), **(data or {}), **values}
    return site.administrator.post(path, data=form, headers=SAME_ORIGIN)


def text_of(answer):
    """Give what a person reads: no markup, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


def step_of(site):
    """Tell where somebody lands who comes back."""
    return site.administrator.get("/bodyworn/setup").headers.get("Location", "").removeprefix("/bodyworn/setup/")


def pass_steps(site, until):
    """Note steps as passed that a test is not about."""
    with site.database.write() as session:
        setup.begin(session, actor="root")
        for step in STEPS[: STEPS.index(until)]:
            setup.go_on(session, step, actor="root")


def events_of(site):
    with site.database.read() as session:
        return list(session.scalars(select(Event.action).order_by(Event.sequence)))


def make_key(site, passphrase=PASSPHRASE):
    return post(site, "/bodyworn/setup/master-key", wanted=passphrase, again=passphrase)


def draft_of(site):
    with site.database.read() as session:
        found = systems.draft(session)
        return found and SimpleNamespace(id=found.id, epoch=found.epoch, downloaded=found.master_key_downloaded_at)


def finished(site, name="North depot"):
    """Go from the master key to the end."""
    post(site, "/bodyworn/setup/master-key", without="y")
    post(site, "/bodyworn/setup/name", name=name, language="de")
    return post(site, "/bodyworn/setup/finish")


# --- the gate ------------------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-1")
def test_before_there_is_a_system_every_page_leads_an_administrator_to_the_wizard(site):
    for path in ("/", "/devices", "/recordings", "/destination", "/verification", "/docks", "/support", "/settings"):
        answer = site.administrator.get(f"/bodyworn{path}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/bodyworn/setup"), path


def test_everybody_else_is_told_that_an_administrator_sets_it_up(site):
    for browser in (site.viewer, site.operator):
        answer = browser.get("/bodyworn/")
        assert answer.status_code == 409
        assert "being set up by an administrator" in text_of(answer)
        assert "Devices" not in text_of(answer)
        assert browser.get("/bodyworn/setup").status_code == 403


def test_fragments_and_forms_are_refused_until_then(site):
    assert site.administrator.get("/bodyworn/fragments/status").status_code == 409
    assert post(site, "/bodyworn/destination/try-again").status_code == 409
    assert "destination.tried-again" not in events_of(site)


def test_a_draft_is_no_system_yet(begun):
    pass_steps(begun, Step.MASTER_KEY)
    make_key(begun)
    assert draft_of(begun) is not None
    assert begun.administrator.get("/bodyworn/devices").headers["Location"] == "/bodyworn/setup"


def test_the_wizard_is_closed_when_there_is_a_system(site):
    seed.seed(site.database)
    for path in ("/setup", "/setup/extend", "/setup/firmware", "/setup/master-key", "/setup/restore", "/setup/finish"):
        answer = site.administrator.get(f"/bodyworn{path}")
        assert (answer.status_code in (302, 303), answer.headers["Location"]) == (True, "/bodyworn/"), path
    assert make_key(site).headers["Location"] == "/bodyworn/"
    assert draft_of(site) is None


# --- the way through -----------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-12")
def test_it_begins_with_what_to_have_at_hand_and_a_choice(site):
    said = text_of(site.administrator.get("/bodyworn/setup"))
    for words in ("connection file", "latest version", "power supply", "Create a new system", "Extend an existing"):
        assert words in said
    assert "address of the first system controller" in text_of(site.administrator.get("/bodyworn/setup/extend"))


def test_nothing_can_be_skipped(begun):
    for step in STEPS[1:]:
        answer = begun.administrator.get(f"/bodyworn/setup/{step}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/bodyworn/setup/firmware")
        assert post(begun, f"/bodyworn/setup/{step}").headers["Location"] == "/bodyworn/setup/firmware"


@pytest.mark.feature("SET-1")
def test_whoever_leaves_and_comes_back_goes_on_at_the_same_step(begun):
    for step in STEPS:
        pass_steps(begun, step)
        elsewhere = signed_in(begun.app, "administrator")
        assert elsewhere.get("/bodyworn/setup").headers["Location"] == f"/bodyworn/setup/{step}"
        assert elsewhere.get(f"/bodyworn/setup/{step}").status_code == 200


def test_every_step_says_where_one_is_and_leads_back(begun):
    pass_steps(begun, Step.FINISH)
    for number, step in enumerate(STEPS, 1):
        page = begun.administrator.get(f"/bodyworn/setup/{step}")
        assert f"Step {number} of {len(STEPS)}" in text_of(page)
        if number > 1:
            assert f'href="/bodyworn/setup/{STEPS[number - 2]}"' in page.text


@pytest.mark.feature("SET-3")
def test_firmware_says_which_version_runs_and_may_be_left_for_later(begun):
    assert "Version 0.1.0" in text_of(begun.administrator.get("/bodyworn/setup/firmware"))
    assert post(begun, "/bodyworn/setup/firmware").headers["Location"] == "/bodyworn/setup/network"


@pytest.mark.feature("SET-5")
def test_the_time_zone_is_the_systems_afterwards(begun):
    pass_steps(begun, Step.DATE_AND_TIME)
    answer = post(begun, "/bodyworn/setup/date-and-time", time_zone="Nowhere/Atlantis", source="machine")
    assert (answer.status_code, step_of(begun)) == (422, "date-and-time")
    post(begun, "/bodyworn/setup/date-and-time", time_zone="Europe/Vienna", source="machine", anyway="y")
    with begun.database.read() as session:
        assert setup.present(session).time_zone == "Europe/Vienna"


# --- content destination -------------------------------------------------------------------------------------------


def upload_file(site, data):
    file = (io.BytesIO(data), "connection-file.json")
    form = {"csrf_token": token_of(site.administrator), "file": file, "allow_http": "y"}
    return site.administrator.post(
        "/bodyworn/setup/destination/connect", data=form, headers=SAME_ORIGIN, content_type="multipart/form-data"
    )


@pytest.mark.feature("SET-6")
def test_nobody_goes_on_without_a_destination(begun):
    pass_steps(begun, Step.DESTINATION)
    assert post(begun, "/bodyworn/setup/destination").headers["Location"] == "/bodyworn/setup/destination"
    answer = upload_file(begun, b"no connection file")
    assert (answer.status_code, step_of(begun)) == (422, "destination")
    assert "Nothing was changed" in text_of(answer)


@pytest.mark.feature("SET-6")
def test_a_connection_file_connects_and_is_to_be_deleted(begun):
    pass_steps(begun, Step.DESTINATION)
    with FakeDestination() as destination:
        answer = upload_file(begun, export(destination.connection(site_name="Evidence")))
    assert answer.status_code == 303, text_of(answer)
    said = text_of(begun.administrator.get("/bodyworn/setup/destination"))
    assert "Connected" in said
    assert "Delete the connection file now" in said
    assert post(begun, "/bodyworn/setup/destination").headers["Location"] == "/bodyworn/setup/power-line"


# --- power line ----------------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-8")
@pytest.mark.parametrize(
    ("zone", "hertz"),
    [
        ("Europe/Vienna", 50),
        ("America/New_York", 60),
        ("America/Sao_Paulo", 60),
        ("America/Argentina/Buenos_Aires", 50),
        ("Asia/Seoul", 60),
        ("Asia/Riyadh", 60),
        ("Australia/Sydney", 50),
        ("Africa/Nairobi", 50),
        ("Asia/Tokyo", None),
        ("UTC", None),
        ("Nowhere/Atlantis", None),
    ],
)
def test_the_frequency_of_a_country_is_suggested(zone, hertz):
    assert power_line.suggested(zone) == hertz


@pytest.mark.feature("SET-8")
def test_the_suggestion_is_marked_and_another_one_can_be_chosen(begun):
    pass_steps(begun, Step.POWER_LINE)
    with begun.database.write() as session:
        setup.present(session).time_zone = "America/New_York"
    page = begun.administrator.get("/bodyworn/setup/power-line").text
    assert re.search(r'value="60" required checked', page)
    assert post(begun, "/bodyworn/setup/power-line", hertz="55").status_code == 422
    post(begun, "/bodyworn/setup/power-line", hertz="50")
    assert re.search(r'value="50" required checked', begun.administrator.get("/bodyworn/setup/power-line").text)


# --- master key ----------------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-9")
def test_a_weak_passphrase_or_two_different_ones_make_no_key(begun):
    pass_steps(begun, Step.MASTER_KEY)
    weak = make_key(begun, "password password password")
    assert (weak.status_code, draft_of(begun)) == (422, None)
    assert "too easy to guess" in text_of(weak)
    differ = post(begun, "/bodyworn/setup/master-key", wanted=PASSPHRASE, again=PASSPHRASE + "s")
    assert (differ.status_code, draft_of(begun)) == (422, None)
    assert PASSPHRASE not in differ.text


@pytest.mark.feature("SET-9")
def test_the_key_is_downloaded_at_once_and_going_on_without_it_is_asked_twice(begun):
    pass_steps(begun, Step.MASTER_KEY)
    make_key(begun)
    asked = post(begun, "/bodyworn/setup/master-key")
    assert asked.status_code == 422
    assert "nobody can bring this system back" in text_of(asked)
    file = post(begun, "/bodyworn/setup/master-key/download")
    assert re.search(r'filename="system-\w{8}\.bwmk"', file.headers["Content-Disposition"])
    assert file.headers["Cache-Control"] == "no-store"
    assert master_key.read_label(file.data).system_id == draft_of(begun).id
    assert draft_of(begun).downloaded is not None
    assert post(begun, "/bodyworn/setup/master-key").headers["Location"] == "/bodyworn/setup/name"


def restore(site, file, passphrase, name="key.bwmk"):
    form = {"csrf_token": token_of(site.administrator), "passphrase": passphrase}
    if file is not None:
        form["file"] = (io.BytesIO(file), name)
    return site.administrator.post(
        "/bodyworn/setup/restore", data=form, headers=SAME_ORIGIN, content_type="multipart/form-data"
    )


@pytest.fixture
def key(begun):
    """The master key of a first system whose setup was finished."""
    pass_steps(begun, Step.MASTER_KEY)
    make_key(begun)
    file = post(begun, "/bodyworn/setup/master-key/download").data
    finished(begun)
    with begun.database.read() as session:
        return SimpleNamespace(file=file, system_id=systems.current(session).id)


@pytest.mark.feature("SET-9")
def test_an_uploaded_key_makes_another_machine_the_same_system(second, key):
    assert restore(second, key.file, PASSPHRASE).headers["Location"] == "/bodyworn/setup/master-key"
    said = text_of(second.administrator.get("/bodyworn/setup/master-key"))
    assert "show as Locked until you unlock them" in said
    assert "Download the renewed file" in said
    assert finished(second).headers["Location"].startswith("/bodyworn/?notice=setup-finished")
    with second.database.read() as session:
        system = systems.current(session)
        assert (system.id, system.epoch) == (key.system_id, 2)


SPOILED = (
    (lambda file: file, "another passphrase altogether", "The passphrase is wrong, or the master key is damaged."),
    (lambda file: b"a picture of a cat", PASSPHRASE, "This file is not a master key."),
    (lambda file: b"x" * 200_000, PASSPHRASE, "This file is not a master key."),
    (lambda file: b"", PASSPHRASE, "No master key was chosen"),
    (lambda file: None, PASSPHRASE, "No master key was chosen"),
)


@pytest.mark.feature("SET-9")
def test_a_key_that_does_not_open_changes_nothing_and_says_so(second, key):
    before = events_of(second)
    for spoil, passphrase, said in SPOILED:
        answer = restore(second, spoil(key.file), passphrase)
        assert answer.status_code == 422
        assert "Nothing was changed" in text_of(answer)
        assert said in text_of(answer)
        assert (draft_of(second), step_of(second)) == (None, "master-key")
    assert events_of(second) == before


def test_a_draft_is_replaced_when_the_right_key_is_found_later(second, key):
    make_key(second)
    restore(second, key.file, PASSPHRASE)
    assert (draft_of(second).id, draft_of(second).epoch) == (key.system_id, 2)


# --- name and end --------------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-10")
def test_a_system_needs_a_name_and_a_language_that_there_is(begun):
    pass_steps(begun, Step.NAME)
    for name, language in (("", "en"), ("  ", "en"), ("x" * 65, "en"), ("North depot", "tlh"), ("North depot", "")):
        answer = post(begun, "/bodyworn/setup/name", name=name, language=language)
        assert (answer.status_code, step_of(begun)) == (422, "name")


@pytest.mark.feature("SET-10")
def test_what_was_chosen_is_the_systems(begun):
    pass_steps(begun, Step.MASTER_KEY)
    make_key(begun)
    with begun.database.write() as session:
        found = setup.present(session)
        found.time_zone, found.power_line_hertz = "America/New_York", 60
    answer = finished(begun, name=" North   depot ")
    assert answer.headers["Location"] == "/bodyworn/?notice=setup-finished"
    with begun.database.read() as session:
        system = systems.current(session)
        found = (system.name, system.language, system.time_zone, system.power_line_hertz)
    assert found == ("North depot", "de", "America/New_York", 60)
    assert {"setup.begun", "setup.step-passed", "master-key.made", "system.founded"} <= set(events_of(begun))
    assert begun.administrator.get("/bodyworn/devices").status_code == 200


def test_it_cannot_be_finished_while_something_is_missing(begun):
    pass_steps(begun, Step.NAME)
    assert post(begun, "/bodyworn/setup/finish").headers["Location"] == "/bodyworn/setup/name"
    with begun.database.read() as session:
        assert session.scalars(select(System)).all() == []


def test_two_who_set_up_at_once_do_one_setup(site):
    other = SimpleNamespace(administrator=signed_in(site.app, "administrator"))
    for one in (site, other):
        assert post(one, "/bodyworn/setup/begin").headers["Location"] == "/bodyworn/setup"
    assert events_of(site).count("setup.begun") == 1
    with site.database.read() as session:
        assert session.scalar(select(func.count(Setup.id))) == 1


# --- the checklist -------------------------------------------------------------------------------------------------


def done(database):
    with database.read() as session:
        return [task.done for task in checklist.left_to_do(session)]


@pytest.mark.feature("SET-12")
def test_the_checklist_stays_until_everything_is_done(tmp_path):
    with seed.open_database(tmp_path) as database:
        now = datetime.now(UTC)
        assert done(database) == []
        with database.write() as session:
            controller = seed.found_system(session, now)
        assert done(database) == [False] * 6
        with database.write() as session:
            systems.current(session).master_key_downloaded_at = now
            session.add(Dock(controller_id=controller.id, name="Dock 1", kind=DockKind.USB, locator="x"))
            session.add(Profile(name="Default", default=True, settings={}))
            camera = seed.add_camera(session, now, "B8A44F1041")
        assert done(database) == [True, True, True, True, False, False]
        with database.write() as session:
            session.merge(camera).camera_user_id = seed.add_user(session, now, "Anna Berger").id
        assert done(database) == []


@pytest.mark.feature("SET-12")
def test_status_shows_the_checklist_to_those_who_can_do_something(begun):
    pass_steps(begun, Step.MASTER_KEY)
    make_key(begun)
    finished(begun)
    said = text_of(begun.administrator.get("/bodyworn/"))
    for words in ("Left to do after the setup", "1 of 6 done", "Download the master key", "Add cameras"):
        assert words in said
    assert 'href="/bodyworn/support/master-key"' in begun.administrator.get("/bodyworn/").text
    assert "An administrator does this." in text_of(begun.operator.get("/bodyworn/"))
    assert "Left to do" not in text_of(begun.viewer.get("/bodyworn/"))
