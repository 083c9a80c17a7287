"""`medkg serve`: a real process on a real port."""

import json
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest
from rdflib.term import Literal, URIRef

from medkg.config import Settings
from medkg.domain.errors import AddressInUse, SettingError
from medkg.services.build import Summary
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate
from medkg_api import server

DAMAGED = "Restore the data folder, or build into an empty one.\n"
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
        process.communicate(timeout=10)


@pytest.mark.parametrize(("stop", "codes"), [(signal.SIGTERM, {0, -15}), (signal.SIGINT, {0, 130})])
def test_it_says_when_it_is_ready_and_stops_when_told(
    summary: Summary, data_dir: Path, stop: signal.Signals, codes: set[int]
) -> None:
    """It prints its address once requests are answered, and ends within five seconds of a signal."""
    port = free_port()
    with serving("--port", str(port), "--data-dir", str(data_dir)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as response:
            ready = json.load(response)
        query = "SELECT%20(COUNT(*)%20AS%20?n)%20%7B%20GRAPH%20graph:nuts%20%7B?s%20?p%20?o%7D%7D"
        address = f"http://127.0.0.1:{port}/sparql?query={query}&format=csv"
        with urllib.request.urlopen(address, timeout=10) as response:
            headers, answer = dict(response.headers), response.read().decode()

        began = time.monotonic()
        process.send_signal(stop)
        out, err = process.communicate(timeout=10)
        took = time.monotonic() - began

    assert line == f"medkg serves http://127.0.0.1:{port}\n"
    assert ready == {"status": "ready", "version": summary.version}
    assert answer.split() == ["n", str(next(n for g, n in summary.graphs.items() if g.endswith("/nuts")))]
    assert not any(name.lower() == "server" for name in headers)
    assert took < 5
    assert process.returncode in codes
    assert out == ""
    assert "Traceback" not in err


def test_a_port_in_use_is_said_in_one_line(summary: Summary, data_dir: Path) -> None:
    """When the port is taken, the process ends with exit code 3 and one line that says what to do."""
    del summary
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with serving("--port", str(port), "--data-dir", str(data_dir)) as process:
            out, err = process.communicate(timeout=30)

    assert process.returncode == 3
    assert out == ""
    assert err == (
        f"medkg: The address 127.0.0.1:{port} is in use. "
        "Stop what listens there, or choose another port with --port.\n"
    )


def test_a_port_in_use_is_known_before_any_work(tmp_path: Path) -> None:
    """A service without a graph does not build one first, to find out then that it can't listen."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        settings = Settings(data_dir=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(AddressInUse), server.listening(settings):
            pass

    assert list(tmp_path.iterdir()) == []


def test_nobody_else_gets_the_port_meanwhile(tmp_path: Path) -> None:
    """From the moment that the port is opened, a second service is refused."""
    settings = Settings(data_dir=tmp_path, port=free_port())

    with server.listening(settings), pytest.raises(AddressInUse), server.listening(settings):
        pass

    with server.listening(settings) as bound:
        assert bound.getsockname() == ("127.0.0.1", settings.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "::ffff:192.0.2.1"])
def test_an_address_of_somebody_else_is_refused(tmp_path: Path, host: str) -> None:
    """A host that is not this machine, or no host at all, is named with the reason."""
    settings = Settings(data_dir=tmp_path, host=host, port=free_port())

    with pytest.raises(AddressInUse, match=re.escape(f"{host}:{settings.port} can't be used (")):  # noqa: SIM117
        with server.listening(settings):
            pass


def test_localhost_by_name_and_by_number(tmp_path: Path) -> None:
    """A name and an IPv6 address are taken as well."""
    for host in ("localhost", "::1"):
        try:
            with server.listening(Settings(data_dir=tmp_path, host=host, port=free_port())) as bound:
                assert bound.getsockname()[0] in {"127.0.0.1", "::1"}
        except AddressInUse:
            assert host == "::1", "only IPv6 may be missing on a machine"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with a small graph."""
    root = tmp_path / "var"
    graph = URIRef("http://example.org/graph")
    with candidate(root) as work:
        work.add(
            (URIRef(f"http://example.org/s{i}"), URIRef("http://example.org/p"), Literal(f"v{i}"), graph)
            for i in range(2_000)
        )
        work.close()
        work.publish()
    return root


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
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as response:  # noqa: S310
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


def test_answers_under_way_are_finished(root: Path) -> None:
    """When the service is told to stop, what ends in time is answered, and nothing stays."""
    with ready(root, MEDKG_QUERY_TIMEOUT_S="2") as (process, address), ThreadPoolExecutor() as threads:
        late = [threads.submit(query, address, ENDLESS_QUERY) for _ in range(2)]
        time.sleep(0.7)
        pids = descendants(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert query(address) == 0
        assert [answer.result() for answer in late] == [503, 503]
        _, err = process.communicate(timeout=15)

    assert time.monotonic() - began < 6
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
        time.sleep(2)
        assert not any(item.done() for item in work)
        pids = descendants(process.pid)
        began = time.monotonic()
        process.send_signal(stop)
        process.communicate(timeout=30)
        assert time.monotonic() - began < 10

    assert process.returncode == 0
    assert living(pids) == set()
    assert left(root) == set()
    assert Snapshots(root).require().version == 1


def test_a_killed_service_leaves_no_process(root: Path) -> None:
    """When the service is killed, its children end within two seconds; the next start is clean."""
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
        time.sleep(2)
        pids = descendants(process.pid)
        process.kill()
        try:
            wait_for(lambda: not living(pids), 2)
        finally:
            end(pids)
    assert "control.sock" in left(root)
    assert "live" in left(root)

    with ready(root, MEDKG_ADMIN_TOKEN=TOKEN) as (process, address):
        assert query(address) == 200
        assert update(address, "INSERT DATA { GRAPH <http://example.org/g> { <a:a> <a:b> 1 } }") == 200
        process.terminate()
        process.communicate(timeout=15)
    assert left(root) == set()
    assert Snapshots(root).require().version == 2


def test_a_second_service_is_told_who_has_the_folder(root: Path) -> None:
    """Two services never share a data folder: the second one names the first and ends with 3."""
    with ready(root) as (first, _), serving("--port", str(free_port()), "--data-dir", str(root)) as second:
        out, err = second.communicate(timeout=30)

    assert (second.returncode, out) == (3, "")
    assert err == (
        f"medkg: The data folder is in use by the service (process {first.pid}). "
        "Wait until it is done, or stop it.\n"
    )


@pytest.mark.parametrize(
    ("proxies", "believed"), [("", False), ("192.0.2.7", False), ("192.0.2.7, 127.0.0.0/8", True)]
)
def test_only_named_proxies_are_believed(root: Path, proxies: str, believed: bool) -> None:
    """X-Forwarded-For is believed only when it comes from an address that the operator named."""
    with ready(root, MEDKG_TRUSTED_PROXIES=proxies, MEDKG_RATE_LIMIT="6") as (_, address):
        found = [query(address, forwarded=f"198.51.100.{number}") for number in range(6)]

    assert (429 not in found) is believed
    assert found[0] == 200


@pytest.mark.parametrize("value", ["*", "proxy.example.org", "10.0.0.1/8", "127.0.0.1 ::1", "127.0.0.1,x"])
def test_a_proxy_is_an_address(value: str) -> None:
    """A value of MEDKG_TRUSTED_PROXIES that is no address or network stops the start, in one line."""
    with pytest.raises(
        SettingError, match=r"^MEDKG_TRUSTED_PROXIES has the value '.*': expected IP addresses"
    ):
        server.trusted(Settings(trusted_proxies=value))
    assert server.trusted(Settings(trusted_proxies=" 127.0.0.1,, fd00::/8 ")) == ["127.0.0.1", "fd00::/8"]


def test_a_start_that_fails_is_one_line(root: Path) -> None:
    """What keeps the service from starting is told as a sentence, with exit code 3 and no traceback."""
    (root / "snapshots" / "1" / "index.json").write_text("{")
    with serving("--port", str(free_port()), "--data-dir", str(root)) as process:
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (3, "")
    assert err.endswith("\nmedkg: The index of version 1 can't be read. " + DAMAGED)
    assert "Traceback" not in err
    assert left(root) == set()


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
