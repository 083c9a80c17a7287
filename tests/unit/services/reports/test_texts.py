"""The catalogue of the faces: complete in four languages, and nothing that is filled in is read as a text."""

from pathlib import Path
from string import Formatter
from typing import Final

import pytest
from tests.unit.services.reports.samples import CATALOGUE

from medkg.domain.model import Place, Severity
from medkg.services.reports import texts

PACKAGE: Final = Path(texts.__file__).parent
FORMS: Final = {"en": {"one", "other"}, "fr": {"one", "other"}, "it": {"one", "other"}}
KEYS: Final = sorted(CATALOGUE.entries)
WHITE: Final = ("\u00a0", "\u202f")


def forms(text: texts.Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", KEYS)
def test_every_language_has_the_text_with_the_same_placeholders(key: str) -> None:
    """A text stands in all languages and speaks of the same values in each form."""
    entry = CATALOGUE.entries[key]

    assert tuple(entry) == texts.LANGUAGES
    found = {frozenset(placeholders(form)) for text in entry.values() for form in forms(text)}
    assert len(found) == 1


@pytest.mark.parametrize("key", KEYS)
def test_a_text_that_counts_has_the_forms_of_each_language(key: str) -> None:
    """Plural forms are complete, and only texts that speak of the count have them."""
    entry = CATALOGUE.entries[key]
    plural = [language for language, text in entry.items() if not isinstance(text, str)]

    assert plural in ([], list(texts.LANGUAGES))
    for language in plural:
        text = entry[language]
        assert not isinstance(text, str)
        assert set(text) == FORMS.get(language, {"one", "few", "other"})
        assert all("count" in placeholders(form) for form in text.values())


@pytest.mark.parametrize("key", KEYS)
def test_every_text_is_used(key: str) -> None:
    """No text is left over: its key, or the beginning of it, stands in a module or a template."""
    stem, _, _ = key.rpartition("-")
    sources = [*PACKAGE.glob("*.py"), *PACKAGE.glob("templates/*.html")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)

    assert any(
        form in text for form in (f'"{key}"', f"'{key}'", f'"{stem}-{{', f"'{stem}-{{", f'"{stem}-" ~')
    )


@pytest.mark.parametrize("key", KEYS)
def test_french_puts_a_space_that_does_not_break_before_high_signs(key: str) -> None:
    """Colon, semicolon and question mark never begin a line in French."""
    for form in forms(CATALOGUE.entries[key]["fr"]):
        for index, letter in enumerate(form):
            if letter in ":;?!":
                assert form[index - 1] in WHITE


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 0, "0 violations"),
        ("en", 1, "1 violation"),
        ("en", 21, "21 violations"),
        ("fr", 0, "0 violation"),
        ("fr", 1, "1 violation"),
        ("fr", 2, "2 violations"),
        ("it", 1, "1 violazione"),
        ("it", 0, "0 violazioni"),
        ("pl", 0, "0 naruszeń"),
        ("pl", 1, "1 naruszenie"),
        ("pl", 4, "4 naruszenia"),
        ("pl", 5, "5 naruszeń"),
        ("pl", 12, "12 naruszeń"),
        ("pl", 22, "22 naruszenia"),
        ("pl", 112, "112 naruszeń"),
        ("pl", 101, "101 naruszeń"),
    ],
)
def test_numbers_have_the_form_of_the_language(language: str, count: int, text: str) -> None:
    """The plural form follows the rules of each language (Unicode CLDR)."""
    assert CATALOGUE.words(language)("count-violation", count=count) == text


def test_counts_are_told_from_the_gravest_and_without_zeros() -> None:
    """A list of counts leaves out what there is none of, and is empty without findings."""
    words = CATALOGUE.words("en")

    assert (
        words.counts({Severity.INFO: 1, Severity.WARNING: 0, Severity.VIOLATION: 2}) == "2 violations, 1 note"
    )
    assert words.counts({}) == ""


def test_an_unknown_language_is_answered_in_english() -> None:
    """A language that the catalogue does not have gives English texts, and says so."""
    words = CATALOGUE.words("xx")

    assert (words.language, words("title")) == ("en", "Validation report")


def test_a_missing_value_is_a_mistake_of_ours() -> None:
    """A text whose placeholder gets no value, or that is not there, is never shown half."""
    words = CATALOGUE.words("en")

    with pytest.raises(KeyError):
        words("place-line")
    with pytest.raises(KeyError):
        words("no-such-text")


def test_what_is_filled_in_is_no_placeholder() -> None:
    """A value with braces stays as it is."""
    assert CATALOGUE.words("en")("place-sheet", sheet="{line}{0.__class__}") == "sheet {line}{0.__class__}"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("a.ttl", 3, 5), "line 3, column 5"),
        (Place("a.ttl", 3), "line 3"),
        (Place("a.ttl", column=3), "the document as a whole"),
        (Place("a.xlsx", sheet="Actions", cell="D5"), "sheet Actions, cell D5"),
        (Place("a.csv", 7, cell="D5"), "cell D5, line 7"),
        (Place("a.json", pointer="/a/0"), "/a/0"),
        (Place("a.ttl"), "the document as a whole"),
        (Place(), "the document as a whole"),
    ],
)
def test_a_place_is_told_in_words(place: Place, text: str) -> None:
    """All that is known of a place within its file is told; what is not known is left out."""
    assert CATALOGUE.words("en").place(place) == text
