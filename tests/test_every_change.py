"""Whatever somebody changes on a page leaves an event that says who did it, from where, to what.

The walk sends one form of each route, in an order in which all of them succeed: through the wizard, and on in the
system that it made. A route that changes something and is not in the walk fails the build.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import seed
from bodyworn.crypto import master_key
from bodyworn.destination.connection_file import export
from bodyworn.machine import network
from bodyworn.models import (
    Belonging,
    Camera,
    Controller,
    DestinationState,
    Dock,
    DockKind,
    Event,
    Profile,
    RecordingState,
)
from bodyworn.services import destinations, docks, history, things
from fake_destination import FakeDestination
from flask import Flask, url_for
from flask.testing import FlaskClient
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import CHEAPEST, PASSPHRASE
from sqlalchemy import func, select

pytestmark = pytest.mark.feature("SYS-10")

OTHER_PASSPHRASE: Final = "seven moths below grey harbour lanterns"
#: What needs more than a page and a database, with why, and the file whose tests see its event.
ELSEWHERE: Final = {
    "keep_here_during_setup": "a host that serves: test_destination_pages",
    "keep_recordings_here": "a host that serves: test_destination_pages",
    "activate_certificate": "a server with TLS: test_certificate_pages",
    "confirm_certificate": "a server with TLS: test_certificate_pages",
    "install_certificate": "an authority: test_certificate_pages",
    "restore_system": "the key of another system: test_founding",
    "unlock_cameras": "a camera that is locked and docked: test_unlock_pages",
    "force_remove_camera": "a camera that is lost: test_camera_removal_pages",
    "open_recording_clip": "an encrypted recording: test_not_transferred",
}
#: What changes nothing.
CHANGES_NOTHING: Final = {"passphrase_strength", "check_users_file"}
#: A camera profile as its form sends it.
PROFILE: Final = {
    "name": "Harbour",
    "resolution": "720p",
    "audio": "y",
    "pre_buffer_seconds": "30",
    "clip_limit_seconds": "900",
}


@dataclass
class Walk:
    """A browser of an administrator, and what has been seen so far."""

    app: Flask
    browser: FlaskClient
    destination: FakeDestination
    ids: dict[str, str] = field(default_factory=dict)
    walked: dict[str, list[Event]] = field(default_factory=dict)

    @property
    def database(self) -> Any:
        return self.app.extensions["bodyworn"].database

    def go(self, endpoint: str, /, **form: Any) -> str:
        """Send a form, and keep the events that it left; what is named in the route comes from ``ids``.

        Gives the page that answers.
        """
        rule = next(one for one in self.app.url_map.iter_rules() if one.endpoint == f"bodyworn.{endpoint}")
        with self.app.test_request_context():
            path = url_for(rule.endpoint, **{name: self.ids[name] for name in rule.arguments})
        last = self._last()
        data = {"csrf_token": token_of(self.browser), **form}
        answer = self.browser.post(path, data=data, headers=SAME_ORIGIN, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert answer.status_code in (200, 303), (endpoint, answer.status_code, answer.text[-3000:])
        with self.database.read() as session:
            self.walked[endpoint] = list(session.scalars(select(Event).where(Event.sequence > last)))
        return answer.text

    def last_object(self, kind: str) -> str:
        """Name what the latest event about a kind of thing is about."""
        with self.database.read() as session:
            ids = select(Event.object_id).where(Event.object_kind == kind).order_by(Event.sequence.desc())
            return session.scalars(ids).first() or ""

    def _last(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.max(Event.sequence))) or 0


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with pytest.MonkeyPatch.context() as patch, FakeDestination() as destination:
        patch.setattr(master_key, "KdfCost", lambda: CHEAPEST)
        # the machine of this test takes everything; what real services answer is in test_machine
        patch.setattr(network, "set_host_name", lambda name: None)
        patch.setattr(network, "keep", lambda: True)
        app = host_app(tmp_path_factory.mktemp("walk"))
        walked = Walk(app, signed_in(app, "administrator"), destination)
        through_the_wizard(walked)
        through_the_devices(walked)
        through_the_profiles(walked)
        through_the_users(walked)
        through_the_recordings(walked)
        through_the_destination(walked)
        through_the_settings(walked)
        through_support(walked)
        yield walked


def through_the_wizard(walk: Walk) -> None:
    walk.go("begin_setup")
    walk.go("pass_firmware")
    walk.go("pass_network")
    walk.go("keep_addresses_during_setup")
    walk.go("pass_date_and_time", time_zone="Europe/Vienna", source="machine", anyway="y")
    walk.go("connect_during_setup", file=connection_file(walk), allow_http="y")
    walk.go("pass_destination")
    walk.go("pass_power_line", hertz="50")
    walk.go("pass_master_key", wanted=PASSPHRASE, again=PASSPHRASE)
    walk.go("download_new_master_key")
    walk.go("pass_master_key")
    walk.go("pass_name", name="North depot", language="en")
    walk.go("pass_finish")


def through_the_devices(walk: Walk) -> None:
    now = datetime.now(UTC)
    with walk.database.write() as session:
        new = seed.add_camera(session, now, "SIM0001", belonging=Belonging.NEW, applied_settings=None)
        walk.ids["camera_id"] = new.id
    walk.go("add_cameras", camera=walk.ids["camera_id"])
    walk.go("save_camera", name="Patrol 7", camera_user="", new_user="Olga Berg")
    walk.go("remove_camera")
    walk.go("keep_camera")
    walk.go("set_limits", offloads="3", uploads="1")
    walk.go("add_dock", name="Cellar")
    with walk.database.write() as session:
        for name in ("Hall", "Attic"):
            docks.add_dock(session, name=name, kind=DockKind.USB, locator=f"/{name}", bays=2)
        dock = session.scalars(select(Dock).where(Dock.name == "Hall")).one()
        walk.ids |= {"dock_id": dock.id, "bay_id": dock.bays[0].id}
    walk.go("save_dock", name="Great hall", **{f"name-{walk.ids['bay_id']}": "Door"})
    walk.go("learn_bays", on="1")
    walk.go("move_dock", to="later")
    walk.go("move_bay", to="later")
    walk.go("forget_bay")
    walk.go("forget_dock")


def through_the_profiles(walk: Walk) -> None:
    walk.go("create_profile", **PROFILE)
    walk.ids["profile_id"] = walk.last_object("profile")
    walk.go("save_profile", **PROFILE | {"location": "y", "version": "1"})
    walk.go("give_wearers_profile", camera=walk.ids["camera_id"], profile=walk.ids["profile_id"])


def through_the_users(walk: Walk) -> None:
    walk.go("add_user", name="Kim Lund", user_id="", profile=walk.ids["profile_id"])
    walk.ids["camera_user_id"] = walk.last_object("user")
    walk.go("save_user", name="Kim Lund", user_id="4711", profile=walk.ids["profile_id"])
    walk.go("remove_user")
    walk.go("bring_user_back")
    with walk.database.read() as session:
        default = session.scalars(select(Profile.id).where(Profile.default)).one()
    walk.go("give_profile", matching="y", profile=default)
    walk.go("make_default_profile")
    walk.ids["profile_id"] = default
    walk.go("make_default_profile")
    walk.ids["profile_id"] = walk.walked["create_profile"][-1].object_id
    walk.go("remove_profile")
    file = (io.BytesIO(b"name,user_id\nAda Holm,17\n"), "users.csv")
    shown = walk.go("check_users_file", file=file, mode="add")
    walk.go("import_users", mode="add", file_name="users.csv", **hidden(shown, "ticket", "fingerprint"))


def hidden(page: str, *names: str) -> dict[str, str]:
    """Read what a page's form carries without showing it."""
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[-1] for name in names}


