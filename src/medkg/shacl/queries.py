"""Constraints that are written in SPARQL (SHACL, sections 5 and 6, and appendix A on pre-binding).

The variables that SHACL binds before a query are bound in front of it, and a LATERAL join hands their values
on: that is what pre-binding means.  The text itself stays as it is, but for what it returns.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from rdflib.namespace import OWL, SH
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import BNode, Literal, Node, URIRef, Variable

from medkg.domain.errors import ShapesRefused
from medkg.shacl.breach import Breach
from medkg.shacl.literals import term_text
from medkg.shacl.results import fill
from medkg.shacl.shapes import Constraint, Custom, Shape, Shapes
from medkg.shacl.walks import may_be_empty, walk

__all__ = ["SHAPES_GRAPH", "Queries"]

SHAPES_GRAPH: Final = URIRef("urn:medkg:shapes")
"""The named graph in which ``$shapesGraph`` finds the shapes, when a query asks for them."""
_OPTIONAL: Final = ("currentShape", "shapesGraph")
_REFUSED: Final[Mapping[str, str]] = {
    "MinusGraphPattern": "MINUS",
    "InlineData": "VALUES",
    "ValuesClause": "VALUES",
    "ServiceGraphPattern": "SERVICE",
    "DatasetClause": "FROM",
}
_GAP: Final = r"(?:\s|#[^\r\n]*+)*+"
"""White space and comments."""
_PREFIX: Final = re.compile(rf"{_GAP}PREFIX{_GAP}([^\s:#]*):{_GAP}<([^>]*)>", re.IGNORECASE)
_SELECT: Final = re.compile(rf"{_GAP}SELECT\b(?:{_GAP}(?:DISTINCT|REDUCED)\b)?", re.IGNORECASE)
_ASK: Final = re.compile(rf"{_GAP}ASK\b(?:{_GAP}WHERE\b)?", re.IGNORECASE)
_NAME: Final = re.compile(r"(?!(?:this|shapesGraph|currentShape|path|PATH|value)$)[^\W\d]\w*")
"""What a parameter may be called (section 6.2.1)."""
_OURS: Final = "medkg"
"""What the names of our own variables begin with."""


@dataclass(frozen=True, slots=True)
class _Query:
    """A query of the shapes, and the node that it stands at: its SELECT or ASK, and the text behind that."""

    node: Node
    head: str
    body: str
    prefixes: Mapping[str, str]
    is_ask: bool


class Queries:
    """Writes the breaches of constraints that are queries.

    :raises ShapesRefused: from every method, for a query that SHACL or medkg does not take.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._customs = {custom.node: custom for custom in shapes.customs}
        for custom in shapes.customs:
            names = [_local(name) for name in custom.parameters]
            if len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
                raise ShapesRefused(
                    f"A parameter of the constraint component {custom.node} can't be the name of a variable."
                )

    def is_custom(self, component: URIRef) -> bool:
        """Tell whether the shapes graph declares that component."""
        return component in self._customs

    def breach(
        self, shape: Shape, constraint: Constraint, focus: str, variable: Callable[[], str]
    ) -> tuple[Breach, Mapping[str, str]]:
        """Return the breach of ``sh:sparql``, or of a component of the shapes, and the prefixes it needs.

        *variable* returns a new variable.
        """
        custom = self._customs.get(constraint.component)
        if custom is None:
            query, bound = self._query(constraint.value, shape), dict[str, str]()
            messages = self._messages([constraint.value])
        else:
            query = self._query(_validator(custom, shape), shape)
            bound = {_local(name): _constant(term, shape) for name, term in constraint.more.items()}
            messages = self._messages([query.node, custom.node]) or shape.messages
            messages = fill(messages, {_local(name): term for name, term in constraint.more.items()})
        names = frozenset({"this", *(_local(name) for name in custom.parameters)} if custom else {"this"})
        if query.is_ask:
            if custom is None:
                raise ShapesRefused(
                    f"The constraint {constraint.value} has sh:ask; sh:sparql takes sh:select."
                )
            breach = self._ask(query, shape, focus, variable, bound, names | {"value"})
        else:
            breach = self._select(query, shape, focus, bound, names)
        return replace(breach, messages=messages), query.prefixes

    def _select(
        self, query: _Query, shape: Shape, focus: str, bound: Mapping[str, str], names: frozenset[str]
    ) -> Breach:
        tree, used = _parsed(query, names | {*_OPTIONAL})
        projected = _projected(tree)
        if "this" not in projected:
            raise ShapesRefused(f"The query of the shape {shape.node} does not return $this.")
        start = self._bindings(shape, used, {"this": focus, **bound})
        extra = " ".join(f"?{name}" for name in start if name not in projected)
        if extra and "groupby" in tree:
            raise ShapesRefused(
                f"The query of the shape {shape.node} groups, and has to group by {extra}, too."
            )
        value = "?value" if "value" in projected else "" if shape.path else focus
        return Breach(
            pattern=f"{_binds(start)} LATERAL {{ {query.head} {extra} {query.body}\n }}",
            value=value,
            path="?path" if "path" in projected else "",
            shown=tuple(f"?{name}" for name in sorted(projected - {"this"})),
            lateral=True,
            each=True,
        )

    def _ask(  # noqa: PLR0913, PLR0917 - what a validator is told
        self,
        query: _Query,
        shape: Shape,
        focus: str,
        variable: Callable[[], str],
        bound: Mapping[str, str],
        names: frozenset[str],
    ) -> Breach:
        _, used = _parsed(query, names | {*_OPTIONAL})
        value = variable() if shape.path else focus
        start = self._bindings(shape, used | {"this"}, {"this": focus, "value": value, **bound})
        select = f"SELECT {' '.join(f'?{name}' for name in start)} WHERE {query.body}\n"
        test = f"NOT EXISTS {{ {_binds(start)} LATERAL {{ {select} }} }}"
        if shape.path is None:
            return Breach(condition=test, value=focus)
        steps = walk(shape.path, focus, value, variable)
        return Breach(pattern=f"{steps} FILTER({test})", value=value, lateral=may_be_empty(shape.path))

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
            steps = shape.path.sparql() if shape.path.is_simple else f"({shape.path.sparql()})"
            text = re.sub(r"[?$]PATH\b", lambda _: steps, text)
        while found := _PREFIX.match(text):
            prefixes[found[1]] = found[2]
            text = text[found.end() :]
        head = (_ASK if texts[0][1] else _SELECT).match(text)
        if head is None:
            raise ShapesRefused(
                "A query of the shapes does not begin with SELECT in sh:select, or with ASK in sh:ask.",
                remedy="Let nothing but PREFIX stand before it.",
            )
        return _Query(node, head[0], text[head.end() :], prefixes, texts[0][1])

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


