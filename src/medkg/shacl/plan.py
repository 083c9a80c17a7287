"""Shapes compiled to SPARQL: a query for each constraint of each shape (SHACL, section 3).

A plan needs no data but the class hierarchy and how the engine keeps literals, and serves many validations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Final

from rdflib import Graph
from rdflib.namespace import SH
from rdflib.term import BNode, Literal, Node

from medkg.domain.errors import ShapesRefused
from medkg.shacl.breach import Breach
from medkg.shacl.breaches import INSTANCE, Breaches
from medkg.shacl.literals import Keep, as_sent, term_text
from medkg.shacl.paths import Path
from medkg.shacl.queries import Queries
from medkg.shacl.shapes import Constraint, Shape, Shapes, Target
from medkg.shacl.values import ValueTests, any_of
from medkg.shacl.walks import walk

__all__ = ["Check", "Classes", "Focus", "Plan", "Screen"]

Classes = Mapping[Node, tuple[Node, ...]]
"""The subclasses of each class that has some, at any depth."""
_FOCUS: Final = "?medkg"


@dataclass(frozen=True, slots=True)
class Focus:
    """Where focus nodes come from: targets of shapes, and the paths from there through ``sh:property``."""

    targets: tuple[Target, ...] = ()
    steps: tuple[Path, ...] = ()

    @property
    def chain(self) -> tuple[str, ...]:
        """The variables from the start node to the focus node."""
        return (*(f"{_FOCUS}Step{number}" for number in range(len(self.steps))), _FOCUS)

    @property
    def repeats(self) -> bool:
        """Tell whether the targets give nodes so often that they are better sorted out first."""
        return any(item.kind in {SH.targetSubjectsOf, SH.targetObjectsOf} for item in self.targets)


@dataclass(frozen=True, slots=True)
class Check:
    """One query: the constraint of a shape, at the focus nodes that *focus* says.

    *stored*: it reads literals as the engine keeps them.  With *repeat* each way to a focus node counts.  It
    *asks* where a query of the shapes is part of it.
    """

    shape: Shape
    constraint: Constraint
    focus: Focus
    breach: Breach
    prologue: str
    stored: bool
    repeat: bool
    asks: bool = False

    @property
    def start(self) -> str:
        """The variable of the nodes that targets give."""
        return self.focus.chain[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables of a row: focus node, value node, predicate, key, those that messages show."""
        breach, chain = self.breach, self.focus.chain if self.repeat else ()
        names = (_FOCUS, breach.value, breach.path, breach.key, *breach.shown, *chain)
        return tuple(dict.fromkeys(name for name in names if name))

    def text(self, start: str, *, several: bool, few: bool = False) -> str:
        """Return the query for the start nodes that the pattern *start* binds.

        *several*: some of them repeatedly; *few*: so few that each is looked at by itself, whatever the
        engine thinks of the order of a join.
        """
        chain, steps = self.focus.chain, self.focus.steps
        pattern = start
        for (node, further), step in zip(pairwise(chain), steps, strict=True):
            pattern += f" LATERAL {{ {walk(step, node, further, _namer(further))} }}"
        if steps or several:
            names = " ".join(chain if self.repeat else chain[-1:])
            pattern = f"{{ SELECT DISTINCT {names} WHERE {{ {pattern} }} }}"
        breach = self.breach.as_pattern()
        joined = f"LATERAL {{ {breach} }}" if self.breach.lateral or few else breach
        head = "SELECT" if self.repeat and self.breach.each else "SELECT DISTINCT"
        return f"{self.prologue}{head} {' '.join(self.columns)} WHERE {{ {pattern} {joined} }}"


@dataclass(frozen=True, slots=True)
class Screen:
    """Some checks, and a query for the focus nodes at which any finds something; empty for one check."""

    checks: tuple[Check, ...]
    text: str


