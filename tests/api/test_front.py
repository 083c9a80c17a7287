"""What every request passes: its identifier, the headers of all answers, and what nobody foresaw."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from medkg.domain.errors import DeadlineExceeded
from medkg_api.front import Dispatch, Front
from medkg_api.limits import RateLimiter
from medkg_api.metrics import Meter

SECRET = "/srv/secret/graph.py: pyoxigraph.Error at 0x7f00"  # noqa: S105 - what must not leak
BROWSER = {"accept": "text/html"}
MADE = re.compile("[0-9a-f]{8}-?[0-9a-f]+")


def break_() -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError(SECRET)


def break_off() -> StreamingResponse:
    """Send half an answer, and fail."""

    async def pieces() -> Any:
        yield b"half an answer"
        raise ZeroDivisionError(SECRET)

    return StreamingResponse(pieces())


@pytest.fixture(scope="module")
def service(start: Any) -> Iterator[TestClient]:
    """A client of a service with routes that fail, one at once and one in the middle."""
    with start() as client:
        client.app.get("/break")(break_)
        client.app.get("/break-off")(break_off)
        yield client


ADDRESSES = [
    ("GET", "/"),
    ("GET", "/none"),
    ("GET", "/health/live"),
    ("HEAD", "/health/live"),
    ("DELETE", "/health/live"),
    ("OPTIONS", "/sparql"),
    ("GET", "/sparql"),
    ("GET", "/sparql?query=ASK%7B%7D"),
    ("GET", "/sparql?query=ASK"),
    ("PUT", "/sparql"),
    ("GET", "/update"),
    ("POST", "/update"),
    ("GET", "/graphs"),
    ("GET", "/graphs?graph=urn:none"),
    ("GET", "/metrics"),
    ("GET", "/break"),
    ("GET", "/static/none.css"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_every_answer_has_what_all_answers_have(
    service: TestClient, method: str, path: str, accept: str
) -> None:
    """Good or bad, each answer is named, is not sniffed, tells no referrer, and any web page may read it."""
    headers = service.request(
        method, path, headers={"accept": accept, "origin": "https://elsewhere.example"}
    ).headers

    assert MADE.fullmatch(headers["x-request-id"])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in headers["access-control-expose-headers"]
    assert "server" not in headers
    assert ("content-security-policy" in headers) == headers.get("content-type", "").startswith("text/html")


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64, "550e8400-e29b-41d4-a716-446655440000"])
def test_a_good_identifier_is_kept(service: TestClient, given: str) -> None:
    """What a client or a proxy calls its request stays its name."""
    assert service.get("/health/live", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "x" * 65, "a b", "a\tb", "ü", "<script>", "a;b", "a\x7f"])
def test_a_bad_identifier_is_replaced(service: TestClient, given: str) -> None:
    """What could confuse a log is not taken."""
    found = service.get("/health/live", headers=[(b"x-request-id", given.encode("latin-1"))]).headers

    assert MADE.fullmatch(found["x-request-id"])


def test_each_request_gets_a_name_of_its_own(service: TestClient) -> None:
    """Two requests are never called the same."""
    assert len({service.get("/health/live").headers["x-request-id"] for _ in range(20)}) == 20


def test_the_unexpected_is_a_problem_without_details(service: TestClient, read_problem: Any) -> None:
    """An error that nobody foresaw is 500, tells nothing, is counted as what it is, and stops nothing."""
    body = read_problem(service.get("/break"), 500)

    assert set(body) == {"type", "title", "status", "detail"}
    assert 'medkg_requests_total{class="pages",status="500"}' in metrics(service)
    assert service.get("/health/live").status_code == 200


def test_the_unexpected_in_a_browser_is_a_page(service: TestClient, read_page: Any) -> None:
    """A browser gets a page for it."""
    assert "Something went wrong here" in read_page(service.get("/break", headers=BROWSER)).texts["p"]


def test_half_an_answer_is_never_completed(service: TestClient) -> None:
    """What fails after it began is broken off: no second answer comes behind the first half."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            sent.append(message)
            await send(message)

        await service.app(scope, receive, watched)

    with pytest.raises(ZeroDivisionError):
        TestClient(app).get("/break-off")

    assert [message["type"] for message in sent].count("http.response.start") == 1
    assert sent[-1]["more_body"] is True


