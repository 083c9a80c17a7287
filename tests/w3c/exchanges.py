"""Carries out the requests that a manifest describes, and compares the answers."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urljoin

import httpx2
from tests.w3c.answers import CSV, GRAPHS, JSON, TSV, XML, read_graph, read_results
from tests.w3c.client import Client
from tests.w3c.evaluation import media_type, same_graph
from tests.w3c.manifests import Exchange
from tests.w3c.terms import difference

__all__ = ["exchange"]

_CODES: Final = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404}
_FORMATS: Final[Mapping[str, frozenset[str]]] = {
    "boolean": frozenset({JSON, XML}),
    "tabular": frozenset({JSON, XML, CSV, TSV}),
    "RDF": frozenset(GRAPHS),
}


def exchange(client: Client, asked: Exchange, address: str, values: dict[str, str]) -> None:
    """Send a request to that address and check the answer; *values* keeps what later requests refer to."""
    for name, value in values.items():
        address = address.replace(name, quote(value, safe=""))
    headers = {**client.service.headers, **dict(asked.headers)}
    response = client.send(asked.method, address, headers, asked.body)
    said = f"{asked.method} {address}: {response.status_code} {response.text[:1000]}"
    reply = asked.reply
    assert any(_is(response.status_code, status) for status in reply.statuses), (
        f"{said}, not {reply.statuses}"
    )
    if reply.location:
        values[reply.location] = urljoin(address, response.headers["location"])
    if reply.format:
        assert media_type(response) in _FORMATS[reply.format], said
    if reply.boolean is not None:
        assert read_results(response.content, media_type(response)) is reply.boolean, said
    if reply.content_type:
        expected = reply.content_type.partition(";")[0]
        assert media_type(response) == expected, said
        if reply.body is not None:
            _check_graph(response, reply.body, expected, address)


def _check_graph(response: httpx2.Response, body: str, expected: str, base: str) -> None:
    found, triples = read_graph(response.content, expected, base), read_graph(body.encode(), expected, base)
    assert same_graph(found, triples), difference(triples, found)


def _is(code: int, status: str) -> bool:
    """Tell whether a code is that status, by its name, or one of a class such as ``StatusCode2xx``."""
    if status.endswith("xx"):
        return str(code)[0] == status[-3]
    return code == _CODES[status]
