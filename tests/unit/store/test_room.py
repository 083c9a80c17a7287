"""The engine room, on real processes and a real store."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib.namespace import RDFS
from rdflib.term import Literal, URIRef

from medkg.domain.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    EngineCrashed,
    Forbidden,
    GraphInvalid,
    MedkgError,
    NotAcceptable,
    NotSupported,
    QueryRefused,
    QuerySyntaxError,
    SourceFileError,
    TooLarge,
    UnsupportedMedia,
)
from medkg.domain.model import Author, Finding, GraphWrite, QueryRequest, Role, Severity, UpdateRequest
from medkg.store.bounds import Bounds
from medkg.store.engine import Reply
from medkg.store.keeper import Nursery
from medkg.store.room import Limits, Room
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate

pytestmark = pytest.mark.anyio

ADMIN = Author("admin", Role.ADMIN, unchecked=True)
STEWARD = Author("steward", Role.STEWARD)
MANUAL = "https://w3id.org/medkg/graph/manual/notes"
PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n0 ?o }"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
LIMITS = Limits(query_timeout=3.0, update_timeout=20.0, patience=5.0, body=100_000)


def build(root: Path, number: int = 2_000) -> None:
    """Publish a version with *number* triples and a label in two languages."""
    graph = URIRef("http://example.org/graph")
    with candidate(root) as work:
        work.add(
            (URIRef(f"http://example.org/s{i}"), URIRef("http://example.org/p"), Literal(f"v{i}"), graph)
            for i in range(number - 2)
        )
        for text, language in (("one", "en"), ("un", "fr")):
            work.add([(URIRef("http://example.org/s1"), RDFS.label, Literal(text, lang=language), graph)])
        work.close()
        work.publish()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that is only read."""
    root = tmp_path_factory.mktemp("built")
    build(root)
    return root


