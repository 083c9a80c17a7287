"""store/results.py: every value survives in every format, and what a format can't carry is refused."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable, Sequence
from typing import IO, cast
from xml.etree import ElementTree as ET

import pyoxigraph as ox
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.compare import isomorphic
from rdflib.query import Result
from rdflib.term import Variable

from medkg.domain.errors import NotAcceptable
from medkg.store.formats import DATASET_FORMATS, FORMATS, GRAPH_FORMATS, by_name
from medkg.store.labels import Labels, Term
from medkg.store.results import RDF_FORMATS, write, write_quads

S, P, T = (ox.NamedNode("https://example.org/" + name) for name in ("s", "p", "o"))
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
QUERY = "SELECT ?o ?gap ?s { ?s <https://example.org/p> ?o } ORDER BY ?s"
PARSED = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "tsv": ox.QueryResultsFormat.TSV,
}
RDFLIB = {"ttl": "turtle", "nt": "nt", "jsonld": "json-ld", "rdfxml": "xml"}
NAMES = ("json", "xml", "csv", "tsv")
NO_LABELS = Labels(lambda _: {})

CHARACTERS = st.characters(exclude_categories=["Cs"])
IN_XML = st.characters(
    exclude_categories=["Cs"], exclude_characters=[*map(chr, {*range(32)} - {9, 10, 13}), "\ufffe", "\uffff"]
)
AWKWARD = st.sampled_from(
    [*"\r\n\t\",;\\'<>&]{} \u0085\u2028\ufeff\x7f", "\r\n", "é", "\U0001f600", '"""', "]]>"]
)
IRIS = st.builds(
    lambda name: ox.NamedNode("https://example.org/" + name),
    st.text(st.sampled_from("aZ09-_.~%é中/?#=&'(),;:@!$*+"), max_size=8).filter(
        lambda name: "%" not in name and name.count("#") < 2
    ),
)
BLANK_NODES = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,4}[A-Za-z0-9_])?", fullmatch=True).map(
    ox.BlankNode
)
SUBJECTS = st.one_of(IRIS, BLANK_NODES)
DATATYPES = st.sampled_from([XSD + "string", XSD + "token", "https://example.org/it's,a&b", RDF + "JSON"])
NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(lambda number: (str(number), "integer")),
    st.sampled_from([("1.5", "decimal"), ("-0.25", "decimal"), ("0.5", "double"), ("1000000", "double")]),
    st.sampled_from([("true", "boolean"), ("INF", "double"), ("high", "integer"), ("2024-02-29", "date")]),
).map(lambda pair: ox.Literal(pair[0], datatype=ox.NamedNode(XSD + pair[1])))


def literals(characters: st.SearchStrategy[str], *, directed: bool) -> st.SearchStrategy[ox.Literal]:
    texts = st.lists(st.one_of(characters, AWKWARD), max_size=8).map("".join)
    tags = st.sampled_from(["en", "fr-be", "zh-hant"])
    directions = st.sampled_from([ox.BaseDirection.LTR, ox.BaseDirection.RTL] if directed else [None])
    return st.one_of(
        NUMBERS,
        texts.map(ox.Literal),
        st.builds(lambda text, tag: ox.Literal(text, language=tag), texts, tags),
        st.builds(
            lambda text, tag, way: ox.Literal(text, language=tag, direction=way), texts, tags, directions
        ),
        st.builds(lambda text, kind: ox.Literal(text, datatype=ox.NamedNode(kind)), texts, DATATYPES),
    )


def terms(characters: st.SearchStrategy[str] = CHARACTERS) -> st.SearchStrategy[Term]:
    """Every term that RDF 1.2 has."""
    plain = st.one_of(IRIS, BLANK_NODES, literals(characters, directed=True))
    return st.one_of(
        plain,
        st.recursive(plain, lambda objects: st.builds(ox.Triple, SUBJECTS, IRIS, objects), max_leaves=3),
    )


def solutions(values: Iterable[Term], query: str = QUERY) -> ox.QuerySolutions:
    """Return a result with one row for each value, in their order."""
    store = ox.Store()
    store.extend(
        ox.Quad(ox.NamedNode(f"https://example.org/{place:06}"), P, value)
        for place, value in enumerate(values)
    )
    return cast("ox.QuerySolutions", store.query(query))


def written(
    results: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples,
    name: str,
    *,
    labels: Labels | None = None,
    columns: Sequence[str] | None = None,
) -> bytes:
    kind = next(entry.kind for entry in FORMATS if entry.name == name)
    file = io.BytesIO()
    write(results, file, by_name(name, kind), labels=labels, columns=columns)
    return file.getvalue()


