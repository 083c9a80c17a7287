"""Reading a roadmap: from extracted text to rows."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from medkg.domain.errors import RoadmapError
from medkg.intake.roadmap.actions import Assembly
from medkg.intake.roadmap.columns import Aligner
from medkg.intake.roadmap.furniture import Furniture, is_page_number
from medkg.intake.roadmap.hyphens import mend
from medkg.intake.roadmap.layout import HEADER_WORDS, Header, find_header, sub_header
from medkg.intake.roadmap.lines import Line, read_lines
from medkg.intake.roadmap.markup import strip_heading, strip_markup
from medkg.intake.roadmap.model import Repair, RoadmapTable, Rule
from medkg.intake.roadmap.regions import Regions
from medkg.intake.roadmap.settle import Settler
from medkg.intake.roadmap.trace import Mark
from medkg.intake.roadmap.words import Evidence

__all__ = ["read_roadmap"]

# How many lines below a row are looked at to tell a column that slipped.
_LOOK_AHEAD = 20


def read_roadmap(
    text: str, *, resolve: Callable[[str], str | None] | None = None, known_names: Sequence[str] = ()
) -> RoadmapTable:
    """Return the innovation actions of a roadmap's extracted *text*, and the log of all repairs.

    *resolve* gives the code of a region by its name, or None; it also decides where several regions in one
    cell part.  *known_names* (of projects, partnerships) help to tell misread page headers from rows.

    Raises :exc:`RoadmapError` when the text is over 5 MB or 100,000 lines, holds control characters, has no
    header with a region and an action column, or has no row under it.
    """
    lines = read_lines(text)
    evidence = Evidence([*known_names, *(text for line in lines for text in line.filled)])
    index, header = _first_header(lines, evidence)
    title, marks = _title(lines[:index], Furniture(lines[:index], known_names, ()), evidence)
    regions = Regions(resolve)
    walk = _Walk(Furniture(lines[:index], known_names, lines[index:]), evidence, regions, header)
    walk.through(lines, index + header.height)
    settled = list(Settler(evidence, regions).rows(walk.assembly.finish()))
    if not settled:
        raise RoadmapError(
            f"The table of the roadmap has no rows under its header in line {lines[index].number}.",
            remedy="Send the text with its rows, cells separated by tabs.",
        )
    logs: list[tuple[int | None, Iterable[Mark]]] = [(None, [*marks, *header.marks, *walk.marks])]
    logs += [(number, made) for number, (_, made) in enumerate(settled)]
    rows = tuple(row for row, _ in settled)
    return RoadmapTable(title, header.layout.labels, rows, tuple(_repairs(lines, logs)))


class _Walk:
    """Goes through the lines under the header: rows go to the assembly, what the page adds is dropped."""

    def __init__(self, furniture: Furniture, evidence: Evidence, regions: Regions, header: Header) -> None:
        self._furniture = furniture
        self._evidence = evidence
        self._regions = regions
        self._aligner = Aligner(header.layout, regions.is_region)
        self._after_gap = False
        self._ended = False
        self.assembly = Assembly(regions)
        self._outside_marks: list[Mark] = []
        self.marks: list[Mark] = []

    def through(self, lines: Sequence[Line], index: int) -> None:
        """Take in the lines from *index* on."""
        while index < len(lines):
            header = find_header(lines, index, self._evidence)
            if header:
                self._aligner = self._aligner.under(header.layout)
                self._resume()
                for line in lines[index : index + header.height]:
                    self._drop("repeated-header-dropped", line, 1.0)
                index += header.height
            else:
                index += 1
                self._line(lines[index - 1], lines[index : index + _LOOK_AHEAD])

    def _line(self, line: Line, below: Sequence[Line]) -> None:
        if not line.filled:
            self._after_gap = True
        elif sub_header(line):
            self._drop("repeated-header-dropped", line, 0.9)
        elif len(line.filled) == 1 and self._is_page_number(line):
            self._drop("page-number-dropped", line, 0.9)
        elif self._is_page_header(line):
            pass
        elif len(line.cells) == 1:
            self._outside(line)
        elif not self._ended or self._aligner.dated(line) or self._aligner.knows_width(line):
            self._resume()
            self._after_gap = False
            self.assembly.add(self._aligner.align(line, below))

    def _is_page_number(self, line: Line) -> bool:
        """Tell whether the one filled cell of *line*, the first or the last, holds a page number."""
        at_edge = bool(line.texts[0] or line.texts[-1])
        return at_edge and is_page_number(line.filled[0])

    def _is_page_header(self, line: Line) -> bool:
        tail = self.assembly.region_is_open
        confidence = self._furniture.header(line, after_gap=self._after_gap, tail=tail)
        if confidence:
            self._drop("page-header-dropped", line, confidence)
        return bool(confidence)

    def _outside(self, line: Line) -> None:
        """Deal with a line that is no row: the rest of a region, a running header, the end of the table."""
        if self._ended or self.assembly.continue_region(line):
            return
        confidence = self._furniture.running(line)
        self._outside_marks.append(_dropped("page-header-dropped", line, confidence))
        self._after_gap = True
        self._ended = confidence < 0.9  # noqa: PLR2004 (running text: the table may be over)

    def _drop(self, rule: Rule, line: Line, confidence: float) -> None:
        self.marks.append(_dropped(rule, line, confidence))
        self._after_gap = True

    def _resume(self) -> None:
        """Note that the table goes on: now the lines outside of it were dropped from between its rows."""
        self.marks += self._outside_marks
        self._outside_marks = []
        self._ended = False


def _dropped(rule: Rule, line: Line, confidence: float) -> Mark:
    filled = [cell for cell in line.cells if cell.text.text]
    return Mark(rule, filled[0].start, filled[-1].end, "\t".join(line.filled), "", confidence)


def _first_header(lines: Sequence[Line], evidence: Evidence) -> tuple[int, Header]:
    for index in range(len(lines)):
        header = find_header(lines, index, evidence)
        if header:
            return index, header
    raise RoadmapError(
        "The roadmap text has no table header: no line has both a region column "
        f"({HEADER_WORDS['region']}) and an action column ({HEADER_WORDS['title']}), separated by tabs.",
        remedy="Keep the line with the column headers, and the tabs between the cells.",
    )


def _title(head: Sequence[Line], furniture: Furniture, evidence: Evidence) -> tuple[str, list[Mark]]:
    """Return the first line of the text before the table that is neither page number nor misread header."""
    for line in head:
        if not line.filled or is_page_number(line.filled[0]):
            continue
        if len(line.filled) > 1 and furniture.header(line, after_gap=True, tail=False):
            continue
        cell = next(cell for cell in line.cells if cell.text.text)
        text, marks = strip_heading(cell.text)
        text, bold = strip_markup(text)
        text, mended = mend(text, evidence)
        return text.text, [*cell.marks, *marks, *bold, *mended]
    return "", []


def _repairs(lines: Sequence[Line], logs: Iterable[tuple[int | None, Iterable[Mark]]]) -> Iterator[Repair]:
    """Yield the repairs in the order of the source."""
    starts = [line.start for line in lines]
    marks = [(mark.start, mark.end, row, mark) for row, made in logs for mark in made]
    for start, end, row, mark in sorted(marks, key=lambda entry: entry[:2]):
        number = bisect_right(starts, start)
        yield Repair(mark.rule, max(number, 1), start, end, mark.before, mark.after, mark.confidence, row)
