"""What the host is told of how the plugin is doing: System status in the contract's shape, and the parts beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from flask import has_request_context
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from . import text, tls
from .const import DOMAIN
from .contract import HealthItem, HealthState
from .errors import NoSystem
from .figures import Figures, zone_named
from .runtime import Runtime
from .services import integrations, status, systems
from .services.controller_card import SILENT_AFTER
from .services.message import Card, Message
from .services.sentence import Tone, sentence

_LOG = logging.getLogger(__name__)

#: Pages of one thing cannot be named without it; System status leads there.
_OF_ONE_THING = frozenset({"camera", "help_topic"})


def health(runtime: Runtime) -> Sequence[HealthItem]:
    """Tell how each part is, in the language of the request if there is one."""
    catalogue = text.translator(runtime.host.locale() if has_request_context() else "en")
    say = catalogue.gettext
    now = datetime.now(UTC)
    try:
        with runtime.database.read() as session:
            found = [_controller(session, say, now)]
            system = systems.find(session)
            if system is not None:
                figures = Figures(catalogue, zone_named(system.time_zone), now)
                found += _cards(session, figures, now)
            found += _packages(session, say, now)
        return (*found, *_confirmation(runtime, say), *_certificate(runtime, say, now))
    except SQLAlchemyError:
        _LOG.exception("The database does not answer")
        return (HealthItem(say("Database"), HealthState.PROBLEM, say("The database cannot be read.")),)


def _controller(session: Session, say: Callable[[str], str], now: datetime) -> HealthItem:
    """Tell whether this machine's own controller process runs."""
    part, page = say("Controller"), f"{DOMAIN}.status"
    try:
        seen_at = systems.local_controller(session).heartbeat_at
    except NoSystem:
        return HealthItem(part, HealthState.ATTENTION, say("No system has been set up yet."), endpoint=page)
    if seen_at is None or now - seen_at > SILENT_AFTER:
        return HealthItem(part, HealthState.PROBLEM, say("The controller does not answer."), seen_at, page)
    return HealthItem(part, HealthState.OKAY, say("The controller is running."), seen_at, page)


def _cards(session: Session, figures: Figures, now: datetime) -> Iterator[HealthItem]:
    """Give an item for each message; a part without any is Okay."""
    for part, card in status.status(session, now).cards.items():
        yield from _card(figures.say(status.TITLES[part]), card, figures)


def _card(part: str, card: Card, figures: Figures) -> Iterator[HealthItem]:
    if not card.messages:
        yield HealthItem(part, HealthState.OKAY, figures.say(sentence("Okay")), endpoint=f"{DOMAIN}.status")
    for message in card.messages:
        state = HealthState.PROBLEM if message.tone is Tone.PROBLEM else HealthState.ATTENTION
        yield HealthItem(part, state, _in_words(message, figures), endpoint=f"{DOMAIN}.{_page(message)}")


def _in_words(message: Message, figures: Figures) -> str:
    said = f"{figures.say(message.label)}: {figures.say(message.title)}"
    return f"{said}. {figures.say(message.text)}" if message.text else f"{said}."


def _page(message: Message) -> str:
    return "status" if message.endpoint in _OF_ONE_THING else message.endpoint


def _packages(session: Session, say: Callable[[str], str], now: datetime) -> Iterator[HealthItem]:
    failed = say("Failed in {hook}: {reason}. Everything else goes on.")
    for fault in integrations.standing(session, now):
        yield HealthItem(
            say("Package {name}").format(name=fault.package),
            HealthState.ATTENTION,
            failed.format(hook=fault.hook, reason=fault.reason),
            fault.at,
            f"{DOMAIN}.status",
        )


def _confirmation(runtime: Runtime, say: Callable[[str], str]) -> Sequence[HealthItem]:
    if runtime.host.supports("confirmation"):
        return ()
    missing = say("This host cannot ask people again who they are before grave actions.")
    return (HealthItem(say("Confirmation"), HealthState.ATTENTION, missing),)


def _certificate(runtime: Runtime, say: Callable[[str], str], now: datetime) -> Sequence[HealthItem]:
    """Say it a month before browsers begin to warn."""
    served = tls.serving(runtime)
    if served is None or served.stored is None or not served.stored.ends_soon(now):
        return ()
    ending = say("The certificate {name} has expired, or will within a month.").format(name=served.stored.name)
    return (HealthItem(say("Certificate"), HealthState.ATTENTION, ending, endpoint=f"{DOMAIN}.certificates"),)