@pytest.fixture
async def reading(built: Path) -> AsyncIterator[Room]:
    """A running room that nobody writes to."""
    room = Room(built, limits=LIMITS)
    await room.start()
    await until(lambda: room.status()["in_memory"] == 1 and room.status()["readers_idle"] == 3)
    yield room
    await room.close()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A running room with data of its own."""
    build(tmp_path, 10)
    room = Room(tmp_path, limits=LIMITS)
    await room.start()
    yield room
    await room.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - other processes are waited for
            await asyncio.sleep(0.01)


async def whole(reply: Reply) -> bytes:
    if reply.chunks is None:
        return reply.body or b""
    return b"".join([piece async for piece in reply.chunks])


async def csv(room: Room, text: str) -> str:
    return (await whole(await room.query(QueryRequest(text), "text/csv"))).decode()


async def count(room: Room) -> int:
    return int((await csv(room, COUNT)).splitlines()[1])


@pytest.mark.parametrize(
    ("text", "accept", "expected"),
    [
        ("ASK {}", "application/json", b'{"head":{},"boolean":true}'),
        ("SELECT ?o { <http://example.org/s3> ?p ?o }", "text/csv", b"o\r\nv3\r\n"),
        (
            "CONSTRUCT WHERE { <http://example.org/s3> ?p ?o }",
            "application/n-triples",
            b'<http://example.org/s3> <http://example.org/p> "v3" .\n',
        ),
    ],
)
async def test_each_form_of_query_is_answered(reading: Room, text: str, accept: str, expected: bytes) -> None:
    """A small answer comes whole, in the format that was asked for."""
    reply = await reading.query(QueryRequest(text), accept)

    assert (reply.body, reply.chunks, reply.version) == (expected, None, 1)


async def test_memory_takes_over_from_the_disk(built: Path) -> None:
    """Answers of the first moment and those from memory later on are the same."""
    room = Room(built, limits=LIMITS)
    await room.start()
    try:
        before = await csv(room, "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o")
        await until(lambda: room.status()["in_memory"] == 1)
        assert await csv(room, "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o ") == before
    finally:
        await room.close()


async def test_a_store_too_large_for_memory_is_read_from_the_disk(built: Path) -> None:
    """Beyond the limit nothing is loaded, and everything is answered."""
    room = Room(built, limits=Limits(store_memory=0))
    await room.start()
    try:
        assert await count(room) == 2_000
        assert room.status()["in_memory"] == 0
    finally:
        await room.close()


async def test_a_large_answer_streams(reading: Room) -> None:
    """An answer beyond one piece comes in several, which are the same as the whole."""
    text = "SELECT ?s ?o ?x { ?s ?p ?o VALUES ?x { 1 2 3 4 5 6 7 8 9 10 } }"
    reply = await reading.query(QueryRequest(text), "text/csv")

    assert reply.body is None
    assert (await whole(reply)).count(b"\r\n") == 20_001


async def test_a_streamed_answer_is_kept_when_it_is_whole(reading: Room) -> None:
    """The second request for a streamed answer is served from the cache."""
    request = QueryRequest("SELECT * { ?s ?p ?o }")
    first = await whole(await reading.query(request, "text/csv"))

    second = await reading.query(request, "text/csv")

    assert second.body == first
    assert reading.status()["cache_hits"] == 1


async def test_a_runaway_is_stopped_at_its_deadline(reading: Room) -> None:
    """A query that would run for ever ends with its deadline, and the next one is answered."""
    started = asyncio.get_running_loop().time()
    with pytest.raises(DeadlineExceeded, match="longer than 3 seconds"):
        await reading.query(QueryRequest(PRODUCT), "")
    took = asyncio.get_running_loop().time() - started

    assert took > 2.9
    assert await count(reading) == 2_000
    assert reading.status()["kills"] == 1


async def test_runaways_leave_room_for_others(built: Path) -> None:
    """As many runaways as there are places do not keep a cheap query from its answer before they end."""
    room = Room(built, limits=replace(LIMITS, query_timeout=15.0, patience=15.0))
    await room.start()
    try:
        slow = [asyncio.ensure_future(room.query(QueryRequest(PRODUCT + f" # {i}"), "")) for i in range(3)]
        await until(lambda: room.status()["readers_busy"] + room.status()["readers_slow"] == 3)

        assert await count(room) == 2_000
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    finally:
        await room.close()


async def test_runaways_that_make_room_have_their_deadline(reading: Room) -> None:
    """A query that was moved aside ends with its deadline like any other."""
    slow = [asyncio.ensure_future(reading.query(QueryRequest(PRODUCT + f" # {i}"), "")) for i in range(3)]
    for task in slow:
        with pytest.raises(DeadlineExceeded):
            await task


async def test_a_deadline_within_an_answer_breaks_it(reading: Room) -> None:
    """An answer that runs into its deadline raises; it never ends as if it were complete."""
    reply = await reading.query(QueryRequest("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"), "text/csv")

    with pytest.raises(DeadlineExceeded):
        await whole(reply)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        "CONSTRUCT { ?s ?p ?a } { ?s ?p ?o . ?a ?b ?c }",
    ],
)
async def test_a_look_stops_where_a_large_answer_begins(reading: Room, text: str) -> None:
    """Who only looks gets no answer without end, and nobody has to be killed for it."""
    reply = await reading.query(QueryRequest(text), "", peek=True)

    assert (reply.body, reply.chunks, reply.volatile) == (None, None, False)
    await until(lambda: reading.status()["readers_idle"] == 3)
    assert reading.status()["kills"] == 0


async def test_a_look_is_not_kept_as_the_answer(reading: Room) -> None:
    """Who asks after somebody looked gets the answer; a small one is the same for both."""
    large, small = QueryRequest("SELECT * { ?s ?p ?o } # looked at"), QueryRequest("ASK {} # looked at")

    assert (await reading.query(large, "csv", peek=True)).body is None
    assert len((await whole(await reading.query(large, "csv"))).splitlines()) == 2_001
    assert (await reading.query(small, "json", peek=True)).body == (await reading.query(small, "json")).body


async def test_a_look_fails_as_the_answer_does(reading: Room) -> None:
    """What can't be written in a format is refused before it would begin."""
    with pytest.raises(NotAcceptable):
        await reading.query(QueryRequest('SELECT (" \\u0007" AS ?x) {}'), "xml", peek=True)


