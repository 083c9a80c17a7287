"""Markdown left in the text by an extraction tool."""

import re
from collections.abc import Iterator
from typing import Final

from medkg.intake.roadmap.trace import Edit, Mark, Traced, apply

__all__ = ["strip_heading", "strip_markup"]

_DELIMITER: Final = re.compile(r"(?<!\*)\*{2,3}(?!\*)|(?<!_)__(?!_)")
_HEADING: Final = re.compile(r"#{1,6}\s+")


def strip_markup(text: Traced) -> tuple[Traced, list[Mark]]:
    """Return *text* without the marks of bold type, and the repairs; a mark without its partner stays."""
    marks: list[Mark] = []
    edits: list[Edit] = []
    for opening, closing in _pairs(text.text):
        edits += (Edit(*opening.span()), Edit(*closing.span()))
        inner = text.text[opening.end() : closing.start()]
        marks.append(text.mark("markup-stripped", (opening.start(), closing.end()), inner, 1.0))
    return text.edited(edits), marks


def strip_heading(text: Traced) -> tuple[Traced, list[Mark]]:
    """Return *text* without the number signs of a Markdown heading, and the repairs."""
    match = _HEADING.match(text.text)
    if match is None:
        return text, []
    return apply(text, [(Edit(*match.span()), text.mark("markup-stripped", match.span(), "", 1.0))])


def _pairs(text: str) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Yield the delimiters that open and close bold type, each used once, in one walk over the text."""
    opening: re.Match[str] | None = None
    for match in _DELIMITER.finditer(text):
        follows = text[match.end() : match.end() + 1]
        precedes = text[match.start() - 1 : match.start()] if match.start() else ""
        if opening and opening.group() == match.group() and precedes and not precedes.isspace():
            yield opening, match
            opening = None
        elif follows and not follows.isspace():
            opening = match
