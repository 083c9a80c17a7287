"""`/sparql` in a browser: the page to write a query on, and what it shows."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.queries import ASK, BROWSER, CONSTRUCT, SELECT


def test_the_page_to_write_on(client: TestClient, read_page: Any) -> None:
    """Without a query a browser gets a form, an example, and saved questions that run as they are."""
    page = read_page(client.get("/sparql", headers=BROWSER))

    ready = [link for link in page.links if link.startswith("/sparql?query=")]
    assert ("form", "/sparql") in page.loads
    assert "a medkg:Partnership" in page.texts["textarea"]
    assert len(ready) == 3
    for link in ready:
        shown = read_page(client.get(link, headers=BROWSER))
        assert "td" in shown.tags, link
    example = client.get("/sparql", params={"query": page.texts["textarea"]})
    assert example.json()["results"]["bindings"]


@pytest.mark.parametrize(
    ("query", "heading", "shown", "downloads"),
    [
        (SELECT, "Answer: 1 row", "Śląskie", ["json", "xml", "csv", "tsv"]),
        ("SELECT * { ?s a medkg:Nothing }", "Answer: 0 rows", "", ["json", "xml", "csv", "tsv"]),
        (ASK, "Answer: yes", "", ["json", "xml", "csv", "tsv"]),
        ("ASK { ?s a medkg:Nothing }", "Answer: no", "", ["json", "xml", "csv", "tsv"]),
        (CONSTRUCT, "Answer", "nuts:PL22 a medkg:Region .", ["ttl", "nt", "jsonld", "rdfxml"]),
    ],
)
def test_a_browser_sees_the_answer(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    client: TestClient, read_page: Any, query: str, heading: str, shown: str, downloads: list[str]
) -> None:
    """Rows, yes or no, and graphs are shown on the page, with the query, and with downloads that work."""
    response = client.get("/sparql", params={"query": query}, headers=BROWSER)

    page = read_page(response)
    links = [link for link in page.links if "&format=" in link]
    assert page.texts["textarea"] == query
    assert heading in page.texts["h2"]
    assert shown in response.text
    assert [link.rpartition("=")[2] for link in links] == downloads
    assert all(client.get(link, headers=BROWSER).status_code == 200 for link in links)


def test_a_page_shows_the_first_thousand_rows(client: TestClient, read_page: Any) -> None:
    """A longer answer is cut on the page, which says so; the downloads have all of it."""
    query = "SELECT ?s { ?s a medkg:Region } LIMIT 1500"

    response = client.get("/sparql", params={"query": query}, headers=BROWSER)

    assert read_page(response).tags.count("td") == 1000
    assert "Answer: 1500 rows" in response.text
    assert "The first 1000 are shown; the downloads have all." in response.text


def test_an_answer_too_large_for_a_page_is_offered_for_download(client: TestClient, read_page: Any) -> None:
    """An answer of many megabytes is not squeezed into a page."""
    response = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }"}, headers=BROWSER)

    page = read_page(response)
    assert "The answer is too large for a page." in response.text
    assert "td" not in page.tags
    assert any(link.endswith("&format=csv") for link in page.links)


def test_a_mistake_in_a_browser_is_a_page(client: TestClient, read_page: Any) -> None:
    """A browser gets the error as a page, with the place of the mistake."""
    response = client.get("/sparql", params={"query": "SELECT * {"}, headers=BROWSER)

    assert response.status_code == 400
    assert "line 1, column 11" in read_page(response).texts["p"]


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;"


@pytest.mark.parametrize(
    "query",
    [
        f"# {HOSTILE}\nASK {{}}",
        f"SELECT ({json.dumps(HOSTILE)} AS ?x) {{}}",
        f"SELECT (IRI({json.dumps('javascript:alert(1)//' + HOSTILE)}) AS ?x) {{}}",
        f"CONSTRUCT {{ nuts:PL22 rdfs:label {json.dumps(HOSTILE)} }} {{}}",
        "</textarea><script>alert(1)</script>",
    ],
)
def test_hostile_text_stays_text_on_the_page(client: TestClient, read_page: Any, query: str) -> None:
    """Markup in a query or in an answer is shown, never run; no link leads to a script."""
    page = read_page(client.get("/sparql", params={"query": query}, headers=BROWSER))

    assert "img" not in page.tags
    assert all(link.startswith(("/", "#", "https://creativecommons.org/")) for link in page.links)
