"""Cameras that locked themselves work again, on the word of whoever knows the passphrase of the master key (D2).

The passphrase is entered once for any number of cameras. Each gets an unlock of its own, signed by the recovery key and
good for its present docking; the controller hands it over. Passphrase and recovery key never enter the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..camera_volume import documents
from ..camera_volume.orders import LEASE, Unlock
from ..crypto import envelope, master_key
from ..crypto.envelope import PayloadType
from ..crypto.keys import PublicKey, SigningKey
from ..crypto.master_key import OpenedFile
from ..errors import BodywornError, CameraNotLocked, MasterKeyChanged, NoRecoveryKey, WrongPassphrase
from ..models import Bay, Camera, Database
from . import cameras, certifying, events, systems
from .keyring import Keyring


@dataclass(frozen=True)
class Unlocking:
    """What came of it: cameras that get their unlock within seconds, and those that do not, with the reason."""

    ordered: Sequence[str]
    left: Sequence[tuple[str, BodywornError]]


def unlock(
    database: Database, keyring: Keyring, camera_ids: Sequence[str], passphrase: str, *, actor: str
) -> Unlocking:
    """Order cameras unlocked; takes about a second, however many there are.

    Only cameras that are locked and docked can be. Where one of them has seen a later epoch than ours (the system was
    restored twice from one file), our epoch is raised above what it has seen.

    :raises WrongPassphrase: which is written down as well; NoSystem, NoRecoveryKey, UnknownCamera; MasterKeyChanged
        when the passphrase was changed meanwhile; CameraNotLocked when there is nothing to unlock.
    """
    file = _file(database, camera_ids)
    opened = _open(database, file, passphrase, actor)
    try:
        with database.write() as session:
            if systems.current(session).master_key_file != file:
                raise MasterKeyChanged
            _keep_up(session, keyring, opened, _chosen(session, camera_ids), actor)
            return _order(session, opened.secret.recovery_signing_key(), camera_ids, actor)
    finally:
        opened.wipe()


def locked_cameras(session: Session) -> list[Camera]:
    """List the cameras that wait for the passphrase, the docked ones and the others, by name."""
    return list(session.scalars(select(Camera).where(Camera.locked_at.is_not(None)).order_by(Camera.name, Camera.id)))


def is_unlockable(session: Session, camera: Camera) -> bool:
    """Tell whether an unlock would reach it: it is locked, and named the docking in which it stands."""
    docked = session.scalars(select(Bay.id).where(Bay.camera_id == camera.id)).first() is not None
    return docked and camera.locked_at is not None and camera.nonce is not None and camera.public_key is not None


def _file(database: Database, camera_ids: Sequence[str]) -> bytes:
    """Look before a second is spent on the passphrase."""
    with database.read() as session:
        file = systems.current(session).master_key_file
        if not _chosen(session, camera_ids):
            raise CameraNotLocked
    if file is None:
        raise NoRecoveryKey
    return file


def _chosen(session: Session, camera_ids: Sequence[str]) -> list[Camera]:
    found = [cameras.get(session, camera_id) for camera_id in camera_ids]
    return [camera for camera in found if is_unlockable(session, camera)]


def _open(database: Database, file: bytes, passphrase: str, actor: str) -> OpenedFile:
    try:
        return master_key.open_file(file, passphrase)
    except WrongPassphrase as error:
        with database.write() as session:
            system = systems.current(session)
            events.record(session, "camera.unlock-ordered", "system", system.id, actor=actor, result=error.id)
        raise


def _keep_up(session: Session, keyring: Keyring, opened: OpenedFile, chosen: Sequence[Camera], actor: str) -> None:
    """Raise our epoch to the latest that one of the cameras has seen; the file and all certificates go along."""
    system = systems.current(session)
    epoch = max((camera.epoch for camera in chosen), default=0)
    if epoch <= system.epoch:
        return
    recovery, system_key = opened.secret.recovery_signing_key(), keyring.signing_key("system").public
    system.epoch = epoch
    system.system_certificate = certifying.system(recovery, system.id, epoch, system_key)
    system.master_key_file, system.master_key_downloaded_at = opened.of_epoch(epoch), None
    events.record(session, "system.epoch-raised", "system", system.id, actor=actor, epoch=epoch)
    systems.renew_certificate(session, keyring)


def _order(session: Session, recovery_key: SigningKey, camera_ids: Sequence[str], actor: str) -> Unlocking:
    ordered: list[str] = []
    left: list[tuple[str, BodywornError]] = []
    for camera_id in camera_ids:
        camera = cameras.get(session, camera_id)
        problem = _order_one(session, recovery_key, camera, actor)
        if problem is None:
            ordered.append(camera_id)
        else:
            left.append((camera_id, problem))
    return Unlocking(ordered, left)


def _order_one(session: Session, recovery_key: SigningKey, camera: Camera, actor: str) -> BodywornError | None:
    if not is_unlockable(session, camera):
        return CameraNotLocked()
    try:
        cameras.order_unlock(session, camera, _sign(session, recovery_key, camera), actor=actor)
    except BodywornError as error:
        return error
    return None


def _sign(session: Session, recovery_key: SigningKey, camera: Camera) -> bytes:
    assert camera.public_key is not None
    assert camera.nonce is not None
    system, now = systems.current(session), datetime.now(UTC)
    order = Unlock(
        system_id=system.id,
        camera=PublicKey(camera.public_key).key_id,
        epoch=system.epoch,
        sequence=systems.next_order_sequence(session),
        issued=now,
        camera_nonce=camera.nonce,
        time=now,
        expires=now + LEASE,
    )
    return envelope.sign(documents.encode(order), PayloadType.UNLOCK, recovery_key)
