"""Which lines make up an action, and where the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from medkg.intake.roadmap.columns import Aligned
from medkg.intake.roadmap.dates import is_date
from medkg.intake.roadmap.layout import Layout, Role
from medkg.intake.roadmap.letters import fold
from medkg.intake.roadmap.lines import Line
from medkg.intake.roadmap.regions import Regions
from medkg.intake.roadmap.trace import Mark, Traced
from medkg.intake.roadmap.words import HYPHENS

__all__ = ["Assembly", "Draft", "ends_sentence"]

_SEPARATORS: Final = tuple("/,;&")
_OPEN_ENDS: Final = (*_SEPARATORS, *HYPHENS, " and", " und", " et", " oraz")
_CLOSERS: Final = ")]\u201d\u2019\u00bb\"'*"
_SENTENCE_ENDS: Final = tuple(".!?:;\u2026")


@dataclass(slots=True)
class Draft:
    """An action while its lines are gathered: the pieces of each column, top to bottom.

    *inherits* says that its region is the one of the action above; *continuations* are the rows that took it
    over within the action.
    """

    layout: Layout
    first: int
    last: int
    pieces: list[list[Traced]]
    marks: list[Mark]
    inherits: bool = False
    continuations: list[Line] = field(default_factory=list)

    def upper(self, role: Role) -> str:
        """Return the text of the upper pieces of a column: all of it, where it is as short as a name."""
        column = self.layout.column(role)
        return "" if column is None else " ".join(piece.text for piece in self.pieces[column][:4])

    def lowest(self, role: Role) -> str:
        """Return the lowest piece of a column so far, "" when it has none."""
        column = self.layout.column(role)
        return self.pieces[column][-1].text if column is not None and self.pieces[column] else ""

    @property
    def dated(self) -> bool:
        """Whether the action has any date so far."""
        return any(self.pieces[column] for column in self.layout.dates)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table by what its texts mean."""

    source: Aligned
    region: str
    title: str
    description: str
    dates: dict[int, str]
    first: int

    @classmethod
    def of(cls, source: Aligned) -> "_Row":
        def text(role: Role) -> str:
            column = source.layout.column(role)
            return source.columns[column].text if column is not None else ""

        dates = {column: source.columns[column].text for column in source.layout.dates}
        found = {column: date for column, date in dates.items() if date}
        return cls(source, text("region"), text("title"), text("description"), found, source.line.number)


def ends_sentence(text: str) -> bool:
    """Tell whether a sentence, or the lead of a list, ends with *text*."""
    return text.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS)


