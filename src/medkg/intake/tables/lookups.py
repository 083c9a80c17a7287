"""The names in a cell: where it is cut, what each piece means, and what else it may have meant."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from medkg.intake.roadmap.regions import Regions, Split
from medkg.intake.tables.names import Candidate, Names

__all__ = ["Lookups", "Named", "Reading"]

_BREAK: Final = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011][ \n]+(?=[^\W\d_])")
_TIGHT: Final = re.compile(r",(?=[^\s\d])")
_COMMA: Final = re.compile(r"\s*,\s*")


@dataclass(frozen=True, slots=True)
class Named:
    """A piece of a cell, and what it may mean."""

    text: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The pieces of a cell; *mended* says that they are spelt otherwise there."""

    names: tuple[Named, ...]
    mended: bool


class Lookups:
    """Looks cells up among *names*, each text once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._cutters: dict[str, Regions] = {}
        self._readings: dict[tuple[str, str], Reading] = {}
        self._near: dict[tuple[str, str], str] = {}

    def one(self, kind: str, text: str) -> tuple[Candidate, ...]:
        """Return what the whole of *text* may mean."""
        return self._names.find(kind, text)

    def read(self, kind: str, text: str) -> Reading:
        """Return what the pieces of a cell mean.

        Slashes, semicolons and bars separate names, commas, "and" and line breaks do where names stand around
        them; not those that an official name holds itself.  A hyphen before a break may have broken a name:
        of all ways to read the cell, the one with the fewest unknown names is right.
        """
        key = kind, text
        if key not in self._readings:
            self._readings[key] = self._read(kind, text)
        return self._readings[key]

    def near(self, kind: str, text: str) -> str:
        """Return a list of things whose names look like *text*, "" when there are none."""
        key = kind, text
        if key not in self._near:
            self._near[key] = " / ".join(map(str, self._names.near(kind, text)))
        return self._near[key]

    def _read(self, kind: str, text: str) -> Reading:
        cutter = self._cutters.setdefault(kind, Regions(lambda name: name if self.one(kind, name) else None))
        tight = _TIGHT.sub(", ", text)
        best: tuple[tuple[int, int], Split, bool] | None = None
        for variant, mended in _variants(tight):
            split = cutter.split(variant)
            unknown = split.codes.count(None)
            merit = unknown, unknown - len(split.codes)
            if best is None or merit < best[0]:
                best = merit, split, mended
        names = tuple(self._pieces(kind, best[1])) if best else ()
        respelt = bool(best and (best[2] or best[1].aliases))
        return Reading(names, respelt)

    def _pieces(self, kind: str, split: Split) -> Iterator[Named]:
        seen: set[str] = set()
        for name in split.names:
            found = self.one(kind, name)
            parts = _COMMA.split(name) if not found and "," in name else []
            known: Mapping[str, tuple[Candidate, ...]] = {
                part: self.one(kind, part) for part in parts if part
            }
            for piece, candidates in known.items() if any(known.values()) else ((name, found),):
                if piece not in seen:
                    seen.add(piece)
                    yield Named(piece, candidates)


def _variants(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the ways in which breaks can be read, the likeliest first, and whether one mended a word."""
    hyphens = ("", "-") if _BREAK.search(text) else (None,)
    lines = (" ", " / ") if "\n" in text else (None,)
    for hyphen, line in product(hyphens, lines):
        whole = text if hyphen is None else _BREAK.sub(hyphen, text)
        yield (whole if line is None else whole.replace("\n", line)), hyphen is not None
    if hyphens[0] is not None:
        yield text.replace("\n", " "), False
