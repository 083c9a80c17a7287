"""Findings for people, out of validation results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rdflib import Graph
from rdflib.namespace import SH
from rdflib.term import Literal, Node, URIRef

from medkg.domain.model import Finding, Report, Severity
from medkg.domain.namespaces import MEDKG, compact
from medkg.shacl.results import Result

__all__ = ["findings"]

_SEVERITIES: Final[Mapping[Node, Severity]] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}
_ORDER: Final = tuple(Severity)


def findings(results: Iterable[Result], shapes: Graph, languages: Sequence[str] = ("en",)) -> Report:
    """Return what *results* say in the first of *languages* that a shape has a message in, else in English.

    The gravest come first, then by code and focus node; a severity that SHACL does not define is a violation.
    """
    found = [_finding(result, shapes, languages) for result in results]
    found.sort(key=lambda item: (_ORDER.index(item.severity), item.code, item.focus, item.path, item.value))
    return Report(tuple(found))


def _finding(result: Result, shapes: Graph, languages: Sequence[str]) -> Finding:
    return Finding(
        code=str(shapes.value(result.shape, MEDKG.code) or "G-00"),
        severity=_SEVERITIES.get(result.severity, Severity.VIOLATION),
        message=_message(result, [*languages, "en", ""]),
        focus=str(result.focus),
        path=str(result.path or ""),
        value=_text(result.value),
        shape=str(result.shape) if isinstance(result.shape, URIRef) else "",
        component=str(result.component),
    )


def _message(result: Result, languages: Sequence[str]) -> str:
    for language in languages:
        texts = [str(item) for item in result.messages if (item.language or "") == language]
        if texts:
            return min(texts)
    name = str(result.component).removeprefix(str(SH)).removesuffix("ConstraintComponent")
    return f"The value is not as the constraint {name} demands."


def _text(term: Node | None) -> str:
    if term is None:
        return ""
    return str(term) if isinstance(term, Literal) else compact(str(term))
