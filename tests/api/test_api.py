"""`/api/...`: lists and items as JSON-LD, with filters and pages."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib.term import URIRef

from medkg.services.explore import LISTINGS
from medkg.services.names import Names
from medkg_api.routes import api

CONTEXT = "https://medkg.test/ontology/context.jsonld"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def get(client: TestClient, path: str, **parameters: str | int) -> dict[str, Any]:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/ld+json"
    found: dict[str, Any] = response.json()
    return found


def links(header: str) -> dict[str, str]:
    """Read a Link header (RFC 8288)."""
    parts = (part.strip().partition(">; rel=") for part in header.split(","))
    return {relation.strip('"'): target.removeprefix("<") for target, _, relation in parts}


@pytest.mark.parametrize("name", LISTINGS)
def test_every_list_answers(client: TestClient, name: str) -> None:
    """A list says where it stands, and gives items with identifier, type, label and sources."""
    found = get(client, f"/api/{name}", size=3)

    assert found["@context"] == CONTEXT
    assert (found["page"], found["size"]) == (1, 3)
    assert found["pages"] == -(-found["total"] // 3)
    assert len(found["items"]) == min(3, found["total"])
    for item in found["items"]:
        assert item["id"].startswith(("https://w3id.org/medkg/", "http://data.europa.eu/nuts/code/"))
        assert item["type"]
        assert item["label"]
        assert item["sources"]
        assert set(item["said_by"]) == set(item) - {"id", "label", "sources", "said_by"}
        assert "@context" not in item


@pytest.mark.parametrize(
    ("path", "total", "first"),
    [
        ("/api/regions?q=%C5%9Bl%C4%85skie", 2, "http://data.europa.eu/nuts/code/PL22"),
        ("/api/regions?within=PL2&level=2", 2, "http://data.europa.eu/nuts/code/PL21"),
        ("/api/clusters?q=medsilesia&region=Poland", 1, "https://w3id.org/medkg/id/organisation/medsilesia"),
        ("/api/kets?scheme=ket-2009", 5, "https://w3id.org/medkg/vocab/ket-2009/advanced-materials"),
        ("/api/actions?region=Veneto", 2, "https://w3id.org/medkg/id/action/medsilesia-competence-centre"),
        (
            "/api/actions?running=2023-03&q=observatory",
            1,
            "https://w3id.org/medkg/id/action/medtech-biomed-observatory",
        ),
        ("/api/actions?running=2019-01", 0, None),
        ("/api/actions?ket=ket-2012/photonics", 0, None),
    ],
)
def test_filters_of_the_address_are_used(
    client: TestClient, path: str, total: int, first: str | None
) -> None:
    """A filter is a parameter of the address; several are all met."""
    found = client.get(path).json()

    assert found["total"] == total
    assert (found["items"][0]["id"] if found["items"] else None) == first


@pytest.mark.parametrize(
    ("parameters", "name", "detail"),
    [
        (
            {"colour": "red"},
            "colour",
            "The list of regions has no filter 'colour'. It takes: q, level, within, page,",
        ),
        ({"format": "csv"}, "format", "The list of regions has no filter 'format'."),
        ({"level": "high"}, "level", "'high' is no value for level. Give: NUTS level, 0 to 3."),
        ({"within": "Limburg"}, "within", "'Limburg' may mean Limburg (Belgium) (BE22) or Limburg"),
        ({"within": "Silesja"}, "within", "No region is called 'Silesja'. Did you mean Silesia (PL22)"),
        ({"lang": "de"}, "lang", "'de' is no language of this service. Use one of: en, fr, it, pl."),
        ({"page": "0"}, "page", "The parameter page has a value that can't be used: "),
        ({"page": "-1"}, "page", "The parameter page has a value that can't be used: "),
        ({"page": "two"}, "page", "The parameter page has a value that can't be used: "),
        ({"page": "1000001"}, "page", "The parameter page has a value that can't be used: "),
        ({"page": "1.5"}, "page", "The parameter page has a value that can't be used: "),
        ({"size": "0"}, "size", "The parameter size has a value that can't be used: "),
        ({"size": "501"}, "size", "The parameter size has a value that can't be used: "),
        ({"size": ""}, "size", "The parameter size has a value that can't be used: "),
    ],
)
def test_a_bad_parameter_is_named(
    client: TestClient, read_problem: Any, parameters: dict[str, str], name: str, detail: str
) -> None:
    """A parameter that is unknown, or has a value that can't be used, is named in the answer."""
    body = read_problem(client.get("/api/regions", params=parameters), 400)

    assert body["name"] == name
    assert body["detail"].startswith(detail)