class Assembly:
    """Gathers the rows of a table into actions.

    A row with a date begins an action, unless it completes the one above: with the rest of a region name, or
    with dates that are printed lower down.  A row without a date does when its region, its title and its
    description all begin afresh.  Every other row continues the action above it.
    """

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._held: _Row | None = None
        self.drafts: list[Draft] = []

    @property
    def region_is_open(self) -> bool:
        """Whether the region of the last action waits for its rest."""
        return bool(self.drafts) and self.drafts[-1].lowest("region").endswith(_OPEN_ENDS)

    def add(self, source: Aligned) -> None:
        """Take in the next line of the table."""
        row = self._with_held(_Row.of(source))
        last = self.drafts[-1] if self.drafts else None
        if last is None or last.layout.roles != source.layout.roles:
            self._open(row)
        elif self._may_begin_below(last, row):
            self._held = row
        elif _repeats(last, row):
            self._continue(last, row, only=("description", None))
        elif self._opens(last, row):
            self._open(row)
        else:
            self._continue(last, row)

    def finish(self) -> list[Draft]:
        """Return the actions once all lines are in."""
        self._release()
        return self.drafts

    def _release(self) -> None:
        """Give a line that was held back to the action above it after all."""
        if self._held:
            self._continue(self.drafts[-1], self._held)
            self._held = None

    def _may_begin_below(self, last: Draft, row: _Row) -> bool:
        """Tell whether *row* is the first line of a region cell whose row is printed a line lower."""
        alone = row.region and not (row.title or row.description or row.dates)
        return (
            bool(alone) and row.region.endswith(_OPEN_ENDS) and not self._completes_region(last, row.region)
        )

    def _with_held(self, row: _Row) -> _Row:
        """Return *row* with the region line held back on top of it, if that is where the line belongs."""
        held = self._held
        if held and row.region and row.dates and row.source.layout is held.source.layout:
            self._held = None
            return _stacked(held, row)
        self._release()
        return row

    def continue_region(self, line: Line) -> bool:
        """Tell whether *line*, which stands in no column, is the rest of a region name; take it in then."""
        self._release()
        if not self.drafts:
            return False
        draft = self.drafts[-1]
        column = draft.layout.column("region")
        piece = line.cells[0].text
        if column is None or not self._completes_region(draft, piece.text):
            return False
        draft.pieces[column].append(piece)
        draft.marks += line.marks
        draft.last = line.number
        return True

    def _opens(self, last: Draft, row: _Row) -> bool:
        if row.dates:
            return self._opens_dated(last, row)
        return bool(row.region and row.title) and self._begins_afresh(last, row)

    def _opens_dated(self, last: Draft, row: _Row) -> bool:
        if _completes_dates(last, row):
            return False
        if row.region:
            return last.dated or not self._completes_region(last, row.region)
        return last.dated and bool(row.title) and not row.title[0].islower()

    def _begins_afresh(self, last: Draft, row: _Row) -> bool:
        """Tell whether nothing in a row without dates looks like the rest of what stands above it."""
        if self._completes_region(last, row.region) or last.lowest("title").endswith(tuple(HYPHENS)):
            return False
        if any(text[:1].islower() for text in (row.region, row.title, row.description)):
            return False
        above = last.lowest("description")
        return not above or ends_sentence(above) or self._regions.resolves(row.region)

    def _completes_region(self, last: Draft, text: str) -> bool:
        """Tell whether *text* is the rest of the region above."""
        above = last.lowest("region")
        joined = f"{above} {text}"
        return above.endswith(_OPEN_ENDS) or text.startswith(_SEPARATORS) or self._regions.resolves(joined)

    def _open(self, row: _Row) -> None:
        line = row.source.line
        pieces = [[piece] if piece.text else [] for piece in row.source.columns]
        draft = Draft(row.source.layout, row.first, line.number, pieces, list(row.source.marks))
        draft.inherits = not row.region and bool(self.drafts)
        if draft.inherits:
            draft.continuations.append(line)
        self._regions.learn(row.region)
        self.drafts.append(draft)

    def _continue(self, draft: Draft, row: _Row, only: Sequence[Role | None] | None = None) -> None:
        roles = (*draft.layout.roles, None)
        for role, pieces, piece in zip(roles, draft.pieces, row.source.columns, strict=True):
            if piece.text and (only is None or role in only):
                pieces.append(piece)
            elif piece.text:
                span = (0, len(piece.text))
                draft.marks.append(piece.mark("cell-merge", span, "", 0.9))
        draft.marks += row.source.marks
        draft.last = row.source.line.number
        if not row.region:
            draft.continuations.append(row.source.line)


def _stacked(upper: _Row, lower: _Row) -> _Row:
    """Return the lower row with the texts of the upper one above its own."""
    above, below = upper.source, lower.source
    columns = tuple(Traced.join(pair, "\n") for pair in zip(above.columns, below.columns, strict=True))
    source = Aligned(below.line, below.layout, columns, (*above.marks, *below.marks))
    return replace(_Row.of(source), first=above.line.number)


def _repeats(last: Draft, row: _Row) -> bool:
    """Tell whether *row* says the region (and title, and dates) of the action above once more.

    Merged cells are extracted like that by some tools, and again on top of a new page.
    """
    if not row.region or fold(row.region) != fold(last.upper("region")):
        return False
    if not row.title:
        return not row.dates
    same_dates = all(
        [fold(piece.text) for piece in last.pieces[column][:2]] == [fold(date)]
        for column, date in row.dates.items()
    )
    return same_dates and fold(row.title) == fold(last.upper("title"))


def _completes_dates(last: Draft, row: _Row) -> bool:
    """Tell whether the dates of *row* are the rest of dates broken over lines ("October" / "2021")."""
    above = {column: last.pieces[column][-1].text for column in row.dates if last.pieces[column]}
    return bool(above) and all(
        not is_date(text) and is_date(f"{text} {row.dates[column]}") for column, text in above.items()
    )
