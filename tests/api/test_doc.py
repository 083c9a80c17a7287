"""`/id` and `/doc`: every name of ours answers, in the form that the client wants."""

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.namespace import RDF
from rdflib.term import Literal, URIRef

from medkg.domain.namespaces import ID, MEDKG, NUTS, SKOS
from medkg.store.embedded import EmbeddedEngine

ACTION = ID["action/medtech-biomed-observatory"]
PATH = "/doc/action/medtech-biomed-observatory"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FORMS = {
    "ttl": "text/turtle; charset=utf-8",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
}


@pytest.mark.parametrize("suffix", ["", ".ttl", ".html"])
def test_a_name_leads_to_its_document(client: TestClient, suffix: str) -> None:
    """A thing is not a document: its name answers 303 with the document about it (Cool URIs)."""
    response = client.get(f"/id/action/medtech-biomed-observatory{suffix}")

    assert (response.status_code, response.headers["location"]) == (303, PATH + suffix)
    assert client.get(response.headers["location"]).status_code == 200


@pytest.mark.parametrize("path", ["/id/a/%0d%0aX-Bad:%20yes", "/id/%2f%2fevil.example/x", "/id/..%2f..%2f/x"])
def test_no_name_leads_elsewhere(client: TestClient, path: str) -> None:
    """Whatever stands in a name, the redirection stays on this service and adds no header."""
    response = client.get(path)

    assert response.headers.get("location", "/doc/").startswith("/doc/")
    assert "x-bad" not in response.headers


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", FORMS["ttl"]),
        ("*/*", FORMS["ttl"]),
        ("text/turtle", FORMS["ttl"]),
        ("application/n-triples", FORMS["nt"]),
        ("application/ld+json", FORMS["jsonld"]),
        ("application/json", FORMS["jsonld"]),
        ("application/rdf+xml", FORMS["rdf"]),
        ("application/rdf+xml;q=0.5, application/n-triples;q=0.9", FORMS["nt"]),
        ("text/html", "text/html; charset=utf-8"),
        (BROWSER["accept"], "text/html; charset=utf-8"),
        ("text/turtle, text/html;q=0.1", FORMS["ttl"]),
    ],
)
def test_the_client_chooses_the_form(client: TestClient, accept: str, content_type: str) -> None:
    """Accept chooses among RDF forms and a page."""
    response = client.get(PATH, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert {"Accept", "Accept-Language"} <= set(response.headers["vary"].split(", "))


@pytest.mark.parametrize(("suffix", "content_type"), [*FORMS.items(), ("html", "text/html; charset=utf-8")])
def test_a_suffix_goes_before_accept(client: TestClient, suffix: str, content_type: str) -> None:
    """An address with a suffix has one form, for every client."""
    for accept in ("text/html", "application/rdf+xml", "image/png"):
        response = client.get(f"{PATH}.{suffix}", headers={"accept": accept})
        assert response.headers["content-type"] == content_type


def test_all_forms_say_the_same(client: TestClient, read_triples: Any, engine: EmbeddedEngine) -> None:
    """All RDF forms hold the same triples: what is said, what follows, and names."""
    found = {form: read_triples(client.get(f"{PATH}.{form}")) for form in ("ttl", "nt", "rdf", "jsonld")}

    said = {quad[:3] for quad in engine.quads(ACTION)}
    assert said <= found["ttl"]
    assert found["ttl"] == found["nt"] == found["rdf"] == found["jsonld"]
    assert (NUTS.PL22, SKOS.prefLabel, Literal("Śląskie", lang="pl")) in found["ttl"]


@pytest.mark.parametrize(
    "iri",
    [
        str(NUTS.PL22),
        str(ACTION),
        str(MEDKG.Region),
        "https://w3id.org/medkg/graph/nuts",
        "https://w3id.org/medkg/vocab/ket-2012/photonics",
        "http://data.europa.eu/nuts/scheme/2024",
    ],
)
@pytest.mark.parametrize("name", ["ttl", "nt", "rdfxml", "jsonld"])
def test_any_iri_that_we_describe_has_a_document(
    client: TestClient, read_triples: Any, iri: str, name: str
) -> None:
    """Regions, terms, graphs and concepts are described under /doc?iri=, in each form."""
    response = client.get("/doc", params={"iri": iri, "format": name})

    assert response.status_code == 200
    assert URIRef(iri) in {subject for subject, _, _ in read_triples(response)}
    assert response.headers["x-medkg-version"] == "1"


def test_the_page_of_an_entity(client: TestClient, read_page: Any) -> None:
    """The page has the name, the class, each statement with who says it, and the other forms as links."""
    response = client.get(PATH, headers=BROWSER)

    page = read_page(response)
    assert page.texts["h1"] == (
        "Powering the transnational medtech-biomed observatory as trend watch and collaboration platform"
    )
    assert "Thematic Industrial Innovation Roadmap for Health Sector" in response.text
    assert "follows from the ontology" in response.text
    assert "2021-10" in response.text
    assert f"/doc?iri={quote(str(NUTS.PL22), safe='')}" in page.links
    others = [link for link in page.links if "&format=" in link]
    assert len(others) == 4
    assert all(client.get(link).status_code == 200 for link in others)


def test_links_of_a_page_lead_somewhere(client: TestClient, read_page: Any) -> None:
    """What a page links to on this service is there, unless it is a thing that nobody describes."""
    page = read_page(client.get(PATH, headers=BROWSER))

    found = {
        link: client.get(link, headers=BROWSER).status_code for link in set(page.links) if link[0] == "/"
    }

    assert set(found.values()) <= {200, 404}
    assert not [link for link, status in found.items() if status == 404 and not link.startswith("/doc?iri=")]


@pytest.mark.parametrize("language", ["en", "fr", "it", "pl"])
def test_a_page_speaks_the_language(client: TestClient, read_page: Any, language: str) -> None:
    """The name on the page of a region is in the language of the reader."""
    names = {"en": "Silesia", "fr": "Silésie", "it": "Slesia", "pl": "Śląskie"}

    page = read_page(
        client.get("/doc", params={"iri": str(NUTS.PL22)}, headers={**BROWSER, "accept-language": language})
    )

    assert page.texts["h1"] == names[language]
    assert page.language == language


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/doc/action/nobody", 404, "Nothing is known here of https://w3id.org/medkg/id/action/nobody."),
        ("/doc/action/nobody.ttl", 404, "Nothing is known here of https://w3id.org/medkg/id/action/nobody."),
        ("/doc/nothing/medtech-biomed-observatory", 404, "Nothing is known here of"),
        ("/doc/action/a%20b", 404, "Nothing is known here of"),
        ("/doc/action/%3E%3Cscript%3E", 404, "Nothing is known here of"),
        ("/doc/action/%00", 404, "Nothing is known here of"),
        ("/doc/action/%FF", 404, "Nothing is known here of"),
        ("/doc/action", 404, "There is no such page here."),
        ("/doc/a/b/c", 404, "There is no such page here."),
        ("/doc", 400, "The parameter iri has a value that can't be used: "),
        ("/doc?iri=https://example.org/x", 404, "Nothing is known here of https://example.org/x."),
        ("/doc?iri=", 400, "'' is not an IRI. Give an absolute IRI, percent-encoded."),
        ("/doc?iri=relative", 400, "'relative' is not an IRI."),
        ("/doc?iri=%3Cscript%3Ealert(1)%3C/script%3E", 400, "'<script>alert(1)</script>' is not an IRI."),
        ("/doc?iri=http://x/a%20b", 400, "'http://x/a b' is not an IRI."),
        ("/doc?iri=http://x/%0A", 400, "'http://x/\\n' is not an IRI."),
        ("/doc?iri=http://x/%00", 400, "'http://x/\\x00' is not an IRI."),
        ("/doc?iri=javascript:alert(1)", 404, "Nothing is known here of javascript:alert(1)."),
        ("/doc?iri=http://x/%25zz", 404, "Nothing is known here of http://x/%zz."),
        (f"{PATH}?lang=de", 400, "'de' is no language of this service."),
        (f"{PATH}?format=pdf", 406, "There is no format 'pdf' here. Ask for one of: ttl (text/turtle), nt"),
    ],
)
def test_what_is_not_there_is_said(
    client: TestClient, read_problem: Any, path: str, status: int, detail: str
) -> None:
    """An unknown thing is 404, a text that is no IRI 400, and never an error of ours."""
    assert read_problem(client.get(path), status)["detail"].startswith(detail)


