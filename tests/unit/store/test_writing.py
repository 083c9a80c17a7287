"""store/writing.py: the writer is a process that may be killed at any moment, and leaves a whole version."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from rdflib import SKOS
from rdflib.term import URIRef

from medkg import children
from medkg.domain.errors import Forbidden, QuerySyntaxError, StoreMissing, from_wire
from medkg.domain.model import Quad
from medkg.domain.namespaces import GRAPH
from medkg.store.index import Index
from medkg.store.merge import build_merge
from medkg.store.snapshots import Snapshots
from medkg.store.wire import Channel
from medkg.store.writer import candidate

MANUAL = str(GRAPH["manual/x"])
SETTINGS = {"union": True, "memory": 0, "max_bytes": 100_000, "max_depth": 100}
WHO = {"author": {"name": "Ada", "role": "steward"}, "now": "2026-03-01T12:00:00+00:00"}
FACT: Quad = (URIRef("urn:a"), SKOS.broader, URIRef("urn:b"), GRAPH["source/one"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with candidate(tmp_path) as work:
        work.add([FACT])
        work.close()
        work.publish()
    return tmp_path


@contextmanager
def _process(root: Path, **settings: Any) -> Iterator[tuple[Channel, subprocess.Popen[bytes]]]:
    here, there = socket.socketpair()
    arguments = json.dumps({**SETTINGS, "root": str(root), **settings})
    process = children.spawn("medkg.store.writing", str(there.fileno()), arguments, pass_fds=[there.fileno()])
    there.close()
    try:
        here.settimeout(60)
        yield Channel(here), process
    finally:
        here.close()
        process.kill()
        process.wait()


def _ask(channel: Channel, do: str, text: str = "", **head: Any) -> dict[str, Any]:
    channel.send({"do": do, **WHO, **head}, text.encode())
    return channel.receive()[0]


def _insert(number: int) -> str:
    return f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:s> <urn:p> {number} }} }}"


def test_the_commands(root: Path, tmp_path: Path) -> None:
    """The process prepares, publishes, drops, adopts and prunes, one frame after the other."""
    with _process(root) as (channel, _):
        assert channel.receive()[0] == {"ready": True, "version": 1}
        prepared = _ask(channel, "update", _insert(1), key="one")
        folder = Path(prepared["prepared"])
        assert (folder / "store").is_dir()
        assert prepared["commit"]["version"] == 2
        assert Snapshots(root).require().version == 1
        commit = _ask(channel, "publish")["commit"]
        assert commit["version"] == Snapshots(root).require().version == 2
        assert commit["changed"] == [MANUAL, str(GRAPH["prov/manual/x"])]
        assert commit["created"]
        assert commit["delta"] == str(root / "snapshots" / "2")
        again = _ask(channel, "update", _insert(2), key="one")
        assert again == {
            "commit": {"version": 2, "changed": [], "created": False, "delta": None},
            "prepared": None,
        }
        body = tmp_path / "body.nt"
        body.write_text('<urn:s> <urn:p> "x" .\n', encoding="utf-8")
        write: dict[str, Any] = {"action": "put", "graph": MANUAL, "triples": str(body), "expected": 2}
        assert "prepared" in _ask(channel, "write", **write)
        assert _ask(channel, "abort") == {}
        assert _ask(channel, "write", **write, publish=True)["commit"]["version"] == 3
        assert _ask(channel, "write", **write)["error"] == "PreconditionFailed"
        assert _ask(channel, "prune", keep=[1]) == {}
        assert _versions(root) == ["1", "2", "3"]
        with candidate(root) as work:
            work.add([(URIRef("urn:c"), SKOS.broader, URIRef("urn:a"), GRAPH["source/two"])])
            work.close()
            work.publish()
        assert _ask(channel, "adopt") == {"version": 4}
        assert _ask(channel, "update", _insert(3), publish=True)["commit"]["version"] == 5


def _versions(root: Path) -> list[str]:
    return sorted(entry.name for entry in (root / "snapshots").iterdir())


def test_errors_cross_the_wire(root: Path) -> None:
    """An error comes back with its kind and its place, and the process goes on."""
    with _process(root) as (channel, _):
        channel.receive()
        error = from_wire(_ask(channel, "update", "INSERT DATA {\n GRAPH <urn:g> { <urn:s> ]"))
        assert isinstance(error, QuerySyntaxError)
        assert error.line == 2
        error = from_wire(_ask(channel, "update", "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }"))
        assert isinstance(error, Forbidden)
        assert _ask(channel, "update", _insert(1), publish=True)["commit"]["version"] == 2


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    """Where nothing was built the first frame is the error."""
    with _process(tmp_path) as (channel, process):
        assert isinstance(from_wire(channel.receive()[0]), StoreMissing)
        assert process.wait(timeout=60) == 0


def test_the_process_ends_with_its_channel(root: Path) -> None:
    """When the service is gone, so is its writer."""
    with _process(root) as (channel, process):
        channel.receive()
        channel._socket.close()
        assert process.wait(timeout=60) == 0


def test_what_takes_too_much_memory_is_refused(root: Path) -> None:
    """An update that needs more memory than it may take changes nothing, whatever it does to the process."""
    names = [f"?v{place}" for place in range(5)]
    values = " ".join(f"VALUES {name} {{ {' '.join(map(str, range(40)))} }}" for name in names)
    texts = ", ".join(f"STR({name})" for name in names)
    where = f"{values} BIND(CONCAT({texts}) AS ?text)"
    text = f"INSERT {{ GRAPH <{MANUAL}> {{ <urn:s> <urn:p> ?text }} }} WHERE {{ {where} }}"
    with _process(root, memory=150_000_000) as (channel, _):
        channel.receive()
        try:
            answer = _ask(channel, "update", text, publish=True)
        except (EOFError, OSError):
            answer = {"error": "EngineCrashed"}
        assert "error" in answer
    with _process(root) as (channel, _):
        assert channel.receive()[0] == {"ready": True, "version": 1}


WRITER = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from medkg.domain.model import Author, Role, UpdateRequest
from medkg.store.live import Live
from medkg.store.policy import Limits
live = Live(Path(sys.argv[1]))
print(live.version, flush=True)
author = Author("Ada", Role.STEWARD)
for number in itertools.count(live.version + 1):
    lines = " . ".join(f"<urn:{number}/{place}> skos:broader <urn:{number}>" for place in range(20))
    text = f"DROP SILENT GRAPH graph:manual\\\\/x ; INSERT DATA {{ GRAPH graph:manual\\\\/x {{ {lines} }} }}"
    live.update(UpdateRequest(text), author, Limits(), now=datetime.now(UTC), key=str(number))
    assert live.publish().version == number
    print(number, flush=True)
    live.prune(())
"""


