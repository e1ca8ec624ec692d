"""Metadata of a container and of its objects: one JSON file each in the container's folder ``.metadata``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import msgspec

from ..errors import NoSuchObject, StoreDamaged
from .folders import beneath, edge, open_file, sync
from .part import open_part, sweep

FOLDER: Final = ".metadata"

#: The container's own sidecar; no object can have this name.
CONTAINER: Final = ".container"


def put(parent: int, name: str, mapping: Mapping[str, str], label: str) -> None:
    """Replace a sidecar durably; making the folder's own name durable is left to the caller."""
    with beneath(parent, FOLDER, label, create=True) as sidecars:
        with open_part(sidecars, label) as part:
            part.fill([msgspec.json.encode(dict(mapping), order="sorted")])
            part.sync()
            part.replace(name)
        sync(label, sidecars)


def get(parent: int, name: str, label: str) -> dict[str, str]:
    """Read a sidecar; empty when there is none."""
    try:
        with beneath(parent, FOLDER, label) as sidecars:
            return _read(open_file(sidecars, name, label), label)
    except NoSuchObject:
        return {}


def remove(parent: int, name: str, label: str) -> None:
    """Remove a sidecar if there is one."""
    try:
        with beneath(parent, FOLDER, label) as sidecars:
            with edge(label):
                os.unlink(name, dir_fd=sidecars)
            sync(label, sidecars)
    except NoSuchObject:
        return


def remove_folder(parent: int, label: str) -> None:
    """Remove all metadata of a container, the folder included; none there is fine."""
    try:
        with beneath(parent, FOLDER, label) as folder, edge(label):
            for name in os.listdir(folder):
                os.unlink(name, dir_fd=folder)
        with edge(label):
            os.rmdir(FOLDER, dir_fd=parent)
    except NoSuchObject:
        return


def sweep_parts(parent: int, label: str) -> int:
    """Remove what died while sidecars were being replaced, and count it."""
    try:
        with beneath(parent, FOLDER, label) as sidecars:
            return sweep(sidecars, label)
    except NoSuchObject:
        return 0


def _read(descriptor: int, label: str) -> dict[str, str]:
    with os.fdopen(descriptor, "rb") as file, edge(label):
        data = file.read()
    try:
        return msgspec.json.decode(data, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise StoreDamaged(name=label, reason="its metadata cannot be read") from error
