"""Shapes compiled to SPARQL: a query for each constraint of each shape, run by an engine (SHACL, section 3).

The engine is an argument: anything that evaluates a SELECT with LATERAL on the data graph.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import Final, Protocol

from rdflib import Graph
from rdflib.namespace import RDFS, SH
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.domain.model import Term
from medkg.shacl.breach import Breach
from medkg.shacl.breaches import Breaches
from medkg.shacl.literals import Keep, as_sent, as_stored, term_text
from medkg.shacl.paths import Kind, Path
from medkg.shacl.queries import Queries
from medkg.shacl.results import Result, fill
from medkg.shacl.shapes import Constraint, Shape, Shapes, Target
from medkg.shacl.values import ValueTests
from medkg.shacl.walks import walk

__all__ = ["Check", "Data", "Validator"]

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

    @property
    def exact(self) -> bool:
        """True when some literals are stored as they were sent (see :mod:`medkg.shacl.literals`)."""

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """Yield the rows of a SELECT, in the order of its variables.

        With *stored* the data is that in which the engine rewrites literals by their value.
        """


@dataclass(frozen=True, slots=True)
class Focus:
    """Where focus nodes come from: targets of shapes, and the paths from there through ``sh:property``."""

    targets: tuple[Target, ...] = ()
    steps: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One query: the constraint of a shape, at the focus nodes that *focus* says.

    *chain* are the variables of the nodes before the focus node, where each way to it counts.
    """

    shape: Shape
    constraint: Constraint
    focus: Focus
    breach: Breach
    variable: str
    prologue: str
    stored: bool
    chain: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables of a row: focus node, value node, predicate, key, those that messages show."""
        breach = self.breach
        names = (self.variable, breach.value, breach.path, breach.key, *breach.shown, *self.chain)
        return tuple(dict.fromkeys(name for name in names if name))

    def text(self, foci: str) -> str:
        """Return the query for the focus nodes that the pattern *foci* binds."""
        join = "LATERAL" if self.breach.lateral else ""
        pattern = f"{{ {self.breach.as_pattern()} }}" if join else self.breach.as_pattern()
        return f"{self.prologue}SELECT DISTINCT {' '.join(self.columns)} WHERE {{ {foci} {join} {pattern} }}"


class Validator:
    """The shapes of a graph, ready to be run on *data*.

    *keep* tells how the engine keeps a literal.  With *repeat* there is a result for each way that leads to
    it, as SHACL counts them: a shape that is reached from two others says everything twice.

    :raises ShapesRefused: the shapes break a rule of SHACL, or ask for what can't be compiled.
    """

    def __init__(self, graph: Graph, data: Data, keep: Keep, *, repeat: bool = False) -> None:
        self._shapes = Shapes(graph)
        self._shapes.refuse_recursion()
        self._queries = Queries(self._shapes)
        self._data = data
        self._keep = keep
        self._repeat = repeat
        self._classes = self._subclasses()
        self.checks = tuple(self._compile())
        self._nested: dict[Node, tuple[Check, ...]] = {}
        self._refuse_patterns()

    def run(self) -> list[Result]:
        """Return the results for all focus nodes, each once."""
        found = [result for check in self.checks for result in self._results(check, self._focus(check, ""))]
        return found if self._repeat else list(dict.fromkeys(found))

    def _results(self, check: Check, foci: str) -> Iterator[Result]:
        yield from self._read(check, self._data.rows(check.text(foci), stored=check.stored))

    def _at(self, check: Check, nodes: Iterable[Node]) -> Iterator[Result]:
        """Yield the results of a check at the given start nodes."""
        named = [node for node in nodes if not isinstance(node, BNode)]
        for start in range(0, len(named), _CHUNK):
            terms = " ".join(self._named(node, check) for node in named[start : start + _CHUNK])
            yield from self._results(
                check, self._focus(check, f"VALUES {_chain(check.variable, check.focus)[0]} {{ {terms} }}")
            )
        for node in nodes:
            if isinstance(node, BNode):
                text = check.text(self._focus(check, "{}"))
                rows = self._data.rows(
                    text, {_chain(check.variable, check.focus)[0][1:]: node}, stored=check.stored
                )
                yield from self._read(check, rows)

    def _named(self, node: Node, check: Check) -> str:
        if isinstance(node, Literal) and self._data.exact and not check.stored:
            return term_text(as_sent(node, self._keep))
        return term_text(node)

    def _read(self, check: Check, rows: Iterator[Sequence[Term | None]]) -> Iterator[Result]:
        shape, breach = check.shape, check.breach
        for row in rows:
            values = {
                name: as_stored(term)
                for name, term in zip(check.columns, row, strict=True)
                if term is not None
            }
            if str(values.get("?failure", "")) == "true":
                raise ShapesRefused(f"A query of the shape {shape.node} reports a failure.")
            focus = values[check.variable]
            value = values.get(breach.value)
            if (
                value is None
                and shape.path is None
                and check.constraint.component == SH.SPARQLConstraintComponent
            ):
                value = focus
            found = values.get(breach.path) if breach.path else None
            shown = {name[1:]: values[name] for name in breach.shown if name in values}
            result = Result(
                focus,
                Path(Kind.PREDICATE, predicate=found) if isinstance(found, URIRef) else shape.path,
                value,
                shape.node,
                check.constraint.component,
                shape.severity,
                fill(breach.messages or shape.messages, {"this": focus, **shown}),
                check.constraint.value
                if check.constraint.component == SH.SPARQLConstraintComponent
                else None,
            )
            yield replace(result, details=tuple(self._details(check, value)))

    def _details(self, check: Check, value: Node | None) -> Iterator[Result]:
        """Yield why a value node does not conform to the shapes that it should (section 3.6.2.5)."""
        if value is None or check.constraint.component not in _LOGICAL:
            return
        for shape in self._shapes.of(check.constraint):
            if shape.node not in self._nested:
                self._nested[shape.node] = tuple(self._checks(shape, Focus()))
            for nested in self._nested[shape.node]:
                yield from self._at(nested, [value])

    def _compile(self) -> Iterator[Check]:
        grouped: dict[tuple[Node, tuple[Path, ...], tuple[Node, int] | None], list[Target]] = {}
        for root in self._shapes.roots():
            for number, (shape, steps) in enumerate(self._reached(root, ())):
                way = (root.node, number) if self._repeat else None
                grouped.setdefault((shape.node, steps, way), []).extend(root.targets)
        for (node, steps, _), targets in grouped.items():
            shape = self._shapes[node]
            for constraint in shape.constraints:
                yield from self._of(shape, constraint, Focus(tuple(dict.fromkeys(targets)), steps))

    def _reached(self, shape: Shape, steps: tuple[Path, ...]) -> Iterator[tuple[Shape, tuple[Path, ...]]]:
        """Yield a shape and those of its ``sh:property``, with the way from targets to their focus nodes."""
        if shape.deactivated:
            return
        yield shape, steps
        further = steps if shape.path is None else (*steps, shape.path)
        for constraint in shape.constraints:
            if constraint.component == SH.PropertyConstraintComponent:
                for inner in self._shapes.of(constraint):
                    yield from self._reached(inner, further)

    def _checks(self, root: Shape, focus: Focus) -> Iterator[Check]:
        for shape, steps in self._reached(root, ()):
            for constraint in shape.constraints:
                yield from self._of(shape, constraint, Focus(focus.targets, steps))

    def _of(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Check]:
        component = constraint.component
        stored = component == SH.SPARQLConstraintComponent or self._queries.is_custom(component)
        values = ValueTests(self._keep, exact=self._data.exact and not stored)
        writer = Breaches(self._shapes, values, self._queries, self._subclasses_of)
        variable = "?medkg"
        for breach in writer.of(shape, constraint, variable):
            if writer.asks and self._data.exact and not stored:
                raise ShapesRefused(
                    f"The shape {shape.node} has a query inside another shape, and the data has literals "
                    "that are not in canonical form; both together are not evaluated here.",
                    remedy="Write the literals in canonical form, or move the query to a shape with targets.",
                )
            prologue = "".join(f"PREFIX {name}: <{space}>\n" for name, space in writer.prefixes.items())
            chain = tuple(_chain(variable, focus)[:-1]) if self._repeat else ()
            yield Check(shape, constraint, focus, breach, variable, prologue, stored, chain)

    def _focus(self, check: Check, given: str) -> str:
        """Return the pattern of the focus nodes: from the targets, or from those that *given* binds."""
        nodes, focus = _chain(check.variable, check.focus), check.focus
        patterns = [given] if given else list(self._patterns(focus.targets, nodes[0], check))
        pattern = patterns[0] if len(patterns) == 1 else " UNION ".join(f"{{ {item} }}" for item in patterns)
        for (node, further), step in zip(pairwise(nodes), focus.steps, strict=True):
            pattern += f" LATERAL {{ {walk(step, node, further, _namer(further))} }}"
        if focus.steps or (not given and self._repeats(focus.targets)):
            return f"{{ SELECT DISTINCT {' '.join((check.variable, *check.chain))} WHERE {{ {pattern} }} }}"
        return pattern

    def _patterns(self, targets: Iterable[Target], start: str, check: Check) -> Iterator[str]:
        classes = {
            name
            for item in targets
            if item.kind == SH.targetClass
            for name in self._subclasses_of(item.value)
        }
        nodes = [item.value for item in targets if item.kind == SH.targetNode]
        if len(classes) == 1:
            yield f"{start} a {term_text(classes.pop())} ."
        elif classes:
            names = " ".join(sorted(term_text(name) for name in classes))
            yield f"VALUES ?medkgClass {{ {names} }} {start} a ?medkgClass ."
        if nodes:
            yield f"VALUES {start} {{ {' '.join(self._named(node, check) for node in nodes)} }}"
        for item in targets:
            if item.kind == SH.targetSubjectsOf:
                yield f"{start} {term_text(item.value)} ?medkgOther ."
            elif item.kind == SH.targetObjectsOf:
                yield f"?medkgOther {term_text(item.value)} {start} ."

    def _repeats(self, targets: Sequence[Target]) -> bool:
        """Tell whether the pattern of targets binds nodes so often that they are better sorted out first."""
        kinds = {item.kind for item in targets}
        if self._repeat or kinds & {SH.targetSubjectsOf, SH.targetObjectsOf}:
            return len(targets) > 1 or kinds != {SH.targetNode}
        return False

    def _refuse_patterns(self) -> None:
        """Refuse patterns that the engine can't read: a test with one would be an error, and find nothing."""
        for pattern, flags in self._shapes.patterns():
            test = ValueTests.pattern('""', pattern, flags)
            if not any(row[0] is not None for row in self._data.rows(f"SELECT ({test} AS ?medkg) {{}}")):
                raise ShapesRefused(f"The pattern {str(pattern)!r} of the shapes can't be read.")

    def _subclasses(self) -> dict[Node, tuple[Node, ...]]:
        text = f"SELECT ?below ?above {{ ?below <{RDFS.subClassOf}>+ ?above FILTER(isIRI(?below)) }}"
        found: dict[Node, set[Node]] = {}
        for below, above in self._data.rows(text):
            if below is not None and above is not None:
                found.setdefault(above, set()).add(below)
        return {above: tuple(sorted(below - {above}, key=str)) for above, below in found.items()}

    def _subclasses_of(self, cls: Node) -> tuple[Node, ...]:
        return (cls, *self._classes.get(cls, ()))


def _namer(prefix: str) -> Callable[[], str]:
    """Return what makes new variables."""
    numbers = count(1)
    return lambda: f"{prefix}Way{next(numbers)}"


def _chain(variable: str, focus: Focus) -> list[str]:
    """Return the variables from the start node to the focus node."""
    return [*(f"{variable}Step{number}" for number in range(len(focus.steps))), variable]
