"""Help: every row that people may look for is there, found by its words, and reached from where it is needed."""

from __future__ import annotations

import re

import pytest
import seed
from bodyworn.services import help
from bodyworn.text import translator
from hosting import host_app, signed_in

pytestmark = pytest.mark.feature("SYS-11")

#: Where each row of the manual's tables stands: topic, row, and what somebody would look for.
ROWS = {
    "Daily use: turn on": ("daily-use", "turn-on", "turn power button"),
    "Daily use: turn off": ("daily-use", "turn-off", "turn off 5 seconds"),
    "Daily use: start a recording": ("daily-use", "start-recording", "begin recording"),
    "Daily use: stop a recording": ("daily-use", "stop-recording", "end recording front button"),
    "Daily use: microphone off": ("daily-use", "microphone-off", "microphone off"),
    "Daily use: microphone on": ("daily-use", "microphone-on", "microphone on function button"),
    "Daily use: silent mode on": ("daily-use", "silent-on", "silent mode"),
    "Daily use: silent mode off": ("daily-use", "silent-off", "silent mode off top button"),
    "Daily use: battery left": ("daily-use", "check-battery", "how much battery"),
    "Daily use: storage left": ("daily-use", "check-storage", "how much storage"),
    "LED: docking status": ("camera-lights", "light-docking", "docking light pulsing"),
    "LED: recording status": ("camera-lights", "light-recording", "light red records"),
    "LED: operation status": ("camera-lights", "light-operation", "operation flashing green"),
    "LED: battery status": ("camera-lights", "light-battery", "light battery"),
    "LED: storage status": ("camera-lights", "light-storage", "light storage"),
    "LED: microphone": ("camera-lights", "light-microphone", "light microphone"),
    "LED: camera extension": ("camera-lights", "light-extension", "extension connected"),
    "Error feedback: shipping mode": ("camera-signals", "signal-shipping-mode", "shipping mode"),
    "Error feedback: out of battery": ("camera-signals", "signal-battery-empty", "battery empty"),
    "Error feedback: recording not possible": ("camera-signals", "signal-cannot-record", "two short beeps long"),
    "Error feedback: faulty sensor camera": ("camera-signals", "signal-extension-faulty", "sensor camera faulty"),
    "Error feedback: not added": ("camera-signals", "signal-not-added", "all lights flash amber"),
    "Error feedback: no user": ("camera-signals", "signal-no-user", "all lights flash red"),
    "Error feedback: general error": ("camera-signals", "signal-error", "docking light flashes"),
    "Error feedback: uploading content": ("camera-signals", "signal-not-taken-over", "storage light red"),
    "Error feedback: battery is not charging": ("camera-signals", "signal-not-charging", "battery not charged"),
    "Trouble: turns not on, shipping mode": ("trouble-with-cameras", "camera-off-shipping", "does not turn on"),
    "Trouble: turns not on, battery": ("trouble-with-cameras", "camera-off-battery", "turn on charge"),
    "Trouble: does not record": ("trouble-with-cameras", "camera-not-recording", "does not record"),
    "Trouble: pre-buffer, just turned on": ("trouble-with-cameras", "pre-buffer-just-on", "pre-buffer shorter"),
    "Trouble: pre-buffer, just recorded": ("trouble-with-cameras", "pre-buffer-just-recorded", "pre-buffer ended"),
    "Trouble: pre-buffer, complex scene": ("trouble-with-cameras", "pre-buffer-full", "pre-buffer darkness"),
    "Trouble: foggy image": ("trouble-with-cameras", "image-foggy", "foggy"),
    "Trouble: display": ("trouble-with-cameras", "display-off", "display dark"),
    "Trouble: no audio": ("trouble-with-cameras", "no-audio", "no sound"),
    "Trouble: offloading is slow": ("trouble-with-cameras", "offload-slow", "slow"),
    "Trouble: not discovered": ("trouble-with-cameras", "camera-not-seen", "cable hub port"),
    "Trouble: dock without light": ("trouble-with-docks", "dock-dark", "dock light off power"),
    "Trouble: controller, tool": ("trouble-with-controllers", "controller-not-found", "controller address"),
    "Trouble: controller turned off": ("trouble-with-controllers", "controller-off", "controller turned off"),
    "Trouble: controller unplugged": ("trouble-with-controllers", "controller-unplugged", "network cable"),
    "Trouble: destination unavailable": ("trouble-with-the-destination", "missing-unreachable", "recordings appear"),
    "Trouble: destination slow": ("trouble-with-the-destination", "missing-slow", "recordings wait"),
    "Trouble: times differ": ("trouble-with-the-destination", "missing-clock", "time zones differ"),
    "Trouble: licences": ("trouble-with-the-destination", "missing-licence", "licences"),
    "Trouble: resolution": ("trouble-with-the-destination", "wrong-resolution", "wrong resolution"),
    "Trouble: retention": ("trouble-with-the-destination", "deleted-at-once", "recording gone older"),
    "Trouble: camera removed there": ("trouble-with-the-destination", "camera-removed-there", "camera removed"),
}
TOPICS = (
    "status-messages",
    "starting-a-shift",
    "ending-a-shift",
    "battery",
    "charging",
    "cleaning",
    "operating-time",
    "general-steps",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    app = host_app(tmp_path_factory.mktemp("site"))
    database = app.extensions["bodyworn"].database
    seed.seed(database)
    yield app, signed_in(app, "viewer")
    database.close()


def say(sentence):
    return sentence.one


@pytest.mark.parametrize("name", ROWS)
def test_each_row_of_the_manuals_tables_has_its_row_and_is_found(name):
    topic_id, row_id, question = ROWS[name]
    (row,) = [row for block in help.topic(topic_id).blocks for row in block.rows if row.id == row_id]
    assert all(cell.one for cell in row.cells)
    assert topic_id in [found.topic.id for found in help.search(question, say)]


def test_no_row_stands_in_help_that_no_test_names():
    named = {(topic, row) for topic, row, _ in ROWS.values()}
    own = {("trouble-with-docks", "bay-unknown"), ("trouble-with-docks", "device-refused")}
    there = {
        (topic.id, row.id)
        for topic in help.topics()
        if topic.id != help.STATUS_TOPIC
        for block in topic.blocks
        for row in block.rows
    }
    assert there == named | own


@pytest.mark.parametrize("topic", help.topics(), ids=lambda topic: topic.id)
def test_every_topic_has_its_page_and_each_row_its_anchor(site, topic):
    _, viewer = site
    page = viewer.get(f"/bodyworn/help/{topic.id}")
    assert page.status_code == 200
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert {row.id for block in topic.blocks for row in block.rows} <= set(ids)


def test_the_index_leads_to_every_topic_without_any_script(site):
    _, viewer = site
    page = viewer.get("/bodyworn/help").text
    for topic_id in TOPICS:
        assert f'href="/bodyworn/help/{topic_id}"' in page


def test_searching_is_a_plain_request_and_leads_to_the_very_row(site):
    _, viewer = site
    page = viewer.get("/bodyworn/help?q=FOGGY").text
    assert 'href="/bodyworn/help/trouble-with-cameras#image-foggy"' in page
    assert "No topic has all these words" in viewer.get("/bodyworn/help?q=zebra").text


def test_search_asks_for_all_words_and_minds_neither_case_nor_accents():
    german = translator("de")
    found = help.search("MANNER", lambda sentence: german.gettext(sentence.one))
    assert not found
    assert [one.topic.id for one in help.search("geladen dock", lambda said: german.gettext(said.one))]
    assert help.search("ladegerat", lambda said: german.gettext(said.one))


@pytest.mark.parametrize("question", ["", "   ", "a" * 10_000, "%_'\"<script>", "\x00", "ß" * 300])
def test_odd_questions_get_a_page(site, question):
    _, viewer = site
    answer = viewer.get("/bodyworn/help", query_string={"q": question})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_a_topic_that_is_not_there_is_not_found(site):
    _, viewer = site
    assert viewer.get("/bodyworn/help/nothing").status_code == 404


def test_every_page_and_every_message_leads_to_help(site):
    _, viewer = site
    page = viewer.get("/bodyworn/").text
    messages = page.count('class="bw-message"')
    assert page.count('href="/bodyworn/help/status-messages#') == messages > 0
    assert 'href="/bodyworn/help"' in viewer.get("/bodyworn/devices").text


def test_the_hosts_support_contact_stands_below_help_as_text(site, monkeypatch):
    app, viewer = site
    host = app.extensions["bodyworn"].host
    monkeypatch.setattr(host, "_support_contact", "Desk <1>\n+43 1 234")
    for path in ("/bodyworn/help", "/bodyworn/help/battery"):
        page = viewer.get(path).text
        assert "<p>Desk &lt;1&gt;</p><p>+43 1 234</p>" in page


def test_without_a_contact_help_says_whom_to_ask(site):
    _, viewer = site
    assert "Ask whoever runs this system" in viewer.get("/bodyworn/help").text
