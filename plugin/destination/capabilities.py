"""What a destination says it can do, and its categories: two objects in its System container, read with suspicion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from ..errors import CategoriesMalformed

_LONGEST_TEXT: Final = 256
_MOST_CATEGORIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be sent and read; once a destination declared one, it keeps it."""

    read_categories: bool = False
    bookmarks: bool = False
    rejected_content: bool = False
    user_id_key: bool = False
    signed_video: bool = False
    track: bool = False
    system_id: bool = False


#: What a destination can do that declares nothing.
NOTHING: Final = Capabilities()

#: A stock Swift stores whatever it is given.
EVERYTHING: Final = Capabilities(True, True, True, True, True, True, True)


class Category(msgspec.Struct, frozen=True, rename={"id": "Id", "name": "Name"}):
    """A category that recordings can be given; ids are texts."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_TEXT)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_TEXT)]


#: Used where a destination keeps no list of its own.
BUILT_IN_CATEGORIES: Final = tuple(
    Category(str(number), name)
    for number, name in enumerate(
        (
            "Testimony",
            "Disorderly Conduct",
            "Assault",
            "Homicide",
            "Traffic",
            *(f"Category {letter}" for letter in "ABCDE"),
        ),
        start=1,
    )
)


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_CATEGORIES: Final = msgspec.json.Decoder(list[Category])


def parse_capabilities(data: bytes) -> Capabilities:
    """Read Capabilities.json; whatever is missing, malformed or not true is not supported."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOTHING
    return Capabilities(
        read_categories=_declared(document, "Read", "ReadCategories"),
        bookmarks=_declared(document, "Store", "StoreBookmarks"),
        rejected_content=_declared(document, "Store", "StoreRejectedContent"),
        user_id_key=_declared(document, "Store", "StoreUserIDKey"),
        signed_video=_declared(document, "Store", "StoreSignedVideo"),
        track=_declared(document, "Store", "StoreGNSSTrackRecording"),
        system_id=_declared(document, "StoreAndRead", "StoreReadSystemID"),
    )


def parse_categories(data: bytes) -> tuple[Category, ...]:
    """Read Categories.json; raise CategoriesMalformed, which says where it stops being JSON."""
    try:
        categories = _CATEGORIES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CategoriesMalformed(reason=str(error)) from error
    if len(categories) > _MOST_CATEGORIES:
        raise CategoriesMalformed(reason=f"more than {_MOST_CATEGORIES} categories")
    return tuple(categories)


def _declared(document: object, group: str, name: str) -> bool:
    members = document.get(group) if isinstance(document, dict) else None
    return isinstance(members, dict) and members.get(name) is True
