"""The text of a cell: cleaned of what nobody sees, told of what only looks right."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.intake.tables.texts import clean


@pytest.mark.parametrize(
    ("sent", "text", "spaces"),
    [
        ("Veneto", "Veneto", False),
        (" Veneto\u00a0", "Veneto", True),
        ("two  words", "two words", True),
        ("one\r\ntwo", "one\ntwo", False),
        ("one\u2028two", "one\ntwo", False),
        ("Ve\u00adneto", "Veneto", True),
        ("\ufeffVeneto", "Veneto", True),
        ("S\u0301laskie", "Ślaskie", False),
    ],
)
def test_spaces_and_invisible_characters_go(sent: str, text: str, spaces: bool) -> None:
    """Spaces around a text and characters that nobody sees are left out, and that is known."""
    found = clean(sent)

    assert (found.text, found.spaces, found.controls) == (text, spaces, "")


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("\u0405laskie", "Slaskie"),
        ("V\u0435neto", "Veneto"),
        ("\u0391ttica", "Attica"),
        ("a lab in V\u0435neto", "a lab in Veneto"),
    ],
)
def test_letters_of_another_alphabet_are_told(sent: str, meant: str) -> None:
    """A word with letters that only look Latin stays as it is; what was meant is known beside."""
    found = clean(sent)

    assert (found.text, found.meant) == (sent, meant)
    assert [pair[1] for pair in found.lookalikes] == [word for word in meant.split() if word not in sent]


@pytest.mark.parametrize(
    "sent", ["Αττική", "София", "TNF-\u03b1", "NF-\u03baB", "Île-de-France", "Łódź", "été"]
)
def test_other_alphabets_are_no_mistake(sent: str) -> None:
    """A Greek or Bulgarian word, and a Greek symbol of medicine, are left alone."""
    found = clean(sent)

    assert (found.text, found.meant, found.lookalikes, found.garbled) == (sent, sent, (), "")


def garblings() -> Iterator[tuple[str, str]]:
    """Yield names, and what they become where their UTF-8 is taken for another encoding."""
    for name in ("Śląskie", "Łódzkie", "Île-de-France", "Małopolskie", "Vénétie", "Città"):
        for encoding in ("cp1252", "cp1250", "latin-1"):
            garbled = name.encode().decode(encoding, "ignore")
            # Not every byte means something in every encoding.
            if len(garbled) == len(name.encode()):
                yield name, garbled


@pytest.mark.parametrize(("name", "garbled"), list(garblings()))
def test_text_that_went_through_a_wrong_encoding_is_told(name: str, garbled: str) -> None:
    """UTF-8 that was taken for a Windows encoding is recognised, and what it was is known."""
    assert clean(garbled).garbled == name


def test_control_characters_are_named() -> None:
    """Control characters are left out, and named by their code points."""
    found = clean("a\x00b\x85c\x00")

    assert (found.text, found.controls) == ("abc", "U+0000, U+0085")


@given(text=st.text(alphabet=st.characters(), max_size=200))
def test_cleaning_any_text_leaves_a_text(text: str) -> None:
    """Whatever stands in a cell: no error, no control character left, and cleaning again changes nothing."""
    found = clean(text)

    assert found.text.encode("utf-8") is not None
    assert not any(char < " " and char not in "\t\n" for char in found.text)
    assert clean(found.text).text == found.text