def read(data: bytes, name: str) -> list[tuple[str, ...]]:
    """Return the rows that the engine's parser reads, the columns by name."""
    results = ox.parse_query_results(data, PARSED[name])
    assert isinstance(results, ox.QuerySolutions)
    return [(str(row["o"]), str(row["gap"])) for row in results]


def texts(value: Term) -> str:
    """Return a value as CSV has it, when it is no triple term."""
    return value.value if isinstance(value, ox.NamedNode | ox.Literal) else str(value)


# --- SELECT --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [None, ("s", "gap", "o")], ids=["as given", "moved"])
@pytest.mark.parametrize("name", ["json", "tsv"])
@given(values=st.lists(terms(), max_size=4))
@settings(deadline=None, max_examples=60)
def test_every_term_survives(name: str, columns: Sequence[str] | None, values: list[Term]) -> None:
    """The engine's parser reads from JSON and TSV the very terms of the result, control characters too."""
    data = written(solutions(values), name, columns=columns)

    assert read(data, name) == [(str(value), "None") for value in values]


@pytest.mark.parametrize("labels", [None, NO_LABELS], ids=["plain", "labels"])
@given(values=st.lists(terms(IN_XML), max_size=4))
@settings(deadline=None, max_examples=60)
def test_every_term_survives_in_xml(labels: Labels | None, values: list[Term]) -> None:
    """So it is for XML, carriage returns included, where XML has the character."""
    data = written(solutions(values), "xml", labels=labels)

    assert read(data, "xml") == [(str(value), "None") for value in values]
    ET.fromstring(data)  # noqa: S314 - written above


@pytest.mark.parametrize("name", ["json", "xml", "tsv"])
@given(value=st.one_of(IRIS, NUMBERS, literals(IN_XML, directed=False)))
@settings(deadline=None, max_examples=60)
def test_another_parser_reads_the_same(name: str, value: Term) -> None:
    """The parser of rdflib reads the same term; in TSV it knows neither negative decimals nor U+2028."""
    assume(name != "tsv" or (len(str(value).splitlines()) == 1 and not str(value).startswith('"-0.25')))
    data = written(solutions([value]), name)
    [row] = Result.parse(io.BytesIO(data), format=name).bindings
    found = row[Variable("o")]
    [expected] = Graph().parse(data=f"<a:s> <a:p> {value} .", format="nt").objects()

    assert found == expected or found.eq(expected)


@given(values=st.lists(st.one_of(IRIS, BLANK_NODES, literals(CHARACTERS, directed=True)), max_size=4))
@settings(deadline=None, max_examples=60)
def test_csv_holds_each_value_as_its_text(values: list[Term]) -> None:
    """A reader of CSV finds the text of each value, an empty field for what is unbound, lines of CR LF."""
    data = written(solutions(values), "csv")
    head, *rows = csv.reader(io.StringIO(data.decode(), newline=""))

    assert head == ["o", "gap", "s"]
    assert [row[:2] for row in rows] == [[texts(value), ""] for value in values]
    assert data.endswith(b"\r\n")


@given(values=st.lists(terms(), min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_triple_term_breaks_no_row_of_csv(values: list[Term]) -> None:
    """Whatever a triple term holds, CSV has one row for each solution, with all its fields."""
    data = written(solutions(values), "csv").decode()

    assert [len(row) for row in csv.reader(io.StringIO(data, newline=""))] == [3] * (len(values) + 1)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (ox.Triple(S, P, T), "<<( https://example.org/s https://example.org/p https://example.org/o )>>"),
        (ox.Triple(ox.BlankNode("b"), P, ox.Literal("1")), '"<<( _:b https://example.org/p ""1"" )>>"'),
        (ox.Triple(S, P, ox.Literal('a "b", c\r')), None),
    ],
)
def test_csv_of_a_triple_term(value: ox.Triple, field: str | None) -> None:
    """A triple term stands between << and >> in CSV, its literal in quotes of its own (SPARQL 1.2)."""
    data = written(solutions([value], "SELECT ?o ?gap { ?s ?p ?o }"), "csv").decode()

    if field is None:
        field = '"<<( https://example.org/s https://example.org/p ""a """"b"""", c\r"" )>>"'
    assert data == f"o,gap\r\n{field},\r\n"


