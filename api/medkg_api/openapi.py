"""What the OpenAPI document says of the protocol addresses, which the web framework does not know."""

from typing import Any, Final

from medkg.store.formats import DATASET_FORMATS, DOCUMENTS, GRAPH_FORMATS, RESULT_FORMATS

__all__ = ["protocols"]

_PROBLEM: Final = {
    "description": "What is wrong, where, and what to do",
    "content": {"application/problem+json": {}},
}
_TEXT: Final = {"schema": {"type": "string"}}
_COMMIT: Final = {
    "description": "The version that holds the write, and the graphs it changed",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["version", "changed"],
                "properties": {
                    "version": {"type": "integer"},
                    "changed": {"type": "array", "items": {"type": "string"}},
                },
            }
        }
    },
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string"},
    "description": "Sent again with the same key, a write is not done twice.",
}
_UNCHECKED: Final = {
    "name": "unchecked",
    "in": "query",
    "schema": {"type": "boolean"},
    "description": "Without validation, any graph; for administrators.",
}


def protocols() -> dict[str, Any]:
    """Return the path items of the protocol addresses."""
    return {"/sparql": _sparql(), "/update": _update(), "/graphs": _graphs()}


def _parameter(name: str, description: str, *, many: bool = False) -> dict[str, Any]:
    kind = {"type": "array", "items": {"type": "string"}} if many else {"type": "string"}
    return {"name": name, "in": "query", "schema": kind, "description": description}


def _answer(description: str, formats: tuple[Any, ...]) -> dict[str, Any]:
    return {"description": description, "content": {entry.media_types[0]: {} for entry in formats}}


def _operation(summary: str, name: str, ok: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": name,
        "tags": ["SPARQL"],
        "responses": {"200": ok, "default": _PROBLEM},
        **more,
    }


def _body(*media_types: str) -> dict[str, Any]:
    return {"required": True, "content": dict.fromkeys(media_types, _TEXT)}


def _sparql() -> dict[str, Any]:
    shared = [
        _parameter("default-graph-uri", "A graph of the default graph; several are merged.", many=True),
        _parameter("named-graph-uri", "A graph that GRAPH sees.", many=True),
        _parameter("format", "Name of a format; wins over Accept."),
        _parameter("labels", "Languages of label columns, separated by commas."),
    ]
    query = _parameter("query", "The SPARQL query; without one, the service description.")
    ok = _answer("Solutions, a boolean or a graph", RESULT_FORMATS + GRAPH_FORMATS)
    body = _body("application/sparql-query", "application/x-www-form-urlencoded")
    return {
        "get": _operation("Ask a SPARQL query", "sparql_get", ok, parameters=[query, *shared]),
        "post": _operation("Ask a SPARQL query", "sparql_post", ok, parameters=shared, requestBody=body),
    }


def _update() -> dict[str, Any]:
    parameters = [
        _parameter("using-graph-uri", "A graph of the default graph of WHERE.", many=True),
        _parameter("using-named-graph-uri", "A graph that GRAPH sees in WHERE.", many=True),
        _UNCHECKED,
        _KEY,
    ]
    body = _body("application/sparql-update", "application/x-www-form-urlencoded")
    operation = _operation(
        "Carry out a SPARQL update in one transaction",
        "update_post",
        _COMMIT,
        parameters=parameters,
        requestBody=body,
    )
    return {"post": {**operation, "security": [{"bearer": []}]}}


def _graphs() -> dict[str, Any]:
    graph = [_parameter("graph", "The IRI of the graph."), _parameter("default", "The default graph.")]
    writing: dict[str, Any] = {"parameters": [*graph, _UNCHECKED, _KEY], "security": [{"bearer": []}]}
    body = {"requestBody": _body(*DOCUMENTS, "multipart/form-data")}
    ok = _answer("The graph, or all of them", GRAPH_FORMATS + DATASET_FORMATS)
    read = _operation("Read a graph, or without a name all", "graph_get", ok, parameters=graph)
    return {
        "get": read,
        "put": _operation("Replace a graph", "graph_put", _COMMIT, **writing, **body),
        "post": _operation("Add to a graph", "graph_post", _COMMIT, **writing, **body),
        "delete": _operation("Remove a graph", "graph_delete", _COMMIT, **writing),
    }
