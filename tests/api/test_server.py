"""`medkg serve`: a real process on a real port."""

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from tests.api.services import free_port, left, query, ready, serving

from medkg.config import Settings
from medkg.domain.errors import AddressInUse, SettingError
from medkg.services.build import Summary
from medkg_api import server

DAMAGED = "Restore the data folder, or build into an empty one.\n"


@pytest.mark.parametrize(("stop", "codes"), [(signal.SIGTERM, {0, -15}), (signal.SIGINT, {0, 130})])
def test_it_says_when_it_is_ready_and_stops_when_told(
    summary: Summary, data_dir: Path, stop: signal.Signals, codes: set[int]
) -> None:
    """It prints its address once requests are answered, and ends at a signal."""
    port = free_port()
    with serving("--port", str(port), "--data-dir", str(data_dir)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=60) as response:
            ready = json.load(response)
        query = "SELECT%20(COUNT(*)%20AS%20?n)%20%7B%20GRAPH%20graph:nuts%20%7B?s%20?p%20?o%7D%7D"
        address = f"http://127.0.0.1:{port}/sparql?query={query}&format=csv"
        with urllib.request.urlopen(address, timeout=60) as response:
            headers, answer = dict(response.headers), response.read().decode()

        process.send_signal(stop)
        out, err = process.communicate(timeout=60)

    assert line == f"medkg serves http://127.0.0.1:{port}\n"
    assert ready == {"status": "ready", "version": summary.version}
    assert answer.split() == ["n", str(next(n for g, n in summary.graphs.items() if g.endswith("/nuts")))]
    assert not any(name.lower() == "server" for name in headers)
    assert process.returncode in codes
    assert out == ""
    assert "Traceback" not in err


def test_a_port_in_use_is_said_in_one_line(summary: Summary, data_dir: Path) -> None:
    """When the port is taken, the process ends with exit code 3 and one line that says what to do."""
    del summary
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with serving("--port", str(port), "--data-dir", str(data_dir)) as process:
            out, err = process.communicate(timeout=60)

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


def test_a_second_service_is_told_who_has_the_folder(root: Path) -> None:
    """Two services never share a data folder: the second one names the first and ends with 3."""
    with ready(root) as (first, _), serving("--port", str(free_port()), "--data-dir", str(root)) as second:
        out, err = second.communicate(timeout=60)

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
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (3, "")
    assert err.endswith("\nmedkg: The index of version 1 can't be read. " + DAMAGED)
    assert "Traceback" not in err
    assert left(root) == set()
