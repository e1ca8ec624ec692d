"""What other packages add to pages: panels in slots and sections of forms; and that their mistakes stop no page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bodyworn import sections, signals, slots
from bodyworn.models import Event
from bodyworn.services import history
from bodyworn.slots import SLOTS, sound
from hosting import ROOT, SAME_ORIGIN, signed_in, token_of
from integrator_parts import EXAMPLE, EXAMPLE_MODULE, install, open_site
from sqlalchemy import select

pytest_plugins = ["fixtures_integrators"]
pytestmark = pytest.mark.feature("HST-3")
DOCS = ROOT / "docs" / "integrators.md"

#: A panel for each slot, which says where it stands and what it was given.
EVERYWHERE = """
from bodyworn.slots import Panel
PANEL = Panel("everywhere/mark.html", lambda **given: {"given": given})
"""
MARK = """<p class="mark">{% for name, value in given.items() %}{{ name }}={{ value }} {% endfor %}</p>"""


def addresses(ids):
    """Give the address of the page on which each slot stands."""
    camera, recording = f"devices/cameras/{ids.ready_camera}", f"recordings/{ids.delivered}"
    own = {"status": "", "camera": camera, "dock": f"docks/{ids.dock}", "recording": recording}
    pages = {slot: slot.partition(".")[0] for slot in SLOTS}
    return {slot: own.get(page, page) for slot, page in pages.items()}


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A site in which every slot has a panel."""
    folder = tmp_path_factory.mktemp("marked")
    with pytest.MonkeyPatch.context() as patching:
        points = dict.fromkeys(SLOTS, "everywhere:PANEL")
        install(folder / "site", patching, "everywhere", EVERYWHERE, {slots.GROUP: points}, mark=MARK)
        site = open_site(folder)
        yield site
        site.database.close()


@pytest.mark.parametrize("slot", SLOTS)
def test_every_slot_is_drawn_on_its_page_and_in_its_live_part(marked, slot):
    page = marked.browser.get(f"/bodyworn/{addresses(marked.ids)[slot]}")
    assert page.status_code == 200
    live = re.findall(r'data-bw-live="([^"]*)"', page.text)
    on_page = [one for one in SLOTS if one.partition(".")[0] == slot.partition(".")[0]]
    for drawn in (page.text, *(marked.browser.get(address).text for address in live)):
        found = re.findall(r'<p class="mark">(.*?)</p>', drawn)
        assert len(found) == len(on_page)
        for text in found:
            assert [pair.partition("=")[0] for pair in text.split()] == list(SLOTS[slot])


def test_what_a_slot_gives_is_what_the_page_is_about(marked):
    page = marked.browser.get(f"/bodyworn/devices/cameras/{marked.ids.ready_camera}").text
    assert f"camera_id={marked.ids.ready_camera}" in page


def test_every_slot_signal_and_form_is_in_the_docs_and_nothing_else():
    page = DOCS.read_text()
    for heading, known in (("Signals", signals.SIGNALS), ("Slots", SLOTS), ("Form sections", sections.FORMS)):
        (part,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"^\| `([a-z.-]+)` \|", part, re.MULTILINE)) == set(known), heading


# What is wrong, and what of it is said.
WRONG_PANELS = {
    "raises": ("lambda **given: 1 / 0", "ZeroDivisionError"),
    "leaves": ("lambda **given: exit()", "SystemExit"),
}
WRONG_TEMPLATES = {
    "syntax": ("{% if %}", "TemplateSyntaxError"),
    "unknown": ("{{ nothing.of.it }}", "UndefinedError"),
    "open": ("<div>", "ends within"),
    "comment": ("<!-- <p>", "ends within"),
    "closing": ("</section>", "closes what is not open"),
    "script": ("<script>alert(1)</script>", "content security policy"),
    "handler": ('<p onclick="alert(1)">x</p>', "content security policy"),
    "style": ('<p style="color: red">x</p>', "content security policy"),
}


