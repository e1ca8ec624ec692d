"""The wizard's master key: made under a passphrase and downloaded, or uploaded to bring a lost system back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from .. import pages
from ..errors import BodywornError, MasterKeyMissing, MasterKeyRefused
from ..forms.setup import RestoreForm
from ..forms.support import NewPassphraseForm
from ..runtime import current
from ..services import founding, master_keys, passphrases, setup, systems
from ..services.sentence import Problem, problem_of
from ..services.setup import Step
from . import setup_frame as frame
from .support import as_file

_NEW = "bodyworn/setup_master_key.html"
_MADE = "bodyworn/setup_master_key_made.html"
_RESTORE = "bodyworn/setup_restore.html"
#: A master key is a few hundred bytes; more is read of nothing.
_LIMIT_BYTES = 16 * 1024
_REQUEST_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True)
class DraftView:
    """The master key that there is by now."""

    file_name: str
    system_id: str
    downloaded: bool
    restored: bool


def add(blueprint: Blueprint) -> None:
    """Register the step, its download, and the way to restore."""
    frame.add_step(blueprint, Step.MASTER_KEY, show, make_or_go_on)
    for path, name, view, methods in (
        ("/setup/master-key/download", "download_new_master_key", download, ["POST"]),
        ("/setup/restore", "setup_restore", show_restore, ["GET"]),
        ("/setup/restore", "restore_system", restore, ["POST"]),
    ):
        blueprint.add_url_rule(path, name, frame.in_wizard(Step.MASTER_KEY, view), methods=methods)


def show() -> ResponseReturnValue:
    """Ask for a passphrase; or hand out the key that there is, unless another one is wanted."""
    draft = _draft()
    if draft is None or "again" in request.args:
        return _new(NewPassphraseForm())
    return frame.show(_MADE, Step.MASTER_KEY, draft=draft, ask=False)


def make_or_go_on() -> ResponseReturnValue:
    """Make a master key under the passphrase that was sent; without one, go on with the key that there is."""
    return _make() if "wanted" in request.form else _go_on()


def download() -> ResponseReturnValue:
    """Hand out the file; who took it is written down."""
    with current().database.write() as session:
        handed = master_keys.download_draft(session, actor=pages.actor())
    return as_file(handed)


def show_restore() -> ResponseReturnValue:
    """Ask for a master key and its passphrase."""
    return _restore()


def restore() -> ResponseReturnValue:
    """Give this controller the identity of the system that the master key belongs to; else change nothing."""
    try:
        form, file = _uploaded()
        founding.restore(
            current().database,
            frame.keyring(),
            file=file,
            passphrase=form.passphrase.data or "",
            actor=pages.actor(),
        )
    except BodywornError as error:
        return _restore(problem_of(error), 422)
    _note(restored=True)
    return redirect(frame.address(Step.MASTER_KEY), 303)


def _make() -> ResponseReturnValue:
    form = NewPassphraseForm(request.form)
    if not form.validate():
        return _new(form, status_code=422)
    wanted = form.wanted.data or ""
    try:
        passphrases.check(wanted, actor=pages.actor())
        founding.new(current().database, frame.keyring(), passphrase=wanted, actor=pages.actor())
    except BodywornError as error:
        return _new(form, problem_of(error), 422)
    _note(restored=False)
    return redirect(frame.address(Step.MASTER_KEY), 303)


def _go_on() -> ResponseReturnValue:
    draft = _draft()
    if draft is None:
        return redirect(url_for(".setup_master_key"), 303)
    if not draft.downloaded and "without" not in request.form:
        return frame.show(_MADE, Step.MASTER_KEY, 422, draft=draft, ask=True)
    return frame.onward(Step.MASTER_KEY)


def _new(form: NewPassphraseForm, refused: Problem | None = None, status_code: int = 200) -> ResponseReturnValue:
    judgement = passphrases.judge(form.wanted.data, actor=pages.actor()) if form.wanted.data else None
    return frame.show(
        _NEW, Step.MASTER_KEY, status_code, form=form, refused=refused, judgement=judgement, draft=_draft()
    )


def _restore(refused: Problem | None = None, status_code: int = 200) -> ResponseReturnValue:
    return frame.show(_RESTORE, Step.MASTER_KEY, status_code, refused=refused, draft=_draft())


def _uploaded() -> tuple[RestoreForm, bytes]:
    """Read the form and the file; the file is bounded before anything looks at it."""
    request.max_content_length = _REQUEST_LIMIT_BYTES
    try:
        form, file = RestoreForm(request.form), request.files.get("file")
    except RequestEntityTooLarge as error:
        raise MasterKeyRefused from error
    data = file.stream.read(_LIMIT_BYTES + 1) if file is not None else b""
    if not data:
        raise MasterKeyMissing
    if len(data) > _LIMIT_BYTES:
        raise MasterKeyRefused
    return form, data


def _note(*, restored: bool) -> None:
    with current().database.write() as session:
        setup.present(session).restored = restored


def _draft() -> DraftView | None:
    with current().database.read() as session:
        system = systems.draft(session)
        if system is None:
            return None
        return DraftView(
            file_name=master_keys.file_name(system),
            system_id=system.id,
            downloaded=system.master_key_downloaded_at is not None,
            restored=setup.present(session).restored,
        )
