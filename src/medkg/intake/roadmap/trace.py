"""Text that remembers where each of its characters stood in the source."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from medkg.intake.roadmap.model import Rule

__all__ = ["Edit", "Mark", "Traced", "apply"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Put *new* in place of the characters from *start* to *end*."""

    start: int
    end: int
    new: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A repair before it is known which line and row it belongs to; offsets point into the source."""

    rule: Rule
    start: int
    end: int
    before: str
    after: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Traced:
    """A piece of text with the source offset of each of its characters."""

    text: str
    offsets: Sequence[int]

    @classmethod
    def at(cls, text: str, start: int) -> Self:
        """Return *text* as it stands in the source from offset *start*."""
        return cls(text, range(start, start + len(text)))

    @classmethod
    def join(cls, pieces: Iterable[Self], seam: str) -> Self:
        """Return the pieces that hold something, with the one-character *seam* between them."""
        texts: list[str] = []
        offsets: array[int] = array("I")
        for piece in pieces:
            if not piece.text:
                continue
            if texts:
                offsets.append(offsets[-1] + 1)
            texts.append(piece.text)
            offsets.extend(piece.offsets)
        return cls(seam.join(texts), offsets)

    def part(self, start: int, end: int) -> Self:
        """Return the characters from *start* to *end*."""
        return type(self)(self.text[start:end], self.offsets[start:end])

    def strip(self) -> Self:
        """Return the text without the whitespace around it."""
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, max(start, len(self.text.rstrip())))

    def edited(self, edits: Sequence[Edit]) -> Self:
        """Return the text after *edits*, which stand in order and don't overlap."""
        if not edits:
            return self
        texts: list[str] = []
        offsets: array[int] = array("I")
        position = 0
        for edit in edits:
            texts += (self.text[position : edit.start], edit.new)
            offsets.extend(self.offsets[position : edit.start])
            offsets.extend([self.offsets[edit.start]] * len(edit.new))
            position = edit.end
        texts.append(self.text[position:])
        offsets.extend(self.offsets[position:])
        return type(self)("".join(texts), offsets)

    def mark(self, rule: Rule, span: tuple[int, int], after: str, confidence: float) -> Mark:
        """Return the log entry for the characters of the non-empty *span*, which become *after*."""
        start, end = span
        return Mark(
            rule, self.offsets[start], self.offsets[end - 1] + 1, self.text[start:end], after, confidence
        )


def apply(text: Traced, changes: Iterable[tuple[Edit, Mark | None]]) -> tuple[Traced, list[Mark]]:
    """Return *text* with the edits made, and the log entries that go with them."""
    pairs = list(changes)
    return text.edited([edit for edit, _ in pairs]), [mark for _, mark in pairs if mark]
