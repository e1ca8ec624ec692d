"""What should be in the stores, by the database: for whoever reads it again and compares."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..models import Clip, Copy, CopyState, Place, ReceivedContainer, ReceivedObject, Recording
from ..store.verify import Expected


def by_store(session: Session) -> dict[str, list[Expected]]:
    """List what each store should hold; stores are named by their folder beneath the plugin's."""
    stores: dict[str, list[Expected]] = defaultdict(list, {"spool": []})
    for container, name, size_bytes, sha256 in session.execute(_spooled()):
        stores["spool"].append(Expected(container, name, size_bytes or 0, sha256 or ""))
    for account_id, container, name, size_bytes, sha256 in session.execute(_received()):
        stores[f"received/{account_id}"].append(Expected(container, name, size_bytes, sha256))
    return dict(stores)


def _spooled() -> Select[str, str, int | None, str | None]:
    return (
        select(
            Recording.container_name,
            func.coalesce(Clip.stored_name, Clip.name),
            Clip.stored_size_bytes,
            Clip.stored_sha256,
        )
        .join(Clip, Clip.recording_id == Recording.id)
        .join(Copy, Copy.clip_id == Clip.id)
        .where(Copy.place == Place.SPOOL, Copy.state == CopyState.VERIFIED)
    )


def _received() -> Select[str, str, str, int, str]:
    return select(
        ReceivedContainer.account_id,
        ReceivedContainer.name,
        ReceivedObject.name,
        ReceivedObject.size_bytes,
        ReceivedObject.sha256,
    ).join(ReceivedObject, ReceivedObject.container_id == ReceivedContainer.id)
