"""Which driver serves which disk: those that other packages bring (entry points ``bodyworn.drivers``), then our own.

A driver of another package that cannot be loaded, claims a name that is taken, or fails while it works costs its own
cameras a clear error and the others nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import EntryPoint, entry_points
from io import FileIO
from typing import Any, Final, ParamSpec, TypeVar

from ...errors import BodywornError, DriverBroken
from ...services.cameras import SeenCamera
from . import volume
from .disk import DiskDriver
from .plugged import API, Driver, PluggedDisk, Surroundings
from .protocol import DockedCamera, Erasure, Listed, Outcome, Receipted, RecordingSource, Wishes

log = logging.getLogger(__name__)

GROUP: Final = "bodyworn.drivers"
_Result = TypeVar("_Result")
_Parameters = ParamSpec("_Parameters")


@dataclass(frozen=True)
class Broken:
    """A driver that was not taken, and why."""

    name: str
    reason: str
    #: That brings it; empty where the installation does not say.
    package: str = ""


class Registry:
    """The drivers of this installation, in the order in which they are asked."""

    def __init__(self, drivers: Sequence[Driver] = (), broken: Sequence[Broken] = ()) -> None:
        """``drivers`` are those of other packages."""
        self._foreign, self.broken = tuple(drivers), tuple(broken)
        self._last = DiskDriver()

    @classmethod
    def load(cls, found: Iterable[EntryPoint] | None = None) -> Registry:
        """Load what is installed, by name; ``found`` takes the place of the installation's entry points."""
        drivers: dict[str, Driver] = {}
        broken: list[Broken] = []
        for point in sorted(entry_points(group=GROUP) if found is None else found, key=lambda point: point.name):
            try:
                driver = _loaded(point, taken=drivers.keys() | {volume.NAME, DiskDriver.name})
            except Exception as error:
                log.warning("camera driver %s is not used", point.name, exc_info=True)
                broken.append(Broken(point.name, _reason(error), point.dist.name if point.dist else ""))
            else:
                drivers[driver.name] = driver
        return cls(tuple(drivers.values()), broken)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all drivers for disks, in the order in which they are asked."""
        return (*(driver.name for driver in self._foreign), self._last.name)

    def camera(self, disk: PluggedDisk, surroundings: Surroundings) -> DockedCamera:
        """Give a disk its driver; every disk has one, because the last takes all.

        :raises DriverBroken: when the driver that recognised it cannot make its camera.
        """
        for driver in self._foreign:
            if _recognises(driver, disk):
                guard = _Guard(driver.name)
                return _GuardedCamera(guard.call(driver.open, disk, surroundings), guard, disk)
        return self._last.open(disk, surroundings)


def _loaded(point: EntryPoint, taken: Iterable[str]) -> Driver:
    loaded = point.load()
    driver: Any = loaded() if isinstance(loaded, type) else loaded
    if driver.api != API:
        raise ValueError(f"it is made for version {driver.api!r} of the driver protocol, not {API}")
    if not isinstance(driver.name, str) or not driver.name or driver.name in taken:
        raise ValueError(f"its name {driver.name!r} is taken or none")
    if not (callable(driver.recognises) and callable(driver.open)):
        raise TypeError("it lacks a method")
    made: Driver = driver
    return made


def _recognises(driver: Driver, disk: PluggedDisk) -> bool:
    try:
        return bool(driver.recognises(disk))
    except Exception:
        log.warning("camera driver %s failed to look at a disk", driver.name, exc_info=True)
        return False


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


class _Guard:
    """Turns whatever a driver of another package raises into an error of the tree."""

    def __init__(self, driver: str) -> None:
        self._driver = driver

    def call(
        self, method: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        with self.watching():
            return method(*args, **kwargs)

    @contextmanager
    def watching(self) -> Iterator[None]:
        try:
            yield
        except BodywornError:
            raise
        except Exception as error:
            log.warning("camera driver %s failed", self._driver, exc_info=True)
            raise DriverBroken(driver=self._driver, reason=_reason(error)) from error


def _guarded(method: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let a method of a guarded camera or source fail as the tree does."""

    @wraps(method)
    def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        guarded = args[0]
        assert isinstance(guarded, _GuardedCamera | _GuardedSource)
        return guarded.guard.call(method, *args, **kwargs)

    return call


class _GuardedSource:
    def __init__(self, source: RecordingSource, guard: _Guard) -> None:
        self._source, self.guard = source, guard

    @_guarded
    def listed(self) -> list[Listed]:
        return self._source.listed()

    @_guarded
    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        return self._source.open(camera_recording_id, source_name)


class _GuardedCamera:
    """A camera of another package's driver."""

    def __init__(self, camera: DockedCamera, guard: _Guard, disk: PluggedDisk) -> None:
        self._camera, self.guard, self._disk = camera, guard, disk

    @_guarded
    def identify(self) -> SeenCamera:
        return self._camera.identify()

    @_guarded
    def synchronise(self, wishes: Wishes) -> Outcome:
        return self._camera.synchronise(wishes)

    def recordings(self) -> AbstractContextManager[RecordingSource]:
        return self._recordings()

    @contextmanager
    def _recordings(self) -> Iterator[RecordingSource]:
        with self.guard.watching():
            opened = self._camera.recordings()
            source = opened.__enter__()
        try:
            yield _GuardedSource(source, self.guard)
        finally:
            self.guard.call(opened.__exit__, None, None, None)

    @_guarded
    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._camera.claim(camera_recording_ids))

    @_guarded
    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        return frozenset(self._camera.acknowledge(stored))

    @_guarded
    def erase(self, erasures: Sequence[Erasure]) -> tuple[str, ...]:
        return tuple(self._camera.erase(erasures))

    @_guarded
    def facts(self) -> SeenCamera:
        return self._camera.facts()

    def is_there(self) -> bool:
        try:
            with self.guard.watching():
                return bool(self._camera.is_there())
        except DriverBroken:
            return self._disk.is_there()

    @_guarded
    def ensure_connected(self) -> None:
        self._camera.ensure_connected()
