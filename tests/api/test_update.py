"""`/update`: the SPARQL 1.1 Protocol for updates, each one transaction, from who may write."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from medkg.domain.model import Author, Role
from medkg.services import tokens
from medkg.state import audit

GRAPH = "https://w3id.org/medkg/graph/"
MANUAL = GRAPH + "manual/"
DIRECT = {"content-type": "application/sparql-update"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
UNCHECKED = {"unchecked": "true"}


@pytest.fixture(scope="module")
def union(start: Any) -> Iterator[TestClient]:
    """A client of a service whose default graph is the merge."""
    with start() as client:
        yield client


@pytest.fixture(scope="module")
def plain(start: Any) -> Iterator[TestClient]:
    """A client of a service in plain SPARQL."""
    with start(union_default_graph=False) as client:
        yield client


@pytest.fixture(scope="module")
def roles(union: TestClient, admin: dict[str, str]) -> dict[str, dict[str, str]]:
    """A header for each role."""
    database = union.app.state.context.database()  # type: ignore[attr-defined]
    author = Author("test", Role.ADMIN)
    found = {"admin": admin, "nobody": {}}
    for role in (Role.STEWARD, Role.SUBMITTER):
        _, secret = tokens.create(database, author, f"a-{role}", role)
        found[role.value] = {"authorization": f"Bearer {secret}"}
    return found


def insert(graph: str, triples: str = "<urn:a> <urn:b> 1") -> str:
    return f"INSERT DATA {{ GRAPH <{graph}> {{ {triples} }} }}"


def version(client: TestClient) -> int:
    return int(client.app.state.context.endpoint.version)  # type: ignore[attr-defined]


def ask(client: TestClient, pattern: str) -> bool:
    answer = client.get("/sparql", params={"query": f"ASK {{ {pattern} }}"})
    return bool(answer.json()["boolean"])


def post(client: TestClient, text: str, headers: dict[str, str], **params: Any) -> Any:
    return client.post(
        "/update", params=params or UNCHECKED, content=text.encode(), headers={**headers, **DIRECT}
    )


@pytest.mark.parametrize("way", ["form", "direct"])
def test_an_update_comes_in_two_ways(union: TestClient, admin: dict[str, str], way: str) -> None:
    """By a form and as the body itself, an update is done, and the answer names version and graphs."""
    before = version(union)
    graph = f"{MANUAL}way-{way}"
    bodies: dict[str, dict[str, Any]] = {
        "form": {"data": {"update": insert(graph)}, "headers": admin},
        "direct": {"content": insert(graph), "headers": {**admin, **DIRECT}},
    }

    response = union.post("/update", params=UNCHECKED, **bodies[way])

    assert response.status_code == 200
    assert response.json()["version"] == before + 1 == version(union)
    assert graph in response.json()["changed"]
    assert response.headers["x-medkg-version"] == str(before + 1)
    assert response.headers["cache-control"] == "no-store"
    assert ask(union, f"GRAPH <{graph}> {{ <urn:a> <urn:b> 1 }}")
    assert ask(union, "<urn:a> <urn:b> 1")


@pytest.mark.parametrize(
    ("role", "graph", "unchecked", "status"),
    [
        ("nobody", MANUAL + "roles", "", 401),
        ("submitter", MANUAL + "roles", "", 403),
        ("steward", MANUAL + "roles", "", 200),
        ("steward", MANUAL + "roles", "true", 403),
        ("steward", GRAPH + "source/one", "", 403),
        ("steward", GRAPH + "inferred", "", 403),
        ("steward", MANUAL + "Bad_Name", "", 403),
        ("steward", MANUAL + "a/b", "", 403),
        ("steward", "urn:elsewhere", "", 403),
        ("admin", MANUAL + "roles", "", 200),
        ("admin", GRAPH + "source/one", "", 403),
        ("admin", GRAPH + "source/one", "true", 200),
        ("admin", "urn:elsewhere", "1", 200),
        ("admin", GRAPH + "inferred", "true", 403),
    ],
)
def test_who_may_write_what(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    union: TestClient,
    roles: dict[str, dict[str, str]],
    read_problem: Any,
    role: str,
    graph: str,
    unchecked: str,
    status: int,
) -> None:
    """Stewards write manual graphs, validated; administrators the others too, when they say so."""
    before = version(union)
    triple = f"<urn:by> <urn:{role}> <urn:x{unchecked}>"

    response = post(
        union, insert(graph, triple), roles[role], **({"unchecked": unchecked} if unchecked else {"x": 1})
    )

    if status == 200:
        assert response.status_code == 200, response.text
    else:
        read_problem(response, status)
        assert version(union) == before
    assert ask(union, f"GRAPH <{graph}> {{ {triple} }}") == (status == 200)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer a b", "bearer " + "x" * 5_000]
)
def test_a_token_must_be_known(union: TestClient, read_problem: Any, header: str) -> None:
    """Whatever is no valid bearer token is 401 and says which scheme there is."""
    response = post(union, insert(MANUAL + "x"), {"authorization": header})

    read_problem(response, 401)
    assert response.headers["www-authenticate"] == 'Bearer realm="medkg"'


def test_a_revoked_token_is_worth_nothing(union: TestClient, read_problem: Any) -> None:
    """From the moment that it is revoked, a token opens nothing."""
    database = union.app.state.context.database()  # type: ignore[attr-defined]
    author = Author("test", Role.ADMIN)
    _, secret = tokens.create(database, author, "short-lived", Role.STEWARD)
    headers = {"authorization": f"Bearer {secret}"}
    read_problem(post(union, "SELECT", headers, x="1"), 400)

    tokens.revoke(database, author, "short-lived")

    read_problem(post(union, "SELECT", headers, x="1"), 401)


CALL = "{ SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"
OUTSIDE = "The update writes outside GRAPH"
BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("POST", {"data": {"x": "y"}}, 400, "There is no update."),
    ("POST", {"data": {"update": ["CLEAR ALL", "CLEAR ALL"]}}, 400, "There are several updates"),
    ("POST", {"data": {"query": "ASK {}"}}, 400, "This address takes updates. Send queries to /sparql."),
    ("POST", {"data": {"update": "INSERT DATA {"}}, 400, "The update does not parse at line 1"),
    ("POST", {"data": {"update": "ASK {}"}}, 400, "The update does not parse at line 1"),
    ("POST", {"content": b"CLEAR \xff", "headers": DIRECT}, 400, "The body is not UTF-8 (byte 6)."),
    ("POST", {"content": b"update=%FF", "headers": FORM}, 400, "The body is not UTF-8."),
    ("POST", {"content": "CLEAR ALL", "headers": {"content-type": "text/plain"}}, 415, "A body of type"),
    (
        "POST",
        {"content": b"\x1f", "headers": {**DIRECT, "content-encoding": "gzip"}},
        415,
        "A body compressed",
    ),
    ("POST", {"content": b"#" * 1_048_577, "headers": DIRECT}, 413, "The body is longer than 1,048,576 "),
    ("POST", {"data": {"update": "LOAD <http://127.0.0.1:9/>"}}, 403, "LOAD (line 1, column 1)"),
    (
        "POST",
        {"data": {"update": f"INSERT {{ GRAPH <urn:x> {{ ?s ?p ?o }} }} WHERE {CALL}"}},
        403,
        "SERVICE (line 1, column 47)",
    ),
    ("POST", {"data": {"update": "INSERT DATA { <urn:a> <urn:b> 1 }"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CLEAR DEFAULT"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CLEAR ALL"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CREATE GRAPH graph:source\\/one"}}, 409, "The graph"),
    ("GET", {}, 405, "GET is not taken here. Allowed: POST, OPTIONS."),
    ("PUT", {}, 405, "PUT is not taken here."),
    ("HEAD", {}, 405, ""),
]


@pytest.fixture(scope="module")
def bounded(start: Any) -> Iterator[TestClient]:
    """A client of a service that takes bodies of a megabyte."""
    with start(max_body_mb=1) as client:
        yield client


@pytest.mark.parametrize(("method", "arguments", "status", "detail"), BAD)
def test_a_bad_request_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    bounded: TestClient,
    read_problem: Any,
    admin: dict[str, str],
    method: str,
    arguments: dict[str, Any],
    status: int,
    detail: str,
) -> None:
    """Each way to call the address wrongly has a status and a sentence of its own, and changes nothing."""
    before = version(bounded)
    headers = {**admin, **arguments.get("headers", {})}

    response = bounded.request(method, "/update", params=UNCHECKED, **{**arguments, "headers": headers})

    if method == "HEAD":
        assert (response.status_code, response.content) == (status, b"")
    else:
        assert read_problem(response, status)["detail"].startswith(detail)
    assert version(bounded) == before


def test_an_update_may_be_as_long_as_a_body(bounded: TestClient, admin: dict[str, str]) -> None:
    """What is written may be longer than what is asked."""
    text = insert(MANUAL + "long", " . ".join(f"<urn:s> <urn:p> <urn:object:{n}>" for n in range(5_000)))

    response = post(bounded, text, admin)

    assert len(text) > 100_000
    assert response.status_code == 200, response.text
    assert ask(bounded, f"GRAPH <{MANUAL}long> {{ <urn:s> <urn:p> <urn:object:4999> }}")


def test_options_names_the_methods(union: TestClient) -> None:
    """OPTIONS is answered without a body."""
    response = union.options("/update")

    assert (response.status_code, response.headers["allow"]) == (204, "POST, OPTIONS")


@pytest.mark.parametrize(
    "last",
    [
        "INSERT DATA { GRAPH <urn:one> { <urn:broken> } }",
        "CREATE GRAPH <https://w3id.org/medkg/graph/source/one>",
        "CLEAR GRAPH <urn:nothing-there>",
        "INSERT { GRAPH <urn:two> { ?s ?p ?o } } WHERE { BIND(<urn:no-such-function>(1) AS ?s) }",
    ],
)
def test_a_sequence_that_fails_changes_nothing(
    union: TestClient, admin: dict[str, str], read_problem: Any, last: str
) -> None:
    """Operations before the one that fails leave no trace, in no reader and no version."""
    before = version(union)
    graph = MANUAL + "never"

    response = post(union, f"{insert(graph)} ; DROP GRAPH <{GRAPH}source/many> ; {last}", admin)

    assert response.status_code in {400, 409, 501}, response.text
    read_problem(response, response.status_code)
    assert version(union) == before
    assert not ask(union, f"GRAPH <{graph}> {{ ?s ?p ?o }}")
    assert ask(union, f"GRAPH <{GRAPH}source/many> {{ ?s ?p ?o }}")


def test_a_sequence_is_one_version(union: TestClient, admin: dict[str, str]) -> None:
    """Several operations are one change, and each sees what those before it did."""
    before = version(union)
    graph = MANUAL + "sequence"

    response = post(
        union,
        f"{insert(graph, '<urn:s> <urn:p> 1')} ;"
        f"DELETE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }} INSERT {{ GRAPH <{graph}> {{ ?s ?p 2 }} }}"
        f"WHERE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }}",
        admin,
    )

    assert response.json()["version"] == before + 1
    assert ask(union, f"GRAPH <{graph}> {{ <urn:s> <urn:p> 2 }}")
    assert not ask(union, f"GRAPH <{graph}> {{ <urn:s> <urn:p> 1 }}")


def test_what_changes_nothing_makes_no_version(union: TestClient, admin: dict[str, str]) -> None:
    """A write of what is there already is accepted, and the version stays."""
    text = insert(MANUAL + "same")
    first = post(union, text, admin).json()["version"]

    again = post(union, text, admin)

    assert (again.status_code, again.json()) == (200, {"version": first, "changed": []})


def test_a_key_stands_for_one_write(union: TestClient, admin: dict[str, str]) -> None:
    """The same Idempotency-Key again gives the first version, and does nothing a second time."""
    graph = MANUAL + "keyed"
    headers = {**admin, "idempotency-key": "key-1"}
    text = f"INSERT {{ GRAPH <{graph}> {{ <urn:s> <urn:p> ?u }} }} WHERE {{ BIND(UUID() AS ?u) }}"
    first = post(union, text, headers)
    post(union, insert(MANUAL + "between"), admin)

    again = post(union, text, headers)
    other = post(union, text, {**admin, "idempotency-key": "key-2"})

    assert again.status_code == 200
    assert again.json()["version"] == first.json()["version"]
    assert other.json()["version"] > first.json()["version"] + 1
    rows = union.get(
        "/sparql", params={"query": f"SELECT ?u {{ GRAPH <{graph}> {{ ?s ?p ?u }} }}", "format": "csv"}
    )
    assert len(rows.text.split()) == 1 + 2


@pytest.mark.parametrize("key", ["a b", "ü", "x" * 201, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(
    union: TestClient, admin: dict[str, str], read_problem: Any, key: str
) -> None:
    """A key is short and visible, or the write is not done."""
    headers = [
        (b"idempotency-key", key.encode("latin-1")),
        *[(n.encode(), v.encode()) for n, v in admin.items()],
    ]
    before = version(union)

    response = union.post("/update", params=UNCHECKED, data={"update": insert(MANUAL + "k")}, headers=headers)

    read_problem(response, 400)
    assert version(union) == before


def test_what_breaks_a_shape_is_not_stored(
    union: TestClient, roles: dict[str, dict[str, str]], read_problem: Any
) -> None:
    """A steward's write is validated with the whole; the findings say what is wrong with what."""
    before = version(union)
    region = "http://data.europa.eu/nuts/code/ZZ99"

    response = post(union, insert(MANUAL + "region", f"<{region}> a medkg:Region"), roles["steward"], x="1")

    body = read_problem(response, 422)
    assert [(item["code"], item["focus"], item["severity"]) for item in body["findings"]] == [
        ("R-01", region, "violation")
    ]
    assert "A region has a name." in body["detail"]
    assert version(union) == before
    assert not ask(union, f"<{region}> ?p ?o")
    named = f"<{region}> a medkg:Region ; skos:prefLabel 'Zz'@en"
    assert post(union, insert(MANUAL + "region", named), roles["steward"], x="1").status_code == 200
    assert ask(union, f"<{region}> a medkg:Region")


