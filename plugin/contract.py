"""The contract between a host and the plugin, version 1; ``docs/host-contract.md`` is its prose.

Only the shapes that cross the border live here. Nothing of ours is imported, so a host may read this module (or copy
it) without loading anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy import Engine
    from werkzeug.wrappers import Response


class User(Protocol):
    """Whoever is signed in to the host."""

    @property
    def id(self) -> str:
        """Stable identifier; it is what events name as the actor."""

    @property
    def name(self) -> str:
        """Name to show on pages."""


class Host(Protocol):
    """What a host gives to ``setup``: ten members and :meth:`supports`.

    Members that concern a request (``user`` to ``csrf_token``, ``locale``) are called within that request alone.
    """

    @property
    def layout(self) -> str:
        """Name of the template that every page extends; blocks: ``title``, ``head``, ``content``, ``scripts``."""

    @property
    def engine(self) -> Engine:
        """Engine of the database that the plugin owns alone; callable without an application context."""

    @property
    def data_dir(self) -> Path:
        """Folder that the plugin owns alone, mode 0700, on the disk meant for evidence."""

    def user(self) -> User | None:
        """Name who is signed in, or None."""

    def can(self, permission: str) -> bool:
        """Tell whether that user holds a permission of the manifest."""

    def challenge(self) -> Response:
        """Answer a request of nobody: the way to the login for pages, 401 otherwise."""

    def csp_nonce(self) -> str:
        """Give the nonce of this response, or an empty string where the host has no content security policy."""

    def csrf_token(self) -> str:
        """Give the host's token for forms, or an empty string where the host has none."""

    def external_url(self, endpoint: str, **values: str) -> str:
        """Build an absolute address under which other machines reach an endpoint; it stands in connection files."""

    def locale(self) -> str:
        """Give the language of this request, as ``en`` or ``de_AT``."""

    def supports(self, feature: str) -> bool:
        """Tell whether a group of optional members is there: its name stands at the protocols below."""


class NotifyingHost(Host, Protocol):
    """A host for which ``supports("notify")`` is true."""

    def notify(self, name: str, sentence: str, address: str) -> None:
        """Take a copy of an event that people should hear of; never called while a database transaction is open."""


class RecordingHost(Host, Protocol):
    """A host for which ``supports("recordings")`` is true: it lists what the receiver took in, in its own pages."""

    def recording_arrived(self, recording: ArrivedRecording) -> None:
        """Take note of a complete recording; called again for the same ``id`` when it changes."""


class ConfirmingHost(Host, Protocol):
    """A host for which ``supports("confirmation")`` is true: it asks people again who they are before grave actions."""

    def confirmed_at(self) -> datetime | None:
        """Tell when whoever is signed in last proved it, within this sign-in; signing in counts."""

    def confirm(self, back_to: str) -> Response:
        """Answer with the way to prove it again, which leads back to a path of this host; others than pages get 401."""


class AccountsHost(Host, Protocol):
    """A host for which ``supports("accounts")`` is true: people change their passwords in it."""

    def account_address(self) -> str:
        """Give the path of the page where a person changes their own password; administrators find all accounts."""


class SupportingHost(Host, Protocol):
    """A host for which ``supports("support")`` is true: it says whom people turn to when help did not help."""

    def support_contact(self) -> str:
        """Name whom to ask, and how: a few lines of plain text."""


class Tls(Protocol):
    """The host's own TLS server; a plugin holds certificates and the host serves with one of them."""

    def serving(self) -> ServedCertificate:
        """Tell which certificate new connections get; works without a request, too."""

    def activate(self, certificate: Path, private_key: Path, confirm_within_seconds: int | None) -> None:
        """Serve with other PEM files (the leaf first, then its chain) from the next connection on.

        They are tried on this machine first, and connections that are open go on. The files must stay where they are
        while they are served. With ``confirm_within_seconds`` the former certificate comes back by itself after that
        time, and after a restart, unless :meth:`confirm` was called before; None needs no confirmation.

        :raises ValueError: when nobody could connect with these files, in words; nothing has changed then.
        """

    def confirm(self) -> bool:
        """Keep what was activated; False when this request did not come over it, or came too late."""


