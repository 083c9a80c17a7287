"""store/writer.py: the next version is made aside, graph by graph, and always comes out the same."""

import hashlib
import io
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import RDF, RDFS, SKOS, XSD
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import Busy, SourceFileError, StoreFailed
from medkg.domain.model import GraphState, Quad, QueryRequest
from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED, MEDKG
from medkg.store.embedded import EmbeddedEngine
from medkg.store.index import Index
from medkg.store.merge import make_plain
from medkg.store.snapshots import Snapshots
from medkg.store.terms import quad_from_ox
from medkg.store.writer import Candidate, candidate, is_public

ONE, TWO, MENTIONS = GRAPH["one"], GRAPH["two"], GRAPH["mentions/one"]


def _iri(name: str) -> URIRef:
    return URIRef("https://example.org/" + name)


FACTS: Sequence[Quad] = (
    (_iri("a"), RDF.type, MEDKG.Partnership, ONE),
    (_iri("a"), RDFS.label, Literal('ä "quoted"\n', lang="en"), ONE),
    (_iri("a"), _iri("count"), Literal("1", datatype=XSD.integer), ONE),
    (_iri("b"), RDF.type, MEDKG.Partnership, TWO),
    (_iri("a"), _iri("count"), Literal("1", datatype=XSD.integer), TWO),
    (MEDKG.Partnership, RDFS.subClassOf, MEDKG.Network, TWO),
    (BNode("file-c14n0"), _iri("count"), Literal("2", datatype=XSD.integer), TWO),
    (_iri("m"), _iri("says"), Literal("raw"), MENTIONS),
)


def _publish(root: Path, quads: Iterable[Quad], *, without: Iterable[URIRef] = ()) -> int:
    with candidate(root) as work:
        for graph in without:
            work.remove(graph)
        work.add(quads)
        work.close()
        return work.publish().version


def _now(root: Path) -> set[Quad]:
    store = ox.Store.read_only(str(Snapshots(root).require().store))
    quads = map(quad_from_ox, store.quads_for_pattern(None, None, None, None))
    return {quad for quad in quads if quad[3] is not None}


def _canonical(work: Candidate) -> bytes:
    return b"".join(work.canonical())


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    """Builds of the same quads, in any order and any portions, have the same canonical N-Quads and hash."""
    dumps = []
    for number in range(4):
        quads = [*FACTS, *FACTS]
        random.Random(number).shuffle(quads)  # noqa: S311 - an order, not a secret
        with candidate(tmp_path / str(number)) as work:
            for start in range(0, len(quads), number + 1):
                work.add(quads[start : start + number + 1])
            work.close()
            file = io.BytesIO()
            digest = work.write_canonical(file)
        dumps.append((file.getvalue(), digest))
    assert dumps == [dumps[0]] * 4


def test_the_canonical_form_is_sorted_n_quads(tmp_path: Path) -> None:
    """The canonical form is the N-Quads of the named graphs, each once, in the order of their bytes."""
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        file = io.BytesIO()
        digest = work.write_canonical(file)
        assert work.write_canonical(None) == digest
        lines = list(work.canonical())
        named = {quad for graph in work.graphs() for quad in _in_graph(work, graph)}
    data = file.getvalue()
    assert hashlib.sha256(data).hexdigest() == digest
    assert lines == sorted(set(lines))
    assert data == b"".join(lines)
    read = {str(quad) for quad in ox.parse(data, format=ox.RdfFormat.N_QUADS)}
    assert len(read) == len(lines) == len(named) == len(FACTS) + 2


def _in_graph(work: Candidate, graph: URIRef) -> set[Quad]:
    return set(work.graph(graph))


def test_only_the_graphs_that_are_removed_are_replaced(tmp_path: Path) -> None:
    """A new version starts as a copy of the current one; what is not removed stays as it was."""
    assert _publish(tmp_path, FACTS) == 1
    before = _now(tmp_path)
    fresh: Quad = (_iri("c"), RDFS.label, Literal("new"), ONE)
    assert _publish(tmp_path, [fresh], without=[ONE]) == 2
    after = _now(tmp_path)
    assert {quad for quad in after if quad[3] == ONE} == {fresh}
    for graph in (TWO, MENTIONS):
        assert (
            {quad for quad in after if quad[3] == graph}
            == {quad for quad in before if quad[3] == graph}
            != set()
        )


def test_nothing_is_replaced_unless_it_is_published(tmp_path: Path) -> None:
    """A candidate that fails, or is not published, changes nothing and leaves nothing behind."""
    _publish(tmp_path, FACTS)
    before = _now(tmp_path)
    with suppress(ZeroDivisionError), candidate(tmp_path) as work:
        work.remove(ONE)
        work.close()
        raise ZeroDivisionError
    with candidate(tmp_path) as work:
        work.remove(TWO)
    assert _now(tmp_path) == before
    assert Snapshots(tmp_path).require().version == 1
    assert [entry.name for entry in (tmp_path / "snapshots").iterdir()] == ["1"]


