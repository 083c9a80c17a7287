"""store/embedded.py: the engine port on a real Oxigraph store, as a service and its questions use it."""

import csv
import gc
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pyoxigraph as ox
import pytest
from rdflib import DCTERMS, RDF, RDFS, SKOS, XSD, Graph
from rdflib.compare import isomorphic
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import (
    NotAcceptable,
    NotSupported,
    ParameterError,
    QueryRefused,
    QuerySyntaxError,
    StoreFailed,
    StoreMissing,
    TooLarge,
)
from medkg.domain.model import Quad, QueryRequest, Term
from medkg.domain.namespaces import GRAPH, PREFIXES
from medkg.store.embedded import EmbeddedEngine
from medkg.store.formats import GRAPH_FORMATS, RESULT_FORMATS, Format, by_name
from medkg.store.policy import Limits
from medkg.store.writer import candidate


def _iri(name: str) -> URIRef:
    return URIRef("https://example.org/" + name)


ONE, TWO, MENTIONS = _iri("one"), _iri("two"), GRAPH["mentions/one"]
S, P = _iri("s"), _iri("p")
TRICKY = (
    "é\u4e2d\U0001f600 \"double\" 'single' \\ back\ttab\r\nline, {brace} <tag> & # ? $x @en ^^ \u2028 end "
)
TEXTS = (
    Literal(TRICKY),
    Literal(TRICKY, lang="fr"),
    Literal("\r"),
    Literal(""),
    Literal(" x "),
    Literal("\x7f"),
)
VALUES: tuple[Term, ...] = (
    *TEXTS,
    Literal("1", datatype=XSD.integer),
    Literal("1.5", datatype=XSD.decimal),
    Literal("true", datatype=XSD.boolean),
    Literal("2024-02-29", datatype=XSD.date),
    Literal("x y", datatype=_iri("type")),
    _iri("caf\u00e9/\u4e2d?q=1&r=2#frag"),
    BNode("file-c14n0"),
)
LABELLED: dict[URIRef, tuple[tuple[URIRef, Literal], ...]] = {
    _iri("many"): tuple((SKOS.prefLabel, Literal(f"{lang} label", lang=lang)) for lang in ("pl", "en", "fr")),
    _iri("german"): (
        (SKOS.prefLabel, Literal("de label", lang="de")),
        (SKOS.prefLabel, Literal("cs label", lang="cs")),
    ),
    _iri("plain"): ((SKOS.prefLabel, Literal("plain")), (SKOS.prefLabel, Literal("de label", lang="de"))),
    _iri("pref"): ((RDFS.label, Literal("rdfs", lang="en")), (SKOS.prefLabel, Literal("skos", lang="de"))),
    _iri("rdfs"): ((DCTERMS.title, Literal("title", lang="en")), (RDFS.label, Literal("rdfs", lang="de"))),
    _iri("title"): ((DCTERMS.title, Literal("title")),),
    _iri("alt"): ((SKOS.altLabel, Literal("alt", lang="en")),),
    _iri("two"): ((RDFS.label, Literal("b", lang="en")), (RDFS.label, Literal("a", lang="en"))),
    _iri("number"): ((RDFS.label, Literal("7", datatype=XSD.integer)),),
}
FACTS: tuple[Quad, ...] = (
    (S, P, Literal("shared"), ONE),
    (S, P, Literal("shared"), TWO),
    (S, P, Literal("second"), TWO),
    (_iri("hidden"), P, Literal("raw"), MENTIONS),
    *((_iri("values"), P, value, _iri("three")) for value in VALUES),
    *(
        (term, predicate, label, _iri("labels"))
        for term, labels in LABELLED.items()
        for predicate, label in labels
    ),
    (_iri("pref"), RDFS.seeAlso, _iri("no label"[:2]), _iri("labels")),
)


def _publish(root: Path, quads: tuple[Quad, ...]) -> None:
    with candidate(root) as work:
        work.add(quads)
        work.close()
        work.publish()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    root = tmp_path_factory.mktemp("embedded")
    _publish(root, FACTS)
    engine = EmbeddedEngine(root)
    yield engine
    engine.close()


def _ask(engine: EmbeddedEngine, request: QueryRequest | str, accept: str = "csv") -> bytes:
    request = QueryRequest(request) if isinstance(request, str) else request
    return b"".join(engine.run(request, accept).chunks)


def _number(engine: EmbeddedEngine, request: QueryRequest | str) -> int:
    return int(_ask(engine, request).split()[1])


