"""`/metrics`: what it counts, in which form, and for whom."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from medkg.domain.model import Author, Role
from medkg.services import tokens

QUERY = {"query": "ASK {}"}
LOCAL = ("127.0.0.1", 50_000)


@pytest.fixture(scope="module")
def service(start: object) -> Iterator[TestClient]:
    """A client of a service whose counters are this module's alone."""
    with start() as client:  # type: ignore[operator]
        yield client


@pytest.fixture
def local(service: TestClient) -> TestClient:
    """A client on the machine of the service; the service is started by the other."""
    return TestClient(service.app, base_url="https://medkg.test", client=LOCAL)


def counted(client: TestClient, admin: dict[str, str]) -> dict[tuple[str, ...], float]:
    """Return the values of the metrics by name and labels."""
    response = client.get("/metrics", headers=admin)
    assert response.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_class_and_status(service: TestClient, admin: dict[str, str]) -> None:
    """Each answer counts once, in the class of its address, with its status."""
    before = counted(service, admin)
    service.get("/sparql", params=QUERY)
    service.get("/sparql", params={"query": "ASK {"})
    service.post("/update")
    service.get("/graphs", params={"graph": "urn:none"})
    service.get("/health/live")

    after = counted(service, admin)

    new = {name: value - before.get(name, 0) for name, value in after.items()}
    assert new["medkg_requests_total", "sparql", "200"] == 1
    assert new["medkg_requests_total", "sparql", "400"] == 1
    assert new["medkg_requests_total", "update", "401"] == 1
    assert new["medkg_requests_total", "graphs", "404"] == 1
    assert new["medkg_requests_total", "pages", "200"] == 2  # the metrics themselves are one
    assert new["medkg_request_seconds_count", "sparql"] == 2
    assert new["medkg_request_seconds_bucket", "sparql", "+Inf"] == 2
    assert new["medkg_request_seconds_sum", "sparql"] > 0


def test_the_engine_is_measured(service: TestClient, admin: dict[str, str]) -> None:
    """What the engine says of itself is there, as gauges with one value each."""
    service.get("/sparql", params=QUERY)
    service.get("/sparql", params=QUERY)

    found = counted(service, admin)

    endpoint = service.app.state.context.endpoint  # type: ignore[attr-defined]
    assert {name[0] for name in found} >= {f"medkg_{name}" for name in endpoint.status()}
    assert found["medkg_version",] == 1
    assert found["medkg_cache_hits",] >= 1
    assert found["medkg_triples",] > 3_000
    assert found["medkg_readers_idle",] + found["medkg_readers_starting",] >= 1


def test_the_form_is_that_of_prometheus(service: TestClient, admin: dict[str, str]) -> None:
    """The media type says so, each metric is explained, and nobody keeps the answer."""
    response = service.get("/metrics", headers=admin)

    families = list(text_string_to_metric_families(response.text))
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert response.headers["cache-control"] == "no-store"
    assert all(family.documentation for family in families)
    assert len(families) == len({family.name for family in families})
    assert service.head("/metrics", headers=admin).content == b""


def test_this_machine_may_read_them(local: TestClient) -> None:
    """A request from the loopback needs no token."""
    assert local.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_a_proxied_request_is_not_local(local: TestClient, read_problem: object, name: str) -> None:
    """What came through a proxy on this machine came from anywhere."""
    response = local.get("/metrics", headers={name: "127.0.0.1"})

    read_problem(response, 401)  # type: ignore[operator]
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "not-an-address"])
def test_others_need_a_token(service: TestClient, read_problem: object, address: str) -> None:
    """Any other address is refused without one."""
    other = TestClient(service.app, base_url="https://medkg.test", client=(address, 1))

    read_problem(other.get("/metrics"), 401)  # type: ignore[operator]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_the_loopback_is_more_than_one_address(service: TestClient, address: str) -> None:
    """All addresses of the loopback are this machine."""
    other = TestClient(service.app, base_url="https://medkg.test", client=(address, 1))

    assert other.get("/metrics").status_code == 200


def test_only_an_administrators_token_counts(service: TestClient, read_problem: object) -> None:
    """A steward's token is known, and not enough; a wrong one is not known."""
    database = service.app.state.context.database()  # type: ignore[attr-defined]
    _, secret = tokens.create(database, Author("test", Role.ADMIN), "steward-of-metrics", Role.STEWARD)

    for value, status in ((f"Bearer {secret}", 403), ("Bearer nonsense", 401), ("Basic eDp5", 401)):
        read_problem(service.get("/metrics", headers={"authorization": value}), status)  # type: ignore[operator]
