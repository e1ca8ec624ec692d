"""Figures as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from zoneinfo import ZoneInfo

import pytest
from bodyworn.figures import Figures
from bodyworn.services.sentence import Sentence, named, plural, sentence
from bodyworn.text import translator

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def english():
    return Figures(NullTranslations(), ZoneInfo("Europe/Vienna"), NOW)


@pytest.fixture
def german():
    return Figures(translator("de_AT"), ZoneInfo("Europe/Vienna"), NOW)


def plain(text):
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (96_400_000, "96 MB"),
        (9_100_000_000, "9.1 GB"),
        (14_200_000_000, "14.2 GB"),
        (999_600_000, "1.0 GB"),
        (710_000_000_000, "710 GB"),
        (5e15, "5.0 PB"),
        (None, "unknown"),
    ],
)
def test_sizes(english, size_bytes, said):
    assert plain(english.size(size_bytes)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "time left unknown"),
        (3, "less than a minute left"),
        (44, "less than a minute left"),
        (60, "about 1 min left"),
        (124, "about 2 min left"),
        (570, "about 10 min left"),
        (1000, "about 15 min left"),
        (3500, "about 1 h left"),
        (4300, "about 1 h 10 min left"),
        (40_000, "about 11 h left"),
    ],
)
def test_time_left_is_rounded_as_a_person_would(english, seconds, said):
    assert plain(english.left(seconds)) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=9), "9 s"),
        (timedelta(minutes=12, seconds=40), "12 min 40 s"),
        (timedelta(minutes=48, seconds=2), "48 min 02 s"),
        (timedelta(hours=1, minutes=2, seconds=59), "1 h 02 min"),
        (None, "unknown"),
    ],
)
def test_lengths(english, length, said):
    assert plain(english.length(length)) == said


def test_times_are_in_the_systems_zone_and_name_another_year(english, german):
    assert english.when(NOW) == "22 Nov, 05:30"
    assert german.when(NOW) == "22. Nov., 05:30"
    assert english.when(NOW - timedelta(days=400)) == "18 Oct 2025, 06:30"
    assert english.recently(NOW) == "05:30"
    assert english.recently(NOW - timedelta(days=1)) == "21 Nov, 05:30"


def test_evidence_is_dated_to_the_second_in_utc(german):
    assert german.exactly(NOW) == "2026-11-22 04:30:00 UTC"


def test_numbers_have_the_languages_decimal_mark(german):
    assert plain(german.size(9_100_000_000)) == "9,1 GB"


def test_sentences_are_filled_and_counted(english, german):
    assert english.say(plural("{n} bay", "{n} bays", 1)) == "1 bay"
    assert german.say(plural("{n} bay", "{n} bays", 3)) == "3 Steckplätze"
    assert english.say(sentence("done about {time}", time=NOW)) == "done about 05:30"
    assert german.say(named("{x} %s")) == "{x} %s"


def test_a_value_that_was_not_stored_is_unknown(english):
    assert english.say(Sentence("The file {name} is not on the camera.")) == "The file unknown is not on the camera."
