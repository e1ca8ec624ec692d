"""Devices: docks with their bays, new cameras to add, the list of cameras, and the page of one camera."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.devices import AddCamerasForm, CameraForm
from ..forms.lists import choice, page_number, search_text
from ..runtime import current
from ..services import camera_life, camera_list, cameras, clock_ledger, controller_card, dock_list, user_list, users
from ..services.camera_list import CameraDetail, CameraQuery, Show, Sort, UserChoice
from ..services.sentence import marked

_NO_WEARER_CHOSEN = marked("Select at least one camera that is assigned to a user.")
_NO_PROFILE_CHOSEN = marked("Choose a camera profile.")


def add(blueprint: Blueprint) -> None:
    """Register the pages, their live parts, and what is done on them."""
    blueprint.add_url_rule("/devices", "devices", show_devices)
    blueprint.add_url_rule("/fragments/devices", "devices_fragment", devices_fragment)
    blueprint.add_url_rule("/devices/add", "add_cameras", add_cameras, methods=["POST"])
    blueprint.add_url_rule("/devices/profile", "give_wearers_profile", give_wearers_profile, methods=["POST"])
    blueprint.add_url_rule("/devices/cameras/<camera_id>", "camera", camera)
    blueprint.add_url_rule("/fragments/cameras/<camera_id>", "camera_fragment", camera_fragment)
    blueprint.add_url_rule("/devices/cameras/<camera_id>", "save_camera", save_camera, methods=["POST"])


@needs("bodyworn.view")
def show_devices() -> ResponseReturnValue:
    """Show the page."""
    return pages.page("bodyworn/devices.html", _content)


@needs("bodyworn.view")
def devices_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment("bodyworn/devices.html", _content)


@needs("bodyworn.devices")
def add_cameras() -> ResponseReturnValue:
    """Add the selected new cameras to the system."""
    form = AddCamerasForm(request.form)
    if not form.validate():
        return pages.still("bodyworn/devices.html", _content, 422, add_errors=form.camera.errors)
    with current().database.write() as session:
        cameras.add_cameras(session, form.camera.data or [], actor=pages.actor())
    return pages.done(".devices", "cameras-added")


@needs("bodyworn.devices")
def give_wearers_profile() -> ResponseReturnValue:
    """Give a profile to the users of the cameras that are selected, or of all that the list would show."""
    query, profile_id = _wanted(request.form), request.form.get("profile", "")
    chosen: list[str] = request.form.getlist("camera")
    all_of_them = request.form.get("matching") == "y"
    with current().database.write() as session:
        meant = camera_list.wearers(session, camera_list.matching_ids(session, query) if all_of_them else chosen)
        if profile_id and meant:
            users.give_profile(session, meant, profile_id, actor=pages.actor())
    if not profile_id or not meant:
        wrong = _NO_WEARER_CHOSEN if profile_id else _NO_PROFILE_CHOSEN
        return pages.still("bodyworn/devices.html", _content, 422, give_error=wrong, chosen=chosen)
    values = {"q": query.search or None, "show": query.show, "sort": query.sort}
    return pages.done(".devices", "profile-given", **values, _anchor="cameras")


@needs("bodyworn.view")
def camera(camera_id: str) -> ResponseReturnValue:
    """Show one camera."""
    return pages.page("bodyworn/camera.html", _camera(camera_id), camera_id=camera_id)


@needs("bodyworn.view")
def camera_fragment(camera_id: str) -> ResponseReturnValue:
    """Show the live part of its page."""
    return pages.fragment("bodyworn/camera.html", _camera(camera_id))


@needs("bodyworn.devices")
def save_camera(camera_id: str) -> ResponseReturnValue:
    """Rename a camera and assign it to a user, who is created first where a new name was entered."""
    with current().database.read() as session:
        found, choices = camera_list.camera(session, camera_id), camera_list.user_choices(session)
    form, sections = _form(found, choices, request.form), current().sections.of("camera", camera_id, request.form)
    checked = form.validate(), sections.validate()
    if not all(checked):
        return pages.still("bodyworn/camera.html", _camera(camera_id), 422, form=form, sections=sections)
    with current().database.write() as session:
        _save(session, camera_id, form)
    all_saved = sections.save(current().database, pages.actor())
    return pages.done(".camera", "camera-saved" if all_saved else "sections-not-saved", camera_id=camera_id)


def _save(session: Session, camera_id: str, form: CameraForm) -> None:
    actor = pages.actor()
    wearer: str | None = form.camera_user.data or None
    if form.new_user.data:
        wearer = users.create_user(session, name=form.new_user.data, actor=actor).id
    cameras.rename(session, camera_id, form.name.data or "", actor=actor)
    cameras.assign(session, camera_id, wearer, actor=actor)


def _wanted(args: Mapping[str, str]) -> CameraQuery:
    return CameraQuery(
        search=search_text(args),
        show=choice(args, "show", Show.ALL),
        sort=choice(args, "sort", Sort.NAME),
        page=page_number(args),
    )


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    wanted = _wanted(request.values)
    return {
        "docks": dock_list.dock_list(session, now, page_number(request.args, "docks")),
        "new_cameras": camera_list.new_cameras(session),
        "wanted": wanted,
        "page": camera_list.cameras(session, wanted),
        "controllers": controller_card.controllers(session, now),
        "profiles": user_list.profile_choices(session) if current().host.can("bodyworn.devices") else (),
        "add_errors": (),
        "give_error": None,
        "chosen": (),
    }


def _camera(camera_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = camera_list.camera(session, camera_id)
        sections = current().sections.of("camera", camera_id)
        return {
            "camera": found,
            "left": camera_life.left_on(session, camera_id),
            "form": _form(found, camera_list.user_choices(session)),
            "sections": sections,
            "clock": clock_ledger.ledger(session, cameras.get(session, camera_id)),
        }

    return content


def _form(found: CameraDetail, choices: list[UserChoice], entered: Any = None) -> CameraForm:
    form = CameraForm(entered, name=found.row.name, camera_user=found.camera_user_id or "")
    form.offer(choices)
    return form
