"""SHACL by pySHACL on an rdflib Memory graph: the reference engine.

pySHACL runs on rdflib's own store here and nowhere else: over another store it compares plain strings with
typed ones and finds violations that are not there.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import pyshacl
from rdflib import Graph
from rdflib.namespace import RDF, SH
from rdflib.term import BNode, Literal, Node

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Finding, Quad, Report, Severity
from medkg.domain.namespaces import MEDKG, compact

__all__ = ["validate"]

_SEVERITIES: Final[Mapping[Node | None, Severity]] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}
_ASIDE: Final = frozenset({SH.name, SH.description, SH.order, SH.group})
_PATHS: Final = {
    "^{}": SH.inversePath,
    "{}*": SH.zeroOrMorePath,
    "{}+": SH.oneOrMorePath,
    "{}?": SH.zeroOrOnePath,
}
_ORDER: Final = tuple(Severity)


def validate(data: Iterable[Quad], shapes: Iterable[Quad]) -> Report:
    """Validate *data* against *shapes* (SHACL Core and SHACL-SPARQL); both are read as one graph each.

    Returns the findings of the report, the gravest first, then by code and focus node.

    :raises StoreFailed: the shapes themselves can't be used.
    """
    shapes_graph = _graph(quad for quad in shapes if not _is_aside(quad))
    report = _run(_graph(data), shapes_graph)
    findings = [_finding(report, shapes_graph, result) for result in report.objects(None, SH.result)]
    findings.sort(
        key=lambda item: (_ORDER.index(item.severity), item.code, item.focus, item.path, item.value)
    )
    return Report(tuple(findings))


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


def _unusable(error: object) -> StoreFailed:
    reason = str(getattr(error, "message", None) or error).strip().partition("\n")[0].rstrip(".")
    return StoreFailed(f"The shapes can't be used: {reason}.", remedy="Mend the files in shapes/.")


def _graph(quads: Iterable[Quad]) -> Graph:
    graph = Graph(bind_namespaces="none")
    for subject, predicate, object_, _ in quads:
        graph.add((subject, predicate, object_))
    return graph


def _is_aside(quad: Quad) -> bool:
    """Tell whether a triple only speaks to people; pySHACL reads all of a shape again at every node."""
    _, predicate, value, _ = quad
    if predicate == SH.message:
        return isinstance(value, Literal) and value.language not in {None, "en"}
    return predicate in _ASIDE


def _finding(report: Graph, shapes: Graph, result: Node) -> Finding:
    shape = report.value(result, SH.sourceShape)
    severity = report.value(result, SH.resultSeverity)
    return Finding(
        code=str(shapes.value(shape, MEDKG.code) or "G-00"),
        severity=_SEVERITIES.get(severity, Severity.VIOLATION),
        message=_message(report, result),
        focus=str(report.value(result, SH.focusNode)),
        path=_path(report, report.value(result, SH.resultPath)),
        value=_text(report.value(result, SH.value)),
    )


def _message(report: Graph, result: Node) -> str:
    messages = [item for item in report.objects(result, SH.resultMessage) if isinstance(item, Literal)]
    english = [item for item in messages if item.language in {"en", None}]
    return str(min(english or messages, default=""))


def _path(report: Graph, path: Node | None) -> str:
    """Return a property path as SPARQL writes it (SHACL, section 2.3.1)."""
    if not isinstance(path, BNode):
        return _text(path)
    for form, kind in _PATHS.items():
        inner = report.value(path, kind)
        if inner is not None:
            text = _path(report, inner)
            return form.format(f"({text})" if isinstance(inner, BNode) else text)
    alternatives = report.value(path, SH.alternativePath)
    steps = report.items(path if alternatives is None else alternatives)
    return ("/" if alternatives is None else "|").join(_path(report, step) for step in steps)


def _text(term: Node | None) -> str:
    if term is None or (RDF.nil == term):
        return ""
    return str(term) if isinstance(term, Literal) else compact(str(term))
