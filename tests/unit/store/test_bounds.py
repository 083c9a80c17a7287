"""store/bounds.py: rows are counted in what the engine writes, and an answer is held until it is whole."""

import io
import resource
from contextlib import suppress
from typing import IO, cast

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.errors import AnswerTooLarge
from medkg.store.bounds import NONE, Bounds, Held, Tally
from medkg.store.formats import FORMATS, by_name
from medkg.store.labels import Labels
from medkg.store.results import write, write_quads

P = ox.NamedNode("https://example.org/p")
QUERY = "SELECT ?o ?gap ?s { ?s <https://example.org/p> ?o } ORDER BY ?s"
NAMES = ("json", "xml", "csv", "tsv")
ANY = 10**9
# What would be taken for a sign, if values were not told from what stands around them.
TRAPS = st.sampled_from(
    ["},{", '"},{"', ":[{", "[{", "<result>", "&lt;result>", "\\", '\\"', '"', "\n", "\t", "]]>", "}}", ""]
)
TEXTS = st.lists(st.one_of(TRAPS, st.text(st.characters(exclude_categories=["C"]), max_size=3)), max_size=5)
VALUES = st.one_of(
    TEXTS.map("".join).map(ox.Literal),
    TEXTS.map(lambda parts: ox.Triple(P, P, ox.Literal("".join(parts)))),
    st.just(P),
)


def store_of(values: list[ox.Literal | ox.Triple | ox.NamedNode]) -> ox.Store:
    store = ox.Store()
    for place, value in enumerate(values):
        store.add(ox.Quad(ox.NamedNode(f"https://example.org/{place:06}"), P, value))
    return store


def written(query: str, store: ox.Store, name: str, tally: Tally, columns: list[str] | None = None) -> bytes:
    kind = next(entry.kind for entry in FORMATS if entry.name == name)
    file = io.BytesIO()
    write(store.query(query), file, by_name(name, kind), columns=columns, tally=tally)
    return file.getvalue()


