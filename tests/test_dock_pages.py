"""Pages that set docks up, in the reference host: what they show, their forms, their live parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import seed
from bodyworn.models import Bay, Controller, Dock
from bodyworn.services import docks, surroundings, systems
from bodyworn.services.surroundings import SeenBroken, SeenDevice
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import event_actions
from sqlalchemy import select

HERE, THERE, ELSEWHERE = "0000:00:14.0/3.1", "0000:00:14.0/3.2", "0000:00:14.0/9"
KEYBOARD = SeenDevice(ELSEWHERE, "Cheap Keys", ("keyboard or mouse",), False, True, True)
BROKEN = SeenBroken("acme", "bodyworn-acme", "ImportError: no module named acme")


@pytest.fixture
def site(tmp_path):
    app = host_app(tmp_path)
    database = app.extensions["bodyworn"].database
    seed.seed(database)
    browsers = {role: signed_in(app, role) for role in ("viewer", "operator")}
    yield SimpleNamespace(database=database, **browsers)
    database.close()


def post(browser, path, **values):
    form = {"csrf_token": token_of(browser), **values}
    return browser.post(path, data={key.replace("__", "-"): value for key, value in form.items()}, headers=SAME_ORIGIN)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\N{NO-BREAK SPACE}", " ").split())


def add_rack(site, name="Rack"):
    """Add a dock as people do; gives its address."""
    answer = post(site.operator, "/bodyworn/docks", name=name)
    assert answer.status_code == 303
    return answer.headers["Location"].partition("?")[0]


def learn(site, path, *places):
    dock_id = path.rpartition("/")[2]
    with site.database.write() as session:
        return [docks.learn_place(session, dock_id, place).id for place in places]


def test_a_dock_is_added_and_learns_its_bays_step_by_step(site):
    path = add_rack(site)
    assert "Dock a camera in the first bay." not in text_of(site.operator.get(path))
    assert post(site.operator, f"{path}/learn", on="1").status_code == 303
    assert "Dock a camera in the first bay." in text_of(site.operator.get(path))
    live = path.replace("/docks/", "/fragments/docks/")
    before = site.operator.get(live)
    assert site.operator.get(live, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    learn(site, path, HERE, THERE)
    after = site.operator.get(live, headers={"If-None-Match": before.headers["ETag"]})
    assert "Bay 2 learned" in text_of(after)
    assert 'data-bw-say="Bay 2 learned"' in after.text
    post(site.operator, f"{path}/learn", on="0")
    assert "Learn more bays" in text_of(site.operator.get(path))
    assert event_actions(site.database, path.rpartition("/")[2]) == ["dock.added", "dock.learning", "dock.learning"]


def test_docks_and_bays_are_named_and_put_in_order(site):
    path = add_rack(site)
    left, right = learn(site, path, HERE, THERE)
    post(site.operator, path, name="Door", **{f"bay-{left}": "Left", f"bay-{right}": "Right"})
    post(site.operator, f"/bodyworn/docks/bays/{right}/move", to="earlier")
    with site.database.read() as session:
        dock = session.scalars(select(Dock).where(Dock.name == "Door")).one()
        assert [bay.name for bay in dock.bays] == ["Right", "Left"]
    post(site.operator, f"{path}/move", to="earlier")
    said = site.operator.get("/bodyworn/docks").text
    assert said.index("Set up Door") < said.index("Set up Dock 1")


def test_a_wrong_name_is_told_and_nothing_typed_is_lost(site):
    path = add_rack(site)
    (left,) = learn(site, path, HERE)
    answer = post(site.operator, path, name="Something new", **{f"bay-{left}": ""})
    assert answer.status_code == 422
    assert "Enter a name of at most 64 characters." in text_of(answer)
    assert 'value="Something new"' in answer.text
    taken = post(site.operator, "/bodyworn/docks", name="Rack")
    assert (taken.status_code, "Another dock has this name already." in text_of(taken)) == (422, True)


def test_forgetting_says_what_is_lost_and_waits_for_a_second_button(site):
    path = add_rack(site)
    left, right = learn(site, path, HERE, THERE)
    ask = f"/bodyworn/docks/bays/{left}/forget"
    assert "cameras docked there are not seen any more" in text_of(site.operator.get(ask))
    with site.database.read() as session:
        assert session.get(Bay, left) is not None, "asking changes nothing"
    assert post(site.operator, ask).status_code == 303
    assert "1 bay" in text_of(site.operator.get(f"{path}/forget"))
    assert post(site.operator, f"{path}/forget").headers["Location"].startswith("/bodyworn/docks?")
    with site.database.read() as session:
        assert session.get(Bay, right) is None
    assert event_actions(site.database, left)[-1] == "bay.forgotten"


def test_a_bay_with_a_camera_in_it_is_not_forgotten(site):
    with site.database.read() as session:
        bay = session.scalars(select(Bay).where(Bay.position == 1)).one()
    answer = post(site.operator, f"/bodyworn/docks/bays/{bay.id}/forget")
    assert answer.status_code == 400
    assert "Something is docked in Bay 1" in text_of(answer)


def test_what_is_plugged_in_elsewhere_and_what_cannot_be_used_is_said(site):
    with site.database.write() as session:
        surroundings.take_down(session, [KEYBOARD], [BROKEN])
        session.scalars(select(Controller)).one().problem_id = "no-udev-events"
    said = text_of(site.viewer.get("/bodyworn/docks"))
    assert "Cheap Keys Says that it is a disk and also keyboard or mouse. It is not used." in said
    assert "acme from the package bodyworn-acme" in said
    assert "no module named acme" in said
    assert "does not hear when cameras are docked" in said
    assert "udev service" in said
    assert "Camera driver acme (bodyworn-acme)" in text_of(site.viewer.get("/bodyworn/"))


@pytest.mark.feature("REC-7")
def test_limits_are_set_and_hold_at_once(site):
    assert post(site.operator, "/bodyworn/devices/limits", offloads="3", uploads="4").status_code == 303
    with site.database.read() as session:
        assert systems.limits(session) == systems.Limits(3, 4)
    for wrong in ("0", "65", "many", ""):
        answer = post(site.operator, "/bodyworn/devices/limits", offloads=wrong, uploads="4")
        assert (answer.status_code, "from 1 to 64" in text_of(answer)) == (422, True), wrong
    assert "At most 3 cameras are offloaded and 4 recordings sent at a time." in text_of(
        site.viewer.get("/bodyworn/docks")
    )


def test_a_bay_that_waits_says_for_how_long(site):
    with site.database.write() as session:
        bay = session.scalars(select(Bay).where(Bay.position == 2)).one()
        docks.progress(session, {bay.id: docks.BayProgress(0, None, True, 720.0, 1500.0)})
    said = text_of(site.viewer.get("/bodyworn/devices"))
    assert "Waiting for a turn, about 10 min" in said
    assert "ready in about 25 min" in said


def test_an_intake_that_stopped_is_a_message(site):
    with site.database.write() as session:
        session.scalars(select(Controller)).one().intake_stopped_at = datetime.now(UTC)
    said = text_of(site.viewer.get("/bodyworn/"))
    assert "Intake stopped" in said
    assert "has no room for more" in said


def test_a_viewer_changes_nothing_and_pages_keep_to_the_rules(site):
    path = add_rack(site)
    learn(site, path, HERE)
    for address in ("/bodyworn/docks", path):
        seen = site.viewer.get(address).text.partition('<div class="bw">')[2]
        assert 'method="post"' not in seen
        page = site.operator.get(address).text
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_an_unknown_dock_is_told(site):
    assert site.operator.get("/bodyworn/docks/absent").status_code == 404
