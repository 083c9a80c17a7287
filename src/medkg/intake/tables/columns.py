"""The columns that a table of innovation actions may have, read from ``columns.toml``."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import chain
from typing import Final, Literal, Self, cast

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA
from rdflib.term import URIRef

from medkg.domain.namespaces import PREFIXES
from medkg.domain.naming import fold

__all__ = ["Column", "ColumnMap", "Heading", "Kind"]

Kind = Literal["id", "text", "language", "month", "period", "name", "level", "address"]

_NOTE: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_TAGGED: Final = re.compile(
    r"(?P<heading>.*?)\s*(?:[\s_@:/-]|[(\[])\s*(?P<tag>[^\W\d_]{2,12})\s*[)\]]?\s*", re.DOTALL
)
_ONE_SLIP: Final = 5
_TWO_SLIPS: Final = 8
"""From so many letters on one slip, or two, are no other word."""
_CLOSE_ENOUGH: Final = 65
_LONGEST: Final = 120
"""What is longer is no heading."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as ``columns.toml`` describes it."""

    key: str
    kind: Kind
    headings: Mapping[str, tuple[str, ...]]
    predicate: URIRef | None = None
    class_: str = ""
    required: bool = False
    many: bool = False
    fill: bool = False
    continues: bool = False
    lines: bool = False
    prefer: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The English name of the column."""
        return next(iter(self.headings.values()))[0]


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading says: its column, the language of its texts ("" when it says none), a correction.

    *corrected* is the heading that was meant when it is misspelt.
    """

    column: Column
    language: str = ""
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """All columns; finds them by their headings."""

    columns: tuple[Column, ...]
    sheets: frozenset[str]
    languages: Mapping[str, str]
    _by_heading: Mapping[str, tuple[Column, str]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """Read ``columns.toml``."""
        text = files("medkg.intake.tables").joinpath("columns.toml").read_text(encoding="utf-8")
        content = tomllib.loads(text)
        columns = tuple(_column(key, entry) for key, entry in content["columns"].items())
        by_heading: dict[str, tuple[Column, str]] = {}
        for column in columns:
            for heading in chain.from_iterable(column.headings.values()):
                by_heading.setdefault(fold(heading), (column, heading))
        languages = {fold(name): tag for tag, names in content["languages"].items() for name in names}
        return cls(columns, frozenset(map(fold, content["sheets"])), languages, by_heading)

    def read(self, text: str) -> Heading | None:
        """Return what a heading says; None when it is none of ours."""
        if len(text) > _LONGEST:
            return None
        plain = _NOTE.sub(" ", text)
        for shown in (text, plain):
            if found := self._by_heading.get(fold(shown)):
                return self._tagged(found[0], text)
        tagged = _TAGGED.fullmatch(text)
        if (
            tagged
            and fold(tagged["tag"]) in self.languages
            and (found := self._by_heading.get(fold(tagged["heading"])))
        ):
            return Heading(found[0], self.languages[fold(tagged["tag"])])
        return self._misspelt(plain)

    def near(self, text: str) -> str:
        """Return the heading that *text* looks most like, "" when it looks like none."""
        close = process.extractOne(
            fold(text[:_LONGEST]), self._by_heading.keys(), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH
        )
        return self._by_heading[close[0]][1] if close else ""

    def language(self, text: str) -> str:
        """Return the tag of a language by its tag or name; "" when it is none that we know."""
        return self.languages.get(fold(text), "")

    def _tagged(self, column: Column, text: str) -> Heading:
        """Return the heading with the language that its note says: "Title (pl)"."""
        notes = (note.strip("()[] ") for note in _NOTE.findall(text))
        return Heading(column, next(filter(None, map(self.language, notes)), ""))

    def _misspelt(self, text: str) -> Heading | None:
        """Return the one column that has a heading so much like *text* that only its spelling is wrong."""
        folded = fold(text)
        slips = (len(folded) >= _ONE_SLIP) + (len(folded) >= _TWO_SLIPS)
        close = process.extract(
            folded, self._by_heading.keys(), scorer=OSA.distance, score_cutoff=slips, limit=None
        )
        if not slips or not close:
            return None
        least = min(distance for _, distance, _ in close)
        found = [self._by_heading[name] for name, distance, _ in close if distance == least]
        one = {column.key for column, _ in found}
        return Heading(found[0][0], corrected=found[0][1]) if len(one) == 1 else None


def _column(key: str, entry: Mapping[str, object]) -> Column:
    headings = cast("Mapping[str, list[str]]", entry["headings"])
    options = {name: bool(entry.get(name)) for name in ("required", "many", "fill", "continues", "lines")}
    return Column(
        key,
        cast("Kind", entry["kind"]),
        {language: tuple(names) for language, names in headings.items()},
        predicate=_iri(str(entry["property"])) if "property" in entry else None,
        class_=str(entry.get("class", "")),
        prefer=tuple(cast("list[str]", entry.get("prefer", []))),
        **options,
    )


def _iri(name: str) -> URIRef:
    prefix, _, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local)
