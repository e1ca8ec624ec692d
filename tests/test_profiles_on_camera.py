"""Profiles arrive: what a camera was set to is read back from it field by field, and changes reach it in its dock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from bodyworn.const import Step
from bodyworn.models import Profile, RecordingState
from bodyworn.services import profile_list, profile_settings, profiles, users
from bodyworn.services.sentence import Tone
from bodyworn.simulator.camera import SimulatedCamera
from msgspec import structs
from rig_parts import ACTOR, event_actions
from running_station import SMALL, Station
from sqlalchemy import select

pytest_plugins = ["fixtures_database", "fixtures_rig"]

#: As the manual has them: its example for user group 1, and its example for user group 2.
EXAMPLES: dict[str, dict[str, Any]] = {
    "Best quality": {
        "resolution": "1080p",
        "audio": True,
        "audio_post_processing": True,
        "pre_buffer_seconds": 90,
        "pre_buffer_audio": True,
        "location": True,
        "allow_silent_mode": True,
        "allow_audio_off": True,
    },
    "Long shift": {
        "resolution": "720p",
        "audio": True,
        "audio_post_processing": False,
        "pre_buffer_seconds": 0,
        "pre_buffer_audio": False,
        "location": False,
        "allow_silent_mode": False,
        "allow_audio_off": True,
    },
}
#: A docked camera that is idle has a change after so long at the latest.
IDLE_SECONDS = 10.0


def on_camera(camera: SimulatedCamera) -> dict[str, Any]:
    """Read what the camera took over from the settings that were signed for it."""
    settings = camera.core.memory.settings
    assert settings is not None
    assert settings.profile is not None
    return structs.asdict(settings.profile)


def profile_id(station: Station, name: str) -> str:
    with station.database.read() as session:
        return session.scalars(select(Profile.id).where(Profile.name == name)).one()


def version_shown(station: Station, name: str) -> tuple[str, Tone]:
    with station.database.read() as session:
        (row,) = profile_list.cameras(session, profile_id(station, name), 1).rows
    return row.word.one.format(**row.word.values), row.tone


def give(station: Station, camera: SimulatedCamera, name: str) -> None:
    """Give the user of a camera another profile."""
    (known,) = station.known(camera.serial)
    assert known.camera_user_id is not None
    with station.database.write() as session:
        users.give_profile(session, [known.camera_user_id], profile_id(station, name), actor=ACTOR)


@pytest.mark.feature("USR-4")
def test_both_worked_examples_are_on_the_camera_field_by_field(make_station: Callable[..., Station]) -> None:
    station = make_station()
    camera = station.camera()
    with station.running():
        camera.dock(station.bay())
        station.add(camera)
        for name, wanted in EXAMPLES.items():
            give(station, camera, name)
            station.wait(lambda name=name: on_camera(camera)["name"] == name)
            there = on_camera(camera)
            assert {field: there[field] for field in wanted} == wanted
            station.wait(lambda name=name: version_shown(station, name) == ("Version 1", Tone.OKAY))


@pytest.mark.feature("USR-3")
def test_a_change_reaches_a_docked_camera_within_seconds_and_others_when_they_are_docked(
    make_station: Callable[..., Station],
) -> None:
    station = make_station()
    camera = station.camera()
    with station.running():
        camera.dock(station.bay())
        station.add(camera)
        station.wait(lambda: version_shown(station, "Default") == ("Version 1", Tone.OKAY))
        began = time.monotonic()
        change(station, location=False)
        station.wait(lambda: version_shown(station, "Default") == ("Version 2", Tone.OKAY), IDLE_SECONDS)
        assert time.monotonic() - began < IDLE_SECONDS
        assert on_camera(camera)["location"] is False
        camera.undock()
        station.wait(lambda: docked_cameras(station) == 0)
        change(station, resolution="720p")
        assert version_shown(station, "Default") == ("Version 2 until it is docked", Tone.ATTENTION)
        assert on_camera(camera)["resolution"] == "1080p"
        camera.dock(station.bay())
        station.wait(lambda: version_shown(station, "Default") == ("Version 3", Tone.OKAY))
    assert on_camera(camera)["resolution"] == "720p"


def change(station: Station, **changes: Any) -> None:
    with station.database.write() as session:
        profile = profiles.get(session, profile_id(station, "Default"))
        settings = structs.replace(profile_settings.read(profile), **changes)
        profiles.change(session, profile.id, profile.name, settings, of_version=profile.version, actor=ACTOR)


def docked_cameras(station: Station) -> int:
    return sum(station.bay_row(number).camera_id is not None for number in (1, 2, 3))


@pytest.mark.feature("USR-3")
def test_a_camera_that_is_being_offloaded_takes_a_change_over_after_the_recording_in_hand(
    make_station: Callable[..., Station],
) -> None:
    station = make_station()
    camera = station.worn()
    recorded = [camera.record(SMALL) for _ in range(3)]
    changed: list[Step] = []

    def change_once(step: Step) -> None:
        if step is Step.STORED and not changed:
            changed.append(step)
            change(station, resolution="720p")

    with station.running(hook=change_once):
        camera.dock(station.bay())
        station.wait(lambda: all(station.state(one) is RecordingState.STORED for one in recorded))
        station.wait(lambda: version_shown(station, "Default") == ("Version 2", Tone.OKAY))
    told = event_actions(station.database)
    assert told.index("profile.changed") < told.index("recording.stored")
    taken_over = max(number for number, one in enumerate(told) if one == "camera.settings-applied")
    assert told[:taken_over].count("recording.stored") == 1
