"""A report as text for a terminal, as compilers write it: place, severity, code, message, line, hints."""

import io
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import Decision, SubmissionReport
from medkg.services.reports.display import shortened, visible
from medkg.services.reports.summary import MAX_FINDINGS, MAX_PER_CODE, Group, groups
from medkg.services.reports.texts import Texts, Words

__all__ = ["as_text"]

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_TAB: Final = "    "
_NARROWEST: Final = 40
_LONGEST_HINT: Final = 500
_LONGEST_MESSAGE: Final = 2_000
_HINTS: Final = ("hint-value", "hint-suggestion", "hint-related", "hint-remedy")
_COLOURS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.VIOLATION: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
)
_DECISIONS: Final[Mapping[Decision, str]] = MappingProxyType(
    {Decision.ACCEPTED: "bold green", Decision.REJECTED: "bold red", Decision.UNREADABLE: "bold red"}
)


def as_text(
    report: SubmissionReport,
    texts: Texts,
    *,
    width: int = 100,
    colour: bool = False,
    source: str | None = None,
) -> str:
    """Return a report as lines of at most *width* cells, the decision last, where a terminal stands still.

    *source* is the text of the document; with it the line of a finding is shown, and a caret under its place.
    A finding's place is never folded or cut, so that a click on it works; a long one may stick out.
    """
    file = io.StringIO()
    # The console is told all that it would otherwise look for in the environment.
    console = Console(
        file=file,
        width=max(width, _NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    lines = _LINE_END.split(source) if source else []
    writer = _Writer(console, texts.words(report.language), report.file, lines)
    for group in groups(report):
        writer.group(group)
    writer.conclusion(report)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().split("\n")[:-1])


class _Writer:
    """Writes the parts of a report to a console; *lines* are those of the document that is called *file*."""

    def __init__(self, console: Console, words: Words, file: str, lines: Sequence[str]) -> None:
        self._console = console
        self._words = words
        self._file = file
        self._lines = lines

    def group(self, group: Group) -> None:
        """Write the findings of a group, and their remedy behind the last one if all have the same."""
        for finding in group.findings:
            self._heading(finding)
            self._excerpt(finding)
            self._hints(finding, with_remedy=not group.remedy)
        if group.remedy:
            self._aligned([(self._words("hint-remedy"), group.remedy)])
        hidden = group.total - len(group.findings)
        if hidden:
            self._print(Text(f"  … {self._words('more', count=hidden)}", style="dim"))
        self._print(Text())

    def conclusion(self, report: SubmissionReport) -> None:
        """Write what is not listed, the counts and the decision."""
        words = self._words
        if report.truncated:
            total = sum(report.counts.values())
            shown = {"shown": len(report.findings), "each": MAX_PER_CODE, "all": MAX_FINDINGS}
            self._paragraph(Text(words("truncated", total=total, **shown)))
            listed = ", ".join(f"{visible(code)} ({number})" for code, number in report.omitted.items())
            self._paragraph(Text(f"{words('omitted')}: {listed}"))
        counts = words.counts(report.counts) or words("nothing")
        self._paragraph(Text(f"{visible(report.file)}: {counts}" if report.file else counts))
        decision = Text(words(f"decision-{report.decision}"), style=_DECISIONS[report.decision])
        self._paragraph(decision.append(f". {visible(report.reason)}", style="not bold default"))

    def _heading(self, finding: Finding) -> None:
        width = self._console.width
        place = Text(f"{_anchor(finding.place, self._file)}: ", style="bold")
        severity = self._words(f"severity-{finding.severity}")
        rest = Text(f"{severity} {visible(finding.code)}", style=_COLOURS[finding.severity])
        rest.append(f": {visible(shortened(finding.message, _LONGEST_MESSAGE))}", style="not bold default")
        if place.cell_len > width // 2:
            self._print(place)
            self._folded(rest, Text("  "), "  ")
        else:
            self._folded(rest, place, "  ")

    def _folded(self, text: Text, first: Text, indent: str) -> None:
        """Write *text* in lines; *first* stands in front of the first one, *indent* of the others."""
        # The first line has what stands in front where the others have the indent; the difference is filled
        # with a piece of a word while the lines are made.
        filler = first.cell_len - len(indent)
        filled = Text("x" * filler).append_text(text)
        lines = filled.wrap(self._console, self._console.width - len(indent), overflow="fold")
        for index, line in enumerate(lines):
            if index:
                self._print(Text(indent).append_text(line))
            else:
                self._print(first.copy().append_text(line[filler:]))

    def _hints(self, finding: Finding, *, with_remedy: bool) -> None:
        words = self._words
        # Where a caret points at the value, it is not repeated.
        pointed = finding.place.column and self._line(finding.place) is not None
        value = "" if pointed else finding.value
        found = [
            (words("hint-value"), value),
            (words("hint-suggestion"), finding.suggestion),
            (words("hint-related"), ", ".join(finding.related)),
            (words("hint-remedy"), finding.remedy if with_remedy else ""),
        ]
        self._aligned([(label, text) for label, text in found if text])

    def _aligned(self, hints: Sequence[tuple[str, str]]) -> None:
        """Write hints under each other, their labels in a column and their folded lines behind it."""
        wide = max(cell_len(self._words(name)) for name in _HINTS)
        for label, text in hints:
            shown = Text(visible(shortened(text, _LONGEST_HINT)))
            self._folded(shown, Text(f"  = {set_cell_size(label, wide)}: "), " " * (wide + 6))

    def _excerpt(self, finding: Finding) -> None:
        """Write the line of a finding with a caret under its place, the part that fits into the width."""
        place = finding.place
        line = self._line(place)
        if line is None:
            return
        gutter = f"{place.line:>5} | "
        room = self._console.width - len(gutter)
        start = min(max(place.column, 1) - 1, len(line))
        before, marked, behind = _parts(line, start, _end(place, start, line), room)
        before, marked, behind = _window(before, marked, behind, room)
        self._print(Text(gutter, style="dim").append(before + marked + behind, style="not dim"))
        if place.column:
            carets = "^" * max(1, min(cell_len(marked), room - cell_len(before)))
            mark = Text(" " * (len(gutter) - 2) + "| ", style="dim").append(" " * cell_len(before))
            self._print(mark.append(carets, style=_COLOURS[finding.severity]))

    def _line(self, place: Place) -> str | None:
        if place.file not in {"", self._file}:
            return None
        return self._lines[place.line - 1] if 1 <= place.line <= len(self._lines) else None

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)

    def _paragraph(self, text: Text) -> None:
        self._console.print(text, overflow="fold")


