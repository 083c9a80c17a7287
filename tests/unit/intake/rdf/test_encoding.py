"""intake/rdf/encoding.py: only UTF-8 is read; whatever else arrives is named, with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.domain.submission import Flaw, Submission
from medkg.intake.rdf import Limits, read_rdf
from medkg.intake.rdf.encoding import encoding_name
from medkg.intake.rdf.lines import ByteLines, Lines

HEAD = "@prefix ex: <https://example.org/> .\n"


def _read(data: bytes) -> Submission:
    return read_rdf(data, "text/turtle", limits=Limits())


def _flaw(data: bytes) -> Flaw:
    [flaw] = _read(data).flaws
    return flaw


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["ex:a ex:p ex:b .", HEAD + "ex:a ex:p 'Śląskie' .\n"])
def test_wide_encodings_are_named(codec: str, text: str) -> None:
    """UTF-16 and UTF-32 are recognised with a mark and without."""
    assert encoding_name(text.encode(codec)) == codec[:6].upper()


@given(
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])).filter(lambda text: "\0" not in text)
)
def test_no_utf_8_is_taken_for_another_encoding(text: str) -> None:
    """A text in UTF-8 is never named otherwise."""
    assert encoding_name(text.encode()) == ""


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        ("Śląskie: zdrowie i przemysł", "cp1250", "Windows-1250"),
        ("Śląskie: zdrowie i przemysł", "iso8859-2", "ISO-8859-2"),
        ("Région Île-de-France, santé à l'échelle", "cp1252", "Windows-1252"),
        ("l\u2019università e la sanità", "cp1252", "Windows-1252"),
        ("Südtirol", "latin-1", "Windows-1252"),
    ],
)
def test_the_likely_encoding_is_told(text: str, codec: str, name: str) -> None:
    """The flaw names the encoding that the letters come from, and the place of the first of them."""
    flaw = _flaw(f"{HEAD}ex:a ex:p '{text}' .\n".encode(codec))
    first = next(at for at, char in enumerate(text) if ord(char) > 127)
    assert (flaw.code, flaw.values["encoding"]) == ("F-05", name)
    assert (flaw.place.line, flaw.place.column) == (2, 12 + first)


def test_the_column_of_a_bad_byte_counts_characters() -> None:
    """Good characters before the bad byte count one each, however many bytes they have."""
    flaw = _flaw((HEAD + "ex:a ex:p 'ż😀").encode() + b"\xff' .")
    assert (flaw.code, flaw.place.line, flaw.place.column, flaw.values["byte"]) == ("F-05", 2, 14, "0xFF")


def test_a_byte_order_mark_moves_nothing() -> None:
    """The mark is told and skipped; the places are those of the text behind it."""
    found = _read(b"\xef\xbb\xbf" + HEAD.encode() + b"ex:a ex:p ex:b .")
    assert [flaw.code for flaw in found.flaws] == ["F-03"]
    assert (found.statements[0].place.line, found.statements[0].place.column) == (2, 11)


@pytest.mark.parametrize("word", ["Śląskie", "santé", "università", "żółć", "l\u2019été", "10 €", "Größe"])
@pytest.mark.parametrize("codec", ["cp1252", "cp1250"])
def test_garbled_letters_are_proposed_anew(word: str, codec: str) -> None:
    """A word that was UTF-8 and read as something else is told with what it was."""
    garbled = word.encode().decode(codec)
    found = _read(f"{HEAD}ex:a ex:p '{garbled}' .".encode())
    assert found.statements
    assert [(flaw.code, flaw.values["proposal"]) for flaw in found.flaws] == [
        ("F-07", word.rsplit(maxsplit=1)[-1])
    ]


@pytest.mark.parametrize(
    "text", ["Śląskie", "żółć ŁÓDŹ", "élève", "Ação", "„PRZYSZŁOŚĆ”", "Ελλάδα", "Ålesund", "Â", "È"]
)
def test_good_letters_are_left_alone(text: str) -> None:
    """Words that are spelt well raise no warning."""
    assert _read(f"{HEAD}ex:a ex:p '{text}' .".encode()).flaws == ()


@given(st.text("aż😀\n\r é", max_size=3000), st.data())
def test_offsets_of_bytes_and_characters_give_the_same_place(text: str, data: st.DataObject) -> None:
    """A place found by its byte is that found by its character."""
    at = data.draw(st.integers(0, len(text)))
    assert ByteLines(text, text.encode()).place(len(text[:at].encode())) == Lines(text).place(at)
