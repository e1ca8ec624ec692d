"""Send one recording to its destination: container, clips, what belongs to them, proof, Complete (P15 to P19).

Which recording is next, and what an error means for the queue, is ``uploader``'s business. Sending the same recording
again, after whatever happened, ends in the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..const import Step
from ..destination.client import Client
from ..destination.proof import Proof
from ..errors import CopyChanged, CopyMissing, CopyUnproved, CopyUnreadable, EvidenceFinding, NoSuchObject, StoreError
from ..services.parcels import Item, Notice, Parcel
from ..store import Store
from .faults import Hook

_STATUS = "status"
_COMPLETE = "Complete"


@dataclass(frozen=True)
class Route:
    """Where a parcel goes, and what is expected of the answers."""

    client: Client
    spool: Store
    #: The rehearsal showed that this destination answers with digests, so each object must be proved.
    can_verify: bool
    hook: Hook


def announce(notice: Notice, client: Client) -> None:
    """Tell the destination of a user, a camera or this system; telling it again is the same."""
    client.put_container(notice.container, {})
    if client.head_object(notice.container, notice.name) is None:
        client.put_object(
            notice.container, notice.name, b"", size_bytes=0, md5=_MD5_OF_NOTHING, metadata=notice.metadata
        )
    else:
        client.post_object(notice.container, notice.name, notice.metadata)


def send(
    parcel: Parcel,
    route: Route,
    *,
    progress: Callable[[Item], Callable[[int], None]],
    delivered: Callable[[Item, Proof], None],
) -> None:
    """Send what the destination has not proved yet, then say Complete; ``delivered`` is told of each proof.

    A recording that is Complete there already (an answer was lost) is only proved, nothing is sent to it any more.
    """
    if _is_complete(parcel, route):
        for item in _missing(parcel):
            delivered(item, _proved(parcel, item, route))
        return
    route.hook(Step.CONTAINER_PUT)
    route.client.put_container(parcel.container, parcel.metadata)
    for item in _missing(parcel):
        route.hook(Step.CLIP_PUT if item.is_clip else Step.COMPANIONS_PUT)
        proof = _put(parcel, item, route, progress(item))
        route.hook(Step.REMOTE_VERIFIED)
        delivered(item, _strong(parcel, item, proof, route))
    route.hook(Step.COMPLETE_POSTED)
    route.client.post_container(parcel.container, {"Status": _COMPLETE})


def _is_complete(parcel: Parcel, route: Route) -> bool:
    there = route.client.head_container(parcel.container)
    return there is not None and there.get(_STATUS) == _COMPLETE


def _missing(parcel: Parcel) -> list[Item]:
    return [item for item in parcel.items if not item.delivered]


def _put(parcel: Parcel, item: Item, route: Route, progress: Callable[[int], None]) -> Proof:
    with route.spool.open(parcel.container, item.spool_name) as body:
        return route.client.put_object(
            parcel.container,
            item.name,
            body,
            size_bytes=item.size_bytes,
            md5=item.md5,
            metadata=item.metadata,
            progress=progress,
        )


def _strong(parcel: Parcel, item: Item, proof: Proof, route: Route) -> Proof:
    """Ask once more where an answer proved nothing although this destination can."""
    return proof if proof.verified or not route.can_verify else _proved(parcel, item, route)


def _proved(parcel: Parcel, item: Item, route: Route) -> Proof:
    proof = route.client.verify_object(parcel.container, item.name, size_bytes=item.size_bytes, md5=item.md5)
    if route.can_verify and not proof.verified:
        raise CopyUnproved(name=item.name)
    return proof


def find_damage(parcel: Parcel, spool: Store) -> tuple[Item, EvidenceFinding] | None:
    """Read again what is to be sent, after it could not be: give the first object that is not what was stored.

    None when all is as it was; then the network changed the bytes, and sending again may help.
    """
    faults = ((item, _fault(parcel, item, spool)) for item in _missing(parcel))
    return next(((item, fault) for item, fault in faults if fault is not None), None)


def _fault(parcel: Parcel, item: Item, spool: Store) -> EvidenceFinding | None:
    try:
        whole = spool.matches(parcel.container, item.spool_name, item.size_bytes, item.sha256)
    except NoSuchObject:
        return CopyMissing(name=item.name)
    except StoreError:
        return CopyUnreadable(name=item.name)
    return None if whole else CopyChanged(name=item.name)


_MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
