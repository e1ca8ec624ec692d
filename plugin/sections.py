"""Form sections: fields of other packages in our forms (entry points ``bodyworn.sections``), kept by their packages.

A section is drawn, checked and saved with the form around it. Ours is saved first, in its own transaction; a section
that fails then loses what was entered in it, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, Final

from flask import render_template
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import Form

from .models import Database
from .services import events, hooks
from .services.hooks import Faults, Hook
from .slots import sound

GROUP: Final = "bodyworn.sections"
#: Every form that takes sections, and what the id that they are given names.
FORMS: Final[Mapping[str, str]] = MappingProxyType({"camera": "the camera", "dock": "the dock"})

#: Under this name a form says which sections were drawn in it.
_MARK = "section"
_SLOW_SECONDS = 2.0


@dataclass(frozen=True)
class Section:
    """Fields that a package adds to a form."""

    title: str
    form: type[Form]
    #: Gives what the fields show, by their names, for the id of the object.
    load: Callable[[str], Mapping[str, object]]
    #: Keeps what was entered, durably: called with the object's id, the fields by their names, and the host's id of
    #: whoever entered it.
    save: Callable[[str, Mapping[str, Any], str], object]


class Sections:
    """What is installed for forms."""

    def __init__(self, found: Sequence[Hook] = ()) -> None:
        self._hooks = found

    @classmethod
    def load(cls, faults: Faults, found: Iterable[EntryPoint] | None = None) -> Sections:
        """Load it; ``found`` takes the place of the installation's entry points."""
        return cls(hooks.load(GROUP, _check, faults, found))

    def of(self, form: str, object_id: str, entered: MultiDict[str, str] | None = None) -> FormSections:
        """Give the sections of a form, filled with what is kept, or with what was ``entered`` in those drawn."""
        drawn = None if entered is None else set(entered.getlist(_MARK))
        ours = [hook for hook in self._hooks if hook.name == form and (drawn is None or hook.package in drawn)]
        return FormSections(form, object_id, [_Filled(hook, object_id, entered) for hook in ours])


class FormSections:
    """The sections of one form in one request; a template draws them by naming them."""

    def __init__(self, form: str, object_id: str, filled: Sequence[_Filled]) -> None:
        self._form, self._object_id, self._filled = form, object_id, filled

    def __html__(self) -> str:
        """Draw them."""
        return Markup("").join(one.drawn() for one in self._filled)

    @property
    def wrong(self) -> bool:
        """Tell whether something was found that has to be corrected."""
        return any(one.wrong for one in self._filled)

    def validate(self) -> bool:
        """Tell whether nothing has to be corrected; a section that cannot tell does not keep the form from saving."""
        checked = [one.validate() for one in self._filled]
        return all(checked)

    def save(self, database: Database, actor: str) -> bool:
        """Have the packages keep what was changed, and write down that they did; tell whether all of them could."""
        changed = [one for one in self._filled if one.changed]
        kept = [one for one in changed if one.save(self._object_id, actor)]
        if kept:
            with database.write() as session:
                for one in kept:
                    action, package = f"{self._form}.section-saved", one.hook.package
                    events.record(session, action, self._form, self._object_id, actor=actor, package=package)
        return kept == changed and not any(one.broken for one in self._filled)


class _Filled:
    """One section with its fields filled."""

    def __init__(self, hook: Hook, object_id: str, entered: MultiDict[str, str] | None) -> None:
        self.hook, self._section, self._form = hook, hook.value, Form()
        self.broken = True
        if hook.rests:
            return
        with hook.guarded(_SLOW_SECONDS):
            kept = dict(self._section.load(object_id))
            self._form = self._section.form(entered, prefix=hook.package, data=kept)
            self.broken = False

    @property
    def changed(self) -> bool:
        return not self.broken and any(field.data != field.object_data for field in self._form)

    @property
    def wrong(self) -> bool:
        return not self.broken and bool(self._form.errors)

    def drawn(self) -> Markup:
        """Draw its fields; one that is not drawn is not saved either."""
        drawn = Markup("")
        if not self.broken:
            with self.hook.guarded(_SLOW_SECONDS):
                drawn = sound(
                    render_template(
                        "bodyworn/_section.html",
                        section_form=self._form,
                        section_title=self._section.title,
                        section_mark=self.hook.package,
                    )
                )
        return drawn

    def validate(self) -> bool:
        valid = None
        if not self.broken:
            with self.hook.guarded(_SLOW_SECONDS):
                valid = bool(self._form.validate())
        self.broken = valid is None
        return valid is not False

    def save(self, object_id: str, actor: str) -> bool:
        saved = False
        with self.hook.guarded(_SLOW_SECONDS):
            self._section.save(object_id, dict(self._form.data), actor)
            saved = True
        return saved


def _check(point: EntryPoint, value: object) -> None:
    if point.name not in FORMS:
        raise ValueError(f"there is no form {point.name} that takes sections")
    if not isinstance(value, Section):
        raise TypeError("it is no Section")