# --- Dataset ---------------------------------------------------------------------------------------

COUNT = "SELECT (COUNT(*) AS ?n) "
IN_S = "{ <https://example.org/s> ?p ?o }"
IN_GRAPH = "{ GRAPH ?g { <https://example.org/s> ?p ?o } }"
FROM_ONE, FROM_TWO = "FROM <https://example.org/one> ", "FROM <https://example.org/two> "


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (COUNT + IN_S, 2),
        (COUNT + "{ <https://example.org/hidden> ?p ?o }", 0),
        (COUNT + "{ GRAPH ?g { <https://example.org/hidden> ?p ?o } }", 1),
        (COUNT + IN_GRAPH, 3),
        (COUNT + "{ GRAPH <https://example.org/two> " + IN_S + " }", 2),
        (COUNT + FROM_ONE + IN_S, 1),
        (COUNT + FROM_ONE + FROM_TWO + IN_S, 2),
        (COUNT + FROM_ONE + FROM_TWO + FROM_ONE + IN_S, 2),
        (COUNT + FROM_ONE + "FROM <https://example.org/unknown> " + IN_S, 1),
        (COUNT + "FROM <https://example.org/unknown> " + IN_S, 0),
        (COUNT + "FROM <http://127.0.0.1:9/graph.ttl> " + IN_S, 0),
        (COUNT + FROM_ONE + IN_GRAPH, 0),
        (COUNT + "FROM NAMED <https://example.org/two> " + IN_GRAPH, 2),
        (COUNT + "FROM NAMED <https://example.org/two> " + IN_S, 0),
        (COUNT + FROM_ONE + "FROM NAMED <https://example.org/two> " + IN_GRAPH, 2),
        (COUNT + FROM_ONE + FROM_TWO + "FROM NAMED <https://example.org/one> " + IN_GRAPH, 1),
        (COUNT + "FROM graph:mentions\\/one { ?s ?p ?o }", 1),
        ("PREFIX e: <https://example.org/> " + COUNT + "FROM e:one FROM e:two " + IN_S, 2),
        ("BASE <https://example.org/x> " + COUNT + "FROM <one> FROM <two> " + IN_S, 2),
    ],
)
def test_the_dataset_of_a_query(engine: EmbeddedEngine, text: str, number: int) -> None:
    """The default graph is a merge, each triple once, by default and with FROM; an unknown graph is empty."""
    assert _number(engine, text) == number


@pytest.mark.parametrize(
    ("default", "named", "where", "number"),
    [
        ([ONE], [], IN_S, 1),
        ([ONE, TWO], [], IN_S, 2),
        ([ONE, TWO, TWO], [], IN_S, 2),
        ([_iri("unknown")], [], IN_S, 0),
        ([], [TWO], IN_S, 0),
        ([], [TWO], IN_GRAPH, 2),
        ([], [ONE, TWO], IN_GRAPH, 3),
        ([ONE, TWO], [ONE], IN_GRAPH, 1),
        ([ONE], [], FROM_TWO + IN_S, 1),
        ([], [ONE], FROM_TWO + IN_S, 0),
    ],
)
def test_the_dataset_of_a_request(
    engine: EmbeddedEngine, default: list[str], named: list[str], where: str, number: int
) -> None:
    """A dataset that the request names wins over that of the query (SPARQL 1.1 Protocol, section 2.1.4)."""
    assert _number(engine, QueryRequest(COUNT + where, tuple(default), tuple(named))) == number


def test_a_merge_of_graphs_serves_every_form(engine: EmbeddedEngine) -> None:
    """CONSTRUCT, DESCRIBE and ASK see the merge of several graphs as SELECT does."""
    graphs = (str(ONE), str(TWO))
    for text in (f"CONSTRUCT WHERE {IN_S}".replace("?p", "<https://example.org/p>"), f"DESCRIBE <{S}>"):
        data = _ask(engine, QueryRequest(text, graphs), "nt")
        assert sorted(data.splitlines()) == sorted({*data.splitlines()})
        assert len(data.splitlines()) == 2
    assert _ask(engine, QueryRequest(f"ASK {IN_S}", graphs)) == b"true"


@pytest.mark.parametrize("name", ["", "relative", "two words:x", "http://a/b c", "a:<b>", "_:b"])
def test_a_graph_name_that_is_no_iri_is_a_bad_parameter(engine: EmbeddedEngine, name: str) -> None:
    """A name that can't be an IRI is refused with the name in the message."""
    for request in (QueryRequest("ASK {}", (name,)), QueryRequest("ASK {}", (), (name,))):
        with pytest.raises(ParameterError, match="is no IRI"):
            _ask(engine, request)


