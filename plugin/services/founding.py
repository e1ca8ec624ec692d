"""A system comes into being, or comes back: first a draft that has its keys, then the finished system.

A draft is made from a passphrase (``new``) or from the master key of a system that was lost (``restore``). Nothing
works with a draft; ``finish`` makes it the system of this database. A passphrase is stretched before the database is
asked, because that takes a second and others wait in line for the database.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.orm import Session

from ..crypto import master_key
from ..crypto.keys import SigningKey
from ..crypto.master_key import KdfCost, MasterSecret
from ..errors import AlreadyFounded, MasterKeyRefused, NoSystem
from ..models import Controller, ControllerRole, Database, System, new_id
from . import certifying, events, passphrases, profiles, systems
from .keyring import Keyring

FIRST_EPOCH = 1


@dataclass(frozen=True)
class _Drafted:
    """A system that is in no database yet, with the key that its certificate is about."""

    system: System
    system_key: SigningKey


def new(database: Database, keyring: Keyring, *, passphrase: str, actor: str, cost: KdfCost | None = None) -> System:
    """Draft a new system: its master key, wrapped under the passphrase, and its system key.

    A draft that there was is replaced; a master key that was downloaded from it restores nothing any more. Takes about
    a second.

    :raises PassphraseTooWeak: when the passphrase could be guessed; AlreadyFounded when the database has a system.
    """
    passphrases.check(passphrase, actor=actor)
    _refuse_second(database)
    drafted = _draft_new(passphrase, cost)
    with database.write() as session:
        return _keep(session, keyring, drafted, actor)


def restore(database: Database, keyring: Keyring, *, file: bytes, passphrase: str, actor: str) -> System:
    """Draft the system that a master key belongs to: the same identity in the next epoch, with a new system key.

    The file is written anew for that epoch, so the one that was uploaded is out of date. Costs one derivation, whether
    the passphrase is right or wrong.

    :raises MasterKeyRefused: when it is no master key; nothing was computed then. WrongPassphrase, AlreadyFounded.
    """
    _refuse_second(database)
    drafted = _draft_again(file, passphrase)
    with database.write() as session:
        return _keep(session, keyring, drafted, actor)


def finish(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    language: str = "en",
    time_zone: str = "UTC",
    ntp_server: str | None = None,
    power_line_hertz: int = 50,
    controller_name: str | None = None,
    demonstration: bool = False,
    actor: str = events.SYSTEM,
) -> System:
    """Make the draft the system of this database, and this machine its first controller.

    :raises AlreadyFounded: when the database has a system; NoSystem when it has no draft either.
    """
    system = _draft_to_finish(session)
    system.name, system.language, system.time_zone = name, language, time_zone
    system.ntp_server, system.power_line_hertz, system.demonstration = ntp_server, power_line_hertz, demonstration
    system.finished_at = datetime.now(UTC)
    session.flush()
    controller = _make_controller(session, keyring, system, controller_name or socket.gethostname())
    session.add_all([controller, *profiles.founding_profiles()])
    action = "system.founded" if system.epoch == FIRST_EPOCH else "system.restored"
    epoch = system.epoch
    events.record(session, action, "system", system.id, actor=actor, name=name, controller=controller.name, epoch=epoch)
    return system


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
    """Found a system in one transaction, without a wizard; the passphrase is taken as it is.

    :raises AlreadyFounded: when the database has a system.
    """
    if systems.find(session) is not None:
        raise AlreadyFounded
    _keep(session, keyring, _draft_new(passphrase, cost), actor)
    return finish(
        session,
        keyring,
        name=name,
        time_zone=time_zone,
        controller_name=controller_name,
        demonstration=demonstration,
        actor=actor,
    )


def _refuse_second(database: Database) -> None:
    with database.read() as session:
        if systems.find(session) is not None:
            raise AlreadyFounded


def _draft_to_finish(session: Session) -> System:
    if systems.find(session) is not None:
        raise AlreadyFounded
    system = systems.draft(session)
    if system is None:
        raise NoSystem
    return system


def _draft_new(passphrase: str, cost: KdfCost | None) -> _Drafted:
    system_id, now, secret = new_id(), datetime.now(UTC), MasterSecret.generate()
    try:
        file = secret.wrap(passphrase, system_id=system_id, created=now, epoch=FIRST_EPOCH, cost=cost)
        return _draft(secret, system_id, FIRST_EPOCH, file)
    finally:
        secret.wipe()


def _draft_again(file: bytes, passphrase: str) -> _Drafted:
    system_id = _system_id(file)
    opened = master_key.open_file(file, passphrase)
    try:
        epoch = opened.epoch + 1
        return _draft(opened.secret, system_id, epoch, opened.of_epoch(epoch))
    finally:
        opened.wipe()


def _system_id(file: bytes) -> str:
    """Read whose master key it is; cameras and destinations know systems by identifiers of this form alone."""
    system_id = master_key.read_label(file).system_id
    try:
        canonical = str(UUID(system_id))
    except ValueError as error:
        raise MasterKeyRefused from error
    if canonical != system_id:
        raise MasterKeyRefused
    return system_id


def _draft(secret: MasterSecret, system_id: str, epoch: int, file: bytes) -> _Drafted:
    recovery, system_key = secret.recovery_signing_key(), SigningKey.generate()
    encryption_key = secret.recovery_encryption_key().public_key()
    system = System(
        id=system_id,
        name="",
        epoch=epoch,
        recovery_public_key=recovery.public.raw,
        recovery_encryption_key=encryption_key.public_bytes(Encoding.Raw, PublicFormat.Raw),
        system_certificate=certifying.system(recovery, system_id, epoch, system_key.public),
        master_key_file=file,
        created_at=datetime.now(UTC),
    )
    return _Drafted(system, system_key)


def _keep(session: Session, keyring: Keyring, drafted: _Drafted, actor: str) -> System:
    """Put a draft in the place of the one that there was; whoever finished one meanwhile was first."""
    if systems.find(session) is not None:
        raise AlreadyFounded
    before, system = systems.draft(session), drafted.system
    if before is not None:
        session.delete(before)
        session.flush()
    keyring.store_signing_key("system", drafted.system_key)
    session.add(system)
    action = "master-key.made" if system.epoch == FIRST_EPOCH else "master-key.restored"
    events.record(session, action, "system", system.id, actor=actor, epoch=system.epoch)
    return system


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
        certificate=certifying.controller(keyring.signing_key("system"), system, controller_id, key.public),
    )
