"""From the gathered pieces of an action to its clean row."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from medkg.intake.roadmap.actions import Draft, ends_sentence
from medkg.intake.roadmap.dates import is_date, read_date, read_period
from medkg.intake.roadmap.hyphens import mend
from medkg.intake.roadmap.layout import Role
from medkg.intake.roadmap.markup import strip_markup
from medkg.intake.roadmap.model import RoadmapRow
from medkg.intake.roadmap.regions import Regions, Split
from medkg.intake.roadmap.trace import Edit, Mark, Traced, apply
from medkg.intake.roadmap.words import Evidence

__all__ = ["Settler"]

_SEAM: Final = re.compile(r"[\n\t]")
_LAST_WORD: Final = 40
_BULLETS: Final = tuple("\u2022\u2023\u25aa\u25e6\u00b7-\u2013*")
_OPENERS: Final = "([\u201c\u201e\u2018\u00ab\"'"
_REGION_JOINER: Final = " | "


class Settler:
    """Turns drafts into rows, given the document's spelling and its regions."""

    def __init__(self, evidence: Evidence, regions: Regions) -> None:
        self._evidence = evidence
        self._regions = regions

    def rows(self, drafts: Sequence[Draft]) -> Iterator[tuple[RoadmapRow, list[Mark]]]:
        """Yield each action with its repairs."""
        cells = [self._column(draft, "region") for draft in drafts]
        for text, _ in cells:
            self._regions.learn(text.text)
        above = Split((), (), (), 1.0)
        for draft, (text, marks) in zip(drafts, cells, strict=True):
            split = above if draft.inherits and not text.text else self._regions.split(text.text)
            log = [*draft.marks, *marks, *_region_marks(text, split), *_filled_down(draft, split)]
            row = self._row(draft, split, log)
            yield row, log
            above = split

    def _row(self, draft: Draft, split: Split, marks: list[Mark]) -> RoadmapRow:
        """Return the clean row; what it took is added to *marks*."""
        title, more = self._column(draft, "title")
        description, repairs = self._column(draft, "description", paragraphs=True)
        marks += more + repairs
        planned_from, planned_to = self._dates(draft, marks)
        return RoadmapRow(
            regions=split.names,
            region_codes=split.codes,
            title=title.text,
            description=description.text,
            planned_from=planned_from,
            planned_to=planned_to,
            lines=(draft.first, draft.last),
            extras=tuple(self._extras(draft, marks)),
        )

    def _column(self, draft: Draft, role: Role, *, paragraphs: bool = False) -> tuple[Traced, list[Mark]]:
        column = draft.layout.column(role)
        return self._settle([] if column is None else draft.pieces[column], paragraphs=paragraphs)

    def _settle(self, pieces: Sequence[Traced], *, paragraphs: bool) -> tuple[Traced, list[Mark]]:
        """Return the pieces as one text without markup, broken words and seams, and the repairs."""
        text, marks = strip_markup(Traced.join(pieces, "\n"))
        text, mended = mend(text, self._evidence)
        text, merged = apply(text, _seams(text, paragraphs=paragraphs))
        return text, marks + mended + merged

    def _dates(self, draft: Draft, marks: list[Mark]) -> tuple[str | None, str | None]:
        """Return the first and the last month; what can't be read is logged in *marks* with confidence 0."""
        starts, ends, spans = (self._date_cells(draft, role, marks) for role in ("from", "to", "timeframe"))
        if not (starts or ends):
            starts, ends = spans[:1], spans[1:]
        surplus = (*starts[1:], *ends[1:])
        marks.extend(cell.mark("month-normalised", (0, len(cell.text)), "", 0.0) for cell in surplus)
        if starts and not ends and (spans or not read_date(starts[0].text, end=False)[0]):
            return _read_span(starts[0], marks)
        return _read_one(starts[:1], marks, end=False), _read_one(ends[:1], marks, end=True)

    def _date_cells(self, draft: Draft, role: Role, marks: list[Mark]) -> list[Traced]:
        """Return the cells of a date column, as one where only together they make a date."""
        column = draft.layout.column(role)
        pieces = [] if column is None else [part for piece in draft.pieces[column] for part in _cells(piece)]
        whole, repairs = self._settle(pieces, paragraphs=False)
        settled = [(whole, repairs)]
        if len(pieces) > 1 and not is_date(whole.text):
            settled = [self._settle([piece], paragraphs=False) for piece in pieces]
        for _, made in settled:
            marks += made
        return [text for text, _ in settled if text.text]

    def _extras(self, draft: Draft, marks: list[Mark]) -> Iterator[tuple[str, str]]:
        labels = (*draft.layout.labels, "")
        for label, role, pieces in zip(labels, (*draft.layout.roles, None), draft.pieces, strict=True):
            if role is None and pieces:
                text, repairs = self._settle(pieces, paragraphs=True)
                marks += repairs
                yield label, text.text