# --- Bindings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", VALUES[:-1])
def test_a_bound_value_is_a_term_and_never_text(engine: EmbeddedEngine, value: Term) -> None:
    """A value with quotes, newlines or braces finds exactly itself: it can't leave its place in the query."""
    text = "SELECT ?s ?o { ?s ?p ?o }"
    assert engine.select(text, {"o": value}).rows == [{"s": _iri("values"), "o": value}]
    data = json.loads(_ask(engine, QueryRequest(text, bindings={"o": value}), "json"))
    [row] = data["results"]["bindings"]
    assert (row["s"]["value"], row["o"]["value"]) == (str(_iri("values")), str(value))


@pytest.mark.parametrize(
    "attack", ['" } # ', "' . ?a ?b ?c", "\\", "\\u0022", ">", "x> ?p ?o } #", "\n}", '"""']
)
def test_a_hostile_value_finds_nothing(engine: EmbeddedEngine, attack: str) -> None:
    """A value that would end the query if it were text is one more value that nobody has."""
    assert engine.select("SELECT ?s ?o { ?s ?p ?o }", {"o": Literal(attack)}).rows == []


# --- Results ---------------------------------------------------------------------------------------

QUERY = "SELECT ?o ?none { <https://example.org/values> ?p ?o OPTIONAL { ?o ?q ?none } }"


def _n3(terms: Iterator[Term] | tuple[Term, ...]) -> list[str]:
    """Return terms as sorted text, without the names of blank nodes."""
    return sorted("_:b" if isinstance(term, BNode) else term.n3() for term in terms)


def _from_json(data: bytes) -> Iterator[Term]:
    read = json.loads(data)
    assert read["head"]["vars"] == ["o", "none"]
    for row in read["results"]["bindings"]:
        assert row.keys() == {"o"}
        yield _term(row["o"]["type"], row["o"]["value"], row["o"].get("xml:lang"), row["o"].get("datatype"))


def _from_xml(data: bytes) -> Iterator[Term]:
    space = "{http://www.w3.org/2005/sparql-results#}"
    root = ET.fromstring(data)  # noqa: S314 - our own answer
    assert [item.get("name") for item in root.iter(space + "variable")] == ["o", "none"]
    for row in root.iter(space + "result"):
        [binding] = row
        [value] = binding
        lang = value.get("{http://www.w3.org/XML/1998/namespace}lang")
        yield _term(value.tag.removeprefix(space), value.text or "", lang, value.get("datatype"))


def _term(kind: str, value: str, lang: str | None, datatype: str | None) -> Term:
    if kind == "uri":
        return URIRef(value)
    if kind == "bnode":
        return BNode(value)
    return Literal(value, lang=lang, datatype=URIRef(datatype) if datatype else None, normalize=False)


def test_json_results_read_back(engine: EmbeddedEngine) -> None:
    """Another parser reads the same terms from JSON, with every character, language and datatype."""
    assert _n3(tuple(_from_json(_ask(engine, QUERY, "json")))) == _n3(VALUES)


def test_xml_results_read_back(engine: EmbeddedEngine) -> None:
    """Another parser reads the same terms from XML, carriage returns and white space included."""
    assert _n3(tuple(_from_xml(_ask(engine, QUERY, "xml")))) == _n3(VALUES)


def test_csv_results_read_back(engine: EmbeddedEngine) -> None:
    """Another parser reads the same values from CSV, which has no types, with its line ends of CR LF."""
    data = _ask(engine, QUERY, "csv").decode()
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows[0] == ["o", "none"]
    values = ["_:b" if row[0].startswith("_:") else row[0] for row in rows[1:]]
    assert sorted(values) == sorted("_:b" if isinstance(value, BNode) else str(value) for value in VALUES)
    assert {row[1] for row in rows[1:]} == {""}
    assert data.endswith("\r\n")


