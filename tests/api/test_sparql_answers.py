"""`/sparql`, what an answer is beside its rows: its tag, its place in the cache, its labels, its dataset."""

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

GRAPH = "https://w3id.org/medkg/graph/"
ONE, TWO, MENTIONS = GRAPH + "source/one", GRAPH + "source/two", GRAPH + "mentions/one"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
REGIONS = "SELECT ?r { ?r a medkg:Region } ORDER BY ?r"
ROWS = "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o"
DIRECT = {"content-type": "application/sparql-query"}
RESULTS_XML = "application/sparql-results+xml"
XML = {"s": "http://www.w3.org/2005/sparql-results#"}


def status(client: TestClient) -> dict[str, float]:
    return dict(client.app.state.context.endpoint.status())  # type: ignore[attr-defined]


def number(client: TestClient, query: str = COUNT, dataset: dict[str, Any] | None = None) -> int:
    response = client.get("/sparql", params={"query": query, "format": "csv", **(dataset or {})})
    assert response.status_code == 200, response.text
    return int(response.text.split()[1])


# --- Tags and the cache


def test_an_answer_is_not_sent_twice(reading: TestClient) -> None:
    """With the tag of an answer, the same question is answered by 304 and nothing else."""
    first = reading.get("/sparql", params={"query": REGIONS})
    tag = first.headers["etag"]

    for known in (tag, f'"other", {tag}', tag.removeprefix("W/")):
        again = reading.get("/sparql", params={"query": REGIONS}, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        for name in ("vary", "cache-control", "x-medkg-version"):
            assert again.headers[name] == first.headers[name]
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("params", "headers"),
    [
        ({"query": REGIONS + " LIMIT 1"}, {}),
        ({"query": REGIONS, "format": "csv"}, {}),
        ({"query": REGIONS, "labels": "fr"}, {}),
        ({"query": REGIONS, "default-graph-uri": ONE}, {}),
        ({"query": REGIONS, "named-graph-uri": ONE}, {}),
        ({"query": REGIONS}, {"accept": "application/sparql-results+xml"}),
    ],
)
def test_another_question_has_another_tag(
    reading: TestClient, params: dict[str, str], headers: dict[str, str]
) -> None:
    """Query, dataset, format and labels make the answer, so they make the tag."""
    tag = reading.get("/sparql", params={"query": REGIONS}).headers["etag"]

    other = reading.get("/sparql", params=params, headers={**headers, "if-none-match": tag})

    assert other.status_code == 200
    assert other.headers["etag"] != tag


@pytest.mark.parametrize(
    "expression", ["NOW()", "RAND()", "UUID()", "STRUUID()", "BNODE()", "rand()", "CONCAT('', STRUUID())"]
)
def test_a_volatile_answer_is_new_each_time(reading: TestClient, expression: str) -> None:
    """What differs each time has no tag and is kept by nobody."""
    query = {"query": f"SELECT ({expression} AS ?x) {{}}"}
    before = status(reading)["cache_bytes"]

    answers = [reading.get("/sparql", params=query) for _ in range(2)]

    assert all("etag" not in answer.headers for answer in answers)
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    assert status(reading)["cache_bytes"] == before
    if "NOW" not in expression and "BNODE" not in expression:
        assert answers[0].text != answers[1].text


@pytest.mark.parametrize("query", ["ASK {", "SELECT", "SELECT * { SERVICE <urn:x> {} }"])
def test_a_mistake_has_no_tag(reading: TestClient, query: str) -> None:
    """An error is neither tagged nor hidden behind a 304, whatever the client says it has."""
    response = reading.get("/sparql", params={"query": query}, headers={"if-none-match": "*"})

    assert response.status_code in {400, 403}
    assert "etag" not in response.headers


@pytest.mark.parametrize("query", [REGIONS, ROWS, "CONSTRUCT WHERE { ?s a ?o }", "ASK {}"])
@pytest.mark.parametrize("name", ["", "xml"])
def test_the_cache_gives_what_the_engine_gave(reading: TestClient, query: str, name: str) -> None:
    """A kept answer is the same to the byte, with the same header fields, in whichever way it is asked."""
    if name and query.startswith("CONSTRUCT"):
        name = "rdfxml"
    params = {"query": query + f"# {name}", **({"format": name} if name else {})}
    miss = reading.get("/sparql", params=params)
    before = status(reading)["cache_hits"]

    hits = [reading.get("/sparql", params=params), reading.post("/sparql", data=params)]

    assert status(reading)["cache_hits"] == before + 2
    for hit in hits:
        assert hit.content == miss.content
        assert hit.headers["content-type"] == miss.headers["content-type"]
        assert hit.headers["etag"] == miss.headers["etag"]