def _is_whole(root: Path) -> int:
    """Check that the current version is all of one write, and return its number."""
    snapshots = Snapshots(root)
    snapshot = snapshots.require()
    store = ox.Store.read_only(str(snapshot.store))
    written = list(store.quads_for_pattern(None, None, None, ox.NamedNode(MANUAL)))
    if snapshot.version > 1:
        assert len(written) == 20
        assert {quad.object for quad in written} == {ox.NamedNode(f"urn:{snapshot.version}")}
    anew = ox.Store()
    anew.extend(quad for quad in store if isinstance(quad.graph_name, ox.NamedNode))
    build_merge(anew)
    assert set(store) == set(anew)
    index = Index.read(snapshot.path)
    assert list(index.keys.values()) == list(range(2, snapshot.version + 1))
    before = snapshots.find(snapshot.version - 1)
    if before is not None:
        difference = {name: set(ox.parse(path=snapshot.path / f"{name}.nq")) for name in ("removed", "added")}
        former = set(ox.Store.read_only(str(before.store)))
        assert (former - difference["removed"]) | difference["added"] == set(store)
    return snapshot.version


def test_a_writer_that_is_killed_leaves_a_whole_version(root: Path) -> None:
    """Killed at any moment, a writer leaves the old version or the new one, and what it said is kept."""
    dice = random.Random(7)  # noqa: S311 - moments, not secrets
    said = 1
    for writes in [0, 1, 0, 2] * 4:
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            # One that hangs says nothing more, and fails the test.
            emergency = threading.Timer(120, process.kill)
            emergency.start()
            assert int(process.stdout.readline()) == said
            assert not list((root / "snapshots").glob(".tmp-*")), "a start removes what was left"
            # A slow machine takes longer for as many writes; the moment in the next one is left to chance.
            said = max([said, *(int(process.stdout.readline()) for _ in range(writes))])
            time.sleep(dice.uniform(0, 0.4))
            process.kill()
            emergency.cancel()
            said = max([said, *map(int, process.stdout.read().split())])
        said = _at_least(said, _is_whole(root))
    assert said > 12


def _at_least(said: int, found: int) -> int:
    """Return the version that was found: what was said, or one more, whose word was cut."""
    assert found in {said, said + 1}
    return found