def test_pages_are_linked(client: TestClient) -> None:
    """Link and the body name the first, previous, next and last page, with the filters kept."""
    path = "/api/regions"
    total = get(client, path, q="or")["total"]
    last = -(-total // 7)

    found = {
        number: client.get(path, params={"q": "or", "size": 7, "page": number}) for number in (1, 2, last)
    }

    related = {number: links(response.headers["link"]) for number, response in found.items()}
    assert last > 3
    assert set(related[1]) == {"first", "next", "last"}
    assert set(related[2]) == {"first", "prev", "next", "last"}
    assert set(related[last]) == {"first", "prev", "last"}
    assert related[2]["prev"] == f"https://medkg.test{path}?q=or&size=7&page=1"
    assert all(related[number] == response.json()["links"] for number, response in found.items())
    assert len(found[last].json()["items"]) == total - 7 * (last - 1)


def test_following_next_visits_everything_once(client: TestClient) -> None:
    """Whoever follows the links sees each item once."""
    seen: list[str] = []
    address: str | None = "https://medkg.test/api/organisations?size=40"
    while address:
        response = client.get(address)
        seen += [item["id"] for item in response.json()["items"]]
        address = links(response.headers["link"]).get("next")

    assert len(seen) == len(set(seen)) == get(client, "/api/organisations", size=1)["total"]


def test_a_page_behind_the_last_is_empty(client: TestClient) -> None:
    """A page that is not there has no items, and leads back to those that are."""
    found = get(client, "/api/clusters", page=999)

    assert found["items"] == []
    assert set(found["links"]) == {"first", "last"}


@pytest.mark.parametrize(
    ("parameters", "header", "label"),
    [
        ({}, "", "Silesia"),
        ({"lang": "pl"}, "", "Śląskie"),
        ({"lang": "pl"}, "fr", "Śląskie"),
        ({}, "fr", "Silésie"),
        ({}, "it-CH", "Slesia"),
        ({}, "de, pl;q=0.3, fr;q=0.8", "Silésie"),
        ({}, "de", "Silesia"),
        ({}, "pl;q=0, fr;q=0.1", "Silésie"),
        ({}, "*", "Silesia"),
        ({}, "pl;q=high, fr;q=0.1", "Silésie"),
        ({}, ";;,q=,\t", "Silesia"),
    ],
)
def test_labels_come_in_the_language_of_the_client(
    client: TestClient, parameters: dict[str, str], header: str, label: str
) -> None:
    """The parameter lang decides, then Accept-Language by quality, then English."""
    response = client.get("/api/regions/PL22", params=parameters, headers={"accept-language": header})

    assert response.json()["label"] == label
    assert "Accept-Language" in response.headers["vary"]


def test_a_label_falls_back_to_a_language_there_is(client: TestClient) -> None:
    """An entity without a name in the language is called by another one."""
    assert get(client, "/api/regions/PL2", lang="fr")["label"] == "Makroregion południowy"


@pytest.mark.parametrize(
    ("path", "iri"),
    [
        ("/api/regions/PL22", "http://data.europa.eu/nuts/code/PL22"),
        ("/api/regions/pl22", "http://data.europa.eu/nuts/code/PL22"),
        ("/api/regions/Śląskie", "http://data.europa.eu/nuts/code/PL22"),
        ("/api/regions/http://data.europa.eu/nuts/code/PL22", "http://data.europa.eu/nuts/code/PL22"),
        ("/api/regions/PT18", "http://data.europa.eu/nuts/code/PT18"),
        (
            "/api/actions/medtech-biomed-observatory",
            "https://w3id.org/medkg/id/action/medtech-biomed-observatory",
        ),
        (
            "/api/actions/action/medtech-biomed-observatory",
            "https://w3id.org/medkg/id/action/medtech-biomed-observatory",
        ),
        ("/api/clusters/MedSilesia", "https://w3id.org/medkg/id/organisation/medsilesia"),
        ("/api/kets/ket-2012/photonics", "https://w3id.org/medkg/vocab/ket-2012/photonics"),
        ("/api/platforms/S3P-Industry", "https://w3id.org/medkg/id/platform/s3p-industry"),
        ("/api/partnerships/medtech", "https://w3id.org/medkg/id/partnership/medtech"),
    ],
)
def test_an_item_is_found_by_what_it_is_called(client: TestClient, path: str, iri: str) -> None:
    """Code, slug, type and slug, IRI and name all lead to the item."""
    found = get(client, path)

    assert found["id"] == iri
    assert found["@context"] == CONTEXT


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/api/regions/Silesja", "No region is called 'Silesja'. Did you mean Silesia (PL22)"),
        (
            "/api/regions/Limburg",
            "'Limburg' may mean Limburg (Belgium) (BE22) or Limburg (Netherlands) (NL42).",
        ),
        ("/api/regions/medsilesia", "No region is called 'medsilesia'."),
        ("/api/clusters/nobody-at-all", "No cluster is called 'nobody-at-all'."),
        ("/api/kets/%3Cscript%3E", "No KET is called '<script>'."),
        ("/api/regions/%00", "No region is called"),
        ("/api/regions/..%2F..%2Fetc%2Fpasswd", "No region is called '../../etc/passwd'."),
        ("/api/weather", "There is no such page here."),
    ],
)
def test_an_unknown_item_is_not_found(client: TestClient, read_problem: Any, path: str, detail: str) -> None:
    """What nothing is called is 404, with names that are much like it."""
    assert read_problem(client.get(path), 404)["detail"].startswith(detail)


