"""What is written down while one recording travels: announcements, progress, proofs, refusals.

Each is a transaction of its own, so that an attempt that is cut off anywhere goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..destination.proof import Proof
from ..errors import BodywornError
from ..models import Destination, Recording
from ..services import deliveries, parcels
from ..services.deliveries import Delivery
from ..services.parcels import Item, Parcel
from . import shipment
from .offload import Lockbox
from .sealing import Readable
from .shipment import Route
from .workshop import Workshop


@dataclass(frozen=True)
class Job:
    """A recording in hand: everything that is needed while no transaction is open."""

    parcel: Parcel
    destination_id: str
    #: Of the destination, as the attempt began (``rest.edition``).
    edition: str
    failure_domain: str
    route: Route
    #: Stored before the destination asked for encryption: encrypted first, sent after.
    readable: tuple[Readable, ...]
    lockbox: Lockbox | None


class RecordingWaybill:
    """The waybill of one recording."""

    def __init__(self, shop: Workshop, job: Job) -> None:
        self._shop, self._job = shop, job

    def announce(self, *, again: bool) -> None:
        """Tell the destination of the user and the camera."""
        with self._shop.database.read() as session:
            recording = session.get_one(Recording, self._job.parcel.recording_id)
            destination = session.get_one(Destination, self._job.destination_id)
            waiting = parcels.notices(session, recording, destination, again=again)
        for notice in waiting:
            shipment.announce(notice, self._job.route.client)
            with self._shop.database.write() as session:
                parcels.noticed(session, notice, session.get_one(Destination, self._job.destination_id))
        if not again:
            self._begin()

    def _begin(self) -> None:
        with self._shop.database.write() as session:
            destination = session.get_one(Destination, self._job.destination_id)
            deliveries.sending(session, self._job.parcel.recording_id, destination)

    def progress(self, item: Item) -> Callable[[int], None]:
        """Begin to count what of an object has been sent."""
        meter = self._shop.board.sending(item.clip_id, self._job.failure_domain)
        total = self._shop.board.destination(self._job.destination_id)
        return lambda done_bytes: total.add(meter.reach(done_bytes))

    def delivered(self, item: Item, proof: Proof) -> None:
        """Write down the proof of an object."""
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            deliveries.clip_delivered(session, _delivery(item, proof), self._job.failure_domain)

    def refused(self, item: Item, error: BodywornError) -> None:
        """Write down that an object will never be taken where it belongs."""
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            deliveries.object_refused(session, item.clip_id, error, self._job.failure_domain)

    def completed(self) -> None:
        """Write down that the container is Complete without what was refused."""
        with self._shop.database.write() as session:
            deliveries.completed_in_part(session, self._job.parcel.recording_id)

    def rejected_container(self) -> str:
        """Name the container for what was refused, before it is made."""
        with self._shop.database.write() as session:
            return deliveries.rejected_container(session, self._job.parcel.recording_id)

    def put_aside(self, item: Item, proof: Proof) -> None:
        """Write down the proof of an object in that container."""
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            deliveries.put_aside(session, _delivery(item, proof), self._job.failure_domain)

    def refused_there_as_well(self, item: Item) -> None:
        """Write down that an object was refused even there."""
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            deliveries.refused_there_as_well(session, item.clip_id, self._job.failure_domain)


def _delivery(item: Item, proof: Proof) -> Delivery:
    return Delivery(item.clip_id, proof.verified, proof.md5)
