"""Property paths of shapes (SHACL, section 2.3.1)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rdflib import Graph
from rdflib.namespace import RDF, SH
from rdflib.term import BNode, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.domain.namespaces import compact

__all__ = ["Kind", "Path", "items", "read_path"]


class Kind(Enum):
    """The forms of a path; the value is how SPARQL writes one around what it is made of."""

    PREDICATE = "{}"
    INVERSE = "^{}"
    SEQUENCE = "/"
    ALTERNATIVE = "|"
    ZERO_OR_MORE = "{}*"
    ONE_OR_MORE = "{}+"
    ZERO_OR_ONE = "{}?"


_DEPTH: Final = 30
"""Forms of a path within each other, which the engine reads by recursion; people write three."""
_LENGTH: Final = 100
_LISTS: Final = frozenset({Kind.SEQUENCE, Kind.ALTERNATIVE})
_UNARY: Final[Mapping[URIRef, Kind]] = {
    SH.inversePath: Kind.INVERSE,
    SH.zeroOrMorePath: Kind.ZERO_OR_MORE,
    SH.oneOrMorePath: Kind.ONE_OR_MORE,
    SH.zeroOrOnePath: Kind.ZERO_OR_ONE,
}


@dataclass(frozen=True, slots=True)
class Path:
    """A property path: a predicate, or a form around other paths."""

    kind: Kind
    parts: "tuple[Path, ...]" = ()
    predicate: URIRef | None = None

    def sparql(self) -> str:
        """Return the path as SPARQL 1.1 writes it, with whole IRIs."""
        return _write(self, lambda predicate: f"<{predicate}>")

    def __str__(self) -> str:
        """Return the path as SPARQL 1.1 writes it, with prefixed names where medkg has a prefix."""
        return _write(self, lambda predicate: compact(str(predicate)))

    @property
    def is_simple(self) -> bool:
        """Tell whether the path is one predicate."""
        return self.predicate is not None


def _write(path: Path, name: Callable[[URIRef], str]) -> str:
    if path.predicate is not None:
        return name(path.predicate)
    texts = [_write(part, name) for part in path.parts]
    if path.kind in _LISTS:
        grouped = [
            f"({text})" if part.kind in _LISTS else text for part, text in zip(path.parts, texts, strict=True)
        ]
        return str(path.kind.value).join(grouped)
    return str(path.kind.value).format(texts[0] if path.parts[0].is_simple else f"({texts[0]})")


def read_path(graph: Graph, node: Node) -> Path:
    """Return the path that *node* of a shapes graph stands for.

    :raises ShapesRefused: it is none, or contains itself.
    """
    return _read(graph, node, frozenset())


def _read(graph: Graph, node: Node, within: frozenset[Node]) -> Path:
    if isinstance(node, URIRef):
        return Path(Kind.PREDICATE, predicate=node)
    if not isinstance(node, BNode) or node in within:
        raise ShapesRefused(f"{node} is no property path.")
    within = within | {node}
    if len(within) > _DEPTH:
        raise ShapesRefused(f"A property path is nested more than {_DEPTH} times.")
    if (node, RDF.first, None) in graph:
        return Path(Kind.SEQUENCE, _several(graph, node, within))
    forms = [(form, value) for _, form, value in graph.triples((node, None, None))]
    if len(forms) == 1:
        form, value = forms[0]
        if form == SH.alternativePath:
            return Path(Kind.ALTERNATIVE, _several(graph, value, within))
        if isinstance(form, URIRef) and form in _UNARY:
            return Path(_UNARY[form], (_read(graph, value, within),))
    raise ShapesRefused("A property path is written in a way that SHACL does not know.")


def _several(graph: Graph, head: Node, within: frozenset[Node]) -> tuple[Path, ...]:
    parts = tuple(_read(graph, item, within) for item in items(graph, head))
    if len(parts) < 2:  # noqa: PLR2004 - a sequence and an alternative have two members or more
        raise ShapesRefused("A list in a property path has fewer than two members.")
    if len(parts) > _LENGTH:
        raise ShapesRefused(f"A list in a property path has more than {_LENGTH} members.")
    return parts


def items(graph: Graph, head: Node) -> Iterator[Node]:
    """Yield the members of an RDF list.

    :raises ShapesRefused: it is no well-formed list (SHACL, section 1.4).
    """
    seen: set[Node] = set()
    while head != RDF.nil:
        first, rest = list(graph.objects(head, RDF.first)), list(graph.objects(head, RDF.rest))
        if len(first) != 1 or len(rest) != 1 or head in seen:
            raise ShapesRefused(f"A list in the shapes is broken (at {head}).")
        seen.add(head)
        yield first[0]
        head = rest[0]