class TlsHost(Host, Protocol):
    """A host for which ``supports("tls")`` is true: it serves HTTPS itself and takes certificates from the plugin."""

    def tls(self) -> Tls:
        """Give the TLS server."""


@dataclass(frozen=True)
class ServedCertificate:
    """What new connections get."""

    #: The PEM file.
    certificate: Path
    #: Of the leaf's DER bytes, in lower-case hexadecimal digits.
    fingerprint_sha256: str
    #: Until then somebody has to confirm it over a connection that uses it; None when nothing is awaited.
    confirm_before: datetime | None
    #: True within a request that came over it.
    over_it: bool


@dataclass(frozen=True)
class ArrivedRecording:
    """A complete recording in the receiver, as the host may list it."""

    id: str
    title: str
    camera: str
    started_at: datetime
    stopped_at: datetime
    #: Path of the page that plays it.
    address: str


@dataclass(frozen=True)
class Permission:
    """A duty that a host's roles may include."""

    id: str
    title: str
    #: ``low``: looks only; ``medium``: changes what can be changed back; ``high``: may lose or expose evidence.
    risk: str


@dataclass(frozen=True)
class MenuItem:
    """One entry for the host's menu."""

    label: str
    endpoint: str
    permission: str
    order: int = 100


class HealthState(StrEnum):
    """How a part of the plugin is doing."""

    OKAY = "okay"
    ATTENTION = "attention"
    PROBLEM = "problem"


@dataclass(frozen=True)
class HealthItem:
    """State of one part, in words for an operator."""

    part: str
    state: HealthState
    sentence: str
    since: datetime | None = None
    #: Endpoint of the page that mends it, or None.
    endpoint: str | None = None


class Recorder(Protocol):
    """How a host writes into the chain of events what its own accounts do."""

    def __call__(
        self,
        action: str,
        actor: str,
        address: str,
        object_kind: str,
        object_id: str,
        result: str,
        **detail: str | int | float | bool | None,
    ) -> None:
        """Append an event, durable when this returns.

        Args:
            action: ``account.…`` or ``host.…``, such as ``account.signed-in``.
            actor: Whose doing it is: the ``id`` that :meth:`Host.user` gives, or what was entered as a name.
            address: Network address of the request; empty for what the host does by itself.
            object_kind: What it was done to, such as ``account``.
            object_id: Which one.
            result: ``done`` or ``refused``.
            detail: What auditors should see beside it; never a secret.

        Raises:
            ValueError: the action is none of a host's.
            Exception: the database does not take it; nothing was written.
        """


@dataclass(frozen=True)
class Plugin:
    """What ``setup`` returns. The host registers the blueprints and calls the rest at the contract's moments."""

    domain: str
    version: str
    #: The pages first, then the machine interface; siblings, so that neither inherits the other's gate.
    blueprints: Sequence[Blueprint]
    menu: Sequence[MenuItem]
    permissions: Sequence[Permission]
    #: Bring the plugin's own tables to this version; one process, before any worker serves.
    migrate: Callable[[], None]
    #: Start the controller process once for the machine; raises ``NotReady``; a second call does nothing. After
    #: ``unload`` it opens the routes again.
    start: Callable[[], None]
    #: Stop what ``start`` started; idempotent, never raises; returns what did not stop in time, in words.
    stop: Callable[[], Sequence[str]]
    #: Stop, and answer 503 on every route from now on; routes themselves cannot be taken back.
    unload: Callable[[], None]
    #: Tell how each part is; reads the database, touches no hardware.
    health: Callable[[], Sequence[HealthItem]]
    #: Write what the host's own accounts do into the chain of events; after ``migrate``, in any thread.
    record: Recorder
