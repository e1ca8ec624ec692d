"""Sees to it that the USB policy holds while it is wanted, and that every refusal is written down once.

``usb_policy`` does it to the kernel, here or in whatever process may.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from typing import Protocol

from ..errors import BodywornError
from ..models import Database
from ..services import usb_guarding
from ..services.usb_guarding import Guarding
from . import mounts, usb_policy
from .usb_policy import Refusal

log = logging.getLogger(__name__)

#: Cameras that are plugged in wait for this.
_LOOK_SECONDS = 0.3


class Policy(Protocol):
    """What is done to the kernel; each may raise an error of ours."""

    def deny(self) -> None:
        """Let new devices come up switched off; asked again and again."""

    def allow(self) -> None:
        """Take that back, where it was done."""

    def admit(self, places: Collection[str], learning_beneath: str | None) -> Sequence[Refusal]:
        """Switch storage on in these places, and tell of everything else that is off."""


class OwnPolicy:
    """Done by this process, which must be root for it."""

    def deny(self) -> None:
        """Do it."""
        usb_policy.deny()

    def allow(self) -> None:
        """Do it."""
        usb_policy.allow()

    def admit(self, places: Collection[str], learning_beneath: str | None) -> Sequence[Refusal]:
        """Do it."""
        return usb_policy.admit(places, learning_beneath=learning_beneath)


class UsbGuard:
    """Used by the controller's own thread."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self._database, self._policy = database, policy or mounts.helper() or OwnPolicy()
        self._wanted = Guarding(on=False, bays=frozenset(), learning_beneath=None)
        self._counter: int | None = None
        self._looked_at = 0.0
        self._allowed = False
        #: Refusals that are written down already, as long as the device stands there.
        self._known: frozenset[tuple[str, str]] = frozenset()
        self.problem: BodywornError | None = None

    def attend(self, counter: int) -> None:
        """See to it; ``counter`` is the change counter, by which a change of what is wanted is noticed."""
        changed = counter != self._counter
        if not changed and time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        if changed:
            with self._database.read() as session:
                self._wanted = usb_guarding.wanted(session)
            self._counter = counter
        self._looked_at = time.monotonic()
        try:
            self._enforce()
        except BodywornError as error:
            if self.problem is None:
                log.warning("%s", error)
            self.problem = error
        else:
            self.problem = None

    def _enforce(self) -> None:
        if not self._wanted.on:
            if not self._allowed:
                self._policy.allow()
                self._allowed = True
            self._known = frozenset()
            return
        self._allowed = False
        self._policy.deny()
        found = self._policy.admit(self._wanted.bays, self._wanted.learning_beneath)
        new = [one for one in found if (one.place, one.attachment) not in self._known]
        if new:
            with self._database.write() as session:
                for one in new:
                    log.warning("refused at %s: %s (%s)", one.place, one.name, ", ".join(one.kinds))
                    usb_guarding.refused(session, place=one.place, name=one.name, kinds=one.kinds)
        self._known = frozenset((one.place, one.attachment) for one in found)