def test_one_candidate_at_a_time(tmp_path: Path) -> None:
    """A second candidate of the same folder is refused; another folder is free."""
    with candidate(tmp_path / "one"):
        with pytest.raises(Busy), candidate(tmp_path / "one"):
            pass
        with candidate(tmp_path / "two") as work:
            assert work.graphs() == ()


def test_a_version_that_can_not_be_copied_is_named(tmp_path: Path) -> None:
    """A damaged store is an error that says so, and stays as it is."""
    _publish(tmp_path, FACTS)
    store = Snapshots(tmp_path).require().store
    for file in store.glob("*"):
        file.write_bytes(b"damaged")
    with pytest.raises(StoreFailed, match="can't be copied"), candidate(tmp_path):
        pass
    with pytest.raises(StoreFailed, match="can't be opened"):
        EmbeddedEngine(tmp_path)
    assert Snapshots(tmp_path).require().store == store


def test_the_merge_holds_each_public_triple_once(tmp_path: Path) -> None:
    """The default graph is the merge of the public graphs with the closures; mentions are not in it."""
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        merged = list(work.merge())
        inferred = [quad[:3] for quad in work.graph(GRAPH_INFERRED)]
    assert len(merged) == len(set(merged))
    asserted = {quad[:3] for quad in FACTS if quad[3] != MENTIONS}
    assert {quad[:3] for quad in merged} == asserted | set(inferred)
    assert all(quad[3] is None for quad in merged)
    assert set(inferred) == {(_iri("a"), RDF.type, MEDKG.Network), (_iri("b"), RDF.type, MEDKG.Network)}


@pytest.mark.parametrize(
    ("graph", "public"),
    [
        (GRAPH["mentions/one"], False),
        (GRAPH["mentions/"], False),
        (GRAPH["mentions"], True),
        (GRAPH["source/mentions/one"], True),
        (GRAPH_INFERRED, True),
        ("https://example.org/graph/mentions/one", True),
    ],
)
def test_all_graphs_but_mentions_are_public(graph: str, public: bool) -> None:
    """A graph is kept out of the merge by its place under graph/mentions/ alone."""
    assert is_public(graph) is public


def test_closing_twice_changes_nothing(tmp_path: Path) -> None:
    """The closure is a function of what is asserted: computing it anew gives the same graph."""
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        once = (_canonical(work), set(work.merge()))
        work.close()
        assert (_canonical(work), set(work.merge())) == once


def test_what_lost_its_reason_is_inferred_no_more(tmp_path: Path) -> None:
    """When a graph goes, its triples leave the merge and what followed from them leaves the closure."""
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        work.remove(TWO)
        work.close()
        assert {quad[:3] for quad in work.merge()} == {quad[:3] for quad in FACTS if quad[3] == ONE}
        assert list(work.graph(GRAPH_INFERRED)) == []


def test_what_was_inferred_and_is_now_asserted_moves(tmp_path: Path) -> None:
    """A triple that a public graph comes to assert is inferred no longer, and still merged once."""
    stated: Quad = (_iri("a"), RDF.type, MEDKG.Network, ONE)
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        assert (*stated[:3], GRAPH_INFERRED) in set(work.graph(GRAPH_INFERRED))
        work.add([stated])
        work.close()
        assert (*stated[:3], GRAPH_INFERRED) not in set(work.graph(GRAPH_INFERRED))
        assert [quad[:3] for quad in work.merge()].count(stated[:3]) == 1


def test_counts_are_those_of_the_named_graphs(tmp_path: Path) -> None:
    """Triples are counted per named graph and entities per class, closures included, sorted by name."""
    with candidate(tmp_path) as work:
        work.add(FACTS)
        work.close()
        counts, classes = work.counts(), work.classes(str(MEDKG))
        graphs = work.graphs()
    assert counts == {GRAPH_INFERRED: 2, MENTIONS: 1, ONE: 3, TWO: 4}
    assert list(counts) == list(graphs) == sorted(counts)
    assert classes == {MEDKG.Network: 2, MEDKG.Partnership: 2}
    assert list(classes) == sorted(classes)


def test_terms_are_stored_as_they_were_given(tmp_path: Path) -> None:
    """What goes into a version comes out of it: languages, blank nodes, quotes and newlines."""
    _publish(tmp_path, FACTS)
    assert {quad for quad in _now(tmp_path) if quad[3] != GRAPH_INFERRED} == set(FACTS)


