"""Pages: the start, the furniture of every page, and what no page may do."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib.term import Literal, URIRef
from starlette.responses import HTMLResponse

from medkg.domain.namespaces import MEDKG, SKOS
from medkg.services.explore import LISTINGS, Item, SourceNote, Statement
from medkg.services.questions import LANGUAGES
from medkg_api.deps import make_pages
from medkg_api.headers import safety

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = [
    "/",
    "/questions",
    "/questions/shared-actions",
    "/sparql",
    "/doc/action/medtech-biomed-observatory",
    "/none",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_loads_nothing_from_elsewhere(
    client: TestClient, read_page: Any, path: str
) -> None:
    """A page is complete HTML with a title and a way home, and what it loads is there, on this service."""
    page = read_page(client.get(path, headers=BROWSER))

    assert "medkg" in page.texts["title"]
    assert {"/", "/questions", "/sparql", "#main"} <= set(page.links)
    assert "main" in page.ids
    for tag, target in page.loads:
        assert client.get(target, headers=BROWSER).status_code == 200, (tag, target)


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_never_framed_and_run_nothing(client: TestClient, path: str) -> None:
    """The policy of every page forbids scripts, frames, foreign styles and foreign forms."""
    policy = client.get(path, headers=BROWSER).headers["content-security-policy"]

    assert policy == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D", "/api/kets", "/questions", "/health/live"])
def test_machine_answers_have_the_safety_headers_too(client: TestClient, path: str) -> None:
    """No answer is sniffed for another type or tells where a reader came from."""
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start_offers_three_questions_that_have_answers(
    client: TestClient, read_page: Any, language: str
) -> None:
    """Three questions in the language of the reader stand on the first page; each is answered with rows."""
    page = read_page(client.get("/", params={"lang": language}, headers=BROWSER))

    ready = [link for link in page.links if link.startswith("/questions/")]
    assert page.language == language
    assert len(ready) == 3
    for link in ready:
        answer = read_page(client.get(link, headers=BROWSER))
        assert answer.language == language
        assert answer.tags.count("td") > 0
        assert client.get(link).json()["count"] > 0


def test_the_start_leads_everywhere(client: TestClient, read_page: Any) -> None:
    """Every link of the first page that stays here is answered."""
    page = read_page(client.get("/", headers=BROWSER))

    here = {link for link in page.links if link.startswith("/")}
    assert {f"/api/{name}" for name in LISTINGS} | {"/openapi.json", "/ontology/context.jsonld"} <= here
    assert {link: client.get(link, headers=BROWSER).status_code for link in here} == dict.fromkeys(here, 200)


def test_the_example_of_the_start_works(client: TestClient, read_page: Any) -> None:
    """The query that the first page shows for curl has an answer, at the public address."""
    page = read_page(client.get("/", headers=BROWSER))
    query = page.texts["code"].partition("query=")[2].partition("'")[0]

    response = client.get("/sparql", params={"query": query}, headers={"accept": "text/csv"})

    assert "https://medkg.test/sparql" in page.texts["code"]
    assert len(response.text.splitlines()) > 20


def test_programs_get_the_start_as_json(client: TestClient) -> None:
    """A program is told name, version and the addresses of everything there is."""
    body = client.get("/", headers={"accept": "application/json"}).json()

    assert (body["name"], body["version"]) == ("medkg", 1)
    assert all(link.startswith("https://medkg.test/") for link in body["links"])
    for link in body["links"]:
        assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/static/medkg.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/logo.svg", "image/svg+xml"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ],
)
def test_small_files_are_served(client: TestClient, path: str, content_type: str) -> None:
    """Style, icon, logo and the word to crawlers have their types."""
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type


def test_the_style_loads_nothing(client: TestClient) -> None:
    """The style sheet asks for no font, image or other sheet."""
    text = client.get("/static/medkg.css").text

    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize(
    "path", ["/static/", "/static/none.css", "/static/%2e%2e/app.py", "/static/..%2fapp.py"]
)
def test_nothing_else_is_served(client: TestClient, read_problem: Any, path: str) -> None:
    """Only the files of the folder are there: no listing, no way out of it."""
    read_problem(client.get(path), 404)


@pytest.mark.parametrize(
    "path", ["/%3Cscript%3Ealert(1)%3C/script%3E", "/api/kets/%3Cscript%3E", "/id/%3Cb%3E"]
)
def test_hostile_addresses_are_shown_as_text(client: TestClient, read_page: Any, path: str) -> None:
    """Markup in an address is never markup on the page of its error."""
    assert "b" not in read_page(client.get(path, headers=BROWSER)).tags


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;{{7*7}}"


@pytest.mark.parametrize(
    "iri", ["javascript:alert(1)", "data:text/html,x", 'https://w3id.org/medkg/id/x"><b>', "//x"]
)
def test_hostile_facts_are_shown_as_text(read_page: Any, iri: str) -> None:
    """Names, values, sources and IRIs with markup in them are text; no link leads to a script."""
    graph = URIRef("https://w3id.org/medkg/graph/source/x")
    said = [
        Statement(SKOS.prefLabel, Literal(HOSTILE, lang="en"), HOSTILE, (graph,)),
        Statement(SKOS.related, URIRef(iri), HOSTILE, (graph,)),
        Statement(URIRef(iri), URIRef(iri), iri, (graph,)),
    ]
    item = Item(URIRef(iri), HOSTILE, (MEDKG.Region,), said, {graph: SourceNote(HOSTILE, ())})

    text = make_pages().get_template("entity.html").render(item=item, language="en")

    response = HTMLResponse(text, headers=dict(safety("text/html")))
    page = read_page(SimpleNamespace(text=text, headers=response.headers))
    assert not {"img", "b"} & set(page.tags)
    assert page.texts["h1"] == HOSTILE
    assert all(link.startswith(("/", "#", "https://creativecommons.org/")) for link in page.links)
