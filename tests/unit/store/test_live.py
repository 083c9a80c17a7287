"""store/live.py: a write becomes the next version whole, or leaves nothing."""

import errno
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, RDFS
from rdflib.term import Literal, URIRef

import medkg.store.live
from medkg.domain.errors import (
    Conflict,
    Forbidden,
    MedkgError,
    NotFound,
    ParameterError,
    PreconditionFailed,
    QueryRefused,
    QuerySyntaxError,
    SourceFileError,
    StorageFull,
    StoreFailed,
    StoreMissing,
)
from medkg.domain.model import Author, Commit, GraphState, GraphWrite, Quad, Role, UpdateRequest
from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED, MEDKG, PREFIXES
from medkg.store.counts import Counts
from medkg.store.index import Index
from medkg.store.live import Live
from medkg.store.merge import build_merge
from medkg.store.policy import Limits
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate

NOW = datetime(2026, 3, 1, 12, 30, 15, 999, UTC)
STEWARD, ADMIN = Author("Ada", Role.STEWARD), Author("Root", Role.ADMIN, unchecked=True)
MANUAL, RECORD = str(GRAPH["manual/x"]), str(GRAPH["prov/manual/x"])
ONE, TWO = GRAPH["source/one"], GRAPH["source/two"]
LIMITS = Limits()


def _iri(name: str) -> URIRef:
    return URIRef("https://example.org/" + name)


FACTS: tuple[Quad, ...] = (
    (_iri("a"), RDF.type, MEDKG.Partnership, ONE),
    (_iri("a"), RDFS.label, Literal("a", lang="en"), ONE),
    (_iri("a"), RDFS.label, Literal("a", lang="en"), TWO),
    (MEDKG.Partnership, RDFS.subClassOf, MEDKG.Network, TWO),
    (_iri("m"), RDFS.label, Literal("raw"), GRAPH["mentions/one"]),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with candidate(tmp_path / "var") as work:
        work.add(FACTS)
        work.close()
        work.publish()
    return tmp_path / "var"


@pytest.fixture
def live(root: Path) -> Live:
    return Live(root)


@pytest.fixture
def plain(root: Path) -> Live:
    return Live(root, union=False)


def _update(live: Live, text: str, author: Author = STEWARD, key: str = "") -> Commit:
    prepared = live.update(UpdateRequest(text), author, LIMITS, now=NOW, key=key)
    return prepared.commit if prepared.folder is None else live.publish()


def _write(live: Live, change: GraphWrite, author: Author = STEWARD, key: str = "") -> Commit:
    prepared = live.write(change, author, now=NOW, key=key)
    return prepared.commit if prepared.folder is None else live.publish()


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "body.nt"
    path.write_text("".join(f"{line} .\n" for line in lines), encoding="utf-8")
    return path


def _put(tmp_path: Path, *lines: str, graph: str | None = MANUAL) -> GraphWrite:
    return GraphWrite("put", graph, _file(tmp_path, *lines))


def _content(root: Path) -> set[ox.Quad]:
    return set(ox.Store.read_only(str(Snapshots(root).require().store)))


def _graph(root: Path, name: str | None) -> set[str]:
    graph = ox.DefaultGraph() if name is None else ox.NamedNode(name)
    return {str(quad.triple) for quad in _content(root) if quad.graph_name == graph}


def _check(root: Path, before: set[ox.Quad] | None = None) -> None:
    """Check that all parts of the current version say the same, and how it differs from *before*."""
    snapshot = Snapshots(root).require()
    store, merged = (ox.Store.read_only(str(path)) for path in (snapshot.store, snapshot.merged))
    anew = ox.Store()
    anew.extend(quad for quad in store if isinstance(quad.graph_name, ox.NamedNode))
    if not snapshot.union:
        anew.remove_graph(ox.NamedNode(str(GRAPH_INFERRED)))
    build_merge(anew)
    assert set(merged) == set(anew)
    index = Index.read(snapshot.path)
    assert {name: state.triples for name, state in index.graphs.items()} == {
        graph.value: sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
        for graph in store.named_graphs()
        if isinstance(graph, ox.NamedNode)
    }
    default = store.quads_for_pattern(None, None, None, ox.DefaultGraph())
    assert index.default.triples == sum(1 for _ in default)
    assert index.counts == Counts.of(store)
    if before is not None:
        after = set(store)
        for name, expected in (("removed", before - after), ("added", after - before)):
            assert set(ox.parse(path=snapshot.path / f"{name}.nq")) == expected
    assert not list((root / "snapshots").glob(".tmp-*"))


A_B = "<https://example.org/a> <https://example.org/p> <https://example.org/b>"
B_C = "<https://example.org/b> <https://example.org/p> <https://example.org/c>"


def test_a_version_without_counts_gets_them_with_the_next_write(root: Path) -> None:
    """What an earlier release has written is gone on from."""
    path = Snapshots(root).require().path / "index.json"
    plain = json.loads(path.read_text())
    del plain["counts"]
    path.write_text(json.dumps(plain))
    assert Index.read(path.parent).counts is None

    _update(Live(root), f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}")

    _check(root)


# --- Updates ---------------------------------------------------------------------------------------


def test_an_update_makes_a_version(root: Path, live: Live) -> None:
    """What an update changes is in the next version: its graph, the merge, the record of who wrote it."""
    before = _content(root)
    commit = _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}")
    assert commit == Commit(2, (MANUAL, RECORD), created=True, delta=root / "snapshots" / "2")
    assert _graph(root, MANUAL) == {A_B}
    assert A_B in _graph(root, None)
    _check(root, before)
    assert live.version == Snapshots(root).require().version == 2


