"""Collect every sentence of the plugin, and keep the catalogues of its languages: ``python tests/catalogue.py``.

Sentences stand in templates, in calls of a few functions, and in the tree of errors. Babel reads and writes the files;
at run time nothing but the standard library's gettext is needed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).resolve().parent.parent / "plugin"
LOCALES = PLUGIN / "locale"
LANGUAGES = ("de",)
_KEYWORDS = {**DEFAULT_KEYWORDS, "sentence": None, "plural": (1, 2), "marked": None, "say": None}
_METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]


def collected() -> Catalog:
    """Collect what can be said on pages, in English."""
    catalogue = Catalog(project="bodyworn", charset="utf-8")
    found = extract_from_dir(
        PLUGIN, _METHODS, {"**.html": {"silent": "false"}, "templates/**.html": {"silent": "false"}}, _KEYWORDS
    )
    for file, _line, message, _comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
        catalogue.add(message, locations=[(file, 0)], context=context)
    for said in _errors():
        catalogue.add(said, locations=[("errors", 0)])
    return catalogue


def po_file(language: str) -> Path:
    """Name the file that translators edit."""
    return LOCALES / language / "LC_MESSAGES" / "bodyworn.po"


def translated(language: str) -> Catalog:
    """Read what is translated."""
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> list[str]:
    """Bring a catalogue in line with the sentences, compile it, and list what is not translated."""
    catalogue = translated(language) if po_file(language).exists() else Catalog(locale=language)
    catalogue.update(collected(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    write(catalogue, language)
    return untranslated(catalogue)


def write(catalogue: Catalog, language: str) -> None:
    """Write a catalogue for people and for gettext; the same sentences always make the same bytes."""
    catalogue.project, catalogue.version, catalogue.fuzzy = "bodyworn", "1", False
    catalogue.header_comment = "# Sentences of the body worn plugin; bring up to date with: python tests/catalogue.py"
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = ""
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=True, no_location=True)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def untranslated(catalogue: Catalog) -> list[str]:
    """List the sentences that a language lacks."""
    return [str(message.id) for message in catalogue if message.id and not all(_forms(message.string))]


def _forms(string: object) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, list | tuple) else (str(string or ""),)


def _errors() -> list[str]:
    from bodyworn.errors import every_error

    ours = [error for error in every_error() if error.__module__.startswith("bodyworn.errors.")]
    said = {error.sentence for error in ours} | {error.mend for error in ours if error.mend}
    return sorted(said)


if __name__ == "__main__":
    import conftest  # noqa: F401 - it mounts the plugin's folder

    for code in LANGUAGES:
        print("\n".join(update(code)) or f"{code}: everything is translated")
