"""What came of a rehearsal, for people: its steps, and how each address of a destination could be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..destination.rehearsal import Rehearsal, RehearsalStep, RehearsalStepName
from ..errors import (
    CertificateRefused,
    DestinationHungUp,
    DestinationNameUnknown,
    DestinationRefusesConnection,
    DestinationTooSlow,
    DestinationUnreachable,
    ProxyNonsense,
    ProxyRefuses,
    ProxySignInRefused,
    ProxyUnreachable,
    TlsFailed,
    describe,
)
from ..models import Destination, DestinationState
from .sentence import Problem, Sentence, marked, problem, sentence

_STEPS = {
    RehearsalStepName.CONNECTION: marked("Reach the destination"),
    RehearsalStepName.CERTIFICATE: marked("Recognise its certificate"),
    RehearsalStepName.SIGN_IN: marked("Sign in"),
    RehearsalStepName.STORAGE_ADDRESS: marked("Learn where it stores"),
    RehearsalStepName.CAPABILITIES: marked("Read what it can do"),
    RehearsalStepName.STORE: marked("Store something and have it proved"),
    RehearsalStepName.CLOCK: marked("Compare clocks"),
}
_PLACES = (RehearsalStepName.CONNECTION, RehearsalStepName.CERTIFICATE, RehearsalStepName.STORAGE_ADDRESS)
_NOT_REACHED = (DestinationUnreachable, CertificateRefused, TlsFailed)
_WHY = {
    DestinationNameUnknown.id: sentence("nobody knows a machine of this name"),
    DestinationRefusesConnection.id: sentence("no connection is accepted there"),
    DestinationTooSlow.id: sentence("no answer in time; a firewall may be in between"),
    DestinationHungUp.id: sentence("the connection was closed without an answer"),
    ProxyUnreachable.id: sentence("the proxy cannot be reached"),
    ProxySignInRefused.id: sentence("the proxy does not accept its name and password"),
    ProxyRefuses.id: sentence("the proxy makes no connection to it"),
    ProxyNonsense.id: sentence("what was entered as a proxy is none"),
    CertificateRefused.id: sentence("it shows another certificate"),
    TlsFailed.id: sentence("no protected connection could be made"),
}
_UNTOLD = sentence("it could not be reached")


@dataclass(frozen=True)
class StepView:
    """One thing that was tried with a destination."""

    #: In English; pages translate it.
    name: str
    ok: bool
    detail: str
    problem: Problem | None


@dataclass(frozen=True)
class Endpoint:
    """A ``host:port`` that firewalls have to let through, and why it was not reached when it was tried last."""

    place: str
    #: None where it was reached.
    why: Sentence | None


def steps_of(rehearsal: Rehearsal) -> list[StepView]:
    """Give the steps of a rehearsal that has just been."""
    return [_view(record) for record in records(rehearsal)]


def steps_kept(destination: Destination) -> list[StepView]:
    """Give the steps of a destination's last rehearsal."""
    return [_view(record) for record in destination.rehearsal]


def records(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """Write the steps of a rehearsal as the database keeps them."""
    return [_record(step) for step in rehearsal.steps]


def endpoints(destination: Destination) -> list[Endpoint]:
    """List where a destination is reached, by its last rehearsal and by what has gone wrong since."""
    found: dict[str, Sentence | None] = {}
    for record in destination.rehearsal:
        if record["name"] in _PLACES and record["detail"]:
            found[record["detail"]] = found.get(record["detail"]) or _why(record["problem_id"])
    if destination.state in (DestinationState.WAITING, DestinationState.STOPPED):
        found.update(_by_problem(destination.problem_id, destination.problem_values or {}, found))
    return [Endpoint(place, why) for place, why in found.items()]


def _record(step: RehearsalStep) -> dict[str, Any]:
    return {
        "name": step.name.value,
        "ok": step.ok,
        "detail": step.detail,
        "problem_id": step.problem.id if step.problem else None,
        "problem_values": dict(step.problem.values) if step.problem else None,
    }


def _view(record: Mapping[str, Any]) -> StepView:
    name = _STEPS[RehearsalStepName(record["name"])]
    return StepView(name, record["ok"], record["detail"], problem(record["problem_id"], record["problem_values"]))


def _why(problem_id: str | None) -> Sentence | None:
    """Say why a place was not reached; None for what is no matter of reaching it."""
    if problem_id is None or not issubclass(describe(problem_id), _NOT_REACHED):
        return None
    return _WHY.get(problem_id, _UNTOLD)


def _by_problem(problem_id: str | None, values: Mapping[str, Any], known: Iterable[str]) -> dict[str, Sentence | None]:
    """Tell what a problem says of places: of several, of one, or of the proxy before all of them."""
    why = _why(problem_id)
    if why is None:
        return {}
    if "addresses" in values:
        reasons: Sequence[str] = str(values.get("reasons", "")).split(", ")
        places = str(values["addresses"]).split(", ")
        padded = [*reasons, *[""] * len(places)]
        return {place: _why(reason) or _UNTOLD for place, reason in zip(places, padded, strict=False)}
    if "host" in values:
        return {str(values["host"]): why}
    return dict.fromkeys(known, why)
