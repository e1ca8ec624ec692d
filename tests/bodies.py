"""A camera's body for tests: brought into a state in a line, and asked what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

from bodyworn.camera_volume.orders import Profile
from bodyworn.simulator import behaviour, sounds
from bodyworn.simulator.body import Body, taken
from bodyworn.simulator.buttons import Button
from bodyworn.simulator.circumstances import Circumstances
from bodyworn.simulator.lights import Light, lights
from bodyworn.simulator.power import TURN_ON_SECONDS


def a_profile(**wanted: object) -> Profile:
    """Give a profile that allows everything, but for what is said."""
    usual = {
        "id": str(uuid4()),
        "name": "Standard",
        "resolution": "1080p",
        "audio": True,
        "audio_post_processing": True,
        "location": True,
        "allow_silent_mode": True,
        "allow_audio_off": True,
        "pre_buffer_seconds": 90,
    }
    return Profile(**(usual | wanted))


USUAL = Circumstances(profile=a_profile())


@dataclass
class Camera:
    """A body with its time and its circumstances; ``given`` may be changed at any time."""

    given: Circumstances = USUAL
    body: Body = field(default_factory=Body)

    def wait(self, seconds: float) -> Camera:
        self.body = behaviour.advance(self.body, self.body.at + seconds, self.given)
        return self

    def press(self, button: Button, seconds: float = 0.2) -> Camera:
        """Press, hold and release; what was heard before is forgotten."""
        self.body = behaviour.press(taken(self.body), button, self.body.at, self.given)
        self.body = behaviour.release(self.body, button, self.body.at + seconds, self.given)
        return self

    def happen(self, what: Callable[[Body, float, Circumstances], Body]) -> Camera:
        """Dock, undock, attach or detach."""
        self.body = what(taken(self.body), self.body.at, self.given)
        return self

    def set(self, **changes: object) -> Camera:
        self.given = replace(self.given, **changes)
        return self.wait(0)

    def worn(self) -> Camera:
        """Turn it on, and wait until it is."""
        return self.press(Button.POWER).wait(TURN_ON_SECONDS)

    def in_dock(self) -> Camera:
        """Dock it, and wait until it has restarted."""
        return self.happen(behaviour.dock).wait(20)

    def shows(self) -> dict[str, str]:
        """Give the lit lights in words, such as ``flashing amber``."""
        words = {light.value: f"{lamp.pattern} {lamp.colour}" for light, lamp in lights(self.body, self.given).items()}
        return {light: word.removeprefix("steady ") for light, word in words.items()}

    def light(self, light: Light) -> str:
        return self.shows().get(light.value, "dark")

    def heard(self) -> list[sounds.Signal]:
        return [one.signal for one in self.body.sounded]