def metrics(client: TestClient) -> str:
    app = client.app
    text: str = app.state.context.meter.text().decode()  # type: ignore[attr-defined]
    return text


class Endpoint:
    """As much of an endpoint as a meter wants."""

    def status(self) -> dict[str, float]:
        return {}


def wired(handler: Any) -> TestClient:
    """Return a client of nothing but the front and one handler."""

    async def none(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    limiter = RateLimiter(120, lambda: 0.0)
    meter = Meter(Endpoint())  # type: ignore[arg-type]
    app = Front(
        Dispatch(none, handlers={"/x": handler}, limiter=limiter),
        classes={"/x": "x"},
        meter=meter,
        verbose=False,
    )
    client = TestClient(app)
    client.meter = meter  # type: ignore[attr-defined]
    return client


def test_a_handler_is_counted_and_marked() -> None:
    """An address of its own is answered by its handler, in its class."""

    async def handler(request: Request) -> Response:
        return Response(request.method, 201)

    client = wired(handler)
    response = client.get("/x")

    assert (response.status_code, response.text) == (201, "GET")
    assert response.headers["x-request-id"]
    assert b'medkg_requests_total{class="x",status="201"} 1.0' in client.meter.text()  # type: ignore[attr-defined]


def test_a_client_that_asks_too_often_is_told_to_wait(start: Any, read_problem: Any) -> None:
    """Beyond its rate a client gets 429 with Retry-After, and is welcome at the other addresses."""
    with start(rate_limit=4) as client:
        answers = [client.get("/sparql", params={"query": "ASK {}"}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert "4 requests a minute" in read_problem(answers[2], 429)["detail"]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 15
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D%23never", "/graphs?default", "/update"])
def test_what_a_handler_did_not_foresee_is_a_problem(
    service: TestClient, read_problem: Any, monkeypatch: pytest.MonkeyPatch, path: str, admin: dict[str, str]
) -> None:
    """An error in a protocol address is told like any other."""

    async def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(SECRET)

    for name in ("query", "read", "update"):
        monkeypatch.setattr(endpoint(service), name, fail)
    form = {"data": {"update": "CLEAR ALL"}, "headers": admin} if path == "/update" else {}
    response = service.request("POST" if form else "GET", path, **form)  # type: ignore[arg-type]

    assert read_problem(response, 500)["detail"].startswith("Something went wrong here")


def test_a_deadline_is_a_problem_with_a_time_to_wait(
    service: TestClient, read_problem: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What took too long is 503 with Retry-After."""

    async def fail(*_: Any, **__: Any) -> None:
        raise DeadlineExceeded("It took too long.")

    monkeypatch.setattr(endpoint(service), "query", fail)
    response = service.get("/sparql", params={"query": "ASK {}"})

    read_problem(response, 503)
    assert response.headers["retry-after"] == "10"


def endpoint(client: TestClient) -> Any:
    return client.app.state.context.endpoint  # type: ignore[attr-defined]


def test_the_log_has_the_place_and_no_values(service: TestClient) -> None:
    """What nobody foresaw is logged once with its stack, but not with what the variables held."""
    with capture_logs() as logged:
        service.get("/break", headers={"authorization": "Bearer of-a-secret-in-a-local-variable"})

    entries = [entry for entry in logged if entry["event"] == "unexpected"]
    assert len(entries) == 1
    assert (entries[0]["error"], entries[0]["path"]) == ("ZeroDivisionError", "/break")
    assert "in break_" in entries[0]["trace"]
    assert "of-a-secret" not in str(logged)
