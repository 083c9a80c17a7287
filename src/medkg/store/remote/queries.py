"""Texts on their way to another server: what they are, the prefixes they take for granted, and bound values.

A server may run an update that is sent to its query address, has built-in functions of its own, and knows
none of medkg's prefixes.  All of that is settled here, before anything is sent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple, cast

from rdflib.term import URIRef

from medkg.domain.errors import NotSupported, ParameterError, QueryRefused, QuerySyntaxError
from medkg.domain.model import Term
from medkg.domain.namespaces import PREFIXES
from medkg.store.labels import PREDICATES
from medkg.store.terms import to_ox
from medkg.store.tokens import Token, place, read

__all__ = [
    "COUNTS",
    "GRAPHS",
    "Form",
    "Prepared",
    "construct",
    "dataset",
    "labels",
    "pattern",
    "prepare",
    "prepare_update",
    "some",
    "term_text",
]

Form = Literal["select", "ask", "construct", "describe"]

GRAPHS: Final = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"
"""Asks for the names of the graphs."""
COUNTS: Final = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
"""Asks for the names of the graphs, and how many triples each has."""

_FORMS: Final = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UCHAR: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_LAST_CHARACTER: Final = 0x10FFFF
# Virtuoso (bif, sql) and Jena (java) run code of the server under these schemes.
_BUILT_IN: Final = re.compile(r"<\s*(bif|sql|java)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query as it is sent: *shift* lines stand in front of the text that was given.

    *limit* is the number of rows that it asks for itself.  *rows* is the SELECT of the same pattern, for the
    forms that give triples (None where there is no pattern).
    """

    form: Form
    text: str
    shift: int = 0
    limit: int | None = None
    rows: str | None = None


def prepare(text: str, bindings: Mapping[str, Term] | None = None) -> Prepared:
    """Return a query with medkg's prefixes, and with *bindings* joined in front of its outermost pattern.

    A bound value reaches every part of the outermost group and whatever is joined to it; a filter that stands
    in a group of its own sees it only when a pattern of that group binds the variable.

    :raises QuerySyntaxError: it is none of the four forms of a query, or its tokens can't be told.
    :raises QueryRefused: it names a function that is built into a server.
    :raises NotSupported: a value is a blank node.
    """
    _refuse_built_in(text)
    tokens = _tokens(text)
    first, head = _head(text, tokens)
    form = cast("Form", tokens[first].text.lower())
    text = head.text + (_bound(text, tokens, first, _block(bindings)) if bindings else text)
    rows = _rows(text) if form in {"construct", "describe"} else None
    return Prepared(form, text, head.lines, _limit(tokens), rows)


def prepare_update(text: str) -> tuple[str, int]:
    """Return an update with medkg's prefixes, and the number of lines put in front.

    :raises QueryRefused: it names a function that is built into a server.
    """
    _refuse_built_in(text)
    declared = _declared(_tokens(text))[1]
    head = _prefixes(text, declared)
    return head.text + text, head.lines


def term_text(term: Term) -> str:
    """Return a term as SPARQL writes it, whatever characters it holds.

    :raises NotSupported: it is a blank node, which another server can't be asked about.
    :raises ParameterError: it is no term of RDF, such as an IRI with a space.
    """
    try:
        text = str(to_ox(term))
    except ValueError:
        raise ParameterError(
            "term", f"{str(term)[:200]!r} is no IRI.", remedy="Write an absolute IRI."
        ) from None
    if text.startswith("_:"):
        raise NotSupported("A blank node of another server has no name to ask about.")
    return text


def _block(bindings: Mapping[str, Term]) -> str:
    """Return the VALUES block with one value for each variable."""
    for name in bindings:
        if not _VARIABLE.fullmatch(name):
            raise ParameterError(name, f"{name[:100]!r} is no name of a variable.")
    names = " ".join(f"?{name}" for name in bindings)
    values = " ".join(term_text(term) for term in bindings.values())
    return f" VALUES ({names}) {{ ({values}) }} "


def pattern(terms: Mapping[str, Term | None], *, without: str | None = None) -> str:
    """Return the SELECT for the quads with these terms (by the variables s, p, o and g; None: any).

    Its columns are the variables that are open.  Graphs called *without* are left out.
    """
    place = {name: f"?{name}" if term is None else term_text(term) for name, term in terms.items()}
    open_ = " ".join(f"?{name}" for name, term in terms.items() if term is None) or "(1 AS ?found)"
    apart = "" if without is None else f" FILTER({place['g']} != {term_text(URIRef(without))})"
    return f"SELECT {open_} {{ GRAPH {place['g']} {{ {place['s']} {place['p']} {place['o']} }}{apart} }}"


def labels(terms: Iterable[object]) -> str:
    """Return the SELECT for what labels (?l, by ?p) these terms of the engine (?t) have."""
    asked = " ".join(map(str, terms))
    names = " ".join(str(name) for name in PREDICATES)
    return f"SELECT ?t ?p ?l {{ VALUES ?t {{ {asked} }} VALUES ?p {{ {names} }} ?t ?p ?l }}"


def construct(graph: str | None) -> Prepared:
    """Return the CONSTRUCT of a whole graph."""
    triples = "?s ?p ?o"
    where = triples if graph is None else f"GRAPH {term_text(URIRef(graph))} {{ {triples} }}"
    rows = f"SELECT * {{ {where} }}"
    return Prepared("construct", f"CONSTRUCT {{ {triples} }} WHERE {{ {where} }}", rows=rows)


