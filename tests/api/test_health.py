"""`/health`: whether the process lives, and whether it can answer."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from medkg.config import Settings
from medkg.domain.errors import StoreMissing
from medkg_api.app import create_app


def test_a_running_process_is_live(client: TestClient) -> None:
    """The process says that it lives, and nobody keeps the answer."""
    response = client.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert response.headers["cache-control"] == "no-store"


def test_a_service_with_a_graph_is_ready(client: TestClient) -> None:
    """The service says that it can answer, from which version of the data."""
    response = client.get("/health/ready")

    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": 1})
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_head_is_enough(client: TestClient, path: str) -> None:
    """A monitor may ask without wanting a body."""
    response = client.head(path)

    assert (response.status_code, response.content) == (200, b"")


def test_a_service_that_lost_its_graph_is_not_ready(
    data_dir: Path, client: TestClient, read_problem: Any, tmp_path: Path
) -> None:
    """When the data folder is emptied under it, the service lives, but is not ready, and says what to do."""
    del client
    shutil.copytree(data_dir / "snapshots", tmp_path / "snapshots")
    shutil.copy(data_dir / "current", tmp_path)
    app = create_app(Settings(data_dir=tmp_path))
    with TestClient(app) as lonely:
        assert lonely.get("/health/ready").status_code == 200
        (tmp_path / "current").unlink()

        response = lonely.get("/health/ready")

        body = read_problem(response, 503)
        assert lonely.get("/health/live").status_code == 200
    assert body["detail"] == "There is no graph in the data folder yet. Run `medkg build` first."
    assert response.headers["retry-after"] == "10"


def test_a_service_without_a_graph_does_not_start(tmp_path: Path) -> None:
    """An application on an empty data folder is refused at once."""
    with pytest.raises(StoreMissing):
        create_app(Settings(data_dir=tmp_path))
