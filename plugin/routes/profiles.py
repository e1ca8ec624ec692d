"""Camera profiles: the list, the editor, which camera has which version, and the daily use guide to print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import ProfileChangedMeanwhile, ProfileInUse, ProfileNameTaken
from ..forms.lists import page_number
from ..forms.profiles import ProfileForm
from ..runtime import current
from ..services import profile_list, profile_settings, profiles, systems
from ..services.profile_settings import PRESETS
from ..services.sentence import marked, problem_of
from ..text import for_templates

_LIST = "bodyworn/profiles.html"
_ONE = "bodyworn/profile.html"
_NEW = "bodyworn/profile_new.html"
_TAKEN = marked("Another camera profile has this name already.")


def add(blueprint: Blueprint) -> None:
    """Register the pages, their live parts, and what is done on them."""
    route = blueprint.add_url_rule
    route("/camera-profiles", "profiles", show_profiles)
    route("/fragments/camera-profiles", "profiles_fragment", profiles_fragment)
    route("/camera-profiles/new", "new_profile", new_profile)
    route("/camera-profiles/new", "create_profile", create_profile, methods=["POST"])
    route("/camera-profiles/<profile_id>", "profile", show_profile)
    route("/fragments/camera-profiles/<profile_id>", "profile_fragment", profile_fragment)
    route("/camera-profiles/<profile_id>", "save_profile", save_profile, methods=["POST"])
    route("/camera-profiles/<profile_id>/default", "make_default_profile", make_default_profile, methods=["POST"])
    route("/camera-profiles/<profile_id>/remove", "ask_remove_profile", ask_remove_profile)
    route("/camera-profiles/<profile_id>/remove", "remove_profile", remove_profile, methods=["POST"])
    route("/camera-profiles/<profile_id>/guide", "daily_use_guide", daily_use_guide)


@needs("bodyworn.view")
def show_profiles() -> ResponseReturnValue:
    """List all profiles."""
    return pages.page(_LIST, _list)


@needs("bodyworn.view")
def profiles_fragment() -> ResponseReturnValue:
    """Show the live part."""
    return pages.fragment(_LIST, _list)


@needs("bodyworn.devices")
def new_profile() -> ResponseReturnValue:
    """Show the editor of a profile that is not made yet, filled with one to start from."""
    return pages.still(_NEW, _new)


@needs("bodyworn.devices")
def create_profile() -> ResponseReturnValue:
    """Make a profile."""
    form = ProfileForm(request.form)
    if form.validate():
        try:
            with current().database.write() as session:
                made = profiles.create(session, form.name.data or "", form.wanted(), actor=pages.actor()).id
            return pages.done(".profile", "profile-created", profile_id=made)
        except ProfileNameTaken:
            form.name.errors = [_TAKEN]
    return pages.still(_NEW, _new, 422, form=form)


@needs("bodyworn.view")
def show_profile(profile_id: str) -> ResponseReturnValue:
    """Show one profile and the cameras that are to have it."""
    return pages.page(_ONE, _profile(profile_id), profile_id=profile_id)


@needs("bodyworn.view")
def profile_fragment(profile_id: str) -> ResponseReturnValue:
    """Show the live part: cameras take a change over while somebody looks."""
    return pages.fragment(_ONE, _profile(profile_id))


@needs("bodyworn.devices")
def save_profile(profile_id: str) -> ResponseReturnValue:
    """Change a profile for everybody who has it, unless somebody else did so since it was opened."""
    form = ProfileForm(request.form)
    told = None
    if form.validate():
        try:
            with current().database.write() as session:
                profiles.change(
                    session,
                    profile_id,
                    form.name.data or "",
                    form.wanted(),
                    of_version=form.version.data or 1,
                    actor=pages.actor(),
                )
            return pages.done(".profile", "profile-saved", profile_id=profile_id)
        except ProfileNameTaken:
            form.name.errors = [_TAKEN]
        except ProfileChangedMeanwhile as error:
            told = problem_of(error)
    return pages.still(_ONE, _profile(profile_id), 422, form=form, told=told)


@needs("bodyworn.devices")
def make_default_profile(profile_id: str) -> ResponseReturnValue:
    """Let new users get this profile."""
    with current().database.write() as session:
        profiles.make_default(session, profile_id, actor=pages.actor())
    return pages.done(".profile", "profile-made-default", profile_id=profile_id)


@needs("bodyworn.devices", confirmed=True)
def ask_remove_profile(profile_id: str) -> ResponseReturnValue:
    """Say what is lost, before it is."""
    return pages.still("bodyworn/profile_remove.html", _removal(profile_id))


@needs("bodyworn.devices", confirmed=True)
def remove_profile(profile_id: str) -> ResponseReturnValue:
    """Remove a profile that nobody has."""
    with current().database.write() as session:
        profiles.remove(session, profile_id, actor=pages.actor())
    return pages.done(".profiles", "profile-removed")


@needs("bodyworn.view")
def daily_use_guide(profile_id: str) -> ResponseReturnValue:
    """Show what a camera user needs to know with this profile, in the system's language, to be printed."""
    return pages.still("bodyworn/guide.html", _guide(profile_id))


def _list(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"profiles": profile_list.rows(session)}


def _new(session: Session, now: datetime) -> Mapping[str, Any]:
    wanted = request.args.get("from", "")
    copied = next((one for one in profile_list.rows(session) if one.id == wanted), None)
    preset = next((one for one in PRESETS if one.id == wanted), PRESETS[0])
    settings = copied.settings if copied else preset.settings
    return {
        "form": ProfileForm.of("", settings),
        "presets": PRESETS,
        "copied": copied,
        "chosen": None if copied else preset.id,
        "measured": None,
    }


def _profile(profile_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = profile_list.profile(session, profile_id)
        row = found.row
        return {
            "profile": found,
            "measured": found.measured,
            "page": profile_list.cameras(session, profile_id, page_number(request.args)),
            "form": ProfileForm.of(row.name, row.settings, row.version),
            "told": None,
        }

    return content


def _removal(profile_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = profile_list.profile(session, profile_id)
        if not found.removable:
            raise ProfileInUse(name=found.row.name)
        return {"profile": found.row}

    return content


def _guide(profile_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = profile_settings.read(profiles.get(session, profile_id))
        system = systems.current(session)
        return {
            "profile_id": profile_id,
            "name": profiles.get(session, profile_id).name,
            "settings": found,
            "system_name": system.name,
            "language": system.language,
            "say": for_templates(system.language)["gettext"],
        }

    return content
