"""Languages of the host's own pages: gettext catalogues, chosen by a cookie or by what the browser asks for.

The functions are globals of the templates. A plugin's pages have functions of the same names for its own sentences,
which fall back to these, so that the layout around them is translated as well.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from flask import Flask, g, has_request_context, request

from . import cookies

DOMAIN = "harbour"
LANGUAGES = {"en": "English", "de": "Deutsch"}
YEAR_SECONDS = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Give the templates their sentences."""
    app.jinja_env.globals.update(gettext=gettext, ngettext=ngettext, _=gettext)


def current() -> str:
    """Give the language of this request; found out once, because each sentence of a page asks."""
    if "host_language" not in g:
        g.host_language = _asked_for()
    return str(g.host_language)


def _asked_for() -> str:
    chosen = cookies.sent("language")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES), default="en") or "en"


def gettext(sentence: str, **values: object) -> str:
    """Say a sentence in the language of this request, with its values filled in."""
    said = _catalogue(_language()).gettext(sentence)
    return said % values if values else said


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """Say a sentence for a number; the number is a value named ``num``."""
    return _catalogue(_language()).ngettext(one, many, count) % {"num": count, **values}


def _language() -> str:
    return current() if has_request_context() else "en"


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation(DOMAIN, Path(__file__).parent / "locale", [language], fallback=True)
