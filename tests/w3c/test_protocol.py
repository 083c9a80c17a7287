"""The tests of the SPARQL 1.1 Protocol of the W3C."""

import pytest
from tests.w3c.client import Client
from tests.w3c.exchanges import exchange
from tests.w3c.manifests import Case, Exchange, Kind, cases

_PATH = "/sparql/"


@pytest.mark.parametrize("case", cases(Kind.PROTOCOL))
def test_protocol(case: Case, client: Client) -> None:
    """Each request, sent as the manifest describes it, has the expected status, format and truth value."""
    client.load(case.dataset)
    values: dict[str, str] = {}
    for asked in case.exchanges:
        client.forget()
        assert asked.path.startswith(_PATH)
        endpoint = client.service.update if _is_update(case, asked) else client.service.query
        exchange(client, asked, endpoint + asked.path.removeprefix(_PATH), values)


def _is_update(case: Case, asked: Exchange) -> bool:
    """Tell where a request goes: the manifest has one address, the service one for each operation."""
    asks = ("content-type", "application/sparql-query") in asked.headers
    return not asks and case.name.startswith(("update", "bad_update", "bad_multiple_updates"))
