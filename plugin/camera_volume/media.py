"""The media unit as a host reads it: bounded listing, documents, clips. Nothing here can write."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from io import FileIO
from typing import Final

from ..errors import BodywornError, CameraFileMissing, CameraNameRefused
from . import beneath
from .documents import LARGEST_DOCUMENT_BYTES
from .recording import DOCUMENT_NAME, TRACK_NAME, is_clip_name

MOST_RECORDINGS: Final = 10_000
_FOLDER: Final = "recordings"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class MediaListing:
    """What lies on a media unit, by name alone.

    ``recordings`` have their document; ``unfinished`` have none yet, so the camera was writing when it stopped;
    ``strange`` are entries that the format does not know.
    """

    recordings: tuple[str, ...]
    unfinished: tuple[str, ...]
    strange: tuple[str, ...]


class MediaUnit(beneath.HeldFolder):
    """A media unit that is mounted, or lies, at a path. Used as a context, since an open unit cannot be unmounted."""

    def list_recordings(self, *, limit: int = MOST_RECORDINGS) -> MediaListing:
        """List the recordings, by id; raises CameraListingTooLong past the limit."""
        try:
            names = beneath.list_names(self._root, _FOLDER, limit)
        except CameraFileMissing:
            names = ()
        ids = [name for name in names if _ID.fullmatch(name)]
        finished = [name for name in ids if self._has_document(name)]
        unfinished = set(ids).difference(finished)
        strange = set(names).difference(ids)
        return MediaListing(tuple(finished), tuple(sorted(unfinished)), tuple(sorted(strange)))

    def read_document(self, recording_id: str) -> bytes:
        """Read a recording's document: the envelope, to be verified before it is parsed."""
        return beneath.read_regular(self._root, _path(recording_id, DOCUMENT_NAME), LARGEST_DOCUMENT_BYTES)

    def open_clip(self, recording_id: str, name: str) -> FileIO:
        """Open a clip for reading, unbuffered; its descriptor is ``fileno()``."""
        if not is_clip_name(name):
            raise CameraNameRefused(name=beneath.printable(name))
        return self._open(recording_id, name)

    def open_track(self, recording_id: str) -> FileIO:
        """Open a recording's track for reading."""
        return self._open(recording_id, TRACK_NAME)

    def _open(self, recording_id: str, name: str) -> FileIO:
        return FileIO(beneath.open_regular(self._root, _path(recording_id, name)), "rb")

    def _has_document(self, recording_id: str) -> bool:
        """Tell whether there is anything in its place; whether it is any good, reading it says."""
        try:
            os.close(beneath.open_regular(self._root, _path(recording_id, DOCUMENT_NAME)))
        except CameraFileMissing:
            return False
        except BodywornError:
            return True
        return True


def recording_folder(recording_id: str) -> str:
    """Give the path of a recording's folder inside the unit; an id that is none is refused."""
    if not _ID.fullmatch(recording_id):
        raise CameraNameRefused(name=beneath.printable(recording_id))
    return f"{_FOLDER}/{recording_id}"


def _path(recording_id: str, name: str) -> str:
    return f"{recording_folder(recording_id)}/{name}"
