"""The rehearsal: everything a destination will have to do, tried once before the system is bound to it (SET-7).

A step that is not ok blocks; a step that is ok and has a problem is a warning. The one object that the rehearsal stores
is always the same, so trying again leaves nothing more behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..errors import (
    BodywornError,
    CertificateRefused,
    ClockDiffers,
    DestinationUnreachable,
    Forbidden,
    NonsenseAnswer,
    Rejected,
    StorageUrlRefused,
    TlsFailed,
)
from .capabilities import NOTHING, Capabilities
from .client import Client
from .connection_file import ConnectionFile
from .names import SYSTEM
from .proof import Proof
from .proxy import Proxy
from .sign_in import SignIn

REHEARSAL_OBJECT: Final = "bodyworn_rehearsal"
MOST_CLOCK_DIFFERENCE_SECONDS: Final = 2.0

_BODY: Final = b"This object shows that a body worn system can store here. It may be deleted.\n"


class RehearsalStepName(StrEnum):
    """What is tried, in this order."""

    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    SIGN_IN = "sign-in"
    STORAGE_ADDRESS = "storage-address"
    CAPABILITIES = "capabilities"
    STORE = "store"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class RehearsalStep:
    """One thing that was tried; ``detail`` is a place or a fact and holds no secret."""

    name: RehearsalStepName
    ok: bool
    problem: BodywornError | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it; the clock is the destination's less ours, None when it did not say or was not reached."""

    steps: tuple[RehearsalStep, ...]
    capabilities: Capabilities = NOTHING
    can_verify: bool = False
    clock_difference_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the system may be bound to this destination."""
        return all(step.ok for step in self.steps)

    @property
    def reached(self) -> bool:
        """Tell whether the destination itself answered at one address at least, whatever it answered."""
        return any(step.ok for step in self.steps if step.name is RehearsalStepName.CERTIFICATE)

    @property
    def storage_place(self) -> str | None:
        """Give the ``host:port`` at which the destination stores, where it came to that."""
        learned = (step.detail for step in self.steps if step.ok and step.name is RehearsalStepName.STORAGE_ADDRESS)
        return next(learned, None)

    @property
    def problem(self) -> BodywornError | None:
        """Give what keeps the system from this destination; None when nothing does."""
        return next((step.problem for step in self.steps if not step.ok), None)


_UNTIL_STORED: Final = tuple(RehearsalStepName)[:4]


def rehearse(
    connection: ConnectionFile,
    *,
    timeout_seconds: float = 10.0,
    confirmed_storage_hosts: Collection[str] = (),
    proxy: Proxy | None = None,
) -> Rehearsal:
    """Try a destination; every failure is named in the steps, and nothing is raised for it.

    A storage address elsewhere ends in the problem StorageHostUnconfirmed: rehearse again with its ``storage_host``
    among ``confirmed_storage_hosts`` once an administrator has said that it belongs there.
    """
    client = Client(
        connection, timeout_seconds=timeout_seconds, confirmed_storage_hosts=confirmed_storage_hosts, proxy=proxy
    )
    try:
        return _rehearse(client)
    finally:
        client.close()


def _rehearse(client: Client) -> Rehearsal:
    attempts = client.try_addresses()
    signed_in = [(place, result) for place, result in attempts if isinstance(result, SignIn)]
    failures = [(place, result) for place, result in attempts if isinstance(result, BodywornError)]
    if not signed_in:
        return Rehearsal(tuple(step for place, error in failures for step in _steps_up_to(place, error)))
    place, first = signed_in[0]
    steps = [RehearsalStep(name, ok=True, detail=place) for name in _UNTIL_STORED[:-1]]
    steps.append(RehearsalStep(RehearsalStepName.STORAGE_ADDRESS, ok=True, detail=first.storage.place))
    steps += [RehearsalStep(RehearsalStepName.CONNECTION, ok=True, detail=other) for other, _ in signed_in[1:]]
    steps += [RehearsalStep(_step_of(error), ok=True, problem=error, detail=where) for where, error in failures]
    capabilities_step, capabilities = _try_capabilities(client)
    store_step, can_verify = _try_storing(client)
    difference = first.clock_difference_seconds
    return Rehearsal(
        (*steps, capabilities_step, store_step, _look_at_clock(difference)), capabilities, can_verify, difference
    )


def _steps_up_to(place: str, error: BodywornError) -> tuple[RehearsalStep, ...]:
    """List what went well at an address, and what did not."""
    failed = _step_of(error)
    passed = _UNTIL_STORED[: _UNTIL_STORED.index(failed)]
    return (
        *(RehearsalStep(name, ok=True, detail=place) for name in passed),
        RehearsalStep(failed, ok=False, problem=error, detail=place),
    )


def _step_of(error: BodywornError) -> RehearsalStepName:
    if isinstance(error, DestinationUnreachable):
        return RehearsalStepName.CONNECTION
    if isinstance(error, (CertificateRefused, TlsFailed)):
        return RehearsalStepName.CERTIFICATE
    if isinstance(error, StorageUrlRefused):
        return RehearsalStepName.STORAGE_ADDRESS
    return RehearsalStepName.SIGN_IN


def _try_capabilities(client: Client) -> tuple[RehearsalStep, Capabilities]:
    try:
        capabilities = client.capabilities()
    except BodywornError as error:
        return RehearsalStep(RehearsalStepName.CAPABILITIES, ok=False, problem=error), NOTHING
    return RehearsalStep(RehearsalStepName.CAPABILITIES, ok=True), capabilities


def _try_storing(client: Client) -> tuple[RehearsalStep, bool]:
    """Store the rehearsal's object; a destination that takes recordings only may reject it, which proves nothing."""
    try:
        client.put_container(SYSTEM, {})
        proof = _store(client)
    except Rejected as error:
        return RehearsalStep(RehearsalStepName.STORE, ok=True, problem=error), False
    except BodywornError as error:
        return RehearsalStep(RehearsalStepName.STORE, ok=False, problem=error), False
    return RehearsalStep(RehearsalStepName.STORE, ok=True, detail=proof.kind.value), proof.verified


def _store(client: Client) -> Proof:
    size_bytes, md5 = len(_BODY), hashlib.md5(_BODY, usedforsecurity=False).hexdigest()
    proof = client.put_object(SYSTEM, REHEARSAL_OBJECT, _BODY, size_bytes=size_bytes, md5=md5, metadata={})
    if proof.verified:
        return proof
    try:
        return client.verify_object(SYSTEM, REHEARSAL_OBJECT, size_bytes=size_bytes, md5=md5)
    except (Forbidden, NonsenseAnswer):
        return proof


def _look_at_clock(difference_seconds: float | None) -> RehearsalStep:
    if difference_seconds is None or abs(difference_seconds) <= MOST_CLOCK_DIFFERENCE_SECONDS:
        return RehearsalStep(RehearsalStepName.CLOCK, ok=True)
    return RehearsalStep(RehearsalStepName.CLOCK, ok=True, problem=ClockDiffers(seconds=difference_seconds))
