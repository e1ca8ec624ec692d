"""Sentences of the plugin in the languages it has: gettext catalogues beside the code. The host says which one.

What the catalogue does not have is passed on to the host's own ``gettext``, where its templates have one, because the
host's layout is drawn within the plugin's pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from flask import current_app

from .const import DOMAIN

_LOCALES = Path(__file__).parent / "locale"


@cache
def translator(locale: str) -> NullTranslations:
    """Give the catalogue of a language such as ``de`` or ``de_AT``; sentences stay English where there is none."""
    language = locale.replace("-", "_")
    return translation(DOMAIN, _LOCALES, [language, language.partition("_")[0]], fallback=True)


def for_templates(locale: str) -> dict[str, Callable[..., str]]:
    """Give the functions that templates say their sentences with; values are filled in as ``%(name)s``."""
    catalogue = translator(locale)

    def gettext(sentence: str, **values: object) -> str:
        said = catalogue.gettext(sentence)
        if said == sentence:
            return _of_host("gettext", (sentence,), values, sentence)
        return said % values if values else said

    def ngettext(one: str, many: str, count: int, **values: object) -> str:
        plain = one if count == 1 else many
        said = catalogue.ngettext(one, many, count)
        filling = {"num": count, **values}
        return _of_host("ngettext", (one, many, count), filling, plain) if said == plain else said % filling

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def _of_host(name: str, arguments: tuple[object, ...], values: dict[str, object], plain: str) -> str:
    """Let the host say a sentence that is not ours."""
    function = current_app.jinja_env.globals.get(name)
    if callable(function):
        return str(function(*arguments, **values))
    return plain % values if values else plain