async def test_all_graphs_are_read_at_once(tmp_path: Path) -> None:
    """The dataset has every named graph under its name; in plain SPARQL it has the default graph too."""
    build(tmp_path, 10)
    found: dict[bool, set[ox.Quad]] = {}
    for union in (True, False):
        room = Room(tmp_path, limits=LIMITS, union=union)
        await room.start()
        try:
            if not union:
                await room.update(UpdateRequest("INSERT DATA { <urn:a> <urn:b> <urn:c> }"), ADMIN)
            data = await whole(await room.dump("nq"))
            found[union] = set(ox.parse(data, ox.RdfFormat.N_QUADS))
            assert set(ox.parse(await whole(await room.dump("trig")), ox.RdfFormat.TRIG)) == found[union]
        finally:
            await room.close()
    graph = ox.NamedNode("http://example.org/graph")

    assert len(found[True]) == 10
    assert {quad.graph_name for quad in found[True]} == {graph}
    assert {quad for quad in found[False] if quad.graph_name == graph} == found[True]
    a, b, c = map(ox.NamedNode, ("urn:a", "urn:b", "urn:c"))
    assert ox.Quad(a, b, c) in found[False]


async def test_a_dataset_has_formats_of_its_own(reading: Room) -> None:
    """All graphs do not fit into a format of one."""
    with pytest.raises(NotAcceptable, match=r"nq .*trig"):
        await reading.dump("text/turtle")


async def test_an_answer_over_the_bounds_is_an_error(built: Path) -> None:
    """An answer is counted before any of it is sent, and the reader that counted it goes on."""
    room = Room(built, limits=replace(LIMITS, answer=Bounds(2_000, 200_000)))
    await room.start()
    try:
        whole_of = await whole(await room.query(QueryRequest("SELECT ?s ?p ?o { ?s ?p ?o }"), "csv"))
        assert len(whole_of) > 65_536
        assert len(whole_of.splitlines()) == 2_001
        for text, limit in (
            ("SELECT * { { ?s ?p ?o } UNION { BIND(1 AS ?s) } }", "rows=2000"),
            (
                "SELECT * { ?s ?p ?o BIND(STR(?s) AS ?a) BIND(STR(?p) AS ?b) BIND(STR(?s) AS ?c) }",
                "bytes=200000",
            ),
        ):
            with pytest.raises(AnswerTooLarge) as caught:
                await room.query(QueryRequest(text), "csv")
            assert caught.value.limit == limit
        assert room.status()["kills"] == 0
        assert len((await whole(await room.read("http://example.org/graph", "nt"))).splitlines()) == 2_000
    finally:
        await room.close()


async def test_a_client_that_leaves_stops_its_query(reading: Room) -> None:
    """Cancelled requests and closed streams end their readers, and the places are free again."""
    waits = asyncio.ensure_future(reading.query(QueryRequest(PRODUCT), ""))
    await until(lambda: reading.status()["readers_busy"] + reading.status()["readers_slow"] == 1)
    reply = await reading.query(QueryRequest("SELECT * { ?a ?b ?c . ?d ?e ?f }"), "text/csv")
    assert reply.chunks is not None
    await anext(reply.chunks)
    await reply.chunks.aclose()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)

    await until(lambda: reading.status()["kills"] == 2)
    await until(lambda: reading.status()["readers_idle"] == 3)


async def test_a_reader_that_dies_after_its_client_has_left_is_replaced(reading: Room) -> None:
    """Nobody waits for it any longer, and its place is free."""
    waits = asyncio.ensure_future(reading.query(QueryRequest(PRODUCT), ""))
    await until(lambda: reading.status()["readers_busy"] == 1)
    (worker,) = reading._readers.pool._busy
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    os.kill(worker.pid, signal.SIGKILL)

    await until(lambda: reading.status()["readers_busy"] + reading.status()["readers_slow"] == 0)
    await until(lambda: reading.status()["readers_idle"] == 3)
    assert reading.status()["kills"] == 0


