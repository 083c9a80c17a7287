"""Speaks with the service under test as any client of the SPARQL 1.1 Protocol does."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx2
import pyoxigraph as ox
from tests.w3c.answers import JSON, read_results, triple_of
from tests.w3c.manifests import BASE, ROOT, Dataset, iri
from tests.w3c.service import Service
from tests.w3c.terms import Iri, Row, Table

__all__ = ["Client", "expected_state", "read_state", "with_from"]

_EVERYTHING: Final = "SELECT ?g ?s ?p ?o { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
_FORMATS: Final = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".trig": ox.RdfFormat.TRIG,
    ".nq": ox.RdfFormat.N_QUADS,
}
_FROM: Final = re.compile(r"\bFROM\s+(?:NAMED\s+)?<([^>]*)>", re.IGNORECASE)


class Client:
    """A connection to a service; it knows which dataset the service holds."""

    def __init__(self, service: Service, http: httpx2.Client) -> None:
        self.service = service
        self._http = http
        self._holds: Dataset | None = None

    def load(self, dataset: Dataset) -> None:
        """Make the service hold that dataset and nothing else."""
        if dataset == self._holds:
            return
        self._holds = None
        data = "".join(map(_in_data, _quads(dataset)))
        response = self.update(f"DROP ALL ; INSERT DATA {{\n{data}}}")
        assert response.is_success, f"loading failed: {response.status_code} {response.text[:500]}"
        self._holds = dataset

    def query(self, text: str, accept: str) -> httpx2.Response:
        """Send a query."""
        headers = {"Accept": accept, "Content-Type": "application/sparql-query"}
        return self.send("POST", self.service.query, headers, text.encode())

    def update(self, text: str) -> httpx2.Response:
        """Send an update; what the service holds is not known any more."""
        self._holds = None
        headers = {**self.service.headers, "Content-Type": "application/sparql-update"}
        return self.send("POST", self.service.update, headers, text.encode())

    def send(
        self, method: str, address: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx2.Response:
        """Send a request with these headers and no others that mean anything to the protocol."""
        return self._http.request(method, address, headers=headers, content=content)

    def forget(self) -> None:
        """Know no more what the service holds: a request of a test may have changed it."""
        self._holds = None


def with_from(text: str, base: str, dataset: Dataset) -> Dataset:
    """Return the dataset with the graphs that the query takes from files of the suite (FROM, FROM NAMED)."""
    assert ROOT is not None
    names = {urljoin(base, name) for name in _FROM.findall(text)}
    files = {name: ROOT / name.removeprefix(BASE) for name in names if name.startswith(BASE)}
    found = {(name, path) for name, path in files.items() if path.is_file()}
    return Dataset(dataset.default, tuple(sorted({*dataset.named, *found})))


def _quads(dataset: Dataset) -> Iterator[ox.Quad]:
    """Yield what the files of a dataset hold; blank nodes of different files stay apart."""
    for path in dataset.default:
        yield from _read(path)
    for name, path in dataset.named:
        for quad in _read(path):
            yield ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(name))


def _in_data(quad: ox.Quad) -> str:
    triple = f"{quad.subject} {quad.predicate} {_written(quad.object)} ."
    if isinstance(quad.graph_name, ox.DefaultGraph):
        return triple + "\n"
    return f"GRAPH {quad.graph_name} {{ {triple} }}\n"


def _written(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    if isinstance(term, ox.Triple):
        return f"<<( {term.subject} {term.predicate} {_written(term.object)} )>>"
    return str(term)


def _read(path: Path) -> Iterator[ox.Quad]:
    return ox.parse(path=path, format=_FORMATS[path.suffix], base_iri=iri(path), rename_blank_nodes=True)


def expected_state(dataset: Dataset) -> dict[str, frozenset[Row]]:
    """Return the triples that a service should hold, by graph; "" is the default graph."""
    graphs: dict[str, set[Row]] = {}
    for quad in _quads(dataset):
        name = "" if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name.value
        graphs.setdefault(name, set()).add(triple_of(quad))
    return {name: frozenset(triples) for name, triples in graphs.items()}


def read_state(client: Client) -> dict[str, list[Row]]:
    """Return the triples that the service holds, by graph."""
    response = client.query(_EVERYTHING, JSON)
    response.raise_for_status()
    table = read_results(response.content, JSON)
    assert isinstance(table, Table)
    graphs: dict[str, list[Row]] = {}
    for graph, *triple in table.rows:
        graphs.setdefault(graph.value if isinstance(graph, Iri) else "", []).append(tuple(triple))
    return graphs