def test_the_record_of_a_manual_graph(root: Path, live: Live) -> None:
    """The record says who wrote last and when, and goes with the graph."""
    _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}")
    first = _graph(root, RECORD)
    activity, agent = f"<{RECORD}#activity>", f"<{RECORD}#agent>"
    prov = "http://www.w3.org/ns/prov#"
    assert first == {
        f"<{MANUAL}> <{prov}wasGeneratedBy> {activity}",
        f"{activity} <{RDF.type}> <{prov}Activity>",
        f"{activity} <{prov}wasAssociatedWith> {agent}",
        f'{activity} <{prov}endedAtTime> "2026-03-01T12:30:15Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>',
        f"{agent} <{RDF.type}> <{prov}Agent>",
        f'{agent} <http://xmlns.com/foaf/0.1/name> "Ada"',
    }
    _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {B_C} }} }}", ADMIN)
    assert {line.replace('"Root"', '"Ada"') for line in _graph(root, RECORD)} == first
    assert _graph(root, RECORD) != first
    _update(live, f"DROP GRAPH <{MANUAL}>")
    assert _graph(root, RECORD) == set()
    _check(root)


def test_an_update_reads_the_merge(root: Path, live: Live) -> None:
    """WHERE outside GRAPH sees the merge with the closures; a dataset in the request takes its place."""
    text = f"INSERT {{ GRAPH <{MANUAL}> {{ ?s a medkg:Found }} }} WHERE {{ ?s a medkg:Network }}"
    request = UpdateRequest(text, using_graphs=(str(ONE),))
    assert live.update(request, STEWARD, LIMITS, now=NOW).folder is None
    assert _update(live, text).version == 2
    assert len(_graph(root, MANUAL)) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"DELETE DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}",
        f"INSERT DATA {{ GRAPH <{MANUAL}> {{ }} }}",
        "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(false) } }",
    ],
)
def test_what_changes_nothing_makes_no_version(root: Path, live: Live, text: str) -> None:
    """An update that comes to nothing is answered with the version that is there."""
    assert _update(live, text) == Commit(1)
    assert [entry.name for entry in (root / "snapshots").iterdir()] == ["1"]


