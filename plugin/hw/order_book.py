"""Orders to cameras: numbered by the database, signed by this controller with its chain. What they say is given."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from ..camera_volume.documents import encode
from ..camera_volume.orders import ORDERS, OrderKind
from ..crypto.chain import Authority
from ..crypto.envelope import PayloadType
from ..crypto.keys import PublicKey
from ..models import Controller, Database
from ..services import systems
from ..services.keyring import Keyring

#: A certificate is renewed when half of its time is over.
_RENEW_BEFORE = timedelta(days=systems.CONTROLLER_CERTIFICATE_DAYS / 2)


class OrderBook:
    """Draws numbers and signs; shared by all dockings of the controller."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database, self._keyring = database, keyring
        self._lock = threading.Lock()
        self._authority: Authority | None = None
        with database.read() as session:
            system, controller = systems.current(session), systems.local_controller(session)
        self.system_id, self.system_name = system.id, system.name
        self._issued_in = system.epoch
        self.recovery_key = PublicKey(system.recovery_public_key)
        self.recovery_encryption_key = PublicKey(system.recovery_encryption_key)
        self.controller_id = controller.id

    @property
    def epoch(self) -> int:
        """The system's epoch now: whoever unlocks cameras may raise it while the controller is at work."""
        with self._database.read() as session:
            return systems.current(session).epoch

    def has_controller(self, controller_id: str) -> bool:
        """Tell whether a controller belongs to the system, as far as this database knows."""
        with self._database.read() as session:
            return session.get(Controller, controller_id) is not None

    def issue(self, camera: PublicKey, kind: OrderKind, sequence: int | None = None, **members: Any) -> bytes:
        """Write, number and sign an order for one camera; settings bring their own number."""
        with self._lock:
            number, authority = self._draw(sequence)
            epoch = self._issued_in
        order = ORDERS[kind](
            system_id=self.system_id,
            camera=camera.key_id,
            epoch=epoch,
            sequence=number,
            issued=datetime.now(UTC),
            **members,
        )
        return authority.issue(encode(order), PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"))

    def vouch(self, payload: bytes, payload_type: PayloadType) -> bytes:
        """Sign something that is no order to a camera, and so has no number."""
        with self._lock:
            _, authority = self._draw(sequence=1)
        return authority.issue(payload, payload_type)

    def go_on_from(self, sequence: int) -> None:
        """Never draw a number that a camera has seen, even where this database is older than its memory."""
        with self._database.read() as session:
            if systems.local_controller(session).order_sequence >= sequence:
                return
        with self._database.write() as session:
            controller = systems.local_controller(session)
            controller.order_sequence = max(controller.order_sequence, sequence)

    def _draw(self, sequence: int | None) -> tuple[int, Authority]:
        if (epoch := self.epoch) != self._issued_in:
            self._authority, self._issued_in = None, epoch
        if sequence is not None and self._authority is not None:
            return sequence, self._authority
        with self._database.write() as session:
            controller = systems.local_controller(session)
            if systems.certificate_ends_at(controller) - datetime.now(UTC) < _RENEW_BEFORE:
                systems.renew_certificate(session, self._keyring)
                self._authority = None
            if self._authority is None:
                self._authority = systems.authority(session, self._keyring)
            return sequence or systems.next_order_sequence(session), self._authority
