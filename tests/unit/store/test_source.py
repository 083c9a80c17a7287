"""store/source.py: a reader takes each graph from where it is."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from medkg.domain.errors import StoreFailed
from medkg.store.source import Source

GRAPH = ox.NamedNode("urn:g")
QUAD = ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal("x"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store on the disk with the same triple in its default graph and in a named one."""
    store = ox.Store(str(tmp_path / "store"))
    store.extend([QUAD, ox.Quad(QUAD.subject, QUAD.predicate, QUAD.object, GRAPH)])
    return tmp_path / "store"


def test_the_default_graph_comes_from_memory_and_the_others_from_the_disk(path: Path) -> None:
    """With both, each is asked for what it has."""
    memory = ox.Store()
    memory.add(QUAD)
    source = Source(memory, path)

    assert source.default is memory
    assert set(source.whole.named_graphs()) == {GRAPH}
    assert source.whole is source.whole


def test_a_store_alone_has_all_graphs(path: Path) -> None:
    """Where there is only one store, on the disk or in memory, it is asked for everything."""
    memory = ox.Store()
    assert Source(memory).whole is Source(memory).default is memory

    disk = Source(path=path)
    assert disk.default is disk.whole
    assert len(disk.whole) == 2


def test_what_may_not_be_opened_later_is_opened_at_once(path: Path) -> None:
    """After everything was opened the folder is not needed any more."""
    source = Source(ox.Store(), path)
    source.open(all_files=True)
    path.rename(path.with_name("gone"))

    assert len(source.whole) == 2


@pytest.mark.parametrize("path", [None, Path("nowhere")])
def test_a_version_that_can_not_be_opened_is_an_error(path: Path | None) -> None:
    """Nothing on the disk, or something else than a store, is said in our own words."""
    source = Source(path=path)

    with pytest.raises(StoreFailed):
        _ = source.whole
