"""Move what is known to be damaged aside, so that its name is free for the original. Nothing is deleted."""

from __future__ import annotations

import logging

from ..errors import StoreError
from ..services import auditing
from ..store import Store
from .workshop import Workshop

log = logging.getLogger(__name__)


def put_aside(shop: Workshop, container: str | None = None) -> None:
    """Move aside what the database says is damaged, in one container or everywhere; doing it again is harmless.

    What cannot be moved stays, counts as no copy, and is tried again at the next start.
    """
    with shop.database.read() as session:
        damaged = [held for held in auditing.to_set_aside(session) if container in (None, held.container)]
    for held in damaged:
        try:
            if Store(shop.spool.root.parent / held.store).set_aside(held.container, held.name):
                log.warning("%s was put in quarantine", held.label)
        except StoreError as error:
            log.warning("%s could not be put in quarantine: %s", held.label, error.id)
