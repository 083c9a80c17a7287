"""Another server, and services that may call it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from fastapi.testclient import TestClient
from rdflib.namespace import RDFS
from rdflib.term import Literal, URIRef
from tests.federation.elsewhere import Elsewhere

from medkg.config import Settings
from medkg.store.writer import candidate
from medkg_api.app import create_app

ADMIN = "the-admin-token-of-the-tests"
EX = "http://example.org/"
HERE = """
<http://example.org/1> <http://example.org/p> "one" .
<http://example.org/2> <http://example.org/p> "two" .
<http://example.org/3> <http://example.org/p> "three" .
"""

Start = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture(scope="session")
def server() -> Iterator[Elsewhere]:
    """Another server, for all tests."""
    server = Elsewhere()
    yield server
    server.close()


@pytest.fixture
def elsewhere(server: Elsewhere) -> Iterator[Elsewhere]:
    """Another server, that was asked nothing yet."""
    server.reset()
    yield server
    server.reset()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three things, to be copied."""
    folder = tmp_path_factory.mktemp("built") / "var"
    with candidate(folder) as work:
        for triple in ox.parse(HERE, ox.RdfFormat.TURTLE):
            subject, predicate, value = (
                part.value for part in (triple.subject, triple.predicate, triple.object)
            )
            work.add([(URIRef(subject), URIRef(predicate), Literal(value), URIRef(EX + "graph"))])
        work.add([(URIRef(EX + "1"), RDFS.label, Literal("One", lang="en"), URIRef(EX + "graph"))])
        work.close()
        work.publish()
    return folder


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A data folder that is a test's own."""
    return Path(shutil.copytree(built, tmp_path / "var"))


@pytest.fixture(scope="session")
def start(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts services, each on a data folder of its own."""

    @contextmanager
    def started(**settings: Any) -> Iterator[TestClient]:
        given = {
            "data_dir": shutil.copytree(built, tmp_path_factory.mktemp("service") / "var"),
            "public_url": "https://medkg.test",
            "admin_token": ADMIN,
            "rate_limit": 0,
            "workers": 2,
            "log_level": "error",
        }
        app = create_app(Settings(**{**given, **settings}))
        with TestClient(app, base_url="https://medkg.test", raise_server_exceptions=False) as client:
            yield client

    return started
