"""The control unit, for both sides: ``camera.json``, numbered inbox and outbox files, receipts.

Each file is written under a temporary name, synced and renamed; an unfinished one is never listed. Who may be here when
is ``port.py``'s business, what the files say is not known here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ..errors import CameraFileMissing, CameraNameRefused
from . import beneath
from .documents import LARGEST_DESCRIPTION_BYTES, CameraDescription, Uuid, decode, encode

LARGEST_MESSAGE_BYTES: Final = 256 * 1024
MOST_MESSAGES: Final = 2000
MOST_RECEIPTS: Final = 10_000

_DESCRIPTION: Final = "camera.json"
_INBOX: Final = "inbox"
_OUTBOX: Final = "outbox"
_RECEIPTS: Final = "receipts"
_MESSAGE = re.compile(r"([0-9]{8})\.([a-z][a-z-]{0,31})\.json")
_RECEIPT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json")


@dataclass(frozen=True, order=True)
class Message:
    """A file of the inbox or outbox; messages sort in the order in which they are handled."""

    number: int
    kind: str

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.number:08}.{self.kind}.json"


@dataclass(frozen=True)
class Described:
    """``camera.json`` as it was read, with the digest that an Identity must carry."""

    description: CameraDescription
    sha256: str


class ControlUnit(beneath.HeldFolder):
    """A control unit that is mounted, or lies, at a path. Used as a context, since an open unit cannot be unmounted."""

    # both sides

    def read_description(self) -> Described:
        """Read ``camera.json``; believe it once an Identity with its digest was verified."""
        data = beneath.read_regular(self._root, _DESCRIPTION, LARGEST_DESCRIPTION_BYTES)
        return Described(decode(CameraDescription, data), sha256(data).hexdigest())

    def list_inbox(self) -> tuple[Message, ...]:
        """List what the host has put in, in order."""
        return self._messages(_INBOX)

    def list_outbox(self) -> tuple[Message, ...]:
        """List what the camera has put out, in order."""
        return self._messages(_OUTBOX)

    def list_receipts(self) -> tuple[str, ...]:
        """List the ids of the recordings that the camera holds a receipt for."""
        names = self._names(_RECEIPTS, MOST_RECEIPTS)
        return tuple(match[1] for name in names if (match := _RECEIPT.fullmatch(name)))

    def read_receipt(self, recording_id: Uuid) -> bytes:
        """Read a receipt: the order as its controller wrote it, to be verified with its chain."""
        return self._read(_RECEIPTS, _receipt_name(recording_id))

    # the host's side

    def put_order(self, kind: str, order: bytes) -> Message:
        """Put an order into the inbox, behind those that are there."""
        last = max((message.number for message in self.list_inbox()), default=0)
        return self._put(_INBOX, Message(last + 1, kind), order)

    def read_answer(self, message: Message) -> bytes:
        """Read an answer: an envelope, to be verified before it is parsed."""
        return self._read(_OUTBOX, message.name)

    def remove_answer(self, message: Message) -> None:
        """Remove an answer that was taken; one that is gone already is no error."""
        self._remove(_OUTBOX, message.name)

    # the camera's side

    def prepare(self) -> None:
        """Make the unit's folders where they are missing."""
        for name in (_INBOX, _OUTBOX, _RECEIPTS):
            with beneath.translated(name):
                try:
                    os.mkdir(name, mode=0o755, dir_fd=self._root)
                except FileExistsError:
                    continue

    def write_description(self, description: CameraDescription) -> str:
        """Write ``camera.json`` and return its digest."""
        data = encode(description)
        self._write(".", _DESCRIPTION, data)
        return sha256(data).hexdigest()

    def read_order(self, message: Message) -> bytes:
        """Read an order: its chain is to be verified before it is parsed."""
        return self._read(_INBOX, message.name)

    def remove_order(self, message: Message) -> None:
        """Remove an order whose answer is durable."""
        self._remove(_INBOX, message.name)

    def put_answer(self, number: int, kind: str, answer: bytes) -> Message:
        """Put an answer into the outbox under a number that the camera has not used before."""
        return self._put(_OUTBOX, Message(number, kind), answer)

    def put_receipt(self, recording_id: Uuid, order: bytes) -> None:
        """Keep a receipt where every host can read it, in place of an earlier one."""
        self._write(_RECEIPTS, _receipt_name(recording_id), order)

    def remove_receipt(self, recording_id: Uuid) -> None:
        """Remove the receipt of a recording that is gone."""
        self._remove(_RECEIPTS, _receipt_name(recording_id))

    # files

    def _messages(self, folder: str) -> tuple[Message, ...]:
        matches = (_MESSAGE.fullmatch(name) for name in self._names(folder, MOST_MESSAGES))
        return tuple(sorted(Message(int(match[1]), match[2]) for match in matches if match))

    def _names(self, folder: str, limit: int) -> tuple[str, ...]:
        try:
            return beneath.list_names(self._root, folder, limit)
        except CameraFileMissing:
            return ()

    def _read(self, folder: str, name: str) -> bytes:
        return beneath.read_regular(self._root, f"{folder}/{name}", LARGEST_MESSAGE_BYTES)

    def _put(self, folder: str, message: Message, data: bytes) -> Message:
        if not _MESSAGE.fullmatch(message.name):
            raise CameraNameRefused(name=message.name)
        self._write(folder, message.name, data)
        return message

    def _write(self, folder: str, name: str, data: bytes) -> None:
        parent = beneath.open_beneath(self._root, folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with beneath.translated(name):
                _write_durably(parent, name, data)
        finally:
            os.close(parent)

    def _remove(self, folder: str, name: str) -> None:
        parent = beneath.open_beneath(self._root, folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with beneath.translated(name):
                _unlink_if_there(parent, name)
                os.fsync(parent)
        finally:
            os.close(parent)


def _receipt_name(recording_id: str) -> str:
    name = f"{recording_id}.json"
    if not _RECEIPT.fullmatch(name):
        raise CameraNameRefused(name=beneath.printable(name))
    return name


def _write_durably(parent: int, name: str, data: bytes) -> None:
    part = f".{name}.part"
    _unlink_if_there(parent, part)
    with open(beneath.open_beneath(parent, part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, name, src_dir_fd=parent, dst_dir_fd=parent)
    os.fsync(parent)


def _unlink_if_there(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
