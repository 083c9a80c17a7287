"""Reads the manifests of the W3C suites into frozen values."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from rdflib import RDF, RDFS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node
from tests.w3c.known import FAILURES, OUT_OF_SCOPE
from tests.w3c.service import OTHER

__all__ = [
    "BASE",
    "NO_SUITE",
    "ROOT",
    "Case",
    "Dataset",
    "Exchange",
    "Kind",
    "Reply",
    "cases",
    "groups",
    "iri",
    "read_all",
]

BASE: Final = "https://w3c.github.io/rdf-tests/sparql/"
"""Where the W3C publishes the suites: what relative IRIs in their files are relative to."""

_FOLDER = os.environ.get("MEDKG_W3C")  # noqa: TID251 - no setting of the product
ROOT: Final = Path(_FOLDER) / "sparql" if _FOLDER else None
"""The folder of the suites, which are no part of the project."""

NO_SUITE: Final = "MEDKG_W3C is not set: it names the folder that holds the test suites of the W3C"
_IN_CI: Final = os.environ.get("CI") == "true"  # noqa: TID251 - no setting of the product
SUITES: Final = ("sparql10", "sparql11", "sparql12")

_MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
_QT: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
_UT: Final = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
_HT: Final = Namespace("http://www.w3.org/2011/http#")
_CNT: Final = Namespace("http://www.w3.org/2011/content#")
_FORMATS: Final = frozenset({"sparql11/csv-tsv-res", "sparql11/json-res"})


class Kind(StrEnum):
    """What a test is about; each kind has a test module of its own."""

    QUERY = "query"
    FORMAT = "formats"
    UPDATE = "update"
    SYNTAX = "syntax"
    PROTOCOL = "protocol"
    GRAPH_STORE = "graph store"
    DESCRIPTION = "service description"


_KINDS: Final[Mapping[str, Kind]] = {
    "QueryEvaluationTest": Kind.QUERY,
    "CSVResultFormatTest": Kind.QUERY,
    "UpdateEvaluationTest": Kind.UPDATE,
    "ProtocolTest": Kind.PROTOCOL,
    "GraphStoreProtocolTest": Kind.GRAPH_STORE,
    "ServiceDescriptionTest": Kind.DESCRIPTION,
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """The files of a default graph, and those of named graphs with their names."""

    default: tuple[Path, ...] = ()
    named: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What is expected of one answer; an empty value says nothing."""

    statuses: tuple[str, ...]
    format: str = ""
    boolean: bool | None = None
    location: str = ""
    content_type: str = ""
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what is expected of its answer."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    reply: Reply


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a suite."""

    group: str
    name: str
    kind: Kind
    action: Path | None = None
    dataset: Dataset = Dataset()
    expected: Path | Dataset | None = None
    negative: bool = False
    lax: bool = False
    exchanges: tuple[Exchange, ...] = ()

    @property
    def id(self) -> str:
        """The name under which a run reports the test."""
        return f"{self.group}/{self.name}"


def iri(path: Path) -> str:
    """Return the IRI of a file of the suites."""
    assert ROOT is not None
    return BASE + path.relative_to(ROOT).as_posix()


def groups() -> Iterator[tuple[str, Path]]:
    """Yield the groups of all suites, with their manifests."""
    if ROOT is None:
        return
    for suite in SUITES:
        for path in sorted((ROOT / suite).glob("*/manifest*.ttl")):
            yield path.parent.relative_to(ROOT).as_posix(), path


def cases(kind: Kind) -> Sequence[object]:
    """Return the tests of a kind as parameters; without the suites, one that says that they are missing.

    Tests of the same data follow each other, for loading data is what takes time.
    """
    if ROOT is None:
        mark = () if _IN_CI else pytest.mark.skip(reason=NO_SUITE)
        return [pytest.param(None, id="none", marks=mark)]
    found = sorted((case for case in read_all() if case.kind is kind), key=_by_data)
    known = {} if OTHER else FAILURES[kind]
    return [
        pytest.param(
            case,
            id=case.id,
            marks=pytest.mark.xfail(reason=known[case.id], strict=True) if case.id in known else (),
        )
        for case in found
    ]


def _by_data(case: Case) -> tuple[str, str]:
    return case.group.partition("/")[0], repr(case.dataset)


@cache
def read_all() -> tuple[Case, ...]:
    """Return the tests of all groups but those out of scope."""
    return tuple(
        case for group, path in groups() if group not in OUT_OF_SCOPE for case in _read_manifest(group, path)
    )


def _read_manifest(group: str, path: Path) -> Iterator[Case]:
    graph = Graph().parse(path, publicID=iri(path))
    for entries in graph.objects(None, _MF.entries):
        for test in Collection(graph, entries):
            yield _Reader(graph).case(group, test)


class _Reader:
    """Reads the tests of one manifest."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def case(self, group: str, test: Node) -> Case:
        """Return the test of that name."""
        graph = self._graph
        kind = str(graph.value(test, RDF.type)).rpartition("#")[2]
        action, result = graph.value(test, _MF.action), graph.value(test, _MF.result)
        request = action
        if isinstance(action, BNode):
            request = graph.value(action, _QT.query) or graph.value(action, _UT.request)
        expected: Path | Dataset | None = None
        if result is not None:
            expected = self._dataset(result) if isinstance(result, BNode) else _path(result)
        exchanges = tuple(self._exchanges(action)) if (action, _HT.requests, None) in graph else ()
        of_what = _KINDS.get(kind, Kind.SYNTAX)
        return Case(
            group,
            str(test).rpartition("#")[2],
            Kind.FORMAT if group in _FORMATS else of_what,
            _path(request) if isinstance(request, URIRef) else None,
            # The graphs that a test of the protocol needs hang on the test itself.
            self._dataset(test if exchanges else action),
            expected,
            negative=kind.startswith("Negative"),
            lax=(test, _MF.resultCardinality, _MF.LaxCardinality) in graph,
            exchanges=exchanges,
        )

    def _dataset(self, node: Node | None) -> Dataset:
        graph = self._graph
        default = [_path(file) for name in (_QT.data, _UT.data) for file in graph.objects(node, name)]
        named = [(str(file), _path(file)) for file in graph.objects(node, _QT.graphData)]
        named += (
            (self._text(pair, RDFS.label), _path(graph.value(pair, _UT.graph)))
            for pair in graph.objects(node, _UT.graphData)
        )
        return Dataset(tuple(sorted(default)), tuple(sorted(named)))

    def _exchanges(self, action: Node | None) -> Iterator[Exchange]:
        graph = self._graph
        for request in self._list(action, _HT.requests):
            body = graph.value(request, _HT.body)
            text, encoding = graph.value(body, _CNT.chars), self._text(body, _CNT.characterEncoding)
            yield Exchange(
                self._text(request, _HT.methodName),
                self._text(request, _HT.absolutePath),
                tuple(self._headers(request)),
                None if text is None else str(text).encode(encoding),
                self._reply(graph.value(request, _HT.resp)),
            )

    def _headers(self, message: Node | None) -> Iterator[tuple[str, str]]:
        for header in self._list(message, _HT.headers):
            yield self._text(header, _HT.fieldName), self._text(header, _HT.fieldValue)

    def _list(self, node: Node | None, name: URIRef) -> Iterator[Node]:
        head = self._graph.value(node, name)
        return iter(Collection(self._graph, head) if head else ())

    def _text(self, node: Node | None, name: URIRef) -> str:
        return str(self._graph.value(node, name) or "")

    def _reply(self, response: Node | None) -> Reply:
        graph = self._graph
        statuses = graph.objects(response, _MF.expectedStatus)
        boolean = graph.value(response, _MF.expectedBoolean)
        text = graph.value(graph.value(response, _HT.body), _CNT.chars)
        return Reply(
            tuple(sorted(str(status).rpartition("#")[2] for status in statuses)),
            self._text(response, _MF.expectedFormat),
            bool(boolean.value) if isinstance(boolean, Literal) else None,
            self._text(response, _MF.expectedLocation),
            dict(self._headers(response)).get("content-type", ""),
            None if text is None else str(text),
        )


def _path(file: Node | None) -> Path:
    assert ROOT is not None
    assert str(file).startswith(BASE), file
    return ROOT / str(file).removeprefix(BASE)
