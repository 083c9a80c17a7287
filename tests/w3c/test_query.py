"""The query evaluation tests of the W3C."""

import pytest
from tests.w3c.client import Client
from tests.w3c.evaluation import check_query
from tests.w3c.manifests import Case, Kind, cases


@pytest.mark.parametrize("case", cases(Kind.QUERY))
def test_query(case: Case, client: Client) -> None:
    """A query gives the expected solutions, truth value or graph, in the format of the expected answer."""
    check_query(case, client)
