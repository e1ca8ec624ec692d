"""What the pages that set docks up show: bays with their places, what stands in USB places that are no bays, limits.

Docks as they are looked at every day are in ``devices``; changes are in ``dock_changes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import NoUdevEvents
from ..models import Bay, BrokenDriver, Controller, Dock, DockKind, UsbDevice
from . import devices, dock_changes, docks, systems
from .devices import BayView, DockView, State
from .sentence import Problem, Sentence, Tone, problem, sentence
from .systems import Limits


@dataclass(frozen=True)
class PlaceView:
    """A USB place, and what stands in it now."""

    place: str
    state: State
    #: What the device calls itself; None where nothing stands.
    device: str | None
    #: What it is, in words.
    said: Sentence


@dataclass(frozen=True)
class BayPlaces:
    """A bay, and which places it is."""

    view: BayView
    places: Sequence[PlaceView]
    is_first: bool
    is_last: bool


@dataclass(frozen=True)
class Guidance:
    """Learning bays, step by step."""

    learned: int
    #: The bay that was learned last; None before the first one.
    last: str | None


@dataclass(frozen=True)
class DockSetup:
    """A dock as the pages show it that set it up."""

    view: DockView
    #: Only bays of USB docks are learned, moved and forgotten one by one.
    is_usb: bool
    #: The place beneath which it learns; empty for everywhere.
    beneath: str
    bays: Sequence[BayPlaces]
    learning: Guidance | None
    is_first: bool
    is_last: bool
    #: The dock that learns meanwhile, where that is another one.
    learns_instead: str | None


@dataclass(frozen=True)
class Driver:
    """A camera driver that cannot be used."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True)
class Surroundings:
    """All docks, and what else the controller sees."""

    docks: Sequence[DockSetup]
    #: What stands in USB places that belong to no bay.
    elsewhere: Sequence[PlaceView]
    drivers: Sequence[Driver]
    limits: Limits | None
    #: That devices are not heard of; None where they are.
    deaf: Problem | None


def surroundings(session: Session, now: datetime) -> Surroundings:
    """Show all docks of this controller; other controllers set up their own."""
    controller = session.scalars(select(Controller).where(Controller.local)).one_or_none()
    if controller is None:
        return Surroundings((), (), (), None, None)
    plugged = _plugged(session, controller)
    found = docks.local_docks(session)
    views = {view.id: view for view in devices.docks(session, now)}
    taken = {place for dock in found for bay in dock.bays for place in bay.places}
    broken = select(BrokenDriver).where(BrokenDriver.controller_id == controller.id).order_by(BrokenDriver.name)
    deaf = problem(controller.problem_id) if controller.problem_id == NoUdevEvents.id else None
    return Surroundings(
        docks=[_dock(dock, views[dock.id], found, plugged) for dock in found],
        elsewhere=[_place(place, one) for place, one in sorted(plugged.items()) if place not in taken],
        drivers=[Driver(one.name, one.package, one.reason) for one in session.scalars(broken)],
        limits=systems.limits(session),
        deaf=deaf,
    )


def dock(session: Session, dock_id: str, now: datetime) -> DockSetup:
    """Show one dock; raises UnknownDock."""
    found = dock_changes.dock(session, dock_id)
    view = next(view for view in devices.docks(session, now) if view.id == dock_id)
    return _dock(found, view, docks.local_docks(session), _plugged(session, systems.local_controller(session)))


def bay(session: Session, bay_id: str, now: datetime) -> tuple[DockSetup, BayPlaces]:
    """Show one bay with its dock; raises UnknownDock."""
    setup = dock(session, dock_changes.bay(session, bay_id).dock.id, now)
    return setup, next(one for one in setup.bays if one.view.id == bay_id)


def _plugged(session: Session, controller: Controller) -> dict[str, UsbDevice]:
    rows = select(UsbDevice).where(UsbDevice.controller_id == controller.id)
    return {one.place: one for one in session.scalars(rows)}


def _dock(found: Dock, view: DockView, row: Sequence[Dock], plugged: Mapping[str, UsbDevice]) -> DockSetup:
    other = next((one.name for one in row if one.learning and one is not found), None)
    return DockSetup(
        view=view,
        is_usb=found.kind is DockKind.USB,
        beneath=found.locator if found.kind is DockKind.USB else "",
        bays=list(_bays(found, view, plugged)),
        learning=_guidance(found) if found.learning else None,
        is_first=found is row[0],
        is_last=found is row[-1],
        learns_instead=other,
    )


def _bays(found: Dock, view: DockView, plugged: Mapping[str, UsbDevice]) -> Iterator[BayPlaces]:
    shown = {one.id: one for one in view.bays}
    for at, one in enumerate(found.bays):
        places = [_place(place, plugged.get(place)) for place in one.places]
        yield BayPlaces(shown[one.id], places, at == 0, at == len(found.bays) - 1)


def _guidance(found: Dock) -> Guidance:
    last: Bay | None = found.bays[-1] if found.bays else None
    return Guidance(len(found.bays), last.name if last else None)


def _place(place: str, one: UsbDevice | None) -> PlaceView:
    if one is None:
        return PlaceView(place, State(Tone.INACTIVE, sentence("Empty")), None, sentence("Nothing is plugged in."))
    if one.foreign_kinds and one.has_disk:
        said = sentence("Says that it is a disk and also {kinds}. It is not used.", kinds=", ".join(one.foreign_kinds))
        return PlaceView(place, State(Tone.PROBLEM, sentence("Refused")), one.name, said)
    if one.foreign_kinds:
        said = sentence("Is no camera: {kinds}.", kinds=", ".join(one.foreign_kinds))
        return PlaceView(place, State(Tone.INACTIVE, sentence("No camera")), one.name, said)
    if not one.has_disk:
        said = sentence("Shows no storage yet. Some cameras have to be switched to their docking mode.")
        return PlaceView(place, State(Tone.ATTENTION, sentence("No storage")), one.name, said)
    if not one.has_medium:
        said = sentence("A card reader without a card, or a camera that has its storage to itself.")
        return PlaceView(place, State(Tone.INACTIVE, sentence("No medium")), one.name, said)
    return PlaceView(place, State(Tone.OKAY, sentence("Plugged in")), one.name, sentence("Shows its storage."))
