"""The tests of the result formats of the W3C: CSV, TSV and JSON."""

import pytest
from tests.w3c.client import Client
from tests.w3c.evaluation import check_query
from tests.w3c.manifests import Case, Kind, cases


@pytest.mark.parametrize("case", cases(Kind.FORMAT))
def test_format(case: Case, client: Client) -> None:
    """Solutions are written as the format demands."""
    check_query(case, client)
