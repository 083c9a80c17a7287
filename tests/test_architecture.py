"""The house rules that no linter checks: sizes, one reader of the environment, nothing shared by accident."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from rdflib.term import Literal, URIRef

from medkg.config import Settings
from medkg.store.writer import candidate
from medkg_api.app import create_app

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for folder in ("src", "api") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FUNCTION = 60
LONGEST_MODULE = 400


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _walk(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), path))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_and_functions_are_short(path: Path) -> None:
    """A module has at most 400 lines and a function 60, so that each can be read at a sitting."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE
    functions = [node for node in _walk(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "config.py"], ids=_name)
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    """Nothing but medkg.config reads an environment variable, under whatever name it is imported."""
    names = {"environ", "environb", "getenv", "getenvb"}
    used = {node.attr for node in _walk(path) if isinstance(node, ast.Attribute)}
    imported = {
        alias.name
        for node in _walk(path)
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
    }
    assert (used | imported) & names == set()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """Each module begins with a sentence, and what it offers is listed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert (ast.get_docstring(tree) or "").endswith((".", "``", "::")) or not tree.body
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_"
    ]
    listed = {
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    assert listed or not public, f"{_name(path)} has no __all__"


def _client(root: Path, label: str, **changes: object) -> TestClient:
    """Build an application on a graph of its own that says *label* of one thing."""
    thing = URIRef("https://w3id.org/medkg/id/partnership/thing")
    graph = URIRef("https://w3id.org/medkg/graph/source/thing")
    name = URIRef("http://www.w3.org/2004/02/skos/core#prefLabel")
    with candidate(root) as work:
        work.add([(thing, name, Literal(label, lang="en"), graph)])
        work.close()
        work.publish()
    settings = Settings.model_validate({"data_dir": root, **changes})
    return TestClient(create_app(settings), base_url="https://medkg.test")


def test_two_applications_share_nothing(tmp_path: Path) -> None:
    """Two applications in one process answer from their own graph, under their own settings."""
    query = {"query": "SELECT ?label { ?s skos:prefLabel ?label }", "format": "csv"}
    with (
        _client(tmp_path / "one", "first", public_url="https://one.test", max_query_bytes=1000) as one,
        _client(tmp_path / "two", "second", public_url="https://two.test") as two,
    ):
        for client, label in ((one, "first"), (two, "second"), (one, "first")):
            answer = client.get("/sparql", params=query)
            assert (answer.status_code, answer.text.split()) == (200, ["label", label])
            page = client.get("/doc/partnership/thing", headers={"Accept": "text/html"})
            assert label in page.text
        long = {"query": query["query"] + " #" + "x" * 1000, "format": "csv"}
        assert one.get("/sparql", params=long).status_code == 413
        assert two.get("/sparql", params=long).status_code == 200
