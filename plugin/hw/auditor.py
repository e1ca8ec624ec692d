"""Read again what is stored on this machine, slowly and for ever: the oldest check first, the spool and the receiver.

What is wrong is written down, moved aside and never deleted. What follows for a recording is ``services.damage``.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..errors import (
    BodywornError,
    CopyChanged,
    CopyMissing,
    CopyUnreadable,
    EvidenceFinding,
    NoSuchObject,
    SpoolAbsent,
    StoreError,
)
from ..services import auditing, checks, records
from ..services.auditing import Held
from ..store import Store
from . import quarantine
from .pace import Interrupted, Pace
from .workshop import Workshop

log = logging.getLogger(__name__)

#: How fast stored copies are read again, unless somebody says otherwise.
BYTES_PER_SECOND = 20_000_000.0
#: A copy rests this long before it is read again; the chain and the manifests as well.
REST = timedelta(days=1)
_AT_ONCE = 50
_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_WRITE_DOWN_SECONDS = 1.0


@dataclass
class _Tally:
    """What was read since it was last written down."""

    whole: list[Held] = field(default_factory=list)
    objects: int = 0
    size_bytes: int = 0
    written_at: float = 0.0


class Auditor:
    """A thread that checks; ``bytes_per_second`` is what it may read of the disk while nobody is offloaded."""

    def __init__(self, shop: Workshop, data_dir: Path, bytes_per_second: float = BYTES_PER_SECOND) -> None:
        self._shop, self._data_dir = shop, data_dir
        self._stop = threading.Event()
        self._pace = Pace(bytes_per_second, self._stop, lambda: shop.taking_in)
        self._tally = _Tally()
        self._asked = False
        self._damaged = 0
        self._thread = threading.Thread(target=self._work, name="auditor", daemon=True)

    def start(self) -> None:
        """Finish what an earlier run left, before any camera is read again; then begin."""
        quarantine.put_aside(self._shop)
        self._thread.start()

    def stop(self) -> None:
        """End within the block that is being read; it goes on from there, oldest first, the next time."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._stop.is_set():
            seen = self._shop.bell.counter
            try:
                if not self.look():
                    self._rest(seen)
            except Interrupted:
                return
            except Exception:
                # A defect of ours, or a database that does not answer: evidence is safe, and checking goes on later.
                log.exception("stored copies could not be checked")
                self._stop.wait(_IDLE_SECONDS)

    def _rest(self, seen: int) -> None:
        """Wait for a while, or until somebody asks for a check."""
        end = time.monotonic() + _IDLE_SECONDS
        while time.monotonic() < end and not self._stop.wait(_LOOK_SECONDS):
            if self._shop.bell.counter != seen:
                seen = self._shop.bell.counter
                with self._shop.database.read() as session:
                    if checks.is_pending(checks.find(session)):
                        return

    def look(self) -> bool:
        """Check the next few copies, or finish; tells whether there may be more to do at once."""
        batch = self._due()
        try:
            for held in batch:
                self._check(held)
        except SpoolAbsent as error:
            self._note_storage(error)
            return False
        finally:
            self._write_down()
        if batch:
            self._note_storage(None)
            return True
        self._finish()
        return False

    def _due(self) -> list[Held]:
        """List what is to be read next: what was not read since somebody asked, or for a day."""
        with self._shop.database.read() as session:
            audit = checks.find(session)
            self._asked = checks.is_pending(audit)
            if not self._asked or audit is None or audit.requested_at is None:
                return auditing.due(session, datetime.now(UTC) - REST, _AT_ONCE)
            amount = auditing.amount_due(session, audit.requested_at) if audit.began_at is None else None
            # never more than there was, whatever happens to the clock meanwhile (I12)
            left = (amount.objects if amount else audit.objects) - audit.done_objects
            batch = auditing.due(session, audit.requested_at, max(0, min(left, _AT_ONCE)))
        if amount is not None:
            self._damaged = 0
            with self._shop.database.write() as session:
                checks.begin(session, amount)
        return batch

    # one copy

    def _check(self, held: Held) -> None:
        self._pace.wait_for_others()
        store = Store(self._data_dir / held.store)
        fault = self._fault(store, held)
        self._tally.objects += 1
        if fault is None:
            self._tally.whole.append(held)
        else:
            self._report(held, fault)
        self._now_and_then()

    def _fault(self, store: Store, held: Held) -> EvidenceFinding | None:
        taken = _Taken(self)
        try:
            whole = store.matches(held.container, held.name, held.size_bytes, held.sha256, progress=taken.reached)
        except NoSuchObject:
            self._ensure_disk(store, held)
            return CopyMissing(name=held.label)
        except StoreError as error:
            log.warning("%s cannot be read: %s", held.label, error.id)
            self._ensure_disk(store, held)
            return CopyUnreadable(name=held.label)
        return None if whole else CopyChanged(name=held.label)

    def _ensure_disk(self, store: Store, held: Held) -> None:
        """Do not take an absent disk for a thousand missing copies.

        :raises SpoolAbsent: when the store is not where the copy was stored.
        """
        try:
            domain = store.failure_domain()
        except (StoreError, OSError) as error:
            raise SpoolAbsent from error
        if held.failure_domain not in (None, domain) and not any(store.list_containers()):
            raise SpoolAbsent  # an empty place where another disk was

    def _report(self, held: Held, fault: EvidenceFinding) -> None:
        """Write it down first (I7), so that nothing relies on the copy any more; then move it aside."""
        self._write_down()  # what was whole was so before this
        self._damaged += 1
        log.warning("%s", fault)
        with self._shop.database.write() as session:
            auditing.found_damaged(session, held, fault)
        quarantine.put_aside(self._shop, held.container)

    # what is written down

    def read(self, size_bytes: int) -> None:
        """Count what was read, and wait as long as that is worth."""
        self._tally.size_bytes += size_bytes
        self._now_and_then()
        self._pace.passed(size_bytes)

    def _now_and_then(self) -> None:
        if time.monotonic() - self._tally.written_at >= _WRITE_DOWN_SECONDS:
            self._write_down()

    def _write_down(self) -> None:
        """Write down what was whole, and how far a check that was asked for is, in one transaction."""
        tally, self._tally = self._tally, _Tally(written_at=time.monotonic())
        moved = self._asked and (tally.objects or tally.size_bytes)
        if not tally.whole and not moved:
            return
        with self._shop.database.write() as session:
            auditing.found_whole(session, tally.whole)
            if moved:
                checks.progress(session, tally.objects, tally.size_bytes)

    def _note_storage(self, error: BodywornError | None) -> None:
        with self._shop.database.read() as session:
            audit = checks.find(session)
        if (audit.problem_id if audit else None) != (error.id if error else None):
            if error:
                log.warning("copies cannot be checked: %s", error.id)
            with self._shop.database.write() as session:
                checks.storage_problem(session, error)

    def _finish(self) -> None:
        """Check what is written as well, and say that a check that was asked for is over."""
        if self._asked or self._records_are_due():
            with self._shop.database.read() as session:
                report = records.check(session)
            with self._shop.database.write() as session:
                checks.records_checked(session, report)
                if self._asked:
                    checks.end(session, self._damaged)

    def _records_are_due(self) -> bool:
        with self._shop.database.read() as session:
            audit = checks.find(session)
        last = audit.records_checked_at if audit else None
        return last is None or abs(datetime.now(UTC) - last) >= REST


class _Taken:
    """Turns how far the reading of one object is into what was read since."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor, self._done_bytes = auditor, 0

    def reached(self, done_bytes: int) -> None:
        """Take note of how far it is."""
        more, self._done_bytes = done_bytes - self._done_bytes, done_bytes
        self._auditor.read(more)
