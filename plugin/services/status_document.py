"""System status for programs: the document that ``api/status.json`` answers with. Pages draw the same messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from .message import Card, Message
from .sentence import Sentence
from .status import TITLES, Status

#: Puts a sentence into the reader's language.
Say = Callable[[Sentence], str]
#: Gives the path of the page that mends it, or of its row in help.
Address = Callable[[Message], str]


class MessageDocument(msgspec.Struct, frozen=True):
    """Something that needs a person."""

    #: Kind of message, stable over versions and languages.
    id: str
    state: str
    label: str
    title: str
    text: str | None
    cause: str
    solution: str
    #: Path of the page that mends it.
    address: str
    #: Path of its row in help.
    help: str


class PartDocument(msgspec.Struct, frozen=True):
    """One part of the system: ``okay`` without messages, or as loud as the loudest of them."""

    id: str
    title: str
    state: str
    messages: tuple[MessageDocument, ...]


class StatusDocument(msgspec.Struct, frozen=True, tag_field="type", tag="bodyworn.status"):
    """The whole system at one moment."""

    version: int
    at: datetime
    system: str | None
    state: str
    parts: tuple[PartDocument, ...]


def encode(status: Status, at: datetime, say: Say, page: Address, help_row: Address) -> bytes:
    """Write a status as JSON."""

    def one(message: Message) -> MessageDocument:
        return _message(message, say, page(message), help_row(message))

    def part(title: Sentence, name: str, card: Card) -> PartDocument:
        return PartDocument(name, say(title), str(card.tone), tuple(map(one, card.messages)))

    parts = tuple(part(TITLES[name], str(name), card) for name, card in status.cards.items())
    return msgspec.json.encode(StatusDocument(1, at, status.system_name, str(status.loudest), parts))


def _message(message: Message, say: Say, address: str, help_row: str) -> MessageDocument:
    return MessageDocument(
        id=message.advice.id,
        state=str(message.tone),
        label=say(message.label),
        title=say(message.title),
        text=say(message.text) if message.text else None,
        cause=say(message.advice.cause),
        solution=say(message.advice.solution),
        address=address,
        help=help_row,
    )
