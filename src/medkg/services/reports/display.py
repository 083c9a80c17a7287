"""Texts of strangers made fit for being shown: nothing in them is invisible, moves letters or runs on."""

import unicodedata
from typing import Final

__all__ = ["shortened", "visible"]

_PICTURES: Final = 0x2400
"""Unicode has a picture for each of the first 32 control characters, beginning here."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Persian, Indic scripts and emoji need them to be written at all."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
"""General categories without a shape of their own, or with power over the text around them."""


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return *text* with each control, format or unassigned character as a sign or as ``⟨U+202E⟩``.

    Such characters can hide a mistake, turn the order of letters on a page (Unicode Standard Annex #9), steer
    a terminal or make XML ill-formed.  *lines* keeps line ends and tabs, with line ends as ``\\n``.
    """
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text
    kept = _JOINERS | {"\n", "\t"} if lines else _JOINERS
    return "".join(letter if letter in kept else _shown(letter) for letter in text)


def shortened(text: str, limit: int) -> str:
    """Return the first *limit* UTF-16 code units of *text*, the last one an ellipsis when it is cut.

    Spreadsheets count in these units.  No character is cut in two.
    """
    text = text[: limit + 1]
    if 2 * len(text) <= limit or _units(text) <= limit:
        return text
    if limit < 1:
        return ""
    data = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return data.decode("utf-16-le", "ignore") + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shown(letter: str) -> str:
    number = ord(letter)
    if number < ord(" "):
        return chr(_PICTURES + number)
    if unicodedata.category(letter) in _HIDDEN:
        return f"⟨U+{number:04X}⟩"
    return letter
