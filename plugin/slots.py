"""Slots: places in pages where templates of other packages are drawn (entry points ``bodyworn.slots``).

Each page has one at its end, named like the page, and some have others within. What a package draws there is looked at
before it is shown: a template that fails, or would break the page around it, is left out, and its package is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Final

from flask import render_template
from jinja2 import BaseLoader, ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from .services import hooks
from .services.hooks import Faults, Hook

GROUP: Final = "bodyworn.slots"
#: Every slot, and the names of what a panel in it is given.
SLOTS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "status": (),
        "status.cards": (),
        "devices": (),
        "camera": ("camera_id",),
        "camera.facts": ("camera_id",),
        "docks": (),
        "dock": ("dock_id",),
        "recordings": (),
        "recording": ("recording_id",),
        "recording.facts": ("recording_id",),
        "destination": (),
        "verification": (),
        "settings": (),
        "settings.cards": (),
        "support": (),
        "support.cards": (),
    }
)

#: A panel that needs longer keeps people waiting, and is left out for a minute.
_SLOW_SECONDS = 1.0
_WITHOUT_END = frozenset({"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"})
_NOT_ALLOWED = frozenset({"base", "embed", "iframe", "link", "meta", "object", "script", "style"})


def _nothing(**given: str) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True)
class Panel:
    """What a package puts into a slot."""

    #: A template of the package, in its folder ``templates``, within one that is called like the package.
    template: str
    #: Fetches what the template shows; called with what the slot is given, by name, within the request.
    values: Callable[..., Mapping[str, object]] = _nothing
    #: Who does not hold it does not see the panel.
    permission: str = "bodyworn.view"


class Slots:
    """What is installed for slots."""

    def __init__(self, found: Sequence[Hook] = ()) -> None:
        self._hooks = found

    @classmethod
    def load(cls, faults: Faults, found: Iterable[EntryPoint] | None = None) -> Slots:
        """Load it; ``found`` takes the place of the installation's entry points."""
        return cls(hooks.load(GROUP, _check, faults, found))

    def loader(self, ours: BaseLoader | None) -> BaseLoader:
        """Add the templates of the packages to ours; each has those below its own name."""
        names = {hook.value.template.partition("/")[0] for hook in self._hooks}
        theirs = PrefixLoader({name: PackageLoader(name, f"templates/{name}") for name in sorted(names)})
        return ChoiceLoader([*([ours] if ours else []), theirs])

    def draw(self, slot: str, given: Mapping[str, str], can: Callable[[str], bool]) -> Markup:
        """Draw what packages put into a slot, for somebody with these permissions; ``given`` may hold more."""
        promised = {name: str(given[name]) for name in SLOTS.get(slot, ()) if name in given}
        shown = [hook for hook in self._hooks if hook.name == slot and not hook.rests and can(hook.value.permission)]
        return Markup("").join(_drawn(hook, promised) for hook in shown)


def sound(html: str) -> Markup:
    """Let markup of a package through that leaves the page around it as it is.

    :raises ValueError: when it leaves an element open, closes one that is not its own, or holds what the page's content
        security policy does not let work.
    """
    reader = _Reader()
    reader.feed(html)
    reader.end()
    return Markup(html)  # noqa: S704 - drawn by Jinja from a template that escapes, or by a widget of WTForms


def _drawn(hook: Hook, given: Mapping[str, str]) -> Markup:
    drawn, panel = Markup(""), hook.value
    with hook.guarded(_SLOW_SECONDS):
        drawn = sound(render_template(panel.template, **given, **panel.values(**given)))
    return drawn


def _check(point: EntryPoint, value: object) -> None:
    if point.name not in SLOTS:
        raise ValueError(f"there is no slot {point.name}")
    if not isinstance(value, Panel):
        raise TypeError("it is no Panel")
    folder = hooks.module_of(point)
    if not value.template.startswith(f"{folder}/") or not value.template.endswith(".html"):
        raise ValueError(f"its template {value.template} is not called {folder}/….html")
    PackageLoader(folder, f"templates/{folder}")


class _Reader(HTMLParser):
    """Reads markup and objects."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._allow(tag, attrs)
        if tag not in _WITHOUT_END:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._allow(tag, attrs)
        if tag not in _WITHOUT_END and "svg" not in self._open:
            raise ValueError(f"<{tag}/> does not close anything in HTML")

    def _allow(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inline = [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag in _NOT_ALLOWED or inline:
            raise ValueError(f"<{' '.join((tag, *inline))}> does not work under the page's content security policy")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise ValueError(f"</{tag}> closes what is not open")

    def end(self) -> None:
        """Object to what the end finds open."""
        unread = self.rawdata
        self.close()
        if self._open or "<" in unread:
            raise ValueError(f"it ends within <{self._open[-1] if self._open else '…'}>")
