"""`/graphs`: what documents and forms may be, and what becomes of those that can't be read."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.graphs import DOCUMENTS, MANUAL, TRIPLE, Send, triples, version


@pytest.fixture(scope="module")
def union(start: Any) -> Iterator[TestClient]:
    """A client of a service whose default graph is the merge, and that takes bodies of a megabyte."""
    with start(max_body_mb=1, worker_memory_mb=512, update_timeout_s=20) as client:
        yield client


# Ten levels of ten: a billion letters, if anybody writes them out.
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:x:">'
    '<rdf:Description rdf:about="urn:a"><x:b>&e9;</x:b></rdf:Description></rdf:RDF>'
)


def spool(client: TestClient) -> list[Path]:
    """Return the files of documents that were read and not removed."""
    folder = client.app.state.context.settings.data_dir / "spool"  # type: ignore[attr-defined]
    return list(folder.iterdir()) if folder.exists() else []


def multipart(*parts: tuple[str, str, str]) -> dict[str, Any]:
    files = [("document", (name, io.BytesIO(text.encode()), kind)) for name, text, kind in parts]
    return {"files": files}


def test_a_form_brings_several_documents(union: TestClient, admin: dict[str, str], send: Send) -> None:
    """multipart/form-data may hold documents of several formats, which make one graph together."""
    graph = MANUAL + "form"
    form = multipart(
        ("a.ttl", "_:x <urn:b> 1 .", "text/turtle"),
        ("b.nt", "_:x <urn:b> <urn:c> .\n", "application/n-triples"),
        ("c.rdf", DOCUMENTS["application/rdf+xml"], "application/rdf+xml"),
    )

    response = union.post("/graphs", params={"graph": graph, "unchecked": "1"}, headers=admin, **form)

    found = triples(send("GET", graph))
    assert response.status_code == 201, response.text
    assert len(found) == 3
    assert TRIPLE in found
    assert len({subject for subject, _, _ in found}) == 3
    assert spool(union) == []


@pytest.mark.parametrize(
    ("arguments", "status", "detail"),
    [
        ({"data": {"a": "b"}, "files": {}}, 415, "A document of type"),
        (multipart(("a.ttl", "<urn:a> <urn:b> 1 .", "image/png")), 415, "A document of type 'image/png'"),
        (
            multipart(("a.ttl", "<urn:a> <urn:b> 1 .", "text/turtle"), ("b.ttl", "<urn:a", "text/turtle")),
            400,
            "document:1: The text/turtle does not parse",
        ),
        (
            {"content": b"--b--\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            400,
            "The form holds no document.",
        ),
        (
            {"content": b"xx", "headers": {"content-type": "multipart/form-data"}},
            400,
            "The form does not parse: Missing boundary",
        ),
        (
            {"content": b"nonsense", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            400,
            "The form ",
        ),
        (multipart(*[("a.ttl", "", "text/turtle")] * 101), 400, "The form does not parse: Too many files."),
        (multipart(("a.ttl", "#" * 1_100_000, "text/turtle")), 413, "The body is longer than"),
    ],
)
def test_a_form_that_cannot_be_read_changes_nothing(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    union: TestClient,
    admin: dict[str, str],
    read_problem: Any,
    arguments: dict[str, Any],
    status: int,
    detail: str,
) -> None:
    """A form without documents, with one that is wrong, or too long, is refused as a whole."""
    before = version(union)
    headers = {**admin, **arguments.get("headers", {})}

    response = union.put(
        "/graphs", params={"graph": MANUAL + "bad-form"}, **{**arguments, "headers": headers}
    )

    assert read_problem(response, status)["detail"].startswith(detail)
    assert version(union) == before
    assert spool(union) == []


BROKEN = [
    ("text/turtle", "<urn:a> <urn:b> 1 .\n<urn:a> <urn:b> .\n", "document:2: The text/turtle does not parse"),
    ("text/turtle", b"<urn:a> <urn:b> '\xff' .", "document:1: "),
    ("application/n-triples", "<urn:a> <urn:b> x .", "document:1: "),
    ("application/ld+json", '{"@id": ', "document"),
    (
        "application/ld+json",
        '{\n"@context": "http://127.0.0.1:9/context", "a": 1}',
        "document:2: The JSON-LD takes its context from <http://127.0.0.1:9/context>",
    ),
    ("application/rdf+xml", "<rdf:RDF>", "document"),
]


@pytest.mark.parametrize(("media_type", "text", "detail"), BROKEN)
def test_a_broken_document_changes_nothing(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    send: Send, union: TestClient, read_problem: Any, media_type: str, text: str | bytes, detail: str
) -> None:
    """What does not parse is refused with its line, and the graph stays as it was."""
    graph = MANUAL + "kept"
    send("PUT", graph, "<urn:a> <urn:b> <urn:c> .")
    before = version(union)

    response = send("PUT", graph, text, content_type=media_type)

    assert read_problem(response, 400)["detail"].startswith(detail)
    assert version(union) == before
    assert triples(send("GET", graph)) == {TRIPLE}
    assert spool(union) == []


@pytest.mark.parametrize(
    ("media_type", "content", "headers"),
    [
        ("text/plain", "<urn:a> <urn:b> 1 .", {}),
        ("", "<urn:a> <urn:b> 1 .", {}),
        ("application/n-quads", "<urn:a> <urn:b> <urn:c> <urn:g> .", {}),
        ("application/trig", "<urn:g> { <urn:a> <urn:b> <urn:c> }", {}),
        ("text/turtle; charset=latin-1", "<urn:a> <urn:b> 1 .", {}),
        ("text/turtle", gzip.compress(b"<urn:a> <urn:b> 1 ."), {"content_encoding": "gzip"}),
        ("multipart/form-data; boundary=b", b"--b--\r\n", {"content_encoding": "zstd"}),
    ],
)
def test_another_body_is_not_taken(
    send: Send, read_problem: Any, media_type: str, content: Any, headers: dict[str, str]
) -> None:
    """A body of another type, of several graphs, in another character set, or compressed, is 415."""
    response = send("PUT", MANUAL + "other", content, content_type=media_type, **headers)

    assert "Send" in read_problem(response, 415)["detail"]


def hostile() -> list[Any]:
    """Return documents that would end a process, or fill its memory."""
    deep = 100_000
    return [
        pytest.param("application/rdf+xml", BOMB, id="entities"),
        pytest.param("application/ld+json", "[" * deep + "]" * deep, id="lists"),
        pytest.param("application/ld+json", '{"@graph":[' * 20_000 + "]}" * 20_000, id="graphs"),
        pytest.param("application/ld+json", '{"urn:a":' * 20_000 + "1" + "}" * 20_000, id="objects"),
        pytest.param("text/turtle", "<urn:a> <urn:b> " + "[<urn:b> " * 20_000, id="nodes"),
        pytest.param("text/turtle", "<urn:a> <urn:b> " + "(" * deep, id="collections"),
        pytest.param("text/turtle", '<urn:a> <urn:b> """' + "x" * 500_000, id="string"),
        pytest.param("application/rdf+xml", "<a>" * deep, id="elements"),
    ]