def _anchor(place: Place, file: str) -> str:
    """Return a place as terminals make a link of: ``file.ttl:12:5``, ``file.xlsx:Actions!D5``."""
    numbers = [str(number) for number in (place.line, place.column) if number]
    cell = "!".join(filter(None, (place.sheet, place.cell)))
    parts = [place.file or file or "-", *numbers, cell, place.pointer]
    return visible(":".join(filter(None, parts)))


def _end(place: Place, start: int, line: str) -> int:
    """Return where the mark ends on the first line of a place: at least one character is marked."""
    if place.end_line > place.line:
        return len(line)
    return max(place.end_column - 1, start + 1)


def _parts(line: str, start: int, end: int, room: int) -> tuple[str, str, str]:
    """Return what stands before the mark, in it and behind it, without looking at all of a very long line."""
    pieces = (
        line[max(start - room, 0) : start],
        line[start : min(end, start + room)],
        line[end : end + room],
    )
    before, marked, behind = (visible(piece.replace("\t", _TAB)) for piece in pieces)
    return before, marked, behind


def _window(before: str, marked: str, behind: str, room: int) -> tuple[str, str, str]:
    """Return the parts of a line cut to *room* cells, so that the start of the mark is within them."""
    if cell_len(before) > room // 2:
        keep = room // 2 - 1
        # Characters take one or two cells; this many are enough, and then few are too many.
        before = before[-keep:]
        while cell_len(before) > keep:
            before = before[1:]
        before = f"…{before}"
    left = room - cell_len(before)
    if cell_len(marked) > left:
        return before, f"{_fitting(marked, left - 1)}…", ""
    left -= cell_len(marked)
    if cell_len(behind) > left:
        behind = f"{_fitting(behind, left - 1)}…" if left else ""
    return before, marked, behind


def _fitting(text: str, room: int) -> str:
    """Return as much of the beginning of *text* as fits into *room* cells."""
    text = text[: max(room, 0)]
    while cell_len(text) > room:
        text = text[:-1]
    return text
