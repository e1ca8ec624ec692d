"""The master key's file: handed out, with who took it written down, and kept under another passphrase when asked.

A passphrase is proved by opening the file with it. How that works is in the crypto room; a file that is uploaded makes
a system in ``founding``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from ..crypto.master_key import KdfCost, MasterSecret, read_label, unwrap
from ..errors import MasterKeyChanged, NoRecoveryKey, NoSystem, WrongPassphrase
from ..models import Database, System
from . import events, passphrases, systems

SUFFIX = ".bwmk"
_LONGEST_NAME = 64


@dataclass(frozen=True)
class HandedOut:
    """A master key as it leaves the system, with the name it is saved under."""

    file: bytes
    file_name: str


@dataclass(frozen=True)
class MasterKeyView:
    """What pages show of the master key."""

    system_name: str
    system_id: str
    file_name: str
    epoch: int
    made_at: datetime
    #: None while nobody has the file that holds now.
    downloaded_at: datetime | None


def look(session: Session) -> MasterKeyView | None:
    """Tell what is known of the master key; None where there is none. Raises NoSystem."""
    system = systems.current(session)
    if system.master_key_file is None:
        return None
    label = read_label(system.master_key_file)
    name = file_name(system)
    return MasterKeyView(system.name, system.id, name, label.epoch, label.created, system.master_key_downloaded_at)


def file_name(system: System) -> str:
    """Name the file as it is downloaded: the system's name, without what file systems or browsers might mistake."""
    plain = unicodedata.normalize("NFKD", system.name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9]+", "-", plain)[:_LONGEST_NAME].strip("-")
    return (safe or f"system-{system.id[:8]}") + SUFFIX


def download_draft(session: Session, *, actor: str) -> HandedOut:
    """Hand out the master key of the system that is being set up, to whoever chose its passphrase a moment ago.

    :raises NoSystem: when there is no such system.
    """
    system = systems.draft(session)
    if system is None or system.master_key_file is None:
        raise NoSystem
    _note_download(session, system, actor)
    return HandedOut(system.master_key_file, file_name(system))


def download(database: Database, passphrase: str, *, actor: str) -> HandedOut:
    """Hand out the master key to somebody who knows its passphrase; takes about a second.

    :raises WrongPassphrase: which is written down as well; NoSystem, NoRecoveryKey.
    """
    file = _current_file(database)
    _opened(database, file, passphrase, action="master-key.downloaded", actor=actor).wipe()
    with database.write() as session:
        system = _unchanged(session, file)
        _note_download(session, system, actor)
    return HandedOut(file, file_name(system))


def change_passphrase(
    database: Database, passphrase: str, wanted: str, *, actor: str, cost: KdfCost | None = None
) -> None:
    """Wrap the master key under another passphrase; takes about two seconds.

    Files that were downloaded before still open with the passphrase of their time: only a new system is beyond them.

    :raises PassphraseTooWeak: when the new one could be guessed; WrongPassphrase, which is written down as well;
        MasterKeyChanged when somebody else was faster.
    """
    passphrases.check(wanted, actor=actor)
    file = _current_file(database)
    secret = _opened(database, file, passphrase, action="master-key.passphrase-changed", actor=actor)
    try:
        with database.read() as session:
            system = systems.current(session)
        renewed = secret.wrap(wanted, system_id=system.id, created=datetime.now(UTC), epoch=system.epoch, cost=cost)
    finally:
        secret.wipe()
    with database.write() as session:
        system = _unchanged(session, file)
        system.master_key_file, system.master_key_downloaded_at = renewed, None
        events.record(session, "master-key.passphrase-changed", "system", system.id, actor=actor)


def _current_file(database: Database) -> bytes:
    with database.read() as session:
        file = systems.current(session).master_key_file
    if file is None:
        raise NoRecoveryKey
    return file


def _opened(database: Database, file: bytes, passphrase: str, *, action: str, actor: str) -> MasterSecret:
    try:
        return unwrap(file, passphrase)
    except WrongPassphrase as error:
        with database.write() as session:
            system = systems.current(session)
            events.record(session, action, "system", system.id, actor=actor, result=error.id)
        raise


def _unchanged(session: Session, file: bytes) -> System:
    """Give the system if its file is still the one that was opened."""
    system = systems.current(session)
    if system.master_key_file != file:
        raise MasterKeyChanged
    return system


def _note_download(session: Session, system: System, actor: str) -> None:
    system.master_key_downloaded_at = datetime.now(UTC)
    events.record(session, "master-key.downloaded", "system", system.id, actor=actor, epoch=system.epoch)