@pytest.mark.parametrize("value", ["?gap", '""'])
def test_a_row_of_one_empty_field_is_no_empty_line(value: str) -> None:
    """Readers of CSV skip empty lines, so an unbound value that stands alone is a pair of quotes."""
    results = solutions([S, T], f"SELECT ({value} AS ?x) {{ ?s ?p ?o }}")
    data = written(results, "csv")

    assert data == b'x\r\n""\r\n""\r\n'
    assert len(list(csv.DictReader(io.StringIO(data.decode(), newline="")))) == 2


@pytest.mark.parametrize("name", NAMES)
def test_columns_stand_in_the_order_that_is_asked_for(name: str) -> None:
    """The order that is asked for is that of the head and, in CSV and TSV, of the fields."""
    order = ["s", "p", "o", "é"]
    query = "SELECT * { ?s ?p ?o OPTIONAL { ?o ?é ?s } }"
    data = written(solutions([ox.Literal("x")], query), name, columns=order).decode()

    if name == "json":
        found = json.loads(data)
        assert found["head"]["vars"] == order
        assert found["results"]["bindings"][0]["o"]["value"] == "x"
    elif name == "xml":
        root = ET.fromstring(data)  # noqa: S314 - written above
        assert [entry.get("name") for entry in root.iter() if entry.tag.endswith("variable")] == order
    else:
        head, row = (line.split("," if name == "csv" else "\t") for line in data.splitlines())
        assert [cell.removeprefix("?") for cell in head] == order
        assert row[2].strip('"') == "x"


def test_other_columns_than_those_of_the_result_are_an_error() -> None:
    """An order leaves no column out and names none that there is not."""
    with pytest.raises(ValueError, match="not the columns"):
        written(solutions([S]), "json", columns=["o", "s"])


@pytest.mark.parametrize("columns", [None, ("b", "a")])
@pytest.mark.parametrize("labels", [None, NO_LABELS])
@pytest.mark.parametrize("name", NAMES)
def test_a_result_without_rows(name: str, labels: Labels | None, columns: Sequence[str] | None) -> None:
    """A result without rows is a head and nothing else."""
    results = cast("ox.QuerySolutions", ox.Store().query("SELECT ?a ?b { ?a ?p ?b }"))
    data = written(results, name, labels=labels, columns=columns)
    names = list(columns or ("a", "b"))

    if name == "json":
        assert json.loads(data) == {"head": {"vars": names}, "results": {"bindings": []}}
    elif name == "xml":
        assert data.endswith(b"<results></results></sparql>")
    else:
        assert data.decode().replace("?", "").split() == [("," if name == "csv" else "\t").join(names)] or (
            name == "tsv" and data.decode().replace("?", "").split() == names
        )


@pytest.mark.parametrize("labels", [None, NO_LABELS])
@pytest.mark.parametrize(
    ("name", "count"), [("json", b"{}"), ("xml", b"<result>"), ("csv", b"\n"), ("tsv", b"\n")]
)
def test_a_result_without_columns(name: str, count: bytes, labels: Labels | None) -> None:
    """A solution without columns is still counted."""
    results = cast("ox.QuerySolutions", ox.Store().query("SELECT * { VALUES () { () () } }"))
    data = written(results, name, labels=labels)

    assert data.count(count) == (2 if name in PARSED and name != "tsv" else 3)


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_ask(name: str, truth: bool) -> None:
    """An ASK is true or false: a bare word in CSV and TSV, which the engine reads back."""
    results = cast("ox.QueryBoolean", ox.Store().query("ASK {}" if truth else "ASK { FILTER(false) }"))
    data = written(results, name)

    if name in {"csv", "tsv"}:
        assert data == str(truth).lower().encode()
    else:
        assert bool(cast("ox.QueryBoolean", ox.parse_query_results(data, PARSED[name]))) is truth


# --- XML -----------------------------------------------------------------------------------------------

NOT_IN_XML = [*({*range(0x20)} - {9, 10, 13}), 0xFFFE, 0xFFFF]


@pytest.mark.parametrize("labels", [None, NO_LABELS], ids=["engine", "by row"])
@pytest.mark.parametrize("code", NOT_IN_XML)
def test_a_character_that_xml_has_not_is_refused(code: int, labels: Labels | None) -> None:
    """No XML holds a character that no parser takes: the error names it, and the formats that have it."""
    with pytest.raises(NotAcceptable, match=f"U\\+{code:04X}.* JSON"):
        written(solutions([ox.Literal(f"a{chr(code)}b")]), "xml", labels=labels)


@pytest.mark.parametrize("code", NOT_IN_XML)
def test_so_it_is_in_rdf_xml(code: int) -> None:
    """RDF/XML refuses the same characters."""
    with pytest.raises(NotAcceptable, match=f"U\\+{code:04X}"):
        write_quads([ox.Triple(S, P, ox.Literal(f"a{chr(code)}b"))], io.BytesIO(), by_name("rdfxml", "graph"))