async def test_a_reader_whose_client_leaves_is_kept_when_it_is_done(reading: Room) -> None:
    """What ends in a moment may end, and the reader is free again."""
    reply = await reading.query(QueryRequest("SELECT * { ?s ?p ?o }"), "text/csv")
    readers = reading._readers.pool.pids()
    assert reply.chunks is not None
    await anext(reply.chunks)
    await reply.chunks.aclose()

    await until(lambda: reading.status()["readers_idle"] == 3)
    assert reading.status()["kills"] == 0
    assert reading._readers.pool.pids() == readers


async def test_a_reader_that_is_killed_fails_one_request(reading: Room) -> None:
    """The request at a reader that dies is answered with an error, and the next one is not."""
    waits = asyncio.ensure_future(reading.query(QueryRequest(PRODUCT), ""))
    await until(lambda: reading.status()["readers_busy"] + reading.status()["readers_slow"] == 1)
    killed = set(reading._readers.pool.pids())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(EngineCrashed):
        await waits
    await until(lambda: not killed & set(reading._readers.pool.pids()))
    assert await count(reading) == 2_000


async def test_a_nursery_that_was_started_before_is_used(built: Path) -> None:
    """Its process is the one that forks the first readers, and ends with the room."""
    with closing(Nursery.spawn()) as nursery:
        room = Room(built, limits=LIMITS, nursery=nursery)
        await room.start()
        assert ("nursery", nursery.process.pid) in room.processes()

        await room.close()

        assert nursery.process.returncode is not None


async def test_a_nursery_that_died_before_it_was_used_is_replaced(built: Path) -> None:
    """The room starts all the same."""
    with closing(Nursery.spawn()) as nursery:
        nursery.process.kill()
        room = Room(built, limits=LIMITS, nursery=nursery)
        await room.start()
        assert room.status()["readers_idle"] >= 1
        await room.close()


async def test_a_nursery_that_is_killed_is_replaced(reading: Room) -> None:
    """When the process that holds the version dies, its readers go with it, and others take over."""
    await until(lambda: reading.status()["in_memory"] == 1)
    memory = reading._readers._memory
    assert memory is not None
    os.kill(memory.pid, signal.SIGKILL)
    await until(lambda: memory.lost)

    assert await count(reading) == 2_000
    await until(lambda: reading.status()["in_memory"] == 1)


async def test_a_query_may_take_only_so_much_memory(built: Path) -> None:
    """A query that wants more memory than it may take fails alone."""
    room = Room(built, limits=Limits(worker_memory=64 * 1_048_576))
    await room.start()
    long = "x" * 2_000
    text = f"SELECT (GROUP_CONCAT(?x) AS ?all) {{ ?a ?b ?c . ?d ?e ?f BIND(CONCAT('{long}', ?f) AS ?x) }}"
    try:
        with pytest.raises(EngineCrashed, match="memory"):
            await room.query(QueryRequest(text), "")
        assert await count(room) == 2_000
    finally:
        await room.close()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT * {", QuerySyntaxError),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", QueryRefused),
        ("ASK " + "{" * 200 + "}" * 200, TooLarge),
        ("ASK { FILTER(<http://example.org/f>(1)) }", NotSupported),
        ("ASK {} \ud800", QuerySyntaxError),
    ],
)
async def test_a_bad_query_is_told_why(reading: Room, text: str, error: type[MedkgError]) -> None:
    """Errors come through from the reader with their kind, and the reader goes on."""
    pids = set(reading._readers.pool.pids())
    with pytest.raises(error):
        await reading.query(QueryRequest(text), "")

    assert pids & set(reading._readers.pool.pids())


async def test_labels_and_notes_come_with_an_answer(reading: Room) -> None:
    """Labels are added in the asked language, and a term that is not there is named when there are terms."""
    request = QueryRequest("SELECT ?s { ?s rdfs:label 'one'@en }", labels=("fr",))
    reply = await reading.query(request, "text/csv")

    assert reply.body == b"s,sLabel\r\nhttp://example.org/s1,un\r\n"


