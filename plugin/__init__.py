"""The body worn plugin: ``setup(host)`` is all that a host calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract import Host, Plugin

__all__ = ["setup"]


def setup(host: Host) -> Plugin:
    """Build the plugin for one app; before its first request, once.

    Nothing is started, written or asked of hardware here.

    Raises:
        Incompatible: the host cannot run this version.
        SetupFailed: a part of the host is missing.
    """
    # imported here, so that commands and other packages can use a single room without loading the pages
    from .mount import mount

    return mount(host)
