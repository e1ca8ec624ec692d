"""One docking of one camera, from the moment it stands in a bay until it is gone.

Who it is, what it should be told, what it brings, what it may forget. Taking its recordings is ``intake``; cameras are
reached through their driver.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..camera_volume.orders import OrderKind
from ..const import Step
from ..errors import (
    BodywornError,
    CameraGone,
    CameraInterrupted,
    CameraRefused,
    CameraTwice,
    RereadDiffers,
    StoreDamaged,
)
from ..models import BayState, Belonging, Camera, Recording, RecordingState
from ..services import camera_life, camera_settings, cameras, docks, erasures, profiles, recordings, systems
from ..services.camera_settings import WantedSettings
from ..services.cameras import SeenCamera
from ..services.erasing import ErasePolicy
from .drivers.protocol import DockedCamera, Erasure, Outcome, Wishes
from .intake import Intake
from .workshop import Workshop

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
#: A camera that is idle in its bay takes a turn this often, so that battery and state are not stale.
_REFRESH_SECONDS = 60.0
_RETRY_SECONDS = 30.0
#: What can go waits this long for more of the same camera, because every erasing is a turn of its own.
_GATHER = timedelta(seconds=30)
_MOVE_LOOK_SECONDS = 0.2
#: After a second error of the storage here nothing is written to it for this camera any more (I13).
_STORAGE_TRIES = 2
#: Highest bitrate of a profile, for the room that the next shift needs.
_SHIFT_BYTES_PER_HOUR = 8_000_000 // 8 * 3600


class Docking:
    """Runs in a thread of its own; ends when the camera is gone or ``stop`` is called."""

    def __init__(self, shop: Workshop, bay_id: str, camera: DockedCamera, bus: str = "") -> None:
        """``bus`` is what the bay shares with others."""
        self._shop, self._bay_id, self._camera, self._bus = shop, bay_id, camera, bus
        self._stopped = False
        self._camera_id = ""
        self._problems: list[BodywornError] = []
        #: How often in a row the storage here failed while recordings were taken.
        self._storage_errors = 0
        #: Number of the settings that it was last to take over, whether it did or not.
        self._offered = 0
        self._again_at = self._refreshed = self._erase_after = 0.0
        #: Whether it was to leave the system when its bay was last looked at.
        self._leaving = False

    def stop(self) -> None:
        """End after the step in hand; the camera stays where it is and is taken up again later."""
        self._stopped = True

    def run(self) -> None:
        """See a camera through its docking; a problem is shown at the bay, and tried again where that can help."""
        try:
            while self._is_there():
                try:
                    self._see_through()
                except CameraInterrupted as error:
                    log.info("bay %s: %s", self._bay_id, error)
                except CameraGone:
                    return
                except BodywornError as error:
                    self._show(error)
        finally:
            self._shop.board.close_bay(self._bay_id)
            if self._camera_id:
                self._shop.docked.left(self._camera_id, self._bay_id)
            if not self._stopped:
                with self._shop.database.write() as session:
                    docks.empty(session, self._bay_id)

    def _see_through(self) -> None:
        self._connect()
        while self._is_locked():
            self._wait_until_unlocked()
            self._connect()
        self._wait_until_added()
        if self._was_reset():
            return self._see_off()
        self._synchronise()
        self._take_in()
        while self._is_there():
            self._look_after()
            if self._may_leave() and self._was_let_go():
                return self._see_off()

    def _connect(self) -> None:
        """Find out who it is; one that came loose keeps its place on the pages meanwhile."""
        self._enter(BayState.SYNCHRONISING if self._camera_id else BayState.CONNECTING)
        for step in (Step.SEEN, Step.AUTHORIZED, Step.IDENTIFIED):
            self._shop.hook(step)
        facts = self._camera.identify()
        with self._shop.database.write() as session:
            found = cameras.seen(session, self._bay_id, facts).id
            if self._camera_id not in ("", found):
                raise CameraGone  # another one took its place; nothing of this transaction is kept
            self._camera_id = found
        self._shop.docked.came(found, self._bay_id)
        while self._shop.docked.is_doubled(found):  # it may just be moving from one bay to another
            self._check_there()
            time.sleep(_MOVE_LOOK_SECONDS)

    def _wait_until_unlocked(self) -> None:
        """A locked camera hears of nothing but its unlock, which whoever knows the passphrase asks for."""
        seen = self._shop.bell.counter
        self._enter(BayState.LOCKED)
        while (order := self._unlock_order()) is None:
            self._check_there()
            seen = self._shop.bell.wait(seen, _LOOK_SECONDS)
        refused = dict(self._camera.synchronise(Wishes(unlock=order)).refused).get(OrderKind.UNLOCK)
        with self._shop.database.write() as session:
            cameras.unlock_delivered(session, self._camera_id, refused)
        if refused is not None:
            raise CameraRefused(serial=self._camera.facts().serial, order=OrderKind.UNLOCK)

    def _is_locked(self) -> bool:
        with self._shop.database.read() as session:
            return cameras.get(session, self._camera_id).locked_at is not None

    def _unlock_order(self) -> bytes | None:
        with self._shop.database.read() as session:
            return cameras.get(session, self._camera_id).unlock_order

    def _wait_until_added(self) -> None:
        """A New camera is listed and never read (decision 18); one that bears another's number says so."""
        seen, shown = self._shop.bell.counter, "nothing yet"
        while not self._belongs():
            twin = self._twin()
            if shown != (shown := twin.id if twin else ""):
                self._enter(BayState.NEW, twin)
            self._check_there()
            seen = self._shop.bell.wait(seen, _LOOK_SECONDS)

    def _belongs(self) -> bool:
        with self._shop.database.read() as session:
            return cameras.get(session, self._camera_id).belonging is Belonging.ADDED

    def _twin(self) -> BodywornError | None:
        with self._shop.database.read() as session:
            return cameras.twin(session, cameras.get(session, self._camera_id))

    def _synchronise(self) -> None:
        self._enter(BayState.SYNCHRONISING)
        facts = self._camera.facts()
        with self._shop.database.read() as session:
            camera = cameras.get(session, self._camera_id)
            self._offered = camera.wanted_settings
            wishes = Wishes(
                enrol_as=None if facts.enrolled else systems.current(session).name,
                settings=camera_settings.wanted(session, camera) if _is_outdated(camera) else None,
                set_clock=True,
                renew_lease=True,
                came_with_settings=camera.applied_settings or 0,
            )
        self._take_down(self._camera.synchronise(wishes), wishes.settings)

    def _take_down(self, outcome: Outcome, given: WantedSettings | None = None) -> None:
        if self._camera.facts().locked:
            raise CameraInterrupted  # it locked itself meanwhile, and is asked anew who it is
        for kind, reason in outcome.refused:
            log.warning("camera %s refused %s: %s", self._camera_id, kind, reason)
        with self._shop.database.write() as session:
            camera = cameras.get(session, self._camera_id)
            cameras.observe(camera, self._camera.facts())
            if self._camera.facts().enrolled and camera.enrolled_at is None:
                cameras.enrolled(session, camera.id)
            if outcome.lease_issued_at is not None:
                cameras.leased(session, camera.id, outcome.lease_issued_at)
            if outcome.settings_sequence is not None:
                profiles.taken_over(session, camera, outcome.settings_sequence, given)
                cameras.settings_applied(session, camera.id, outcome.settings_sequence)

    def _take_in(self) -> None:
        self._enter(BayState.OFFLOADING)
        intake = Intake(
            self._shop,
            self._bay_id,
            self._camera_id,
            self._camera,
            bus=self._bus,
            check=self._check_alone,
            is_needed=self._is_wanted_anew,
        )
        try:
            while not intake.run():
                self._synchronise()
                self._enter(BayState.OFFLOADING)
        finally:
            self._shop.board.close_bay(self._bay_id)
        self._problems = intake.problems
        failed = any(isinstance(problem, StoreDamaged | RereadDiffers) for problem in self._problems)
        self._storage_errors = self._storage_errors + 1 if failed else 0
        self._again_at = time.monotonic() + _RETRY_SECONDS
        self._refreshed = time.monotonic()
        if self._settings_changed():  # a disk camera takes them once all that is on it was listed (decision 18)
            self._synchronise()
        self._settle()

    def _settle(self) -> None:
        """Say at the bay how it stands: safe to undock, or which recording could not be taken."""
        self._leaving = self._is_leaving()
        if self._problems:
            self._enter(BayState.PROBLEM, self._problems[0])
        else:
            self._enter(BayState.LEAVING if self._leaving else BayState.READY)

    def _look_after(self) -> None:
        """Do what has come up: other settings, recordings that may go, a turn now and then."""
        counter = self._shop.bell.counter
        self._check_there()
        if self._settings_changed():
            self._synchronise()
            self._settle()
        elif self._leaving is not self._is_leaving():
            self._settle()
        self._erase()
        if time.monotonic() > self._again_at and self._is_worth_another_look():
            self._take_in()
        if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
            self._take_down(self._camera.synchronise(Wishes()))
            self._refreshed = time.monotonic()
        self._shop.bell.wait(counter, _LOOK_SECONDS)

    def _settings_changed(self) -> bool:
        with self._shop.database.read() as session:
            return _is_outdated(cameras.get(session, self._camera_id))

    def _is_wanted_anew(self) -> bool:
        """Tell whether its settings were changed since it was last told: one that refuses them is not asked for ever.

        A plain disk takes them only once all that is on it was listed (decision 18), and so never in between.
        """
        if self._camera.facts().public_key is None:
            return False
        with self._shop.database.read() as session:
            return cameras.get(session, self._camera_id).wanted_settings > self._offered

    def _is_worth_another_look(self) -> bool:
        """Tell whether what failed may go well now, or a copy here went bad and the camera still has the original."""
        if self._problems:
            return self._problems[0].retry or 0 < self._storage_errors < _STORAGE_TRIES
        with self._shop.database.read() as session:
            return recordings.is_wanted_again(session, self._camera_id)

    # what may go

    def _erase(self) -> None:
        if time.monotonic() < self._erase_after:
            return
        if self._problems and self._camera.facts().public_key is None:
            return  # what could not be taken from a plain disk keeps everything else on it as well (I14)
        with self._shop.database.read() as session:
            camera = cameras.get(session, self._camera_id)
            granted = erasures.erasable(session, camera, _policy(session, self._camera.facts()))
            if not granted or not _is_time_to_erase(session, camera, [recording for recording, _ in granted]):
                return
            wanted = [Erasure(r.camera_recording_id, recordings.content_digest(r), proof) for r, proof in granted]
        self._shop.hook(Step.ERASED)
        with self._shop.database.write() as session:
            erasures.erase_ordered(session, [one.proof for one in wanted])
        asked = {one.camera_recording_id for one in wanted}
        gone = [one for one in self._camera.erase(wanted) if one in asked]
        self._shop.hook(Step.ERASE_RECORDED)
        with self._shop.database.write() as session:
            erasures.erased(session, self._camera_id, gone)
            cameras.observe(cameras.get(session, self._camera_id), self._camera.facts())
        if len(gone) < len(wanted):
            self._show_refusal(OrderKind.ERASE_ORDER)

    def _show_refusal(self, order: OrderKind) -> None:
        """Say that the camera did not delete what it may, or did not reset itself, and leave it alone for a while."""
        self._erase_after = self._again_at = time.monotonic() + _RETRY_SECONDS
        self._problems = [CameraRefused(serial=self._camera.facts().serial, order=order)]
        self._settle()

    # leaving the system

    def _is_leaving(self) -> bool:
        with self._shop.database.read() as session:
            return cameras.get(session, self._camera_id).removal_asked_at is not None

    def _may_leave(self) -> bool:
        """Tell whether it is to leave, and nothing is left on it that is not safe elsewhere."""
        if not self._leaving or self._problems or time.monotonic() < self._erase_after:
            return False
        with self._shop.database.read() as session:
            return camera_life.left_on(session, self._camera_id).total == 0

    def _was_let_go(self) -> bool:
        """Have it forget the system; a camera that cannot be told anything leaves by our word alone."""
        outcome = self._camera.synchronise(Wishes(release=True))
        if outcome.released or self._camera.facts().public_key is None:
            return True
        self._show_refusal(OrderKind.RESET)
        return False

    def _was_reset(self) -> bool:
        """Tell whether it was reset already, and only that could not be written down any more."""
        facts = self._camera.facts()
        return self._is_leaving() and facts.public_key is not None and not facts.enrolled

    def _see_off(self) -> None:
        """Write down that it is gone from the system, and charge it for as long as it stands there."""
        self._shop.hook(Step.ERASE_RECORDED)
        with self._shop.database.write() as session:
            camera_life.removed(session, self._camera_id)
            docks.enter(session, self._bay_id, BayState.REMOVED)
        while self._is_there():
            self._shop.bell.wait(self._shop.bell.counter, _LOOK_SECONDS)

    # the bay

    def _enter(self, state: BayState, problem: BodywornError | None = None) -> None:
        with self._shop.database.write() as session:
            docks.enter(session, self._bay_id, state, problem)

    def _show(self, error: BodywornError) -> None:
        """Show a problem at the bay until it is worth another try, or somebody undocks the camera."""
        log.warning("bay %s: %s", self._bay_id, error)
        self._enter(BayState.PROBLEM, error)
        until = time.monotonic() + _RETRY_SECONDS
        while self._is_there() and (not error.retry or time.monotonic() < until):
            self._shop.bell.wait(self._shop.bell.counter, _LOOK_SECONDS)

    def _is_there(self) -> bool:
        return not self._stopped and self._camera.is_there()

    def _check_there(self) -> None:
        if self._stopped:
            raise CameraGone
        self._camera.ensure_connected()
        self._check_alone()

    def _check_alone(self) -> None:
        """Leave a camera alone that stands in another bay as well: one of the two is not what it says."""
        if self._shop.docked.is_contested(self._camera_id):
            raise CameraTwice(serial=self._camera.facts().serial)


def _is_outdated(camera: Camera) -> bool:
    return (camera.applied_settings or 0) < camera.wanted_settings


def _policy(session: Session, facts: SeenCamera) -> ErasePolicy:
    """Find out whether the camera has room for the next shift; what is not known is taken as room enough."""
    hours = systems.current(session).next_shift_hours
    if facts.storage_total_bytes is None or facts.storage_used_bytes is None:
        return ErasePolicy(camera_lacks_room=False)
    free_bytes = facts.storage_total_bytes - facts.storage_used_bytes
    return ErasePolicy(camera_lacks_room=free_bytes < hours * _SHIFT_BYTES_PER_HOUR)


def _is_time_to_erase(session: Session, camera: Camera, granted: list[Recording]) -> bool:
    """Erase when nothing more of this camera is on its way, or when some have waited long enough."""
    waiting = select(Recording.id).where(
        Recording.camera_id == camera.id,
        Recording.state == RecordingState.STORED,
        Recording.id.not_in([recording.id for recording in granted]),
    )
    if session.scalars(waiting).first() is None:
        return True
    return any(one.delivered_at and datetime.now(UTC) - one.delivered_at > _GATHER for one in granted)