def test_a_panel_that_fails_is_left_out_logged_once_and_named(tmp_path, packages, patch, caplog):
    code = "from bodyworn.slots import Panel\n"
    for name, (values, _) in WRONG_PANELS.items():
        code += f'{name} = Panel("wrong/plain.html", {values})\n'
    for name in WRONG_TEMPLATES:
        code += f'{name} = Panel("wrong/{name}.html")\n'
    code += 'plain = Panel("wrong/plain.html")\n'
    said = {**WRONG_PANELS, **WRONG_TEMPLATES}
    for name in said:
        templates = {stem: text for stem, (text, _) in WRONG_TEMPLATES.items()}
        package = f"wrong-{name}"
        own = code.replace('"wrong/', f'"wrong_{name}/')
        points = {slots.GROUP: {"devices": f"wrong_{name}:{name}", "docks": f"wrong_{name}:plain"}}
        install(packages, patch, package, own, points, plain=f"<p>{name} works</p>", **templates)
    site = open_site(tmp_path)
    for _ in range(2):
        page = site.browser.get("/bodyworn/devices")
        assert page.status_code == 200
        assert "</html>" in page.text
    docks = site.browser.get("/bodyworn/docks").text
    status, plugins = site.browser.get("/bodyworn/").text, site.browser.get("/plugins").text
    for name, (_, reason) in said.items():
        assert f"{name} works" in docks
        logged = [record for record in caplog.records if f"wrong-{name}" in record.getMessage()]
        assert len(logged) == 1, name
        assert reason in logged[0].getMessage()
        assert f"wrong-{name}" in status
        assert f"wrong-{name}" in plugins
    site.database.close()


def test_a_slow_panel_keeps_people_waiting_once(tmp_path, packages, patch):
    patch.setattr(slots, "_SLOW_SECONDS", 0.2)
    code = (
        "import time\nfrom bodyworn.slots import Panel\n"
        'PANEL = Panel("slow_one/slow.html", lambda **given: time.sleep(0.3) or {})\n'
    )
    install(packages, patch, "slow-one", code, {slots.GROUP: {"docks": "slow_one:PANEL"}}, slow="<p>slow</p>")
    site = open_site(tmp_path)
    assert "<p>slow</p>" in site.browser.get("/bodyworn/docks").text
    assert "<p>slow</p>" not in site.browser.get("/bodyworn/docks").text
    assert "slow-one" in site.browser.get("/bodyworn/").text
    site.database.close()


def test_a_panel_is_for_those_who_hold_its_permission(tmp_path, packages, patch):
    code = 'from bodyworn.slots import Panel\nPANEL = Panel("kept/p.html", permission="bodyworn.audit")\n'
    install(packages, patch, "kept", code, {slots.GROUP: {"docks": "kept:PANEL"}}, p="<p>{{ '<kept>' }}</p>")
    site = open_site(tmp_path)
    assert "<p>&lt;kept&gt;</p>" in site.browser.get("/bodyworn/docks").text
    assert "&lt;kept&gt;" not in signed_in(site.app, "viewer").get("/bodyworn/docks").text
    site.database.close()


@pytest.mark.parametrize(
    ("group", "name", "value", "why"),
    [
        (slots.GROUP, "nowhere", "unfit:PANEL", "no slot"),
        (slots.GROUP, "docks", "unfit:NUMBER", "no Panel"),
        (slots.GROUP, "docks", "unfit:FOREIGN", "not called"),
        (slots.GROUP, "docks", "unfit:PLAIN", "not called"),
        (slots.GROUP, "docks", "unfit:MISSING", "AttributeError"),
        (slots.GROUP, "docks", "no_such_package_here:X", "ModuleNotFoundError"),
        (sections.GROUP, "nowhere", "unfit:PANEL", "no form"),
        (sections.GROUP, "camera", "unfit:PANEL", "no Section"),
    ],
)
def test_what_cannot_be_used_is_named_and_keeps_nothing_from_loading(packages, patch, group, name, value, why):
    code = (
        "from bodyworn.slots import Panel\nNUMBER = 1\nPANEL = Panel('unfit/p.html')\n"
        "FOREIGN = Panel('bodyworn/page.html')\nPLAIN = Panel('unfit/p.txt')\n"
    )
    install(packages, patch, "unfit", code, {group: {name: value}}, p="<p></p>")
    faults = slots.Faults()
    slots.Slots.load(faults)
    sections.Sections.load(faults)
    (fault,) = faults.due(datetime.now(UTC))
    assert (fault.package, fault.hook, fault.lasting) == ("unfit", f"{group}: {name}", True)
    assert why in fault.reason


def test_markup_that_leaves_the_page_whole_is_let_through():
    for html in (
        "",
        "text < more",
        "<p>a<br>b<img src='x' alt=''></p>",
        "<svg><use href='#a'/></svg>",
        "<dl><dt>a</dt><dd>&lt;</dd></dl><!-- x -->",
    ):
        assert sound(html) == html


# forms

