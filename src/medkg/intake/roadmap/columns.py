"""Which cell of a row belongs to which column, also where cells slipped sideways."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from medkg.intake.roadmap.dates import is_date, is_filler
from medkg.intake.roadmap.layout import Layout, Role
from medkg.intake.roadmap.lines import Cell, Line
from medkg.intake.roadmap.trace import Mark, Traced

__all__ = ["Aligned", "Aligner"]

IsRegion = Callable[[str], bool]
# How many cells each column takes.
Plan = tuple[int, ...]
# The text of a cell, and how much text stands in its column.
Weighed = tuple[str, int]

_SENTENCE_END: Final = re.compile(r"[.!?](?:\s|$)")
_GLUE: Final = "/,;&"


@dataclass(frozen=True, slots=True)
class Aligned:
    """A line of the table: its text column by column, then what no column took, and the repairs."""

    line: Line
    layout: Layout
    columns: tuple[Traced, ...]
    marks: tuple[Mark, ...]


class Aligner:
    """Puts the cells of the rows under the headers of *layout*.

    The two dates of a row say how far it slipped.  Of the columns beside them the one takes the surplus cells
    that leaves the longest text to the description, capitals at the beginning of titles and descriptions, and
    known names to the region; the title when nothing speaks against it.  Rows without dates slip like the row
    with dates above them.
    """

    def __init__(self, layout: Layout, is_region: IsRegion) -> None:
        self._layout = layout
        self._is_region = is_region
        self._width = len(layout.labels)
        self._straight: Plan = (1,) * self._width
        self._last: tuple[Plan, int] = (self._straight, self._width)

    def align(self, line: Line, below: Sequence[Line] = ()) -> Aligned:
        """Return the cells of *line* under their columns; the lines *below* help to tell which is which."""
        texts = _trimmed(line.texts)
        plan = self._dated_plan(texts, below)
        if plan:
            self._last = plan, len(line.texts)
        else:
            plan = self._undated_plan(texts, len(line.texts))
        return self._apply(line, plan)

    def under(self, layout: Layout) -> "Aligner":
        """Return the aligner for rows under a later header: this one when the header only repeats."""
        return self if layout.roles == self._layout.roles else Aligner(layout, self._is_region)

    def knows_width(self, line: Line) -> bool:
        """Tell whether *line* has as many cells as the table's rows have, here or above."""
        return len(line.texts) in (self._width, self._last[1])

    def dated(self, line: Line) -> bool:
        """Tell whether *line* has its dates where a row of this table may have them."""
        return self._dated_plan(_trimmed(line.texts)) is not None

    def _dated_plan(self, texts: Sequence[str], below: Sequence[Line] = ()) -> Plan | None:
        found = _date_cells(texts, self._layout)
        if found is None:
            return None
        (start, width), (first, *_, last) = found, (*self._layout.dates, self._layout.dates[-1])
        roles = self._layout.roles
        cells = _weighed(texts, below if len(texts) > self._width else (), self._layout.labels)
        before = self._distribute(cells[:start], roles[:first])
        after = self._distribute(cells[start + width :], roles[last + 1 :], filled_from_left=True)
        middle = (width,) if first == last else (1,) * width
        return (*before, *middle, *after)

    def _undated_plan(self, texts: Sequence[str], cells: int) -> Plan:
        plan, width = self._last
        if plan != self._straight and (cells == width or self._misplaced(texts)):
            return plan
        dates = self._layout.dates
        if len(texts) <= self._width:
            return self._straight
        # Without dates to go by: those columns are empty, or come first.
        skipped = len(dates) if dates and dates[0] == 0 else 0
        end = dates[0] if dates and not skipped else self._width
        weighed = _weighed(texts[skipped:], (), ())
        found = self._distribute(weighed, self._layout.roles[skipped:end])
        return (*self._straight[:skipped], *found, *((0,) * (self._width - end)))

    def _misplaced(self, texts: Sequence[str]) -> bool:
        """Tell whether, read straight, something else would stand in a column of dates."""
        return any(
            texts[index] and not is_date(texts[index]) and not is_filler(texts[index])
            for index in self._layout.dates
            if index < len(texts)
        )

    def _distribute(
        self, cells: Sequence[Weighed], roles: Sequence[Role | None], *, filled_from_left: bool = False
    ) -> Plan:
        """Return how many of the cells each of the columns takes."""
        surplus = len(cells) - len(roles)
        if surplus == 0 or not roles:
            return (1,) * len(roles)
        if surplus < 0:
            from_left = filled_from_left or (bool(cells) and self._is_region(cells[0][0]))
            some, none = (1,) * len(cells), (0,) * -surplus
            return some + none if from_left else none + some
        plans = [
            (1,) * taker + (1 + surplus,) + (1,) * (len(roles) - taker - 1) for taker in range(len(roles))
        ]
        return max(plans, key=lambda plan: self._score(_grouped(cells, plan), roles))

    def _score(self, groups: Sequence[Sequence[Weighed]], roles: Sequence[Role | None]) -> int:
        """Return how well the groups of cells look like what their columns hold."""
        heaviest = max((weight for group in groups for _, weight in group), default=0)
        score = 0
        for group, role in zip(groups, roles, strict=True):
            text = " ".join(text for text, _ in group if text)
            if not text:
                continue
            score -= 4 * (text[0] in _GLUE)
            if role == "description":
                score += 3 * any(weight == heaviest for _, weight in group) - 2 * text[0].islower()
            elif role == "title":
                score += (len(group) > 1) - 2 * text[0].islower() - 3 * bool(_SENTENCE_END.search(text))
            elif role == "region":
                score += 4 * self._is_region(text) - 4 * (text[-1] in _GLUE)
        return score

    def _apply(self, line: Line, plan: Plan) -> Aligned:
        columns: list[Traced] = []
        marks = line.marks
        position = 0
        for count in plan:
            cells = line.cells[position : position + count]
            columns.append(Traced.join((cell.text for cell in cells), "\t"))
            if count > 1 and not _two_dates(cells):
                marks += _shift(cells, columns[-1], line.cells[position + count :])
            position += count
        missing = plan[: self._layout.dates[0]].count(0) if self._layout.dates else 0
        if missing:
            marks.append(Mark("column-shift", line.start, line.start, "", "\t" * missing, 0.7))
        rest = Traced.join((cell.text for cell in line.cells[position:]), "\t")
        return Aligned(line, self._layout, (*columns, rest), tuple(marks))


