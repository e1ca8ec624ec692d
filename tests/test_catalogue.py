"""Sentences and their translations: nothing is missing, nothing is left over, nothing loses its fields."""

from __future__ import annotations

import re
from gettext import GNUTranslations

import catalogue
import pytest

HINT = "run: python tests/catalogue.py, then translate what it lists"
FIELD = re.compile(r"{(\w+)}")


@pytest.fixture(scope="module", params=catalogue.LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def collected():
    return catalogue.collected()


def pairs(catalog):
    """Give each sentence with its translation, plural forms one by one."""
    for message in catalog:
        if not message.id:
            continue
        if isinstance(message.id, tuple | list):
            yield from zip(message.id, message.string, strict=True)
        else:
            yield message.id, message.string


def keys(catalog):
    return {(message.context, message.id) for message in catalog if message.id}


def test_many_sentences_are_collected_from_everywhere(collected):
    found = {message.id for message in collected}
    assert "What to do" in found  # a service's
    assert "Where every clip is" in found  # a template's
    assert "The content destination is full." in found  # an error's
    assert ("{n} bay", "{n} bays") in found


def test_the_catalogue_has_the_sentences_of_the_code_and_no_others(collected, language):
    found = keys(catalogue.translated(language))
    assert found - keys(collected) == set(), HINT
    assert keys(collected) - found == set(), HINT


def test_every_sentence_is_translated(language):
    assert catalogue.untranslated(catalogue.translated(language)) == [], HINT


def test_translations_keep_their_fields(language):
    for said, translation in pairs(catalogue.translated(language)):
        assert set(FIELD.findall(said)) == set(FIELD.findall(translation)), said


def test_the_compiled_catalogue_is_the_one_that_people_edit(language):
    with catalogue.po_file(language).with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in catalogue.translated(language):
        if isinstance(message.id, str) and message.id and not message.context:
            assert compiled.gettext(message.id) == message.string, HINT