@given(st.lists(VALUES, max_size=12), st.sampled_from(["json", "xml", "tsv"]), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_rows_are_counted_whatever_they_hold(
    values: list[ox.Literal | ox.Triple | ox.NamedNode], name: str, size: int
) -> None:
    """The count is right for any values, wherever the bytes are cut into pieces; these pass unchanged."""
    data = written(QUERY, store_of(values), name, Tally(0))
    tally, passed = Tally(ANY), io.BytesIO()
    file = tally.file(passed, name)
    for start in range(0, len(data), size):
        file.write(data[start : start + size])

    assert tally.count == len(values)
    assert passed.getvalue() == data


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_rows_without_a_column_are_counted(name: str, rows: int) -> None:
    """A row may be empty, and counts."""
    tally = Tally(ANY)

    written(f"SELECT * {{ VALUES () {{ {'() ' * rows} }} }}", ox.Store(), name, tally)

    assert tally.count == rows


@pytest.mark.parametrize("columns", [None, ["s", "o", "gap"]], ids=["in order", "in another order"])
@pytest.mark.parametrize("name", NAMES)
def test_as_many_rows_as_the_limit_pass(name: str, columns: list[str] | None) -> None:
    """The limit itself is no offence, one row more is; the bytes are those without a limit."""
    store = store_of([ox.Literal(f"v{number}") for number in range(5_000)])
    free = written(QUERY, store, name, Tally(0), columns)

    assert written(QUERY, store, name, Tally(5_000), columns) == free
    with pytest.raises(AnswerTooLarge, match=r"more than 4,999 rows.*LIMIT 4999") as caught:
        written(QUERY, store, name, Tally(4_999), columns)

    assert caught.value.limit == "rows=4999"


@pytest.mark.parametrize("name", NAMES)
def test_rows_with_labels_are_counted(name: str) -> None:
    """Columns of labels change nothing about the number of rows."""
    store = store_of([P] * 3)
    tally = Tally(ANY)

    write(
        store.query(QUERY),
        io.BytesIO(),
        by_name(name, "results"),
        labels=Labels(lambda terms: {term: ox.Literal("x") for term in terms}),
        tally=tally,
    )

    assert tally.count == 3


@pytest.mark.parametrize("name", ["ttl", "nt", "jsonld", "rdfxml"])
def test_triples_are_counted(name: str) -> None:
    """A graph has a row for each triple."""
    store = store_of([ox.Literal(f"v{number}") for number in range(10)])
    query = "CONSTRUCT { ?s <https://example.org/p> ?o } WHERE { ?s ?p ?o }"

    assert written(query, store, name, Tally(10)) == written(query, store, name, Tally(0))
    with pytest.raises(AnswerTooLarge):
        written(query, store, name, Tally(9))


@pytest.mark.parametrize("name", ["nq", "trig"])
def test_quads_are_counted(name: str) -> None:
    """A dataset has a row for each quad."""
    tally = Tally(ANY)

    write_quads(iter(store_of([P, P])), io.BytesIO(), by_name(name, "dataset"), tally)

    assert tally.count == 2


def test_an_ask_has_no_rows() -> None:
    """A boolean passes whatever the limit is."""
    assert written("ASK {}", ox.Store(), "json", Tally(1)) == b'{"head":{},"boolean":true}'


class Watched(io.BytesIO):
    """A file that remembers how it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.sizes.append(len(data))
        return super().write(data)


@pytest.mark.parametrize("size", [0, 1, 6_553, 6_554, 50_000, 100_000])
def test_nothing_goes_before_all_is_there(size: int) -> None:
    """What is held goes when it is let go, unchanged and in pieces."""
    target = Watched()
    data = b"0123456789" * size
    with Held(cast("IO[bytes]", target), 1_000_000) as held:
        for start in range(0, len(data), 7_777):
            held.file.write(data[start : start + 7_777])
        held.file.flush()

        assert target.getvalue() == b""
        held.let_go()
    assert target.getvalue() == data
    assert max(target.sizes) < 100_000


def test_too_many_bytes_are_refused() -> None:
    """As many bytes as the limit pass, one more does not, and then nothing is sent."""
    target = io.BytesIO()
    held = Held(cast("IO[bytes]", target), 100)
    held.file.write(b"x" * 100)

    with pytest.raises(AnswerTooLarge, match=r"more than 100 bytes") as caught:
        held.file.write(b"x")

    assert caught.value.limit == "bytes=100"
    assert target.getvalue() == b""


def test_what_is_refused_is_let_go_of() -> None:
    """Many refusals take no more memory than one."""
    before = _address_space()
    for _ in range(50):
        with suppress(AnswerTooLarge), Held(io.BytesIO(), 64 * 1_048_576) as held:
            held.file.write(b"x" * 1_000_000)
            held.file.write(b"x" * 64 * 1_048_576)

    assert _address_space() - before < 1_000_000_000


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a path of the system
        return int(file.read().split()[0]) * resource.getpagesize()


def test_without_a_limit_nothing_is_held() -> None:
    """Without a limit an answer flows while it is made."""
    target = io.BytesIO()
    held = Held(cast("IO[bytes]", target), 0)
    held.file.write(b"at once")

    assert target.getvalue() == b"at once"
    held.let_go()
    assert target.getvalue() == b"at once"


@pytest.mark.parametrize(
    ("rows", "size", "bounds", "announced"),
    [
        (0, 0, NONE, ""),
        (10, 0, Bounds(10, 1_000), "rows=10, bytes=1000"),
        (0, 500, Bounds(0, 500), "bytes=500"),
        (10, 500, Bounds(10, 500), "rows=10, bytes=500"),
        (0, 5_000, Bounds(0, 1_000), "bytes=1000"),
    ],
)
def test_what_is_held_is_bounded(rows: int, size: int, bounds: Bounds, announced: str) -> None:
    """A limit on rows bounds the bytes too, and no limit on bytes is larger than what can be held."""
    found = Bounds.of(rows, size, most=1_000)

    assert found == bounds
    assert found.announced == announced
