"""What the plugin holds for one app: its host, its database, its folders. No globals: it hangs on the app."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from flask import current_app

from .const import DOMAIN
from .contract import Host
from .crypto.sealed import SealedBox
from .models.database import Database
from .sections import Sections
from .services import systems
from .services.hooks import Faults
from .services.stills import Stills
from .services.waiting_files import WaitingFiles
from .slots import Slots
from .store import Store

#: The folder of what arrives here, within the plugin's data folder.
RECEIVED: Final = "received"


@dataclass
class Runtime:
    """One per app; shared by its threads."""

    host: Host
    database: Database
    data_dir: Path
    #: True between ``unload`` and the next ``start``: every route answers 503.
    closed: bool = False
    #: What packages of integrators add to pages, and what they got wrong in this process.
    slots: Slots = field(default_factory=Slots)
    sections: Sections = field(default_factory=Sections)
    faults: Faults = field(default_factory=Faults)
    _set_up: bool = False

    @cached_property
    def _spool(self) -> Store:
        return Store(self.data_dir / "spool")

    @cached_property
    def _received(self) -> Store:
        return Store(self.data_dir / RECEIVED)

    @cached_property
    def secrets(self) -> SealedBox:
        """Open the box that seals this machine's secrets; its key is made at the first use."""
        folder = self.data_dir / "keys"
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        return SealedBox(folder / "machine.key")

    @cached_property
    def stills(self) -> Stills:
        """Give the pictures of clips that are kept, and made where they are not."""
        return Stills(self.data_dir / "cache" / "stills", self.secrets)

    @cached_property
    def uploads(self) -> WaitingFiles:
        """Give what people uploaded and have yet to confirm."""
        return WaitingFiles(self.data_dir / "cache" / "uploads", self.secrets)

    def is_set_up(self) -> bool:
        """Tell whether the wizard is behind us; asked of the database until it is, and never again."""
        if not self._set_up:
            with self.database.read() as session:
                self._set_up = systems.find(session) is not None
        return self._set_up

    def spool(self) -> Store:
        """Give the store of what came from cameras."""
        return self._spool

    def receiver_store(self) -> Store:
        """Give the store of what arrived at this host as a content destination."""
        return self._received


def current() -> Runtime:
    """Give the runtime of the app that is serving."""
    runtime: Runtime = current_app.extensions[DOMAIN]
    return runtime