def _parsed(query: _Query, bound: frozenset[str]) -> tuple[CompValue, set[str]]:
    """Return the tree of a query for which variables are *bound* before, and all variables in it."""
    prologue = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in query.prefixes.items())
    with _parsing():
        parsed = parseQuery(prologue + query.head + query.body)
    tree: CompValue = parsed[1]
    used = _variables(tree)
    _refuse(tree, bound)
    # It takes the filters out of the tree, and comes last.
    with _parsing():
        translateQuery(parsed)
    return tree, used


@contextmanager
def _parsing() -> Iterator[None]:
    try:
        yield
    # The parser raises whatever its grammar does.
    except Exception as error:  # noqa: BLE001
        raise ShapesRefused(f"A query of the shapes does not parse: {error}.") from None


def _projected(query: CompValue) -> set[str]:
    # This mapping returns the name of a key that it lacks.
    names = query["projection"] if "projection" in query else ()  # noqa: SIM401
    return {str(item["evar"] if "evar" in item else item["var"]) for item in names}


def _refuse(tree: CompValue, bound: frozenset[str]) -> None:
    """Refuse what appendix A of SHACL forbids where variables are bound before the query."""
    ours = [name for name in _variables(tree) if name.startswith(_OURS)]
    if ours:
        raise ShapesRefused(
            f"A query of the shapes has the variable ?{min(ours)}; such names are kept for medkg.",
            remedy="Give it another name.",
        )
    for part in _parts(tree):
        if part.name in _REFUSED:
            raise ShapesRefused(
                f"A query of the shapes has {_REFUSED[part.name]}, which SHACL does not allow there."
            )
        named = {"vars": "evar", "Bind": "var"}.get(part.name, "")
        if named in part and str(part[named]) in bound:
            raise ShapesRefused(
                f"A query of the shapes gives ${part[named]} a value of its own, which SHACL forbids."
            )
        # What a sub-query does not return is another variable in it, so that it needs those that it uses.
        needed = bound - ({*_OPTIONAL} - _variables(part))
        if part.name == "SubSelect" and not needed <= _projected(part):
            raise ShapesRefused(
                "A sub-query of the shapes does not return the variables that SHACL binds before."
            )


def _variables(tree: CompValue) -> set[str]:
    """Return the names of the variables of a query, those of its strings and comments not among them."""
    return {str(leaf) for leaf in _leaves(tree) if isinstance(leaf, Variable)}


def _parts(tree: CompValue) -> Iterator[CompValue]:
    return (part for part in _leaves(tree) if isinstance(part, CompValue))


def _leaves(tree: object) -> Iterator[object]:
    """Yield a tree and all that is in it."""
    yield tree
    inner: Iterable[object] = ()
    if isinstance(tree, CompValue):
        inner = tree.values()
    elif isinstance(tree, Iterable) and not isinstance(tree, (str, Node)):
        inner = tree
    for item in inner:
        yield from _leaves(item)
