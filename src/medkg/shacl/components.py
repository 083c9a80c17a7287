"""The constraint components of SHACL (section 4, and 5 and 6 for SPARQL): their parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rdflib import Graph
from rdflib.namespace import SH, XSD
from rdflib.term import Literal as RdfLiteral
from rdflib.term import Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.paths import items

__all__ = ["COMPONENTS", "Component", "count_of", "is_true", "known_terms"]

_Takes = Literal[
    "iri", "count", "literal", "text", "flag", "shape", "shapes", "list", "texts", "iris", "term", "query"
]
_NODE_KINDS: Final = frozenset(
    {SH.BlankNode, SH.IRI, SH.Literal, SH.BlankNodeOrIRI, SH.BlankNodeOrLiteral, SH.IRIOrLiteral}
)


@dataclass(frozen=True, slots=True)
class Component:
    """A constraint component: its IRI, its first parameter, what that takes, and the other parameters.

    *once*: a shape has at most one; *needs_path*: only a property shape has it; *counted*: the one of *more*
    without which there is no constraint.
    """

    iri: URIRef
    parameter: URIRef
    takes: _Takes
    more: tuple[URIRef, ...] = ()
    once: bool = False
    needs_path: bool = False
    counted: URIRef | None = None

    @property
    def name(self) -> str:
        """Return the first parameter as people write it."""
        return f"sh:{str(self.parameter).removeprefix(str(SH))}"

    def is_on(self, value: Node) -> bool:
        """Tell whether *value* switches the constraint on: a flag has to be true."""
        return self.takes != "flag" or is_true(value)

    def check(self, graph: Graph, shape: Node, value: Node) -> None:
        """Check a value of the first parameter against the syntax rules of SHACL.

        :raises ShapesRefused: it breaks them.
        """
        good = value in _NODE_KINDS if self.parameter == SH.nodeKind else _fits(graph, self.takes, value)
        if not good:
            raise ShapesRefused(f"The value of {self.name} at the shape {shape} can't be used: {value}.")

    def others(self, graph: Graph, shape: Node) -> dict[URIRef, Node]:
        """Return the values of the other parameters at *shape*.

        :raises ShapesRefused: there are several of one, or it is none that the parameter takes.
        """
        found: dict[URIRef, Node] = {}
        for name in self.more:
            short = f"sh:{str(name).removeprefix(str(SH))}"
            for value in graph.objects(shape, name):
                if name in found:
                    raise ShapesRefused(f"The shape {shape} has more than one {short}.")
                if not _fits(graph, _MORE[name], value):
                    raise ShapesRefused(f"The value of {short} at the shape {shape} can't be used: {value}.")
                found[name] = value
        return found


def count_of(value: Node) -> int:
    """Return the number that a count stands for; more than any graph has nodes is one and the same number.

    The engine can't read numbers of more than 64 bits, and a comparison with one would be an error.
    """
    digits = str(value).removeprefix("+").lstrip("0")
    return int(digits or "0") if len(digits) < len(str(_MANY)) else _MANY


def is_true(value: Node | None) -> bool:
    """Tell whether a flag is true; only the literal ``true`` is, not ``1`` (SHACL, section 4.8.3)."""
    return isinstance(value, RdfLiteral) and value.datatype == XSD.boolean and str(value) == "true"


def _is_iri(value: Node) -> bool:
    return isinstance(value, URIRef)


def _is_text(value: Node) -> bool:
    return isinstance(value, RdfLiteral) and value.datatype in {None, XSD.string}


def _is_flag(value: Node) -> bool:
    return isinstance(value, RdfLiteral) and value.datatype == XSD.boolean


def _is_literal(value: Node) -> bool:
    return isinstance(value, RdfLiteral)


def _is_count(value: Node) -> bool:
    digits = str(value).removeprefix("+")
    number = digits.isascii() and digits.isdecimal()
    return isinstance(value, RdfLiteral) and value.datatype == XSD.integer and number


_TESTS: Final[Mapping[_Takes, Callable[[Node], bool]]] = {
    "iri": _is_iri,
    "iris": _is_iri,
    "count": _is_count,
    "literal": _is_literal,
    "text": _is_text,
    "texts": _is_text,
    "flag": _is_flag,
    "shape": lambda value: not _is_literal(value),
    "query": lambda value: not _is_literal(value),
}
"""What a value has to be, or each member of a list; a term and a list of anything are not in the table."""
_LISTS: Final = frozenset({"list", "shapes", "texts", "iris"})


def _fits(graph: Graph, takes: _Takes, value: Node) -> bool:
    values = list(items(graph, value)) if takes in _LISTS else [value]
    return takes not in _TESTS or all(map(_TESTS[takes], values))


def _component(
    name: str, parameter: str, takes: _Takes, *more: str, once: bool = False, path: bool = False
) -> Component:
    iri, others = SH[f"{name}ConstraintComponent"], tuple(SH[item] for item in more)
    counted = others[0] if takes == "shape" and others else None
    return Component(iri, SH[parameter], takes, others, once=once, needs_path=path, counted=counted)


_MANY: Final = 10**18
_MORE: Final[Mapping[URIRef, _Takes]] = {
    SH.flags: "text",
    SH.ignoredProperties: "iris",
    SH.qualifiedMinCount: "count",
    SH.qualifiedMaxCount: "count",
    SH.qualifiedValueShapesDisjoint: "flag",
}
_MIN: Final = ("qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint")
_MAX: Final = ("qualifiedMaxCount", "qualifiedMinCount", "qualifiedValueShapesDisjoint")

COMPONENTS: Final[Mapping[URIRef, Component]] = {
    component.iri: component
    for component in (
        _component("Class", "class", "iri"),
        _component("Datatype", "datatype", "iri", once=True),
        _component("NodeKind", "nodeKind", "iri", once=True),
        _component("MinCount", "minCount", "count", once=True, path=True),
        _component("MaxCount", "maxCount", "count", once=True, path=True),
        _component("MinExclusive", "minExclusive", "literal", once=True),
        _component("MinInclusive", "minInclusive", "literal", once=True),
        _component("MaxExclusive", "maxExclusive", "literal", once=True),
        _component("MaxInclusive", "maxInclusive", "literal", once=True),
        _component("MinLength", "minLength", "count", once=True),
        _component("MaxLength", "maxLength", "count", once=True),
        _component("Pattern", "pattern", "text", "flags"),
        _component("LanguageIn", "languageIn", "texts", once=True),
        _component("UniqueLang", "uniqueLang", "flag", once=True, path=True),
        _component("Equals", "equals", "iri"),
        _component("Disjoint", "disjoint", "iri"),
        _component("LessThan", "lessThan", "iri", path=True),
        _component("LessThanOrEquals", "lessThanOrEquals", "iri", path=True),
        _component("Not", "not", "shape"),
        _component("And", "and", "shapes"),
        _component("Or", "or", "shapes"),
        _component("Xone", "xone", "shapes"),
        _component("Node", "node", "shape"),
        _component("Property", "property", "shape"),
        _component("QualifiedMinCount", "qualifiedValueShape", "shape", *_MIN, path=True),
        _component("QualifiedMaxCount", "qualifiedValueShape", "shape", *_MAX, path=True),
        _component("Closed", "closed", "flag", "ignoredProperties", once=True),
        _component("HasValue", "hasValue", "term"),
        _component("In", "in", "list", once=True),
        _component("SPARQL", "sparql", "query"),
    )
}
"""The components by IRI; those of qualified counts are there when their count is."""

_OTHERS: Final = (
    "path name description order group severity message deactivated defaultValue targetClass targetNode "
    "targetSubjectsOf targetObjectsOf select ask prefixes declare labelTemplate"
)


def known_terms() -> frozenset[URIRef]:
    """Return the terms of the SHACL namespace that may stand at a shape."""
    parameters = {name for item in COMPONENTS.values() for name in (item.parameter, *item.more)}
    return frozenset({*parameters, *(SH[name] for name in _OTHERS.split())})
