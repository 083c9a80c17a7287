"""The answers of a SPARQL service as plain values, and when two of them are the same."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = [
    "XSD",
    "Blank",
    "Iri",
    "Row",
    "Statement",
    "Table",
    "Term",
    "Text",
    "by_value",
    "difference",
    "isomorphic",
]

XSD: Final = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True, slots=True)
class Iri:
    """An IRI."""

    value: str

    def __str__(self) -> str:
        return f"<{self.value}>"


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank node; the label means something within one document alone."""

    label: str

    def __str__(self) -> str:
        return f"_:{self.label}"


@dataclass(frozen=True, slots=True)
class Text:
    """A literal; a language tag stands in small letters (RDF 1.1 Concepts, section 3.3)."""

    value: str
    datatype: str = XSD + "string"
    language: str = ""
    direction: str = ""

    def __str__(self) -> str:
        tag = f"@{self.language}" + (f"--{self.direction}" if self.direction else "")
        return f'"{self.value}"' + (tag if self.language else f"^^<{self.datatype}>")


@dataclass(frozen=True, slots=True)
class Statement:
    """A triple term (RDF 1.2 Concepts, section 3.1)."""

    subject: "Term"
    predicate: "Term"
    object: "Term"

    def __str__(self) -> str:
        return f"<<( {self.subject} {self.predicate} {self.object} )>>"


Term = Iri | Blank | Text | Statement
Row = tuple[Term | None, ...]
"""A solution in the order of its variables (None: unbound), a triple, or a quad."""


@dataclass(frozen=True, slots=True)
class Table:
    """The solutions of a SELECT in the order in which they came."""

    variables: tuple[str, ...]
    rows: tuple[Row, ...]

    def sorted_by_name(self) -> "Table":
        """Return the same solutions with the variables in alphabetical order, which has no meaning."""
        order = sorted(range(len(self.variables)), key=lambda column: self.variables[column])
        names = tuple(self.variables[column] for column in order)
        return Table(names, tuple(tuple(row[column] for column in order) for row in self.rows))

    def numbered(self) -> tuple[Row, ...]:
        """Return the rows with their place in front, so that equal bags have an equal order too."""
        return tuple((Text(str(place)), *row) for place, row in enumerate(self.rows))


_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DOUBLE: Final = re.compile(_DECIMAL.pattern + r"(?:[eE][+-]?[0-9]+)?|-?INF|NaN")
_INTEGERS: Final = frozenset(
    XSD + name
    for name in (
        *("integer", "nonPositiveInteger", "negativeInteger", "nonNegativeInteger", "positiveInteger"),
        *("long", "int", "short", "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)


def by_value(term: Term | None) -> Term | None:
    """Return the term with a number or truth value in one spelling; the datatype stays.

    The spelling of what a query computes is free (``2.20`` or ``2.2``), so the suites are compared by value.
    What must differ in spelling, such as DISTINCT ``1`` and ``01``, differs in the number of rows.
    """
    if isinstance(term, Statement):
        parts = (by_value(part) for part in (term.subject, term.predicate, term.object))
        return Statement(*parts)  # type: ignore[arg-type]
    if not isinstance(term, Text):
        return term
    spelling = _spelling(term.value, term.datatype)
    return Text(spelling, term.datatype, term.language, term.direction)


def _spelling(value: str, datatype: str) -> str:
    """Return the one spelling of a value; an ill-typed literal is nothing but its characters."""
    if datatype in _INTEGERS and _INTEGER.fullmatch(value):
        return str(int(value))
    if datatype == XSD + "decimal" and _DECIMAL.fullmatch(value):
        return format(Decimal(value).normalize(), "f")
    if datatype in {XSD + "double", XSD + "float"} and _DOUBLE.fullmatch(value):
        return repr(float(value))
    if datatype == XSD + "boolean":
        return {"1": "true", "0": "false"}.get(value, value)
    return value


def difference(expected: Iterable[Row], found: Iterable[Row]) -> str:
    """Return the rows that stand on one side alone; the labels of blank nodes are shown and not compared."""
    lines = []
    sides = (("missing", expected, found), ("too many", found, expected))
    for title, some, others in sides:
        left = Counter(map(_nameless, others))
        for row in some:
            left[_nameless(row)] -= 1
            if left[_nameless(row)] < 0:
                lines.append(f"{title}: " + " ".join("-" if term is None else str(term) for term in row))
    return "\n".join(lines) or "the same but for the order, or for which blank node is which"


def _nameless(row: Row) -> Row:
    return tuple(Blank("") if isinstance(term, Blank) else term for term in row)


def isomorphic(left: Iterable[Row], right: Iterable[Row]) -> bool:
    """Tell whether two bags of rows are the same but for the labels of their blank nodes."""
    return _match(Counter(left), Counter(right), {}, {})


def _match(
    left: Counter[Row], right: Counter[Row], told: Mapping[Blank, int], told_right: Mapping[Blank, int]
) -> bool:
    ours, theirs = _colours(left, told), _colours(right, told_right)
    if Counter(ours.values()) != Counter(theirs.values()):
        return False
    shared = [blank for blank, colour in ours.items() if list(ours.values()).count(colour) > 1]
    if not shared:
        names = {colour: blank for blank, colour in theirs.items()}
        return _renamed(left, {blank: names[colour] for blank, colour in ours.items()}) == right
    # Blank nodes that look alike: take one and try which of the other side it can be.
    first = min(shared, key=lambda blank: blank.label)
    mark = len(told) + 1
    return any(
        _match(left, right, {**told, first: mark}, {**told_right, other: mark})
        for other, colour in theirs.items()
        if colour == ours[first]
    )


def _colours(rows: Counter[Row], told: Mapping[Blank, int]) -> dict[Blank, int]:
    """Return a number for each blank node that depends on what is said of it, not on its label."""
    around: dict[Blank, list[tuple[Row, int]]] = {}
    for row, times in rows.items():
        for blank in set(_blanks(row)):
            around.setdefault(blank, []).append((row, times))
    colours = {blank: told.get(blank, 0) for blank in around}
    while True:
        finer = {
            blank: hash((colours[blank], *sorted(_signature(row, blank, colours, n) for row, n in places)))
            for blank, places in around.items()
        }
        if len(set(finer.values())) == len(set(colours.values())):
            return finer
        colours = finer


def _signature(row: Sequence[Term | None], blank: Blank, colours: Mapping[Blank, int], times: int) -> int:
    def seen(term: Term | None) -> object:
        if isinstance(term, Statement):
            return (seen(term.subject), seen(term.predicate), seen(term.object))
        if isinstance(term, Blank):
            return (term == blank, colours[term])
        return term

    return hash((times, *(seen(term) for term in row)))


def _blanks(row: Iterable[Term | None]) -> Iterable[Blank]:
    for term in row:
        if isinstance(term, Blank):
            yield term
        elif isinstance(term, Statement):
            yield from _blanks((term.subject, term.predicate, term.object))


def _renamed(rows: Counter[Row], names: Mapping[Blank, Blank]) -> Counter[Row]:
    def rename(term: Term | None) -> Term | None:
        if isinstance(term, Statement):
            return Statement(*(rename(part) for part in (term.subject, term.predicate, term.object)))  # type: ignore[arg-type]
        return names[term] if isinstance(term, Blank) else term

    renamed: Counter[Row] = Counter()
    for row, times in rows.items():
        renamed[tuple(rename(term) for term in row)] += times
    return renamed
