"""The wizard's last step: everything that was chosen, once more, and the system comes into being."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..errors import BodywornError
from ..forms.setup import LANGUAGES
from ..models import Destination
from ..runtime import current
from ..services import connecting, destinations, setup, systems
from ..services.sentence import Sentence, named, sentence
from ..services.setup import Step
from . import setup_frame as frame
from .setup_destination import is_here

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fact:
    """One thing that was chosen, and where."""

    title: str
    value: Sentence
    address: str


def add(blueprint: Blueprint) -> None:
    """Register the step."""
    frame.add_step(blueprint, Step.FINISH, show, finish)


def show() -> ResponseReturnValue:
    """Show what was chosen."""
    with current().database.read() as session:
        facts = _facts(session)
    return frame.show("bodyworn/setup_finish.html", Step.FINISH, facts=facts)


def finish() -> ResponseReturnValue:
    """Set the system up, and lead to its status."""
    runtime = current()
    with runtime.database.write() as session:
        setup.finish(session, frame.keyring(), actor=pages.actor())
        restored = setup.present(session).restored
    if restored:
        _ask_destination_again()
    return pages.done(".status", "setup-finished")


def _ask_destination_again() -> None:
    """Let the destination say whether it knows the system that came back; if it does not answer, status shows that."""
    try:
        connecting.recognise_again(current().database, frame.keyring(), actor=pages.actor())
    except BodywornError as error:
        _LOG.warning("The destination could not be asked whether it knows the restored system: %s", error)


def _facts(session: Session) -> list[Fact]:
    found, destination, draft = setup.present(session), destinations.active(session), systems.draft(session)
    language = LANGUAGES.get(found.language or "", "English")
    chosen = [
        (Step.NAME, named(f"{found.system_name} · {language}")),
        (Step.DATE_AND_TIME, named(found.time_zone.replace("_", " "))),
        (Step.DESTINATION, _destination(destination)),
        (Step.POWER_LINE, named(f"{found.power_line_hertz} Hz")),
        (Step.MASTER_KEY, _key(draft is not None and draft.master_key_downloaded_at is not None, found.restored)),
    ]
    return [Fact(frame.TITLES[step], value, frame.address(step)) for step, value in chosen]


def _destination(found: Destination | None) -> Sentence:
    if found is None:
        return sentence("none")
    return sentence("this server") if is_here(found) else named(found.site_name)


def _key(downloaded: bool, restored: bool) -> Sentence:
    if restored and downloaded:
        return sentence("uploaded, and the renewed one downloaded")
    if restored:
        return sentence("uploaded; the renewed one was not downloaded")
    return sentence("downloaded") if downloaded else sentence("not downloaded")
