"""What a stranger may try: whatever it is, that request alone ends, in a clear answer, and others go on."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi.testclient import TestClient

PRODUCT = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }"
RUNAWAY = f"SELECT (COUNT(*) AS ?count) {PRODUCT}"
# More rows than anybody waits for, and all of them are sent.
FLOOD = f"SELECT * {PRODUCT}"
CHEAP = "ASK { nuts:PL22 a medkg:Region }"
DIRECT = {"content-type": "application/sparql-query"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TIMEOUT = 2.0


@pytest.fixture(scope="module")
def brief(start: Any) -> Iterator[TestClient]:
    """A client of a service in which a query may take two seconds, and little memory."""
    with start(query_timeout_s=TIMEOUT, worker_memory_mb=256) as client:
        yield client


@pytest.fixture(scope="module")
def service(serve: Any) -> Iterator[tuple[int, Any]]:
    """The port of such a service on the loopback, and its application."""
    with serve(query_timeout_s=TIMEOUT, worker_memory_mb=256) as found:
        yield found


def get(port: int, query: str, **headers: str) -> tuple[int, bytes]:
    """Ask a service on the loopback; return the status and the body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/sparql?" + urlencode({"query": query, "format": "csv"}), headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait for a condition; tell whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def at_work(app: Any) -> float:
    """Return how many requests are being evaluated."""
    status = app.state.context.endpoint.status()
    return float(status["readers_busy"] + status["readers_slow"])


def is_free(app: Any) -> bool:
    return at_work(app) == 0


# --- Time


RUNAWAYS = [
    pytest.param(RUNAWAY, id="product"),
    pytest.param("SELECT (COUNT(*) AS ?n) { ?a !<urn:x>* ?b . ?c !<urn:x>* ?d . ?e ?f ?g }", id="paths"),
    pytest.param(f"SELECT DISTINCT ?a {PRODUCT} ORDER BY ?c", id="sorted"),
    pytest.param(
        f"SELECT (COUNT(*) AS ?x) {PRODUCT} "
        'HAVING(COUNT(IF(REGEX(CONCAT(STR(?c), STR(?f), STR(?i)), "^(a+)+(.*)(.*)(.*)x$"), 1, 0)) > 0)',
        id="regex",
    ),
    pytest.param(f"ASK {{ {PRODUCT} FILTER(CONCAT(STR(?a), STR(?d), STR(?g)) = 'x') }}", id="ask"),
    pytest.param(
        f"CONSTRUCT {{ ?a a ?o }} {{ {PRODUCT} FILTER(STRLEN(CONCAT(STR(?a), STR(?o))) = 1) }}",
        id="construct",
    ),
]


@pytest.mark.parametrize("query", RUNAWAYS)
def test_a_runaway_is_stopped_at_its_deadline(brief: TestClient, read_problem: Any, query: str) -> None:
    """A query that does not end, and has sent nothing, is 503 with a time to wait; the next is answered."""
    response = brief.get("/sparql", params={"query": query})

    if response.status_code == 500:
        # It took all its memory before its time was over.
        assert "needs too much memory" in read_problem(response, 500)["detail"]
    else:
        assert "ran longer than 2 seconds" in read_problem(response, 503)["detail"]
        assert response.headers["retry-after"] == "10"
    assert brief.get("/sparql", params={"query": CHEAP}).json()["boolean"] is True
    assert eventually(lambda: is_free(brief.app))


def test_the_deadline_is_kept_to_half_a_second(brief: TestClient) -> None:
    """A runaway ends within half a second of its deadline and never before; on a busy machine one of many."""
    times: list[float] = []
    while len(times) < 20 and not any(took < TIMEOUT + 0.5 for took in times):
        began = time.monotonic()
        brief.get("/sparql", params={"query": f"{RUNAWAY} # {len(times)}"})
        times.append(time.monotonic() - began)

    assert TIMEOUT - 0.1 < min(times) < TIMEOUT + 0.5


def test_runaways_leave_room_for_cheap_queries(serve: Any) -> None:
    """While more runaways run than there are workers, cheap queries are answered, right ones all."""
    with serve(query_timeout_s=300, worker_memory_mb=256) as (port, app), ExitStack() as stack:
        for number in range(4):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(request(f"{RUNAWAY} # {number}"))
        assert eventually(lambda: at_work(app) >= 3)
        cheap = [get(port, f"{CHEAP} # {number}") for number in range(10)]

        assert cheap == [(200, b"true")] * 10
        assert at_work(app) >= 3, "the runaways had ended before"
        stack.close()
        assert eventually(lambda: is_free(app))


def test_many_runaways_have_their_deadline(service: tuple[int, Any]) -> None:
    """Each of several runaways at the same time is stopped."""
    port, app = service
    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(get, port, f"{RUNAWAY} # {number}") for number in range(4)]

    assert [entry.result()[0] for entry in slow] == [503] * 4
    assert eventually(lambda: is_free(app))