def test_writes_are_on_record(union: TestClient, roles: dict[str, dict[str, str]]) -> None:
    """Each accepted write is in the audit trail: who, in which role, what, which version; others are not."""
    database = union.app.state.context.database()  # type: ignore[attr-defined]
    with database.reading() as connection:
        before = audit.recent(connection, 1)
    post(union, "nonsense", roles["admin"])
    accepted = post(union, insert(MANUAL + "audited"), roles["admin"])

    with database.reading() as connection:
        entries = [entry for entry in audit.recent(connection, 10) if not before or entry.id > before[0].id]

    assert len(entries) == 1
    entry = entries[0]
    assert (entry.actor, entry.role, entry.action) == ("admin (setting)", Role.ADMIN, "update")
    assert entry.version == accepted.json()["version"]
    assert entry.detail.startswith("unchecked; changed: ")
    assert MANUAL + "audited" in entry.detail


def test_where_reads_the_merge(union: TestClient, admin: dict[str, str]) -> None:
    """With the union on, WHERE outside GRAPH sees what all public graphs say, each triple once."""
    graph = MANUAL + "counted"
    text = (
        f"INSERT {{ GRAPH <{graph}> {{ <urn:count> <urn:is> ?n }} }} "
        "WHERE { SELECT (COUNT(*) AS ?n) { nuts:PL22 a medkg:Region } }"
    )

    assert post(union, text, admin).status_code == 200
    assert ask(union, f"GRAPH <{graph}> {{ <urn:count> <urn:is> 1 }}")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"using-graph-uri": [GRAPH + "source/one"]}, {"one"}),
        ({"using-graph-uri": [GRAPH + "source/two"]}, {"two"}),
        ({"using-graph-uri": [GRAPH + "source/one", GRAPH + "source/two"]}, {"one", "two"}),
        ({"using-named-graph-uri": [GRAPH + "source/one"]}, set()),
        ({"using-graph-uri": [GRAPH + "absent"]}, set()),
    ],
)
@pytest.mark.parametrize("mode", ["union", "plain"])
def test_the_protocol_says_what_where_reads(
    request: pytest.FixtureRequest,
    admin: dict[str, str],
    mode: str,
    params: dict[str, list[str]],
    found: set[str],
) -> None:
    """using-graph-uri and using-named-graph-uri are the dataset of WHERE (Protocol, section 2.2.3)."""
    client = request.getfixturevalue(mode)
    graph = f"{MANUAL}using"
    text = (
        f"DROP SILENT GRAPH <{graph}> ; INSERT {{ GRAPH <{graph}> {{ ?s <urn:named> ?n }} }} WHERE "  # noqa: S608
        '{ VALUES (?n ?s) { ("Silesia"@en <urn:one>) ("Veneto"@it <urn:two>) } ?x skos:prefLabel ?n }'
    )

    response = post(client, text, admin, **UNCHECKED, **params)

    assert response.status_code == 200, response.text
    rows = client.get(
        "/sparql", params={"query": f"SELECT ?s {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}", "format": "csv"}
    )
    assert {row.removeprefix("urn:") for row in rows.text.split()[1:]} == found


