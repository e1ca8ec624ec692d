"""The contract as this host sees it: the shapes of what crosses the border, so that nothing of a plugin is imported.

A host that trusts one plugin may use that plugin's ``contract`` module instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flask import Blueprint


class ArrivedRecording(Protocol):
    """A complete recording of which a plugin tells."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def camera(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def stopped_at(self) -> datetime: ...
    @property
    def address(self) -> str: ...


@dataclass(frozen=True)
class ServedCertificate:
    """What new connections get, as plugins are told."""

    certificate: Path
    fingerprint_sha256: str
    confirm_before: datetime | None
    over_it: bool


class MenuItem(Protocol):
    """One entry for the menu."""

    @property
    def label(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def permission(self) -> str: ...
    @property
    def order(self) -> int: ...


class HealthItem(Protocol):
    """State of one part of a plugin."""

    @property
    def part(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...


class Plugin(Protocol):
    """What ``setup`` returns, as far as this host uses it."""

    @property
    def domain(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def blueprints(self) -> Sequence[Blueprint]: ...
    @property
    def menu(self) -> Sequence[MenuItem]: ...
    def migrate(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> Sequence[str]: ...
    def unload(self) -> None: ...
    def health(self) -> Sequence[HealthItem]: ...
    def record(
        self,
        action: str,
        actor: str,
        address: str,
        object_kind: str,
        object_id: str,
        result: str,
        **detail: str | int | float | bool | None,
    ) -> None: ...
