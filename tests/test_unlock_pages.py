"""The pages that unlock cameras: from System status to the passphrase, once for any number of cameras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from bodyworn.camera_volume import documents
from bodyworn.camera_volume.orders import Unlock
from bodyworn.crypto import envelope, master_key
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.models import Camera, Database, DockKind
from bodyworn.services import cameras, docks, systems
from bodyworn.services.keyring import Keyring
from flask.testing import FlaskClient
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import PASSPHRASE, event_actions, found_system, seen_facts
from werkzeug.test import TestResponse

LIST = "/bodyworn/devices/locked"
UNLOCK = f"{LIST}/unlock"
NONCE = "A" * 43 + "="


@dataclass
class Site:
    """A host whose dock holds two locked cameras; a third one is locked and away."""

    database: Database
    operator: FlaskClient
    viewer: FlaskClient
    ids: list[str]
    recovery_key: PublicKey

    def unlock(self, *ids: str, passphrase: str = PASSPHRASE) -> TestResponse:
        form = {"csrf_token": token_of(self.operator), "passphrase": passphrase, "camera": list(ids)}
        return self.operator.post(UNLOCK, data=form, headers=SAME_ORIGIN)

    def orders(self) -> list[bytes | None]:
        with self.database.read() as session:
            return [session.get_one(Camera, camera_id).unlock_order for camera_id in self.ids]


@pytest.fixture
def site(built: Site) -> Site:
    """Lock the cameras anew: the host and its sign-ins are made once."""
    with built.database.write() as session:
        for camera_id in built.ids:
            camera = session.get_one(Camera, camera_id)
            camera.locked_at, camera.unlock_order = datetime.now(UTC), None
    return built


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    app = host_app(tmp_path_factory.mktemp("unlocking"))
    runtime = app.extensions["bodyworn"]
    database: Database = runtime.database
    with database.write() as session:
        found_system(session, Keyring(runtime.data_dir / "keys"))
        bays = docks.add_dock(session, name="Door", kind=DockKind.SIMULATED, locator="/nowhere", bays=3).bays
        locked = [
            cameras.seen(
                session,
                bay.id,
                seen_facts(SigningKey.generate(), serial=f"CAM{n}", enrolled=True, locked=True, nonce=NONCE),
            ).id
            for n, bay in enumerate(bays, 1)
        ]
        docks.empty(session, bays[2].id)
        recovery_key = PublicKey(systems.current(session).recovery_public_key)
    yield Site(database, signed_in(app, "operator"), signed_in(app, "viewer"), locked, recovery_key)
    database.close()


def text_of(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.mark.feature("CAM-7")
def test_system_status_leads_to_the_passphrase_which_unlocks_many_cameras_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivations = []
    real = master_key._derive
    monkeypatch.setattr(master_key, "_derive", lambda *given: derivations.append(1) or real(*given))
    assert f'href="{LIST}"' in site.operator.get("/bodyworn/").text
    page = site.operator.get(LIST)
    assert "Unlock all 2 docked ones" in text_of(page)
    assert page.text.count('name="camera"') == 3
    assert page.text.count("disabled") == 1  # the one that is away
    asked = site.operator.get(UNLOCK, query_string={"camera": site.ids[:2]})
    assert "CAM1" in text_of(asked)
    assert "CAM2" in text_of(asked)
    answer = site.unlock(*site.ids[:2])
    assert answer.status_code == 303
    assert len(derivations) == 1
    for order in site.orders()[:2]:
        payload = envelope.verify(order or b"", PayloadType.UNLOCK, [site.recovery_key])
        assert documents.decode(Unlock, payload).camera_nonce == NONCE
    assert site.orders()[2] is None
    assert "Unlocking." in text_of(site.operator.get(answer.headers["Location"]))


def test_all_that_are_docked_can_be_chosen_at_once(site: Site) -> None:
    asked = site.operator.get(UNLOCK, query_string={"all": 1}).text
    assert re.findall(r'name="camera" value="([^"]+)"', asked) == sorted(site.ids[:2], key=site.ids.index)


def test_one_that_is_away_stays_locked_and_that_is_said(site: Site) -> None:
    answer = site.unlock(site.ids[0], site.ids[2])
    assert [bool(order) for order in site.orders()] == [True, False, False]
    assert "The others stay in this list" in text_of(site.operator.get(answer.headers["Location"]))
    assert site.unlock(site.ids[2]).status_code == 422


@pytest.mark.parametrize("passphrase", ["", "not this one", "x" * 2000])
def test_a_wrong_passphrase_unlocks_nothing_and_keeps_the_choice(site: Site, passphrase: str) -> None:
    answer = site.unlock(*site.ids[:2], passphrase=passphrase)
    assert answer.status_code == 422
    assert 'id="passphrase-error"' in answer.text
    assert re.findall(r'name="camera" value="([^"]+)"', answer.text) == site.ids[:2]
    assert not re.search(r'<input id="passphrase"[^>]*value=', answer.text)
    assert site.orders() == [None] * 3


def test_nothing_selected_is_said(site: Site) -> None:
    answer = site.operator.get(UNLOCK)
    assert answer.status_code == 422
    assert "Select at least one camera." in text_of(answer)
    assert site.unlock().status_code == 422
    assert site.unlock("nobody").status_code == 404


def test_somebody_who_only_looks_sees_them_and_cannot_unlock(site: Site) -> None:
    page = site.viewer.get(LIST)
    assert "CAM1" in page.text
    assert 'id="unlock"' not in page.text
    assert page.text.count("disabled") == 3
    assert site.viewer.get(UNLOCK).status_code == 403


def test_cameras_that_work_again_leave_an_open_page(site: Site) -> None:
    live = "/bodyworn/fragments/devices/locked"
    before = site.operator.get(live).headers["ETag"]
    assert site.operator.get(live, headers={"If-None-Match": before}).status_code == 304
    site.unlock(site.ids[0])
    assert "Unlocking" in text_of(site.operator.get(live, headers={"If-None-Match": before}))
    with site.database.write() as session:
        for camera_id in site.ids:
            session.get_one(Camera, camera_id).locked_at = None
    assert "No camera is locked" in text_of(site.operator.get(live))


def test_who_asked_is_written_down(site: Site) -> None:
    site.unlock(site.ids[0], passphrase="wrong")
    site.unlock(site.ids[0])
    assert event_actions(site.database, site.ids[0])[-1] == "camera.unlock-ordered"
