"""Docks: what stands in which place, adding docks, learning and naming their bays, how many transfers at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import DockNameTaken
from ..forms.docks import AddDockForm, DockForm, LimitsForm, bay_names, wrong_names
from ..runtime import current
from ..services import dock_changes, dock_setup, docks as dock_rows, systems
from ..services.sentence import marked
from ..services.systems import Limits

_TAKEN = marked("Another dock has this name already.")


def add(blueprint: Blueprint) -> None:
    """Register the pages, their live parts, and what is done on them."""
    route = blueprint.add_url_rule
    route("/docks", "docks", show_docks)
    route("/fragments/docks", "docks_fragment", docks_fragment)
    route("/docks", "add_dock", add_dock, methods=["POST"])
    route("/devices/limits", "set_limits", set_limits, methods=["POST"])
    route("/docks/<dock_id>", "dock", show_dock)
    route("/fragments/docks/<dock_id>", "dock_fragment", dock_fragment)
    route("/docks/<dock_id>", "save_dock", save_dock, methods=["POST"])
    route("/docks/<dock_id>/learn", "learn_bays", learn_bays, methods=["POST"])
    route("/docks/<dock_id>/move", "move_dock", move_dock, methods=["POST"])
    route("/docks/<dock_id>/forget", "ask_forget_dock", ask_forget_dock)
    route("/docks/<dock_id>/forget", "forget_dock", forget_dock, methods=["POST"])
    route("/docks/bays/<bay_id>/move", "move_bay", move_bay, methods=["POST"])
    route("/docks/bays/<bay_id>/forget", "ask_forget_bay", ask_forget_bay)
    route("/docks/bays/<bay_id>/forget", "forget_bay", forget_bay, methods=["POST"])


@needs("bodyworn.view")
def show_docks() -> ResponseReturnValue:
    """Show all docks of this controller."""
    return pages.page("bodyworn/docks.html", _content)


@needs("bodyworn.view")
def docks_fragment() -> ResponseReturnValue:
    """Show the live part."""
    return pages.fragment("bodyworn/docks.html", _content)


@needs("bodyworn.devices")
def add_dock() -> ResponseReturnValue:
    """Add a USB dock."""
    form = AddDockForm(request.form)
    if form.validate():
        try:
            with current().database.write() as session:
                name, beneath = form.name.data or "", form.beneath.data or ""
                made = dock_changes.add_usb_dock(session, name, beneath, actor=pages.actor()).id
            return pages.done(".dock", "dock-added", dock_id=made)
        except DockNameTaken:
            form.name.errors = [_TAKEN]
    return pages.still("bodyworn/docks.html", _content, 422, add_form=form)


@needs("bodyworn.devices")
def set_limits() -> ResponseReturnValue:
    """Change how many transfers there may be at a time."""
    form = LimitsForm(request.form)
    if not form.validate():
        return pages.still("bodyworn/docks.html", _content, 422, limits_form=form)
    with current().database.write() as session:
        systems.set_limits(session, Limits(form.offloads.data or 1, form.uploads.data or 1), actor=pages.actor())
    return pages.done(".docks", "limits-set")


@needs("bodyworn.view")
def show_dock(dock_id: str) -> ResponseReturnValue:
    """Show one dock with the places of its bays."""
    return pages.page("bodyworn/dock.html", _dock(dock_id), dock_id=dock_id)


@needs("bodyworn.view")
def dock_fragment(dock_id: str) -> ResponseReturnValue:
    """Show the live part: bays that are learned appear in it."""
    return pages.fragment("bodyworn/dock.html", _dock(dock_id))


@needs("bodyworn.devices")
def save_dock(dock_id: str) -> ResponseReturnValue:
    """Name a dock and its bays."""
    form, names = DockForm(request.form), bay_names(request.form)
    sections = current().sections.of("dock", dock_id, request.form)
    wrong = wrong_names(names)
    checked = form.validate(), sections.validate(), not wrong
    if all(checked):
        try:
            with current().database.write() as session:
                dock_changes.rename(session, dock_id, form.name.data or "", names, actor=pages.actor())
            all_saved = sections.save(current().database, pages.actor())
            return pages.done(".dock", "dock-saved" if all_saved else "sections-not-saved", dock_id=dock_id)
        except DockNameTaken:
            form.name.errors = [_TAKEN]
    entered = {"form": form, "names": names, "wrong": wrong, "sections": sections}
    return pages.still("bodyworn/dock.html", _dock(dock_id), 422, **entered)


@needs("bodyworn.devices")
def learn_bays(dock_id: str) -> ResponseReturnValue:
    """Begin or end learning."""
    with current().database.write() as session:
        found = dock_changes.dock(session, dock_id)
        dock_rows.learn(session, found.id, on=request.form.get("on") == "1", actor=pages.actor())
    return pages.back(".dock", dock_id=dock_id, _anchor="learn")


@needs("bodyworn.devices")
def move_dock(dock_id: str) -> ResponseReturnValue:
    """Let a dock change places with its neighbour."""
    with current().database.write() as session:
        dock_changes.move_dock(session, dock_id, later=_later(), actor=pages.actor())
    return pages.back(".docks", _anchor=f"dock-{dock_id}")


@needs("bodyworn.devices")
def move_bay(bay_id: str) -> ResponseReturnValue:
    """Let a bay change places with its neighbour."""
    with current().database.write() as session:
        dock_changes.move_bay(session, bay_id, later=_later(), actor=pages.actor())
        dock_id = dock_changes.bay(session, bay_id).dock.id
    return pages.back(".dock", dock_id=dock_id, _anchor="bays")


@needs("bodyworn.devices", confirmed=True)
def ask_forget_dock(dock_id: str) -> ResponseReturnValue:
    """Say what is lost when a dock is forgotten."""
    return pages.still("bodyworn/dock_forget.html", lambda session, now: _lost_dock(session, dock_id, now))


@needs("bodyworn.devices", confirmed=True)
def forget_dock(dock_id: str) -> ResponseReturnValue:
    """Forget a dock with its bays."""
    with current().database.write() as session:
        dock_changes.forget_dock(session, dock_id, actor=pages.actor())
    return pages.done(".docks", "dock-forgotten")


@needs("bodyworn.devices", confirmed=True)
def ask_forget_bay(bay_id: str) -> ResponseReturnValue:
    """Say what is lost when a bay, or one of its places, is forgotten."""
    return pages.still("bodyworn/dock_forget.html", lambda session, now: _lost_bay(session, bay_id, now))


@needs("bodyworn.devices", confirmed=True)
def forget_bay(bay_id: str) -> ResponseReturnValue:
    """Forget a bay, or one of its places."""
    place = request.form.get("place", "")
    with current().database.write() as session:
        if place:
            dock_id = dock_changes.forget_place(session, bay_id, place, actor=pages.actor())
        else:
            dock_id = dock_changes.forget_bay(session, bay_id, actor=pages.actor())
    return pages.done(".dock", "dock-forgotten", dock_id=dock_id)


def _later() -> bool:
    return request.form.get("to") == "later"


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    found = dock_setup.surroundings(session, now)
    limits = found.limits
    shown = LimitsForm(None, offloads=limits.offloads, uploads=limits.uploads) if limits else None
    return {"seen": found, "add_form": AddDockForm(), "limits_form": shown}


def _dock(dock_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = dock_setup.dock(session, dock_id, now)
        names = {one.view.id: one.view.name for one in found.bays}
        form, sections = DockForm(None, name=found.view.name), current().sections.of("dock", dock_id)
        return {"setup": found, "form": form, "names": names, "wrong": (), "sections": sections}

    return content


def _lost_dock(session: Session, dock_id: str, now: datetime) -> Mapping[str, Any]:
    return {"setup": dock_setup.dock(session, dock_id, now), "bay": None}


def _lost_bay(session: Session, bay_id: str, now: datetime) -> Mapping[str, Any]:
    setup, found = dock_setup.bay(session, bay_id, now)
    return {"setup": setup, "bay": found}
