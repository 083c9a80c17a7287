"""Which focus nodes a change of the data can affect: what has to be validated again, and what has not.

A check looks at the data along edges: those of the paths of its shape, and of the shapes inside it, from its
targets on.  Each edge is kept with the way that leads to it.  A changed triple that is such an edge affects
the nodes at which the way starts.  Nothing is missed, since a result can only change with a triple that was,
or is, on one of these ways.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from rdflib.namespace import RDF, RDFS, SH
from rdflib.term import BNode, Node

from medkg.domain.namespaces import MEDKG
from medkg.shacl.compiled import Validator
from medkg.shacl.components import COMPONENTS
from medkg.shacl.paths import Kind, Path, read_path
from medkg.shacl.plan import Check, Plan
from medkg.shacl.results import Result
from medkg.shacl.shapes import Constraint, Shape, Target
from medkg.shacl.walks import inverse, walk

__all__ = ["CAP", "Dependencies", "Scope", "Triple", "run", "targeted"]

CAP: Final = 5_000
"""Focus nodes beyond which everything is validated."""
_PAIRS: Final = frozenset(
    {
        SH.EqualsConstraintComponent,
        SH.DisjointConstraintComponent,
        SH.LessThanConstraintComponent,
        SH.LessThanOrEqualsConstraintComponent,
    }
)
"""The components whose parameter is another predicate of the focus node."""

Way = tuple[Path, ...]
Triple = tuple[Node, Node, Node]


@dataclass(frozen=True, slots=True)
class _Edge:
    """An edge that a check looks at, and the way to it from the start node.

    *predicate* None is any.  An *inverse* edge is walked from object to subject.  *objects*: only edges to
    these count.
    """

    predicate: Node | None
    inverse: bool
    way: Way
    objects: frozenset[Node] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a change can affect: start nodes for each check by its number; or everything, for a *reason*.

    The checks in *whole* are run at all their targets, since nobody says what they depend on.
    """

    starts: Mapping[int, frozenset[Node]]
    whole: frozenset[int] = frozenset()
    reason: str = ""

    @property
    def size(self) -> int:
        """The number of different start nodes."""
        return len({node for nodes in self.starts.values() for node in nodes})

    def joined(self, other: "Scope") -> "Scope":
        """Return what is in one scope or the other."""
        numbers = {*self.starts, *other.starts}
        none = frozenset[Node]()
        starts = {
            number: self.starts.get(number, none) | other.starts.get(number, none) for number in numbers
        }
        return Scope(starts, self.whole | other.whole, self.reason or other.reason)