def test_a_client_that_leaves_frees_its_reader(serve: Any) -> None:
    """A query whose client has gone is not worked on any longer, sent rows or not."""
    with serve(query_timeout_s=300) as (port, app):
        for query in (RUNAWAY, FLOOD):
            for _ in range(6):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(request(query))
                    assert eventually(lambda: at_work(app) >= 1)
            assert eventually(lambda: is_free(app)), app.state.context.endpoint.status()
        assert get(port, CHEAP) == (200, b"true")


# --- Processes


def test_a_query_that_ends_its_process_is_one_error(brief: TestClient, read_problem: Any) -> None:
    """A reader that is killed fails its own request, in words, and the next is answered."""
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(brief.get("/sparql", params={"query": RUNAWAY + " # killed"}))
    )
    endpoint = brief.app.state.context.endpoint  # type: ignore[attr-defined]
    thread.start()
    assert eventually(lambda: at_work(brief.app) == 1)
    pool = endpoint._readers.pool
    for reader in (*pool._busy, *pool._slow):
        os.kill(reader.pid, signal.SIGKILL)
    thread.join()

    assert "ended the process" in read_problem(found[0], 500)["detail"]
    assert brief.get("/sparql", params={"query": CHEAP}).json()["boolean"] is True


def test_a_query_that_eats_memory_is_one_error(brief: TestClient) -> None:
    """What needs more memory than one query may take is refused, and others go on."""
    hungry = f"SELECT (GROUP_CONCAT(CONCAT(STR(?c), STR(?f), STR(?i))) AS ?x) {PRODUCT}"

    response = brief.get("/sparql", params={"query": hungry})

    assert response.status_code in {500, 503}
    assert brief.get("/sparql", params={"query": CHEAP}).json()["boolean"] is True


DEEP = [
    pytest.param("ASK " + "{" * 90 + "}" * 90, 200, id="groups"),
    pytest.param("ASK " + "{" * 5_000 + "}" * 5_000, 413, id="more-groups"),
    pytest.param("ASK " + "{" * 40_000, 413, id="open-groups"),
    pytest.param("ASK { FILTER(" + "(" * 40_000 + "1" + ")" * 40_000 + ") }", 413, id="brackets"),
    pytest.param("ASK { FILTER(" + "!" * 50_000 + "true) }", 413, id="negations"),
    pytest.param("SELECT (" + "-" * 50_000 + "1 AS ?x) {}", 413, id="signs"),
    pytest.param("ASK { ?s " + "^" * 50_000 + "a ?o }", 413, id="inverse"),
    pytest.param("ASK { ?s a" + "/a" * 30_000 + " ?o }", 413, id="paths"),
    pytest.param("ASK { {}" + " UNION {}" * 8_000 + " }", 413, id="unions"),
    pytest.param("ASK { " + "OPTIONAL { ?s ?p ?o } " * 4_000 + "}", 413, id="optionals"),
    pytest.param("ASK { FILTER(1" + " + 1" * 20_000 + " > 0) }", 413, id="sums"),
    pytest.param("ASK { ?s ?p " + "[ ?p " * 10_000 + "1" + "]" * 10_000 + " }", 413, id="nodes"),
    pytest.param("ASK { ?s ?p " + "(" * 40_000 + ")" * 40_000 + " }", 413, id="lists"),
    pytest.param("ASK { ?s ?p " + "<<" * 20_000, 413, id="terms"),
    pytest.param("ASK { ?s ?p '" + "x" * 99_000 + "' }", 200, id="text"),
    pytest.param("#" * 99_000, 400, id="comment"),
    pytest.param("PREFIX a: <urn:a> " * 5_000 + "ASK {}", 200, id="prefixes"),
    pytest.param("ASK { VALUES ?x { " + "1 " * 45_000 + "} }", 200, id="values"),
    pytest.param("SELECT " + " ".join(f"?x{number}" for number in range(5_000)) + " {}", 200, id="columns"),
]


@pytest.mark.parametrize(("query", "status"), DEEP)
def test_a_deep_query_is_refused_before_it_is_run(brief: TestClient, query: str, status: int) -> None:
    """What would end the process by its shape is refused in words; what is only long is run."""
    killed = brief.app.state.context.endpoint.status()["kills"]  # type: ignore[attr-defined]

    response = brief.post("/sparql", content=query, headers=DIRECT)

    assert response.status_code in {status, 400 if status == 413 else status}, response.text[:300]
    assert brief.app.state.context.endpoint.status()["kills"] == killed  # type: ignore[attr-defined]


REGEX = [
    r"^(a+)+$",
    r"^(a|a)*$",
    r"^(a|aa)+$",
    r"(.*)*x",
    r"(?:a?){50}a{50}",
    r"((a{1,100}){1,100}){1,100}",
    r"(?=a)b",
    r"(a)\1",
    r"[",
]


@pytest.mark.parametrize("pattern", REGEX)
def test_a_catastrophic_expression_is_none_here(brief: TestClient, pattern: str) -> None:
    """No expression takes time that grows faster than its text; a bad one is an error of that row."""
    text = "a" * 5_000 + "!"
    query = f"SELECT (REGEX({json.dumps(text)}, {json.dumps(pattern)}) AS ?x) {{}}"

    response = brief.post("/sparql", content=query, headers=DIRECT)

    assert response.status_code == 200, response.text[:300]


