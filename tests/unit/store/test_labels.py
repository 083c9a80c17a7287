"""store/labels.py: a column of labels behind each column of IRIs, looked up by the batch."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import cast

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.domain.namespaces import DCTERMS, RDFS, SKOS
from medkg.store.formats import by_name
from medkg.store.labels import BATCH, Labels, Row, best, from_store
from medkg.store.results import write


def iri(name: str) -> ox.NamedNode:
    return ox.NamedNode("https://example.org/" + name)


PREF, LABEL, TITLE = (ox.NamedNode(str(name)) for name in (SKOS.prefLabel, RDFS.label, DCTERMS.title))
ONE, TWO, NONE = iri("one"), iri("two"), iri("none")
X = ox.Literal("x")


class _LookUp:
    """Labels each IRI with its last part, but for those in *without*; keeps what it was asked."""

    def __init__(self, without: frozenset[ox.NamedNode] = frozenset()) -> None:
        self.asked: list[list[ox.NamedNode]] = []
        self._without = without

    def __call__(self, terms: Sequence[ox.NamedNode]) -> Mapping[ox.NamedNode, ox.Literal]:
        self.asked.append(list(terms))
        return {
            term: ox.Literal(term.value.rpartition("/")[2], language="en")
            for term in terms
            if term not in self._without
        }


def widen(
    names: Sequence[str], batches: Sequence[list[Row]], look_up: _LookUp | None = None
) -> tuple[list[str], list[tuple[str, ...]]]:
    wide, rows = Labels(look_up or _LookUp()).widen(names, iter(batches))
    return wide, [tuple("" if cell is None else str(cell) for cell in row) for batch in rows for row in batch]


# --- Columns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "row", "wide"),
    [
        (["a", "b"], [ONE, X], ["a", "aLabel", "b"]),
        (["a", "b"], [X, ONE], ["a", "b", "bLabel"]),
        (["a", "b"], [ONE, TWO], ["a", "aLabel", "b", "bLabel"]),
        (["a", "b"], [None, ox.BlankNode("b")], ["a", "b"]),
        (["a"], [ox.Triple(ONE, TWO, NONE)], ["a"]),
        (["a", "aLabel"], [ONE, X], ["a", "aLabel"]),
        (["aLabel", "a"], [X, ONE], ["aLabel", "a"]),
        (["a", "aLabel"], [ONE, ONE], ["a", "aLabel", "aLabelLabel"]),
        ([], [], []),
    ],
)
def test_a_column_with_an_iri_has_a_column_of_labels_behind_it(
    names: list[str], row: Row, wide: list[str]
) -> None:
    """A column gets one when it holds an IRI, unless the query has a column of that name."""
    found, rows = widen(names, [[row, row]])

    assert found == wide
    assert [len(cells) for cells in rows] == [len(wide)] * 2


def test_any_row_of_the_first_batch_makes_a_column_one_of_iris() -> None:
    """A column may hold IRIs and other values; only the IRIs have labels."""
    found, rows = widen(["a"], [[[X], [None], [ONE], [ox.BlankNode("b")]]])

    assert found == ["a", "aLabel"]
    assert rows == [('"x"', ""), ("", ""), (str(ONE), '"one"@en'), ("_:b", "")]


def test_a_later_batch_makes_no_column() -> None:
    """The first batch decides, as the head is sent with it: a first IRI after it has no label."""
    found, rows = widen(["a", "b"], [[[X, ONE]], [[ONE, X]]])

    assert found == ["a", "b", "bLabel"]
    assert rows == [('"x"', str(ONE), '"one"@en'), (str(ONE), '"x"', "")]


def test_an_iri_without_a_label_has_an_unbound_cell() -> None:
    """No label is made up for an IRI that has none."""
    assert widen(["a"], [[[NONE]]], _LookUp(frozenset({NONE})))[1] == [(str(NONE), "")]


def test_no_rows_have_no_labels() -> None:
    """A result without rows has the columns of its query, and nothing is looked up."""
    look_up = _LookUp()

    assert widen(["a"], [], look_up) == (["a"], [])
    assert look_up.asked == []


@given(
    st.lists(
        st.lists(st.sampled_from([None, X, ONE, TWO, NONE, ox.BlankNode("b")]), min_size=2, max_size=2),
        max_size=12,
    ),
    st.integers(1, 12),
)
def test_the_rows_stay_what_they_are(rows: list[list[ox.NamedNode | None]], size: int) -> None:
    """Without its columns of labels, a result has its own rows in their order."""
    batches: list[list[Row]] = [list(rows[start : start + size]) for start in range(0, len(rows), size)]
    names, found = Labels(_LookUp()).widen(["a", "b"], iter(batches))
    places = [place for place, name in enumerate(names) if not name.endswith("Label")]

    assert [[row[place] for place in places] for batch in found for row in batch] == rows


# --- Looking up ----------------------------------------------------------------------------------------


def test_the_iris_of_a_batch_are_asked_for_in_one_call_and_once() -> None:
    """A batch is one call, for the IRIs of all columns that were not asked for before, labelled or not."""
    look_up = _LookUp(frozenset({NONE}))
    widen(["a", "b"], [[[ONE, TWO], [ONE, NONE]], [[TWO, NONE]], [[ONE, iri("new")]]], look_up)

    assert [sorted(map(str, asked)) for asked in look_up.asked] == [
        sorted(map(str, (ONE, TWO, NONE))),
        [str(iri("new"))],
    ]


def test_what_is_remembered_is_bounded() -> None:
    """Labels are forgotten when there are too many; those of the batch at hand are always there."""
    look_up = _LookUp()
    names = [f"n{place}" for place in range(50)]
    batches: list[list[Row]] = [
        [[iri(f"{batch}-{row}-{name}") for name in names] for row in range(200)] for batch in range(4)
    ]
    labels = Labels(look_up)
    wide, rows = labels.widen(names, iter([*batches, batches[0]]))
    for batch in rows:
        assert all(cell is not None for row in batch for cell in row)
        assert len(labels._known) <= 40_000

    assert len(wide) == 100
    assert sum(map(len, look_up.asked)) > 40_000


# --- Which label ---------------------------------------------------------------------------------------


def literal(text: str) -> ox.Literal:
    value, _, tag = text.partition("@")
    return ox.Literal(value, language=tag) if tag else ox.Literal(value)


@pytest.mark.parametrize(
    ("languages", "labels", "chosen"),
    [
        (["fr"], ["a@en", "b@fr", "c@de"], "b@fr"),
        (["fr", "de"], ["a@en", "c@de"], "c@de"),
        (["de", "fr"], ["b@fr", "c@de"], "c@de"),
        (["FR"], ["a@en", "b@fr"], "b@fr"),
        (["pl"], ["a@en", "b@fr"], "a@en"),
        ([], ["b@fr", "a@en"], "a@en"),
        ([], ["b@fr", "c@de"], "c@de"),
        ([], ["b@fr", "plain"], "plain"),
        (["fr"], ["plain", "a@en"], "a@en"),
        (["fr"], ["a@en", "b@fr-be"], "b@fr-be"),
        (["fr"], ["b@fr-be", "z@fr"], "z@fr"),
        (["fr"], ["b@fry", "a@en"], "a@en"),
        ([], ["a@en-gb", "b@fr"], "a@en-gb"),
        (["fr"], ["z@fr", "y@fr"], "y@fr"),
        ([], [], None),
    ],
)
def test_the_best_label(languages: list[str], labels: list[str], chosen: str | None) -> None:
    """The first language asked for that there is wins, then English, then any: always the same one."""
    for given_ in (labels, labels[::-1]):
        found = best([literal(text) for text in given_], languages)
        assert found == (None if chosen is None else literal(chosen))


@pytest.fixture
def store() -> ox.Store:
    store = ox.Store()
    store.extend(
        [
            ox.Quad(ONE, PREF, literal("pref@de")),
            ox.Quad(ONE, LABEL, literal("label@fr")),
            ox.Quad(TWO, LABEL, literal("label@de")),
            ox.Quad(TWO, TITLE, literal("title@fr")),
            ox.Quad(iri("three"), TITLE, literal("title@fr")),
            ox.Quad(iri("four"), PREF, ONE),
            ox.Quad(iri("four"), TITLE, literal("title")),
            ox.Quad(NONE, PREF, literal("elsewhere@fr"), iri("graph")),
        ]
    )
    return store


@pytest.mark.parametrize(
    ("term", "label"),
    [
        (ONE, '"pref"@de'),
        (TWO, '"label"@de'),
        (iri("three"), '"title"@fr'),
        (iri("four"), '"title"'),
        (NONE, ""),
    ],
)
def test_a_store_gives_the_first_kind_of_label_that_there_is(
    store: ox.Store, term: ox.NamedNode, label: str
) -> None:
    """A preferred label is taken before a label, and that before a title, whatever the languages."""
    _, batches = from_store(store, ["fr"]).widen(["x"], iter([[[term]]]))
    [[[_, cell]]] = list(batches)

    assert ("" if cell is None else str(cell)) == label


def test_a_store_is_asked_in_the_graph_that_is_named(store: ox.Store) -> None:
    """Labels come from the default graph, or from the one graph that is named."""
    _, batches = from_store(store, graph=iri("graph")).widen(["x"], iter([[[NONE], [ONE]]]))

    assert [row[1] for row in next(batches)] == [literal("elsewhere@fr"), None]


# --- In the formats ------------------------------------------------------------------------------------


def _written(store: ox.Store, name: str) -> str:
    results = store.query("SELECT ?x (1 AS ?n) { VALUES ?x { <https://example.org/one> UNDEF } }")
    file = io.BytesIO()
    write(cast("ox.QuerySolutions", results), file, by_name(name, "results"), labels=from_store(store))
    return file.getvalue().decode()


def test_the_label_has_its_language_where_the_format_has_languages(store: ox.Store) -> None:
    """A label is a literal with its language in JSON, XML and TSV, and its text in CSV."""
    found = json.loads(_written(store, "json"))
    label = {"type": "literal", "value": "pref", "xml:lang": "de"}

    assert found["head"]["vars"] == ["x", "xLabel", "n"]
    assert [row.get("xLabel") for row in found["results"]["bindings"]] == [label, None]
    assert '<binding name="xLabel"><literal xml:lang="de">pref</literal></binding>' in _written(store, "xml")
    assert _written(store, "tsv") == '?x\t?xLabel\t?n\n<https://example.org/one>\t"pref"@de\t1\n\t\t1\n'
    assert _written(store, "csv") == "x,xLabel,n\r\nhttps://example.org/one,pref,1\r\n,,1\r\n"


@pytest.mark.parametrize("rows", [BATCH - 1, BATCH, BATCH + 1, 2 * BATCH])
def test_results_of_many_batches(rows: int) -> None:
    """Every row has its label, however many batches there are, and each batch asks once."""
    store = ox.Store()
    store.extend(ox.Quad(iri(f"{row:05}"), LABEL, ox.Literal(f"label {row:05}")) for row in range(rows))
    results = cast("ox.QuerySolutions", store.query("SELECT ?x { ?x ?p ?o }"))
    file, look_up = io.BytesIO(), _LookUp()
    write(results, file, by_name("csv", "results"), labels=Labels(look_up))
    found = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))

    assert len(found) == rows
    assert all(row["x"].endswith("/" + row["xLabel"]) for row in found)
    assert len(look_up.asked) == -(-rows // BATCH)
