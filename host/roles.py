"""Which role holds which permission: data. Plugins name their permissions, with a risk each, in their manifests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .language import gettext as _
from .manifest import PermissionEntry

LIVE = "host.live"
SEARCH = "host.search"
ALARMS = "host.alarms"
PLUGINS = "host.plugins"
ACCOUNTS = "host.accounts"


@dataclass(frozen=True)
class Role:
    """A set of duties that an account has."""

    id: str
    #: Permissions of the host's own pages.
    own: frozenset[str]
    #: Permissions of plugins, by the risk that the manifest states.
    risks: frozenset[str]


ROLES = {
    role.id: role
    for role in (
        Role("viewer", frozenset({LIVE, SEARCH}), frozenset({"low"})),
        Role("operator", frozenset({LIVE, SEARCH, ALARMS}), frozenset({"low", "medium"})),
        Role(
            "administrator", frozenset({LIVE, SEARCH, ALARMS, PLUGINS, ACCOUNTS}), frozenset({"low", "medium", "high"})
        ),
    )
}


def title(role_id: str) -> str:
    """Name a role in the language of this request."""
    titles = {"viewer": _("viewer"), "operator": _("operator"), "administrator": _("administrator")}
    return titles.get(role_id, role_id)


def holds(role_id: str, permission: str, entries: Iterable[PermissionEntry]) -> bool:
    """Tell whether a role holds a permission, of the host or of those ``entries``; an unknown one is held by nobody."""
    role = ROLES.get(role_id)
    if role is None:
        return False
    return permission in role.own or any(entry.id == permission and entry.risk in role.risks for entry in entries)
