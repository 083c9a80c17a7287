"""Errors over HTTP: one shape, one table of statuses, and nothing of the machine behind it."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from medkg.config import Settings
from medkg.domain import errors
from medkg.domain.errors import MedkgError
from medkg.domain.model import Finding, Severity
from medkg.store.embedded import EmbeddedEngine
from medkg_api.app import create_app
from medkg_api.problems import STATUS

SECRET = "/srv/secret/graph.py: pyoxigraph.Error at 0x7f00"  # noqa: S105 - what must not leak
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

CLASSES = sorted(
    (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MedkgError)),
    key=lambda kind: kind.__name__,
)
FINDING = Finding("A-06", Severity.VIOLATION, "No region.", "https://w3id.org/medkg/id/action/x")
RAISED: list[tuple[MedkgError, int, dict[str, Any]]] = [
    (errors.QuerySyntaxError("It does not parse.", line=2, column=7), 400, {"line": 2, "column": 7}),
    (errors.ParameterError("month", "That is no month."), 400, {"name": "month"}),
    (errors.RoadmapError("That is no table."), 400, {}),
    (errors.CallError("That is no call."), 400, {}),
    (errors.QueryRefused("That is not run."), 403, {}),
    (errors.NotFound("There is none."), 404, {}),
    (errors.NotAcceptable("Nothing fits."), 406, {}),
    (errors.TooLarge("That is too long."), 413, {}),
    (errors.UnsupportedMedia("That is not taken."), 415, {}),
    (errors.GraphInvalid("It is invalid.", [FINDING]), 422, {"findings": [FINDING.as_dict()]}),
    (errors.Unauthorized("There is no token."), 401, {}),
    (errors.Forbidden("Not with that token."), 403, {}),
    (errors.Conflict("That is taken."), 409, {}),
    (errors.PreconditionFailed("That has changed."), 412, {}),
    (errors.RateLimited("That is too often.", retry_after=7), 429, {}),
    (errors.EngineCrashed("It ended its process."), 500, {}),
    (errors.NotSupported("Nobody can do that."), 501, {}),
    (errors.DeadlineExceeded("It took too long."), 503, {}),
    (errors.StorageFull("The disk is full."), 507, {}),
    (errors.StoreFailed("The engine failed."), 500, {}),
    (errors.StoreMissing("There is no graph."), 503, {}),
    (errors.Busy("Somebody else is at work."), 503, {}),
]


def fail(index: int) -> None:
    """Raise an error of the table."""
    raise RAISED[index][0] from RuntimeError(SECRET)


def break_() -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError(SECRET)


@pytest.fixture(scope="module")
def failing(settings: Settings, engine: EmbeddedEngine) -> Iterator[TestClient]:
    """A client of the real application with two routes that fail."""
    app = create_app(settings, engine)
    app.get("/fail/{index}")(fail)
    app.get("/break")(break_)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_status(kind: type[MedkgError]) -> None:
    """Each class of the tree has a row of its own; bad input is 4xx, a failure of ours 5xx."""
    # A bad setting is a wrong call of the command line; it can't come from a request.
    of_the_client = issubclass(kind, errors.InputError | errors.CallError) and kind is not errors.SettingError

    assert (400 <= STATUS[kind] < 500) == of_the_client


def test_the_table_has_no_other_rows() -> None:
    """Only errors of the tree are in the table."""
    assert set(STATUS) == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_drawn(kind: type[MedkgError]) -> None:
    """The tree at the head of the module has each class, with the status that the table gives it."""
    lines = [line for line in (errors.__doc__ or "").splitlines() if f"+ {kind.__name__} " in f"{line} "]

    assert len(lines) == 1 or kind is MedkgError
    assert all(line.rpartition("HTTP ")[2][:3] == str(STATUS[kind]) for line in lines if "HTTP " in line)


@pytest.mark.parametrize("index", range(len(RAISED)), ids=[type(row[0]).__name__ for row in RAISED])
def test_an_error_becomes_a_problem(failing: TestClient, read_problem: Any, index: int) -> None:
    """Message and remedy are the detail, places and names are members, and the cause stays inside."""
    error, status, members = RAISED[index]

    response = failing.get(f"/fail/{index}")

    body = read_problem(response, status)
    standard = {"type", "title", "status", "detail"}
    assert body["detail"] == str(error)
    assert {name: body[name] for name in body.keys() - standard} == members
    assert response.headers.get("retry-after") == {503: "10", 429: "7"}.get(status)
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert "Accept" in response.headers["vary"]


def test_an_error_in_a_browser_is_a_page(failing: TestClient, read_page: Any) -> None:
    """A browser gets the same words as a page."""
    response = failing.get("/fail/5", headers=BROWSER)

    page = read_page(response)
    assert response.status_code == 404
    assert page.texts["h1"] == "Not Found"
    assert page.texts["p"].startswith("There is none.")


def test_the_unexpected_is_told_without_details(failing: TestClient, read_problem: Any) -> None:
    """An error that nobody expects is 500 and tells nothing of where it happened."""
    body = read_problem(failing.get("/break"), 500)

    assert body["detail"] == "Something went wrong here; it is not your request."
    assert set(body) == {"type", "title", "status", "detail"}


def test_the_unexpected_in_a_browser_is_a_page(failing: TestClient, read_page: Any) -> None:
    """A browser gets a page for it, as safe as the others."""
    response = failing.get("/break", headers=BROWSER)

    page = read_page(response)
    assert response.status_code == 500
    assert "Something went wrong here" in page.texts["p"]


def test_an_error_does_not_stop_the_service(failing: TestClient) -> None:
    """After an error the next request is answered."""
    failing.get("/break")

    assert failing.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/api", "/static/nothing", "/questions/2/json", "/.env", "/docs"]
)
def test_an_unknown_address_is_not_found(client: TestClient, read_problem: Any, path: str) -> None:
    """An address that is not there says so, and where the others are."""
    assert read_problem(client.get(path), 404)["detail"] == (
        "There is no such page here. The home page lists what there is."
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", {"GET", "HEAD"}),
        ("PUT", "/questions", {"GET", "HEAD"}),
        ("DELETE", "/api/kets", {"GET", "HEAD"}),
        ("PATCH", "/doc/action/x", {"GET", "HEAD"}),
        ("POST", "/questions/shared-actions.json", {"GET", "HEAD"}),
        ("PATCH", "/sparql", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("GET", "/update", {"POST", "OPTIONS"}),
        ("PATCH", "/graphs", {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}),
    ],
)
def test_another_method_names_those_there_are(
    client: TestClient, read_problem: Any, method: str, path: str, allowed: set[str]
) -> None:
    """A 405 names the methods, in Allow and in words."""
    response = client.request(method, path)

    body = read_problem(response, 405)
    assert set(response.headers["allow"].split(", ")) == allowed
    assert body["detail"].startswith(f"{method} is not taken here. Allowed: ")
    assert all(name in body["detail"] for name in allowed)


def test_two_applications_live_in_one_process(
    settings: Settings, engine: EmbeddedEngine, client: TestClient, tmp_path: Path
) -> None:
    """Nothing is global: two applications have settings of their own."""
    del tmp_path
    other = create_app(settings.model_copy(update={"max_query_bytes": 1_000, "public_url": None}), engine)

    with TestClient(other) as second:
        assert second.get("/").json()["links"][0] == "http://127.0.0.1:8000/sparql"
    assert client.get("/").json()["links"][0] == "https://medkg.test/sparql"
