"""Shapes as they are read from a shapes graph (SHACL, sections 2 to 6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rdflib import Graph
from rdflib.namespace import OWL, RDF, RDFS, SH, XSD
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.components import COMPONENTS, Component, is_true, known_terms
from medkg.shacl.paths import Path, items, read_path

__all__ = ["Constraint", "Custom", "Shape", "Shapes", "Target"]

_DEPTH: Final = 30
"""Shapes within each other."""
_SIZE: Final = 2_000
"""Shapes that a shape is made of."""
_TARGETS: Final = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)


@dataclass(frozen=True, slots=True)
class Target:
    """One declaration of focus nodes: its kind (``sh:targetClass`` ...) and its class, node or predicate."""

    kind: URIRef
    value: Node


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint of a shape: its component and the values of its parameters.

    *value* is that of the first parameter; *more* holds the others by their IRI, such as ``sh:flags``.
    """

    component: URIRef
    value: Node
    more: Mapping[URIRef, Node] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """A node shape, or with a *path* a property shape; *path_node* is the path in the shapes graph."""

    node: Node
    path: Path | None
    path_node: Node | None
    targets: tuple[Target, ...]
    constraints: tuple[Constraint, ...]
    severity: URIRef
    messages: tuple[Literal, ...]
    deactivated: bool


@dataclass(frozen=True, slots=True)
class Custom:
    """A constraint component that the shapes graph declares (SHACL, section 6).

    *parameters* maps the predicate of each parameter to whether it is needed; validators are nodes, None
    where there is none.
    """

    node: URIRef
    parameters: Mapping[URIRef, bool]
    validator: Node | None
    node_validator: Node | None
    property_validator: Node | None


