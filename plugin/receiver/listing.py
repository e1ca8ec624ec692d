"""Listings as they are sent: names line by line, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from flask import Response, request

from ..services.received_listings import MOST_NAMES, ListedContainer, ListedObject, Selection


class _Container(msgspec.Struct):
    name: str
    count: int
    bytes: int
    last_modified: str


class _Object(msgspec.Struct):
    name: str
    hash: str
    bytes: int
    content_type: str
    last_modified: str


def selection() -> Selection:
    """Read what part of a listing is asked for; a limit that is no number is none."""
    limit = request.args.get("limit", MOST_NAMES, type=int)
    return Selection(
        prefix=request.args.get("prefix", ""),
        marker=request.args.get("marker", ""),
        end_marker=request.args.get("end_marker", ""),
        limit=limit,
    )


def containers(listed: Sequence[ListedContainer], headers: Mapping[str, str]) -> Response:
    """Send a listing of containers."""
    rows = [_Container(row.name, row.objects, row.size_bytes, _moment(row.created_at)) for row in listed]
    return _listing(rows, headers)


def objects(listed: Sequence[ListedObject], headers: Mapping[str, str]) -> Response:
    """Send a listing of objects."""
    rows = [_Object(row.name, row.md5, row.size_bytes, row.content_type, _moment(row.received_at)) for row in listed]
    return _listing(rows, headers)


def _listing(rows: Sequence[_Container] | Sequence[_Object], headers: Mapping[str, str]) -> Response:
    if _wants_json():
        return Response(msgspec.json.encode(rows), headers=dict(headers), mimetype="application/json")
    text = "".join(f"{row.name}\n" for row in rows)
    return Response(text, status=200 if text else 204, headers=dict(headers), mimetype="text/plain")


def _wants_json() -> bool:
    if "format" in request.args:
        return request.args["format"] == "json"
    return request.accept_mimetypes.best_match(["text/plain", "application/json"]) == "application/json"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
