"""Users: the people who wear cameras, in a list and one by one. Importing them from a file is in ``users_import``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import UserIdOfRemovedUser, UserIdTaken
from ..forms.users import UserForm, wanted
from ..runtime import current
from ..services import user_list, users
from ..services.sentence import marked

_LIST, _ONE = "bodyworn/users.html", "bodyworn/user.html"
_NOBODY_CHOSEN = marked("Select at least one user.")
_NO_PROFILE_CHOSEN = marked("Choose a camera profile.")


def add(blueprint: Blueprint) -> None:
    """Register the pages, their live parts, and what is done on them."""
    blueprint.add_url_rule("/users", "users", show_users)
    blueprint.add_url_rule("/fragments/users", "users_fragment", users_fragment)
    blueprint.add_url_rule("/users", "add_user", add_user, methods=["POST"])
    blueprint.add_url_rule("/users/all/profile", "give_profile", give_profile, methods=["POST"])
    blueprint.add_url_rule("/users/<camera_user_id>", "user", user)
    blueprint.add_url_rule("/fragments/users/<camera_user_id>", "user_fragment", user_fragment)
    blueprint.add_url_rule("/users/<camera_user_id>", "save_user", save_user, methods=["POST"])
    blueprint.add_url_rule("/users/<camera_user_id>/remove", "ask_remove_user", ask_remove_user)
    blueprint.add_url_rule("/users/<camera_user_id>/remove", "remove_user", remove_user, methods=["POST"])
    blueprint.add_url_rule("/users/<camera_user_id>/bring-back", "bring_user_back", bring_user_back, methods=["POST"])


@needs("bodyworn.view")
def show_users() -> ResponseReturnValue:
    """Show the page."""
    return pages.page(_LIST, _content)


@needs("bodyworn.view")
def users_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment(_LIST, _content)


@needs("bodyworn.devices")
def add_user() -> ResponseReturnValue:
    """Add a user."""
    form = _form(request.form)
    if form.validate():
        try:
            with current().database.write() as session:
                users.create_user(session, **_entered(form), actor=pages.actor())
            return pages.done(".users", "user-added")
        except (UserIdTaken, UserIdOfRemovedUser) as error:
            form.refused(error)
    return pages.still(_LIST, _content, 422, form=form)


@needs("bodyworn.devices")
def give_profile() -> ResponseReturnValue:
    """Give a profile to the users that are selected, or to all that the list would show."""
    query, profile_id = wanted(request.form), request.form.get("profile", "")
    chosen: list[str] = request.form.getlist("user")
    everybody = request.form.get("matching") == "y"
    if not profile_id or not (chosen or everybody):
        wrong = _NOBODY_CHOSEN if profile_id else _NO_PROFILE_CHOSEN
        return pages.still(_LIST, _content, 422, give_error=wrong, chosen=chosen)
    with current().database.write() as session:
        meant = user_list.matching_ids(session, query) if everybody else chosen
        users.give_profile(session, meant, profile_id, actor=pages.actor())
    return pages.done(".users", "profile-given", q=query.search or None, show=query.show, sort=query.sort)


@needs("bodyworn.view")
def user(camera_user_id: str) -> ResponseReturnValue:
    """Show one user."""
    return pages.page(_ONE, _user(camera_user_id), camera_user_id=camera_user_id)


@needs("bodyworn.view")
def user_fragment(camera_user_id: str) -> ResponseReturnValue:
    """Show the live part of the page."""
    return pages.fragment(_ONE, _user(camera_user_id))


@needs("bodyworn.devices")
def save_user(camera_user_id: str) -> ResponseReturnValue:
    """Change name, user ID and profile."""
    form = _form(request.form)
    if form.validate():
        try:
            with current().database.write() as session:
                users.change_user(session, camera_user_id, **_entered(form), actor=pages.actor())
            return pages.done(".user", "user-saved", camera_user_id=camera_user_id)
        except (UserIdTaken, UserIdOfRemovedUser) as error:
            form.refused(error)
    return pages.still(_ONE, _user(camera_user_id), 422, form=form)


@needs("bodyworn.devices", confirmed=True)
def ask_remove_user(camera_user_id: str) -> ResponseReturnValue:
    """Say what happens when a user is removed, and what does not."""
    return pages.still("bodyworn/user_remove.html", lambda session, now: _leaving(session, camera_user_id))


@needs("bodyworn.devices", confirmed=True)
def remove_user(camera_user_id: str) -> ResponseReturnValue:
    """Remove a user."""
    with current().database.write() as session:
        users.remove_user(session, camera_user_id, actor=pages.actor())
    return pages.done(".users", "user-removed")


@needs("bodyworn.devices")
def bring_user_back(camera_user_id: str) -> ResponseReturnValue:
    """Make a removed user active again."""
    with current().database.write() as session:
        users.bring_back(session, camera_user_id, actor=pages.actor())
    return pages.done(".user", "user-brought-back", camera_user_id=camera_user_id)


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    # the answer to a form repeats the list that the form stood under
    query = wanted(request.form if request.method == "POST" else request.args)
    profiles = user_list.profile_choices(session)
    form = UserForm()
    form.offer(profiles)
    return {
        "wanted": query,
        "page": user_list.listed(session, query),
        "profiles": profiles,
        "form": form,
        "give_error": None,
        "chosen": (),
    }


def _user(camera_user_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        found = user_list.user(session, camera_user_id)
        shown = UserForm(None, name=found.row.name, user_id=found.row.user_id or "", profile=found.profile_id)
        shown.offer(user_list.profile_choices(session))
        return {"user": found, "form": shown}

    return content


def _leaving(session: Session, camera_user_id: str) -> Mapping[str, Any]:
    users.get_active(session, camera_user_id)
    return {"user": user_list.user(session, camera_user_id)}


def _form(entered: Any) -> UserForm:
    with current().database.read() as session:
        profiles = user_list.profile_choices(session)
    form = UserForm(entered)
    form.offer(profiles)
    return form


def _entered(form: UserForm) -> dict[str, Any]:
    return {"name": form.name.data or "", "user_id": form.user_id.data, "profile_id": form.profile.data or None}
