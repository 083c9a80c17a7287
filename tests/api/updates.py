"""What the tests of `/update` share: names, texts, and ways to send and to ask."""

from typing import Any

from fastapi.testclient import TestClient

GRAPH = "https://w3id.org/medkg/graph/"
MANUAL = GRAPH + "manual/"
DIRECT = {"content-type": "application/sparql-update"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
UNCHECKED = {"unchecked": "true"}


def insert(graph: str, triples: str = "<urn:a> <urn:b> 1") -> str:
    return f"INSERT DATA {{ GRAPH <{graph}> {{ {triples} }} }}"


def version(client: TestClient) -> int:
    return int(client.app.state.context.endpoint.version)  # type: ignore[attr-defined]


def ask(client: TestClient, pattern: str) -> bool:
    answer = client.get("/sparql", params={"query": f"ASK {{ {pattern} }}"})
    return bool(answer.json()["boolean"])


def post(client: TestClient, text: str, headers: dict[str, str], **params: Any) -> Any:
    return client.post(
        "/update", params=params or UNCHECKED, content=text.encode(), headers={**headers, **DIRECT}
    )
