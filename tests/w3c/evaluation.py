"""Evaluates a query of a suite and compares the answer with the expected one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from tests.w3c.answers import (
    CSV,
    JSON,
    TSV,
    XML,
    Answer,
    read_csv,
    read_graph,
    read_result_set,
    read_results,
)
from tests.w3c.client import Client, with_from
from tests.w3c.manifests import Case, iri
from tests.w3c.terms import Blank, Row, Table, Text, by_value, difference, isomorphic

__all__ = ["check_query", "media_type", "same_graph"]

_RESULTS: Final = {".srx": XML, ".srj": JSON, ".csv": CSV, ".tsv": TSV}
_RDF: Final = {".ttl": "text/turtle", ".nt": "application/n-triples", ".rdf": "application/rdf+xml"}
_ORDERED: Final = re.compile(r"\bORDER\s+BY\b[^}]*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a file of a suite expects, and the media type in which to ask for it."""

    accept: str
    answer: Answer | frozenset[Row]
    ordered: bool = False


def check_query(case: Case, client: Client) -> None:
    """Evaluate the query of a test on its data, and compare."""
    assert case.action is not None
    assert isinstance(case.expected, Path)
    base = iri(case.action)
    text = case.action.read_text(encoding="utf-8")
    client.load(with_from(text, base, case.dataset))
    ordered = bool(_ORDERED.search(text))
    if _RESULTS.get(case.expected.suffix) == CSV:
        _check_csv(_ask(client, text, base, CSV), case.expected, ordered=ordered)
        return
    expected = _read(case.expected, ordered=ordered)
    response = _ask(client, text, base, expected.accept)
    if isinstance(expected.answer, frozenset):
        triples = read_graph(response.content, expected.accept, base)
        assert same_graph(triples, expected.answer), difference(expected.answer, triples)
        return
    found = read_results(response.content, expected.accept)
    assert _same(found, expected, lax=case.lax), _told(expected.answer, found)


def media_type(response: httpx2.Response) -> str:
    """Return the media type of an answer, without parameters."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def same_graph(left: Iterable[Row], right: Iterable[Row]) -> bool:
    """Tell whether two graphs are isomorphic, numbers taken by value; ``1`` and ``01`` stay two triples."""
    ours, theirs = ([tuple(map(by_value, row)) for row in set(side)] for side in (left, right))
    return isomorphic(ours, theirs)


def _ask(client: Client, text: str, base: str, accept: str) -> httpx2.Response:
    response = client.query(f"BASE <{base}>\n{text}", accept)
    assert response.status_code == httpx2.codes.OK, f"{response.status_code} {response.text[:1000]}"
    assert media_type(response) == accept
    return response


def _read(path: Path, *, ordered: bool) -> _Expected:
    content, accept = path.read_bytes(), _RESULTS.get(path.suffix)
    if accept is not None:
        return _Expected(accept, read_results(content, accept), ordered)
    accept = _RDF[path.suffix]
    graph = read_graph(content, accept, iri(path))
    result_set = read_result_set(graph)
    return _Expected(accept, graph) if result_set is None else _Expected(JSON, *result_set)


def _same(found: Answer, expected: _Expected, *, lax: bool) -> bool:
    answer = expected.answer
    if not isinstance(found, Table) or not isinstance(answer, Table):
        return found == answer
    ours, theirs = _by_value(found.sorted_by_name()), _by_value(answer.sorted_by_name())
    if ours.variables != theirs.variables:
        return False
    if expected.ordered:
        return isomorphic(ours.numbered(), theirs.numbered())
    if lax:
        return isomorphic(set(ours.rows), set(theirs.rows)) and len(ours.rows) <= len(theirs.rows)
    return isomorphic(ours.rows, theirs.rows)


def _told(expected: Answer, found: Answer) -> str:
    if not isinstance(expected, Table) or not isinstance(found, Table):
        return f"expected {expected}, found {found}"
    ours, theirs = found.sorted_by_name(), expected.sorted_by_name()
    if ours.variables != theirs.variables:
        return f"expected the variables {theirs.variables}, found {ours.variables}"
    return difference(_by_value(theirs).rows, _by_value(ours).rows)


def _by_value(table: Table) -> Table:
    return Table(table.variables, tuple(tuple(map(by_value, row)) for row in table.rows))


def _check_csv(response: httpx2.Response, path: Path, *, ordered: bool) -> None:
    """Compare CSV as text, but for the labels of blank nodes and the order of the columns of ``SELECT *``."""
    found, expected = (_csv(content).sorted_by_name() for content in (response.content, path.read_bytes()))
    assert found.variables == expected.variables
    rows = (found.numbered(), expected.numbered()) if ordered else (found.rows, expected.rows)
    assert isomorphic(*rows), difference(expected.rows, found.rows)


def _csv(content: bytes) -> Table:
    header, records = read_csv(content)
    rows = (
        tuple(Blank(field) if field.startswith("_:") else Text(field) for field in record)
        for record in records
    )
    return Table(header, tuple(rows))
