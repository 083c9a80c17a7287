"""The service under test: medkg itself, a process of its own on a loopback port, or any other by address."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import httpx2

__all__ = ["OTHER", "Service", "medkg"]

OTHER: Final = os.environ.get("MEDKG_W3C_SERVICE", "").split()  # noqa: TID251 - no setting of the product
"""Query, update and graph store address of another service to run the suites on, to compare."""

_TOKEN: Final = "w3c-suite-token-of-32-characters"  # noqa: S105 - of a service that lives as long as the test
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Service:
    """The addresses of a SPARQL service, and the headers that a write needs."""

    query: str
    update: str
    graphs: str
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def medkg(folder: Path) -> Iterator[Service]:
    """Run ``medkg serve`` in plain mode on an empty graph in *folder*."""
    from medkg.store.writer import candidate

    data = folder / "data"
    with candidate(data) as work:
        work.publish()
    port = _free_port()
    environment = {
        **os.environ,  # noqa: TID251 - what the tests run with, but for the settings
        "MEDKG_DATA_DIR": str(data),
        "MEDKG_PORT": str(port),
        "MEDKG_UNION_DEFAULT_GRAPH": "false",
        "MEDKG_ADMIN_TOKEN": _TOKEN,
        "MEDKG_RATE_LIMIT": "0",
    }
    base = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w+") as log:
        command = [sys.executable, "-m", "medkg", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, base + "/health/ready", log)
            headers = {"Authorization": f"Bearer {_TOKEN}"}
            yield Service(base + "/sparql", base + "/update", base + "/graphs", headers)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], address: str, log: IO[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(address).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    log.seek(0)
    raise AssertionError(f"The service did not start: {log.read()[-2000:]}")