@pytest.mark.parametrize("clause", ["USING <urn:x>", "USING NAMED <urn:x>"])
@pytest.mark.parametrize("name", ["using-graph-uri", "using-named-graph-uri"])
def test_the_dataset_is_said_once(
    plain: TestClient, admin: dict[str, str], read_problem: Any, clause: str, name: str
) -> None:
    """A dataset in the request and one in the update contradict each other (Protocol, section 2.2.3)."""
    text = f"INSERT {{ GRAPH <urn:y> {{ ?s ?p ?o }} }} {clause} WHERE {{ ?s ?p ?o }}"

    read_problem(post(plain, text, admin, **{name: "urn:z"}), 400)


@pytest.mark.parametrize("value", ["", "relative", "not an iri"])
def test_the_dataset_has_iris(
    plain: TestClient, admin: dict[str, str], read_problem: Any, value: str
) -> None:
    """What is no absolute IRI names no graph."""
    text = "INSERT { GRAPH <urn:y> { ?s ?p ?o } } WHERE { ?s ?p ?o }"

    read_problem(post(plain, text, admin, **{"using-graph-uri": value}), 400)


def test_plain_sparql_has_a_default_graph_of_its_own(plain: TestClient, admin: dict[str, str]) -> None:
    """Without the union, the default graph holds what was written to it, and nothing of the others."""
    post(plain, "INSERT DATA { <urn:d> <urn:p> 1 }", admin, x="1")

    assert ask(plain, "<urn:d> <urn:p> 1")
    assert not ask(plain, "GRAPH ?g { <urn:d> <urn:p> 1 }")
    assert not ask(plain, "nuts:PL22 a medkg:Region")
    assert ask(plain, f"GRAPH <{GRAPH}source/one> {{ nuts:PL22 a medkg:Region }}")
    post(plain, "CLEAR DEFAULT", admin, x="1")
    assert not ask(plain, "?s ?p ?o")


