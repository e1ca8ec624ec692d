"""The content destination as its page shows it. Adopting one and writing down how it does are in ``destinations``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import (
    AnotherDestination,
    AuthorizationFailed,
    BodywornError,
    CertificateRefused,
    ProxyNeedsTls,
    ProxyNonsense,
    ProxySignInRefused,
    ProxyUnreachable,
    StorageUrlRefused,
    describe,
)
from ..models import Destination, DestinationState, ReceivedContainer, ReceiverAccount
from . import parcels, uplink_limit
from .destination_card import LARGEST_CLOCK_DIFFERENCE_SECONDS, label, needs_somebody
from .devices import State
from .history import EventLine, history
from .rehearsals import Endpoint, StepView, endpoints, steps_kept
from .sentence import Problem, Sentence, Tone, problem, sentence
from .uplink_limit import UplinkLimit

#: What a destination can do, by its name in the stored capabilities.
_CAPABILITIES = (
    ("read_categories", sentence("Offers categories")),
    ("bookmarks", sentence("Keeps bookmarks")),
    ("rejected_content", sentence("Takes rejected content")),
    ("user_id_key", sentence("Keeps user IDs")),
    ("signed_video", sentence("Keeps signed video unaltered")),
    ("track", sentence("Keeps location tracks")),
    ("system_id", sentence("Recognises this system")),
)


#: What people most likely have to do about a problem.
_NEW_FILE = (AuthorizationFailed, CertificateRefused, AnotherDestination, StorageUrlRefused)
_PROXY = (ProxyUnreachable, ProxySignInRefused, ProxyNonsense, ProxyNeedsTls)


class Mend(StrEnum):
    """Which of the page's actions comes first."""

    TRY_AGAIN = "try-again"
    NEW_FILE = "new-file"
    PROXY = "proxy"


@dataclass(frozen=True)
class DestinationView:
    """The destination that recordings go to."""

    id: str
    site_name: str
    application: str
    address: str
    state: State
    state_since: datetime
    last_success_at: datetime | None
    bytes_per_second: float | None
    clock_difference_seconds: float | None
    clock_differs: bool
    encrypted: bool
    public_key_id: str | None
    container_type: str
    can_verify: bool
    #: What it can do, and whether it does.
    capabilities: Sequence[tuple[Sentence, bool]]
    problem: Problem | None
    mended_by: Mend
    #: The proxy before it, as ``host:port``.
    proxy: str | None
    #: Where it is reached, which firewalls have to let through.
    endpoints: Sequence[Endpoint]
    #: The steps of the last rehearsal, and when it was.
    rehearsal: Sequence[StepView]
    rehearsed_at: datetime | None
    history: Sequence[EventLine]
    #: Names of the categories that recordings can be given, when they were read, and what is wrong with the list since.
    categories: Sequence[str]
    categories_read_at: datetime | None
    categories_problem: Problem | None
    #: Users and cameras of which the destination has not been told as they are now.
    untold: int
    limit: UplinkLimit | None
    limit_holds: bool

    @property
    def is_cut_off(self) -> bool:
        """Tell whether there is an address that could not be reached."""
        return any(endpoint.why for endpoint in self.endpoints)

    @property
    def passed_rehearsal(self) -> bool:
        """Tell whether nothing went wrong in the last rehearsal."""
        return all(step.ok for step in self.rehearsal)


@dataclass(frozen=True)
class ExportedFile:
    """A connection file that was handed out by this host."""

    user_name: str
    created_at: datetime
    active: bool


def destination(session: Session, now: datetime | None = None) -> DestinationView | None:
    """Give the destination in force, or None."""
    active = session.scalars(select(Destination).where(Destination.active)).first()
    return _view(session, active, now or datetime.now(UTC)) if active else None


def exported_files(session: Session) -> list[ExportedFile]:
    """List the connection files that this host handed out, the latest first."""
    accounts = session.scalars(select(ReceiverAccount).order_by(ReceiverAccount.created_at.desc()))
    return [ExportedFile(one.user_name, one.created_at, one.active) for one in accounts]


def holds_recordings(session: Session) -> bool:
    """Tell whether recordings were received here."""
    held = select(ReceivedContainer.id).where(ReceivedContainer.is_recording).limit(1)
    return session.scalars(held).first() is not None


def _view(session: Session, active: Destination, now: datetime) -> DestinationView:
    difference, limit = active.clock_difference_seconds, uplink_limit.limit_of(active)
    return DestinationView(
        id=active.id,
        site_name=active.site_name,
        application=active.application,
        address=active.address,
        state=_state(active),
        state_since=active.state_since,
        last_success_at=active.last_success_at,
        bytes_per_second=active.bytes_per_second,
        clock_difference_seconds=difference,
        clock_differs=difference is not None and abs(difference) > LARGEST_CLOCK_DIFFERENCE_SECONDS,
        encrypted=active.want_encryption,
        public_key_id=active.public_key_id,
        container_type=active.container_type,
        can_verify=active.can_verify,
        capabilities=[(name, bool(active.capabilities.get(key))) for key, name in _CAPABILITIES],
        problem=_problem(active),
        mended_by=_mended_by(active.problem_id),
        proxy=active.proxy_address.removeprefix("http://") if active.proxy_address else None,
        endpoints=endpoints(active),
        rehearsal=steps_kept(active),
        rehearsed_at=active.rehearsed_at,
        history=history(session, "destination", [active.id], newest_first=True, limit=20),
        categories=[one["name"] for one in active.categories],
        categories_read_at=active.categories_read_at,
        categories_problem=problem(active.categories_problem_id, active.categories_problem_values),
        untold=len(parcels.all_notices(session, active)),
        limit=limit,
        limit_holds=limit is not None and limit.holds(uplink_limit.minute_of_day(session, now)),
    )


def _problem(active: Destination) -> Problem | None:
    trouble = problem(active.problem_id, active.problem_values)
    return replace(trouble, passing=not needs_somebody(active)) if trouble else None


def _mended_by(problem_id: str | None) -> Mend:
    error = describe(problem_id) if problem_id else BodywornError
    if issubclass(error, _NEW_FILE):
        return Mend.NEW_FILE
    return Mend.PROXY if issubclass(error, _PROXY) else Mend.TRY_AGAIN


def _state(active: Destination) -> State:
    match active.state:
        case DestinationState.OKAY:
            return State(Tone.OKAY, sentence("Okay"))
        case DestinationState.UNTRIED:
            return State(Tone.INACTIVE, sentence("Not tried yet"))
        case DestinationState.WAITING if not needs_somebody(active):
            return State(Tone.ATTENTION, label(active))
        case _:
            return State(Tone.PROBLEM, label(active))
