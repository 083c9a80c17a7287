"""The build: all or nothing, always the same bytes, and no graph touched that is not its own."""

import hashlib
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rdflib.term import Literal, URIRef

from medkg import __version__, cli
from medkg.domain.errors import Busy, GraphInvalid, SourceFileError
from medkg.domain.model import Finding, Place, QueryRequest, Severity
from medkg.domain.namespaces import (
    CATALOG,
    DCAT,
    DCTERMS,
    GRAPH,
    GRAPH_CATALOG,
    GRAPH_INFERRED,
    GRAPH_NUTS,
    MEDKG,
    RDF,
    XSD,
)
from medkg.services.build import Summary, build
from medkg.services.sources import Folders
from medkg.store.embedded import EmbeddedEngine
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate, is_public
from medkg_api import server

ACTION = URIRef("https://w3id.org/medkg/id/action/imaging-lab")
MANUAL = GRAPH["manual/note"]
ROADMAP = "source/roadmap.ttl"
VOID_TRIPLES = URIRef("http://rdfs.org/ns/void#triples")

Break = Callable[[Any], object]

BREAKS: dict[str, Break] = {
    "broken file": lambda world: world.edit(ROADMAP, "a medkg:InnovationAction ;", "a"),
    "unknown region": lambda world: world.edit(ROADMAP, "nuts:PL22", "nuts:PL99"),
    "no record": lambda world: world.write("source/secret.ttl", ""),
    "no file": lambda world: (world.folders.data / ROADMAP).unlink(),
    "blank node": lambda world: world.edit(ROADMAP, "nuts:PL22", "[]"),
}


def current(world: Any) -> int | None:
    snapshot = Snapshots(world.root).current()
    return None if snapshot is None else snapshot.version


def quads(world: Any, *pattern: Any) -> set[tuple[object, ...]]:
    engine = EmbeddedEngine(world.root)
    found: set[tuple[object, ...]] = set(engine.quads(*pattern))
    engine.close()
    return found


def count(engine: EmbeddedEngine, text: str) -> int:
    return int(str(engine.select(text).rows[0]["n"]))


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_in_a_file_replaces_nothing(world: Any, name: str) -> None:
    """After a fault the former version is the current one, unchanged, and nothing else is left behind."""
    world.build()
    before = quads(world)
    BREAKS[name](world)

    with pytest.raises(SourceFileError):
        world.build()

    assert current(world) == 1
    assert world.versions() == {"1"}
    assert quads(world) == before


def test_a_fault_in_the_first_build_leaves_nothing(world: Any) -> None:
    """When there was no graph before, there is none after a fault either."""
    BREAKS["unknown region"](world)

    with pytest.raises(SourceFileError):
        world.build()

    assert current(world) is None
    assert world.versions() == set()


