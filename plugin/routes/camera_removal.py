"""Removing a camera: the usual way, which takes its content first, and by force, when it is lost (CAM-5, CAM-8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import CameraIsDocked, NoRecoveryKey, WrongPassphrase
from ..forms.camera_removal import ForceRemovalForm
from ..runtime import current
from ..services import camera_life, camera_list
from ..services.sentence import problem_of

_REMOVE = "bodyworn/camera_remove.html"
_FORCE = "bodyworn/camera_force_remove.html"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what is done on them."""
    route = blueprint.add_url_rule
    route("/devices/cameras/<camera_id>/remove", "ask_remove_camera", ask_remove_camera)
    route("/devices/cameras/<camera_id>/remove", "remove_camera", remove_camera, methods=["POST"])
    route("/devices/cameras/<camera_id>/keep", "keep_camera", keep_camera, methods=["POST"])
    route("/devices/cameras/<camera_id>/force-remove", "ask_force_remove_camera", ask_force_remove_camera)
    route("/devices/cameras/<camera_id>/force-remove", "force_remove_camera", force_remove_camera, methods=["POST"])


@needs("bodyworn.devices", confirmed=True)
def ask_remove_camera(camera_id: str) -> ResponseReturnValue:
    """Say what happens to a camera that is removed."""
    return pages.still(_REMOVE, _camera(camera_id))


@needs("bodyworn.devices", confirmed=True)
def remove_camera(camera_id: str) -> ResponseReturnValue:
    """Have a camera removed, now or at its next docking."""
    with current().database.write() as session:
        camera_life.ask_removal(session, camera_id, actor=pages.actor())
    return pages.done(".camera", "camera-leaves", camera_id=camera_id)


@needs("bodyworn.devices")
def keep_camera(camera_id: str) -> ResponseReturnValue:
    """Withdraw a removal that has not happened yet."""
    with current().database.write() as session:
        camera_life.withdraw_removal(session, camera_id, actor=pages.actor())
    return pages.done(".camera", "camera-kept", camera_id=camera_id)


@needs("bodyworn.devices", confirmed=True)
def ask_force_remove_camera(camera_id: str) -> ResponseReturnValue:
    """Say what is lost with a camera that is given up, and ask for reason and passphrase."""
    return pages.still(_FORCE, _camera(camera_id), form=ForceRemovalForm(), refused=None)


@needs("bodyworn.devices", confirmed=True)
def force_remove_camera(camera_id: str) -> ResponseReturnValue:
    """Give a camera up."""
    form = ForceRemovalForm(request.form)
    if not form.validate():
        return _not_removed(camera_id, form)
    passphrase, reason = form.passphrase.data or "", form.reason.data or ""
    try:
        camera_life.force_removal(current().database, camera_id, passphrase, reason, actor=pages.actor())
    except WrongPassphrase as error:
        form.passphrase.errors = [error.sentence]
        return _not_removed(camera_id, form)
    except (CameraIsDocked, NoRecoveryKey) as error:
        return _not_removed(camera_id, form, refused=problem_of(error))
    return pages.done(".camera", "camera-force-removed", camera_id=camera_id)


def _not_removed(camera_id: str, form: ForceRemovalForm, **context: Any) -> ResponseReturnValue:
    """Show the form again with its reason; the passphrase is never sent back."""
    return pages.still(_FORCE, _camera(camera_id), 422, form=form, **context)


def _camera(camera_id: str) -> pages.Content:
    def content(session: Session, now: datetime) -> Mapping[str, Any]:
        camera_life.check_ours(session, camera_id)
        return {"camera": camera_list.camera(session, camera_id), "left": camera_life.left_on(session, camera_id)}

    return content
