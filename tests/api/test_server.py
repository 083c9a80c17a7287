"""`medkg serve`: a real process on a real port."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from medkg.config import Settings
from medkg.domain.errors import AddressInUse
from medkg.services.build import Summary
from medkg_api import server


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "medkg", "serve", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


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
