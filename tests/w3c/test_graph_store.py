"""The tests of the SPARQL 1.1 Graph Store HTTP Protocol of the W3C."""

import pytest
from tests.w3c.client import Client
from tests.w3c.exchanges import exchange
from tests.w3c.manifests import Case, Dataset, Kind, cases

_PATH = "/gsp"


@pytest.mark.parametrize("case", cases(Kind.GRAPH_STORE))
def test_graph_store(case: Case, client: Client) -> None:
    """Each request, sent to an empty store as the manifest describes it, has the expected answer."""
    client.load(Dataset())
    values: dict[str, str] = {}
    for asked in case.exchanges:
        client.forget()
        assert asked.path.startswith(_PATH)
        exchange(client, asked, client.service.graphs + asked.path.removeprefix(_PATH), values)
