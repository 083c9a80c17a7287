"""Finds the queries that only count: those whose answer follows from the counts of a version.

``SELECT (COUNT(*) AS ?n) { ?s ?p ?o }``, all properties in use, the number of instances of each class: they
are what people ask first of a graph that they don't know, and to the engine each is a walk through all of it.
Such a query has a single triple pattern, of whose variables all but one are only counted.  The same text then
asks the graph of the counts (:meth:`medkg.store.counts.Counts.store`), and sums where it counted.
"""

from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.namespaces import RDF
from medkg.store.counts import INSTANCES, TRIPLES
from medkg.store.patterns import Pattern, Span, Unreadable, block, edited, extent, written
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["Counting", "counting"]

_WORDS: Final = frozenset(
    {"WHERE", "DISTINCT", "AS", "COUNT", "GROUP", "BY", "HAVING", "ORDER", "ASC", "DESC", "LIMIT", "OFFSET"}
    | {"STR", "STRLEN", "STRSTARTS", "STRENDS", "STRBEFORE", "STRAFTER", "CONTAINS", "REGEX", "REPLACE"}
    | {"LCASE", "UCASE", "ISIRI", "ISURI"}
)
"""Words that may stand around the pattern: none of them tells how often a solution comes, but COUNT."""
_NUMBER: Final = "medkgNumber"


class Counting(NamedTuple):
    """A query on the graph of the counts, and which of ``TRIPLES`` and ``INSTANCES`` it needs."""

    text: str
    kind: ox.NamedNode


class _Asked(NamedTuple):
    """What a pattern stands for in the graph of the counts; *kept* is the variable that stays, or ""."""

    kept: str
    counted: frozenset[str]
    pattern: str
    kind: ox.NamedNode


def counting(text: str, outline: Outline) -> Counting | None:
    """Return what a query on the default graph asks of the counts, or None when it asks for more."""
    tokens = outline.tokens
    if outline.form != "select" or outline.volatile or not _groups(outline):
        return None
    if tokens.texts.count("{") != 1:
        return None
    opening = tokens.texts.index("{")
    head = (outline.start + 1, opening)
    try:
        found = block(tokens, opening + 1)
        behind = found.span[1]
        if len(found.patterns) > 1 or tokens.texts[behind] != "}" or _NUMBER in text:
            return None
        asked = _asked(text, outline, found.patterns[0])
        tail = (behind + 1, len(tokens))
        summed = [*_summed(tokens, head, asked), *_summed(tokens, tail, asked)]
    except (Unreadable, IndexError):
        return None
    if not tokens[outline.start].is_("SELECT"):
        return None
    changes = [(extent(tokens, span), f"SUM(?{_NUMBER})") for span in summed]
    return Counting(edited(text, [*changes, (extent(tokens, found.span), asked.pattern)]), asked.kind)


def _asked(text: str, outline: Outline, pattern: Pattern) -> _Asked:
    """Return what a pattern stands for.

    :raises Unreadable: the counts don't tell.
    """
    tokens = outline.tokens
    subject, predicate, object_ = (_variable(tokens, span) for span in pattern)
    start, behind = pattern.predicate
    if not subject or object_ in {"", subject} or predicate in {subject, object_} or behind > start + 1:
        raise Unreadable
    if predicate:
        return _Asked(predicate, frozenset({subject, object_}), f"?{predicate} {TRIPLES} ?{_NUMBER}", TRIPLES)
    verb = tokens.texts[start]
    if verb == "a" or outline.iri(verb) == str(RDF.type):
        return _Asked(object_, frozenset({subject}), f"?{object_} {INSTANCES} ?{_NUMBER}", INSTANCES)
    return _Asked(
        "",
        frozenset({subject, object_}),
        f"{written(text, tokens, pattern.predicate)} {TRIPLES} ?{_NUMBER}",
        TRIPLES,
    )


def _variable(tokens: Tokens, span: Span) -> str:
    """Return the name of a variable, or "" for anything else."""
    return tokens.texts[span[0]][1:] if tokens.kinds[span[0]] == "variable" else ""


def _summed(tokens: Tokens, span: Span, asked: _Asked) -> list[Span]:
    """Return the places of the counts among some tokens.

    :raises Unreadable: the tokens ask for something that the counts don't tell.
    """
    found, at = list[Span](), span[0]
    while at < span[1]:
        kind, text = tokens.kinds[at], tokens.texts[at]
        if kind == "word" and text.upper() == "COUNT":
            at, sums = _count(tokens, at, asked)
            found += sums
            continue
        if kind == "operator" and text == "*" and not tokens.insides[at]:
            raise Unreadable
        if kind == "word" and text.upper() not in _WORDS:
            raise Unreadable
        if kind == "variable" and (text[1:] in asked.counted or _is_bound_anew(tokens, at, asked)):
            raise Unreadable
        at += 1
    return found


def _is_bound_anew(tokens: Tokens, at: int, asked: _Asked) -> bool:
    """Tell whether the variable that stays is given a value, which is a mistake."""
    return tokens.texts[at][1:] == asked.kept and tokens[at - 1].is_("AS")


def _count(tokens: Tokens, at: int, asked: _Asked) -> tuple[int, list[Span]]:
    """Return the index behind a COUNT, and its place where it becomes a sum.

    :raises Unreadable: it counts something else.
    """
    inner = tokens.texts[at + 1 : at + 5]
    if inner[0] == "(" and inner[2:3] == [")"]:
        variable = inner[1][1:] if inner[1][0] in "?$" else ""
        if inner[1] == "*" or (variable and variable in asked.counted | {asked.kept}):
            return at + 4, [(at, at + 4)]
    distinct = inner[0] == "(" and inner[1].upper() == "DISTINCT" and inner[3:] == [")"]
    if distinct and asked.kept and inner[2] in {f"?{asked.kept}", f"${asked.kept}"}:
        return at + 5, []
    raise Unreadable


def _groups(outline: Outline) -> bool:
    """Tell whether a query has the same answer however often a solution comes, unless it counts them."""
    if outline.words & {"GROUP", "COUNT"}:
        return True
    return "DISTINCT" in outline.words and outline.tokens[outline.start + 1].is_("DISTINCT")
