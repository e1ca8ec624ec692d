"""The pages that remove a camera: what they say beforehand, what they ask for, and how it stands meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from bodyworn.crypto.keys import SigningKey
from bodyworn.models import Bay, Belonging, Camera, Database, DockKind
from bodyworn.services import docks
from bodyworn.services.keyring import Keyring
from flask.testing import FlaskClient
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import PASSPHRASE, add_camera, event_actions, find, found_system
from werkzeug.test import TestResponse


@dataclass
class Site:
    """A host with one camera, which is away, and on which one recording was seen."""

    database: Database
    operator: FlaskClient
    viewer: FlaskClient
    camera_id: str
    bay_id: str

    @property
    def page(self) -> str:
        return f"/bodyworn/devices/cameras/{self.camera_id}"

    def post(self, action: str, **values: str) -> TestResponse:
        form = {"csrf_token": token_of(self.operator), **values}
        return self.operator.post(f"{self.page}/{action}", data=form, headers=SAME_ORIGIN)

    def camera(self) -> Camera:
        with self.database.read() as session:
            return session.get_one(Camera, self.camera_id)

    def put(self, *, docked: bool) -> None:
        with self.database.write() as session:
            session.get_one(Bay, self.bay_id).camera_id = self.camera_id if docked else None


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    app = host_app(tmp_path_factory.mktemp("removal"))
    runtime = app.extensions["bodyworn"]
    database: Database = runtime.database
    with database.write() as session:
        found_system(session, Keyring(runtime.data_dir / "keys"))
        bay = docks.add_dock(session, name="Door", kind=DockKind.SIMULATED, locator="/nowhere", bays=1).bays[0]
        key = SigningKey.generate()
        camera = add_camera(session, bay, key, serial="CAM1")
        find(session, camera, key)
        ids = camera.id, bay.id
    yield Site(database, signed_in(app, "operator"), signed_in(app, "viewer"), *ids)
    database.close()


@pytest.fixture
def site(built: Site) -> Site:
    built.put(docked=False)
    with built.database.write() as session:
        camera = session.get_one(Camera, built.camera_id)
        camera.belonging, camera.removal_asked_at = Belonging.ADDED, None
    return built


def text_of(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.mark.feature("CAM-5")
def test_a_removal_says_beforehand_what_happens_and_can_be_withdrawn(site: Site) -> None:
    assert f'href="{site.page}/remove"' in site.operator.get(site.page).text
    asked = text_of(site.operator.get(f"{site.page}/remove"))
    assert "removed after its next docking" in asked
    assert "1 recording is known to be on it still." in asked
    assert "enters shipping mode" in asked
    assert "Never remove it there yourself" in asked
    site.post("remove")
    assert "Dock the camera: it is removed once everything" in text_of(site.operator.get(site.page))
    assert "To be removed" in text_of(site.operator.get("/bodyworn/devices"))
    site.put(docked=True)
    assert "1 recording has still to be taken from it." in text_of(site.operator.get(site.page))
    assert "Leave it there until it shows as Removed." in text_of(site.operator.get(f"{site.page}/remove"))
    site.post("keep")
    assert site.camera().removal_asked_at is None
    assert event_actions(site.database, site.camera_id)[-2:] == ["camera.removal-asked", "camera.removal-withdrawn"]


@pytest.mark.feature("CAM-8")
def test_force_needs_a_reason_and_the_passphrase_and_says_what_is_lost(site: Site) -> None:
    asked = text_of(site.operator.get(f"{site.page}/force-remove"))
    assert "1 recording that was seen on it was never transferred." in asked
    for values, wrong in (
        ({"passphrase": PASSPHRASE, "reason": " "}, "reason-error"),
        ({"passphrase": "not this one", "reason": "Lost at sea"}, "passphrase-error"),
        ({"passphrase": "", "reason": "Lost at sea"}, "passphrase-error"),
        ({"passphrase": PASSPHRASE, "reason": "x" * 501}, "reason-error"),
    ):
        answer = site.post("force-remove", **values)
        assert answer.status_code == 422
        assert f'id="{wrong}"' in answer.text
        assert not re.search(r'<input id="passphrase"[^>]*value=', answer.text)
    assert site.camera().belonging is Belonging.ADDED
    assert site.post("force-remove", passphrase=PASSPHRASE, reason="Lost at sea").status_code == 303
    page = text_of(site.operator.get(site.page))
    assert "This camera was removed" in page
    assert "Lost at sea" in page  # in its history
    assert site.post("remove").status_code == 400


def test_a_docked_camera_is_not_removed_by_force(site: Site) -> None:
    site.put(docked=True)
    answer = site.post("force-remove", passphrase=PASSPHRASE, reason="Broken")
    assert answer.status_code == 422
    assert "is docked, so it is not lost" in text_of(answer)


def test_who_only_looks_cannot_remove(site: Site) -> None:
    assert f'href="{site.page}/remove"' not in site.viewer.get(site.page).text
    assert site.viewer.get(f"{site.page}/remove").status_code == 403