# --- Bytes


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/sparql?query=%FF", None, {}),
        ("GET", "/sparql?query=%C3%28", None, {}),
        ("GET", "/sparql?query=%ED%A0%80", None, {}),
        ("GET", "/sparql?%FF=1", None, {}),
        ("POST", "/sparql", b"query=%FF", FORM),
        ("POST", "/sparql", b"query=\xff", FORM),
        ("POST", "/sparql", b"ASK { \xed\xa0\x80 }", DIRECT),
        ("POST", "/sparql", b"\xff\xfeA\x00S\x00K\x00", DIRECT),
        ("POST", "/sparql", b"ASK {}\x00", DIRECT),
        ("GET", "/sparql?query=ASK%20%7B%7D%00", None, {}),
        ("GET", "/sparql?query=ASK&default-graph-uri=%FF", None, {}),
        ("GET", "/graphs?graph=%FF", None, {}),
        ("GET", "/graphs?graph=urn:%ED%A0%80", None, {}),
        ("GET", "/sparql?" + "&".join(["a=b"] * 5_000), None, {}),
        ("POST", "/sparql", b"&".join([b"a=b"] * 50_000), FORM),
    ],
)
def test_bytes_that_are_no_text_are_a_bad_request(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    brief: TestClient, read_problem: Any, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    """What is not UTF-8, or no text of SPARQL, or too many parameters, is 400, wherever it stands."""
    read_problem(brief.request(method, path, content=body, headers=headers), 400)


def test_a_byte_order_mark_is_no_mistake_of_the_service(brief: TestClient) -> None:
    """A text that an editor has put its mark before is read, or refused in words."""
    response = brief.post("/sparql", content=b"\xef\xbb\xbfASK {}", headers=DIRECT)

    assert response.status_code in {200, 400}


def test_what_differs_each_time_is_not_cached(brief: TestClient) -> None:
    """RAND gives another number to each who asks."""
    query = {"query": "SELECT (RAND() AS ?x) {}", "format": "csv"}

    assert len({brief.get("/sparql", params=query).text for _ in range(5)}) == 5


# --- Connections


def request(query: str, *, version: str = "1.1") -> bytes:
    return (
        f"GET /sparql?query={quote(query)}&format=csv HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n"
    ).encode()


def test_many_connections_at_once(service: tuple[int, Any]) -> None:
    """Two hundred clients at the same time all get their own answer."""
    port, app = service

    def one(number: int) -> bool:
        return get(port, f"SELECT ({number} AS ?x) {{ nuts:PL22 a medkg:Region }}")[1].split() == [
            b"x",
            str(number).encode(),
        ]

    with ThreadPoolExecutor(200) as threads:
        assert all(threads.map(one, range(200)))
    assert eventually(lambda: is_free(app))


def test_a_slow_client_holds_up_nobody(serve: Any) -> None:
    """Clients that read nothing of a large answer leave the readers to others."""
    rows = "SELECT * { ?a <https://example.org/text> ?b . ?c <https://example.org/text> ?d } LIMIT 400000"
    with serve(query_timeout_s=30, worker_memory_mb=256) as (port, app):
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
        try:
            for number, connection in enumerate(slow):
                connection.sendall(request(f"{rows} # {number}"))
            assert eventually(lambda: at_work(app) >= 2)
            answers = [get(port, f"{CHEAP} # {number}") for number in range(20)]
        finally:
            for connection in slow:
                connection.close()

        assert answers == [(200, b"true")] * 20
        assert eventually(lambda: is_free(app))


def test_an_answer_that_breaks_off_is_no_whole_one(service: tuple[int, Any]) -> None:
    """When a query is stopped in the middle of its rows, the last chunk never comes, and the line is cut."""
    port, app = service
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request(FLOOD))
        while True:
            try:
                piece = connection.recv(1_048_576)
            except ConnectionResetError:
                break
            if not piece:
                break
            received += piece

    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"transfer-encoding: chunked" in head.lower()
    assert len(body) > 65_536
    assert not body.endswith(b"0\r\n\r\n")
    assert eventually(lambda: is_free(app))
    with pytest.raises(http.client.IncompleteRead):
        get(port, FLOOD + " # again")


def test_head_of_an_endless_answer_ends(service: tuple[int, Any]) -> None:
    """HEAD tells that there is an answer, and nobody goes on writing it."""
    port, app = service
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("HEAD", "/sparql?" + urlencode({"query": FLOOD, "format": "csv"}))
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")

    assert eventually(lambda: is_free(app))


def test_a_compressed_answer_breaks_off_too(service: tuple[int, Any]) -> None:
    """A coding does not make a whole answer of half a one."""
    port, _ = service

    with pytest.raises(http.client.IncompleteRead):
        get(port, FLOOD + " # packed", **{"Accept-Encoding": "gzip"})


def test_half_a_body_is_no_query(service: tuple[int, Any]) -> None:
    """A client that leaves in the middle of its query asks nothing."""
    port, app = service
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
                b"Content-Length: 100\r\n\r\nASK {"
            )

    assert get(port, CHEAP) == (200, b"true")
    assert is_free(app)
