"""The store: containers of objects beneath one root, with their metadata.

How a file comes to be on the device is in :mod:`.part`; how names and folders are opened in :mod:`.folders`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from ..const import Step
from ..errors import DifferentContent, NoSuchObject, StoreDamaged
from . import disk, sidecars
from .folders import beneath, check_names, closing, edge, files_in, folders_in, open_file, open_folder, sync
from .part import Digests, Part, Verifier, open_part, sha256_of, sweep
from .pipeline import Buffer, counted

Hook = Callable[[Step], None]

QUARANTINE: Final = ".quarantine"


@dataclass(frozen=True)
class ObjectStat:
    """What the file system says about an object without reading it."""

    size_bytes: int
    modified_at: datetime


def _no_hook(step: Step) -> None:
    """Do nothing at any step."""


class Store:
    """Evidence beneath one root. Threads and processes may share it; a name belongs to whoever finishes first.

    Methods raise :class:`~..errors.StoreError`; names are checked before anything is touched. ``hook`` is called before
    each of the steps P7 to P12, so that tests can crash there.
    """

    def __init__(self, root: Path, hook: Hook = _no_hook) -> None:
        self.root = root
        self._hook = hook
        with edge(str(root)):
            if not root.is_dir():
                root.mkdir(0o700, parents=True, exist_ok=True)
                with closing(open_folder(root.parent)) as parent:
                    os.fsync(parent)

    def write(
        self,
        container: str,
        name: str,
        blocks: Iterable[Buffer],
        *,
        verifier: Verifier | None = None,
        accept: Callable[[Digests], object] | None = None,
        progress: Callable[[int], object] | None = None,
        metadata: Mapping[str, str] | None = None,
        md5: str | None = None,
    ) -> Digests:
        """Store a stream durably under a new name and prove it by reading it back from the device.

        ``blocks`` is read in the calling thread; blocks of about 1 MiB are best and must not change afterwards.
        ``progress`` gets the bytes taken so far, in that thread. ``md5`` is what the sender says it is: then that is
        what is compared with the device; whether it must be so is for ``accept`` to say, which may raise to refuse what
        has arrived. Metadata is in place before the name is. Equal content under the name counts as done, and what is
        there stays as it is; different content is quarantined and raises :class:`DifferentContent`. After any other
        error, those of ``blocks`` and of the callbacks included, nothing is left of the attempt.
        """
        check_names(container, name)
        self._hook(Step.PART_CREATED)
        with self._container(container, create=True) as parent:
            with open_part(parent, f"{container}/{name}") as part:
                digests = self._fill(part, counted(blocks, progress) if progress else blocks, verifier, md5)
                if accept:
                    accept(digests)
                if metadata is not None and not self.exists(container, name):
                    self.put_metadata(container, name, metadata)
                self._hook(Step.RENAMED)
                self._publish(part, parent, container, name, digests)
            self._hook(Step.FOLDER_SYNCED)
            self._sync_names(parent, f"{container}/{name}")
        return digests

    def write_bytes(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        accept: Callable[[Digests], object] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Digests:
        """Store a small object; the same promises as :meth:`write`."""
        return self.write(container, name, [data], accept=accept, metadata=metadata)

    def open(self, container: str, name: str) -> BinaryIO:
        """Open an object for reading; the caller closes it."""
        check_names(container, name)
        with self._container(container) as parent:
            return os.fdopen(open_file(parent, name, f"{container}/{name}"), "rb")

    def digest(self, container: str, name: str) -> Digests:
        """Compute an object's digests from the device, not from memory."""
        checksum = md5(usedforsecurity=False)
        with self.open(container, name) as file:
            sha256 = sha256_of(file.fileno(), f"{container}/{name}", checksum.update)
            return Digests(os.fstat(file.fileno()).st_size, sha256, checksum.hexdigest())

    def matches(
        self,
        container: str,
        name: str,
        size_bytes: int,
        sha256: str,
        *,
        progress: Callable[[int], object] | None = None,
    ) -> bool:
        """Tell whether the device holds just these bytes; they are only read when the size is right.

        ``progress`` gets the bytes read so far, in the calling thread; it may wait there, or raise to give up.
        """
        with self.open(container, name) as file:
            if os.fstat(file.fileno()).st_size != size_bytes:
                return False
            return sha256_of(file.fileno(), f"{container}/{name}", progress=progress) == sha256

    def stat(self, container: str, name: str) -> ObjectStat:
        """Look up size and time of an object."""
        with self.open(container, name) as file:
            found = os.fstat(file.fileno())
        return ObjectStat(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def exists(self, container: str, name: str) -> bool:
        """Tell whether something stands under this name, whole by construction."""
        try:
            self.stat(container, name)
        except NoSuchObject:
            return False
        return True

    def remove(self, container: str, name: str) -> None:
        """Remove an object and its metadata for good. Whether it may go is for the caller to know."""
        check_names(container, name)
        label = f"{container}/{name}"
        with self._container(container) as parent:
            with edge(label):
                os.unlink(name, dir_fd=parent)
            sidecars.remove(parent, name, label)
            sync(label, parent)

    def set_aside(self, container: str, name: str) -> bool:
        """Move what stands under a name into quarantine, whatever it is; False when nothing does.

        Nothing is deleted: it is kept as ``.quarantine/<container>/<name>/<random>``, and the name is free again.
        """
        check_names(container, name)
        label = f"{container}/{name}"
        try:
            with self._container(container) as parent:
                with edge(label):
                    os.stat(name, dir_fd=parent, follow_symlinks=False)
                with self._claims(container, name) as claims:
                    with edge(label):
                        os.rename(name, uuid4().hex, src_dir_fd=parent, dst_dir_fd=claims)
                    sync(label, claims, parent)
        except NoSuchObject:
            return False
        return True

    def remove_container(self, container: str) -> None:
        """Remove a container that holds no object any more, with its metadata; raises StoreDamaged if it does."""
        check_names(container)
        with self._container(container) as parent:
            sidecars.remove_folder(parent, container)
        with self._root() as root:
            with edge(container):
                os.rmdir(container, dir_fd=root)
            sync(container, root)

    def put_metadata(self, container: str, name: str | None, mapping: Mapping[str, str]) -> None:
        """Replace the metadata of an object, or of the container (made if absent) where ``name`` is None."""
        sidecar, label = _sidecar(container, name)
        with self._container(container, create=True) as parent:
            sidecars.put(parent, sidecar, mapping, label)
            self._sync_names(parent, label)

    def get_metadata(self, container: str, name: str | None) -> dict[str, str]:
        """Read the metadata of an object, or of the container; empty when none was ever put."""
        sidecar, label = _sidecar(container, name)
        with self._container(container) as parent:
            return sidecars.get(parent, sidecar, label)

    def list_containers(self) -> Iterator[str]:
        """List the containers in order of their names."""
        with self._root() as root, edge(str(self.root)):
            names = folders_in(root)
        return iter(names)

    def list_objects(self, container: str) -> Iterator[str]:
        """List the objects of a container in order of their names; what was not stored by a store is not shown."""
        check_names(container)
        with self._container(container) as parent, edge(container):
            names = files_in(parent)
        return iter(names)

    def sweep_parts(self) -> int:
        """Remove what attempts that died have left, and count it; attempts under way in any process are left alone."""
        return sum(self._sweep_container(container) for container in self.list_containers())

    def free_bytes(self) -> int:
        """Measure the room that is left for this process."""
        with edge(str(self.root)):
            return disk.free_bytes(self.root)

    def total_bytes(self) -> int:
        """Measure the size of the file system."""
        with edge(str(self.root)):
            return disk.total_bytes(self.root)

    def failure_domain(self) -> str:
        """Name the disk or disks beneath; two stores with the same name are lost together."""
        with edge(str(self.root)):
            return disk.failure_domain(self.root)

    def _fill(self, part: Part, blocks: Iterable[Buffer], verifier: Verifier | None, md5: str | None) -> Digests:
        self._hook(Step.STREAMED)
        part.fill(blocks, verifier, md5)
        self._hook(Step.SYNCED)
        part.sync()
        self._hook(Step.REREAD)
        return part.proved()

    def _publish(self, part: Part, parent: int, container: str, name: str, digests: Digests) -> None:
        if part.link(parent, name) or self.matches(container, name, digests.size_bytes, digests.sha256):
            return
        self._quarantine(part, container, name, digests)
        raise DifferentContent(name=f"{container}/{name}")

    def _quarantine(self, part: Part, container: str, name: str, digests: Digests) -> None:
        """Keep what claims a taken name as ``.quarantine/<container>/<name>/<sha256>``."""
        with self._claims(container, name) as claims:
            part.link(claims, digests.sha256)
            sync(f"{container}/{name}", claims)

    @contextmanager
    def _claims(self, container: str, name: str) -> Iterator[int]:
        """Open the folder in quarantine of whatever claimed to be an object, and make it durably first."""
        label = f"{container}/{name}"
        with (
            self._root() as root,
            beneath(root, QUARANTINE, label, create=True) as quarantine,
            beneath(quarantine, container, label, create=True) as claimed,
            beneath(claimed, name, label, create=True) as claims,
        ):
            sync(label, claimed, quarantine, root)
            yield claims

    def _sweep_container(self, container: str) -> int:
        with self._container(container) as parent:
            return sweep(parent, container) + sidecars.sweep_parts(parent, container)

    def _sync_names(self, parent: int, label: str) -> None:
        """Make names durable, the container's own included: whoever made its folder may have died before saying so."""
        with self._root() as root:
            sync(label, parent, root)

    @contextmanager
    def _container(self, container: str, *, create: bool = False) -> Iterator[int]:
        with self._root() as root, beneath(root, container, container, create=create) as parent:
            yield parent

    @contextmanager
    def _root(self) -> Iterator[int]:
        try:
            descriptor = open_folder(self.root)
        except OSError as error:
            raise StoreDamaged(name=str(self.root), reason=error.strerror or "it is absent") from error
        with closing(descriptor):
            yield descriptor


def _sidecar(container: str, name: str | None) -> tuple[str, str]:
    """Name the sidecar, and what the operator knows it by."""
    if name is None:
        check_names(container)
        return sidecars.CONTAINER, container
    check_names(container, name)
    return name, f"{container}/{name}"
