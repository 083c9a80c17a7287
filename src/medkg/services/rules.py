"""The rules of the graph, compiled once for all submissions to one version of it."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from rdflib import Graph, Namespace
from rdflib.namespace import OWL, SH
from rdflib.term import Node, URIRef

from medkg.domain.errors import ParameterError
from medkg.domain.model import Quad, Severity
from medkg.domain.namespaces import MEDKG
from medkg.services.validation import Kept, graph_of
from medkg.shacl.affected import Dependencies
from medkg.shacl.compiled import subclasses
from medkg.shacl.literals import term_text
from medkg.shacl.plan import Plan
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph

__all__ = ["PROFILES", "Rules", "insist_on"]

_SHAPES: Final = Namespace("https://w3id.org/medkg/shapes#")
PROFILES: Final = ("draft", "submission", "publication")
"""The profiles, from the mildest to that of the public graph."""
_DIFFERENCES: Final[Mapping[URIRef, Severity | None]] = {
    MEDKG.violationIn: Severity.VIOLATION,
    MEDKG.warningIn: Severity.WARNING,
    MEDKG.infoIn: Severity.INFO,
    MEDKG.ignoredIn: None,
}


_MOST: Final = 20_000
"""Things of one class that are remembered."""


def insist_on(profile: str) -> None:
    """Let only the name of a profile pass.

    :raises ParameterError: there is no such profile.
    """
    if profile not in PROFILES:
        raise ParameterError(
            "profile",
            f"There is no profile {profile[:50]!r}.",
            remedy=f"Choose one of {', '.join(PROFILES)}.",
        )


class Rules:
    """The shapes of a version as plans, and what a submission to it may affect.

    *data* is the graph of the version, *shapes* are for all of it, *closed* for a submitted graph alone.
    """

    def __init__(self, data: MemoryGraph, shapes: Iterable[Quad], closed: Iterable[Quad]) -> None:
        classes, keep = subclasses(Kept(data)), cache(kept_literal)
        self.shapes = graph_of(shapes)
        self.keep = keep
        self.schema = data.schema()
        self.plan = Plan(self.shapes, classes, keep, exact=True)
        self.dependencies = Dependencies(self.plan)
        self.closed_shapes = graph_of(closed)
        self.closed = Plan(self.closed_shapes, classes, keep, exact=True)
        self.version = str(next(self.shapes.objects(None, OWL.versionInfo), ""))
        self.instances = _instances(data, self.shapes)
        """The things of each class that a value may have to be of."""
        self.alone = frozenset(self.shapes.subjects(MEDKG.reads, _SHAPES.EachGraph))
        """The shapes that read each named graph by itself."""

    def severity(self, shape: Node, otherwise: Severity, profile: str) -> Severity | None:
        """Return how grave a finding of a shape is in a profile; None where the profile ignores it."""
        name = _SHAPES[f"{profile.capitalize()}Profile"]
        for graph in (self.shapes, self.closed_shapes):
            for predicate, severity in _DIFFERENCES.items():
                if (shape, predicate, name) in graph:
                    return severity
        return otherwise

    def graph_of(self, shape: Node) -> Graph:
        """Return the shapes graph that a shape stands in."""
        return self.closed_shapes if (shape, SH.severity, None) in self.closed_shapes else self.shapes


def _instances(data: MemoryGraph, shapes: Graph) -> dict[Node, tuple[str, ...]]:
    classes = {cls for cls in shapes.objects(None, SH["class"]) if isinstance(cls, URIRef)}
    text = "SELECT ?thing {{ ?thing a {} }} LIMIT {}"
    return {
        cls: tuple(str(row[0]) for row in data.rows(text.format(term_text(cls), _MOST))) for cls in classes
    }