def test_a_posted_query_is_answered_whatever_the_client_has(reading: TestClient) -> None:
    """304 is for GET and HEAD alone (RFC 9110, section 13.1.2)."""
    tag = reading.get("/sparql", params={"query": REGIONS}).headers["etag"]

    posted = reading.post("/sparql", content=REGIONS, headers={**DIRECT, "if-none-match": tag})

    assert posted.status_code == 200
    assert (
        reading.head("/sparql", params={"query": REGIONS}, headers={"if-none-match": tag}).status_code == 304
    )


@pytest.mark.parametrize("query", [REGIONS, ROWS, "SELECT (RAND() AS ?x) {}", "ASK {"])
def test_head_is_get_without_the_body(reading: TestClient, query: str) -> None:
    """HEAD has the status and the fields of GET, for small, large, volatile and wrong ones."""
    params = {"query": query, "format": "csv"}
    got = reading.get("/sparql", params=params)
    head = reading.head("/sparql", params=params)

    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "etag", "cache-control", "vary", "x-medkg-version"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    ("query", "status_"),
    [
        ("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", 200),
        ("CONSTRUCT { ?a ?b ?f } { ?a ?b ?c . ?d ?e ?f }", 200),
        ('SELECT * { ?a ?b ?c . ?d ?e ?f BIND("\\u0007" AS ?g) }', 406),
    ],
)
def test_head_of_a_large_answer_is_cheap(reading: TestClient, query: str, status_: int) -> None:
    """HEAD of an answer that nobody could wait for stops where it begins, and kills no process for it."""
    before = status(reading)["kills"]

    response = reading.head("/sparql", params={"query": query, "format": "" if "CON" in query else "xml"})

    assert (response.status_code, response.content) == (status_, b"")
    assert "content-length" not in response.headers or status_ != 200
    assert status(reading)["kills"] == before


# --- Formats


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/*", RESULTS_XML),
        ("text/*;q=0.5, application/*;q=0.1", RESULTS_XML),
        ("application/*;q=0.1, text/csv;q=0.2", "text/csv"),
        ("*/*;q=0.1, text/tab-separated-values", "text/tab-separated-values"),
        ("text/csv;q=0.3, application/sparql-results+xml;q=0.30001", RESULTS_XML),
        ('text/csv;a="x,y;q=0";q=1, */*;q=0.1', "text/csv"),
        ("TEXT/CSV", "text/csv"),
        (" text/csv ; q=0.9 , ", "text/csv"),
    ],
)
def test_qualities_and_wildcards(reading: TestClient, accept: str, content_type: str) -> None:
    """The most specific range decides the quality of a type, and the best quality wins (RFC 9110, 12.5.1)."""
    response = reading.get("/sparql", params={"query": REGIONS}, headers={"accept": accept})

    assert response.status_code == 200
    # Among the others of text/*, the results in XML come first, under their own name.
    assert response.headers["content-type"].partition(";")[0] == content_type


def test_accept_may_come_in_several_lines(reading: TestClient) -> None:
    """Lines of one header field are one list."""
    headers = [("accept", "image/png"), ("accept", "text/csv")]

    response = reading.get("/sparql", params={"query": REGIONS}, headers=headers)

    assert response.headers["content-type"].startswith("text/csv")


# --- Labels


def table(name: str, text: str) -> list[dict[str, str]]:
    """Return the rows of an answer in any format of rows, without types and languages."""
    if name == "json":
        rows = json.loads(text)["results"]["bindings"]
        return [{key: value["value"] for key, value in row.items()} for row in rows]
    if name == "xml":
        found = ET.fromstring(text).iterfind("s:results/s:result", XML)  # noqa: S314 - our own answer
        return [{item.attrib["name"]: "".join(item.itertext()) for item in row} for row in found]
    rows = list(csv.reader(io.StringIO(text), delimiter="," if name == "csv" else "\t"))
    names = [item.removeprefix("?") for item in rows[0]]
    plain = [
        [item.partition("@")[0].strip('<>"') if name == "tsv" else item for item in row] for row in rows[1:]
    ]
    return [dict(zip(names, row, strict=True)) for row in plain]


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
@pytest.mark.parametrize(
    ("languages", "labels"),
    [("fr", ["Veneto", "Silésie"]), ("pl,fr", ["Veneto", "Śląskie"]), ("de", ["Veneto", "Silesia"])],
)
def test_labels_stand_beside_the_names(
    reading: TestClient, name: str, languages: str, labels: list[str]
) -> None:
    """labels= adds a column behind each column of IRIs: the first language there is, English, or any."""
    params = {"query": REGIONS, "labels": languages, "format": name}

    rows = table(name, reading.get("/sparql", params=params).text)

    assert [list(row) for row in rows] == [["r", "rLabel"]] * 2
    assert [row["rLabel"] for row in rows] == labels
    assert rows == table(name, reading.get("/sparql", params=params).text)


@pytest.mark.parametrize("value", ["", "französisch", "fr,", "a,b,c,d,e,f", "f r", "fr;en"])
def test_a_language_must_be_one(reading: TestClient, read_problem: Any, value: str) -> None:
    """What is no language tag, or too many, is a bad parameter."""
    body = read_problem(reading.get("/sparql", params={"query": REGIONS, "labels": value}), 400)

    assert body["name"] == "labels"