class Shapes:
    """The shapes of a graph, read as they are asked for.

    :raises ShapesRefused: from every method, where the graph breaks a rule of SHACL or asks for what is not
        evaluated here.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._read: dict[Node, Shape] = {}
        self.customs = tuple(self._customs())
        self._known = known_terms() | {name for custom in self.customs for name in custom.parameters}
        if (None, SH.entailment, None) in graph:
            raise ShapesRefused(
                "The shapes demand an entailment regime (sh:entailment), and none is applied here.",
                remedy="Infer before validating, and leave sh:entailment out.",
            )

    def roots(self) -> list[Shape]:
        """Return the shapes that have targets, in the order of their names."""
        graph = self.graph
        nodes = {node for target in _TARGETS for node in graph.subjects(target)}
        kinds = {
            kind
            for top in (SH.NodeShape, SH.PropertyShape)
            for kind in graph.transitive_subjects(RDFS.subClassOf, top)
        }
        nodes |= {node for kind in kinds for node in graph.subjects(RDF.type, kind)}
        roots = [self[node] for node in sorted(nodes, key=str)]
        return [shape for shape in roots if shape.targets]

    def __getitem__(self, node: Node) -> Shape:
        """Return the shape that *node* stands for."""
        if node not in self._read:
            self._read[node] = self._shape(node)
        return self._read[node]

    def of(self, constraint: Constraint) -> list[Shape]:
        """Return the shapes that a constraint is made of: that of ``sh:node``, those of ``sh:or`` ..."""
        if COMPONENTS[constraint.component].takes == "shapes":
            return [self[node] for node in items(self.graph, constraint.value)]
        return [self[constraint.value]]

    def siblings(self, shape: Shape, constraint: Constraint) -> list[Node]:
        """Return the shapes that a value may not conform to, beside a disjoint one (section 4.7.3)."""
        graph = self.graph
        if not is_true(constraint.more.get(SH.qualifiedValueShapesDisjoint)):
            return []
        beside = {
            node
            for parent in graph.subjects(SH.property, shape.node)
            for property_ in graph.objects(parent, SH.property)
            for node in graph.objects(property_, SH.qualifiedValueShape)
        }
        return sorted(beside - {constraint.value}, key=str)

    def allowed(self, shape: Shape, constraint: Constraint) -> list[URIRef]:
        """Return the predicates that a closed shape allows (section 4.8.1)."""
        graph = self.graph
        paths = {self[node].path for node in graph.objects(shape.node, SH.property)}
        names = {path.predicate for path in paths if path is not None and path.predicate is not None}
        ignored = constraint.more.get(SH.ignoredProperties)
        if ignored is not None:
            names |= {node for node in items(graph, ignored) if isinstance(node, URIRef)}
        return sorted(names)

    def patterns(self) -> set[tuple[Node, Node | None]]:
        """Return the values of ``sh:pattern`` of the shapes that were read, with their flags."""
        component = SH.PatternConstraintComponent
        found = (item for shape in self._read.values() for item in shape.constraints)
        return {(item.value, item.more.get(SH.flags)) for item in found if item.component == component}

    def refuse_recursion(self) -> None:
        """Refuse shapes that refer to themselves: what they mean is left open (SHACL, section 3.4.3).

        Those that are nested too deeply, or stand for too many shapes when all is written out, are refused,
        too: they would end in a query that the engine can't read.
        """
        sizes: dict[Node, int] = {}
        for shape in self.roots():
            self._size(shape, (), sizes)

    def _size(self, shape: Shape, above: tuple[Node, ...], sizes: dict[Node, int]) -> int:
        """Return how many shapes there are in *shape*, those that are there twice counted twice."""
        if shape.node in above:
            raise ShapesRefused(
                f"The shape {shape.node} refers to itself; SHACL leaves open what that means."
            )
        if shape.node not in sizes:
            if len(above) > _DEPTH:
                raise ShapesRefused(f"Shapes are nested more than {_DEPTH} times at {above[0]}.")
            within = (*above, shape.node)
            sizes[shape.node] = 1 + sum(self._size(inner, within, sizes) for inner in self._inner(shape))
        if sizes[shape.node] > _SIZE:
            raise ShapesRefused(f"The shape {shape.node} is made of more than {_SIZE} shapes.")
        return sizes[shape.node]

    def _inner(self, shape: Shape) -> Iterator[Shape]:
        """Yield the shapes that a shape is made of, as often as they are evaluated."""
        for constraint in shape.constraints:
            component = COMPONENTS.get(constraint.component)
            if component is not None and component.takes in {"shape", "shapes"}:
                for inner in self.of(constraint):
                    _check_kind(constraint, inner)
                    yield inner
                yield from (self[node] for node in self.siblings(shape, constraint))

    def _shape(self, node: Node) -> Shape:
        graph = self.graph
        if isinstance(node, Literal):
            raise ShapesRefused(f"A literal stands in the place of a shape: {node.n3()}.")
        self._check_terms(node)
        paths = list(graph.objects(node, SH.path))
        if len(paths) > 1:
            raise ShapesRefused(f"The property shape {node} has {len(paths)} paths; it has exactly one.")
        if not paths and (node, RDF.type, SH.PropertyShape) in graph:
            raise ShapesRefused(f"The property shape {node} has no sh:path.")
        path = read_path(graph, paths[0]) if paths else None
        return Shape(
            node,
            path,
            paths[0] if paths else None,
            tuple(self._targets(node)),
            tuple(self._constraints(node, path)),
            self._severity(node),
            tuple(sorted(_messages(graph, node))),
            self.is_off(node),
        )

    def is_off(self, node: Node) -> bool:
        """Tell whether a shape, or a constraint that is a query, is deactivated."""
        values = list(self.graph.objects(node, SH.deactivated))
        good = all(isinstance(value, Literal) and value.datatype == XSD.boolean for value in values)
        if len(values) > 1 or not good:
            raise ShapesRefused(f"The value of sh:deactivated at {node} is not either true or false.")
        return any(map(is_true, values))

    def _check_terms(self, node: Node) -> None:
        for predicate in set(self.graph.predicates(node)):
            if str(predicate).startswith(str(SH)) and predicate not in self._known:
                raise ShapesRefused(
                    f"The shape {node} uses sh:{str(predicate).removeprefix(str(SH))}, "
                    "which is not evaluated here.",
                    remedy="Use SHACL Core, sh:sparql or SPARQL-based constraint components.",
                )

    def _targets(self, node: Node) -> Iterator[Target]:
        graph = self.graph
        for kind in _TARGETS:
            for value in sorted(graph.objects(node, kind), key=str):
                if isinstance(value, BNode) or (isinstance(value, Literal) and kind != SH.targetNode):
                    raise ShapesRefused(f"A target of the shape {node} is no IRI.")
                yield Target(kind, value)
        # An implicit class target (SHACL, section 2.1.3.3).
        kinds = {kind for found in graph.objects(node, RDF.type) for kind in _above(graph, found)}
        if (
            isinstance(node, URIRef)
            and kinds & {RDFS.Class, OWL.Class}
            and kinds & {SH.NodeShape, SH.PropertyShape}
        ):
            yield Target(SH.targetClass, node)

    def _constraints(self, node: Node, path: Path | None) -> Iterator[Constraint]:
        for component in COMPONENTS.values():
            yield from self._of_component(node, component, path)
        for custom in self.customs:
            yield from self._of_custom(node, custom)

    def _of_component(self, node: Node, component: Component, path: Path | None) -> Iterator[Constraint]:
        graph = self.graph
        values = sorted(graph.objects(node, component.parameter), key=str)
        if values and path is None and component.needs_path:
            raise ShapesRefused(f"The node shape {node} has {component.name}, which needs a sh:path.")
        # A component with several parameters takes one value of each (section 2.1.2).
        if len(values) > 1 and (component.once or component.more):
            raise ShapesRefused(f"The shape {node} has more than one {component.name}.")
        more = component.others(graph, node) if values else {}
        for value in values:
            component.check(graph, node, value)
            if component.takes == "query" and self.is_off(value):
                continue
            if component.is_on(value) and (component.counted is None or component.counted in more):
                yield Constraint(component.iri, value, more)

    def _of_custom(self, node: Node, custom: Custom) -> Iterator[Constraint]:
        found = {name: list(self.graph.objects(node, name)) for name in custom.parameters}
        if any(needed and not found[name] for name, needed in custom.parameters.items()):
            return
        several = [name for name, values in found.items() if len(values) > 1]
        if several and len(found) > 1:
            raise ShapesRefused(f"The shape {node} has more than one value of {several[0]}.")
        first = next(name for name, values in found.items() if values)
        rest = {name: values[0] for name, values in found.items() if values and name != first}
        for value in sorted(found[first], key=str):
            yield Constraint(custom.node, value, {first: value, **rest})

    def _severity(self, node: Node) -> URIRef:
        severities = list(self.graph.objects(node, SH.severity)) or [SH.Violation]
        if len(severities) > 1 or not isinstance(severities[0], URIRef):
            raise ShapesRefused(f"The severity of the shape {node} is no IRI, or there are several.")
        return severities[0]

    def _customs(self) -> Iterator[Custom]:
        graph = self.graph
        kinds = {SH.ConstraintComponent} | set(
            graph.transitive_subjects(RDFS.subClassOf, SH.ConstraintComponent)
        )
        nodes = {node for kind in kinds for node in graph.subjects(RDF.type, kind)}
        for node in sorted(nodes, key=str):
            if isinstance(node, URIRef) and not str(node).startswith(str(SH)):
                yield self._custom(node)

    def _custom(self, node: URIRef) -> Custom:
        graph, parameters = self.graph, {}
        for parameter in graph.objects(node, SH.parameter):
            name = graph.value(parameter, SH.path)
            if not isinstance(name, URIRef):
                raise ShapesRefused(f"A parameter of the constraint component {node} has no IRI as sh:path.")
            parameters[name] = not is_true(graph.value(parameter, SH.optional))
        if not any(parameters.values()):
            raise ShapesRefused(f"The constraint component {node} has no parameter that is needed.")
        validators = (SH.validator, SH.nodeValidator, SH.propertyValidator)
        return Custom(node, parameters, *(graph.value(node, name) for name in validators))


def _check_kind(constraint: Constraint, inner: Shape) -> None:
    """Refuse a node shape at ``sh:property`` and a property shape at ``sh:node`` (section 4.7)."""
    wanted = {SH.PropertyConstraintComponent: True, SH.NodeConstraintComponent: False}.get(
        constraint.component
    )
    if wanted is not None and (inner.path is not None) != wanted:
        kind, name = ("property", "sh:property") if wanted else ("node", "sh:node")
        raise ShapesRefused(f"The shape {inner.node} is a value of {name}, and no {kind} shape.")


def _above(graph: Graph, kind: Node) -> set[Node]:
    return {node for node in graph.transitive_objects(kind, RDFS.subClassOf) if node is not None}


def _messages(graph: Graph, node: Node) -> Iterator[Literal]:
    for message in graph.objects(node, SH.message):
        if not isinstance(message, Literal) or message.datatype not in {None, XSD.string, RDF.langString}:
            raise ShapesRefused(f"A sh:message of the shape {node} is no text.")
        yield message