class Plan:
    """The checks of a shapes graph.

    *keep* tells how the engine keeps a literal; with *exact* some literals of the data are stored as they
    were sent (see :mod:`medkg.shacl.literals`).  With *repeat* there is a check for each way that leads to a
    shape, as SHACL counts results: a shape that is reached from two others says everything twice.

    :raises ShapesRefused: the shapes break a rule of SHACL, or ask for what can't be compiled.
    """

    def __init__(
        self, graph: Graph, classes: Classes, keep: Keep, *, exact: bool = False, repeat: bool = False
    ) -> None:
        self.shapes = Shapes(graph)
        self.shapes.refuse_recursion()
        self._queries = Queries(self.shapes)
        self._classes = classes
        self._keep = keep
        self._exact = exact
        self._repeat = repeat
        self._nested: dict[Node, tuple[Check, ...]] = {}
        self.checks = tuple(self._compile())

    def classes(self, cls: Node) -> tuple[Node, ...]:
        """Return a class and its subclasses."""
        return (cls, *self._classes.get(cls, ()))

    def is_query(self, constraint: Constraint) -> bool:
        """Tell whether a constraint is written in SPARQL."""
        component = constraint.component
        return component == SH.SPARQLConstraintComponent or self._queries.is_custom(component)

    def nested(self, shape: Shape) -> tuple[Check, ...]:
        """Return the checks of a shape that has no targets, for nodes that are given."""
        if shape.node not in self._nested:
            reached = self._reached(shape, ())
            self._nested[shape.node] = tuple(
                check
                for inner, steps in reached
                for constraint in inner.constraints
                for check in self._of(inner, constraint, Focus((), steps))
            )
        return self._nested[shape.node]

    def screens(self) -> Iterator[Screen]:
        """Yield the checks in groups; every group but those of one check has a query for all of it.

        Conditions on the same focus nodes are asked together, and tests of the values of one path.
        """
        grouped: dict[tuple[object, ...], list[Check]] = {}
        for number, check in enumerate(self.checks):
            breach, path = check.breach, check.shape.path
            key: tuple[object, ...] = (number,)
            if not (check.repeat or check.focus.steps or check.stored or breach.lateral):
                if breach.condition:
                    key = (check.focus, "")
                elif breach.test:
                    key = (check.focus, path)
            grouped.setdefault(key, []).append(check)
        for checks in grouped.values():
            yield Screen(tuple(checks), self._together(checks) if len(checks) > 1 else "")

    def _together(self, checks: Sequence[Check]) -> str:
        """Return a query for the focus nodes at which any of some checks finds something."""
        first = checks[0].breach
        tests = any_of(check.breach.condition or f"({check.breach.test})" for check in checks)
        pattern = f"FILTER({tests})"
        if first.test:
            path = checks[0].shape.path
            assert path is not None  # noqa: S101 - what has a test has a path
            pattern = f"{walk(path, _FOCUS, first.value, _namer(first.value))} {pattern}"
        return f"SELECT DISTINCT {_FOCUS} WHERE {{ {self._sources(checks[0])} {pattern} }}"

    def name(self, node: Node, *, stored: bool) -> str:
        """Return a term as a query names it."""
        if isinstance(node, Literal) and self._exact and not stored:
            return term_text(as_sent(node, self._keep))
        return term_text(node)

    def everywhere(self, check: Check) -> str:
        """Return the query of a check for all its targets."""
        patterns = list(self.targets(check.focus.targets, check.start, stored=check.stored))
        several = len(patterns) > 1 or check.repeat or check.focus.repeats
        return check.text(_union(patterns), several=several)

    def _sources(self, check: Check) -> str:
        """Return the pattern of the focus nodes of a check without steps."""
        patterns = list(self.targets(check.focus.targets, _FOCUS, stored=False))
        if len(patterns) > 1 or check.focus.repeats:
            return f"{{ SELECT DISTINCT {_FOCUS} WHERE {{ {_union(patterns)} }} }}"
        return patterns[0]

    def targets(self, targets: Sequence[Target], variable: str, *, stored: bool) -> Iterator[str]:
        """Yield patterns that together bind a variable to the nodes of some targets."""
        classes = dict.fromkeys(item.value for item in targets if item.kind == SH.targetClass)
        if classes:
            yield self._instances(tuple(classes), variable)
        nodes = [self.name(item.value, stored=stored) for item in targets if item.kind == SH.targetNode]
        if nodes:
            yield f"VALUES {variable} {{ {' '.join(nodes)} }}"
        for item in targets:
            if item.kind == SH.targetSubjectsOf:
                yield f"{variable} {term_text(item.value)} ?medkgOther ."
            elif item.kind == SH.targetObjectsOf:
                yield f"?medkgOther {term_text(item.value)} {variable} ."

    def _instances(self, tops: Sequence[Node], variable: str) -> str:
        """Return the pattern of the instances of some classes."""
        classes = {name for cls in tops for name in self.classes(cls)}
        if any(isinstance(name, BNode) for name in classes):
            named = " ".join(map(term_text, tops))
            return f"VALUES ?medkgClass {{ {named} }} {variable} {INSTANCE} ?medkgClass ."
        names = sorted(map(term_text, classes))
        if len(names) == 1:
            return f"{variable} a {names[0]} ."
        return f"VALUES ?medkgClass {{ {' '.join(names)} }} {variable} a ?medkgClass ."

    def _compile(self) -> Iterator[Check]:
        grouped: dict[tuple[Node, tuple[Path, ...], tuple[Node, int] | None], list[Target]] = {}
        for root in self.shapes.roots():
            for number, (shape, steps) in enumerate(self._reached(root, ())):
                way = (root.node, number) if self._repeat else None
                grouped.setdefault((shape.node, steps, way), []).extend(root.targets)
        for (node, steps, _), targets in grouped.items():
            shape = self.shapes[node]
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
                for inner in self.shapes.of(constraint):
                    yield from self._reached(inner, further)

    def _of(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Check]:
        stored = self.is_query(constraint)
        values = ValueTests(self._keep, exact=self._exact and not stored)
        writer = Breaches(self.shapes, values, self._queries, self.classes)
        for breach in writer.of(shape, constraint, _FOCUS):
            if writer.asks and self._exact and not stored:
                raise ShapesRefused(
                    f"The shape {shape.node} has a query inside another shape, and the data has literals "
                    "that are not in canonical form; both together are not evaluated here.",
                    remedy="Write the literals in canonical form, or move the query to a shape with targets.",
                )
            prologue = "".join(f"PREFIX {name}: <{space}>\n" for name, space in writer.prefixes.items())
            yield Check(shape, constraint, focus, breach, prologue, stored, self._repeat, writer.asks)


def _union(patterns: Sequence[str]) -> str:
    return patterns[0] if len(patterns) == 1 else " UNION ".join(f"{{ {item} }}" for item in patterns)


def _namer(prefix: str) -> Callable[[], str]:
    """Return what makes new variables."""
    numbers = count(1)
    return lambda: f"{prefix}Way{next(numbers)}"
