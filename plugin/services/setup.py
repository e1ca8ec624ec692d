"""The wizard's progress: which steps there are, which were passed, and what was chosen before there is a system.

What a step does is in the services of its subject (clock, network, destination, master key); founding the system
itself is ``founding``. Here is only the way through.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from ..errors import SetupNotBegun, SetupUnfinished
from ..models import Setup, System
from . import events, founding
from .keyring import Keyring

_ONLY_ONE = 1


class Step(StrEnum):
    """The steps, in their order; the values stand in addresses."""

    FIRMWARE = "firmware"
    NETWORK = "network"
    DATE_AND_TIME = "date-and-time"
    DESTINATION = "destination"
    POWER_LINE = "power-line"
    MASTER_KEY = "master-key"
    NAME = "name"
    FINISH = "finish"


STEPS = tuple(Step)


def find(session: Session) -> Setup | None:
    """Give the setup under way, or the one that led to the system; None before it was begun."""
    return session.get(Setup, _ONLY_ONE)


def present(session: Session) -> Setup:
    """Give the setup under way; raises SetupNotBegun."""
    found = find(session)
    if found is None:
        raise SetupNotBegun
    return found


def begin(session: Session, *, actor: str) -> Setup:
    """Begin to create a new system; a second person joins what the first began."""
    found = find(session)
    if found is not None:
        return found
    begun = Setup(id=_ONLY_ONE, began_at=datetime.now(UTC), began_by=actor, passed=[], time_zone="UTC", restored=False)
    session.add(begun)
    session.flush()
    events.record(session, "setup.begun", "setup", "", actor=actor)
    return begun


def next_step(setup: Setup) -> Step:
    """Give the first step that was not passed yet: where somebody who comes back goes on."""
    return next(step for step in STEPS if step is Step.FINISH or step not in setup.passed)


def may_open(setup: Setup, step: Step) -> bool:
    """Tell whether a step is the next one, or one to go back to."""
    return step in setup.passed or step is next_step(setup)


def go_on(session: Session, step: Step, *, actor: str) -> Step:
    """Note that a step was passed, and give the one after it; raises SetupNotBegun."""
    setup = present(session)
    if step not in setup.passed:
        setup.passed = [*setup.passed, step.value]
        events.record(session, "setup.step-passed", "setup", "", actor=actor, step=step.value)
    return STEPS[STEPS.index(step) + 1]


def before(step: Step) -> Step | None:
    """Give the step before one, or None at the first."""
    position = STEPS.index(step)
    return STEPS[position - 1] if position else None


def finish(session: Session, keyring: Keyring, *, actor: str) -> System:
    """Make the draft the system of this database, with everything that was chosen on the way.

    :raises SetupUnfinished: while a step is missing; SetupNotBegun, AlreadyFounded.
    """
    setup = present(session)
    if next_step(setup) is not Step.FINISH or setup.system_name is None:
        raise SetupUnfinished
    system = founding.finish(
        session,
        keyring,
        name=setup.system_name,
        language=setup.language or "en",
        time_zone=setup.time_zone,
        ntp_server=setup.ntp_server,
        power_line_hertz=setup.power_line_hertz or 50,
        actor=actor,
    )
    setup.passed = [step.value for step in STEPS]
    return system