NOTING = """
from bodyworn.sections import Section
from wtforms import BooleanField, Form, SelectField
KEPT = {}
class Noting(Form):
    kind = SelectField("Kind", choices=["plain", "special"])
    spare = BooleanField("Spare")
SECTION = Section("Noted", Noting, lambda id: KEPT.get(id, {}), lambda id, entered, actor: KEPT.update({id: entered}))
"""


@pytest.mark.parametrize("form", sections.FORMS)
def test_every_form_draws_and_saves_its_sections(tmp_path, packages, patch, form):
    install(packages, patch, "noting", NOTING, {sections.GROUP: {form: "noting:SECTION"}})
    site = open_site(tmp_path)
    address = f"/bodyworn/{addresses(site.ids)[form]}"
    page = site.browser.get(address).text
    assert "<legend" in page
    fields = dict(re.findall(r'<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"', page))
    filled = {**fields, "noting-kind": "special", "noting-spare": "y"}
    assert site.browser.post(address, data=filled, headers=SAME_ORIGIN).status_code == 303
    page = site.browser.get(address).text
    assert '<option selected value="special">' in page
    assert re.search(r'<input checked [^>]*name="noting-spare"', page)
    (event,) = recorded(site, f"{form}.section-saved")
    assert event.object_id == address.rpartition("/")[2]
    assert event.action in history._ACTIONS
    assert "<legend" not in signed_in(site.app, "viewer").get(address).text
    site.database.close()


# the example


def save_camera(site, **changes):
    form = {"csrf_token": token_of(site.browser), "name": "Camera one", "section": "someones-inventory", **changes}
    return site.browser.post(site.camera, data=form, headers=SAME_ORIGIN)


def recorded(site, action):
    with site.database.read() as session:
        return session.scalars(select(Event).where(Event.action == action)).all()


def test_the_docs_show_the_example_as_it_is():
    page = DOCS.read_text()
    for path in (EXAMPLE / "setup.cfg", *sorted((EXAMPLE / EXAMPLE_MODULE).rglob("*.py")), *EXAMPLE.rglob("*.html")):
        assert f"`{path.relative_to(EXAMPLE)}`" in page, path.name
        assert f"\n{path.read_text()}```" in page, path.name


def test_a_section_is_drawn_saved_and_shown_and_leaves_an_event(example):
    assert "none yet" in example.browser.get(example.camera).text
    assert 'name="someones-inventory-number"' in example.browser.get(example.camera).text
    answer = save_camera(example, **{"someones-inventory-number": "INV-<7>"})
    assert answer.headers["Location"].endswith("notice=camera-saved")
    page = example.browser.get(example.camera).text
    assert "<dt>Asset number</dt><dd>INV-&lt;7&gt;</dd>" in page
    assert 'value="INV-&lt;7&gt;"' in page
    (event,) = recorded(example, "camera.section-saved")
    assert event.actor not in ("", "system")
    assert event.object_id == example.ids.ready_camera
    assert event.detail == {"package": "someones-inventory"}


def test_a_section_that_was_not_changed_is_not_saved(example):
    save_camera(example, **{"someones-inventory-number": ""})
    assert recorded(example, "camera.section-saved") == []


def test_a_section_that_was_not_drawn_is_left_as_it_is(example):
    save_camera(example, **{"someones-inventory-number": "INV-7"})
    save_camera(example, section="")
    assert "INV-7" in example.browser.get(example.camera).text


def test_what_is_wrong_in_a_section_is_said_and_nothing_is_saved(example):
    answer = save_camera(example, name="Other", **{"someones-inventory-number": "x" * 21})
    assert answer.status_code == 422
    assert "Field cannot be longer than 20 characters." in answer.text
    assert "x" * 21 in answer.text
    assert recorded(example, "camera.renamed") == []


@pytest.mark.parametrize("function", ["load", "save", "form"])
def test_a_section_that_fails_loses_its_own_fields_and_says_so(example, patch, function):
    filled = {"someones-inventory-number": "INV-7"}
    (hook,) = example.app.extensions["bodyworn"].sections._hooks
    patch.setattr(hook, "value", replace(hook.value, **{function: lambda *given, **named: 1 / 0}))
    answer = save_camera(example, **filled)
    assert answer.headers["Location"].endswith("notice=sections-not-saved")
    page = example.browser.get(answer.headers["Location"]).text
    assert "Saved, except for fields" in page
    assert "Camera one" in page
    assert "someones-inventory" in example.browser.get("/bodyworn/").text
    assert recorded(example, "camera.section-saved") == []