@pytest.mark.parametrize("small", [50_000, 0])
@pytest.mark.parametrize(
    "where",
    [f"GRAPH <{ONE}> {{ ?s rdfs:label ?o }}", f"GRAPH ?g {{ ?s rdfs:label ?o }} FILTER(?g = <{ONE}>)"],
)
def test_the_change_is_found_in_each_way(
    root: Path, live: Live, monkeypatch: pytest.MonkeyPatch, where: str, small: int
) -> None:
    """Whether the graphs are named, few, large or any, the version and its difference are the same."""
    monkeypatch.setattr("medkg.store.workspace._SMALL", small)
    before = _content(root)
    pattern = where.partition(" FILTER")[0]
    template = pattern.replace("?o", '"new"')
    text = f"DELETE {{ {pattern} }} INSERT {{ {template} }} WHERE {{ {where} }}"
    assert _update(live, text, ADMIN).changed == (str(ONE),)
    removed = before - _content(root)
    assert [str(quad) for quad in removed] == [f'<https://example.org/a> <{RDFS.label}> "a"@en <{ONE}>']
    _check(root, before)


@pytest.mark.parametrize("text", ["", "# nothing", "BASE <http://e/>\n# nothing\n", "PREFIX : <http://e/>"])
def test_an_update_without_operations_changes_nothing(live: Live, text: str) -> None:
    """Declarations and comments alone are an update too (SPARQL 1.1 Update, section 4.1)."""
    assert _update(live, text).version == 1


def test_empty_graphs_are_graphs(root: Path, live: Live) -> None:
    """A graph that is made empty or emptied is there; one that is dropped is not."""
    assert _update(live, f"CREATE GRAPH <{MANUAL}>").created
    index = Index.read(Snapshots(root).require().path)
    assert index.graphs[MANUAL] == GraphState(0, 2)
    _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }} ; CLEAR GRAPH <{MANUAL}>")
    assert live.version == 2
    _update(live, f"DROP GRAPH <{MANUAL}>")
    _check(root)
    assert MANUAL not in Index.read(Snapshots(root).require().path).graphs


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"CLEAR GRAPH <{ONE}> ; CREATE GRAPH <urn:empty>", {str(ONE), "urn:empty"}),
        (f"CLEAR GRAPH <{ONE}>", {str(ONE)}),
        (f"DROP GRAPH <{ONE}>", set()),
        (f"DELETE WHERE {{ GRAPH <{ONE}> {{ ?s ?p ?o }} }}", {str(ONE)}),
    ],
)
def test_what_takes_most_of_the_store_away(
    root: Path, live: Live, monkeypatch: pytest.MonkeyPatch, text: str, named: set[str]
) -> None:
    """Where more goes than stays, the version is as right, says what changed, and has no difference."""
    _update(live, f"DROP GRAPH <{TWO}> ; DROP GRAPH <{GRAPH['mentions/one']}>", ADMIN)
    monkeypatch.setattr("medkg.store.workspace._LARGE", 1)
    commit = _update(live, text, ADMIN)
    assert commit.delta is None
    assert {str(ONE)} <= set(commit.changed)
    assert Index.read(Snapshots(root).require().path).graphs.keys() == named
    _check(root)
    before = _content(root)
    assert _update(live, f"INSERT DATA {{ GRAPH <{ONE}> {{ {A_B} }} }}", ADMIN).delta is not None
    _check(root, before)


def test_an_update_that_fails_halfway_leaves_nothing(root: Path, live: Live) -> None:
    """Operations before the one that fails are undone, and the next write knows nothing of them."""
    before = _content(root)
    with pytest.raises(Conflict, match="already exists"):
        _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }} ; CREATE GRAPH <{MANUAL}>")
    assert _content(root) == before
    assert _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {B_C} }} }}").version == 2
    assert _graph(root, MANUAL) == {B_C}
    _check(root, before)


def test_an_update_with_declarations_is_read_whole_first(root: Path, live: Live) -> None:
    """What does not parse at its end does nothing at its beginning; its place is that in the text."""
    start = f"PREFIX m: <{MANUAL}> # one\nINSERT DATA {{ GRAPH m: {{ {A_B} }} }}"
    with pytest.raises(QuerySyntaxError) as caught:
        _update(live, f"{start} ;\nDELETE WHERE {{ GRAPH m: {{ _:b ?p ?o }} }}")
    assert caught.value.line == 3
    assert not live.stale
    assert _update(live, start).version == 2
    assert _graph(root, MANUAL) == {A_B}


