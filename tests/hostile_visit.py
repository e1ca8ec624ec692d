"""A visit to a disk that may be hostile, as a docking makes it, and everything that is to hold of such a visit.

The disk is identified, looked at, listed and offloaded by the real driver and the real offload into a real spool.
"""

from __future__ import annotations

import hashlib
import os
import resource
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from pathlib import Path
from urllib.parse import quote_from_bytes

from bodyworn.camera_volume import beneath
from bodyworn.errors import BodywornError, CameraFilesLeftAlone, CameraMoreLeft, CameraTooSlow
from bodyworn.hw.drivers.disk import DiskCamera
from bodyworn.hw.drivers.disk_walk import spelled, unspelled
from bodyworn.hw.drivers.plugged import PluggedDisk, Surroundings
from bodyworn.hw.drivers.protocol import Listed, RecordingSource, Wishes
from bodyworn.hw.offload import Wanted, offload
from bodyworn.hw.order_book import OrderBook
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database
from bodyworn.services.findings import Finding, FoundFile
from bodyworn.services.keyring import Keyring
from bodyworn.store import Store
from disk_parts import FolderDisk
from file_watch import Watch
from hostile_trees import grown
from rig_parts import Depot

#: Of processor time; others may use the machine as well, so that a hang is told by much more.
LONGEST_SECONDS = 30.0
_HANG_SECONDS = 240.0
MOST_GROWN_BYTES = 128 * 2**20
#: Of one disk as many are offloaded; the others are opened.
_MOST_OFFLOADED = 40
#: What nobody wants to copy in a test; a file that claims more is read to its second block.
_LARGEST_COPIED_BYTES = 16 * 2**20
_LARGEST_HASHED_BYTES = 2**20
Meddle = Callable[[str], None]
Facts = dict[bytes, tuple[object, ...]]


@dataclass
class Visit:
    """What came of one visit. ``faults`` says what should not be."""

    #: Of processor time.
    seconds: float = 0.0
    listed: list[Listed] = field(default_factory=list)
    offloaded: int = 0
    #: Why the disk, or a file of it, was not taken, by the error's id.
    refused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    #: How much more memory this process ever used at once.
    grown_bytes: int = 0

    @property
    def findings(self) -> list[Finding]:
        """Give the recordings."""
        return [one.document for one in self.listed if isinstance(one.document, Finding)]


@dataclass
class Visitor:
    """Visits disks, with one system and one spool for all of them."""

    surroundings: Surroundings
    spool: Store
    visits: int = 0

    def visit(self, disk: PluggedDisk, meddle: Meddle | None = None) -> Visit:
        """See a disk through; ``meddle`` is called with the path of each file while that is read.

        Only errors of the tree are expected; any other is a fault.
        """
        visit, before_bytes = Visit(), most_used_bytes()
        began, worked = time.monotonic(), time.process_time()
        self.visits += 1
        camera = DiskCamera(disk, self.surroundings)
        try:
            camera.identify()
            camera.synchronise(Wishes(enrol_as="North depot"))
            with camera.recordings() as source:
                visit.listed = source.listed()
                self._take(source, visit, meddle)
        except BodywornError as error:
            visit.refused.append(error.id)
        except Exception as error:
            visit.faults.append(f"{type(error).__name__}: {error}")
        visit.seconds = time.process_time() - worked
        visit.grown_bytes = most_used_bytes() - before_bytes
        if visit.seconds > LONGEST_SECONDS:
            visit.faults.append(f"it took {visit.seconds:.0f} s of the processor")
        if time.monotonic() - began > _HANG_SECONDS:
            visit.faults.append(f"it took {time.monotonic() - began:.0f} s")
        if visit.grown_bytes > MOST_GROWN_BYTES:
            visit.faults.append(f"it took {visit.grown_bytes} bytes of memory")
        return visit

    def _take(self, source: RecordingSource, visit: Visit, meddle: Meddle | None) -> None:
        files = [(one.id, file) for one in visit.findings for file in one.clips]
        for recording_id, file in files[:_MOST_OFFLOADED]:
            try:
                with source.open(recording_id, file.path) as opened:
                    kept = b"" if file.size_bytes > _LARGEST_COPIED_BYTES else os.pread(opened.fileno(), 2**25, 0)
                if file.size_bytes <= _LARGEST_COPIED_BYTES:
                    self._offload(source, recording_id, file, kept, meddle, visit)
            except BodywornError as error:
                visit.refused.append(error.id)

    def _offload(
        self,
        source: RecordingSource,
        recording_id: str,
        file: FoundFile,
        kept: bytes,
        meddle: Meddle | None,
        visit: Visit,
    ) -> None:
        container = f"visit-{self.visits}-{recording_id}"
        wanted = Wanted(file.name, container, file.name, file.size_bytes, None, {})
        told = [os.fsdecode(unspelled(file.path))]

        def meddling(_: int) -> None:
            if told and meddle:
                meddle(told.pop())

        stored = offload(partial(_opened, source, recording_id, file), wanted, self.spool, None, meddling)
        visit.offloaded += 1
        if meddle:
            return  # it changed under our hands: what was read has the size that was listed, and that is all one knows
        if stored.sha256 != hashlib.sha256(kept).hexdigest():
            visit.faults.append(f"{file.path} was stored as something else")


