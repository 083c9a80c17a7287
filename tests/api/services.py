"""What the tests of `medkg serve` share: real processes on real ports, and what they leave behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

TOKEN = "a-token-of-twenty-four-characters"  # noqa: S105 - of these services alone
PRODUCT = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }"
ENDLESS_QUERY = f"SELECT (COUNT(*) AS ?count) {PRODUCT}"
ENDLESS_UPDATE = f"INSERT {{ GRAPH <http://example.org/new> {{ ?a ?e ?o }} }} WHERE {PRODUCT}"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "medkg", "serve", *arguments]
    environment = {**os.environ, **settings}  # noqa: TID251 - what the process is started with
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        pids = descendants(process.pid)
        process.kill()
        end(pids)
        process.communicate(timeout=60)


@contextmanager
def ready(root: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on the folder that answers, and its address."""
    with serving("--port", str(free_port()), "--data-dir", str(root), **settings) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("medkg serves http://127.0.0.1:"), process.communicate()
        yield process, line.split()[2]


def send(url: str, data: bytes | None = None, *, kind: str = "", forwarded: str = "") -> int:
    """Return the status of a request; 0: the connection ended without an answer."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, "X-Forwarded-For": forwarded}
    headers = {name: value for name, value in headers.items() if value}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as response:  # noqa: S310
            response.read()
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def query(address: str, text: str = "ASK {}", forwarded: str = "") -> int:
    return send(f"{address}/sparql?{urlencode({'query': text})}", forwarded=forwarded)


def update(address: str, text: str) -> int:
    return send(f"{address}/update?unchecked=true", text.encode(), kind="application/sparql-update")


def at_work(address: str) -> bool:
    """Tell whether a reader of the service evaluates a query."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as response:  # noqa: S310 - of this test
        found = re.findall(r"^medkg_readers_(?:busy|slow) (\S+)$", response.read().decode(), re.MULTILINE)
    return any(float(number) for number in found)


def living(pids: set[int]) -> set[int]:
    """Return those that run; one that only waits to be buried does not."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found |= {pid} if state not in "ZX" else set()
    return found


def descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def end(pids: set[int]) -> None:
    for pid in living(pids):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def left(root: Path) -> set[str]:
    """Return what a service that has ended must not leave behind."""
    names = {"control.sock", "live", "spool"}
    return {path.name for path in root.iterdir()} & names | {
        path.name for path in (root / "snapshots").iterdir() if path.name.startswith(".")
    }
