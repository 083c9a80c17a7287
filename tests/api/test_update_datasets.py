"""`/update`: what WHERE reads."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.updates import GRAPH, MANUAL, UNCHECKED, ask, post


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