def _seams(text: Traced, *, paragraphs: bool) -> Iterator[tuple[Edit, Mark | None]]:
    """Yield what becomes of each seam that no broken word took: a space, or a new paragraph."""
    for match in _SEAM.finditer(text.text):
        edit = Edit(match.start(), match.end(), " ")
        if match.group() == "\t":
            yield edit, None  # the shift of the cells is logged already
        elif paragraphs and _is_paragraph(text.text, match.start()):
            yield Edit(match.start(), match.end(), "\n\n"), None
        else:
            span = _around(text.text, match.start())
            yield edit, text.mark("cell-merge", span, _SEAM.sub(" ", text.text[slice(*span)]), 0.95)


def _is_paragraph(text: str, seam: int) -> bool:
    """Tell whether a paragraph ends at *seam*: a sentence does, and no small letter follows."""
    following = text[seam + 1 : seam + 40].lstrip(_OPENERS)
    if text[seam + 1 : seam + 2] in _BULLETS:
        return True
    return ends_sentence(text[max(0, seam - 8) : seam]) and not following[:1].islower()


def _around(text: str, seam: int) -> tuple[int, int]:
    """Return the span of the words on both sides of *seam*."""
    before, after = text[max(0, seam - _LAST_WORD) : seam], text[seam + 1 : seam + 1 + _LAST_WORD]
    left = before.split()[-1] if before.split() else ""
    right = after.split()[0] if after.split() else ""
    return seam - len(left), seam + 1 + len(right)


def _region_marks(text: Traced, split: Split) -> Iterator[Mark]:
    whole = (0, len(text.text))
    if len(split.names) > 1 and text.text:
        yield text.mark("region-split", whole, _REGION_JOINER.join(split.names), split.confidence)
    for before, after in split.aliases:
        start = text.text.find(before)
        yield text.mark("name-alias", (start, start + len(before)), after, 0.9)


def _filled_down(draft: Draft, split: Split) -> Iterator[Mark]:
    """Yield a log entry for each row that took the region over from above."""
    regions = " / ".join(split.names)
    for line in draft.continuations if regions else ():
        confidence = 0.8 if draft.inherits and line.number == draft.first else 0.95
        yield Mark("fill-down", line.start, line.start, "", regions, confidence)


def _cells(piece: Traced) -> Iterator[Traced]:
    start = 0
    for text in piece.text.split("\t"):
        yield piece.part(start, start + len(text))
        start += len(text) + 1


def _read_one(cells: Sequence[Traced], marks: list[Mark], *, end: bool) -> str | None:
    """Return the date of the cell, if there is one; what can't be read is logged with confidence 0."""
    if not cells:
        return None
    cell = cells[0]
    value, confidence = read_date(cell.text, end=end)
    if value != cell.text:
        marks.append(cell.mark("month-normalised", (0, len(cell.text)), value or "", confidence))
    return value


def _read_span(cell: Traced, marks: list[Mark]) -> tuple[str | None, str | None]:
    """Return both dates of a cell that holds a period."""
    period = read_period(cell.text)
    words = [part for part in (period.start, period.end) if part]
    after = "/".join(dict.fromkeys(words))
    if after != cell.text:
        marks.append(cell.mark("month-normalised", (0, len(cell.text)), after, period.confidence))
    return period.start, period.end
