"""Validation results, and the report that they make (SHACL, section 3.6)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from rdflib.namespace import RDF, SH, XSD
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.shacl.paths import Kind, Path

__all__ = ["Result", "Statement", "fill", "report"]

Statement = tuple[Node, URIRef, Node]
"""A triple of a report."""

_FORMS: Final[Mapping[Kind, URIRef]] = {
    Kind.INVERSE: SH.inversePath,
    Kind.ZERO_OR_MORE: SH.zeroOrMorePath,
    Kind.ONE_OR_MORE: SH.oneOrMorePath,
    Kind.ZERO_OR_ONE: SH.zeroOrOnePath,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result; *shape* and *constraint* are nodes of the shapes graph.

    *path* is None for a node shape, *value* where there is no value node, *constraint* where the constraint
    is no query.  *details* are results for the shapes that the value node should have conformed to.
    """

    focus: Node
    path: Path | None
    value: Node | None
    shape: Node
    component: URIRef
    severity: URIRef
    messages: tuple[Literal, ...] = ()
    constraint: Node | None = None
    details: tuple["Result", ...] = ()


def fill(messages: Iterable[Literal], values: Mapping[str, Node]) -> tuple[Literal, ...]:
    """Return messages with the values of the variables that they show (SHACL, section 5.2.1)."""

    def value(found: re.Match[str]) -> str:
        return str(values[found[1]]) if found[1] in values else found[0]

    return tuple(
        Literal(re.sub(r"\{[?$](\w+)\}", value, message), lang=message.language) for message in messages
    )


def report(results: Iterable[Result]) -> list[Statement]:
    """Return the triples of the ``sh:ValidationReport`` of *results*, those of one node beside each other."""
    found = list(results)
    writer = _Writer(found)
    head = writer.node()
    nodes = [writer.add(result) for result in found]
    conforms = Literal("false" if found else "true", datatype=XSD.boolean)
    return [
        (head, RDF.type, SH.ValidationReport),
        (head, SH.conforms, conforms),
        *((head, SH.result, node) for node in nodes),
        *writer.triples,
    ]


def _terms(result: Result) -> Iterator[Node | None]:
    yield from (result.focus, result.value, result.shape, result.constraint)
    for detail in result.details:
        yield from _terms(detail)


class _Writer:
    """Collects the triples of results; blank nodes are numbered as they come."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.triples: list[Statement] = []
        taken = {term for result in results for term in _terms(result) if isinstance(term, BNode)}
        self._nodes = (node for number in count(1) if (node := BNode(f"r{number}")) not in taken)

    def node(self) -> BNode:
        """Return a blank node that no result speaks of."""
        return next(self._nodes)

    def add(self, result: Result) -> BNode:
        node = self.node()
        fields: dict[URIRef, Node | None] = {
            SH.resultSeverity: result.severity,
            SH.focusNode: result.focus,
            SH.resultPath: None if result.path is None else self._path(result.path),
            SH.value: result.value,
            SH.sourceShape: result.shape,
            SH.sourceConstraint: result.constraint,
            SH.sourceConstraintComponent: result.component,
        }
        details = [self.add(detail) for detail in result.details]
        self.triples.append((node, RDF.type, SH.ValidationResult))
        self.triples += [(node, name, value) for name, value in fields.items() if value is not None]
        self.triples += [(node, SH.resultMessage, message) for message in result.messages]
        self.triples += [(node, SH.detail, detail) for detail in details]
        return node

    def _path(self, path: Path) -> Node:
        """Add the triples of a path; each result has some of its own (section 3.6.2.3)."""
        if path.predicate is not None:
            return path.predicate
        parts = [self._path(part) for part in path.parts]
        if path.kind is Kind.SEQUENCE:
            return self._list(parts)
        node = self.node()
        if path.kind is Kind.ALTERNATIVE:
            self.triples.append((node, SH.alternativePath, self._list(parts)))
        else:
            self.triples.append((node, _FORMS[path.kind], parts[0]))
        return node

    def _list(self, members: list[Node]) -> Node:
        head: Node = RDF.nil
        for member in reversed(members):
            node = self.node()
            self.triples += [(node, RDF.first, member), (node, RDF.rest, head)]
            head = node
        return head
