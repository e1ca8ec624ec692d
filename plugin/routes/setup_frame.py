"""What the pages of the wizard share: the frame with its steps, and the rule that none is skipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import pages
from ..access import needs
from ..runtime import current
from ..services import setup
from ..services.keyring import Keyring
from ..services.sentence import marked
from ..services.setup import STEPS, Step

View = Callable[[], ResponseReturnValue]

#: The steps in words, in the manual's terms.
TITLES = {
    Step.FIRMWARE: marked("Firmware"),
    Step.NETWORK: marked("Network"),
    Step.DATE_AND_TIME: marked("Date and time"),
    Step.DESTINATION: marked("Content destination"),
    Step.POWER_LINE: marked("Power line frequency"),
    Step.MASTER_KEY: marked("Master key"),
    Step.NAME: marked("Name and language"),
    Step.FINISH: marked("Finish"),
}


@dataclass(frozen=True)
class StepView:
    """One step, as the row of steps shows it."""

    title: str
    address: str
    passed: bool
    here: bool


@dataclass(frozen=True)
class WizardView:
    """Where somebody is in the wizard."""

    title: str
    number: int
    steps: list[StepView]
    back: str | None
    next_title: str | None


def add_step(blueprint: Blueprint, step: Step, show: View, take: View) -> None:
    """Register a step's page and what its button does, both behind the wizard's rule."""
    name = step.name.lower()
    blueprint.add_url_rule(f"/setup/{step}", f"setup_{name}", in_wizard(step, show))
    blueprint.add_url_rule(f"/setup/{step}", f"pass_{name}", in_wizard(step, take), methods=["POST"])


def in_wizard(step: Step, view: View) -> View:
    """Let a view answer only during the setup, to whoever may set up, and when its step may be opened."""

    @needs("bodyworn.system", during_setup=True)
    def answer() -> ResponseReturnValue:
        return _elsewhere(step) or view()

    return answer


def show(template: str, step: Step, status_code: int = 200, **context: Any) -> ResponseReturnValue:
    """Draw the page of a step."""
    with current().database.read() as session:
        passed = list(setup.present(session).passed)
    return render_template(template, wizard=_view(step, passed), **context), status_code


def onward(step: Step) -> ResponseReturnValue:
    """Note that a step was passed, and lead to the next one."""
    with current().database.write() as session:
        after = setup.go_on(session, step, actor=pages.actor())
    return redirect(address(after), 303)


def address(step: Step) -> str:
    """Give the path of a step's page."""
    return url_for(f".setup_{step.name.lower()}")


def keyring() -> Keyring:
    """Open the keys of this machine."""
    return Keyring(current().data_dir / "keys")


def _elsewhere(step: Step) -> ResponseReturnValue | None:
    """Lead to where somebody belongs who is wrong here."""
    if current().is_set_up():
        return redirect(url_for(".status"), 303)
    with current().database.read() as session:
        found = setup.find(session)
        if found is None:
            return redirect(url_for(".setup"), 303)
        if setup.may_open(found, step):
            return None
        return redirect(address(setup.next_step(found)), 303)


def _view(step: Step, passed: list[str]) -> WizardView:
    before, position = setup.before(step), STEPS.index(step)
    return WizardView(
        title=TITLES[step],
        number=position + 1,
        steps=[StepView(TITLES[one], address(one), one in passed, one is step) for one in STEPS],
        back=address(before) if before else None,
        next_title=TITLES[STEPS[position + 1]] if position + 1 < len(STEPS) else None,
    )
