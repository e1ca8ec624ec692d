"""What should be in the stores, by the database: for whoever reads it again and compares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from ..errors import BodywornError
from ..models import Clip, Copy, CopyState, Place, ReceivedContainer, ReceivedObject, Recording
from ..store.verify import Expected
from . import problems


@dataclass(frozen=True)
class KnownDamage:
    """An object that is known to be damaged, and counts as no copy any more."""

    store: str
    container: str
    name: str
    problem: BodywornError


def by_store(session: Session) -> dict[str, list[Expected]]:
    """List what each store should hold; stores are named by their folder beneath the plugin's."""
    stores: dict[str, list[Expected]] = defaultdict(list, {"spool": []})
    for container, name, size_bytes, sha256 in session.execute(_spooled()):
        stores["spool"].append(Expected(container, name, size_bytes or 0, sha256 or ""))
    for account_id, container, name, size_bytes, sha256 in session.execute(_received()):
        stores[f"received/{account_id}"].append(Expected(container, name, size_bytes, sha256))
    return dict(stores)


def of_recording(session: Session, recording_id: str) -> dict[str, list[Expected]]:
    """List what the spool should hold of one recording."""
    rows = session.execute(_spooled().where(Recording.id == recording_id))
    return {
        "spool": [
            Expected(container, name, size_bytes or 0, sha256 or "") for container, name, size_bytes, sha256 in rows
        ]
    }


def is_known(session: Session, recording_id: str) -> bool:
    """Tell whether there is such a recording."""
    return session.get(Recording, recording_id) is not None


def damaged(session: Session, recording_id: str | None = None) -> Iterator[KnownDamage]:
    """List what was found damaged before, and was not taken again yet; of one recording where it is asked for."""
    rows = select(Copy).join(Clip, Copy.clip_id == Clip.id).where(Copy.place == Place.SPOOL)
    rows = rows.where(Copy.state == CopyState.PROBLEM, Copy.problem_id.is_not(None))
    if recording_id is not None:
        rows = rows.where(Clip.recording_id == recording_id)
    for copy in session.scalars(rows):
        clip = copy.clip
        yield KnownDamage("spool", clip.recording.container_name, clip.spool_name, _problem(copy))
    if recording_id is None:
        for one in session.scalars(select(ReceivedObject).where(ReceivedObject.problem_id.is_not(None))):
            yield KnownDamage(f"received/{one.container.account_id}", one.container.name, one.name, _problem(one))


def _problem(row: Copy | ReceivedObject) -> BodywornError:
    found = problems.read(row)
    assert found is not None, "only rows with a problem are asked for"
    return found


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
        .order_by(Recording.container_name, Clip.name)
    )


def _received() -> Select[str, str, str, int, str]:
    return select(
        ReceivedContainer.account_id,
        ReceivedContainer.name,
        ReceivedObject.name,
        ReceivedObject.size_bytes,
        ReceivedObject.sha256,
    ).join(
        ReceivedObject, and_(ReceivedObject.container_id == ReceivedContainer.id, ReceivedObject.problem_id.is_(None))
    )
