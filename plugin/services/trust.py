"""Whether a controller of this system signed something: the one way to believe checkpoints and manifests again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from ..crypto.chain import Right, open_order
from ..crypto.documents import decode
from ..crypto.envelope import LARGEST_ENVELOPE_BYTES, PayloadType
from ..crypto.keys import PublicKey
from ..errors import EnvelopeMalformed
from ..models import System

_Document = TypeVar("_Document", bound=msgspec.Struct)


@dataclass(frozen=True)
class Trust:
    """The one key that is believed, and the system that it belongs to."""

    recovery_key: PublicKey
    system_id: str

    @classmethod
    def of(cls, system: System) -> Trust:
        """Trust the recovery key of a system as the database knows it."""
        return cls(PublicKey(system.recovery_public_key), system.id)

    def open(
        self,
        order: bytes,
        payload_type: PayloadType,
        document: type[_Document],
        moment: Callable[[_Document], datetime],
        *,
        limit_bytes: int = LARGEST_ENVELOPE_BYTES,
    ) -> _Document:
        """Give what a controller signed, if it was a controller of this system at the moment that is written in it.

        :raises EnvelopeRefused: when anything of that does not hold.
        """
        said = decode(self._payload(order, payload_type, None, limit_bytes), document, EnvelopeMalformed)
        self._payload(order, payload_type, moment(said), limit_bytes)
        return said

    def _payload(self, order: bytes, payload_type: PayloadType, now: datetime | None, limit_bytes: int) -> bytes:
        opened = open_order(
            order,
            payload_type,
            recovery_key=self.recovery_key,
            system_id=self.system_id,
            least_epoch=0,
            now=now,
            right=Right.OFFLOAD,
            limit_bytes=limit_bytes,
        )
        return opened.payload
