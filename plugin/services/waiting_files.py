"""Files that somebody uploaded and has yet to confirm: sealed, theirs alone, and gone within an hour or so."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..crypto.sealed import SealedBox
from ..errors import SealBroken, UploadForgotten

_KEPT_SECONDS: Final = 3600
#: Of everybody together; the oldest go first.
_MOST: Final = 32
_TICKET: Final = re.compile(r"[0-9a-f]{32}\Z")


class WaitingFiles:
    """The files that wait on one machine; threads and processes may share the folder."""

    def __init__(self, folder: Path, box: SealedBox) -> None:
        """Take a folder, which is made when it is needed."""
        self._folder = folder
        self._box = box

    def keep(self, owner: str, data: bytes) -> str:
        """Keep a file for a person; gives the ticket with which that person gets it back."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ticket = secrets.token_hex(16)
        draft = self._folder / f".{ticket}"
        draft.write_bytes(self._box.seal(_purpose(owner, ticket), data))
        draft.replace(self._folder / ticket)
        self._forget_old()
        return ticket

    def find(self, owner: str, ticket: str) -> bytes:
        """Give a file back; raises UploadForgotten where it is not there, or somebody else's."""
        try:
            if not _TICKET.match(ticket):
                raise UploadForgotten
            return self._box.open(_purpose(owner, ticket), (self._folder / ticket).read_bytes())
        except (FileNotFoundError, SealBroken) as error:
            raise UploadForgotten from error

    def forget(self, ticket: str) -> None:
        """Delete a file that has served its purpose."""
        if _TICKET.match(ticket):
            (self._folder / ticket).unlink(missing_ok=True)

    def _forget_old(self) -> None:
        oldest = time.time() - _KEPT_SECONDS
        by_age = sorted(((_age(path), path) for path in self._folder.iterdir()), reverse=True)
        for position, (changed_at, path) in enumerate(by_age):
            if position >= _MOST or changed_at < oldest:
                path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    with suppress(FileNotFoundError):  # another process may have forgotten it just now
        return path.stat().st_mtime
    return 0.0


def _purpose(owner: str, ticket: str) -> str:
    return f"upload/{ticket}/{owner}"