def through_the_recordings(walk: Walk) -> None:
    now = datetime.now(UTC)
    for endpoint in ("try_recording_again", "try_recordings_again"):
        with walk.database.write() as session:
            camera = session.get_one(Camera, walk.ids["camera_id"])
            controller = session.scalars(select(Controller)).one()
            destination = destinations.active(session)
            assert destination is not None
            refused = seed.add_recording(
                session,
                camera,
                controller,
                now - timedelta(hours=len(walk.walked)),
                RecordingState.REFUSED,
                destination_id=destination.id,
                problem_id="destination-rejected",
                problem_values={},
            )
            walk.ids["recording_id"] = refused.id
        walk.go(endpoint)
    walk.go("check_now")


def through_the_destination(walk: Walk) -> None:
    with walk.database.write() as session:
        destination = destinations.active(session)
        assert destination is not None
        destination.state = DestinationState.STOPPED
    walk.go("try_destination_again")
    walk.go("push_again")
    walk.go("limit_uploads", megabits="20")
    walk.go("rehearse_destination")
    walk.go("connect_destination", file=connection_file(walk), allow_http="y")
    walk.go("set_destination_proxy", proxy_address="")
    walk.go("export_connection_file", site_name="Harbour", address="http://127.0.0.1:8088")


def through_the_settings(walk: Walk) -> None:
    walk.go("save_date_and_time", time_zone="Europe/Berlin", source="machine")
    walk.go("save_network", host_name="harbour-one")
    walk.go("keep_addresses")
    walk.go("create_certificate", name="web", common_name="harbour.example", names="harbour.example", days="90")
    walk.ids["certificate_id"] = walk.last_object("certificate")
    walk.go("create_signing_request", common_name="harbour.example", names="harbour.example")
    walk.go("delete_certificate")


def through_support(walk: Walk) -> None:
    walk.go("download_master_key", passphrase=PASSPHRASE)
    walk.go("change_passphrase", passphrase=PASSPHRASE, wanted=OTHER_PASSPHRASE, again=OTHER_PASSPHRASE)


def connection_file(walk: Walk) -> tuple[io.BytesIO, str]:
    return io.BytesIO(export(walk.destination.connection(site_name="Evidence"))), "connection-file.json"


def changing(app: Flask) -> set[str]:
    """List the routes of pages by which something can be changed."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("bodyworn.")]
    return {rule.endpoint.partition(".")[2] for rule in rules if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}}


def test_every_route_that_changes_something_is_walked(walk: Walk) -> None:
    assert changing(walk.app) == walk.walked.keys() | ELSEWHERE.keys() | CHANGES_NOTHING


def test_every_change_left_an_event_of_who_made_it_from_where(walk: Walk) -> None:
    silent = {endpoint for endpoint, left in walk.walked.items() if not any(own(event) for event in left)}
    assert silent - CHANGES_NOTHING == set()


def own(event: Event) -> bool:
    by_whom = (event.actor, event.address, event.result) == ("administrator", "192.0.2.7", "done")
    return by_whom and bool(event.action and event.object_kind)


def test_every_event_of_the_walk_is_told_in_words(walk: Walk) -> None:
    left = [event for events in walk.walked.values() for event in events]
    assert {event.action for event in left} - history.sentences().keys() == set()
    assert {event.object_kind for event in left if things.word(event.object_kind).one == "{name}"} == set()
