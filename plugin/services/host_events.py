"""What the host's own accounts do, in the same chain as everything else. What is worth writing is the host's to say."""

from __future__ import annotations

from typing import Final

from ..models import Database, Event
from . import events

#: Beginnings of a host's actions: so that no host can say that a recording was delivered.
HOST_ACTIONS: Final = ("account.", "host.")


def record(
    database: Database,
    action: str,
    actor: str,
    address: str,
    object_kind: str,
    object_id: str,
    result: str = "done",
    **detail: events.Plain,
) -> None:
    """Append an event of the host, durable when this returns; what was entered by strangers is cut to what fits.

    Raises:
        ValueError: the action is none of a host's.
    """
    if not action.startswith(HOST_ACTIONS):
        raise ValueError(f"an action of the host begins with {' or '.join(HOST_ACTIONS)}, not {action}")
    with events.coming_from(address), database.write() as session:
        events.record(
            session,
            _fitting(action, Event.action),
            _fitting(object_kind, Event.object_kind),
            _fitting(object_id, Event.object_id),
            actor=_fitting(actor, Event.actor),
            result=_fitting(result, Event.result),
            **{key: _legible(value) if isinstance(value, str) else value for key, value in detail.items()},
        )


def _fitting(text: str, column: object) -> str:
    length: int = column.type.length  # type: ignore[attr-defined]
    return _legible(text)[:length]


def _legible(text: str) -> str:
    """Leave out what no database and no hash takes: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
