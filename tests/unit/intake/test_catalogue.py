"""intake/catalogue: every code that is told has its texts, and every text has its code."""

import re
import string
from pathlib import Path

import pytest

from medkg.domain.model import Severity
from medkg.intake import catalogue as package
from medkg.intake.catalogue import LANGUAGES, Entry, catalogue

INTAKE = Path(package.__file__).parents[1]
CODE = re.compile(r'"([A-Z]-\d{2,3})"')


def _used() -> set[str]:
    return {code for path in INTAKE.rglob("*.py") for code in CODE.findall(path.read_text(encoding="utf-8"))}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_codes_in_the_code_and_in_the_catalogue_are_the_same() -> None:
    """No code is told without texts, and no text is there for a code that is never told."""
    assert _used() == set(catalogue())


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.code)
def test_an_entry_has_every_language_with_the_same_placeholders(entry: Entry) -> None:
    """Title, message and remedy exist in each language, and take the same values in each."""
    for texts in (entry.titles, entry.messages, entry.remedies):
        assert tuple(texts) == LANGUAGES
        assert all(text.strip() == text and text for text in texts.values())
        assert len({frozenset(_placeholders(text)) for text in texts.values()}) == 1


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.code)
def test_a_title_is_short_and_a_sentence_ends(entry: Entry) -> None:
    """A title has no values and no full stop; messages are sentences."""
    assert all(len(text) <= 50 and not _placeholders(text) for text in entry.titles.values())
    assert all(text[-1] not in ".:" for text in entry.titles.values())
    assert all(text.rstrip('»”"')[-1] in ".?" for text in entry.messages.values())


def test_values_are_filled_in_once() -> None:
    """What a document brings along is not looked at for placeholders, and an unknown language is English."""
    entry = Entry(
        "X-01", Severity.INFO, {"en": "T"}, {"en": "{a} and {b}", "pl": "{a} i {b}"}, {"en": "Do {a}."}
    )
    assert entry.message("pl-PL", {"a": "{b}", "b": "x"}) == "{b} i x"
    assert entry.message("de", {"a": "1", "b": "{0.__class__}"}) == "1 and {0.__class__}"
    assert (entry.title("pl"), entry.remedy("it", {})) == ("T", "Do ….")
