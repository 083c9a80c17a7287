"""Constraints that are written in SPARQL (SHACL, sections 5 and 6, and appendix A on pre-binding).

The variables that SHACL binds before a query are bound in front of it, and a LATERAL join hands their values
on: that is what pre-binding means.  The text itself stays as it is, but for what it returns.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from rdflib.namespace import OWL, SH
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.breach import Breach
from medkg.shacl.literals import term_text
from medkg.shacl.shapes import Constraint, Custom, Shape, Shapes

__all__ = ["SHAPES_GRAPH", "Queries"]

SHAPES_GRAPH: Final = URIRef("urn:medkg:shapes")
"""The named graph in which ``$shapesGraph`` finds the shapes, when a query asks for them."""
_OPTIONAL: Final = ("currentShape", "shapesGraph")
_REFUSED: Final[Mapping[str, str]] = {
    "MinusGraphPattern": "MINUS",
    "InlineData": "VALUES",
    "ValuesClause": "VALUES",
    "ServiceGraphPattern": "SERVICE",
}
_PROLOGUE: Final = re.compile(r"\s*(?:#[^\n]*\n\s*|PREFIX\s+([^\s:]*):\s*<([^>]*)>\s*)", re.IGNORECASE)
_SELECT: Final = re.compile(r"\s*SELECT\s+((?:DISTINCT|REDUCED)\b\s*)?", re.IGNORECASE)
_ASK: Final = re.compile(r"\s*ASK\s*(?:WHERE\s*)?(?=\{)", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"[?$](\w+)")


@dataclass(frozen=True, slots=True)
class _Query:
    """A query of the shapes: the text behind its prologue, and the node that it stands at."""

    node: Node
    text: str
    prefixes: Mapping[str, str]
    is_ask: bool


class Queries:
    """Writes the breaches of constraints that are queries.

    :raises ShapesRefused: from every method, for a query that SHACL or medkg does not take.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._customs = {custom.node: custom for custom in shapes.customs}

    def is_custom(self, component: URIRef) -> bool:
        """Tell whether the shapes graph declares that component."""
        return component in self._customs

    def breach(
        self, shape: Shape, constraint: Constraint, focus: str, value: str
    ) -> tuple[Breach, Mapping[str, str]]:
        """Return the breach of ``sh:sparql``, or of a component of the shapes, and the prefixes it needs.

        *value* is a new variable.
        """
        custom = self._customs.get(constraint.component)
        if custom is None:
            query, bound = self._query(constraint.value, shape), dict[str, str]()
            messages = self._messages([constraint.value])
        else:
            query = self._query(_validator(custom, shape), shape)
            bound = {_local(name): _constant(term, shape) for name, term in constraint.more.items()}
            messages = self._messages([query.node, custom.node])
        names = frozenset({"this", *(_local(name) for name in custom.parameters)} if custom else {"this"})
        shown = tuple(f"?{name}" for name in bound)
        if query.is_ask:
            if custom is None:
                raise ShapesRefused(
                    f"The constraint {constraint.value} has sh:ask; sh:sparql takes sh:select."
                )
            breach = self._ask(query, shape, focus, value, bound, names | {"value"})
        else:
            breach = self._select(query, shape, focus, bound, names)
        return _with(breach, messages, shown), query.prefixes

    def _select(
        self, query: _Query, shape: Shape, focus: str, bound: Mapping[str, str], names: frozenset[str]
    ) -> Breach:
        tree = _parsed(query)
        _refuse(tree, names | {*_OPTIONAL})
        projected = _projected(tree)
        if "this" not in projected:
            raise ShapesRefused(f"The query of the shape {shape.node} does not return $this.")
        used = set(_VARIABLE.findall(query.text))
        start = self._bindings(shape, used, {"this": focus, **bound})
        extra = " ".join(f"?{name}" for name in start if name not in projected)
        if extra and "groupby" in tree:
            raise ShapesRefused(
                f"The query of the shape {shape.node} groups, and has to group by {extra}, too."
            )
        text = _SELECT.sub(lambda found: f"{found[0]}{extra} ", query.text, count=1)
        value = "?value" if "value" in projected else "" if shape.path else focus
        return Breach(
            pattern=f"{_binds(start)} LATERAL {{ {text} }}",
            value=value,
            path="?path" if "path" in projected else "",
            shown=tuple(f"?{name}" for name in sorted(projected - {"this"})),
            lateral=True,
        )

    def _ask(  # noqa: PLR0913, PLR0917 - what a validator is told
        self,
        query: _Query,
        shape: Shape,
        focus: str,
        value: str,
        bound: Mapping[str, str],
        names: frozenset[str],
    ) -> Breach:
        _refuse(_parsed(query), names | {*_OPTIONAL})
        node = value if shape.path else focus
        start = self._bindings(
            shape, set(_VARIABLE.findall(query.text)), {"this": focus, "value": node, **bound}
        )
        body = _ASK.sub("", query.text, count=1)
        test = f"NOT EXISTS {{ {_binds(start)} LATERAL {body} }}"
        if shape.path is None:
            return Breach(condition=test, value=focus)
        return Breach(pattern=f"{focus} {shape.path.sparql()} {value} . FILTER({test})", value=value)

    def _bindings(self, shape: Shape, used: set[str], known: Mapping[str, str]) -> dict[str, str]:
        """Return what stands for each variable of a query that SHACL binds before."""
        found = {name: text for name, text in known.items() if name in used}
        if "shapesGraph" in used:
            found["shapesGraph"] = term_text(SHAPES_GRAPH)
        if "currentShape" in used:
            found["currentShape"] = _constant(shape.node, shape)
        return found

    def _query(self, node: Node, shape: Shape) -> _Query:
        graph = self._shapes.graph
        texts = [
            (text, is_ask)
            for name, is_ask in ((SH.select, False), (SH.ask, True))
            for text in graph.objects(node, name)
        ]
        if len(texts) != 1 or not isinstance(texts[0][0], Literal):
            raise ShapesRefused(f"The shape {shape.node} has a constraint without exactly one query.")
        text, prefixes = str(texts[0][0]), self._declared(node)
        if shape.path is not None:
            steps = shape.path.sparql()
            text = re.sub(r"[?$]PATH\b", lambda _: steps, text)
        while found := _PROLOGUE.match(text):
            if found[2] is not None:
                prefixes[found[1]] = found[2]
            text = text[found.end() :]
        return _Query(node, text, prefixes, texts[0][1])

    def _declared(self, node: Node) -> dict[str, str]:
        """Return the prefixes that a query may use (section 5.2.1); owl:imports is followed in this graph."""
        graph, found = self._shapes.graph, dict[str, str]()
        places = {place for start in graph.objects(node, SH.prefixes) for place in self._imports(start)}
        for declaration in (item for place in places for item in graph.objects(place, SH.declare)):
            prefix, namespace = graph.value(declaration, SH.prefix), graph.value(declaration, SH.namespace)
            if prefix is None or namespace is None:
                raise ShapesRefused("A declaration of a prefix lacks sh:prefix or sh:namespace.")
            if found.setdefault(str(prefix), str(namespace)) != str(namespace):
                raise ShapesRefused(f"The prefix {prefix}: is declared for two namespaces.")
        return found

    def _imports(self, start: Node) -> Iterator[Node]:
        yield from (place for place in self._shapes.graph.transitive_objects(start, OWL.imports) if place)

    def _messages(self, nodes: Iterable[Node]) -> tuple[Literal, ...]:
        """Return the messages of the first of *nodes* that has any."""
        for node in nodes:
            found = [
                item for item in self._shapes.graph.objects(node, SH.message) if isinstance(item, Literal)
            ]
            if found:
                return tuple(sorted(found))
        return ()


