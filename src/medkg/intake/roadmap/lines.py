"""The source as lines of cells, and what a text must be to be read at all."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from medkg.domain.errors import RoadmapError
from medkg.intake.roadmap.letters import clean, genuine_scripts
from medkg.intake.roadmap.markup import strip_markup
from medkg.intake.roadmap.trace import Mark, Traced

__all__ = ["MAX_BYTES", "MAX_LINES", "Cell", "Line", "read_lines"]

MAX_BYTES: Final = 5_000_000
MAX_LINES: Final = 100_000

_NOTHING: Final = Traced("", ())
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
# Control characters but for tabs, line ends and form feeds, and what can't be written as UTF-8 or XML.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a line in plain letters and type, its place in the source, and what was repaired in it."""

    text: Traced
    start: int
    end: int
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the source, 1-based *number*: its cells, their texts, and those texts that aren't empty."""

    number: int
    start: int
    end: int
    cells: tuple[Cell, ...]
    texts: tuple[str, ...]
    filled: tuple[str, ...]

    @classmethod
    def of(cls, number: int, span: tuple[int, int], cells: tuple[Cell, ...]) -> Self:
        """Return the line that holds *cells*."""
        texts = tuple(cell.text.text for cell in cells)
        return cls(number, *span, cells, texts, tuple(filter(None, texts)))

    @property
    def marks(self) -> list[Mark]:
        """What was repaired in the cells."""
        return [mark for cell in self.cells for mark in cell.marks]


def read_lines(text: str) -> tuple[Line, ...]:
    """Return the lines of *text*; RoadmapError when it is too large or holds control characters."""
    spans = tuple(_spans(text))
    _check(text, len(spans))
    genuine = genuine_scripts(text)
    return tuple(
        Line.of(number, (start, end), tuple(_cells(text, start, end, genuine)))
        for number, (start, end) in enumerate(spans, start=1)
    )


def _check(text: str, lines: int) -> None:
    if lines > MAX_LINES or len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1_000_000} MB and {MAX_LINES:,} lines"
        raise RoadmapError(
            f"The roadmap text is larger than {limit}.",
            remedy="Cut it down to the pages that hold the table.",
        )
    bad = _FORBIDDEN.search(text)
    if bad:
        line = len(_LINE_END.findall(text, 0, bad.start())) + 1
        raise RoadmapError(
            f"Line {line} of the roadmap text holds the control character U+{ord(bad.group()):04X}.",
            remedy="Send the extracted text of the document (from pdftotext, for instance) as UTF-8.",
        )


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 1 if text.startswith("\ufeff") else 0
    for match in _LINE_END.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _cells(text: str, start: int, end: int, genuine: frozenset[str]) -> Iterator[Cell]:
    for raw in text[start:end].split("\t"):
        plain, marks = clean(Traced.at(raw, start), genuine) if raw else (_NOTHING, [])
        plain, bold = strip_markup(plain)
        yield Cell(plain, start, start + len(raw), (*marks, *bold))
        start += len(raw) + 1