def test_no_form_fits(client: TestClient, read_problem: Any) -> None:
    """A client that takes none of the forms is told which there are."""
    body = read_problem(client.get(PATH, headers={"accept": "image/png"}), 406)

    assert body["detail"] == (
        "Nothing here fits Accept: image/png. Ask for one of: ttl (text/turtle), nt (application/n-triples), "
        "jsonld (application/ld+json), rdfxml (application/rdf+xml)."
    )


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=40), st.text(max_size=40).map("http://".__add__)))
def test_any_text_as_an_iri_is_answered(client: TestClient, text: str) -> None:
    """Whatever is asked for is described, unknown or no IRI; a page of the error holds it as text."""
    iri = text.encode("utf-8", "replace").decode("utf-8")

    response = client.get("/doc", params={"iri": iri}, headers=BROWSER)

    assert response.status_code in {400, 404}
    assert client.get(f"/doc/action/{quote(iri, safe='')}").status_code in {307, 404}


def test_the_document_of_a_name_is_cached_by_version(client: TestClient) -> None:
    """A client that has the document of this version gets 304 without it."""
    first = client.get(f"{PATH}.ttl")

    again = client.get(f"{PATH}.ttl", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(f"{PATH}.nt", headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("path", ["/id/action/medtech-biomed-observatory", PATH, f"{PATH}.ttl"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    """HEAD has the status and the headers of GET."""
    got, head = client.get(path), client.head(path)

    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "etag", "location", "vary"):
        assert head.headers.get(name) == got.headers.get(name)


def test_the_page_of_a_class_names_it(client: TestClient, read_triples: Any) -> None:
    """A term of the ontology is described like any entity: with its type and labels."""
    response = client.get("/doc", params={"iri": str(MEDKG.Region), "format": "nt"})

    found = read_triples(response)

    assert (MEDKG.Region, RDF.type, URIRef("http://www.w3.org/2002/07/owl#Class")) in found