@given(before=st.integers(0, 9_000), code=st.sampled_from(NOT_IN_XML))
@settings(deadline=None, max_examples=60)
def test_a_character_is_found_where_the_engine_cuts_its_bytes(before: int, code: int) -> None:
    """The engine writes pieces of 8 kB; a character that lies in two of them is found."""
    with pytest.raises(NotAcceptable):
        written(solutions([ox.Literal("x" * before + chr(code))]), "xml")


@pytest.mark.parametrize(
    ("predicate", "fits"),
    [
        ("https://example.org/p", True),
        ("https://example.org/a.b", True),
        ("https://example.org/é", True),
        ("https://example.org/a&b", True),
        ("urn:x:y", True),
        (RDF + "type", True),
        (RDF + "_1", True),
        ("https://example.org/1", False),
        ("https://example.org/a/", False),
        ("https://example.org/a#", False),
        ("https://example.org/%20", False),
        ("https://example.org/a(b)", False),
        ("https://example.org/\U0001f600", False),
        ("http://www.w3.org/2000/xmlns/foo", False),
        (RDF + "li", False),
        (RDF + "Description", False),
        (RDF + "about", False),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_predicate_is_an_element_or_refused(predicate: str, fits: bool, nested: bool) -> None:
    """RDF/XML writes a predicate as an element that a parser reads as that IRI, or refuses it."""
    triple = ox.Triple(S, ox.NamedNode(predicate), ox.Literal("x"))
    statement = ox.Triple(S, P, triple) if nested else triple
    file = io.BytesIO()
    if fits:
        write_quads([statement], file, by_name("rdfxml", "graph"))
        assert [quad.triple for quad in ox.parse(file.getvalue(), format=ox.RdfFormat.RDF_XML)] == [statement]
        ET.fromstring(file.getvalue())  # noqa: S314 - written above
    else:
        with pytest.raises(NotAcceptable, match="Turtle"):
            write_quads([statement], file, by_name("rdfxml", "graph"))


@given(
    names=st.lists(st.from_regex(r"(x-)?[a-z0-9]{1,2}", fullmatch=True), unique=True, min_size=2, max_size=6)
)
@settings(deadline=None, max_examples=60)
def test_blank_nodes_of_any_name_stay_apart_in_rdf_xml(names: list[str]) -> None:
    """Blank nodes whose names RDF/XML has not are renamed, and never made one."""
    triples = [ox.Triple(ox.BlankNode(name), P, ox.Literal(name)) for name in names]
    file = io.BytesIO()
    write_quads(triples, file, by_name("rdfxml", "graph"))
    graph = Graph().parse(data=file.getvalue(), format="xml")

    assert len(set(graph.subjects())) == len(names)


# --- Graphs and datasets -------------------------------------------------------------------------------


PREDICATES = st.sampled_from(
    [P, T, ox.NamedNode(RDF + "type"), ox.NamedNode("https://w3id.org/medkg/ontology#a")]
)
TRIPLES = st.builds(ox.Triple, SUBJECTS, PREDICATES, st.one_of(SUBJECTS, literals(IN_XML, directed=True)))
ALL_TRIPLES = st.builds(ox.Triple, SUBJECTS, PREDICATES, terms())


@pytest.mark.parametrize("name", list(RDFLIB))
@given(graph=st.lists(TRIPLES, max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_graph_reads_back(name: str, graph: list[ox.Triple]) -> None:
    """The engine's parser reads the same graph from each format."""
    file = io.BytesIO()
    write_quads(graph, file, by_name(name, "graph"))
    found = ox.Dataset(ox.parse(file.getvalue(), format=RDF_FORMATS[name]))
    expected = ox.Dataset(ox.Quad(item.subject, item.predicate, item.object) for item in graph)
    for dataset in (found, expected):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)

    assert found == expected


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", list(RDFLIB))
@given(objects=st.lists(literals(IN_XML, directed=False), max_size=4))
@settings(deadline=None, max_examples=40)
def test_another_parser_reads_the_same_graph(name: str, objects: list[ox.Literal]) -> None:
    """So does the parser of rdflib."""
    file, lines = io.BytesIO(), io.BytesIO()
    write_quads([ox.Triple(S, P, item) for item in objects], file, by_name(name, "graph"))
    ox.serialize([ox.Triple(S, P, item) for item in objects], lines, ox.RdfFormat.N_TRIPLES)

    assert isomorphic(
        Graph().parse(data=file.getvalue(), format=RDFLIB[name]),
        Graph().parse(data=lines.getvalue(), format="nt"),
    )


@pytest.mark.parametrize("entry", DATASET_FORMATS, ids=lambda entry: entry.name)
@given(graph=st.lists(st.tuples(ALL_TRIPLES, st.sampled_from([None, S, T])), max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_dataset_reads_back(entry: object, graph: list[tuple[ox.Triple, ox.NamedNode | None]]) -> None:
    """Each quad is read from N-Quads and TriG in the graph where it stood, triple terms included."""
    format_ = next(item for item in DATASET_FORMATS if item is entry)
    quads = [ox.Quad(item.subject, item.predicate, item.object, name) for item, name in graph]
    file = io.BytesIO()
    write_quads(quads, file, format_)
    found, expected = (
        ox.Dataset(ox.parse(file.getvalue(), format=RDF_FORMATS[format_.name])),
        ox.Dataset(quads),
    )
    for dataset in (found, expected):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)

    assert found == expected


@pytest.mark.parametrize("entry", GRAPH_FORMATS, ids=lambda entry: entry.name)
def test_a_format_of_graphs_takes_the_triples_of_quads(entry: object) -> None:
    """A graph that is read from a store is written as a graph, without its name."""
    format_ = next(item for item in GRAPH_FORMATS if item is entry)
    file = io.BytesIO()
    write_quads([ox.Quad(S, P, T, S)], file, format_)

    assert list(ox.parse(file.getvalue(), format=RDF_FORMATS[format_.name])) == [ox.Quad(S, P, T)]


@pytest.mark.parametrize("name", ["ttl", "trig", "rdfxml"])
def test_prefixes(name: str) -> None:
    """The formats that have prefixes are written with those of medkg."""
    kind = next(entry.kind for entry in FORMATS if entry.name == name)
    file = io.BytesIO()
    write_quads(
        [ox.Triple(S, ox.NamedNode("https://w3id.org/medkg/ontology#a"), T)], file, by_name(name, kind)
    )

    assert b"medkg:a" in file.getvalue()


def test_json_ld_has_no_triple_terms() -> None:
    """JSON-LD refuses a triple term, and says which formats have it."""
    with pytest.raises(NotAcceptable, match="Turtle"):
        write_quads([ox.Triple(S, P, ox.Triple(S, P, T))], io.BytesIO(), by_name("jsonld", "graph"))


@pytest.mark.parametrize("name", list(RDFLIB))
def test_construct(name: str) -> None:
    """A CONSTRUCT is written as the graph that it is."""
    store = ox.Store()
    store.add(ox.Quad(S, P, ox.Literal("a\rb")))
    results = cast("ox.QueryTriples", store.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"))
    data = written(results, name)

    assert [quad.triple for quad in ox.parse(data, format=RDF_FORMATS[name])] == [
        ox.Triple(S, P, ox.Literal("a\rb"))
    ]


# --- Streaming -----------------------------------------------------------------------------------------


class _Sink:
    """A file that keeps nothing, and fails at one of its calls."""

    def __init__(self, fail_at: int = 0) -> None:
        self.sizes: list[int] = []
        self._fail_at = fail_at

    def write(self, data: bytes) -> int:
        self.sizes.append(len(data))
        if len(self.sizes) == self._fail_at:
            raise BrokenPipeError("nobody reads")
        return len(data)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("labels", [None, NO_LABELS], ids=["plain", "labels"])
@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_written_as_it_comes(name: str, labels: Labels | None) -> None:
    """However long a result is, little of it is held at a time."""
    results = solutions([ox.Literal("x" * 100)] * 20_000)
    sink = _Sink()
    tracemalloc.start()
    try:
        write(results, cast("IO[bytes]", sink), by_name(name, "results"), labels=labels)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(sink.sizes) > 2_000_000
    assert max(sink.sizes) < 600_000
    assert peak < 4_000_000


@pytest.mark.parametrize("labels", [None, NO_LABELS], ids=["plain", "labels"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_fails_ends_the_writing(name: str, labels: Labels | None) -> None:
    """An error of the file comes out as it is, and ends the evaluation."""
    sink = _Sink(fail_at=2)
    with pytest.raises(BrokenPipeError, match="nobody reads"):
        write(solutions([S] * 5_000), cast("IO[bytes]", sink), by_name(name, "results"), labels=labels)

    # The engine tries once more to let go of what it holds.
    assert len(sink.sizes) <= 3