def test_tsv_results_read_back(engine: EmbeddedEngine) -> None:
    """Each TSV field is a term in Turtle: a Turtle parser reads the same terms from it."""
    head, *lines = _ask(engine, QUERY, "tsv").decode().removesuffix("\n").split("\n")
    assert head == "?o\t?none"
    fields = [line.split("\t") for line in lines]
    assert {len(field) for field in fields} == {2}
    turtle = "".join(f"<a:s> <a:p> {field[0]} .\n" for field in fields)
    assert _n3(tuple(Graph().parse(data=turtle, format="turtle").objects())) == _n3(VALUES)  # type: ignore[arg-type]


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("name", [entry.name for entry in RESULT_FORMATS])
def test_ask_answers_in_every_format(engine: EmbeddedEngine, name: str, truth: bool) -> None:
    """An ASK says true or false in each of the formats of results."""
    answer = engine.run(QueryRequest("ASK {}" if truth else "ASK { FILTER(false) }"), name)
    data = b"".join(answer.chunks).decode()
    assert answer.format == by_name(name, "results")
    if name == "json":
        assert json.loads(data)["boolean"] is truth
    elif name == "xml":
        [value] = ET.fromstring(data).iter("{http://www.w3.org/2005/sparql-results#}boolean")  # noqa: S314
        assert value.text == str(truth).lower()
    else:
        assert data.strip() == str(truth).lower()


# Its parser of JSON-LD makes one of the graphs that rdflib itself deprecates.
READ_JSON_LD = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
PARSERS = {"ttl": "turtle", "nt": "nt", "jsonld": "json-ld", "rdfxml": "xml"}


def _expected() -> Graph:
    graph = Graph()
    for subject, predicate, object_, _ in FACTS:
        if subject == _iri("values") and object_ != Literal("\x7f"):
            graph.add((subject, predicate, object_))
    return graph


@READ_JSON_LD
@pytest.mark.parametrize("entry", GRAPH_FORMATS, ids=lambda entry: entry.name)
@pytest.mark.parametrize(
    "text",
    [
        "DESCRIBE <https://example.org/values>",
        "CONSTRUCT { ?s ?p ?o } WHERE { VALUES ?s { <https://example.org/values> } ?s ?p ?o }",
    ],
)
def test_graphs_read_back(engine: EmbeddedEngine, entry: Format, text: str) -> None:
    """Another parser, that of rdflib, reads the same graph from every graph format."""
    answer = engine.run(QueryRequest(text), entry.media_types[0])
    read = Graph().parse(data=b"".join(answer.chunks), format=PARSERS[entry.name])
    read.remove((None, None, Literal("\x7f")))
    assert answer.format is entry
    assert isomorphic(read, _expected())


@READ_JSON_LD
@pytest.mark.parametrize("entry", GRAPH_FORMATS, ids=lambda entry: entry.name)
def test_serialize_reads_back(engine: EmbeddedEngine, entry: Format) -> None:
    """Triples written by serialize(), without their graphs, are read back by rdflib."""
    quads = [quad for quad in FACTS if quad[0] == _iri("values") and quad[2] != Literal("\x7f")]
    data = engine.serialize(quads, entry)
    assert isomorphic(Graph().parse(data=data, format=PARSERS[entry.name]), _expected())


def test_our_prefixes_are_used(engine: EmbeddedEngine) -> None:
    """Queries may use medkg's prefixes undeclared, and Turtle is written with them."""
    assert _ask(engine, f"ASK {{ <{_iri('many')}> skos:prefLabel ?label }}") == b"true"
    data = _ask(engine, f"DESCRIBE <{_iri('many')}>", "ttl").decode()
    assert f"@prefix skos: <{PREFIXES['skos']}> ." in data
    assert "skos:prefLabel" in data


@pytest.mark.parametrize(
    ("text", "accept"),
    [
        ("SELECT * {}", "text/turtle"),
        ("ASK {}", "ttl"),
        ("DESCRIBE <a:b>", "text/csv"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "csv"),
        ("SELECT * {}", "image/png"),
    ],
)
def test_a_format_of_the_other_kind_is_not_acceptable(engine: EmbeddedEngine, text: str, accept: str) -> None:
    """What the client takes must fit the form of the query; the error comes before any byte.

    It takes nothing of the engine along into the thread that reads, where the engine could not clean up.
    """
    with pytest.raises(NotAcceptable):
        engine.run(QueryRequest(text), accept)

    gc.collect()


def test_a_large_answer_is_complete(engine: EmbeddedEngine) -> None:
    """An answer of many chunks has every row."""
    numbers = " ".join(map(str, range(60)))
    text = "SELECT ?a ?b ?c { " + "".join(f"VALUES ?{name} {{ {numbers} }}" for name in "abc") + " }"
    answer = engine.run(QueryRequest(text), "csv")
    chunks = list(answer.chunks)
    rows = b"".join(chunks).split()[1:]
    assert len(chunks) > 2
    assert len(rows) == len(set(rows)) == 60**3


