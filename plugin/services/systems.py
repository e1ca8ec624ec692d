"""Found a system, and say who this controller is. Wizard, restore and joining of controllers build on this."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..crypto.chain import Authority, Certificate, Right, Role, Subject, certify
from ..crypto.keys import SigningKey
from ..crypto.master_key import KdfCost, MasterSecret
from ..errors import AlreadyFounded, NoSystem
from ..models import Controller, ControllerRole, Profile, System, new_id
from . import events
from .keyring import Keyring

#: How long a controller may act without its system key renewing its certificate (decision 17).
CONTROLLER_CERTIFICATE_DAYS = 30
#: Certificates are dated back, because cameras judge them by clocks of their own.
_BEFORE = timedelta(days=1)


def current(session: Session) -> System:
    """Give the system of this database; raises NoSystem before it was founded."""
    found = find(session)
    if found is None:
        raise NoSystem
    return found


def find(session: Session) -> System | None:
    """Give the system of this database, or None."""
    return session.scalars(select(System)).one_or_none()


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


def found(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    passphrase: str,
    controller_name: str | None = None,
    time_zone: str = "UTC",
    demonstration: bool = False,
    cost: KdfCost | None = None,
    actor: str = events.SYSTEM,
) -> System:
    """Found a new system: master key wrapped under the passphrase, system key, this controller's key and certificate.

    The master secret is wiped before this returns; only the wrapped file remains.

    :raises AlreadyFounded: when the database has a system.
    """
    if find(session) is not None:
        raise AlreadyFounded
    secret = MasterSecret.generate()
    try:
        system = _make_system(secret, keyring, name, passphrase, time_zone, demonstration, cost)
    finally:
        secret.wipe()
    session.add(system)
    session.flush()
    controller = _make_controller(session, keyring, system, controller_name or socket.gethostname())
    session.add_all([controller, _default_profile()])
    events.record(session, "system.founded", "system", system.id, actor=actor, name=name, controller=controller.name)
    return system


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
    controller.certificate = _certify_controller(keyring.signing_key("system"), system, controller.id, key)
    events.record(session, "controller.certified", "controller", controller.id, days=CONTROLLER_CERTIFICATE_DAYS)


def _make_system(
    secret: MasterSecret,
    keyring: Keyring,
    name: str,
    passphrase: str,
    time_zone: str,
    demonstration: bool,
    cost: KdfCost | None,
) -> System:
    now = datetime.now(UTC)
    system_id, recovery, system_key = new_id(), secret.recovery_signing_key(), SigningKey.generate()
    keyring.store_signing_key("system", system_key)
    certificate = Certificate(
        subject=Subject(Role.SYSTEM, system_id),
        public_key=system_key.public.to_base64(),
        system_id=system_id,
        epoch=1,
        rights=[],
        not_before=now - _BEFORE,
        not_after=None,
    )
    return System(
        id=system_id,
        name=name,
        epoch=1,
        recovery_public_key=recovery.public.raw,
        recovery_encryption_key=secret.recovery_encryption_key()
        .public_key()
        .public_bytes(Encoding.Raw, PublicFormat.Raw),
        system_certificate=certify(recovery, certificate),
        master_key_file=secret.wrap(passphrase, system_id=system_id, created=now, cost=cost),
        time_zone=time_zone,
        demonstration=demonstration,
        created_at=now,
        finished_at=now,
    )


def _make_controller(session: Session, keyring: Keyring, system: System, name: str) -> Controller:
    key = SigningKey.generate()
    keyring.store_signing_key("controller", key)
    controller_id = events.local_chain(session).id
    return Controller(
        id=controller_id,
        system_id=system.id,
        name=name[:64],
        serial=f"BWC-{key.public.key_id[:12].upper()}",
        role=ControllerRole.FIRST,
        local=True,
        certificate=_certify_controller(keyring.signing_key("system"), system, controller_id, key),
    )


def _certify_controller(system_key: SigningKey, system: System, controller_id: str, key: SigningKey) -> bytes:
    now = datetime.now(UTC)
    certificate = Certificate(
        subject=Subject(Role.CONTROLLER, controller_id),
        public_key=key.public.to_base64(),
        system_id=system.id,
        epoch=system.epoch,
        rights=[right.value for right in Right],
        not_before=now - _BEFORE,
        not_after=now + timedelta(days=CONTROLLER_CERTIFICATE_DAYS),
    )
    return certify(system_key, certificate)


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


def _default_profile() -> Profile:
    settings = {
        "resolution": "1080p",
        "audio": True,
        "audio_post_processing": True,
        "location": True,
        "allow_silent_mode": False,
        "allow_audio_off": True,
        "pre_buffer_seconds": 30,
        "pre_buffer_audio": True,
    }
    return Profile(name="Default", default=True, settings=settings)