def _date_cells(texts: Sequence[str], layout: Layout) -> tuple[int, int] | None:
    """Return where the date cells begin and how many they are: nearest to where the header has them."""
    dates = layout.dates
    known = [is_date(text) for text in texts] if dates else []
    if not any(known):
        return None
    if len(dates) == 1:
        start = min((index for index, date in enumerate(known) if date), key=lambda at: abs(at - dates[0]))
        return start, 1 + any(known[start + 1 : start + 2])
    if len(dates) > 2 or dates[1] != dates[0] + 1:  # noqa: PLR2004
        return None
    pairs = [index for index in range(len(texts)) if _is_pair(texts, known, index, dates[0])]
    both = [index for index in pairs if all(texts[index : index + 2]) and index + 1 < len(texts)]
    return (min(both or pairs, key=lambda at: abs(at - dates[0])), 2) if pairs else None


def _is_pair(texts: Sequence[str], known: Sequence[bool], index: int, first: int) -> bool:
    """Tell whether a start and an end stand at *index*; one may be open ("ongoing") or empty.

    An empty one counts only to the right of the column *first* of the header, and only if something else has
    taken that column: a lone year under another header is part of the text there.
    """
    left, right = (texts[at] if at < len(texts) else "" for at in (index, index + 1))
    if not (known[index] or any(known[index + 1 : index + 2])):
        return False
    if left and right:
        return all(is_date(text) or is_filler(text) for text in (left, right))
    return index == first or (index > first and bool(left) and bool(texts[first]) and not known[first])


def _two_dates(cells: Sequence[Cell]) -> bool:
    return all(is_date(cell.text.text) for cell in cells)


def _shift(cells: Sequence[Cell], joined: Traced, rest: Sequence[Cell]) -> Iterator[Mark]:
    """Yield the log entry for cells that one column took; for empty ones, the text that moved up to them."""
    before = "\t".join(cell.text.text for cell in cells)
    if joined.text:
        after = joined.text.replace("\t", " ")
        yield Mark("column-shift", cells[0].start, cells[-1].end, before, after, 0.8)
        return
    moved = next((cell for cell in rest if cell.text.text), None)
    if moved:
        text = moved.text.text
        yield Mark("column-shift", cells[0].start, moved.end, before + text, text, 0.8)


def _trimmed(texts: Sequence[str]) -> Sequence[str]:
    """Return the texts without the empty ones at the end."""
    end = len(texts)
    while end and not texts[end - 1]:
        end -= 1
    return texts[:end]


def _weighed(texts: Sequence[str], below: Sequence[Line], labels: Sequence[str]) -> list[Weighed]:
    """Return each text with the number of characters in its column, the undated rows *below* included."""
    weights = [len(text) for text in texts]
    for line in below:
        if any(map(is_date, line.filled)):
            break
        if len(line.texts) > len(texts) + 1 or not set(labels).isdisjoint(line.filled):
            continue
        for index, text in enumerate(line.texts[: len(weights)]):
            weights[index] += len(text)
    return list(zip(texts, weights, strict=True))


def _grouped(cells: Sequence[Weighed], plan: Plan) -> list[Sequence[Weighed]]:
    groups: list[Sequence[Weighed]] = []
    position = 0
    for count in plan:
        groups.append(cells[position : position + count])
        position += count
    return groups
