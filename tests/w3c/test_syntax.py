"""The syntax tests of the W3C, queries and updates."""

import httpx2
import pytest
from tests.w3c.answers import JSON
from tests.w3c.client import Client
from tests.w3c.known import NOT_EXECUTABLE
from tests.w3c.manifests import Case, Dataset, Kind, cases


@pytest.mark.parametrize("case", cases(Kind.SYNTAX))
def test_syntax(case: Case, client: Client) -> None:
    """What is no SPARQL is refused as the client's mistake (400); what is SPARQL is evaluated.

    The text goes out as it stands and is evaluated on an empty dataset; the few that can't be evaluated there
    fail in another way than those that are no SPARQL.
    """
    assert case.action is not None
    text = case.action.read_text(encoding="utf-8")
    client.load(Dataset())
    if case.action.suffix == ".ru":
        response = client.update(text)
    else:
        response = client.query(text, f"{JSON}, text/turtle")
    said = f"{response.status_code} {response.text[:1000]}\n{text}"
    if case.negative:
        assert response.status_code == httpx2.codes.BAD_REQUEST, said
    elif case.id in NOT_EXECUTABLE:
        assert response.status_code != httpx2.codes.BAD_REQUEST, said
    else:
        assert response.is_success, said