def test_a_violation_replaces_nothing(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A violated shape stops the build; the finding names entity, file and line, and what to do."""
    world.build()
    before = quads(world)
    world.edit(ROADMAP, "medkg:region nuts:PL22 ;", "")
    place = Place(str(world.folders.data / ROADMAP), world.line_of(ROADMAP, "action:imaging-lab a"))

    with pytest.raises(GraphInvalid) as caught:
        world.build()

    (finding,) = caught.value.findings
    assert finding == Finding(
        "A-06",
        Severity.VIOLATION,
        "Nobody plans this action. Name its region.",
        str(ACTION),
        path="medkg:region",
        place=place,
        shape="https://w3id.org/medkg/shapes#Action-region",
        component="http://www.w3.org/ns/shacl#MinCountConstraintComponent",
    )
    assert str(finding) == (
        f"A-06 {ACTION} medkg:region: Nobody plans this action. Name its region. ({place})"
    )
    assert str(caught.value) == (
        "The graph was not replaced: 1 violation found. Mend the entities named above and build again."
    )
    assert (current(world), world.versions(), quads(world)) == (1, {"1"}, before)
    assert capsys.readouterr() == ("", "")


def test_the_command_reports_a_violation(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`medkg build` prints each violation with its place and ends with exit code 1."""
    world.edit(ROADMAP, "medkg:region nuts:PL22 ;", "")
    monkeypatch.setattr(Folders, "installed", lambda: world.folders)
    monkeypatch.setattr(sys, "argv", ["medkg", "build", "--data-dir", str(world.root)])

    with pytest.raises(SystemExit) as stopped:
        cli.main()

    out, err = capsys.readouterr()
    assert stopped.value.code == 1
    assert out == ""
    place = f"{world.folders.data / ROADMAP}:{world.line_of(ROADMAP, 'action:imaging-lab a')}"
    finding, last = err.splitlines()[-2:]
    assert finding == f"  A-06 {ACTION} medkg:region: Nobody plans this action. Name its region. ({place})"
    assert last.startswith("medkg: The graph was not replaced: 1 violation found. ")


def test_the_command_shows_what_was_built(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`medkg build` prints graphs, classes and totals, and writes the dump whose hash it prints."""
    dump = tmp_path / "graph.nq"
    monkeypatch.setattr(Folders, "installed", lambda: world.folders)
    monkeypatch.setattr(sys, "argv", ["medkg", "build", "--data-dir", str(world.root), "--dump", str(dump)])
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1577836800")

    with pytest.raises(SystemExit) as stopped:
        cli.main()

    out, err = capsys.readouterr()
    assert stopped.value.code == 0
    assert "Version 1: " in out
    assert "graph/source/roadmap" in out
    assert "medkg:Region" in out
    assert hashlib.sha256(dump.read_bytes()).hexdigest() in out
    assert '"2020-01-01"' in dump.read_text(encoding="utf-8")
    assert [line for line in err.splitlines() if not line.endswith(" ...")] == []


def test_serving_builds_when_there_is_nothing(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`medkg serve` makes the graph when the data folder is empty, and leaves it alone when it is not."""
    served: list[int | None] = []
    monkeypatch.setattr(Folders, "installed", lambda: world.folders)
    # The server itself has tests of its own: here it would wait for a signal.
    monkeypatch.setattr(server, "run", lambda *_, **__: served.append(current(world)))
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    monkeypatch.setattr(sys, "argv", ["medkg", "serve", "--data-dir", str(world.root), "--port", port])

    for _ in range(2):
        with pytest.raises(SystemExit):
            cli.main()

    assert served == [1, 1]


def test_building_twice_gives_the_same_bytes(make_world: Any, tmp_path: Path) -> None:
    """The same files give the same canonical N-Quads, in another folder and over an older version too."""
    first, second = (make_world(name) for name in ("first", "second"))
    dumps = [tmp_path / f"{number}.nq" for number in range(3)]

    found = [world.build(dump=dump) for world, dump in zip((first, first, second), dumps, strict=True)]

    assert [summary.version for summary in found] == [1, 2, 1]
    assert len({summary.sha256 for summary in found}) == 1
    assert len({dump.read_bytes() for dump in dumps}) == 1
    assert hashlib.sha256(dumps[0].read_bytes()).hexdigest() == found[0].sha256


def test_the_dump_is_sorted_and_complete(world: Any, tmp_path: Path) -> None:
    """The dump holds each quad of the named graphs once, sorted by its bytes, and none of the merge."""
    summary = world.build(dump=tmp_path / "graph.nq")
    lines = (tmp_path / "graph.nq").read_bytes().splitlines(keepends=True)

    assert lines == sorted(set(lines))
    assert len(lines) == sum(summary.graphs.values())
    assert all(line.endswith(b"> .\n") for line in lines)


def test_other_graphs_survive(world: Any) -> None:
    """A graph that no build owns is still there after the next one, and takes part in the merge."""
    world.build()
    note = (ACTION, DCTERMS.relation, URIRef("https://example.org/note"), MANUAL)
    with candidate(world.root) as work:
        work.add([note])
        work.close()
        work.publish()

    summary = world.build()

    assert summary.version == 3
    assert summary.graphs[MANUAL] == 1
    engine = EmbeddedEngine(world.root)
    assert set(engine.quads(graph=MANUAL)) == {note}
    found = engine.select("SELECT ?o { ?s dct:relation ?o }")
    assert [row["o"] for row in found.rows] == [note[2]]


def test_a_file_that_is_gone_takes_its_graph_along(world: Any) -> None:
    """A removed data file removes its graph, wherever its record put it, and what followed from it."""
    catalog = world.folders.data / "catalog.ttl"
    before = catalog.read_text(encoding="utf-8")
    world.add_source("second", "nuts:PL22 medkg:regionOfAction <https://w3id.org/medkg/id/action/other> .")
    moved = world.folders.data / "source" / "second.ttl"
    # A record may name any graph, not only one of graph/source/.
    catalog.write_text(catalog.read_text().replace("graph/source/second>", "graph/mentions/second>"))
    first = world.build()
    catalog.write_text(before, encoding="utf-8")
    moved.unlink()

    second = world.build()

    assert GRAPH["mentions/second"] in first.graphs
    assert GRAPH["mentions/second"] not in second.graphs
    assert quads(world, None, None, URIRef("https://w3id.org/medkg/id/action/other")) == set()


def test_mentions_stay_out_of_the_merge(world: Any) -> None:
    """What stands in graph/mentions/ can be asked for by its graph, and is not part of the default graph."""
    path = world.add_source("places", '<https://example.org/place> skos:note "Line 7." .')
    catalog = world.folders.data / "catalog.ttl"
    catalog.write_text(catalog.read_text().replace("graph/source/places>", "graph/mentions/places>"))
    world.build()
    engine = EmbeddedEngine(world.root)

    assert path.is_file()
    assert not is_public(GRAPH["mentions/places"])
    assert count(engine, "SELECT (COUNT(*) AS ?n) { <https://example.org/place> ?p ?o }") == 0
    assert count(engine, "SELECT (COUNT(*) AS ?n) { GRAPH graph:mentions\\/places { ?s ?p ?o } }") == 1


def test_the_same_triple_in_two_sources_counts_once(world: Any) -> None:
    """The merge holds a triple once, however many graphs say it; each graph keeps it."""
    world.add_source("second", "action:imaging-lab medkg:region nuts:PL22 .")
    world.build()
    engine = EmbeddedEngine(world.root)

    asked = "?a medkg:region nuts:PL22"
    assert count(engine, f"SELECT (COUNT(*) AS ?n) {{ {asked} }}") == 1
    assert count(engine, f"SELECT (COUNT(*) AS ?n) {{ GRAPH ?g {{ {asked} }} }}") == 2


def test_closures_stand_in_a_graph_of_their_own(world: Any) -> None:
    """Ancestors, superclasses and inverses are in graph/inferred, and nothing that a source says."""
    world.build()
    inferred = {quad[:3] for quad in quads(world, None, None, None, GRAPH_INFERRED)}
    asserted = {quad[:3] for quad in quads(world) if quad[3] != GRAPH_INFERRED}
    nuts = {code: URIRef(f"http://data.europa.eu/nuts/code/{code}") for code in ("PL", "PL2", "PL22")}
    broader = URIRef("http://www.w3.org/2004/02/skos/core#broaderTransitive")

    assert (nuts["PL22"], broader, nuts["PL"]) in inferred
    assert (ACTION, RDF.type, URIRef("https://example.org/Plan")) in inferred
    assert (nuts["PL22"], MEDKG.regionOfAction, ACTION) in inferred
    assert not any(subject == value for subject, predicate, value in inferred if predicate == broader)
    assert inferred.isdisjoint(asserted)


@pytest.mark.parametrize(
    ("given", "stated"), [(None, "2026-02-01"), (date(2020, 5, 17), "2020-05-17")], ids=["newest", "given"]
)
def test_the_date_is_not_the_clock(world: Any, given: date | None, stated: str) -> None:
    """The graph is dated by the newest record of the catalogue, or by the date that was given."""
    world.build(source_date=given)

    found = {quad[2] for quad in quads(world, CATALOG, DCTERMS.modified)}

    assert found == {Literal(stated, datatype=XSD.date)}


def test_the_record_of_the_build(world: Any) -> None:
    """graph/prov/build says which software made which graphs, how large each is, and holds the catalogue."""
    summary: Summary = world.build()
    record = quads(world, None, None, None, GRAPH_CATALOG)
    sizes = {subject: int(str(value)) for subject, predicate, value, _ in record if predicate == VOID_TRIPLES}
    others = {GRAPH_CATALOG, GRAPH_INFERRED}

    assert (CATALOG, RDF.type, DCAT.Catalog, GRAPH_CATALOG) in record
    assert (CATALOG, DCTERMS.creator, Literal(f"medkg {__version__}"), GRAPH_CATALOG) in record
    assert sizes == {name: number for name, number in summary.graphs.items() if name not in others}
    assert {quad[2] for quad in record if quad[1] == DCAT.dataset} == set(sizes)
    assert (GRAPH_NUTS, MEDKG.file, Literal("nuts.ttl"), GRAPH_CATALOG) in record


def test_a_build_waits_for_nobody(world: Any) -> None:
    """While another process is at work on the data folder, a build says so and stops."""
    world.build()

    holding = Snapshots(world.root).holding("the service")
    with holding, pytest.raises(Busy, match="in use by the service"):
        world.build()

    assert current(world) == 1


def test_a_reader_sees_the_new_version(world: Any) -> None:
    """An open engine answers from the new version as soon as it is published."""
    world.build()
    engine = EmbeddedEngine(world.root)
    asked = 'ASK { ?s skos:prefLabel "A second laboratory"@en }'

    def answer() -> bytes:
        return b"".join(engine.run(QueryRequest(asked), "csv").chunks)

    before = (engine.version, answer())
    world.edit(ROADMAP, "A shared imaging laboratory", "A second laboratory")
    world.build()

    assert before == (1, b"false")
    assert (engine.version, answer()) == (2, b"true")


def test_progress_names_the_stages(world: Any) -> None:
    """The listener hears of each stage, in order."""
    told: list[str] = []

    build(
        world.root,
        world.folders,
        progress=lambda stage, _, __: told.append(stage),
    )

    assert list(dict.fromkeys(told)) == [
        "Reading",
        "Checking files",
        "Loading",
        "Computing closures",
        "Validating",
        "Writing",
    ]


def test_the_summary_counts_what_a_query_counts(summary: Summary, engine: EmbeddedEngine) -> None:
    """Graphs, classes and the merge of the real graph are as large as SPARQL says."""
    graphs = engine.select("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g").rows
    classes = engine.select("SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c").rows

    assert summary.graphs == {row["g"]: int(str(row["n"])) for row in graphs}
    assert summary.classes == {
        row["c"]: int(str(row["n"])) for row in classes if str(row["c"]).startswith(str(MEDKG))
    }
    assert summary.merged == count(engine, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def test_the_merge_is_the_union_of_the_public_graphs(engine: EmbeddedEngine) -> None:
    """The default graph of the real graph holds each triple of the public graphs once, and no other."""
    public = {quad[:3] for quad in engine.quads() if quad[3] is not None and is_public(quad[3])}

    assert count(engine, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == len(public)


def test_the_real_graph_conforms(summary: Summary, data_dir: Path) -> None:
    """What we ship breaks no shape, and its dump has the hash that the summary says."""
    digest = hashlib.sha256((data_dir / "graph.nq").read_bytes()).hexdigest()

    assert summary.report.conforms
    assert Counter(finding.severity for finding in summary.report.findings)[Severity.VIOLATION] == 0
    assert digest == summary.sha256
