"""The text of a cell: what is cleaned away, and what is only told about it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from medkg.intake.roadmap.letters import clean as plain_letters
from medkg.intake.roadmap.letters import genuine_scripts
from medkg.intake.roadmap.trace import Traced

__all__ = ["Text", "clean"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_BREAK: Final = re.compile(r" ?\n ?")
# What the first byte of a letter in UTF-8 becomes in a Windows encoding, and then what a later byte becomes.
_GARBLED: Final = re.compile(
    r"[\u00c2-\u00c5\u00c8\u00cb\u00e2\u0102\u0139\u00ce\u00cf\u00d0\u00d1]"
    r"[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
    r"\u0104\u0105\u0106\u0107\u0118\u0119\u013d\u013e\u0141\u0142\u0143\u0144\u015a-\u015f\u0164\u0165"
    r"\u0179-\u017c\u02c7\u02d8\u02d9\u02db\u02dd]"
)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a cell without spaces around it and invisible characters.

    *spaces* says that something invisible was cleaned away, *controls* lists control characters that were.
    *lookalikes* are words with letters of another script and how they were meant, *garbled* is what the text
    was before it was read in a wrong encoding; neither is changed in *text*, both are in *meant*.
    """

    text: str
    meant: str
    spaces: bool = False
    controls: str = ""
    lookalikes: tuple[tuple[str, str], ...] = ()
    garbled: str = ""


def clean(sent: str) -> Text:
    """Return the text of a cell; line breaks in it stay, as single newlines."""
    if sent.isascii() and sent.isprintable() and "  " not in sent and sent == sent.strip():
        return Text(sent, sent)
    broken = sent.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    garbled = _ungarbled(broken)
    seen = _CONTROL.sub("", broken)
    controls = _named(_CONTROL.findall(garbled or broken))
    bare = _INVISIBLE.sub("", seen)
    text = _spaced(bare)
    spaces = bare != seen or _SPACES.sub(" ", bare).strip() != bare
    pairs = () if garbled or text.isascii() else tuple(dict.fromkeys(_lookalikes(text)))
    meant = _spaced(_CONTROL.sub("", garbled)) or text
    for word, proposal in pairs:
        meant = meant.replace(word, proposal)
    return Text(text, meant, spaces and not garbled, controls, pairs, garbled)


def _spaced(text: str) -> str:
    """Return the text with single spaces and none around it, its accents with their letters."""
    return unicodedata.normalize("NFC", _BREAK.sub("\n", _SPACES.sub(" ", text)).strip())


def _named(characters: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(f"U+{ord(char):04X}" for char in characters))


def _lookalikes(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words with letters that only look Latin, and the words in Latin letters."""
    _, marks = plain_letters(Traced.at(text, 0), genuine_scripts(text))
    for mark in marks:
        scripts = {unicodedata.name(char, "").partition(" ")[0] for char in mark.before}
        if mark.rule == "confusable-letter" and scripts & {"CYRILLIC", "GREEK"}:
            yield mark.before, mark.after


def _ungarbled(text: str) -> str:
    """Return what *text* was before UTF-8 was taken for a Windows encoding; "" when it was not."""
    if not _GARBLED.search(text):
        return ""
    for encoding in ("cp1252", "cp1250"):
        try:
            return _windows_bytes(text, encoding).decode("utf-8")
        except UnicodeError:
            continue
    return ""


def _windows_bytes(text: str, encoding: str) -> bytes:
    """Return the bytes that *text* was read from; those the encoding leaves open stand for themselves."""
    parts = (char.encode("latin-1") if "\x80" <= char <= "\x9f" else char.encode(encoding) for char in text)
    return b"".join(parts)
