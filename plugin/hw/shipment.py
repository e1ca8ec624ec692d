"""Send one recording to its destination: container, clips, what belongs to them, proof, Complete (P15 to P19).

Which recording is next, and what an error means for the queue, is ``uploader``'s business; what is written down on the
way is ``waybill``'s. Sending the same recording again, after whatever happened, ends in the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

from ..const import LARGEST_OBJECT_BYTES, Step
from ..destination import metadata
from ..destination.client import Client
from ..destination.names import SYSTEM
from ..destination.proof import Proof
from ..errors import (
    AnotherDestination,
    BodywornError,
    CopyChanged,
    CopyMissing,
    CopyUnproved,
    CopyUnreadable,
    EtagDiffers,
    EvidenceFinding,
    MissingContainer,
    NoSuchObject,
    NoticeRefused,
    Rejected,
    StoreError,
    TooLarge,
)
from ..services.parcels import Item, Notice, Parcel
from ..store import Store
from .faults import Hook

_STATUS = "status"
_MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
#: What the interface calls the reason for which content was rejected; the destination's users read it.
_REASONS = {Rejected.id: "rejected with status 400", TooLarge.id: "larger than the destination takes"}

Done = TypeVar("Done")


class Waybill(Protocol):
    """What is written down while a recording travels, and who is told."""

    def announce(self, *, again: bool) -> None:
        """Tell the destination of the user and the camera; all of it when ``again`` is set, else what changed."""

    def progress(self, item: Item) -> Callable[[int], None]:
        """Begin to count what of an object has been sent."""

    def delivered(self, item: Item, proof: Proof) -> None:
        """Write down the proof of an object."""

    def refused(self, item: Item, error: BodywornError) -> None:
        """Write down that an object will never be taken where it belongs."""

    def completed(self) -> None:
        """Write down that the container is Complete without what was refused."""

    def rejected_container(self) -> str:
        """Name the container for what was refused, before it is made."""

    def put_aside(self, item: Item, proof: Proof) -> None:
        """Write down the proof of an object in that container."""

    def refused_there_as_well(self, item: Item) -> None:
        """Write down that an object was refused even there."""


@dataclass(frozen=True)
class Route:
    """Where a parcel goes, and what is expected of the answers."""

    client: Client
    spool: Store
    #: The rehearsal showed that this destination answers with digests, so each object must be proved.
    can_verify: bool
    #: The destination has containers for what it rejects.
    takes_rejected: bool
    hook: Hook


def announce(notice: Notice, client: Client) -> None:
    """Tell the destination of a user, a camera or this system; telling it again is the same.

    :raises NoticeRefused: when it does not take that; AnotherDestination when it remembers another connection of ours.
    """
    try:
        _announce(notice, client)
    except (Rejected, TooLarge, EtagDiffers) as error:
        raise NoticeRefused(what=notice.metadata.get("Name") or notice.name) from error


def _announce(notice: Notice, client: Client) -> None:
    client.put_container(notice.container, {})
    known = client.head_object(notice.container, notice.name)
    if known is None:
        client.put_object(
            notice.container, notice.name, b"", size_bytes=0, md5=_MD5_OF_NOTHING, metadata=notice.metadata
        )
        return
    remembered = known.metadata.get("connectionid")
    if notice.container == SYSTEM and remembered not in (None, notice.metadata["ConnectionId"]):
        raise AnotherDestination
    client.post_object(notice.container, notice.name, notice.metadata)


def send(parcel: Parcel, route: Route, waybill: Waybill) -> BodywornError | None:
    """Send what the destination has not proved yet, then say Complete; gives why something was refused for good.

    What is refused does not hold up the rest: it goes to the rejected content where the destination has that, and its
    copy here stays in any case. A recording that is Complete there already (an answer was lost) is only proved.
    """
    return _Shipment(parcel, route, waybill).send()


class _Shipment:
    """One attempt at a recording."""

    def __init__(self, parcel: Parcel, route: Route, waybill: Waybill) -> None:
        self._parcel, self._route, self._waybill = parcel, route, waybill
        self._client, self._container = route.client, parcel.container
        self._refusals = {item.clip_id: item.refusal for item in parcel.items if item.refusal is not None}
        self._arrived = {item.clip_id for item in parcel.items if item.delivered and item.refusal is None}

    def send(self) -> BodywornError | None:
        self._waybill.announce(again=False)
        if self._is_complete():
            for item in self._waiting():
                self._waybill.delivered(item, self._proved(item, self._container))
                self._arrived.add(item.clip_id)
        elif self._opened():
            self._fill()
            self._close()
        if self._refusals and self._route.takes_rejected:
            self._put_aside()
        return next(iter(self._refusals.values()), None)

    def _is_complete(self) -> bool:
        there = self._client.head_container(self._container)
        return there is not None and there.get(_STATUS) == metadata.COMPLETE

    def _waiting(self) -> list[Item]:
        """List what is to be sent; a refused object's key goes where the object goes."""
        return [one for one in self._parcel.items if one.clip_id not in self._arrived and not self._is_refused(one)]

    def _is_refused(self, item: Item) -> bool:
        return item.clip_id in self._refusals

    # where it belongs

    def _opened(self) -> bool:
        """Make the container; where even that is refused for good, so is everything that would be in it."""
        self._route.hook(Step.CONTAINER_PUT)
        try:
            self._persist(self._make_container)
        except (Rejected, TooLarge) as error:
            self._refuse(self._waiting(), error)
            return False
        return True

    def _make_container(self) -> None:
        self._client.put_container(self._container, self._parcel.metadata)

    def _fill(self) -> None:
        for item in self._parcel.items:
            if item.clip_id in self._arrived or self._is_refused(item):
                continue
            reason = self._is_pointless(item)
            if reason is not None:
                self._refuse([item], reason)
                continue
            self._route.hook(Step.CLIP_PUT if item.is_clip else Step.COMPANIONS_PUT)
            try:
                proof = self._persist(partial(self._put_where_it_belongs, item))
            except (Rejected, TooLarge) as error:
                self._refuse([item], error)
                continue
            self._route.hook(Step.REMOTE_VERIFIED)
            self._waybill.delivered(item, self._strong(item, proof, self._container))
            self._arrived.add(item.clip_id)

    def _is_pointless(self, item: Item) -> BodywornError | None:
        """Give why an object is not even tried: what it opens was refused, or every clip was."""
        if item.unlocks_id in self._refusals:
            return self._refusals[item.unlocks_id]
        clips = [one for one in self._parcel.items if one.is_clip]
        if item.is_clip or not clips or any(one.clip_id in self._arrived for one in clips):
            return None
        return self._refusals.get(clips[0].clip_id)

    def _put_where_it_belongs(self, item: Item) -> Proof:
        """Send an object; where its container has vanished meanwhile, that is made once more."""
        progress = self._waybill.progress(item)
        try:
            return self._put(item, self._container, item.metadata, progress)
        except MissingContainer:
            self._make_container()
            return self._put(item, self._container, item.metadata, progress)

    def _close(self) -> None:
        """Say Complete, of what was taken; a recording of which nothing was taken is left open."""
        if self._refusals and not self._arrived:
            return
        self._route.hook(Step.COMPLETE_POSTED)
        self._persist(lambda: self._client.post_container(self._container, {"Status": metadata.COMPLETE}))
        if self._refusals:
            self._waybill.completed()

    def _persist(self, attempt: Callable[[], Done]) -> Done:
        """Try once more when something is rejected: somebody may have removed the user or the camera there."""
        try:
            return attempt()
        except Rejected as refusal:
            try:
                self._waybill.announce(again=True)
            except NoticeRefused:
                raise refusal from None
            return attempt()

    def _refuse(self, items: list[Item], error: BodywornError) -> None:
        for item in items:
            self._refusals[item.clip_id] = error
            self._waybill.refused(item, error)

    # where it goes instead

    def _put_aside(self) -> None:
        waiting = [item for item in self._parcel.items if self._is_to_go_aside(item)]
        if not waiting:
            return
        container = self._waybill.rejected_container()
        reason = self._refusals[waiting[0].clip_id]
        try:
            self._client.put_container(container, self._rejected_metadata(container, reason))
        except (Rejected, TooLarge):
            for item in waiting:
                self._waybill.refused_there_as_well(item)
            return
        for item in waiting:
            self._put_one_aside(item, container)

    def _is_to_go_aside(self, item: Item) -> bool:
        if not item.goes_aside or item.delivered or item.size_bytes > LARGEST_OBJECT_BYTES:
            return False
        return isinstance(self._refusals.get(item.clip_id), Rejected | TooLarge)

    def _put_one_aside(self, item: Item, container: str) -> None:
        about = metadata.rejected_object_metadata(item.metadata, self._container)
        try:
            proof = self._put(item, container, about, self._waybill.progress(item))
        except (Rejected, TooLarge):
            self._waybill.refused_there_as_well(item)
        else:
            self._waybill.put_aside(item, self._strong(item, proof, container))

    def _rejected_metadata(self, container: str, reason: BodywornError) -> dict[str, str]:
        """Describe the container; the moment is the one in its name, so that another attempt says the same."""
        moment = datetime.strptime(container.split("_")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        text = _REASONS.get(reason.id, reason.id)
        return metadata.rejected_metadata(container, self._parcel.facts, self._container, moment, text)

    # one object

    def _put(self, item: Item, container: str, about: dict[str, str], progress: Callable[[int], None]) -> Proof:
        with self._route.spool.open(self._container, item.spool_name) as body:
            return self._client.put_object(
                container,
                item.name,
                body,
                size_bytes=item.size_bytes,
                md5=item.md5,
                metadata=about,
                progress=progress,
            )

    def _strong(self, item: Item, proof: Proof, container: str) -> Proof:
        """Ask once more where an answer proved nothing although this destination can."""
        return proof if proof.verified or not self._route.can_verify else self._proved(item, container)

    def _proved(self, item: Item, container: str) -> Proof:
        proof = self._client.verify_object(container, item.name, size_bytes=item.size_bytes, md5=item.md5)
        if self._route.can_verify and not proof.verified:
            raise CopyUnproved(name=item.name)
        return proof


def find_damage(parcel: Parcel, spool: Store) -> tuple[Item, EvidenceFinding] | None:
    """Read again what is to be sent, after it could not be: give the first object that is not what was stored.

    None when all is as it was; then the network changed the bytes, and sending again may help.
    """
    faults = ((item, _fault(parcel, item, spool)) for item in parcel.items if not item.delivered)
    return next(((item, fault) for item, fault in faults if fault is not None), None)


def _fault(parcel: Parcel, item: Item, spool: Store) -> EvidenceFinding | None:
    try:
        whole = spool.matches(parcel.container, item.spool_name, item.size_bytes, item.sha256)
    except NoSuchObject:
        return CopyMissing(name=item.name)
    except StoreError:
        return CopyUnreadable(name=item.name)
    return None if whole else CopyChanged(name=item.name)