RELABEL = """
    DELETE { GRAPH ?g { ?s rdfs:label ?o } } INSERT { GRAPH ?g { ?s rdfs:label 1 } }
    WHERE { GRAPH ?g { ?s rdfs:label ?o } }
"""


@pytest.mark.parametrize(
    ("text", "author", "error", "message"),
    [
        ("INSERT DATA { GRAPH <urn:g> { <urn:s> ", STEWARD, QuerySyntaxError, "does not parse"),
        ("INSERT DATA { <urn:s> <urn:p> 1 }", ADMIN, Conflict, "writes outside GRAPH"),
        ("CLEAR DEFAULT", ADMIN, Conflict, "writes outside GRAPH"),
        ("LOAD <http://127.0.0.1:9/> INTO GRAPH <urn:g>", ADMIN, QueryRefused, "LOAD"),
        (f"DROP GRAPH <{MANUAL}>", STEWARD, Conflict, "does not exist"),
        (f"CLEAR GRAPH <{ONE}>", STEWARD, Forbidden, "may not write"),
        (f"CLEAR GRAPH <{GRAPH_INFERRED}>", ADMIN, Forbidden, "follows from the other graphs"),
        ("DROP NAMED", STEWARD, Forbidden, "follows from the other graphs"),
        ("DROP NAMED", ADMIN, Forbidden, "follows from the other graphs"),
        (RELABEL, STEWARD, Forbidden, "may not write"),
        (f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}", Author("s", Role.SUBMITTER), Forbidden, "token"),
    ],
)
def test_what_is_refused_changes_nothing(
    live: Live, text: str, author: Author, error: type[MedkgError], message: str
) -> None:
    """An update that is refused, before or after it was evaluated, leaves nothing, also in the next write."""
    with pytest.raises(error, match=message):
        _update(live, text, author)
    root = live.root
    before = _content(root)
    assert _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}").version == 2
    _check(root, before)


# --- Whole graphs ----------------------------------------------------------------------------------


def test_the_life_of_a_graph(root: Path, live: Live, tmp_path: Path) -> None:
    """A graph is put, replaced, added to and deleted; each step is a version, and says whether it is new."""
    steps: list[tuple[GraphWrite, bool, set[str]]] = [
        (_put(tmp_path, A_B), True, {A_B}),
        (GraphWrite("put", MANUAL, _file(tmp_path, B_C)), False, {B_C}),
        (GraphWrite("post", MANUAL, _file(tmp_path, A_B)), False, {A_B, B_C}),
        (GraphWrite("delete", MANUAL), False, set()),
    ]
    for number, (change, created, content) in enumerate(steps):
        if change.triples is not None:
            _file(tmp_path, *(A_B, B_C, A_B)[number : number + 1])
        before = _content(root)
        commit = _write(live, change)
        assert (commit.version, commit.created) == (number + 2, created)
        assert MANUAL in commit.changed
        assert _graph(root, MANUAL) == content
        _check(root, before)
    with pytest.raises(NotFound, match="no graph"):
        _write(live, GraphWrite("delete", MANUAL))


def test_putting_what_is_there_makes_no_version(live: Live, tmp_path: Path) -> None:
    """The same triples again, also in another form that the store keeps alike, are no change."""
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    assert _write(live, _put(tmp_path, f'<urn:s> <urn:p> "7"{integer}')).version == 2
    for action in ("put", "post"):
        file = _file(tmp_path, f'<urn:s> <urn:p> "07"{integer}')
        assert _write(live, GraphWrite(action, MANUAL, file)) == Commit(2)


def test_an_empty_graph_can_be_put(root: Path, live: Live, tmp_path: Path) -> None:
    """A graph without a triple is a graph."""
    assert _write(live, _put(tmp_path)).created
    assert Index.read(Snapshots(root).require().path).graphs[MANUAL] == GraphState(0, 2)


def test_blank_nodes_of_two_documents_are_two(root: Path, live: Live, tmp_path: Path) -> None:
    """Adding a document twice adds its blank nodes twice (RDF 1.1 Semantics, section 4.1)."""
    change = GraphWrite("post", MANUAL, _file(tmp_path, "_:a <urn:p> <urn:o>"))
    _write(live, change)
    _write(live, change)
    assert len(_graph(root, MANUAL)) == 2
    _check(root)


