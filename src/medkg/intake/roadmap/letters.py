"""Letters that are not what they look like, invisible characters, and white space."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from medkg.intake.roadmap.trace import Edit, Mark, Traced, apply

__all__ = ["SOFT_HYPHEN", "clean", "fold", "genuine_scripts"]

SOFT_HYPHEN: Final = "\u00ad"

# The plain Latin letter for each Cyrillic or Greek one of the same shape, case kept.  Unicode's own list of
# confusables folds to a skeleton instead (capital iota becomes a small l), which is no spelling repair.
_CYRILLIC: Final = dict(
    zip(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408\u04c0\u050c\u051a\u051c",
        "ABEKMHOPCTYXSIJIGQW",
        strict=True,
    )
) | dict(
    zip(
        "\u0430\u0435\u043a\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0457\u0458\u04bb\u04cf\u0501\u051b\u051d\u0475",
        "aekopcyxsi\u00efjhldqwv",
        strict=True,
    )
)
_GREEK: Final = dict(
    zip(
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03f2\u03f3",
        "ABEZHIKMNOPTYXocj",
        strict=True,
    )
)
# Small Greek letters are symbols in medicine (TNF-alpha, NF-kappa-B): misread only inside a word.
_SYMBOLS: Final = dict(zip("\u03b1\u03b3\u03b9\u03ba\u03bd\u03c1\u03c5", "ayikvpu", strict=True))
_LOOKALIKES: Final = _CYRILLIC | _GREEK

_WORD: Final = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+")
_FOREIGN: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_SOFT: Final = re.compile(rf"(?<![^\W\d_]){SOFT_HYPHEN}|{SOFT_HYPHEN}(?=\S)")
_SPACE: Final = re.compile(r"\s+")
_STROKES: Final = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ı": "i", "œ": "oe", "æ": "ae"})  # noqa: RUF001


def fold(text: str) -> str:
    """Return *text* for comparing: small letters without accents, single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    marked = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(char for char in marked if not unicodedata.combining(char))
    return " ".join(bare.translate(_STROKES).split())


def genuine_scripts(text: str) -> frozenset[str]:
    """Return "cyrillic" and "greek" where *text* has whole words that can only be of that script."""
    if text.isascii():
        return frozenset()
    return frozenset(
        _script(word[0])
        for word in (match.group() for match in _WORD.finditer(text))
        if len(word) > 1 and all(map(_FOREIGN.match, word)) and not all(map(_LOOKALIKES.get, word))
    )


def clean(cell: Traced, genuine: frozenset[str]) -> tuple[Traced, list[Mark]]:
    """Return the cell in plain letters with single spaces, and the repairs; *genuine* scripts stay."""
    marks: list[Mark] = []
    if not cell.text.isascii():
        for changes in (_invisible, _soft_hyphens, lambda text: _letters(text, genuine)):
            cell, made = apply(cell, changes(cell))
            marks += made
    return _spaces(cell), marks


def _spaces(cell: Traced) -> Traced:
    """Collapse white space: extraction lays it out at will, so this is no repair."""
    cell = cell.strip()
    odd = (match for match in _SPACE.finditer(cell.text) if match.group() != " ")
    return cell.edited([Edit(match.start(), match.end(), " ") for match in odd])


def _invisible(cell: Traced) -> Iterator[tuple[Edit, Mark]]:
    for match in _INVISIBLE.finditer(cell.text):
        yield Edit(*match.span()), cell.mark("markup-stripped", match.span(), "", 1.0)


def _soft_hyphens(cell: Traced) -> Iterator[tuple[Edit, Mark]]:
    """Drop the soft hyphens inside a line; one at the end of a line marks a break and is needed later."""
    for match in _SOFT.finditer(cell.text):
        yield Edit(*match.span()), cell.mark("hyphen-break", match.span(), "", 1.0)


def _letters(cell: Traced, genuine: frozenset[str]) -> Iterator[tuple[Edit, Mark]]:
    for match in _WORD.finditer(cell.text):
        word = match.group()
        if word.isascii():
            continue
        plain, confidence = _plain(word, genuine)
        if plain != word:
            mark = cell.mark("confusable-letter", match.span(), plain, confidence)
            yield Edit(*match.span(), plain), mark


def _plain(word: str, genuine: frozenset[str]) -> tuple[str, float]:
    """Return the word as it was meant, and how sure that is."""
    composed = "".join(map(_compatible, unicodedata.normalize("NFC", word)))
    foreign = _FOREIGN.findall(composed)
    if not foreign:
        return composed, 1.0
    mixed = len(foreign) < len(composed)
    if not mixed and not genuine.isdisjoint(map(_script, foreign)):
        return composed, 1.0
    swapped = "".join(_LOOKALIKES.get(char, char) for char in composed)
    swapped = "".join(_inside(swapped, index) for index in range(len(swapped)))
    if mixed:
        # Only a symbol may stay beside Latin letters; a letter of no Latin shape makes the word foreign.
        return (composed if _truly_foreign(swapped) else swapped), 0.98
    return (composed if _FOREIGN.search(swapped) else swapped), 0.9


def _truly_foreign(word: str) -> bool:
    """Tell whether a Cyrillic letter, which is never a symbol, is left over."""
    return any(_script(char) == "cyrillic" for char in _FOREIGN.findall(word))


def _inside(word: str, index: int) -> str:
    """Return the letter at *index*: a small Greek look-alike between small Latin letters as Latin."""
    char = word[index]
    if char not in _SYMBOLS:
        return char
    around = word[max(index - 1, 0) : index] + word[index + 1 : index + 2]
    misread = 0 < index < len(word) - 1 and around.islower() and not _FOREIGN.search(around)
    return _SYMBOLS[char] if misread else char


def _compatible(char: str) -> str:
    """Return the plain letters behind a ligature, a full-width or a styled letter; superscripts stay."""
    if not unicodedata.decomposition(char).startswith(("<compat>", "<wide>", "<font>")):
        return char
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isascii() and plain.isalpha() else char


def _script(char: str) -> str:
    return "greek" if char <= "\u03ff" else "cyrillic"
