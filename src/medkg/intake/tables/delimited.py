"""CSV files: the encoding, the separator, and the cells with the lines they begin in (RFC 4180)."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from charset_normalizer import from_bytes

from medkg.domain.model import Place
from medkg.intake.tables.codes import Code
from medkg.intake.tables.grid import Cell, Row, Sheet
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes, Refused

__all__ = ["open_csv"]

Score = Callable[[Sequence[Row]], float]

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (BOM)"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WINDOWS: Final = {"cp1252": "Windows-1252", "cp1250": "Windows-1250"}
# The letters of the four languages and of their neighbours, which tell one 8-bit encoding from another.
_LETTERS: Final = frozenset(
    "ąćęłńóśźżĄĆĘŁŃÓŚŹŻàâçéèêëîïôùûüÿœæÀÂÇÉÈÊËÎÏÔÙÛÜŒÆìíòúÌÍÒÚäöüßÄÖÜáñ\u2019\u2018\u201c\u201d\u201e\u2013\u2014«»€…°\u00a0"
)
_POLISH: Final = frozenset("ąćęłńśźżĄĆĘŁŃŚŹŻ")
# As in coeur, oeil, oedème, oesophage; what stands elsewhere is a Polish letter, read wrongly.
_NOT_FRENCH: Final = re.compile("[œŒ](?![uidsUIDS])")
_SEPARATORS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 64 * 1024
_SAMPLE_ROWS: Final = 30
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MOST_CONTROLS: Final = 0.02
_ERRORS: Final = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)


def open_csv(data: bytes, file: str, limits: TableLimits, notes: Notes, score: Score) -> Sheet:
    """Return the one sheet of a CSV file; *score* says how many headings the first rows have.

    What was assumed of encoding and separator goes to *notes*; rows tell of open quotes while they are read.

    :raises Refused: the bytes are no text; and, while rows are read, there are too many of them.
    """
    text, encoding = _decoded(data, file)
    if encoding != "UTF-8":
        notes.add(Code.ENCODING, Place(file=file, line=1), encoding=encoding)
    separator, start, line = _declared(text)
    if not separator:
        separator = _separator(text, _Scanner(file, limits, Notes(0)), score)
    if separator != ",":
        shown = {"\t": "tab"}.get(separator, separator)
        notes.add(Code.SEPARATOR, Place(file=file, line=1), separator=shown)
    scanner = _Scanner(file, limits, notes)

    def rows() -> Iterator[Row]:
        return scanner.rows(text[start:], line, separator)

    return Sheet("", file, rows, ragged=True)


def _decoded(data: bytes, file: str) -> tuple[str, str]:
    """Return the text and what people call its encoding."""
    for bom, encoding, name in _BOMS:
        if data.startswith(bom):
            return _text(data, encoding, file), name
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return _text(data, "utf-16-be" if data[:1] == b"\0" else "utf-16-le", file), "UTF-16"
    try:
        return _checked(data.decode("utf-8"), file), "UTF-8"
    except UnicodeDecodeError as error:
        wrong = data.count(b"\n", 0, error.start) + 1
    encoding = _windows(data)
    if not encoding:
        raise Refused(Code.NOT_TEXT, Place(file=file, line=wrong))
    return _text(data, encoding, file), _WINDOWS[encoding]


def _windows(data: bytes) -> str:
    """Return the 8-bit encoding whose reading has the fewest strange letters; "" when none reads it."""
    sample = data[:_SAMPLE]
    likely = [match.encoding for match in from_bytes(sample, cp_isolation=list(_WINDOWS))]
    scores: dict[str, int] = {}
    for encoding in _WINDOWS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = Counter(char for char in text if char > "\x7f")
        strange = sum(count for char, count in letters.items() if char not in _LETTERS)
        strange += len(_NOT_FRENCH.findall(text))
        # A circumflex in French reads as a Polish letter: one such letter is Polish among others, not alone.
        alone = encoding == "cp1250" and len(_POLISH & letters.keys() - {"ę"}) == 0
        scores[encoding] = 4 * strange + 2 * alone + (encoding not in likely)
    return min(scores, key=lambda encoding: scores[encoding]) if scores else ""


def _text(data: bytes, encoding: str, file: str) -> str:
    try:
        return _checked(data.decode(encoding), file)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(Code.NOT_TEXT, Place(file=file, line=line)) from None


def _checked(text: str, file: str) -> str:
    """Return the text with plain line ends; what is full of control characters is none."""
    sample = text[:_SAMPLE]
    found = _CONTROL.findall(sample)
    if len(found) > max(8, _MOST_CONTROLS * len(sample)):
        first = _CONTROL.search(sample)
        line = sample.count("\n", 0, first.start() if first else 0) + 1
        raise Refused(Code.NOT_TEXT, Place(file=file, line=line))
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _declared(text: str) -> tuple[str, int, int]:
    """Return the separator of a first line ``sep=;``, where the table begins, and its line."""
    match = re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE)
    return (match[1], match.end(), 2) if match else ("", 0, 1)


def _separator(text: str, scanner: "_Scanner", score: Score) -> str:
    """Return the separator with which the first rows have the most headings, else the most even rows."""

    def merit(separator: str) -> tuple[float, int]:
        try:
            rows = list(islice(scanner.rows(text[:_SAMPLE], 1, separator), _SAMPLE_ROWS))
        except Refused:
            return 0.0, 0
        widths = Counter(row.width for row in rows if row.width > 1)
        return score(rows), max(widths.values(), default=0)

    return max(_SEPARATORS, key=merit)


@dataclass(frozen=True, slots=True)
class _Scanner:
    """Cuts the text of a file into rows; *told* holds the lines whose open quote was reported."""

    file: str
    limits: TableLimits
    notes: Notes
    told: set[int] = field(default_factory=set)

    def rows(self, text: str, line: int, separator: str) -> Iterator[Row]:
        """Yield the records; blank ones count."""
        mark = re.escape(separator)
        # Possessive: an open quote is found in one walk, and is nothing to try again from every letter.
        quoted = re.compile(rf' *"((?:[^"]++|"")*+)" *(?={mark}|\n|\Z)')
        bare = re.compile(rf"[^{mark}\n]*+")
        position, number = 0, 0
        while position < len(text):
            number += 1
            if number > self.limits.rows + _SAMPLE_ROWS:
                raise self._over(Code.TOO_MANY_ROWS, line, self.limits.rows)
            cells: dict[int, Cell] = {}
            column, first = 0, line
            while True:
                column += 1
                if column > self.limits.cells:
                    raise self._over(Code.ROW_TOO_WIDE, line, self.limits.cells)
                value, position = self._value(text, position, line, (quoted, bare))
                if value.strip():
                    cells[column] = _cell(value, line)
                line += value.count("\n")
                if text[position : position + 1] != separator:
                    break
                position += 1
            position += 1
            line += 1
            yield Row(number, cells, column, first)

    def _value(
        self, text: str, position: int, line: int, shapes: tuple[re.Pattern[str], re.Pattern[str]]
    ) -> tuple[str, int]:
        """Return the value at *position*, and where it ends; tell of a quote that is not closed."""
        quoted, bare = shapes
        if match := quoted.match(text, position):
            return match[1].replace('""', '"'), match.end()
        match = bare.match(text, position)
        value = match.group() if match else ""
        if value.lstrip(" ").startswith('"') and line not in self.told:
            self.told.add(line)
            self.notes.add(Code.QUOTE, Place(file=self.file, line=line))
        return value, position + len(value)

    def _over(self, code: Code, line: int, limit: int) -> Refused:
        return Refused(code, Place(file=self.file, line=line), limit=str(limit))


def _cell(value: str, line: int) -> Cell:
    """Return the cell; a formula as text has no value, and an error was one before it was saved."""
    text = value.strip()
    if text.startswith("=") and len(text) > 1:
        return Cell(value, line, "uncomputed")
    return Cell(value, line, "error" if text in _ERRORS else "")
