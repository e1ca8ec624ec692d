"""The Verification page: what was checked and found, what to do, a check on request, the events to take away."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from bodyworn.crypto.keys import PublicKey
from bodyworn.hw import housekeeping
from bodyworn.models import CopyState, Recording, System
from bodyworn.services import checks, event_export
from bodyworn.services.auditing import Amount
from evidence_parts import Evidence
from hosting import ROLES, SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import event_actions
from sqlalchemy import select

pytestmark = pytest.mark.feature("SYS-10")

PAGE = "/bodyworn/verification"
FRAGMENT = "/bodyworn/fragments/verification"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A host whose plugin holds evidence."""
    app = host_app(tmp_path)
    runtime = app.extensions["bodyworn"]
    browsers = {role: signed_in(app, role) for role in ROLES}
    evidence = Evidence.on(runtime.database, runtime.data_dir)
    yield SimpleNamespace(app=app, evidence=evidence, database=runtime.database, **browsers)
    runtime.database.close()


def said(browser, path=PAGE, language="en"):
    """Give what a person reads: no markup, single spaces."""
    text = re.sub(r"<[^>]+>", " ", browser.get(path, headers={"Accept-Language": language}).text)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


def ask(browser):
    return browser.post("/bodyworn/verification/check", data={"csrf_token": token_of(browser)}, headers=SAME_ORIGIN)


def test_a_system_that_stores_nothing_says_so(site):
    page = said(site.operator)
    assert "nothing is stored" in page
    assert "Not checked yet" in page
    assert "Check everything now" in page


def test_before_there_is_a_system_there_is_nothing_to_export(tmp_path):
    app = host_app(tmp_path)
    operator = signed_in(app, "operator")
    assert "Export the events" not in said(operator)
    answer = operator.get(f"{PAGE}/events.jsonl")
    assert answer.status_code >= 400
    assert "being set up by an administrator" in answer.text
    assert ask(operator).status_code >= 400
    app.extensions["bodyworn"].database.close()


def test_it_says_how_much_is_stored_and_since_when_it_was_not_read(site):
    site.evidence.record(clips=3)
    page = said(site.operator)
    assert "3 objects · 15 kB" in page
    assert "Nothing found damaged" in page


def test_a_check_is_asked_for_taken_up_and_over(site):
    site.evidence.record(clips=2)
    answer = ask(site.operator)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, PAGE)
    assert "The controller takes it up in a moment." in said(site.operator, answer.headers["Location"])
    assert "Check everything now" not in said(site.operator)
    auditor = site.evidence.auditor()
    while auditor.look():
        pass
    page = said(site.operator)
    assert "2 objects · 10 kB" in page
    assert "Check everything now" in page
    assert "Everything was checked: 2 objects read again, 0 found damaged" in page
    assert "2 events" not in page
    assert "1 manifest" in page


def test_asking_twice_asks_once(site):
    ask(site.operator)
    ask(site.administrator)
    assert event_actions(site.database).count("evidence.check-requested") == 1


def test_progress_is_live(site):
    ask(site.operator)
    etag = site.operator.get(FRAGMENT).headers["ETag"]
    site.evidence.write(lambda session: checks.begin(session, Amount(10, 1000)))
    site.evidence.write(lambda session: checks.progress(session, 4, 400))
    fragment = site.operator.get(FRAGMENT, headers={"If-None-Match": etag})
    assert fragment.status_code == 200
    assert '<progress class="bw-progress" max="100" value="40"' in fragment.text
    assert "400 B of 1.0 kB" in said(site.operator)


def test_what_is_damaged_says_its_cause_what_to_do_and_where(site):
    evidence = site.evidence
    waiting, delivered, lost = (evidence.record() for _ in range(3))
    evidence.deliver(delivered)
    evidence.erase_from_camera(lost)
    for recording_id in (waiting, delivered, lost):
        evidence.flip(recording_id)
    evidence.check_all()
    page = said(site.operator)
    assert "3 findings" in page
    assert page.count("has changed on the disk since it was stored.") >= 3
    assert f"camera {evidence.serial()} still has the original. Dock the camera" in page
    assert "Nothing is lost: the content destination has proved its own copy." in page
    assert "no other copy is proved" in page
    links = re.findall(r'href="(/bodyworn/recordings/[^"]+)"', site.operator.get(PAGE).text)
    assert {link.rpartition("/")[2] for link in links} == {waiting, delivered, lost}
    assert {site.operator.get(link).status_code for link in links} == {200}