@pytest.mark.parametrize(("media_type", "text"), hostile())
def test_a_hostile_document_ends_in_a_clear_answer(
    send: Send, union: TestClient, media_type: str, text: str
) -> None:
    """Whatever it does to the process that reads it, the client is told in time, and others go on."""
    before = version(union)

    response = send("PUT", MANUAL + "hostile", text, content_type=media_type)

    assert response.status_code in {400, 413, 500}, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert union.get("/sparql", params={"query": "ASK { ?s ?p ?o }"}).json()["boolean"] is True
    assert version(union) == before
    assert spool(union) == []


def test_a_body_over_the_limit_is_refused_early(send: Send, read_problem: Any) -> None:
    """By its Content-Length, before it is read."""
    response = send("PUT", MANUAL + "long", "#" * 1_048_577)

    assert read_problem(response, 413)["detail"] == (
        "The body is longer than 1,048,576 bytes. Send a shorter one, or several."
    )


def test_a_body_over_the_limit_is_refused_late(send: Send, union: TestClient, read_problem: Any) -> None:
    """Without a length, as soon as it is too long; a body of just the limit is taken."""
    pieces = iter([b"#" * 65_536] * 17)

    response = send("PUT", MANUAL + "long", pieces)

    assert read_problem(response, 413)["detail"].startswith("The body is longer than 1,048,576 bytes.")
    assert spool(union) == []
    assert send("PUT", MANUAL + "long", ("#" * 1_048_575 + "\n").encode()).status_code == 201
