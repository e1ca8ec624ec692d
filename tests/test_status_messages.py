"""The manual's table of status messages, row by row: what is shown, and the same to programs and to the host."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import seed
from bodyworn.errors import CameraReadFailed, DestinationNameUnknown
from bodyworn.models import Bay, Belonging, Controller
from bodyworn.services import advice
from bodyworn.services.status import status
from hosting import host_app, loader_of, signed_in

pytestmark = pytest.mark.feature("SYS-8")

NOW = datetime.now(UTC)


def in_order(session):
    """Make a system in which everything is okay."""
    controller = seed.found_system(session, NOW)
    camera = seed.add_camera(session, NOW, "A1", seed.add_user(session, NOW, "Anna"))
    return controller, camera, seed.connect_destination(session, NOW)


def locked(session, controller, camera, destination):
    camera.locked_at = NOW


def new(session, controller, camera, destination):
    newcomer = seed.add_camera(session, NOW, "B2", belonging=Belonging.NEW)
    spare = seed.add_camera(session, NOW, "C3", seed.add_user(session, NOW, "Ben"))
    spare.belonging = Belonging.REMOVED
    dock = seed._dock(session, controller, NOW, *[camera] * 3, newcomer, *[camera] * 2)
    for bay in dock.bays:
        bay.problem_id = None


def no_cameras(session, controller, camera, destination):
    camera.belonging = Belonging.REMOVED


def camera_storage(session, controller, camera, destination):
    camera.problem_id = CameraReadFailed.id
    camera.problem_values = dict.fromkeys(("name", "reason", "offset", "serial"), "x")


def unavailable(session, controller, camera, destination):
    controller.heartbeat_at = NOW - timedelta(hours=1)


def controller_storage(session, controller, camera, destination):
    controller.problem_id = "store-damaged"


def storage_low(session, controller, camera, destination):
    controller.spool_free_bytes = controller.spool_total_bytes // 20


def authorization_failed(session, controller, camera, destination):
    seed.stop_destination(session, destination, NOW)


def network_problem(session, controller, camera, destination):
    seed.lose_destination(session, destination, NOW)
    destination.problem_id, destination.problem_values = DestinationNameUnknown.id, {"host": "x"}


def endpoint_out_of_reach(session, controller, camera, destination):
    seed.lose_destination(session, destination, NOW)


#: Row of the manual's table: how it comes about, the message, and the page that mends it.
ROWS = {
    "Cameras: Locked": (locked, advice.CAMERA_LOCKED, "/bodyworn/devices/locked"),
    "Cameras: New": (new, advice.CAMERA_NEW, "/bodyworn/devices#new"),
    "Cameras: No cameras added": (no_cameras, advice.NO_CAMERAS, "/bodyworn/devices"),
    "Cameras: Storage error": (camera_storage, advice.CAMERA_STORAGE_ERROR, "/bodyworn/devices/cameras/"),
    "Controllers: Unavailable": (unavailable, advice.CONTROLLER_UNAVAILABLE, "/bodyworn/devices#controllers"),
    "Controllers: Storage error": (
        controller_storage,
        advice.CONTROLLER_STORAGE_ERROR,
        "/bodyworn/devices#controllers",
    ),
    "Controllers: Storage low": (storage_low, advice.CONTROLLER_STORAGE_LOW, "/bodyworn/devices#controllers"),
    "Destination: Authorization failed": (
        authorization_failed,
        advice.AUTHORIZATION_FAILED,
        "/bodyworn/destination",
    ),
    "Destination: Connection failed, network": (network_problem, advice.CONNECTION_FAILED, "/bodyworn/destination"),
    "Destination: Connection failed, endpoints": (
        endpoint_out_of_reach,
        advice.CONNECTION_FAILED,
        "/bodyworn/destination",
    ),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    app = host_app(tmp_path_factory.mktemp("site"))
    database = app.extensions["bodyworn"].database
    with database.write() as session:
        made = in_order(session)
        ids = [(type(one), one.id) for one in made]
    yield app, database, ids, signed_in(app, "viewer")
    database.close()


@pytest.fixture(autouse=True)
def alive(site):
    """Have the controller give a sign of life, however long ago the tests began."""
    _, database, _, _ = site
    with database.write() as session:
        session.query(Controller).one().heartbeat_at = datetime.now(UTC)


@pytest.fixture
def trouble(alive, site):
    """Break one thing, and put everything back as it was afterwards."""
    _, database, ids, _ = site
    before = {}

    def break_it(cause):
        with database.write() as session:
            rows = [session.get(kind, id_) for kind, id_ in ids]
            for row in rows:
                before[row.id] = (type(row), {column.key: getattr(row, column.key) for column in row.__table__.columns})
            cause(session, *rows)

    yield break_it
    with database.write() as session:
        for bay in session.query(Bay):
            bay.camera_id = None
        for id_, (kind, values) in before.items():
            for key, value in values.items():
                setattr(session.get(kind, id_), key, value)


def asked(browser):
    answer = browser.get("/bodyworn/api/status.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    return json.loads(answer.data)


def test_okay_is_said_of_every_part_when_nothing_needs_anybody(site):
    app, _, _, viewer = site
    document = asked(viewer)
    assert (document["type"], document["version"], document["state"]) == ("bodyworn.status", 1, "okay")
    assert [(part["id"], part["state"], part["messages"]) for part in document["parts"]] == [
        ("cameras", "okay", []),
        ("controllers", "okay", []),
        ("destination", "okay", []),
    ]
    loader = loader_of(app)
    told = {item.part: (item.state, item.sentence) for item in loader.health(loader.slots[0])}
    for part in ("Cameras", "System controllers", "Content destination"):
        assert told[part] == ("okay", "Okay")


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_the_status_table_is_told_on_the_page_to_programs_and_to_the_host(site, trouble, row):
    app, _, _, viewer = site
    cause, expected, address = ROWS[row]
    trouble(cause)
    messages = [message for part in asked(viewer)["parts"] for message in part["messages"]]
    (message,) = [one for one in messages if one["id"] == expected.id]
    assert message["address"].startswith(address)
    assert viewer.get(message["address"].partition("#")[0]).status_code == 200
    assert (message["cause"], message["solution"]) == (expected.cause.one, expected.solution.one)
    page = viewer.get("/bodyworn/").text
    assert f'href="{message["help"]}"' in page
    assert f'id="{expected.id}"' in viewer.get(message["help"].partition("#")[0]).text
    loader = loader_of(app)
    told = [item.sentence for item in loader.health(loader.slots[0])]
    assert [said for said in told if said.startswith(f"{message['label']}: {message['title']}")]


def test_every_row_of_advice_has_an_id_of_its_own_and_says_cause_and_solution():
    assert len({one.id for one in advice.ALL}) == len(advice.ALL)
    declared = [value for value in vars(advice).values() if isinstance(value, advice.Advice)]
    assert set(map(id, declared)) == set(map(id, advice.ALL))


def test_nobody_gets_the_status_without_signing_in(site):
    app, _, _, _ = site
    assert app.test_client().get("/bodyworn/api/status.json", headers={"Accept": "application/json"}).status_code in (
        302,
        401,
    )


def test_programs_are_told_in_the_language_that_they_ask_for(site, trouble):
    _, _, _, viewer = site
    trouble(storage_low)
    german = viewer.get("/bodyworn/api/status.json", headers={"Accept-Language": "de"}).json
    (part,) = [part for part in german["parts"] if part["id"] == "controllers"]
    assert part["messages"][0]["id"] == "controller-storage-low"
    assert part["messages"][0]["label"] == "Speicher knapp"


def test_a_message_of_a_part_is_as_loud_as_on_the_page(site, trouble):
    _, database, _, viewer = site
    trouble(unavailable)
    with database.read() as session:
        found = status(session, datetime.now(UTC))
    document = asked(viewer)
    assert document["state"] == found.loudest == "problem"