@pytest.mark.parametrize(
    ("graph", "state", "passes"),
    [
        (MANUAL, (None, None), True),
        (MANUAL, (0, None), True),
        (MANUAL, (-1, None), False),
        (MANUAL, (1, None), False),
        (MANUAL, (None, -1), True),
        (MANUAL, (None, 1), True),
        (ONE, (None, None), True),
        (ONE, (0, None), False),
        (ONE, (-1, None), True),
        (ONE, (1, None), True),
        (ONE, (2, None), False),
        (ONE, (None, -1), False),
        (ONE, (None, 1), False),
        (ONE, (None, 2), True),
    ],
)
def test_a_write_may_insist_on_the_state_of_its_graph(
    live: Live, tmp_path: Path, graph: str, state: tuple[int | None, int | None], passes: bool
) -> None:
    """If-Match and If-None-Match are compared with the version that changed the graph last."""
    change = GraphWrite("put", str(graph), _file(tmp_path, A_B), *state)
    if passes:
        assert _write(live, change, ADMIN).version == 2
    else:
        with pytest.raises(PreconditionFailed, match="Read it again"):
            _write(live, change, ADMIN)


@pytest.mark.parametrize(
    ("graph", "lines", "error"),
    [
        (None, [A_B], Conflict),
        ("no iri", [A_B], Forbidden),
        (MANUAL, ["no triple"], SourceFileError),
        (str(GRAPH["manual/No-Slug"]), [A_B], Forbidden),
    ],
)
def test_a_bad_write_is_refused(
    live: Live, tmp_path: Path, graph: str | None, lines: list[str], error: type[MedkgError]
) -> None:
    """Who writes where nobody may, or what is no graph, is told so."""
    with pytest.raises(error):
        _write(live, _put(tmp_path, *lines, graph=graph))
    assert _write(live, _put(tmp_path, A_B)).version == 2


def test_a_name_that_is_no_iri_is_refused(plain: Live, tmp_path: Path) -> None:
    """A graph name that the engine does not take is a bad parameter."""
    with pytest.raises(ParameterError, match="no IRI"):
        _write(plain, _put(tmp_path, A_B, graph="no iri"))


# --- Keys, candidates, failures --------------------------------------------------------------------


def test_a_key_is_answered_once(root: Path, live: Live, tmp_path: Path) -> None:
    """A write with a key that was seen is not done again: in this process, and in the next one."""
    first = _write(live, _put(tmp_path, A_B), key="one")
    nothing = _write(live, _put(tmp_path, A_B), key="two")
    assert (first.version, nothing.version) == (2, 2)
    _write(live, _put(tmp_path, B_C), key="three")
    for writer in (live, Live(root)):
        for key, version in (("one", 2), ("two", 2), ("three", 3)):
            assert _write(writer, _put(tmp_path, A_B), key=key) == Commit(version)
            assert _update(writer, f"CLEAR GRAPH <{MANUAL}>", key=key) == Commit(version)
    assert _graph(root, MANUAL) == {B_C}


def test_keys_are_forgotten_in_their_order() -> None:
    """The last thousand keys are remembered."""
    index = Index()
    for number in range(1_005):
        index = index.remembering({f"key {number}": number})
    assert len(index.keys) == 1_000
    assert next(iter(index.keys)) == "key 5"
    assert list(index.remembering({"key 5": 9}).keys)[-1] == "key 5"


def test_a_candidate_can_be_looked_at_and_dropped(root: Path, live: Live, tmp_path: Path) -> None:
    """What is prepared stands in a folder of its own; dropped, it leaves nothing in the next version."""
    prepared = live.write(_put(tmp_path, A_B), STEWARD, now=NOW, key="one")
    assert prepared.folder is not None
    seen = {str(quad.triple) for quad in ox.Store.read_only(str(prepared.folder / "store"))}
    assert A_B in seen
    assert live.version == Snapshots(root).require().version == 1
    live.abort()
    assert not prepared.folder.exists()
    with pytest.raises(StoreFailed, match="Nothing was prepared"):
        live.publish()
    assert _write(live, _put(tmp_path, B_C), key="one").version == 2
    assert _graph(root, MANUAL) == {B_C}
    _check(root)


