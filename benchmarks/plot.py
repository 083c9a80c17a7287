"""A bar chart as SVG, written by hand: no library is worth its weight for forty rectangles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

__all__ = ["Bar", "plot"]

_WIDTH: Final = 880
_LEFT: Final = 300
_ROW: Final = 22
_HEAD: Final = 30
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#222}.t{font-weight:bold}.o{fill:#8a8a8a}.m{fill:#1f6f8b}"
    "line{stroke:#222;stroke-width:1}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its length, and the range that is drawn across its end."""

    name: str
    value: float
    low: float
    high: float


def plot(sections: Sequence[tuple[str, Mapping[str, Sequence[Bar]]]]) -> str:
    """Return an SVG document with one panel of horizontal bars for each entry of each section."""
    parts: list[str] = []
    top = 10
    for title, panels in sections:
        for name, bars in panels.items():
            parts += _panel(f"{title}: {name}", bars, top)
            top += _HEAD + _ROW * len(bars) + 12
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">'
        f"<title>Answers per second of each server</title><style>{_STYLE}</style>"
        f'<rect width="{_WIDTH}" height="{top}" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def _panel(title: str, bars: Sequence[Bar], top: float) -> list[str]:
    longest = max((bar.high for bar in bars), default=0) or 1
    scale = (_WIDTH - _LEFT - 80) / longest
    parts = [f'<text class="t" x="10" y="{top + 16}">{escape(title)}</text>']
    for number, bar in enumerate(bars):
        y = top + _HEAD + _ROW * number
        middle, end = y + 8, _LEFT + bar.high * scale
        kind = "m" if bar.name.startswith("medkg") else "o"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{bar.value * scale:.1f}" height="16"/>',
            f'<line x1="{_LEFT + bar.low * scale:.1f}" y1="{middle}" x2="{end:.1f}" y2="{middle}"/>',
            f'<text x="{end + 6:.1f}" y="{y + 12}">{bar.value:,.0f}</text>',
        ]
    return parts