@pytest.mark.parametrize("name", LISTINGS)
def test_every_item_leads_to_itself(client: TestClient, names: Names, name: str) -> None:
    """The identifier of an item finds the same item in its list."""
    for item in get(client, f"/api/{name}", size=5)["items"]:
        assert names.entity(item["id"], LISTINGS[name].class_) == URIRef(item["id"])
        alone = get(client, f"/api/{name}/{item['id']}")
        assert alone == {"@context": CONTEXT, **item}


def test_the_list_of_an_empty_key_is_the_list(client: TestClient) -> None:
    """A slash too many leads to the list."""
    response = client.get("/api/clusters/?q=medsilesia")

    assert response.status_code in {307, 308}
    assert response.headers["location"].endswith("/api/clusters?q=medsilesia")


def test_browsers_get_the_same_json(client: TestClient) -> None:
    """A list has one form: a browser shows it as it is."""
    assert client.get("/api/platforms", headers=BROWSER).headers["content-type"] == "application/ld+json"


def test_openapi_describes_every_list(client: TestClient) -> None:
    """The OpenAPI document names each list with its filters and pages, and no operation twice."""
    response = client.get("/openapi.json")
    document = response.json()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]

    assert response.headers["content-type"] == "application/json"
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "medkg"
    identifiers = [operation["operationId"] for _, _, operation in operations]
    assert len(identifiers) == len(set(identifiers))
    protocols = {
        "/sparql": {"get", "post"},
        "/update": {"post"},
        "/graphs": {"get", "put", "post", "delete"},
        "/validate": {"post"},
    }
    for path, methods in document["paths"].items():
        assert set(methods) == protocols.get(path, {"get"}), path
    for name, listing in LISTINGS.items():
        described = document["paths"][f"/api/{name}"]["get"]["parameters"]
        given = {parameter["name"]: parameter for parameter in described}
        assert {"page", "size", *listing.filters} <= set(given)
        for filter_, entry in listing.filters.items():
            assert given[filter_]["description"] == entry.meaning
        assert f"/api/{name}/{{key}}" in document["paths"]
    for path, _, operation in operations:
        in_path = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert in_path == {
            part.strip("{}") for part in path.replace(".", "/").split("/") if part.startswith("{")
        }
        assert operation["responses"]
    references = [text for text in response.text.split('"') if text.startswith("#/components/schemas/")]
    schemas = document["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)


def test_reserved_parameters_are_no_filters() -> None:
    """What every list takes besides its filters has a name of its own."""
    assert not any(api._RESERVED & set(listing.filters) for listing in LISTINGS.values())
