"""Support: what helps in trouble, and the master key: handing it out, and changing its passphrase."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import MasterKeyChanged, PassphraseTooWeak, WrongPassphrase
from ..forms.support import ChangePassphraseForm, PassphraseForm
from ..runtime import current
from ..services import master_keys, passphrases
from ..services.sentence import problem_of

_SUPPORT = "bodyworn/support.html"
_MASTER_KEY = "bodyworn/master_key.html"
_CHANGE = "bodyworn/master_key_passphrase.html"
#: Files of this kind are saved, whatever a browser makes of their content.
_FILE_TYPE = "application/vnd.bodyworn.master-key.v1+json"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what is done on them."""
    route = blueprint.add_url_rule
    route("/support", "support", show_support)
    route("/support/master-key", "master_key", show_master_key)
    route("/support/master-key", "download_master_key", download_master_key, methods=["POST"])
    route("/support/master-key/passphrase", "ask_change_passphrase", ask_change_passphrase)
    route("/support/master-key/passphrase", "change_passphrase", change_passphrase, methods=["POST"])
    route("/support/passphrase-strength", "passphrase_strength", passphrase_strength, methods=["POST"])


@needs("bodyworn.view")
def show_support() -> ResponseReturnValue:
    """Show what there is, as far as this person may see it."""
    return pages.still(_SUPPORT, _overview)


@needs("bodyworn.system", confirmed=True)
def show_master_key() -> ResponseReturnValue:
    """Show what is known of the master key, and the form to download it."""
    return pages.still(_MASTER_KEY, _content, form=PassphraseForm())


@needs("bodyworn.system", confirmed=True)
def download_master_key() -> ResponseReturnValue:
    """Hand out the file to somebody who knows its passphrase."""
    form = PassphraseForm(request.form)
    if not form.validate():
        return pages.still(_MASTER_KEY, _content, 422, form=form)
    try:
        handed = master_keys.download(current().database, form.passphrase.data or "", actor=pages.actor())
    except WrongPassphrase as error:
        form.passphrase.errors = [error.sentence]
        return pages.still(_MASTER_KEY, _content, 422, form=form)
    return as_file(handed)


@needs("bodyworn.system", confirmed=True)
def ask_change_passphrase() -> ResponseReturnValue:
    """Say what a change of the passphrase does and what it cannot do, with the form."""
    return pages.still(_CHANGE, _content, form=ChangePassphraseForm(), judgement=None)


@needs("bodyworn.system", confirmed=True)
def change_passphrase() -> ResponseReturnValue:
    """Keep the master key under another passphrase."""
    form = ChangePassphraseForm(request.form)
    if not form.validate():
        return _not_changed(form)
    try:
        master_keys.change_passphrase(
            current().database, form.passphrase.data or "", form.wanted.data or "", actor=pages.actor()
        )
    except PassphraseTooWeak as error:
        form.wanted.errors = [error.sentence]
        return _not_changed(form, judgement=_judgement(form.wanted.data or ""))
    except WrongPassphrase as error:
        form.passphrase.errors = [error.sentence]
        return _not_changed(form)
    except MasterKeyChanged as error:
        return _not_changed(form, refused=problem_of(error))
    return pages.done(".master_key", "passphrase-changed")


@needs("bodyworn.system", during_setup=True)
def passphrase_strength() -> ResponseReturnValue:
    """Judge a passphrase while it is entered; nothing is kept."""
    return render_template("bodyworn/_strength.html", judgement=_judgement(request.form.get("wanted", "")))


def as_file(handed: master_keys.HandedOut) -> Response:
    """Answer with a master key, to be saved; nothing on the way keeps a copy."""
    headers = {"Content-Disposition": f'attachment; filename="{handed.file_name}"', "Cache-Control": "no-store"}
    return Response(handed.file, mimetype=_FILE_TYPE, headers=headers)


def _judgement(wanted: str) -> passphrases.Judgement | None:
    return passphrases.judge(wanted, actor=pages.actor()) if wanted else None


def _not_changed(form: ChangePassphraseForm, **context: Any) -> ResponseReturnValue:
    """Show the form again; passphrases are never sent back, so the fields are empty."""
    return pages.still(_CHANGE, _content, 422, form=form, **context)


def _overview(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"key": master_keys.look(session)}


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    return {"key": master_keys.look(session)}
