"""`medkg serve`: how it ends, what it leaves behind, and what runs beside it."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.api.services import (
    ENDLESS_QUERY,
    ENDLESS_UPDATE,
    TOKEN,
    at_work,
    descendants,
    end,
    left,
    living,
    query,
    ready,
    update,
    wait_for,
)

from medkg.store.snapshots import Snapshots


def test_answers_under_way_are_finished(root: Path) -> None:
    """When the service is told to stop, what ends in time is answered, and nothing stays."""
    with ready(root, MEDKG_QUERY_TIMEOUT_S="2") as (process, address), ThreadPoolExecutor() as threads:
        late = [threads.submit(query, address, ENDLESS_QUERY) for _ in range(2)]
        wait_for(lambda: at_work(address), 60)
        pids = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: query(address) == 0, 60)
        assert [answer.result() for answer in late] == [503, 503]
        _, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert pids
    assert living(pids) == set()
    assert left(root) == set()
    assert "Traceback" not in err
    assert (root / "service.lock").read_text() == ""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_what_never_ends_is_stopped(root: Path, stop: signal.Signals) -> None:
    """Endless queries and updates hold the end up for the grace only, and leave no process and no file."""
    with (
        ready(root, MEDKG_ADMIN_TOKEN=TOKEN, MEDKG_QUERY_TIMEOUT_S="300", MEDKG_UPDATE_TIMEOUT_S="300") as (
            process,
            address,
        ),
        ThreadPoolExecutor() as threads,
    ):
        work = [
            threads.submit(query, address, ENDLESS_QUERY),
            threads.submit(update, address, ENDLESS_UPDATE),
        ]
        wait_for(lambda: at_work(address) and (root / "live").exists(), 60)
        assert not any(item.done() for item in work)
        pids = descendants(process.pid)
        process.send_signal(stop)
        # Far less than they might still run.
        process.communicate(timeout=100)

    assert process.returncode == 0
    assert living(pids) == set()
    assert left(root) == set()
    assert Snapshots(root).require().version == 1


def test_a_killed_service_leaves_no_process(root: Path) -> None:
    """When the service is killed, its children end with it; the next start is clean."""
    with (
        ready(root, MEDKG_ADMIN_TOKEN=TOKEN, MEDKG_QUERY_TIMEOUT_S="300", MEDKG_UPDATE_TIMEOUT_S="300") as (
            process,
            address,
        ),
        ThreadPoolExecutor() as threads,
    ):
        for _ in range(2):
            threads.submit(query, address, ENDLESS_QUERY)
        threads.submit(update, address, ENDLESS_UPDATE)
        wait_for(lambda: at_work(address) and (root / "live").exists(), 60)
        pids = descendants(process.pid)
        process.kill()
        try:
            wait_for(lambda: not living(pids), 60)
        finally:
            end(pids)
    assert "control.sock" in left(root)
    assert "live" in left(root)

    with ready(root, MEDKG_ADMIN_TOKEN=TOKEN) as (process, address):
        assert query(address) == 200
        assert update(address, "INSERT DATA { GRAPH <http://example.org/g> { <a:a> <a:b> 1 } }") == 200
        process.terminate()
        process.communicate(timeout=60)
    assert left(root) == set()
    assert Snapshots(root).require().version == 2


def test_a_restore_while_the_service_runs(root: Path, tmp_path: Path) -> None:
    """Backup and restore need no pause: queries are answered throughout, and the result at once."""
    insert = "INSERT DATA { GRAPH <http://example.org/new> { <a:a> <a:b> 1 } }"
    there = "ASK { GRAPH <http://example.org/new> { ?s ?p ?o } }"
    statuses: list[int] = []
    with (
        ready(root, MEDKG_ADMIN_TOKEN=TOKEN, MEDKG_RATE_LIMIT="0") as (process, address),
        ThreadPoolExecutor() as threads,
    ):

        def command(*arguments: str) -> str:
            ended = threads.submit(
                subprocess.run,
                [sys.executable, "-m", "medkg", *arguments, "--data-dir", str(root)],
                capture_output=True,
                text=True,
                check=False,
            )
            while not ended.done():
                statuses.append(query(address))
            assert ended.result().returncode == 0, ended.result().stderr
            return str(ended.result().stdout)

        def asked() -> str:
            url = f"{address}/sparql?{urlencode({'query': there})}"
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - of this test
                return f"{response.headers['x-medkg-version']} {json.load(response)['boolean']}"

        assert command("backup", str(tmp_path / "saved")).startswith("Version 1 is in ")
        assert update(address, insert) == 200
        assert asked() == "2 True"
        assert command("restore", str(tmp_path / "saved")).startswith("Version 3 is the version 1 that")
        assert asked() == "3 False"
        assert update(address, insert) == 200
        assert asked() == "4 True"
        assert process.poll() is None
    assert set(statuses) == {200}
