"""What the tests share: one real graph, built once, and the service on top of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from medkg.config import Settings
from medkg.services.build import Summary, build
from medkg.services.names import Names
from medkg.services.sources import Folders
from medkg.store.embedded import EmbeddedEngine
from medkg_api.app import create_app


def ignore_progress(stage: str, done: int, total: int) -> None:
    """Listen to a build without a word."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of asynchronous tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that the whole session builds into."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def summary(data_dir: Path) -> Summary:
    """The summary of the one real build of the session."""
    return build(data_dir, Folders.installed(), progress=ignore_progress, dump=data_dir / "graph.nq")


@pytest.fixture(scope="session")
def engine(summary: Summary, data_dir: Path) -> Iterator[EmbeddedEngine]:
    """The embedded engine on the built graph."""
    assert summary.version == 1
    engine = EmbeddedEngine(data_dir)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def names(engine: EmbeddedEngine) -> Names:
    """The names of the built graph."""
    return Names(engine)


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    """The settings of the service under test."""
    return Settings(data_dir=data_dir, public_url="https://medkg.test", rate_limit=0)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def client(settings: Settings, engine: EmbeddedEngine) -> Iterator[TestClient]:
    """A client of the real application, in process."""
    with TestClient(create_app(settings, engine), base_url="https://medkg.test") as client:
        yield client