def test_a_new_write_drops_what_was_prepared(root: Path, live: Live, tmp_path: Path) -> None:
    """A write that comes before the last one was published goes on from the current version."""
    live.write(_put(tmp_path, A_B), STEWARD, now=NOW)
    assert _write(live, GraphWrite("post", MANUAL, _file(tmp_path, B_C))).version == 2
    assert _graph(root, MANUAL) == {B_C}
    _check(root)


def _full(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "place", ["Index.write", "Difference.write", "Workspace.follow", "Snapshots.begin", "Snapshots.publish"]
)
def test_a_full_disk_refuses_the_write(
    root: Path, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Wherever the room runs out, the version before stays, and once there is room, writing goes on."""
    name, _, method = place.partition(".")
    before = _content(root)
    with monkeypatch.context() as patch:
        patch.setattr(getattr(medkg.store.live, name), method, _full)
        with pytest.raises(StorageFull, match="nothing was changed"):
            _write(live, _put(tmp_path, A_B))
    assert [entry.name for entry in (root / "snapshots").iterdir()] == ["1"]
    live.settle()
    assert not live.stale
    assert _write(live, _put(tmp_path, A_B)).version == 2
    _check(root, before)


def test_a_version_that_came_from_elsewhere_is_adopted(root: Path, live: Live, tmp_path: Path) -> None:
    """After another process has published, a reset goes on from its version."""
    _write(live, _put(tmp_path, A_B))
    with candidate(root) as work:
        work.remove(ONE)
        work.close()
        work.publish()
    live.reset()
    assert live.version == 3
    before = _content(root)
    assert _write(live, _put(tmp_path, B_C)).version == 4
    _check(root, before)


def test_a_long_difference_is_not_kept(root: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference that nobody would follow is not written, and the commit says so."""
    monkeypatch.setattr("medkg.store.difference._MAX_QUADS", 3)
    assert _update(live, f"INSERT DATA {{ GRAPH <{MANUAL}> {{ {A_B} }} }}").delta is None
    assert not (root / "snapshots" / "2" / "added.nq").exists()


def test_nothing_is_written_where_nothing_was_built(tmp_path: Path) -> None:
    """Without a version there is nothing to go on from."""
    with pytest.raises(StoreMissing):
        Live(tmp_path)


def test_what_a_killed_writer_left_is_swept(root: Path) -> None:
    """A new writer removes the scratch copy of the last one, and its version in the making."""
    for left in ("live/old/store", "snapshots/.tmp-1/store"):
        (root / left).mkdir(parents=True)
    Live(root)
    assert not (root / "snapshots" / ".tmp-1").exists()
    assert [entry.name for entry in (root / "live").iterdir()] != ["old"]
    assert len(list((root / "live").iterdir())) == 1


def test_an_index_that_can_not_be_read_is_named(root: Path) -> None:
    """A version whose index is damaged is not written on."""
    (root / "snapshots" / "1" / "index.json").write_text(json.dumps({"graphs": 1}))
    with pytest.raises(StoreFailed, match="index of version 1"):
        Live(root)


# --- Without the union -----------------------------------------------------------------------------


def test_plain_writes_go_where_they_say(root: Path, plain: Live, tmp_path: Path) -> None:
    """Without the union the default graph is what people put there, and the merge stands aside."""
    current = Snapshots(root).require()
    assert (current.version, current.union) == (2, False)
    assert _graph(root, None) == set()
    _check(root)
    for change in (_put(tmp_path, A_B, graph=None), _put(tmp_path, A_B, graph=str(ONE))):
        before = _content(root)
        _write(plain, change)
        _check(root, before)
    assert _graph(root, None) == _graph(root, str(ONE)) == {A_B}
    _update(plain, f"CLEAR DEFAULT ; CREATE GRAPH <urn:empty> ; DROP GRAPH <{TWO}>")
    _check(root)
    assert _graph(root, None) == set()
    merged = ox.Store.read_only(str(Snapshots(root).require().merged))
    assert merged.contains_named_graph(ox.NamedNode("urn:empty"))
    assert not merged.contains_named_graph(ox.NamedNode(str(TWO)))


def test_plain_writes_have_no_records(root: Path, plain: Live, tmp_path: Path) -> None:
    """Plain SPARQL adds nothing of its own; any graph is a steward's."""
    commit = _write(plain, _put(tmp_path, A_B))
    assert commit.changed == (MANUAL,)
    assert _write(plain, _put(tmp_path, A_B, graph=str(GRAPH_INFERRED))).version == 4
    _check(root)


def test_the_default_graph_can_be_deleted(root: Path, plain: Live, tmp_path: Path) -> None:
    """The default graph is always there: deleting it empties it, and doing so again changes nothing."""
    _write(plain, _put(tmp_path, A_B, graph=None))
    assert _write(plain, GraphWrite("delete", None)).version == 4
    assert _write(plain, GraphWrite("delete", None)) == Commit(4)
    assert _graph(root, None) == set()


def test_the_mode_can_be_changed(root: Path, plain: Live, tmp_path: Path) -> None:
    """The data folder follows the setting, as long as nothing is lost by it."""
    _write(plain, _put(tmp_path, A_B))
    _write(plain, _put(tmp_path, B_C, graph=None))
    with pytest.raises(StoreFailed, match=r"1 triples.*MEDKG_UNION_DEFAULT_GRAPH=false"):
        Live(root)
    _write(Live(root, union=False), GraphWrite("delete", None))
    live = Live(root)
    assert Snapshots(root).require().union
    _check(root)
    assert _graph(root, MANUAL) == {A_B}
    assert _write(live, _put(tmp_path, B_C)).version == live.version
    _check(root)


# --- Any sequence ----------------------------------------------------------------------------------

TERMS = [f"<https://example.org/{name}>" for name in "abc"]
LINES = st.tuples(
    st.sampled_from(TERMS),
    st.sampled_from([f"<{RDFS.label}>", "<http://www.w3.org/2004/02/skos/core#broader>", f"<{RDF.type}>"]),
    st.sampled_from([*TERMS, f"<{MEDKG.Partnership}>"]),
).map(" ".join)
WRITES = st.tuples(
    st.sampled_from(["put", "post", "delete", "insert", "remove", "abort"]),
    st.sampled_from([str(GRAPH["manual/x"]), str(GRAPH["manual/y"]), str(ONE)]),
    st.lists(LINES, max_size=4),
)


@pytest.fixture(scope="module")
def make_root(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    def make() -> Path:
        folder = tmp_path_factory.mktemp("sequence")
        with candidate(folder) as work:
            work.add(FACTS)
            work.close()
            work.publish()
        return folder

    return make


@given(st.lists(WRITES, min_size=1, max_size=5), st.booleans(), st.sampled_from([200_000, 0]))
@settings(max_examples=16, deadline=None)
def test_any_sequence_of_writes_keeps_all_parts_in_step(
    make_root: Callable[[], Path], writes: list[tuple[str, str, list[str]]], union: bool, large: int
) -> None:
    """After each write the merge, the closures, the index and the difference fit what the graphs hold."""
    root = make_root()
    live = Live(root, union=union)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medkg.store.workspace._LARGE", large)
        for action, graph, lines in writes:
            _do(live, action, graph, lines)


def _do(live: Live, action: str, graph: str, lines: list[str]) -> None:
    """Do one write, and check what has become of the version."""
    root, version, before = live.root, live.version, _content(live.root)
    data = f"DATA {{ GRAPH <{graph}> {{ {' . '.join(lines)} }} }}"
    commit = Commit(version)
    try:
        if action in {"insert", "remove"}:
            commit = _update(live, f"{'INSERT' if action == 'insert' else 'DELETE'} {data}", ADMIN)
        elif action == "abort":
            live.write(GraphWrite("put", graph, _file(root, *lines)), ADMIN, now=NOW)
            live.abort()
        else:
            file = None if action == "delete" else _file(root, *lines)
            commit = _write(live, GraphWrite(action, graph, file), ADMIN)  # type: ignore[arg-type]
    except NotFound:
        assert action == "delete"
    _check(root, None if commit.delta is None else before)
    assert live.version > version or _content(root) == before


# --- Any update ------------------------------------------------------------------------------------

VALUES = [*TERMS, f"<{ONE}>", f"<{MEDKG.Partnership}>", "?s", "?o", "?g", "07"]
TEMPLATES = st.tuples(
    st.sampled_from([f"GRAPH <{ONE}>", f"GRAPH <{TWO}>", "GRAPH <urn:new>", "GRAPH ?g", "GRAPH ?o"]),
    st.sampled_from([*TERMS, "?s"]),
    st.sampled_from([f"<{RDFS.label}>", f"<{RDF.type}>", f"<{RDFS.subClassOf}>", "?p"]),
    st.sampled_from(VALUES),
).map(lambda parts: "{} {{ {} {} {} }}".format(*parts))
WHERES = st.sampled_from(
    [
        f"GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{GRAPH_INFERRED}>)",
        f"GRAPH ?g {{ ?s a ?o }} FILTER(?g IN (<{ONE}>, <{TWO}>))",
        "GRAPH ?g { ?s rdfs:label ?o }",
        "?s ?p ?o . VALUES ?g { <urn:new> }",
        f"GRAPH <{TWO}> {{ ?s ?p ?o }}",
    ]
)
CHANGES = st.tuples(TEMPLATES, TEMPLATES, WHERES).map(
    lambda parts: "DELETE {{ {} }} INSERT {{ {} }} WHERE {{ {} }}".format(*parts)
)
WHOLES = st.sampled_from(
    [
        *(
            f"{verb} {what}"
            for verb in ("CLEAR", "DROP SILENT")
            for what in ("NAMED", "ALL", f"GRAPH <{ONE}>")
        ),
        f"COPY SILENT <{TWO}> TO <urn:new>",
        f"MOVE SILENT <{ONE}> TO <{TWO}>",
        "CREATE SILENT GRAPH <urn:empty>",
        "DELETE WHERE { GRAPH ?g { ?s rdfs:label ?o } }",
        f"INSERT DATA {{ GRAPH <{TWO}> {{ <https://example.org/b> a medkg:Partnership }} }}",
    ]
)


@given(
    st.lists(st.one_of(CHANGES, WHOLES), min_size=1, max_size=3).map(" ; ".join),
    st.booleans(),
    st.sampled_from([50_000, 0]),
    st.sampled_from([200_000, 0]),
)
@settings(max_examples=40, deadline=None)
def test_any_update_is_what_the_engine_makes_of_it(
    make_root: Callable[[], Path], text: str, union: bool, small: int, large: int
) -> None:
    """However its changes are found, an update leads to the graphs that the engine alone would leave."""
    root = make_root()
    live = Live(root, union=union)
    version, before = live.version, _content(root)
    expected = ox.Store()
    expected.extend(before)
    refused = False
    try:
        expected.update(text, prefixes=dict(PREFIXES))
    except RuntimeError:
        # An operation before has dropped the graph.
        refused = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medkg.store.workspace._SMALL", small)
        patch.setattr("medkg.store.workspace._LARGE", large)
        try:
            commit = _update(live, text, ADMIN)
        except (Conflict, Forbidden):
            assert union or refused
            assert _content(root) == before
            return
    assert not refused
    told = live.version > version and commit.delta is not None
    _check(root, before if told else None)
    store = ox.Store.read_only(str(Snapshots(root).require().store))
    inferred = ox.NamedNode(str(GRAPH_INFERRED))
    written = {quad for quad in store if not union or quad.graph_name not in {inferred, ox.DefaultGraph()}}
    assert written == {
        quad for quad in expected if not union or quad.graph_name not in {inferred, ox.DefaultGraph()}
    }
    assert set(store.named_graphs()) - {inferred} == set(expected.named_graphs()) - {inferred}
    assert (live.version > version) is (_content(root) != before or bool(commit.changed))
