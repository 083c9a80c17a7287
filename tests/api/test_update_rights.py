"""`/update`: who may write what, what is validated, and what is put on record."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.updates import GRAPH, MANUAL, ask, insert, post, version

from medkg.domain.model import Author, Role
from medkg.services import tokens
from medkg.state import audit


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