def dataset(*, plain: bool) -> str:
    """Return the SELECT for the quads of all named graphs; with *plain* those of the default one too."""
    quads = "GRAPH ?g { ?s ?p ?o }"
    where = f"{{ ?s ?p ?o }} UNION {{ {quads} }}" if plain else quads
    return f"SELECT ?s ?p ?o ?g {{ {where} }}"


def some(graph: str) -> str:
    """Return the SELECT for one triple of a graph."""
    return f"SELECT ?s {{ GRAPH {term_text(URIRef(graph))} {{ ?s ?p ?o }} }} LIMIT 1"


def _tokens(text: str) -> Sequence[Token]:
    """Return the tokens, of which every engine must see the same.

    :raises QuerySyntaxError: another may see others.
    """
    reading = read(text)
    if reading.doubt is None:
        return reading.tokens
    raise _syntax_error(
        text, reading.doubt, "Look at that place and just before it: an open bracket or quote?"
    )


def _syntax_error(text: str, offset: int, remedy: str) -> QuerySyntaxError:
    line, column = place(text, offset)
    return QuerySyntaxError(
        f"The query does not parse at line {line}, column {column}.", line=line, column=column, remedy=remedy
    )


class _Head(NamedTuple):
    text: str
    lines: int


def _head(text: str, tokens: Sequence[Token]) -> tuple[int, _Head]:
    """Return the place of the word that says what form of query this is, and the declarations it lacks."""
    first, declared = _declared(tokens)
    if first < len(tokens) and tokens[first].is_(*_FORMS):
        return first, _prefixes(text, declared)
    offset = tokens[first].start if first < len(tokens) else len(text)
    raise _syntax_error(
        text,
        offset,
        "A query begins with SELECT, ASK, CONSTRUCT or DESCRIBE, behind its BASE and PREFIX lines.",
    )


def _declared(tokens: Sequence[Token]) -> tuple[int, set[str]]:
    """Return where the prologue ends, and the prefixes that it declares."""
    at, declared = 0, set()
    while at < len(tokens):
        following = tokens[at + 1 : at + 3]
        kinds = [token.kind for token in following]
        if tokens[at].is_("PREFIX") and kinds == ["name", "iri"]:
            declared.add(following[0].text.rstrip(":"))
            at += 3
        elif tokens[at].is_("BASE") and kinds[:1] == ["iri"]:
            at += 2
        else:
            break
    return at, declared


def _prefixes(text: str, declared: set[str]) -> _Head:
    lacking = [name for name in PREFIXES if name not in declared and f"{name}:" in text]
    if not lacking:
        return _Head("", 0)
    return _Head(" ".join(f"PREFIX {name}: <{PREFIXES[name]}>" for name in lacking) + "\n", 1)


def _bound(text: str, tokens: Sequence[Token], first: int, values: str) -> str:
    """Return the text with a VALUES block at the start of its outermost group."""
    opening = _group(tokens, first)
    if opening is None:
        raise ParameterError("bindings", "The query has no group whose variables could be bound.")
    if tokens[first].is_("CONSTRUCT") and not _opens(tokens, first + 1):
        # The short form takes nothing but triples between its braces.
        return text + "\n" + values
    start = tokens[opening].start + 1
    if tokens[opening + 1].is_("SELECT"):
        end = tokens[_closing(tokens, opening)].start
        return text[:start] + values + "{" + text[start:end] + "}" + text[end:]
    return text[:start] + values + text[start:]


def _opens(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a brace opens there outside of all others."""
    return at < len(tokens) and tokens[at].text == "{" and tokens[at].kind == "open" and not tokens[at].inside


def _group(tokens: Sequence[Token], first: int) -> int | None:
    """Return the place of the brace that opens the outermost pattern, behind the template of a CONSTRUCT."""
    start = first + 1
    if tokens[first].is_("CONSTRUCT") and _opens(tokens, start):
        start = _closing(tokens, start) + 1
    return next((at for at in range(start, len(tokens)) if _opens(tokens, at)), None)


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Return the place of the brace that closes an outermost one; there is one where nothing is in doubt."""
    rest = range(opening + 1, len(tokens))
    return next(at for at in rest if tokens[at].kind == "close" and not tokens[at].inside)


def _limit(tokens: Sequence[Token]) -> int | None:
    """Return the number of rows that the query asks for, at its outermost level."""
    for before, token in pairwise(tokens):
        if not before.inside and before.is_("LIMIT") and token.text.isdecimal():
            return int(token.text)
    return None


def _rows(text: str) -> str | None:
    """Return the SELECT whose rows a CONSTRUCT or DESCRIBE makes its triples of."""
    tokens = _tokens(text)
    first, _ = _declared(tokens)
    opening = _group(tokens, first)
    if opening is None:
        return None
    end = tokens[first].start + len(tokens[first].text)
    if tokens[first].is_("CONSTRUCT"):
        if _opens(tokens, first + 1):
            end = tokens[_closing(tokens, first + 1)].start + 1
    else:
        rest = range(first + 1, opening + 1)
        end = next(tokens[at].start for at in rest if at == opening or tokens[at].is_("FROM", "WHERE"))
    return f"{text[: tokens[first].start]}SELECT * {text[end:]}"


def _refuse_built_in(text: str) -> None:
    found = _BUILT_IN.search(_UCHAR.sub(_character, text))
    if found is not None:
        raise QueryRefused(
            f"Names under {found[1].lower()}: call what is built into a server, and are not allowed.",
            remedy="Use the functions of SPARQL 1.1.",
        )


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code <= _LAST_CHARACTER else match[0]
