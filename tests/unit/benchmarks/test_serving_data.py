"""benchmarks/data.py: the same graph for the same size, each triple once, with the closure of medkg."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import SKOS
from rdflib.term import URIRef

from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED
from medkg.store.writer import candidate

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def test_the_graph_of_one_size_is_always_the_same(tmp_path: Path) -> None:
    """Two runs write the same bytes, and another size writes others."""
    from benchmarks import data

    texts = []
    for number, actions in enumerate((20, 20, 21)):
        files = tmp_path / f"{number}.nt", tmp_path / f"{number}-closure.nt"
        data.write(data.world(actions), *files)
        texts.append(tuple(file.read_bytes() for file in files))
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[2][0]


def test_each_triple_stands_once_and_parses(tmp_path: Path) -> None:
    """The counts that are told are those of the triples that an engine reads."""
    from benchmarks import data

    files = tmp_path / "data.nt", tmp_path / "closure.nt"
    told = data.write(data.world(20), *files)
    assert told == tuple(len({str(quad) for quad in ox.parse(path=file)}) for file in files)
    assert not {*files[0].read_text("ascii").splitlines()} & {*files[1].read_text("ascii").splitlines()}


def test_the_closure_is_what_medkg_infers(tmp_path: Path) -> None:
    """The file of the closure holds what a version of the graph has in graph/inferred, and no more."""
    from benchmarks import data

    graph, closure = tmp_path / "data.nt", tmp_path / "closure.nt"
    data.write(data.world(5), graph, closure)
    with candidate(tmp_path / "var") as work:
        work.load_file(graph, GRAPH["bench"])
        work.close()
        inferred = {quad[:3] for quad in work.graph(GRAPH_INFERRED)}
    written = {
        tuple(URIRef(term.value) for term in quad.triple if isinstance(term, ox.NamedNode))
        for quad in ox.parse(path=closure)
    }
    assert written == inferred
    assert {triple[1] for triple in written} == {
        SKOS.narrower,
        SKOS.broaderTransitive,
        SKOS.narrowerTransitive,
    }


def test_popularity_is_skewed() -> None:
    """The most popular technology is used many times as often as one in the middle."""
    from benchmarks import data

    of = data.world(400)
    uses = [line.split(" ")[2] for line in data.triples(of) if "#usesKET" in line]
    first, middle = of.technologies.items[0], of.technologies.items[len(of.technologies.items) // 2]
    assert uses.count(first) > 10 * max(1, uses.count(middle))
