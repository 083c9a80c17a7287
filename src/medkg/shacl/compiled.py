"""Runs a plan on data: the engine that compiles shapes.

The data is an argument: anything that evaluates a SELECT with LATERAL.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from rdflib.namespace import RDFS, SH
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused, StoreFailed
from medkg.domain.model import Term
from medkg.shacl.literals import as_stored
from medkg.shacl.paths import Kind, Path
from medkg.shacl.plan import Check, Classes, Plan
from medkg.shacl.results import Result, fill
from medkg.shacl.shapes import Target
from medkg.shacl.values import ValueTests, is_ambiguous

__all__ = ["Data", "Validator", "subclasses"]

_LOGICAL: Final = frozenset(
    {
        SH.NodeConstraintComponent,
        SH.AndConstraintComponent,
        SH.OrConstraintComponent,
        SH.XoneConstraintComponent,
    }
)
_CHUNK: Final = 500
"""Focus nodes in one query."""


class Data(Protocol):
    """A data graph that answers queries."""

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """Yield the rows of a SELECT, in the order of its variables.

        With *stored* the data is that in which the engine rewrites literals by their value.
        """


def subclasses(data: Data) -> Classes:
    """Return the class hierarchy of a data graph (SHACL, section 1.1)."""
    text = f"SELECT ?below ?above {{ ?below <{RDFS.subClassOf}>+ ?above }}"
    found: dict[Node, set[Node]] = {}
    for below, above in data.rows(text):
        if below is not None and above is not None and below != above:
            found.setdefault(above, set()).add(below)
    return {above: tuple(sorted(below, key=str)) for above, below in found.items()}


class Validator:
    """A plan on a data graph."""

    def __init__(self, plan: Plan, data: Data) -> None:
        self._plan = plan
        self._data = data

    def refuse_patterns(self) -> None:
        """Refuse patterns that the engine can't read: a test with one would be an error, and find nothing.

        :raises ShapesRefused: there is one.
        """
        for pattern, flags in self._plan.shapes.patterns():
            if "q" not in str(flags or "") and is_ambiguous(str(pattern)):
                raise ShapesRefused(
                    f"The pattern {str(pattern)!r} of the shapes has a set within a set of characters, which "
                    "engines read in different ways."
                )
            test = ValueTests.pattern('""', pattern, flags)
            if not any(row[0] is not None for row in self._data.rows(f"SELECT ({test} AS ?medkg) {{}}")):
                raise ShapesRefused(f"The pattern {str(pattern)!r} of the shapes can't be read.")

    def run(self) -> Iterator[Result]:
        """Yield all results.

        Where many checks look at the same nodes, one query finds the few that any of them has to look at.
        """
        for screen in self._plan.screens():
            if not screen.text:
                yield from self.everywhere(screen.checks[0])
            elif found := [as_stored(row[0]) for row in self._data.rows(screen.text) if row[0] is not None]:
                for check in screen.checks:
                    yield from self.at(check, found)

    def everywhere(self, check: Check) -> Iterator[Result]:
        """Yield the results of a check at all its targets."""
        yield from self._read(check, self._rows(check, self._plan.everywhere(check), {}))

    def at(self, check: Check, nodes: Collection[Node]) -> Iterator[Result]:
        """Yield the results of a check at start nodes, whether its targets give them or not."""
        for pattern, bindings in self._given(check.start, nodes, stored=check.stored):
            # A blank node takes the place of a variable of the SELECT, which has to be among its columns.
            asked = replace(check, repeat=True) if bindings else check
            text = asked.text(pattern, several=False, few=True)
            yield from self._read(asked, self._rows(asked, text, bindings))

    def among(self, targets: Sequence[Target], nodes: Collection[Node]) -> set[Node]:
        """Return those of *nodes* that some targets give."""
        found = {item.value for item in targets if item.kind == SH.targetNode}.intersection(nodes)
        others = [item for item in targets if item.kind != SH.targetNode]
        for pattern, bindings in self._given("?medkg", nodes, stored=False):
            for target in self._plan.targets(others, "?medkg", stored=False):
                text = f"SELECT DISTINCT ?medkg WHERE {{ {pattern} LATERAL {{ {target} }} }}"
                found |= {as_stored(row[0]) for row in self._data.rows(text, bindings) if row[0] is not None}
        return found

    def reached(self, way: str, start: str, end: str, nodes: Collection[Node]) -> set[Node]:
        """Return what the pattern *way* gives for its variable *end* when *start* is one of *nodes*."""
        found: set[Node] = set()
        for pattern, bindings in self._given(start, nodes, stored=False):
            # The engine puts a value only in the place of a variable that is asked for.
            shown = f"{end} {start}" if bindings else end
            text = f"SELECT DISTINCT {shown} WHERE {{ {pattern} LATERAL {{ {way} }} }}"
            found |= {as_stored(row[0]) for row in self._data.rows(text, bindings) if row[0] is not None}
        return found

    def _given(
        self, variable: str, nodes: Collection[Node], *, stored: bool
    ) -> Iterator[tuple[str, Mapping[str, Term]]]:
        """Yield patterns that bind a variable to nodes; a blank node has no name and is bound beside it."""
        blank = [node for node in nodes if isinstance(node, BNode)]
        named = [node for node in nodes if not isinstance(node, BNode)]
        for start in range(0, len(named), _CHUNK):
            terms = " ".join(self._plan.name(node, stored=stored) for node in named[start : start + _CHUNK])
            yield f"VALUES {variable} {{ {terms} }}", {}
        for node in blank:
            yield "{}", {variable[1:]: BNode(node)}

    def _rows(self, check: Check, text: str, bindings: Mapping[str, Term]) -> Iterator[Sequence[Term | None]]:
        try:
            yield from self._data.rows(text, bindings, stored=check.stored)
        except StoreFailed as error:
            if not check.asks:
                raise
            raise ShapesRefused(f"A query of the shape {check.shape.node} can't be run. {error}") from None

    def _read(self, check: Check, rows: Iterator[Sequence[Term | None]]) -> Iterator[Result]:
        for row in rows:
            cells = zip(check.columns, row, strict=True)
            values = {name: as_stored(term) for name, term in cells if term is not None}
            if str(values.get("?failure", "")) == "true":
                raise ShapesRefused(f"A query of the shape {check.shape.node} reports a failure.")
            result = _result(check, values)
            # Two ways may lead to the same detail, and the engine finds them in any order.
            yield replace(result, details=tuple(sorted(set(self._details(check, result.value)), key=repr)))

    def _details(self, check: Check, value: Node | None) -> Iterator[Result]:
        """Yield why a value node does not conform to the shapes that it should (section 3.6.2.5)."""
        if value is not None and check.constraint.component in _LOGICAL:
            for shape in self._plan.shapes.of(check.constraint):
                for nested in self._plan.nested(shape):
                    yield from self.at(nested, [value])


def _result(check: Check, values: Mapping[str, Node]) -> Result:
    """Return the result of one row."""
    shape, breach, constraint = check.shape, check.breach, check.constraint
    focus, found = values[check.columns[0]], values.get(breach.path) if breach.path else None
    value, is_query = values.get(breach.value), constraint.component == SH.SPARQLConstraintComponent
    if value is None and is_query and shape.path is None:
        value = focus
    shown = {name[1:]: values[name] for name in breach.shown if name in values}
    told = shown.get("message")
    messages = (told,) if isinstance(told, Literal) else breach.messages or shape.messages
    named = {"this": focus, **shown} | ({"value": value} if value is not None else {})
    return Result(
        focus,
        Path(Kind.PREDICATE, predicate=found) if isinstance(found, URIRef) else shape.path,
        value,
        shape.node,
        constraint.component,
        shape.severity,
        fill(messages, named),
        constraint.value if is_query else None,
    )
