"""Texts of strangers on a screen: nothing hides, nothing turns what is around it, nothing runs on."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.services.reports.display import shortened, visible

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Śląskie “a” & <b> 数据 😀\u00a0x", "Śląskie “a” & <b> 数据 😀\u00a0x"),
        ("a\x00b\x1b[31m", "a␀b␛[31m"),
        ("a\tb\nc\r\n", "a␉b␊c␍␊"),
        ("\x7f\x9b", "⟨U+007F⟩⟨U+009B⟩"),
        ("a\u202eb\u2066c\u200b\ufeff", "a⟨U+202E⟩b⟨U+2066⟩c⟨U+200B⟩⟨U+FEFF⟩"),
        ("\u2028\u2029\u0085", "⟨U+2028⟩⟨U+2029⟩⟨U+0085⟩"),
        ("\ufffe\U000e0041", "⟨U+FFFE⟩⟨U+E0041⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("👩\u200d🔬 \u0645\u06cc\u200c\u062e", "👩\u200d🔬 \u0645\u06cc\u200c\u062e"),
    ],
)
def test_what_can_not_be_seen_is_named(text: str, shown: str) -> None:
    """Control, format and unassigned characters get a sign; letters, and the joiners they need, stay."""
    assert visible(text) == shown


def test_line_ends_and_tabs_can_be_kept() -> None:
    """Where a text may have lines, all kinds of line ends become one."""
    assert visible("a\r\nb\rc\n\td\x0b", lines=True) == "a\nb\nc\n\td␋"


@given(ANY, st.booleans())
def test_nothing_hidden_is_left(text: str, lines: bool) -> None:
    """Whatever the text, only visible characters, spaces, private letters and joiners come out."""
    kept = {"\u200c", "\u200d"} | ({"\n", "\t"} if lines else set())

    for letter in set(visible(text, lines=lines)) - kept:
        assert unicodedata.category(letter) not in {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}


@given(ANY)
def test_showing_twice_is_showing_once(text: str) -> None:
    """A text that has been made visible is not changed again."""
    assert visible(visible(text)) == visible(text)


@given(ANY, st.integers(min_value=0, max_value=70))
def test_a_shortened_text_has_its_length(text: str, limit: int) -> None:
    """No more UTF-16 code units than allowed come out; what fits stays as it is."""
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    found = shortened(text, limit)

    assert len(found.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    if units <= limit:
        assert found == text
    elif limit:
        assert found.endswith("…")


def test_no_character_is_cut_in_two() -> None:
    """A character outside the basic plane is kept whole or left out."""
    assert shortened("😀😀😀", 4) == "😀…"
    assert shortened("😀😀", 4) == "😀😀"
    assert shortened("abc", 2) == "a…"
