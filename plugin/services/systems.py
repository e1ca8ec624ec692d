"""The system of this database and its controller on this machine: who they are, their limits, what they sign with.

How a system comes into being, or back, is in ``founding``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..crypto.chain import Authority, Certificate
from ..errors import NoSystem
from ..models import Controller, System
from . import certifying, events
from .certifying import CONTROLLER_CERTIFICATE_DAYS as CONTROLLER_CERTIFICATE_DAYS
from .keyring import Keyring


def current(session: Session) -> System:
    """Give the system of this database; raises NoSystem before its setup was finished."""
    found = find(session)
    if found is None:
        raise NoSystem
    return found


def find(session: Session) -> System | None:
    """Give the system of this database, or None while there is none whose setup was finished."""
    return session.scalars(select(System).where(System.finished_at.is_not(None))).one_or_none()


def draft(session: Session) -> System | None:
    """Give the system that the wizard is making, or None; it has its keys, and nothing works with it yet."""
    return session.scalars(select(System).where(System.finished_at.is_(None))).one_or_none()


def local_controller(session: Session) -> Controller:
    """Give the controller that runs on this machine; raises NoSystem."""
    found = session.scalars(select(Controller).where(Controller.local)).one_or_none()
    if found is None:
        raise NoSystem
    return found


@dataclass(frozen=True)
class Limits:
    """How many transfers there may be at a time, on each controller."""

    offloads: int
    uploads: int


#: More than this no controller can use.
MOST_OFFLOADS, MOST_UPLOADS = 64, 16


def limits(session: Session) -> Limits:
    """Give the limits in force; raises NoSystem."""
    system = current(session)
    return Limits(system.parallel_offloads, system.parallel_uploads)


def set_limits(session: Session, wanted: Limits, *, actor: str) -> None:
    """Change how many transfers there may be at a time; controllers follow at once."""
    system = current(session)
    if limits(session) == wanted:
        return
    system.parallel_offloads = min(max(wanted.offloads, 1), MOST_OFFLOADS)
    system.parallel_uploads = min(max(wanted.uploads, 1), MOST_UPLOADS)
    events.record(
        session,
        "system.limits-changed",
        "system",
        system.id,
        actor=actor,
        offloads=system.parallel_offloads,
        uploads=system.parallel_uploads,
    )


def authority(session: Session, keyring: Keyring) -> Authority:
    """Give what this controller signs orders with, renewing its certificate when half of its time is over."""
    system, controller = current(session), local_controller(session)
    return Authority(keyring.signing_key("controller"), (system.system_certificate, controller.certificate))


def next_order_sequence(session: Session) -> int:
    """Draw the next number for an order to a camera; numbers are never used twice within an epoch."""
    controller = local_controller(session)
    controller.order_sequence += 1
    session.flush()
    return controller.order_sequence


def renew_certificate(session: Session, keyring: Keyring) -> None:
    """Give this controller a fresh certificate; only where the system key is."""
    system, controller = current(session), local_controller(session)
    key = keyring.signing_key("controller")
    controller.certificate = certifying.controller(keyring.signing_key("system"), system, controller.id, key.public)
    events.record(session, "controller.certified", "controller", controller.id, days=CONTROLLER_CERTIFICATE_DAYS)


def certificate_ends_at(controller: Controller) -> datetime:
    """Tell when this controller's certificate ends, to renew it in time; it is our own, so it is read unverified."""
    envelope = _ENVELOPES.decode(controller.certificate)
    end = _CERTIFICATES.decode(envelope.payload).not_after
    assert end is not None
    return end


class _Envelope(msgspec.Struct):
    payload: bytes


# made once, while one thread imports: two that decode a kind for the first time would end the process
_ENVELOPES = msgspec.json.Decoder(_Envelope)
_CERTIFICATES = msgspec.json.Decoder(Certificate)
