"""What breaks a constraint, as SPARQL around a variable for the focus node (SHACL, section 4).

Each constraint becomes a *breach*: a condition on the focus node, or a group graph pattern that has one
solution for each violation.  A shape inside another one becomes a condition made of the breaches of its
parts.  Every variable is new, and whoever puts a breach into a query has bound that of the focus node before,
so that an EXISTS or a LATERAL around it sees the value.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Final

from rdflib.namespace import RDF, RDFS, SH
from rdflib.term import BNode, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.breach import Breach
from medkg.shacl.components import count_of
from medkg.shacl.paths import Path, items
from medkg.shacl.queries import Queries
from medkg.shacl.shapes import Constraint, Shape, Shapes
from medkg.shacl.values import ValueTests, any_of
from medkg.shacl.walks import may_be_empty, walk

__all__ = ["INSTANCE", "Breaches"]

INSTANCE: Final = f"<{RDF.type}>/<{RDFS.subClassOf}>*"
"""The path to the classes of a node, where some have no name to write into a query (section 1.1)."""

_PAIRS: Final = {SH.LessThanConstraintComponent: "<", SH.LessThanOrEqualsConstraintComponent: "<="}


class Breaches:
    """Writes the breaches of the constraints of *shapes* for one query.

    *classes* returns a class of the data with its subclasses.  *prefixes* are those that the query needs,
    and *asks* tells whether a query of the shapes is part of it.

    :raises ShapesRefused: from every method, where a constraint can't be written.
    """

    def __init__(
        self,
        shapes: Shapes,
        values: ValueTests,
        queries: Queries,
        classes: Callable[[Node], tuple[Node, ...]],
    ) -> None:
        self._shapes = shapes
        self._values = values
        self._queries = queries
        self._classes = classes
        self._numbers = count(1)
        self.prefixes: dict[str, str] = {}
        self.asks = False

    def variable(self) -> str:
        """Return a variable that nobody else uses."""
        return f"?medkg{next(self._numbers)}"

    def of(self, shape: Shape, constraint: Constraint, focus: str) -> Iterator[Breach]:
        """Yield the breaches of a constraint of *shape*; those of ``sh:property`` are those of that shape."""
        component = constraint.component
        if component in _PAIRS:
            yield self._pair(shape, constraint, focus, _PAIRS[component])
        elif component in self._by_focus:
            breach = self._by_focus[component](self, shape, constraint, focus)
            if breach is not None:
                yield breach
        elif component == SH.SPARQLConstraintComponent or self._queries.is_custom(component):
            breach, prefixes = self._queries.breach(shape, constraint, focus, self.variable)
            self._need(prefixes)
            self.asks = True
            yield breach
        elif component != SH.PropertyConstraintComponent:
            yield self._of_values(shape, constraint, focus)

    def violated(self, shape: Shape, node: str) -> str:
        """Return an expression: the node does not conform to *shape* (section 3.4)."""
        if shape.deactivated:
            return "false"
        tests: list[str] = []
        for constraint in shape.constraints:
            if constraint.component == SH.PropertyConstraintComponent:
                tests.append(self._property(shape, constraint, node))
            tests += [breach.as_expression() for breach in self.of(shape, constraint, node)]
        return f"({any_of(tests)})"

    def steps(self, shape: Shape, focus: str, value: str) -> str:
        """Return the pattern from the focus node of a property shape to a value node."""
        return walk(_path(shape), focus, value, self.variable)

    def _need(self, prefixes: Mapping[str, str]) -> None:
        for prefix, namespace in prefixes.items():
            if self.prefixes.setdefault(prefix, namespace) != namespace:
                raise ShapesRefused(
                    f"The prefix {prefix}: stands for two namespaces in shapes that are used together.",
                    remedy="Use different prefixes, or whole IRIs.",
                )

    def _property(self, shape: Shape, constraint: Constraint, node: str) -> str:
        (inner,) = self._shapes.of(constraint)
        if shape.path is None:
            return self.violated(inner, node)
        value = self.variable()
        return f"EXISTS {{ {self.steps(shape, node, value)} FILTER({self.violated(inner, value)}) }}"

    def _of_values(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        """Write a constraint that each value node keeps or breaks by itself."""
        if shape.path is None:
            return Breach(condition=self.value_test(constraint, focus), value=focus)
        value = self.variable()
        test = self.value_test(constraint, value)
        pattern = f"{self.steps(shape, focus, value)} FILTER({test})"
        return Breach(pattern=pattern, value=value, lateral=_branches(shape), test=test)

    def value_test(self, constraint: Constraint, value: str) -> str:
        """Return an expression: the value node breaks the constraint."""
        component, parameter = constraint.component, constraint.value
        simple = self._values.of(component, constraint.more)
        if simple is not None:
            return simple(value, parameter)
        if component == SH.ClassConstraintComponent:
            return f"NOT EXISTS {{ {self.instance(value, parameter)} }}"
        if component == SH.InConstraintComponent:
            return f"!({self._values.one_of(value, items(self._shapes.graph, parameter))})"
        if component == SH.LanguageInConstraintComponent:
            return self._values.language(value, items(self._shapes.graph, parameter))
        return self._logical(
            component, [self.violated(inner, value) for inner in self._shapes.of(constraint)]
        )

    @staticmethod
    def _logical(component: URIRef, violated: list[str]) -> str:
        """Shapes that are combined (section 4.6), and ``sh:node``."""
        if component == SH.NotConstraintComponent:
            return f"!{violated[0]}"
        if component == SH.OrConstraintComponent:
            return " && ".join(violated) or "true"
        if component == SH.XoneConstraintComponent:
            return f"({' + '.join(f'IF({test}, 0, 1)' for test in violated) or '0'}) != 1"
        return any_of(violated)

    def instance(self, node: str, cls: Node) -> str:
        """Return the pattern of the types of a SHACL instance of a class (section 1.1)."""
        classes = self._classes(cls)
        if any(isinstance(name, BNode) for name in classes):
            return f"{node} {INSTANCE} {self._values.term(cls)} ."
        names = [self._values.term(name) for name in classes]
        if len(names) == 1:
            return f"{node} a {names[0]} ."
        kind = self.variable()
        return f"{node} a {kind} . FILTER({kind} IN ({', '.join(names)}))"

    def _at_least(self, shape: Shape, focus: str, least: int, also: str, value: str) -> str:
        """Return an expression: that many different value nodes for which *also* is true."""
        steps = self.steps(shape, focus, value) + (f" FILTER({also})" if also else "")
        if least <= 1:
            return f"EXISTS {{ {steps} }}"
        enough = f"HAVING(COUNT(DISTINCT {value}) >= {least})"
        return f"EXISTS {{ SELECT {focus} {{ {steps} }} GROUP BY {focus} {enough} }}"

    def _min_count(self, shape: Shape, constraint: Constraint, focus: str) -> Breach | None:
        least = count_of(constraint.value)
        if least == 0:
            return None
        return Breach(condition=f"!({self._at_least(shape, focus, least, '', self.variable())})")

    def _max_count(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        most = count_of(constraint.value)
        if most != 1 or not _path(shape).is_simple:
            return Breach(condition=self._at_least(shape, focus, most + 1, "", self.variable()))
        one, other = self.variable(), self.variable()
        both = f"{self.steps(shape, focus, one)} {self.steps(shape, focus, other)}"
        return Breach(condition=f"EXISTS {{ {both} FILTER(!sameTerm({one}, {other})) }}")

    def _qualified(self, shape: Shape, constraint: Constraint, value: str) -> str:
        (inner,) = self._shapes.of(constraint)
        tests = [f"!{self.violated(inner, value)}"]
        tests += [
            self.violated(self._shapes[node], value) for node in self._shapes.siblings(shape, constraint)
        ]
        return " && ".join(tests)

    def _qualified_min(self, shape: Shape, constraint: Constraint, focus: str) -> Breach | None:
        least, value = count_of(constraint.more[SH.qualifiedMinCount]), self.variable()
        if least == 0:
            return None
        also = self._qualified(shape, constraint, value)
        return Breach(condition=f"!({self._at_least(shape, focus, least, also, value)})")

    def _qualified_max(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        most, value = count_of(constraint.more[SH.qualifiedMaxCount]), self.variable()
        also = self._qualified(shape, constraint, value)
        return Breach(condition=self._at_least(shape, focus, most + 1, also, value))

    def _has_value(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        term = self._values.term(constraint.value)
        if shape.path is None:
            return Breach(condition=f"!sameTerm({focus}, {term})")
        return Breach(condition=f"NOT EXISTS {{ {self.steps(shape, focus, term)} }}")

    def _unique_lang(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        del constraint
        one, other, tag = self.variable(), self.variable(), self.variable()
        same = f'LANG({one}) != "" && LCASE(LANG({one})) = LCASE(LANG({other})) && !sameTerm({one}, {other})'
        both = f"{self.steps(shape, focus, one)} {self.steps(shape, focus, other)}"
        pattern = f"{both} FILTER({same}) BIND(LCASE(LANG({one})) AS {tag})"
        return Breach(pattern=pattern, key=tag, lateral=_branches(shape))

    def _equals(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        other, value = f"{focus} {self._values.term(constraint.value)}", self.variable()
        if shape.path is None:
            here = f"BIND({focus} AS {value}) FILTER NOT EXISTS {{ {other} {focus} }}"
            there = f"{other} {value} FILTER(!sameTerm({value}, {focus}))"
        else:
            reached = self.variable()
            same = f"{self.steps(shape, focus, reached)} FILTER(sameTerm({reached}, {value}))"
            here = f"{self.steps(shape, focus, value)} FILTER NOT EXISTS {{ {other} {value} }}"
            there = f"{other} {value} FILTER NOT EXISTS {{ {same} }}"
        return Breach(pattern=f"{{ {here} }} UNION {{ {there} }}", value=value, lateral=True)

    def _disjoint(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        other = f"{focus} {self._values.term(constraint.value)}"
        if shape.path is None:
            return Breach(condition=f"EXISTS {{ {other} {focus} }}", value=focus)
        value, same = self.variable(), self.variable()
        pattern = f"{self.steps(shape, focus, value)} {other} {same} . FILTER(sameTerm({value}, {same}))"
        return Breach(pattern=pattern, value=value, lateral=_branches(shape))

    def _pair(self, shape: Shape, constraint: Constraint, focus: str, sign: str) -> Breach:
        value, other = self.variable(), self.variable()
        both = f"{self.steps(shape, focus, value)} {focus} {self._values.term(constraint.value)} {other} ."
        # Some engines take two equal IRIs for ones that can be compared; SPARQL does not.
        test = f"isLiteral({value}) && {self._values.number(value)} {sign} {self._values.number(other)}"
        test = f"!COALESCE({test}, false)"
        return Breach(pattern=f"{both} FILTER({test})", value=value, key=other, lateral=_branches(shape))

    def _closed(self, shape: Shape, constraint: Constraint, focus: str) -> Breach:
        value, predicate = self.variable(), self.variable()
        # Each value node is closed (section 4.8.1): without a path that is the focus node.
        node = focus if shape.path is None else self.variable()
        steps = "" if shape.path is None else f"{self.steps(shape, focus, node)} "
        allowed = ", ".join(self._values.term(name) for name in self._shapes.allowed(shape, constraint))
        test = f" FILTER({predicate} NOT IN ({allowed}))" if allowed else ""
        pattern = f"{steps}{node} {predicate} {value} .{test}"
        if shape.path is None:
            return Breach(pattern=pattern, value=value, path=predicate)
        return Breach(pattern=pattern, value=value, path=predicate, key=node, lateral=_branches(shape))

    _by_focus: Final = {
        SH.MinCountConstraintComponent: _min_count,
        SH.MaxCountConstraintComponent: _max_count,
        SH.QualifiedMinCountConstraintComponent: _qualified_min,
        SH.QualifiedMaxCountConstraintComponent: _qualified_max,
        SH.HasValueConstraintComponent: _has_value,
        SH.UniqueLangConstraintComponent: _unique_lang,
        SH.EqualsConstraintComponent: _equals,
        SH.DisjointConstraintComponent: _disjoint,
        SH.ClosedConstraintComponent: _closed,
    }


def _path(shape: Shape) -> Path:
    if shape.path is None:
        raise ShapesRefused(f"The shape {shape.node} has no sh:path.")
    return shape.path


def _branches(shape: Shape) -> bool:
    """Tell whether the way to value nodes is a UNION; its parts don't see the focus node by themselves."""
    return may_be_empty(_path(shape))