def test_a_reader_sees_what_was_acknowledged(union: TestClient, admin: dict[str, str]) -> None:
    """As soon as a write is answered, every query sees it, and the cache does not stand before it."""
    graph = MANUAL + "seen"
    query = {"query": f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}", "format": "csv"}
    for number in range(1, 6):
        tag = union.get("/sparql", params=query).headers["etag"]
        post(union, insert(graph, f"<urn:s> <urn:p> {number}"), admin)

        answer = union.get("/sparql", params=query, headers={"if-none-match": tag})

        assert answer.text.split() == ["n", str(number)]


def test_nobody_sees_the_old_under_the_new_number(serve: Any, admin: dict[str, str]) -> None:
    """While others ask the same all the time, each answer is that of the version that it names."""
    graph = MANUAL + "numbered"
    query = {"query": f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}", "format": "csv"}
    with serve() as (port, _):
        base = f"http://127.0.0.1:{port}"
        seen: list[tuple[int, int]] = []
        over = threading.Event()

        def ask_on() -> None:
            with httpx2.Client(base_url=base) as client:
                while not over.is_set():
                    answer = client.get("/sparql", params=query)
                    seen.append((int(answer.headers["x-medkg-version"]), int(answer.text.split()[1])))

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        acknowledged = []
        with httpx2.Client(base_url=base, timeout=60) as client:
            for number in range(1, 13):
                text = insert(graph, f"<urn:s> <urn:p> {number}")
                body = client.post("/update", params=UNCHECKED, data={"update": text}, headers=admin).json()
                acknowledged.append(
                    (body["version"], int(client.get("/sparql", params=query).text.split()[1]))
                )
        over.set()
        for thread in threads:
            thread.join()

    assert acknowledged == [(number + 1, number) for number in range(1, 13)]
    assert len(seen) > 50
    assert {version - count for version, count in seen} == {1}
