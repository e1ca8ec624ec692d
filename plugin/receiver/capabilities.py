"""What the receiver says it can do, and the categories that it offers: two objects that nobody has to store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from ..destination.capabilities import BUILT_IN_CATEGORIES
from ..destination.names import CAPABILITIES_OBJECT, CATEGORIES_OBJECT

CAPABILITIES = {
    "Read": {"ReadCategories": True},
    "Store": {
        "StoreBookmarks": True,
        "StoreRejectedContent": True,
        "StoreUserIDKey": True,
        "StoreSignedVideo": True,
        "StoreGNSSTrackRecording": True,
    },
    "StoreAndRead": {"StoreReadSystemID": True},
}


@dataclass(frozen=True)
class OwnObject:
    """A small JSON object that the receiver speaks through."""

    data: bytes

    @property
    def md5(self) -> str:
        """Etag of the object."""
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


def own_object(name: str) -> OwnObject | None:
    """Give one of the receiver's own objects in the container System; None for any other name."""
    if name == CAPABILITIES_OBJECT:
        return OwnObject(msgspec.json.encode(CAPABILITIES))
    if name == CATEGORIES_OBJECT:
        return OwnObject(msgspec.json.encode(BUILT_IN_CATEGORIES))
    return None
