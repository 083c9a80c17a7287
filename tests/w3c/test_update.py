"""The update evaluation tests of the W3C."""

import pytest
from tests.w3c.client import Client, expected_state, read_state
from tests.w3c.evaluation import same_graph
from tests.w3c.manifests import Case, Dataset, Kind, cases, iri
from tests.w3c.terms import difference


@pytest.mark.parametrize("case", cases(Kind.UPDATE))
def test_update(case: Case, client: Client) -> None:
    """An update changes the dataset into the expected one; whether an empty graph exists is not looked at."""
    assert case.action is not None
    assert isinstance(case.expected, Dataset)
    client.load(case.dataset)
    response = client.update(f"BASE <{iri(case.action)}>\n{case.action.read_text(encoding='utf-8')}")
    assert response.is_success, f"{response.status_code} {response.text[:1000]}"
    found, expected = read_state(client), expected_state(case.expected)
    assert found.keys() == expected.keys()
    for graph, triples in expected.items():
        assert same_graph(found[graph], triples), f"{graph}: {difference(triples, found[graph])}"