def test_an_answer_that_is_closed_stops_the_engine(engine: EmbeddedEngine) -> None:
    """A reader that leaves ends an evaluation that would never end by itself."""
    endless = "SELECT * { " + " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(12)) + " }"
    answer = engine.run(QueryRequest(endless), "csv")
    assert next(answer.chunks)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "medkg-result"]
    answer.chunks.close()
    thread.join(20)
    assert not thread.is_alive()


# --- Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("nonsense", 1, 1),
        ("SELECT * {", 1, 11),
        ("SELECT * { ?s ?p }", 1, 18),
        ("SELECT *\n{ ?s ?p ?o ;;;, }", 2, 13),
        ("SELECT *\n{\n  ?s ?p ?o }}\n", 3, 13),
        ("INSERT DATA { <a:a> <a:b> 1 }", 1, 1),
        ("SELECT ?x (1 AS ?x) { ?x ?p ?o }", 1, 11),
        ("SELECT ?x { ?s ?p ?o } GROUP BY ?s", 1, 8),
        ("SELECT * { ?s ?p ?o } LIMIT -1", 1, 29),
        ("ASK { ?s ?p 'open }", 1, 13),
        ("ASK { ?s unknown:p ?o }", 1, 10),
    ],
)
def test_syntax_errors_say_where(engine: EmbeddedEngine, text: str, line: int, column: int) -> None:
    """A text that does not parse is refused at the place where the engine stopped, counted from 1.

    The engine tries keywords at the fault, so it stops there or behind it, by the length of a keyword.
    """
    with pytest.raises(QuerySyntaxError) as caught:
        _ask(engine, text)

    assert caught.value.line is not None
    assert caught.value.column is not None
    assert (line, column) <= (caught.value.line, caught.value.column)
    assert _offset(text, caught.value.line, caught.value.column) - _offset(text, line, column) <= 24
    assert str(caught.value).startswith(
        f"The query does not parse at line {caught.value.line}, column {caught.value.column}."
    )


def _offset(text: str, line: int, column: int) -> int:
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"ASK {{ SERVICE <{S}> {{}} }}", QueryRefused),
        ("ASK " + "{" * 11 + "}" * 11, TooLarge),
        ("ASK { # " + "x" * 1000 + "\n}", TooLarge),
        ("ASK { FILTER(<https://example.org/f>(1)) }", NotSupported),
        ("SELECT * { VALUES ?x { 1 } BIND(<https://example.org/f>(?x) AS ?y) }", NotSupported),
    ],
)
def test_what_the_policy_or_the_engine_does_not_run(
    engine: EmbeddedEngine, tmp_path: Path, text: str, error: type[Exception]
) -> None:
    """The limits of the engine hold for every query, and an unknown function is the caller's mistake."""
    del engine
    _publish(tmp_path, FACTS[:1])
    small = EmbeddedEngine(tmp_path, limits=Limits(max_bytes=1000, max_depth=10))
    with pytest.raises(error):
        _ask(small, text)
    small.close()


def test_an_error_of_evaluation_is_no_error_of_the_query(engine: EmbeddedEngine) -> None:
    """An expression that fails leaves its variable unbound, as SPARQL says."""
    assert _ask(engine, "SELECT ?x { BIND(1/0 AS ?x) }") == b'x\r\n""\r\n'


def test_select_takes_selects_only(engine: EmbeddedEngine) -> None:
    """select() is for our own SELECT queries; another form is a mistake in the program."""
    with pytest.raises(TypeError, match="not a SELECT"):
        engine.select("ASK {}")
    with pytest.raises(StoreFailed):
        engine.select("SELECT ?s { ?s ?p ?o }", {"not_there": S})


# --- Quads and labels ------------------------------------------------------------------------------


def test_select_gives_terms_in_the_order_of_the_variables(engine: EmbeddedEngine) -> None:
    """Solutions have the projected variables in order, and rows hold bound variables only."""
    found = engine.select("SELECT ?b ?a { VALUES (?a ?b) { (1 UNDEF) (UNDEF 2) } } ORDER BY ?a")
    assert found.variables == ("b", "a")
    assert found.rows == [
        {"b": Literal("2", datatype=XSD.integer)},
        {"a": Literal("1", datatype=XSD.integer)},
    ]


