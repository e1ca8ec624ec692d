"""A controller that is killed at any step loses nothing, delivers nothing twice, and erases nothing unproved.

The plain set tries every step; with encryption a seeded sample is tried, whose seed is printed and can be given in
``BODYWORN_CRASH_SEED``.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from bodyworn.const import Step
from bodyworn.services import holdings
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Recorded, Wish
from bodyworn.store.verify import verify
from controller_process import controller_process, crash
from rig_parts import event_actions, sha256
from running_station import Station

pytest_plugins = ["fixtures_rig"]

Point = tuple[Step, int]

WISH = Wish(size_bytes=256 * 1024, bookmarks=("here",))
STEPS = list(Step)[list(Step).index(Step.MOUNTED) :]
#: Steps that each object comes to: at the second of them one object is done and another is not.
EACH_OBJECT = [
    Step.PART_CREATED,
    Step.RENAMED,
    Step.FOLDER_SYNCED,
    Step.STORED,
    Step.AUDITED,
    Step.COMPANIONS_PUT,
    Step.REMOTE_VERIFIED,
]
LANES = 2


@pytest.mark.feature("REC-2")
def test_a_controller_that_is_killed_at_any_step_goes_on_where_it_was(make_station: Callable[..., Station]) -> None:
    points: list[Point] = [(step, 1) for step in STEPS]
    _in_lanes(points, [_plain(make_station(f"lane-{number}")) for number in range(LANES)])


def test_the_same_with_encryption(make_station: Callable[..., Station], key_pair: tuple[bytes, bytes]) -> None:
    seed = int(os.environ.get("BODYWORN_CRASH_SEED") or random.randrange(2**32))
    chosen = random.Random(seed)
    points = [(Step.RENAMED, 2), *((step, 1) for step in chosen.sample(STEPS, 4))]
    points += [(step, 2) for step in chosen.sample(EACH_OBJECT, 3)]
    print(f"BODYWORN_CRASH_SEED={seed}: {', '.join(f'{step}:{count}' for step, count in points)}")
    stations = [make_station(f"lane-{number}") for number in range(LANES)]
    for station in stations:
        station.connect_encrypted(*key_pair)
    _in_lanes(points, stations)


def _plain(station: Station) -> Station:
    station.connect()
    return station


def _in_lanes(points: Sequence[Point], stations: Sequence[Station]) -> None:
    """Try points on several stations at a time, each with a camera of its own."""
    lanes = [(station, station.worn(), points[number :: len(stations)]) for number, station in enumerate(stations)]
    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(_try_points, *lane) for lane in lanes]:
            done.result()


def _try_points(station: Station, camera: SimulatedCamera, points: Sequence[Point]) -> None:
    for step, count in points:
        try:
            _try_point(station, camera, step, count)
        except Exception as error:
            log = (station.rig.data_dir / "controller.log").read_text()[-3000:]
            raise AssertionError(f"{step}:{count}\n{station.story()}\n{log}") from error


def _try_point(station: Station, camera: SimulatedCamera, step: Step, count: int) -> None:
    """Die there while a recording is on its way, start again, and look at everything."""
    recorded = camera.record(WISH)
    camera.dock(station.bay())
    crash(station.rig.data_dir, step, count)
    _check_nothing_lost(station, camera, recorded)
    with controller_process(station.rig.data_dir):
        station.wait(lambda: station.is_erased(recorded))
    camera.undock()
    assert camera.recordings() == ()
    _check_delivered_once(station, recorded)
    _check_spool(station)
    assert station.breaks() == []


def _check_nothing_lost(station: Station, camera: SimulatedCamera, recorded: Recorded) -> None:
    """Right after the crash: it is on the camera, or whole at its destination (I1)."""
    if recorded.id not in camera.recordings():
        _check_arrived(station, recorded)


def _check_arrived(station: Station, recorded: Recorded) -> None:
    arrived = {name: sha256(data) for name, data in station.arrived(recorded).items()}
    assert arrived == {clip.name: clip.sha256 for clip in recorded.clips}


def _check_delivered_once(station: Station, recorded: Recorded) -> None:
    _check_arrived(station, recorded)
    found = station.recording(recorded)
    assert found is not None
    there = {path.split("/")[1] for path in station.fake.objects if path.startswith(f"{found.container_name}/")}
    assert there == {clip.name for clip in found.clips}
    assert station.fake.containers[found.container_name]["X-Container-Meta-Status"] == "Complete"
    happened = Counter(event_actions(station.database, found.id))
    assert [happened[f"recording.{one}"] for one in ("found", "stored", "delivered", "erased")] == [1, 1, 1, 1]
    known = {one.container_name for one in station.recordings()}
    assert {name for name in station.fake.containers if "_" in name} == known


def _check_spool(station: Station) -> None:
    """Everything is where the database says, and nothing else: no part, no orphan."""
    assert station.parts() == []
    with station.database.read() as session:
        expected = holdings.by_store(session)["spool"]
    assert verify(station.spool, expected).findings == ()
