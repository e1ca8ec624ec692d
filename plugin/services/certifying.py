"""Certificates as this system writes them: the recovery key's for a system, the system key's for a controller.

Who holds those keys, and when a certificate is due, is known elsewhere (``founding``, ``systems``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..crypto.chain import Certificate, Right, Role, Subject, certify
from ..crypto.keys import PublicKey, SigningKey
from ..models import System

#: How long a controller may act without its system key renewing its certificate (decision 17).
CONTROLLER_CERTIFICATE_DAYS = 30
#: Certificates are dated back, because cameras judge them by clocks of their own.
_BEFORE = timedelta(days=1)


def system(recovery_key: SigningKey, system_id: str, epoch: int, system_key: PublicKey) -> bytes:
    """Certify the system key of an epoch; it holds as long as that epoch."""
    return certify(
        recovery_key,
        Certificate(
            subject=Subject(Role.SYSTEM, system_id),
            public_key=system_key.to_base64(),
            system_id=system_id,
            epoch=epoch,
            rights=[],
            not_before=datetime.now(UTC) - _BEFORE,
            not_after=None,
        ),
    )


def controller(system_key: SigningKey, system: System, controller_id: str, key: PublicKey) -> bytes:
    """Certify a controller's key for some weeks, with every right."""
    now = datetime.now(UTC)
    return certify(
        system_key,
        Certificate(
            subject=Subject(Role.CONTROLLER, controller_id),
            public_key=key.to_base64(),
            system_id=system.id,
            epoch=system.epoch,
            rights=[right.value for right in Right],
            not_before=now - _BEFORE,
            not_after=now + timedelta(days=CONTROLLER_CERTIFICATE_DAYS),
        ),
    )
