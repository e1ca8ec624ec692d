"""Locked cameras: which there are, and the passphrase that unlocks one or many of them (CAM-7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import CameraNotLocked, MasterKeyChanged, NoRecoveryKey, WrongPassphrase
from ..forms.lists import page_number
from ..forms.unlocking import UnlockForm
from ..runtime import current
from ..services import locked_list, unlocking
from ..services.keyring import Keyring
from ..services.sentence import problem_of

_LIST = "bodyworn/cameras_locked.html"
_UNLOCK = "bodyworn/cameras_unlock.html"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what is done on them."""
    route = blueprint.add_url_rule
    route("/devices/locked", "locked_cameras", show_locked)
    route("/fragments/devices/locked", "locked_cameras_fragment", locked_fragment)
    route("/devices/locked/unlock", "ask_unlock", ask_unlock)
    route("/devices/locked/unlock", "unlock_cameras", unlock_cameras, methods=["POST"])


@needs("bodyworn.view")
def show_locked() -> ResponseReturnValue:
    """Show the cameras that wait for the passphrase."""
    return pages.page(_LIST, _locked)


@needs("bodyworn.view")
def locked_fragment() -> ResponseReturnValue:
    """Show the live part of that page."""
    return pages.fragment(_LIST, _locked)


@needs("bodyworn.devices", confirmed=True)
def ask_unlock() -> ResponseReturnValue:
    """Ask for the passphrase, for the cameras that were selected, or for all that can be unlocked now."""
    wanted = request.args.getlist("camera")
    if not wanted and "all" in request.args:
        with current().database.read() as session:
            wanted = locked_list.unlockable_ids(session)
    if not wanted:
        return pages.still(_LIST, _locked, 422, nothing_selected=True)
    return pages.still(_UNLOCK, _chosen(wanted), form=UnlockForm(), refused=None)


@needs("bodyworn.devices", confirmed=True)
def unlock_cameras() -> ResponseReturnValue:
    """Have the selected cameras unlocked; those that left their bay meanwhile are told of."""
    form = UnlockForm(request.form)
    wanted: list[str] = form.camera.data or []
    if not form.validate():
        return _not_unlocked(wanted, form)
    runtime = current()
    try:
        done = unlocking.unlock(
            runtime.database,
            Keyring(runtime.data_dir / "keys"),
            wanted,
            form.passphrase.data or "",
            actor=pages.actor(),
        )
    except WrongPassphrase as error:
        form.passphrase.errors = [error.sentence]
        return _not_unlocked(wanted, form)
    except (CameraNotLocked, MasterKeyChanged, NoRecoveryKey) as error:
        return _not_unlocked(wanted, form, refused=problem_of(error))
    return pages.done(".locked_cameras", "cameras-unlocking" if not done.left else "some-cameras-unlocking")


def _not_unlocked(wanted: Sequence[str], form: UnlockForm, **context: Any) -> ResponseReturnValue:
    """Show the form again; passphrases are never sent back, so the field is empty."""
    return pages.still(_UNLOCK, _chosen(wanted), 422, form=form, **context)


def _locked(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"locked": locked_list.locked_list(session, page_number(request.args)), "nothing_selected": False}


def _chosen(wanted: Sequence[str]) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        return {"chosen": locked_list.chosen(session, wanted)}

    return content
