"""SHACL by pySHACL on an rdflib Memory graph: the reference engine.

pySHACL runs on rdflib's own store here and nowhere else: over another store it compares plain strings with
typed ones and finds violations that are not there.
"""

from typing import TYPE_CHECKING, Any, Final

import pyshacl
from rdflib import Graph
from rdflib.namespace import SH
from rdflib.plugins.sparql import prepareQuery
from rdflib.query import Result as Answer
from rdflib.term import Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.paths import read_path
from medkg.shacl.results import Result

if TYPE_CHECKING:
    from rdflib.plugins.sparql.sparql import Query

__all__ = ["CachingGraph", "validate"]

_ASIDE: Final = frozenset({SH.name, SH.description, SH.order, SH.group})


class CachingGraph(Graph):
    """A graph in rdflib's memory that reads the text of a query once; pySHACL asks it at each focus node."""

    def __init__(self) -> None:
        super().__init__(bind_namespaces="none")
        self._prepared: dict[tuple[str, str], Query] = {}

    def query(self, query_object: Any, *arguments: Any, **options: Any) -> Answer:
        """See :meth:`rdflib.Graph.query`."""
        if isinstance(query_object, str):
            names = options.get("initNs") or dict(self.namespaces())
            key = query_object, repr(names)
            if key not in self._prepared:
                self._prepared[key] = prepareQuery(query_object, initNs=names)
            query_object = self._prepared[key]
        return super().query(query_object, *arguments, **options)


def validate(data: Graph, shapes: Graph) -> list[Result]:
    """Validate *data* against *shapes* (SHACL Core and SHACL-SPARQL); return the results, without details.

    A :class:`CachingGraph` is several times faster where shapes have queries.

    :raises ShapesRefused: the shapes themselves can't be used.
    """
    slim = Graph(bind_namespaces="none")
    for triple in shapes:
        if not _is_aside(triple):
            slim.add(triple)
    report = _run(data, slim)
    return [_result(report, result) for result in report.objects(None, SH.result)]


def _run(data: Graph, shapes: Graph) -> Graph:
    try:
        _, report, _ = pyshacl.validate(
            data, shacl_graph=shapes, inference="none", inplace=True, meta_shacl=False
        )
    # It raises whatever its helpers raise, down to a bare Exception.
    except Exception as error:
        raise _unusable(error) from error
    # A broken run may also come back as an exception object in place of the report.
    if not isinstance(report, Graph):
        raise _unusable(report)
    return report


def _unusable(error: object) -> ShapesRefused:
    reason = str(getattr(error, "message", None) or error).strip().partition("\n")[0].rstrip(".")
    return ShapesRefused(f"The shapes can't be used: {reason}.", remedy="Mend the shapes.")


def _is_aside(triple: tuple[Node, Node, Node]) -> bool:
    """Tell whether a triple only speaks to people; pySHACL reads all of a shape again at every node."""
    return triple[1] in _ASIDE


def _result(report: Graph, node: Node) -> Result:
    path = report.value(node, SH.resultPath)
    messages = (item for item in report.objects(node, SH.resultMessage) if isinstance(item, Literal))
    return Result(
        _needed(report, node, SH.focusNode),
        None if path is None else read_path(report, path),
        report.value(node, SH.value),
        _needed(report, node, SH.sourceShape),
        URIRef(str(_needed(report, node, SH.sourceConstraintComponent))),
        URIRef(str(_needed(report, node, SH.resultSeverity))),
        tuple(sorted(messages)),
        report.value(node, SH.sourceConstraint),
    )


def _needed(report: Graph, node: Node, predicate: URIRef) -> Node:
    value = report.value(node, predicate)
    if value is None:
        raise ShapesRefused(f"The report of the shapes lacks {predicate}.")
    return value