def _with(breach: Breach, messages: tuple[Literal, ...], shown: tuple[str, ...]) -> Breach:
    names = (*breach.shown, *(name for name in shown if name not in breach.shown))
    return replace(breach, shown=names, messages=messages)


def _validator(custom: Custom, shape: Shape) -> Node:
    special = custom.node_validator if shape.path is None else custom.property_validator
    chosen = special or custom.validator
    if chosen is None:
        raise ShapesRefused(
            f"The constraint component {custom.node} has no validator for the shape {shape.node}."
        )
    return chosen


def _constant(term: Node, shape: Shape) -> str:
    if isinstance(term, BNode):
        raise ShapesRefused(
            f"A query of the shape {shape.node} needs the name of a blank node of the shapes."
        )
    return term_text(term)


def _local(name: URIRef) -> str:
    return re.split(r"[#/:]", str(name))[-1]


def _binds(start: Mapping[str, str]) -> str:
    return " ".join(f"BIND({text} AS ?{name})" for name, text in start.items())


def _parsed(query: _Query) -> CompValue:
    prologue = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in query.prefixes.items())
    try:
        parsed = parseQuery(prologue + query.text)
        translateQuery(parsed)
    # The parser raises whatever its grammar does.
    except Exception as error:  # noqa: BLE001
        raise ShapesRefused(f"A query of the shapes does not parse: {error}.") from None
    tree: CompValue = parsed[1]
    if tree.name != ("AskQuery" if query.is_ask else "SelectQuery"):
        raise ShapesRefused("A query of the shapes is no SELECT in sh:select, or no ASK in sh:ask.")
    return tree


def _projected(query: CompValue) -> set[str]:
    # This mapping returns the name of a key that it lacks.
    names = query["projection"] if "projection" in query else ()  # noqa: SIM401
    return {str(item["evar"] if "evar" in item else item["var"]) for item in names}


def _refuse(tree: CompValue, bound: frozenset[str]) -> None:
    """Refuse what appendix A of SHACL forbids where variables are bound before the query."""
    for part in _parts(tree):
        if part.name in _REFUSED:
            raise ShapesRefused(
                f"A query of the shapes has {_REFUSED[part.name]}, which SHACL does not allow there."
            )
        named = {"vars": "evar", "Bind": "var"}.get(part.name, "")
        if named in part and str(part[named]) in bound:
            raise ShapesRefused(
                f"A query of the shapes gives ${named} a value of its own, which SHACL forbids."
            )
        if part.name == "SubSelect" and not (bound - {*_OPTIONAL}) <= _projected(part):
            raise ShapesRefused(
                "A sub-query of the shapes does not return the variables that SHACL binds before."
            )


def _parts(tree: object) -> Iterator[CompValue]:
    if isinstance(tree, CompValue):
        yield tree
        for value in tree.values():
            yield from _parts(value)
    elif isinstance(tree, Iterable) and not isinstance(tree, (str, Node)):
        for item in tree:
            yield from _parts(item)
