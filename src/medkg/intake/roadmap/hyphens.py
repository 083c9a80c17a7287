"""Words broken by a hyphen at the end of a line, a cell or a row."""

import re
from collections.abc import Iterator
from typing import Final

from medkg.intake.roadmap.letters import SOFT_HYPHEN
from medkg.intake.roadmap.model import Rule
from medkg.intake.roadmap.trace import Edit, Mark, Traced, apply
from medkg.intake.roadmap.words import HYPHENS, Evidence

__all__ = ["mend"]

# Driven by the hyphen, not by the word before it, so that a long run of letters is walked once.
_BREAK: Final = re.compile(rf"(?<=[^\W\d_])[{HYPHENS}]\s+(?=[^\W\d_])")
# A digit beside the hyphen: never a broken word, but the line did break here (COVID-⏎19, 2022-⏎2025).
_NUMBER: Final = re.compile(r"(?<=\w[-\u2010\u2013])[\t\n](?=\d)|(?<=\d[-\u2010\u2013])[\t\n](?=\w)")


def mend(text: Traced, evidence: Evidence) -> tuple[Traced, list[Mark]]:
    """Return *text* with its broken words whole again, and the repairs.

    A newline or a tab in *text* is a seam between rows or cells.  The document's own spelling decides whether
    a hyphen broke a word or belongs to it; without evidence the halves are joined, except after a single
    letter, after capitals, and before a capital (see :class:`~medkg.intake.roadmap.words.Evidence`).
    """
    text, marks = apply(text, _broken_words(text, evidence))
    text, more = apply(text, _broken_numbers(text))
    return text, marks + more


def _broken_words(text: Traced, evidence: Evidence) -> Iterator[tuple[Edit, Mark]]:
    for match in _BREAK.finditer(text.text):
        start, end = _run_back(text.text, match.start()), _run_on(text.text, match.end())
        left, right = text.text[start : match.start()], text.text[match.end() : end]
        if _set_off(text.text, start):
            continue
        chained = text.text[start - 1 : start] in ("-", "\u2010") or text.text[end : end + 1] in (
            "-",
            "\u2010",
        )
        verdict, confidence = evidence.verdict(left, right, chained=chained)
        if text.text[match.start()] == SOFT_HYPHEN:
            verdict, confidence = "join", 1.0
        if verdict == "leave":
            continue
        kept = text.text[match.start()] if verdict == "keep" else ""
        rule = _rule(match.group())
        yield Edit(*match.span(), kept), text.mark(rule, (start, end), left + kept + right, confidence)


def _broken_numbers(text: Traced) -> Iterator[tuple[Edit, Mark]]:
    for match in _NUMBER.finditer(text.text):
        start, end = match.start() - 2, match.end() + 1
        after = text.text[start : match.start()] + text.text[match.end() : end]
        yield Edit(*match.span()), text.mark("hyphen-break-across-cells", (start, end), after, 0.8)


def _set_off(text: str, start: int) -> bool:
    """Tell whether the word at *start* stands between hyphens used as dashes, "-perhaps- so"."""
    before = text[max(0, start - 2) : start]
    return before.endswith("-") and not before[:-1].strip()


def _rule(gap: str) -> Rule:
    return "hyphen-break-across-cells" if "\n" in gap or "\t" in gap else "hyphen-break"


def _run_back(text: str, end: int) -> int:
    """Return where the letters before *end* begin."""
    start = end
    while start and text[start - 1].isalpha():
        start -= 1
    return start


def _run_on(text: str, start: int) -> int:
    """Return where the letters from *start* on end."""
    end = start
    while end < len(text) and text[end].isalpha():
        end += 1
    return end