class Dependencies:
    """The edges that the checks of a plan look at.

    What a query depends on is said with ``medkg:dependsOn``: each value is a path from the focus node.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._edges: dict[Node | None, dict[_Edge, set[int]]] = {}
        whole: set[int] = set()
        for number, check in enumerate(plan.checks):
            for edge in self._of(check):
                if edge is None:
                    whole.add(number)
                else:
                    self._edges.setdefault(edge.predicate, {}).setdefault(edge, set()).add(number)
        self.whole = frozenset(whole)

    def scope(self, validator: Validator, changed: Iterable[Triple], *, cap: int = CAP) -> Scope:
        """Return what the triples in *changed* can affect, as far as the data of *validator* shows.

        For triples that are removed this has to be the data before the change, for added ones that after it;
        where there are both, what is affected is in one scope or the other (:meth:`Scope.joined`).
        """
        touched: dict[_Edge, set[Node]] = {}
        for subject, predicate, object_ in changed:
            if predicate == RDFS.subClassOf:
                return Scope({}, reason="the class hierarchy changes")
            for edge in (*self._edges.get(predicate, ()), *self._edges.get(None, ())):
                if edge.objects is None or object_ in edge.objects:
                    touched.setdefault(edge, set()).add(object_ if edge.inverse else subject)
        starts: dict[int, set[Node]] = {}
        for edge, nodes in touched.items():
            found = _back(validator, edge.way, nodes)
            for number in self._edges[edge.predicate][edge]:
                starts.setdefault(number, set()).update(found)
        some = {number: frozenset(nodes) for number, nodes in starts.items() if number not in self.whole}
        scope = Scope(some, self.whole)
        return Scope({}, reason=f"it affects more than {cap:,} nodes") if scope.size > cap else scope

    def _of(self, check: Check) -> Iterator[_Edge | None]:
        """Yield the edges of a check; None says that nobody knows them all."""
        for target in check.focus.targets:
            if target.kind == SH.targetClass:
                yield _Edge(RDF.type, False, (), self._classes(target.value))
            elif target.kind != SH.targetNode:
                yield _Edge(target.value, target.kind == SH.targetObjectsOf, ())
        way: Way = ()
        for step in check.focus.steps:
            yield from _edges(step, way)
            way = (*way, step)
        yield from self._of_constraint(check.shape, check.constraint, way)

    def _classes(self, cls: Node) -> frozenset[Node] | None:
        """Return a class and its subclasses; None where some have no name to be known by."""
        classes = frozenset(self._plan.classes(cls))
        return None if any(isinstance(name, BNode) for name in classes) else classes

    def _of_shape(self, shape: Shape, way: Way) -> Iterator[_Edge | None]:
        if not shape.deactivated:
            for constraint in shape.constraints:
                yield from self._of_constraint(shape, constraint, way)

    def _of_constraint(self, shape: Shape, constraint: Constraint, way: Way) -> Iterator[_Edge | None]:
        component, values = constraint.component, way
        if shape.path is not None:
            yield from _edges(shape.path, way)
            values = (*way, shape.path)
        known = COMPONENTS.get(component)
        if self._plan.is_query(constraint):
            yield from self._declared(shape, constraint, way)
        elif component == SH.ClassConstraintComponent:
            yield _Edge(RDF.type, False, values, self._classes(constraint.value))
        elif component in _PAIRS:
            yield _Edge(constraint.value, False, way)
        elif component == SH.ClosedConstraintComponent:
            yield _Edge(None, False, values)
        elif known is not None and known.takes in {"shape", "shapes"}:
            shapes = self._plan.shapes
            beside = [shapes[node] for node in shapes.siblings(shape, constraint)]
            for inner in (*shapes.of(constraint), *beside):
                yield from self._of_shape(inner, values)

    def _declared(self, shape: Shape, constraint: Constraint, way: Way) -> Iterator[_Edge | None]:
        graph = self._plan.shapes.graph
        paths = [
            read_path(graph, node)
            for place in (shape.node, constraint.value)
            for node in graph.objects(place, MEDKG.dependsOn)
        ]
        if not paths:
            yield None
        for path in paths:
            yield from _edges(path, way)


def targeted(validator: Validator, plan: Plan, scope: Scope) -> Scope:
    """Return the scope with those of its nodes that are targets in the data of *validator*."""
    nodes: dict[tuple[Target, ...], set[Node]] = {}
    for number, starts in scope.starts.items():
        nodes.setdefault(plan.checks[number].focus.targets, set()).update(starts)
    known = {targets: validator.among(targets, some) for targets, some in nodes.items()}
    found = {number: some & known[plan.checks[number].focus.targets] for number, some in scope.starts.items()}
    return Scope({number: some for number, some in found.items() if some}, scope.whole, scope.reason)


def run(validator: Validator, plan: Plan, scope: Scope) -> list[Result]:
    """Return the results of what *scope* says, as far as its nodes are targets, each once."""
    found: dict[Result, None] = {}
    scope = targeted(validator, plan, scope)
    # Queries last: they may read the data in another form, and changing it takes time.
    for number, check in sorted(enumerate(plan.checks), key=lambda item: item[1].stored):
        if scope.reason or number in scope.whole:
            found.update(dict.fromkeys(validator.everywhere(check)))
        elif number in scope.starts:
            found.update(dict.fromkeys(validator.at(check, scope.starts[number])))
    return list(found)


def _edges(path: Path, way: Way) -> Iterator[_Edge]:
    """Yield the edges of a path at the end of a way."""
    if path.kind is Kind.PREDICATE:
        yield _Edge(path.predicate, False, way)
    elif path.kind is Kind.INVERSE and path.parts[0].is_simple:
        yield _Edge(path.parts[0].predicate, True, way)
    elif path.kind is Kind.INVERSE:
        yield from _edges(inverse(path.parts[0]), way)
    elif path.kind is Kind.SEQUENCE:
        for part in path.parts:
            yield from _edges(part, way)
            way = (*way, part)
    elif path.kind is Kind.ALTERNATIVE:
        for part in path.parts:
            yield from _edges(part, way)
    else:
        # Each further round of a repeated path begins where the rounds before have led.
        before = () if path.kind is Kind.ZERO_OR_ONE else (Path(Kind.ZERO_OR_MORE, path.parts),)
        yield from _edges(path.parts[0], (*way, *before))


def _back(validator: Validator, way: Way, nodes: set[Node]) -> set[Node]:
    """Return the nodes at which a way to some nodes starts."""
    if not way:
        return nodes
    path = inverse(way[0] if len(way) == 1 else Path(Kind.SEQUENCE, way))
    numbers = count(1)
    pattern = walk(path, "?medkgEnd", "?medkg", lambda: f"?medkgWay{next(numbers)}")
    return validator.reached(pattern, "?medkgEnd", "?medkg", nodes)