def test_quads_are_those_of_the_named_graphs(engine: EmbeddedEngine) -> None:
    """quads() shows what each named graph says, mentions too, and never the merge."""
    assert sorted(map(str, engine.quads())) == sorted(map(str, FACTS))
    assert {quad[3] for quad in engine.quads(S, P, Literal("shared"))} == {ONE, TWO}
    assert set(engine.quads(graph=TWO)) == {quad for quad in FACTS if quad[3] == TWO}
    assert set(engine.quads(object_=Literal(TRICKY, lang="fr"))) == {
        (_iri("values"), P, Literal(TRICKY, lang="fr"), _iri("three"))
    }
    assert list(engine.quads(_iri("nothing"))) == []
    assert list(engine.quads(predicate=RDF.type)) == []


@pytest.mark.parametrize(
    ("name", "languages", "label"),
    [
        ("many", ["en"], "en label"),
        ("many", ["fr", "en"], "fr label"),
        ("many", ["it", "pl", "en"], "pl label"),
        ("many", ["it"], "en label"),
        ("many", [], "en label"),
        ("german", ["en"], "cs label"),
        ("german", ["en", "de"], "de label"),
        ("plain", ["en"], "plain"),
        ("plain", ["de"], "de label"),
        ("pref", ["en"], "skos"),
        ("rdfs", ["en"], "rdfs"),
        ("title", ["en"], "title"),
        ("two", ["en"], "a"),
        ("number", ["en"], "7"),
        ("alt", ["en"], None),
        ("unknown", ["en"], None),
    ],
)
def test_labels(engine: EmbeddedEngine, name: str, languages: list[str], label: str | None) -> None:
    """The best property that has a label counts; of its labels the first language asked for, else any."""
    assert engine.labels([_iri(name)], languages).get(_iri(name)) == label


def test_labels_of_many(engine: EmbeddedEngine) -> None:
    """Labels of several terms come in one mapping, without those that have none."""
    found = engine.labels([_iri("many"), _iri("many"), _iri("alt"), _iri("title")], ["fr"])
    assert found == {_iri("many"): "fr label", _iri("title"): "title"}
    assert engine.labels([], ["en"]) == {}


# --- Versions --------------------------------------------------------------------------------------


def test_an_engine_needs_a_graph(tmp_path: Path) -> None:
    """Without a built graph there is no engine, and the error says what to do."""
    with pytest.raises(StoreMissing, match="medkg build"):
        EmbeddedEngine(tmp_path)


def test_a_new_version_is_seen_by_the_next_call(tmp_path: Path) -> None:
    """What is published while an engine runs answers its next query, under the next number."""
    _publish(tmp_path, FACTS[:1])
    engine = EmbeddedEngine(tmp_path)
    first = engine.run(QueryRequest(COUNT + IN_S), "csv")
    assert (engine.version, first.version) == (1, 1)
    _publish(tmp_path, FACTS[:3])
    second = engine.run(QueryRequest(COUNT + IN_S), "csv")
    assert (engine.version, second.version) == (2, 2)
    assert b"".join(first.chunks).split()[1] == b"1"
    assert b"".join(second.chunks).split()[1] == b"2"
    engine.close()


def test_engines_share_nothing(tmp_path: Path, engine: EmbeddedEngine) -> None:
    """Two engines in one process answer from their own folders, also once the other is closed."""
    _publish(tmp_path, FACTS[:1])
    other = EmbeddedEngine(tmp_path)
    assert _number(other, COUNT + IN_S) == 1
    assert _number(engine, COUNT + IN_S) == 2
    other.close()
    assert _number(engine, COUNT + IN_S) == 2


def test_many_threads_ask_at_once(engine: EmbeddedEngine) -> None:
    """One engine answers any number of threads, each with its own answer."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(10):
            data = _ask(engine, f"SELECT ?x {{ BIND({number} AS ?x) }}")
            if data != b"x\r\n%d\r\n" % number:
                wrong.append((number, data))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_default_graph_of_the_store_is_the_merge(engine: EmbeddedEngine) -> None:
    """What the engine's default graph holds is what a merge of the public graphs by hand holds."""
    data = _ask(engine, "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "nt")
    expected = ox.Store()
    expected.extend(
        ox.Quad(quad.subject, quad.predicate, quad.object)
        for quad in ox.parse(_all_quads(engine), format=ox.RdfFormat.N_QUADS)
    )
    assert sorted(data.splitlines()) == sorted(f"{quad.triple} .".encode() for quad in expected)


def _all_quads(engine: EmbeddedEngine) -> bytes:
    quads = [quad for quad in engine.quads() if quad[3] != MENTIONS]
    return engine.serialize(quads, by_name("nt", "graph"))
