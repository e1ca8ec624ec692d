"""What has to be done now and then: give up what is safe elsewhere, sign the chain of events, say who is overdue.

What may go is decided by ``services.purging``, when to sign by ``services.checkpoints``, who by ``services.overdue``.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from ..crypto.envelope import PayloadType
from ..errors import BodywornError
from ..services import checkpoints, overdue, purging
from .workshop import Workshop

log = logging.getLogger(__name__)

_AT_ONCE = 50


def clear(shop: Workshop, grace_seconds: float = purging.GRACE_SECONDS) -> int:
    """Give up delivered recordings whose time has come; gives how many. What an earlier crash left goes as well."""
    with shop.database.write() as session:
        chosen = purging.purgeable(session, _AT_ONCE, grace_seconds)
        for recording in chosen:
            purging.purged(session, recording)
    for container in list(shop.spool.list_containers()):
        with shop.database.read() as session:
            if not purging.given_up(session, container):
                continue
        _remove(shop, container)
    return len(chosen)


def sign_chain(shop: Workshop, *, at_once: bool = False) -> bool:
    """Make a checkpoint of the chain of events if one is due, or if there is anything to sign; tells whether."""
    with shop.database.read() as session:
        statement = checkpoints.due(session, at_once=at_once)
    if statement is None:
        return False
    order = shop.book.vouch(statement.payload(), PayloadType.CHECKPOINT)
    with shop.database.write() as session:
        checkpoints.keep(session, statement, order)
    return True


def escalate(shop: Workshop) -> int:
    """Write down which cameras have come to be overdue; gives how many. Nothing is written when there is none."""
    now = datetime.now(UTC)
    with shop.database.read() as session:
        if not overdue.to_escalate(session, now):
            return 0
    with shop.database.write() as session:
        return overdue.escalate(session, now)


def _remove(shop: Workshop, container: str) -> None:
    try:
        for name in list(shop.spool.list_objects(container)):
            shop.spool.remove(container, name)
        shop.spool.remove_container(container)
    except BodywornError as error:
        log.warning("container %s could not be removed from the spool: %s", container, error.id)
