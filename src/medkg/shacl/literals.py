"""Literals as they are sent: which lexical forms are valid, and how the engine is kept from rewriting them.

The engine keeps a literal by its value: ``"01"^^xsd:integer`` becomes ``1``, ``"5"^^xsd:int`` becomes an
``xsd:integer``.  SHACL judges terms, so a literal that would change is stored *as sent*: with a datatype of
our own that the engine does not know and that names the true one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from rdflib.namespace import XSD
from rdflib.term import Literal, Node, URIRef

__all__ = ["Keep", "as_sent", "as_stored", "lexical_test", "term_text"]

Keep = Callable[[Literal], Literal]
"""Returns a literal in the form in which the engine keeps it."""

SENT: Final = "urn:medkg:as-sent:"
"""What stands before the datatype of a literal that is stored as it was sent."""

_SIGNED: Final = "^[+-]?[0-9]+$"
_ZONE: Final = "(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?$"
_YEAR: Final = "^-?([1-9][0-9]{3,}|0[0-9]{3})"
_MONTH: Final = "(0[1-9]|1[0-2])"
_DAY: Final = "(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = "(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?|24:00:00([.]0+)?)"
_B64: Final = "([A-Za-z0-9+/] ?)"
_PATTERNS: Final[Mapping[str, str]] = {
    "boolean": "^(true|false|0|1)$",
    "integer": _SIGNED,
    "decimal": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$",
    "float": "^([+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([Ee][+-]?[0-9]+)?|[+-]?INF|NaN)$",
    "double": "^([+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([Ee][+-]?[0-9]+)?|[+-]?INF|NaN)$",
    "gYear": _YEAR + _ZONE,
    "gYearMonth": f"{_YEAR}-{_MONTH}{_ZONE}",
    "gMonth": f"^--{_MONTH}{_ZONE}",
    "gDay": f"^---{_DAY}{_ZONE}",
    "gMonthDay": f"^--((0[13578]|1[02])-{_DAY}|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
    + _ZONE,
    "time": f"^{_TIME}{_ZONE}",
    "hexBinary": "^([0-9a-fA-F]{2})*$",
    "base64Binary": f"^({_B64}{{4}})*({_B64}{{2}}[AEIMQUYcgkosw048] ?=|{_B64}[AQgw] ?= ?=)?$",
    "duration": "^-?P([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+([.][0-9]+)?S)?)?$",
    "yearMonthDuration": "^-?P([0-9]+Y)?([0-9]+M)?$",
    "dayTimeDuration": "^-?P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+([.][0-9]+)?S)?)?$",
    "language": "^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$",
    "normalizedString": "^[^\\t\\n\\r]*$",
    "token": "^([^ \\t\\n\\r]+( [^ \\t\\n\\r]+)*)?$",
}
"""The lexical forms of datatypes (XML Schema 1.1 Part 2, section 3), as far as a pattern can tell."""

_CALENDAR: Final[Mapping[str, str]] = {
    "date": f"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}",
    "dateTime": f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}",
    "dateTimeStamp": f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}" + _ZONE.replace(")?$", ")$"),
}
_NUMBERS: Final = frozenset({"integer", "decimal", "float", "double"})
_KNOWN: Final = frozenset({"boolean", "date", "dateTime", "time"})
_RANGES: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 65_535),
    "unsignedByte": (0, 255),
}


def as_sent(literal: Literal, keep: Keep) -> Literal:
    """Return what is stored for *literal*: itself if the engine keeps it, else a form that it can't read."""
    if literal.datatype in {None, XSD.string} or literal.language or keep(literal) == literal:
        return literal
    return Literal(str(literal), datatype=URIRef(SENT + literal.datatype), normalize=False)


def as_stored(term: Node) -> Node:
    """Return the term that :func:`as_sent` was given, for what it returned."""
    if isinstance(term, Literal) and term.datatype is not None and term.datatype.startswith(SENT):
        return Literal(str(term), datatype=URIRef(term.datatype.removeprefix(SENT)), normalize=False)
    return term


def term_text(term: Node) -> str:
    """Return an IRI or a literal as SPARQL writes it, with nothing abbreviated."""
    if isinstance(term, URIRef):
        return f"<{term}>"
    if not isinstance(term, Literal):
        raise TypeError(f"a blank node has no name in a query: {term}")
    text = f'"{_escaped(str(term))}"'
    if term.language:
        return f"{text}@{term.language}"
    return text if term.datatype is None else f"{text}^^<{term.datatype}>"


def _escaped(text: str) -> str:
    for sign, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(sign, escape)
    return text


def lexical_test(datatype: URIRef, value: str) -> str:
    """Return a SPARQL expression: the literal *value*, of that datatype, has a valid form.

    Empty for datatypes whose forms are not judged: every text is one, or nobody knows.
    """
    if not datatype.startswith(str(XSD)):
        return ""
    name, text = str(datatype).removeprefix(str(XSD)), f"STR({value})"
    by_text = _by_text(name, text)
    # What the engine keeps as a number or a day is valid; patterns are for what it does not know.
    known = f"COALESCE(<{datatype}>({value}) = {value}, false)" if name in _KNOWN else ""
    known = f"isNumeric({value})" if name in _NUMBERS else known
    return f"({known} || ({by_text}))" if known else by_text


def _by_text(name: str, text: str) -> str:
    if name in _RANGES:
        return " && ".join([_matches(text, _SIGNED), *_bounds(name, text)])
    if name in _CALENDAR:
        return f"{_matches(text, _CALENDAR[name])} && {_is_day(text)}"
    if name.endswith("uration") and name in _PATTERNS:
        return f"{_matches(text, _PATTERNS[name])} && {_matches(text, '[0-9][YMDHS]$')}"
    return _matches(text, _PATTERNS[name]) if name in _PATTERNS else ""


def _is_day(text: str) -> str:
    """Return an expression: the month has that day; a pattern alone allows a 30th of February."""
    day = f'<{XSD.date}>(REPLACE({text}, "^(-?[0-9]+-[0-9]{{2}}-[0-9]{{2}}).*$", "$1"))'
    return f"COALESCE({day} = {day}, false)"


def _matches(text: str, pattern: str) -> str:
    return f"REGEX({text}, {term_text(Literal(pattern))})"


def _bounds(name: str, text: str) -> Iterator[str]:
    """Yield the bounds of a derived type as expressions; a number too long for it is out of 64 bits."""
    low, high = _RANGES[name]
    number, negative = f"<{XSD.decimal}>({text})", f'STRSTARTS({text}, "-")'
    if low is not None:
        yield f"COALESCE({number} >= {low}, {'false' if high is not None else '!' + negative})"
    if high is not None:
        yield f"COALESCE({number} <= {high}, {'false' if low is not None else negative})"
