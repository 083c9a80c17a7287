"""Figures and tables in Markdown, as the pages of the benchmarks show them."""

import statistics
from collections.abc import Iterable, Sequence

__all__ = ["median", "number", "spread", "table"]


def spread(values: Iterable[float], digits: int | None = None) -> str:
    """Return the median with the lowest and highest in brackets, a dash for none."""
    found = sorted(values)
    if not found:
        return "-"
    shown = [number(value, digits) for value in (statistics.median(found), found[0], found[-1])]
    return shown[0] if len(found) == 1 else f"{shown[0]} ({shown[1]} - {shown[2]})"


def median(values: Sequence[float]) -> str:
    """Return the median, a dash for none."""
    return number(statistics.median(values)) if values else "-"


def number(value: float, digits: int | None = None) -> str:
    """Return a number with as many decimals as tell something, unless *digits* says how many."""
    if digits is None:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2  # noqa: PLR2004
    return f"{value:,.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
