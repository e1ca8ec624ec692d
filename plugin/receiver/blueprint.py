"""The receiver's addresses, and what its problems are on the wire. The gate before them is put by ``mount``."""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, Response

from .. import errors
from ..errors import BodywornError
from . import upload
from .account import account
from .container import container
from .signing_in import sign_in
from .stored_object import stored_object

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_SECONDS: Final = 5

#: 400 would mean that something can never be stored, so only names and metadata are answered with it.
_STATUS: Final[dict[type[BodywornError], int]] = {
    errors.SignInRefused: 401,
    errors.OtherAccount: 403,
    errors.OverwriteRefused: 403,
    errors.DeleteRefused: 403,
    errors.RecordingClosed: 403,
    errors.ContainerMissing: 404,
    errors.ObjectMissing: 404,
    errors.NameRefused: 400,
    errors.MetadataTooLarge: 400,
    errors.UploadByReference: 400,
    errors.UploadCut: 408,
    errors.UploadLengthMissing: 411,
    errors.ObjectExists: 412,
    errors.UploadTooLarge: 413,
    errors.UploadDiffers: 422,
    errors.ReceiverBusy: 503,
    errors.StoreFull: 507,
}


def add(blueprint: Blueprint) -> None:
    """Add the interface to a blueprint."""
    rules = (
        ("/auth/v1.0", sign_in, ["GET"]),
        ("/v1/<account_id>", account, ["GET", "HEAD"]),
        ("/v1/<account_id>/<container>", container, ["GET", "HEAD", "PUT", "POST", "DELETE"]),
        # a path, so that a name with a slash is a refused name and not a missing page
        ("/v1/<account_id>/<container>/<path:name>", stored_object, ["GET", "HEAD", "PUT", "POST", "DELETE"]),
    )
    for rule, view, methods in rules:
        blueprint.add_url_rule(
            rule, view.__name__, view, methods=methods, merge_slashes=False, provide_automatic_options=False
        )
    blueprint.record_once(lambda state: upload.install(state.app))
    blueprint.register_error_handler(BodywornError, refused)


def refused(error: BodywornError) -> Response:
    """Answer a problem with its status and its sentence."""
    status = _STATUS.get(type(error), 500)
    if status == 500:
        _LOG.error("The receiver failed: %s", error)
    response = Response(f"{error}\n", status=status, mimetype="text/plain")
    if status == 503:
        response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response