async def test_a_write_is_seen_by_the_next_query(room: Room) -> None:
    """What an accepted update wrote is in every answer from then on, from memory and from the disk."""
    for number in range(4):
        commit = await room.update(
            UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> {number} }} }}"), ADMIN
        )
        assert commit.version == number + 2
        answer = await csv(room, "SELECT ?o { <urn:a> <urn:b> ?o } ORDER BY ?o")
        assert answer.split() == ["o", *map(str, range(number + 1))]
        if number == 1:
            await until(lambda: room.status()["in_memory"] == 1)


async def test_an_update_that_fails_changes_nothing(room: Room) -> None:
    """A sequence whose last operation fails leaves the version and every triple as they were."""
    with pytest.raises(MedkgError):
        await room.update(
            UpdateRequest(
                f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> 1 }} }} ; CREATE GRAPH <{MANUAL}>"
            ),
            ADMIN,
        )

    assert (room.version, await count(room)) == (1, 10)


async def test_an_update_has_a_deadline(tmp_path: Path) -> None:
    """An update that runs for ever is stopped, leaves nothing, and the next one is carried out."""
    build(tmp_path, 300)
    room = Room(tmp_path, limits=Limits(update_timeout=8))
    await room.start()
    runaway = f"INSERT {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> ?n }} }} WHERE {{ {{ {PRODUCT} }} }}"
    try:
        with pytest.raises(DeadlineExceeded):
            await room.update(UpdateRequest(runaway), ADMIN)
        assert room.version == 1
        commit = await room.update(UpdateRequest(f"CREATE GRAPH <{MANUAL}>"), ADMIN)
        assert commit.version == 2
    finally:
        await room.close()


async def test_a_key_brings_back_the_outcome(room: Room) -> None:
    """A write that is sent again with its key is not done twice."""
    request = UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> 1 }} }}")
    first = await room.update(request, ADMIN, "key-1")
    await room.update(UpdateRequest(f"DROP GRAPH <{MANUAL}>"), ADMIN)

    again = await room.update(request, ADMIN, "key-1")

    assert again.version == first.version
    assert MANUAL not in await room.graphs()


async def test_a_killed_writer_loses_nothing_that_was_accepted(room: Room) -> None:
    """After the writer died between two writes the second one finds all of the first."""
    await room.update(UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> 1 }} }}"), ADMIN)
    os.kill(room._scribe.pid, signal.SIGKILL)
    await until(lambda: room._scribe._peer is None or room._scribe._peer.over)

    commit = await room.update(
        UpdateRequest(
            f"INSERT {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:c> ?o }} }} WHERE {{ <urn:a> <urn:b> ?o }}"
        ),
        ADMIN,
    )

    assert MANUAL in commit.changed
    assert (await csv(room, "SELECT ?o { <urn:a> <urn:c> ?o }")).split() == ["o", "1"]


async def test_who_may_not_write_a_graph_changes_nothing(room: Room) -> None:
    """A steward writes what stewards write by hand, and nothing else."""
    with pytest.raises(Forbidden):
        await room.update(UpdateRequest("INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:b> 1 } }"), STEWARD)

    assert room.version == 1


async def pieces(*found: bytes) -> AsyncIterator[bytes]:
    for piece in found:
        yield piece


async def test_a_document_becomes_a_graph(room: Room) -> None:
    """A document that came in pieces is read in a process of its own and replaces a graph."""
    path = await room.parse(pieces(b"<a> <b> ", b"<c>, 'd' ."), "text/turtle", "http://example.org/")
    commit = await room.write(GraphWrite("put", "urn:g", path), ADMIN)
    reply = await room.read("urn:g", "nt")

    assert path.read_bytes().count(b"\n") == 2
    assert (commit.changed, commit.created) == (("urn:g",), True)
    assert (await whole(reply)).startswith(b"<http://example.org/a> <http://example.org/b> ")


