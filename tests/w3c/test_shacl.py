"""The SHACL test suite of the W3C, on both engines, from outside: what ``medkg validate`` runs.

Reports are compared as graphs, without what SHACL leaves open: messages, details, the node of a query.  A
blank node of the data or the shapes has no name in a report, and stands for any other.
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from rdflib import Graph, Namespace
from rdflib.compare import isomorphic
from rdflib.namespace import RDF, SH
from rdflib.term import BNode, Literal, Node, URIRef
from tests.w3c.manifests import NO_SUITE

from medkg.domain.errors import ShapesRefused
from medkg.services.validation import Engine, graph_of, results
from medkg.shacl.results import report
from medkg.store.files import read_document

_FOLDER = os.environ.get("MEDKG_W3C")  # noqa: TID251 - no setting of the product
_IN_CI: Final = os.environ.get("CI") == "true"  # noqa: TID251 - no setting of the product
_MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
_SHT: Final = Namespace("http://www.w3.org/ns/shacl-test#")
_LEFT_OPEN: Final = {SH.resultMessage, SH.detail, SH.sourceConstraint}

_FAILURES: Final[Mapping[Engine, Mapping[str, str]]] = {
    Engine.compiled: {},
    Engine.reference: {
        "core/property/uniqueLang-002": 'pySHACL takes "1"^^xsd:boolean for true',
        "sparql/node/prefixes-001": "pySHACL does not follow owl:imports from sh:prefixes",
        "sparql/pre-binding/shapesGraph-001": "pySHACL does not bind $shapesGraph",
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """One test: its name and IRI, the file that it stands in, and those of its data and its shapes."""

    name: str
    iri: Node
    file: Path
    data: Path
    shapes: Path


def _read(path: Path) -> Graph:
    with warnings.catch_warnings():
        # Some literals of the suite are ill-formed on purpose, and rdflib warns of them.
        warnings.simplefilter("ignore")
        return graph_of(read_document(path))


def _cases() -> Iterator[Case]:
    root = Path(str(_FOLDER)) / "shacl" / "tests"
    for file in sorted(root.rglob("*.ttl")):
        graph = _read(file)
        for test in graph.subjects(RDF.type, _SHT.Validate):
            action = graph.value(test, _MF.action)
            parts = [graph.value(action, name) for name in (_SHT.dataGraph, _SHT.shapesGraph)]
            data, shapes = (Path(str(part).removeprefix("file://")) for part in parts)
            if graph.value(test, _MF.status) == _SHT.approved:
                name = file.relative_to(root).with_suffix("").as_posix()
                yield Case(name, test, file, data, shapes)


def _parameters() -> Sequence[object]:
    if not _FOLDER:
        mark = () if _IN_CI else pytest.mark.skip(reason=NO_SUITE)
        return [pytest.param(None, None, id="none", marks=mark)]
    return [
        pytest.param(
            case,
            engine,
            id=f"{engine}-{case.name}",
            marks=[pytest.mark.xfail(reason=reason, strict=True)]
            if (reason := _FAILURES[engine].get(case.name))
            else [],
        )
        for case in _cases()
        for engine in Engine
    ]


@pytest.mark.filterwarnings("ignore::UserWarning:rdflib.term")
@pytest.mark.parametrize(("case", "engine"), _parameters())
def test_a_report_is_that_of_the_suite(case: Case, engine: Engine) -> None:
    """A validation gives the report that the W3C expects, and refuses the shapes that have to be refused."""
    if not _FOLDER:
        pytest.fail(NO_SUITE)
    suite = _read(case.file)
    expected = suite.value(case.iri, _MF.result)
    if expected == _SHT.Failure:
        with pytest.raises(ShapesRefused):
            results(read_document(case.data), _read(case.shapes), engine, repeat=True)
        return
    found = Graph()
    for triple in report(results(read_document(case.data), _read(case.shapes), engine, repeat=True)):
        found.add(triple)
    head = found.value(None, RDF.type, SH.ValidationReport)
    assert head is not None
    assert expected is not None
    assert isomorphic(_comparable(found, head), _comparable(suite, expected))


def test_the_suite_is_complete() -> None:
    """The suite has the 98 tests of SHACL Core and the 22 of SHACL-SPARQL that are approved."""
    if not _FOLDER:
        pytest.skip(NO_SUITE)
    names = [case.name.partition("/")[0] for case in _cases()]
    assert (names.count("core"), names.count("sparql")) == (98, 22)


def _comparable(graph: Graph, head: Node) -> Graph:
    compared = Graph()
    for conforms in graph.objects(head, SH.conforms):
        compared.add((BNode("head"), SH.conforms, conforms))
    for number, result in enumerate(graph.objects(head, SH.result)):
        node = BNode(f"result{number}")
        compared.add((BNode("head"), SH.result, node))
        for predicate, value in graph.predicate_objects(result):
            if predicate == SH.resultPath:
                compared.add((node, predicate, _path(graph, compared, value)))
            elif predicate not in _LEFT_OPEN:
                compared.add((node, predicate, Literal("blank") if isinstance(value, BNode) else value))
    return compared


def _path(graph: Graph, compared: Graph, node: Node) -> Node:
    """Copy what makes a path; the suite has paths with further triples, which are no part of them."""
    if isinstance(node, URIRef):
        return node
    copy, parts = BNode(), list(graph.predicate_objects(node))
    in_list = [part for part in parts if part[0] in {RDF.first, RDF.rest}]
    for predicate, value in in_list or parts:
        compared.add((copy, predicate, _path(graph, compared, value)))
    return copy