# --- Dataset


def test_several_default_graphs_are_one_merge(reading: TestClient) -> None:
    """A triple in two of the graphs counts once, in the request and in FROM (Query, section 13.2)."""
    one, two = (number(reading, dataset={"default-graph-uri": name}) for name in (ONE, TWO))
    both = number(reading, dataset={"default-graph-uri": [ONE, TWO]})
    clause = COUNT.replace("{", f"FROM <{ONE}> FROM <{TWO}> {{")

    assert (one, two) == (4, 3)
    assert both == number(reading, clause) == one + two - 1
    assert number(reading, dataset={"default-graph-uri": [ONE, ONE]}) == one


def test_only_named_graphs_leave_the_default_graph_empty(reading: TestClient) -> None:
    """With FROM NAMED or named-graph-uri alone, nothing is outside GRAPH (Query, section 13.2)."""
    inside = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"

    assert number(reading, dataset={"named-graph-uri": ONE}) == 0
    assert number(reading, COUNT.replace("{", f"FROM NAMED <{ONE}> {{")) == 0
    assert number(reading, inside, {"named-graph-uri": [ONE, TWO]}) == 7
    assert number(reading, inside, {"default-graph-uri": ONE}) == 0
    assert number(reading, inside.replace("{", f"FROM NAMED <{TWO}> {{", 1)) == 3


def test_the_request_replaces_the_clauses_of_the_query(reading: TestClient) -> None:
    """Both parts of the dataset are replaced, not only the one that is named (Protocol, section 2.1.4)."""
    query = COUNT.replace("{", f"FROM NAMED <{ONE}> {{ GRAPH ?g {{") + "}"

    assert number(reading, query) == 4
    assert number(reading, query, {"default-graph-uri": TWO}) == 0
    assert number(reading, query, {"named-graph-uri": TWO}) == 3


@pytest.mark.parametrize("name", ["urn:absent", "http://127.0.0.1:9/x", "file:///etc/passwd"])
def test_a_graph_that_is_absent_is_empty(reading: TestClient, name: str) -> None:
    """FROM names a graph of the store, or an empty one; nothing is fetched."""
    for clause in ("FROM", "FROM NAMED"):
        assert number(reading, COUNT.replace("{", f"{clause} <{name}> {{")) == 0
    both = COUNT.replace("{", f"FROM <{name}> FROM <{ONE}> {{")
    assert number(reading, both) == 4


def test_mentions_are_reached_by_their_name_alone(reading: TestClient) -> None:
    """The default graph does not hold them; GRAPH and FROM do."""
    pattern = "?s <https://example.org/speaks-of> ?o"
    query = f"SELECT (COUNT(*) AS ?n) {{ {pattern} }}"

    assert number(reading, query) == 0
    assert number(reading, f"SELECT (COUNT(*) AS ?n) {{ GRAPH ?g {{ {pattern} }} }}") == 1
    assert number(reading, query, {"default-graph-uri": MENTIONS}) == 1


# --- What is not asked of anybody else


@pytest.mark.parametrize("silent", ["", "SILENT "])
@pytest.mark.parametrize(
    "where", ["{} {{ ?s ?p ?o }}", "OPTIONAL {{ {} {{ ?s ?p ?o }} }}", "?s ?p ?o . {} {{}}"]
)
def test_no_query_calls_another_endpoint(
    reading: TestClient, read_problem: Any, silent: str, where: str
) -> None:
    """SERVICE is refused in clear words; SILENT does not make it an empty answer."""
    pattern = where.format(f"SERVICE {silent}<http://127.0.0.1:9/>")

    body = read_problem(reading.get("/sparql", params={"query": f"SELECT * {{ {pattern} }}"}), 403)

    assert "this endpoint calls no other" in body["detail"]


# --- Hints


def test_a_term_that_is_not_there_is_pointed_out(reading: TestClient) -> None:
    """An empty answer for a misspelt term comes with the one that was meant, in ASCII, hit or miss."""
    for _ in range(2):
        response = reading.get("/sparql", params={"query": "SELECT * { ?s a medkg:Regoin }"})

        assert response.status_code == 200
        assert response.json()["results"]["bindings"] == []
        assert "medkg:Regoin" in response.headers["x-medkg-hint"]
        assert "Did you mean medkg:Region?" in response.headers["x-medkg-hint"]
    assert "x-medkg-hint" not in reading.get("/sparql", params={"query": REGIONS}).headers


def test_a_hint_never_breaks_the_header(reading: TestClient) -> None:
    """Letters that no header field holds are replaced."""
    response = reading.get(
        "/sparql", params={"query": "ASK { ?s a <https://w3id.org/medkg/ontology#Regióñ\\u000A> }"}
    )

    assert response.status_code in {200, 400}
    assert response.headers.get("x-medkg-hint", "").isascii()
    assert "\n" not in response.headers.get("x-medkg-hint", "")