def test_the_recordings_own_page_says_it_too(site):
    recording_id = site.evidence.record()
    page = said(site.operator, f"/bodyworn/recordings/{recording_id}")
    assert "Last checked on the controller" in page
    site.evidence.flip(recording_id)
    site.evidence.check_all()
    page = said(site.operator, f"/bodyworn/recordings/{recording_id}")
    assert "The controller's copy of this recording is damaged" in page
    assert "was found damaged on the controller, and put in quarantine" in page
    assert site.evidence.copy(recording_id).state is CopyState.PROBLEM


@pytest.mark.feature("SYS-8")
def test_system_status_leads_here(site):
    site.evidence.flip(site.evidence.record())
    site.evidence.check_all()
    assert "1 stored copy is damaged" in said(site.operator, "/bodyworn/")
    message = re.search(
        r'<div class="bw-message" data-bw-say="1 stored.*?</a>', site.operator.get("/bodyworn/").text, re.DOTALL
    )
    assert f'href="{PAGE}"' in message.group()


def test_records_that_were_changed_are_findings_with_a_recording_to_go_to(site):
    recording_id = site.evidence.record()
    with site.database.write() as session:
        session.get_one(Recording, recording_id).manifest = None
    site.evidence.check_all()
    page = said(site.operator)
    assert "has no signed manifest" in page
    assert "Changed" in page
    assert f'href="/bodyworn/recordings/{recording_id}"' in site.operator.get(PAGE).text
    assert "1 finding in what is written" in said(site.operator, "/bodyworn/")
    assert event_actions(site.database).count("evidence.finding") == 1
    site.evidence.check_all()
    assert event_actions(site.database).count("evidence.finding") == 1


def test_the_chain_shows_its_head_and_how_far_it_is_signed(site):
    assert "not yet" in said(site.operator)
    housekeeping.sign_chain(site.evidence.shop, at_once=True)
    page = said(site.operator)
    assert re.search(r"Last event \d+ Its hash [0-9a-f]{64} Signed up to event \d+", page)
    with site.database.read() as session:
        key = PublicKey(session.scalars(select(System)).one().recovery_public_key)
    assert f"bodyworn verify --events FILE --recovery-key {key.to_base64()}" in page


def test_the_export_proves_itself_and_names_who_took_it(site):
    site.evidence.record(clips=2)
    answer = site.operator.get(f"{PAGE}/events.jsonl")
    assert answer.mimetype == "application/x-ndjson"
    assert re.search(r'filename="bodyworn-events-\d{8}-\d{6}\.jsonl"', answer.headers["Content-Disposition"])
    verdict = event_export.verify(io.BytesIO(answer.data), site.evidence.shop.book.recovery_key)
    assert verdict.is_whole
    assert list(verdict.signed_until.values()) == [verdict.events]
    assert event_actions(site.database)[-1] == "events.exported"


def test_a_viewer_sees_none_of_it(site):
    assert site.viewer.get(PAGE).status_code == 403
    assert "Verification" not in said(site.viewer, "/bodyworn/")


def test_it_speaks_german(site):
    site.evidence.flip(site.evidence.record())
    site.evidence.check_all()
    page = said(site.operator, language="de").partition("Abmelden")[2].partition("Verlauf")[0]
    assert "hat sich auf dem Datenträger verändert" in page
    for english in ("Findings", "damaged", "Check", "signed", "events"):
        assert english not in page.replace("bodyworn verify --events", "")


def test_the_page_keeps_to_the_policy_and_every_id_is_there_once(site):
    site.evidence.flip(site.evidence.record(clips=2))
    site.evidence.check_all()
    page = site.operator.get(PAGE).text
    assert not re.search(r"<[^>]+\sstyle=|<[^>]+\son\w+=", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 5


def test_time_left_is_unknown_until_something_is_known(site):
    ask(site.operator)
    site.evidence.write(lambda session: checks.begin(session, Amount(10, 1000)))
    assert "time left unknown" in said(site.operator)
    with site.database.write() as session:
        audit = checks.find(session)
        audit.began_at = datetime.now(UTC) - timedelta(minutes=10)
        audit.done_bytes = 500
    assert "about 10 min left" in said(site.operator)