def new_visitor(folder: Path) -> Visitor:
    """Found a system in an empty folder, whose disks are visited."""
    database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
    upgrade(database.engine)
    keyring = Keyring(folder / "keys")
    Depot.found(database, keyring)
    return Visitor(Surroundings.of(database, OrderBook(database, keyring)), Store(folder / "spool"))


@contextmanager
def _opened(source: RecordingSource, recording_id: str, file: FoundFile) -> Iterator[FileIO]:
    with source.open(recording_id, file.path) as opened:
        yield opened


def inventory(folder: Path) -> Facts:
    """Write down everything about a disk that a visit must leave as it is."""
    found: Facts = {}
    root = os.open(folder, os.O_RDONLY)
    try:
        _take_down(root, b"", found, depth=0)
    finally:
        os.close(root)
    return found


def _take_down(folder: int, path: bytes, found: Facts, depth: int) -> None:
    with os.scandir(folder) as entries:
        inside = [(os.fsencode(entry.name), entry.stat(follow_symlinks=False)) for entry in entries]
    for name, facts in inside:
        here = path + name
        target = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(facts.st_mode) else None
        found[here] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_nlink, facts.st_ino, target)
        if stat.S_ISREG(facts.st_mode) and facts.st_size <= _LARGEST_HASHED_BYTES:
            found[here] += (_digest(folder, name),)
        if stat.S_ISDIR(facts.st_mode) and depth < 50:
            below = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                _take_down(below, here + b"/", found, depth + 1)
            finally:
                os.close(below)


def _digest(folder: int, name: bytes) -> str:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME, dir_fd=folder)
    try:
        return hashlib.sha256(os.read(descriptor, _LARGEST_HASHED_BYTES)).hexdigest()
    finally:
        os.close(descriptor)


def unexplained(visit: Visit, before: Facts) -> list[str]:
    """List files that are neither in a recording nor in a remark that a person can read."""
    listed = {file.path for one in visit.findings for file in one.clips}
    told = [one.problem for one in visit.listed if one.problem is not None]
    named = {str(error.values.get("name")) for error in told}
    uncounted = sum(int(error.values["count"]) for error in told if isinstance(error, CameraMoreLeft | CameraTooSlow))
    alone = sum(int(error.values["count"]) for error in told if isinstance(error, CameraFilesLeftAlone))
    left = [path for path, facts in before.items() if not stat.S_ISDIR(int(str(facts[0])))]
    left = [path for path in left if spelled(path) not in listed and not _is_named(path, named)]
    # those that are no recordings are counted, and so are those beyond what anybody reads
    return [repr(path) for path in left[alone + uncounted :]] if len(left) > alone + uncounted else []


def _is_named(path: bytes, named: set[str]) -> bool:
    """Tell whether a path, or a folder above it, is named in a remark."""
    if "." in named:
        return True
    parts = path.split(b"/")
    above = [b"/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(_said(one) & named for one in above)


def _said(path: bytes) -> set[str]:
    return {spelled(path), beneath.printable(os.fsdecode(path)), quote_from_bytes(path, safe="/ ")}


def explains_itself(visit: Visit) -> list[str]:
    """List remarks that say nothing to a person."""
    told = [one.problem for one in visit.listed if one.problem is not None]
    return [one.id for one in told if not (str(one) and one.mend and str(one).isprintable())]


def most_used_bytes() -> int:
    """Give how much memory this process ever used at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def visit_tree(visitor: Visitor, beneath: Path, seed: int, *, wide: int = 2_000) -> list[str]:
    """Grow the tree of a seed and visit it; gives what is wrong."""
    with grown(beneath, seed, wide=wide) as tree:
        before = inventory(tree.folder)
        meddle = (lambda path: tree.meddle(tree.folder / path)) if tree.meddled else None
        with Watch(tree.outside) as watch:
            visit = visitor.visit(FolderDisk(tree.folder).plugged(), meddle)
            faults = [*visit.faults, *(f"opened outside: {path}" for path in watch.opened())]
        faults += [f"unexplained: {path}" for path in unexplained(visit, before)]
        faults += [f"says nothing: {error}" for error in explains_itself(visit)]
        if not tree.meddled and inventory(tree.folder) != before:
            faults.append("it was changed")
        return [f"tree {seed} ({', '.join(tree.ingredients)}): {fault}" for fault in faults]