def test_an_answer_goes_on_while_versions_are_replaced(tmp_path: Path) -> None:
    """An answer that began on a version is complete, although that version is pruned before it ends."""
    many = [
        (_iri(f"s{number:05d}"), SKOS.notation, Literal(f"{number:0200d}"), ONE) for number in range(20_000)
    ]
    _publish(tmp_path, many)
    engine = EmbeddedEngine(tmp_path)
    answer = engine.run(QueryRequest("SELECT ?o { ?s ?p ?o }"), "csv")
    first = next(answer.chunks)
    for _ in range(3):
        _publish(tmp_path, [], without=[ONE])
    assert engine.version == 4
    lines = (first + b"".join(answer.chunks)).split()
    assert sorted(lines[1:]) == sorted(str(quad[2]).encode() for quad in many)
    assert answer.version == 1
    engine.close()


def test_the_index_says_what_changed_last_and_when(tmp_path: Path) -> None:
    """A graph keeps the number of its last change while its content stays, even when it was replaced."""
    _publish(tmp_path, FACTS)
    _publish(tmp_path, [quad for quad in FACTS if quad[3] == ONE], without=[ONE])
    same = Index.read(Snapshots(tmp_path).require().path)
    assert same.graphs == {
        str(ONE): GraphState(3, 1),
        str(TWO): GraphState(4, 1),
        str(MENTIONS): GraphState(1, 1),
        str(GRAPH_INFERRED): GraphState(2, 1),
    }
    assert same.default == GraphState(8, 1)
    other: Quad = (_iri("a"), RDF.type, MEDKG.Network, ONE)
    _publish(tmp_path, [*(quad for quad in FACTS[1:] if quad[3] == ONE), other], without=[ONE, MENTIONS])
    changed = Index.read(Snapshots(tmp_path).require().path)
    assert changed.graphs == {
        str(ONE): GraphState(3, 3),
        str(TWO): GraphState(4, 1),
        str(GRAPH_INFERRED): GraphState(1, 3),
    }
    assert changed.default == GraphState(7, 3)


def test_a_version_keeps_the_keys_of_accepted_writes(tmp_path: Path) -> None:
    """A build forgets no idempotency key."""
    _publish(tmp_path, FACTS)
    folder = Snapshots(tmp_path).require().path
    Index.read(folder).remembering({"key": 1}).write(folder)
    _publish(tmp_path, [])
    assert Index.read(Snapshots(tmp_path).require().path).keys == {"key": 1}


def test_a_file_is_loaded_into_its_graph(tmp_path: Path) -> None:
    """A file of N-Triples goes into one graph; its blank nodes are not those of another file."""
    file = tmp_path / "file.nt"
    file.write_text('_:a <https://example.org/p> "x" .\n', encoding="utf-8")
    with candidate(tmp_path / "var") as work:
        work.load_file(file, ONE)
        work.load_file(file, ONE)
        assert len({quad[0] for quad in work.graph(ONE)}) == 2
        file.write_text("no triple", encoding="utf-8")
        with pytest.raises(SourceFileError, match=r"file\.nt:1: "):
            work.load_file(file, ONE)


def test_a_plain_version_stays_one(tmp_path: Path) -> None:
    """Where the merge stands aside, a build goes on from there and leaves what people wrote by themselves."""
    own: Quad = (_iri("own"), RDFS.label, Literal("own"), None)
    _publish(tmp_path, FACTS)
    snapshots = Snapshots(tmp_path)
    first = snapshots.require()
    with snapshots.candidate() as folder:
        merged = ox.Store.read_only(str(first.store))
        merged.backup(str(folder / "merged"))
        plain = make_plain(merged, folder / "store", None)
        plain.extend([ox.Quad(*quad.triple) for quad in ox.parse(OWN, ox.RdfFormat.N_TRIPLES)])
        plain.flush()
        Index.of(plain, 2).write(folder)
        del plain
        snapshots.publish(folder)
    fresh: Quad = (_iri("b"), RDF.type, MEDKG.Partnership, ONE)
    assert _publish(tmp_path, [fresh], without=[ONE]) == 3
    current = snapshots.require()
    assert not current.union
    stored = set(map(quad_from_ox, ox.Store.read_only(str(current.store))))
    assert stored == {fresh, own, *(quad for quad in FACTS if quad[3] != ONE)}
    aside = set(map(quad_from_ox, ox.Store.read_only(str(current.merged))))
    assert aside - stored == {
        (_iri("b"), RDF.type, MEDKG.Network, GRAPH_INFERRED),
        (_iri("b"), RDF.type, MEDKG.Network, None),
        *((*quad[:3], None) for quad in (fresh, *FACTS) if quad[3] not in {ONE, MENTIONS} or quad is fresh),
    }


OWN = b'<https://example.org/own> <http://www.w3.org/2000/01/rdf-schema#label> "own" .'