@pytest.mark.parametrize(
    ("document", "media_type", "error"),
    [
        (b"<a> <b> ", "text/turtle", SourceFileError),
        (b"\xff\xfe", "text/turtle", SourceFileError),
        (b"{" * 2_000_000, "application/ld+json", MedkgError),
        (b"[" * 2_000_000, "application/ld+json", MedkgError),
        (b'{"@context": "http://127.0.0.1:9/", "a": 1}', "application/ld+json", SourceFileError),
        (b"<a> <b> <c> <d> .", "application/n-quads", UnsupportedMedia),
        (b"a,b", "text/csv", UnsupportedMedia),
    ],
    ids=["broken", "not UTF-8", "deep objects", "deep lists", "remote context", "quads", "table"],
)
async def test_a_document_that_can_not_be_read_leaves_nothing(
    room: Room, document: bytes, media_type: str, error: type[MedkgError]
) -> None:
    """Whatever is wrong with a document, there is an error, no file stays, and the room goes on."""
    with pytest.raises(error):
        await room.parse(pieces(document), media_type, "http://example.org/")

    assert list((room._root / "spool").glob("*")) == []
    assert await count(room) == 10


async def test_an_entity_bomb_ends_its_reader_alone(room: Room) -> None:
    """Nested entities that would fill the memory end in an error."""
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    document = (
        f'<!DOCTYPE r [<!ENTITY e0 "{"x" * 100}">{entities}]>'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/">'
        '<rdf:Description rdf:about="http://example.org/a"><e:p>&e11;</e:p></rdf:Description></rdf:RDF>'
    )
    with pytest.raises(MedkgError):
        await room.parse(pieces(document.encode()), "application/rdf+xml", "http://example.org/")

    assert await count(room) == 10


async def test_what_a_steward_writes_is_validated(tmp_path: Path) -> None:
    """A version that the check refuses is not published, and one that it lets pass is."""
    build(tmp_path, 10)
    refused = True
    seen: list[tuple[str, ...]] = []

    async def check(folder: Path, changed: tuple[str, ...]) -> None:
        seen.append(changed)
        assert (folder / "store").is_dir()
        if refused:
            raise GraphInvalid("no", [Finding("X-1", Severity.VIOLATION, "no", "urn:a")])

    room = Room(tmp_path, limits=LIMITS, check=check)
    await room.start()
    request = UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> 1 }} }}")
    try:
        with pytest.raises(GraphInvalid):
            await room.update(request, STEWARD)
        assert (room.version, MANUAL in await room.graphs()) == (1, False)
        refused = False
        assert (await room.update(request, STEWARD)).version == 2
        assert all(MANUAL in changed for changed in seen)
    finally:
        await room.close()


async def test_old_versions_go(room: Room) -> None:
    """After many writes only the versions stay that may still be read."""
    room._readers._limit = 0
    for number in range(6):
        await room.update(
            UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> {number} }} }}"), ADMIN
        )
    room._replaced.clear()
    await count(room)
    await asyncio.to_thread(room._prune)

    numbers = {int(path.name) for path in (room._root / "snapshots").iterdir()}
    assert numbers <= {6, 7} | room._readers.used()
    assert Snapshots(room._root).require().version == 7


async def test_nothing_is_left_after_the_end(tmp_path: Path) -> None:
    """A closed room leaves no process and no file in the making."""
    build(tmp_path, 10)
    room = Room(tmp_path, limits=LIMITS)
    await room.start()
    await room.update(UpdateRequest(f"INSERT DATA {{ GRAPH <{MANUAL}> {{ <urn:a> <urn:b> 1 }} }}"), ADMIN)
    keepers = [keeper.pid for keeper in (room._readers._disk, room._readers._memory) if keeper is not None]
    pids = [*room._readers.pool.pids(), *keepers, room._scribe.pid]
    await room.close()

    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert list((tmp_path / "snapshots").glob(".tmp-*")) == []


async def test_plain_sparql_has_the_default_graph_of_the_store(tmp_path: Path) -> None:
    """Without the union a query sees the default graph alone, and updates write it."""
    build(tmp_path, 10)
    room = Room(tmp_path, limits=LIMITS, union=False)
    await room.start()
    try:
        assert await count(room) == 0
        await room.update(UpdateRequest("INSERT DATA { <urn:a> <urn:b> 1 }"), ADMIN)
        assert await count(room) == 1
        assert len((await csv(room, "SELECT * { GRAPH ?g { ?s ?p ?o } }")).splitlines()) == 11
    finally:
        await room.close()
