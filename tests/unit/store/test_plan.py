"""store/plan.py: what is evaluated in the place of a query has the same solutions."""

import re
from collections.abc import Callable

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.store.plans import EX, NODES, PREDICATES, actual, expected, graphs, planner, solutions

from medkg.domain.errors import MedkgError
from medkg.domain.model import QueryRequest
from medkg.store import evaluate, policy, ranking
from medkg.store.counts import Counts
from medkg.store.joins import Sizes, reordered
from medkg.store.patterns import blocks, edited
from medkg.store.plan import Planner
from medkg.store.source import Source

COUNTING = [
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(?s) AS ?n) (COUNT(?o) AS ?m) (COUNT(DISTINCT ?p) AS ?k) WHERE { ?s ?p ?o . }",
    "SELECT DISTINCT ?p { ?s ?p ?o }",
    "SELECT DISTINCT $p { ?s ?p ?o } ORDER BY DESC(?p) LIMIT 2 OFFSET 1",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p HAVING(COUNT(?o) > 1) ORDER BY DESC(COUNT(*)) ?p",
    "SELECT ?p (COUNT(*) * 2 AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "SELECT ?x (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY (STRLEN(STR(?p)) AS ?x)",
    "SELECT DISTINCT (STR(?p) AS ?x) { ?s ?p ?o }",
    "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c",
    "SELECT DISTINCT ?c { ?s <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ?c }",
    "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }",
    "SELECT (COUNT(*) AS ?n) { ?s ex:p1 ?o }",
    "SELECT DISTINCT (1 AS ?one) { ?s ex:p2 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ex:nowhere ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } HAVING(COUNT(*) > 3)",
]
OTHERS = [
    "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?s }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?p }",
    "SELECT (COUNT(*) AS ?n) { ?s a ?s }",
    "SELECT ?p { ?s ?p ?o }",
    "SELECT * { ?s ?p ?o }",
    "SELECT DISTINCT * { ?s ?p ?o }",
    "SELECT DISTINCT ?s { ?s ?p ?o }",
    "SELECT DISTINCT ?p { ?s ?p ?o } ORDER BY STR(?s)",
    "SELECT ?o (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?o",
    "SELECT (COUNT(STR(?s)) AS ?n) (COUNT(STRLEN(?p)) AS ?m) { ?s ?p ?o }",
    "SELECT (SUM(STRLEN(STR(?p))) AS ?n) { ?s ?p ?o }",
    "SELECT (SAMPLE(?p) AS ?x) (COUNT(*) AS ?n) { ?s a ?p }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(ISIRI(?o)) }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o . ?o a ?c }",
    "SELECT (COUNT(*) AS ?n) { ?s ex:p1 ex:n1 }",
    "SELECT (COUNT(*) AS ?n) { ex:n1 ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ex:p1* ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s (ex:p1|a) ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } VALUES ?p { ex:p1 }",
    "SELECT (COUNT(*) AS ?n) { { ?s ?p ?o } }",
    "SELECT ?p (COUNT(*) AS ?n) FROM <urn:g> { ?s ?p ?o } GROUP BY ?p",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "ASK { ?s ?p ?o }",
]
RANKED = [
    "SELECT ?s ?o { ?s ex:p0 ?o } ORDER BY ?o ?s LIMIT 2",
    "SELECT * WHERE { ?s ex:p0 ?o } ORDER BY DESC(?o) ?s LIMIT 2 OFFSET 1",
    "SELECT ?s { ?s ex:p0 ?o ; ex:p1 ?x } ORDER BY ASC(?x) DESC(?o) ?s OFFSET 1 LIMIT 1",
    "SELECT ?s ?o { ?s ex:p0 ?o } ORDER BY STR(?o) ?s LIMIT 3",
    "SELECT ?s ?o { ?s ex:p0 ?o } ORDER BY DESC(STRLEN(STR(?o))) STR(?o) ?s LIMIT 1",
    "SELECT ?s ?o { ?s ex:p0 ?o . } ORDER BY (LCASE(STR(?o))) ?s ?o LIMIT 2",
    'SELECT ?s ?o { ?s ex:p0 ?o FILTER(LANG(?o) = "en") ?s ex:p1 ?x ; } ORDER BY ?x ?s ?o LIMIT 2',
    "SELECT ?s ?o { ?s ex:p0 ?o ; ex:p1 ex:n0 ; ex:p2 ex:n1 } ORDER BY ?o ?s LIMIT 2",
]
JOINS = [
    "SELECT ?s { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "SELECT * { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 , ex:n2 ; ex:p2 ?o . }",
    "SELECT * { ?s ex:p0 ?o . ?o ex:p1 ex:n1 ; ex:p2 ex:n2 . ?s ex:p0 ex:n0 FILTER(?s != ?o) }",
    "SELECT * { ?s ex:p0 ex:n0 , ex:n1 OPTIONAL { ?s ex:p1 ex:n1 ; ex:p2 ex:n0 } ?s ?p ?o ; ex:p2 ex:n2 }",
    "SELECT * { ?s ex:p0 ex:n0 ; a ex:n1 ; ex:p1 ex:n1 MINUS { ?s ex:p1 ex:n1 ; ex:p0 ex:n2 } }",
    "SELECT * { { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 } UNION { ?s ex:p1 ex:n1 ; ex:p2 ex:n2 } }",
    "SELECT * { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 . FILTER EXISTS { ?s ex:p1 ex:n1 ; ex:p2 ex:n0 } }",
    "SELECT * { ?s ex:p0/ex:p1* ?o ; ex:p0 ex:n0 ; ^ex:p2 ex:n1 ; !(ex:p1|^ex:p2) ex:n2 ; ex:p1 ex:n1 }",
    'SELECT * { ?s ex:p0 ex:n0 ; ex:p1 "x"@en , 5 , +5 , "x"^^ex:t ; ex:p1 ex:n1 # !\n ; ex:p2 ex:n0 }',
    "SELECT * { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ex:n0 ; ex:p1 ex:n1 BIND(STR(?s) AS ?x) ?o ex:p1 ?s }",
    "SELECT ?n { { SELECT (COUNT(*) AS ?n) { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 } } }",
    "SELECT * { _:x ex:p0 ex:n0 ; ex:p1 ex:n1 ; ex:p2 ?o }",
    "SELECT * { [] ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "SELECT * { ?s ex:p0 ( ex:n0 ) . ?s ex:p1 ex:n1 ; ex:p2 ex:n2 }",
    "ASK { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "CONSTRUCT { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 . [] ex:p2 ?s } WHERE { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "CONSTRUCT WHERE { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "DESCRIBE ?s { ?s ex:p0 ex:n0 ; ex:p1 ex:n1 }",
    "SELECT * { ?s <p0> <n0> ; <p1> <n1> }",
]

names = st.sampled_from(["ex:n0", "ex:n1", "<urn:n2>", "<n3>", '"x"@en', "5"])
variables = st.sampled_from(["?x", "?y", "$z", "_:b"])
verbs = st.sampled_from(["a", "ex:p0", "ex:p1", "<urn:p2>", "ex:p0/ex:p1", "^ex:p1", "ex:p2*", "?p"])


@st.composite
def written(draw: st.DrawFn) -> str:
    """Draw a block of triple patterns with abbreviations."""
    patterns = []
    for _ in range(draw(st.integers(1, 3))):
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            objects = draw(st.lists(st.one_of(names, names, variables), min_size=1, max_size=2))
            parts.append(f"{draw(verbs)} {' , '.join(objects)}")
        patterns.append(f"{draw(variables)} {' ; '.join(parts)}")
    return " . ".join(patterns)


@given(graphs, st.sampled_from(COUNTING + OTHERS + JOINS))
def test_a_query_has_the_solutions_of_its_own_text(quads: list[ox.Quad], text: str) -> None:
    """Whatever is evaluated in its place, on any graph."""
    work, store = planner(quads)

    assert actual(work, EX + text) == expected(store, EX + text)


@given(graphs, written(), written())
def test_any_order_of_patterns_has_the_same_solutions(quads: list[ox.Quad], one: str, two: str) -> None:
    """Blocks with abbreviations, paths, blank nodes and literals, alone and in groups."""
    work, store = planner(quads)
    # A blank node belongs to one block.
    other = two.replace("_:b", "_:c")
    for text in (f"SELECT * {{ {one} }}", f"SELECT * {{ {one} OPTIONAL {{ {other} }} }}"):
        assert actual(work, EX + text) == expected(store, EX + text)


XSD = "http://www.w3.org/2001/XMLSchema#"
VALUES = [
    *(ox.Literal(text) for text in ("", "a", "b", "B", "é", "10", "9")),
    *(ox.Literal(number) for number in (-1, 0, 5, 10)),
    *(ox.Literal(text, datatype=ox.NamedNode(f"{XSD}decimal")) for text in ("1.5", "5.0", "-0.5")),
    *(ox.Literal(number) for number in (1.5, 5.0, float("nan"), float("inf"))),
    *(ox.Literal(text, language="en") for text in ("a", "c")),
    *(
        ox.Literal(f"20{text}", datatype=ox.NamedNode(f"{XSD}date"))
        for text in ("24-01-01", "25-06-30", "24-01-01Z")
    ),
    ox.Literal("2024-05-05T10:00:00", datatype=ox.NamedNode(f"{XSD}dateTime")),
    ox.Literal("2024-05-05T10:00:00+02:00", datatype=ox.NamedNode(f"{XSD}dateTime")),
    ox.Literal("x", datatype=ox.NamedNode("urn:t")),
    ox.Literal("x", datatype=ox.NamedNode(f"{XSD}integer")),
    ox.Literal(True),
    NODES[0],
]
LITERALS = [value for value in VALUES if isinstance(value, ox.Literal)]
kinds = st.sampled_from(
    [
        VALUES,
        [value for value in LITERALS if value.value[:1] == "2"],
        [value for value in LITERALS if value.value[-1:].isdigit()],
    ]
    + [[one for one in LITERALS if one.datatype == two.datatype] for two in LITERALS]
)


@pytest.fixture(autouse=True)
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a sample of a small graph is less than all."""
    monkeypatch.setattr(ranking, "_SAMPLE", 2)
    monkeypatch.setattr(ranking, "_TIMES", 1)


@given(st.data(), kinds, st.sampled_from(RANKED))
def test_the_first_few_are_those_of_the_whole_order(
    data: st.DataObject, values: list[ox.Literal], text: str
) -> None:
    """Whatever the keys are: the same solutions in the same order."""
    any_triple = st.builds(
        ox.Quad,
        st.sampled_from(NODES),
        st.sampled_from(PREDICATES[1:]),
        st.sampled_from(values),
        st.just(ox.DefaultGraph()),
    )
    quads = data.draw(st.lists(any_triple, max_size=30))
    for node in NODES:
        quads += [ox.Quad(node, PREDICATES[2], NODES[0]), ox.Quad(node, PREDICATES[3], NODES[1])]
    store = ox.Store()
    store.extend(quads)
    work = Planner(Source(store))
    work._sizes.up_to = lambda limit, pair: limit  # type: ignore[method-assign]  # noqa: ARG005
    request, outline = QueryRequest(EX + text), policy.outline(EX + text)

    found = work.evaluate(request, outline, "urn:")
    whole = evaluate.evaluate(evaluate.dataset(store, request, outline), EX + text, {}, "urn:")

    assert isinstance(found, ox.QuerySolutions)
    assert isinstance(whole, ox.QuerySolutions)
    assert [str(row) for row in found] == [str(row) for row in whole]


def test_most_of_what_is_sorted_is_left_out() -> None:
    """The engine gets a filter with a key of the sample."""
    store = ox.Store()
    store.extend([ox.Quad(ox.NamedNode(f"urn:s{n}"), PREDICATES[1], ox.Literal(n)) for n in range(100)])
    text = f"{EX}SELECT ?s {{ ?s ex:p0 ?n }} ORDER BY DESC(?n) LIMIT 000000002"
    outline = policy.outline(text)
    found = ranking.ranking(text, outline, list(blocks(outline.tokens)))
    assert found is not None

    change = found.cut(text, outline.tokens, [ox.Literal(7), ox.Literal(50)])

    assert change is not None
    assert edited(text, [change]).endswith(
        '?n  FILTER(!COALESCE(((?n)) < "7"^^<http://www.w3.org/2001/XMLSchema#integer>, false)) } '
        "ORDER BY DESC(?n) LIMIT 000000002"
    )
    assert found.cut(text, outline.tokens, [ox.Literal(7)]) is None
    assert found.cut(text, outline.tokens, [ox.Literal(7), ox.Literal("7")]) is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY ?n LIMIT 0",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY ?n LIMIT 0000000000300 OFFSET 5",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY ?n LIMIT 5000",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY ?n OFFSET 5",
        "SELECT DISTINCT ?s { ?s ex:p0 ?n } ORDER BY ?n LIMIT 5",
        "SELECT (STR(?s) AS ?n) { ?s ex:p0 ?o } ORDER BY ?n LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n } GROUP BY ?s ORDER BY ?s LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY COUNT(?s) LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY RAND() LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n FILTER(?n > 5) } ORDER BY ?n LIMIT 5",
        'SELECT ?s { ?s ex:p0 ?n FILTER(CONTAINS(?n, "x")) } ORDER BY ?n LIMIT 5',
        "SELECT ?s { ?s ex:p0/ex:p1 ?n } ORDER BY ?n LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?o . ?o ex:p1 ?n } ORDER BY ?n LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n OPTIONAL { ?s ex:p1 ?o } } ORDER BY ?n LIMIT 5",
        "SELECT ?s { ?s ex:p0 ?n } ORDER BY ?n LIMIT 5 VALUES ?n { 1 }",
        "ASK { ?s ex:p0 ?n } ORDER BY ?n LIMIT 5",
    ],
)
def test_what_is_not_sure_to_be_quick_is_sorted_whole(text: str) -> None:
    """A sample of it could take as long as all, or would not be one."""
    outline = policy.outline(EX + text)

    assert ranking.ranking(EX + text, outline, list(blocks(outline.tokens))) is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s\n{ ?s ex:p0 ?v FILTER(LANG(?v ) = ) }\nORDER BY ?v LIMIT 2",
        "SELECT ?s { ?s ex:p0 ?v } ORDER BY () LIMIT 2",
        "SELECT ?s { ?s ex:p0 ?v } ORDER BY ASC(ASC(?v)) LIMIT 3",
        "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o }",
        "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o }",
        "SELECT * { ?s <http://[> ex:n0 ; ex:p1 ex:n1 }",
        "SELECT * { ?s ex:p0 ex:a\\%b ; ex:p1 ex:n1 }",
        "SELECT * { ?s <urn:\\u0020> ex:n0 ; ex:p1 ex:n1 }",
        "PREFIX z: <http://a:b/> SELECT * { ?s z:x z:y ; z:u z:v }",
        "SELECT (ex:f(?p) AS ?x) (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    ],
)
def test_a_mistake_is_told_of_the_text_that_was_sent(text: str) -> None:
    """With the same error as without anything in its place."""
    work, store = planner([ox.Quad(NODES[0], PREDICATES[1], NODES[1])])
    request, outline = QueryRequest(EX + text), policy.outline(EX + text)

    def outcome(found: Callable[[], evaluate.Results]) -> str:
        try:
            return str(solutions(found()))
        except (MedkgError, RuntimeError) as error:
            return f"{type(error).__name__} {error}"

    assert outcome(lambda: work.evaluate(request, outline, "urn:")) == outcome(
        lambda: evaluate.evaluate(evaluate.dataset(store, request, outline), EX + text, {}, "urn:")
    )


def test_the_order_of_subjects_stays() -> None:
    """Which of two goes first is not told by how much their patterns match."""
    store = ox.Store()
    store.extend([ox.Quad(ox.NamedNode(f"urn:s{n}"), PREDICATES[1], NODES[0]) for n in range(20)])
    store.add(ox.Quad(NODES[3], PREDICATES[2], NODES[1]))
    text = f"{EX}SELECT * {{ ?s ex:p0 ex:n0 ; ex:p2 ?o . ?o ex:p1 ex:n1 }}"
    outline = policy.outline(text)

    assert not reordered(text, outline, blocks(outline.tokens), Sizes(store))


@pytest.mark.parametrize("text", COUNTING)
def test_what_only_counts_never_reads_the_graph(text: str) -> None:
    """It is answered from the counts alone."""
    counts = Counts({"<urn:p1>": 7, "<urn:p2>": 2, "<urn:nowhere>": 1}, {"<urn:c>": 4})
    found = solutions(
        Planner(Source(ox.Store(), counts=counts)).evaluate(
            QueryRequest(EX + text), policy.outline(EX + text)
        )
    )

    assert found != expected(ox.Store(), EX + text)


@pytest.mark.parametrize("text", OTHERS + JOINS)
def test_what_asks_for_more_reads_the_graph(text: str) -> None:
    """Wrong counts show in no other query."""
    counts = Counts({"<urn:p1>": 7}, {"<urn:c>": 4})
    store = ox.Store()
    store.extend([ox.Quad(node, PREDICATES[1], NODES[0]) for node in NODES])

    assert actual(Planner(Source(store, counts=counts)), EX + text) == expected(store, EX + text)


def test_the_smallest_pattern_goes_first() -> None:
    """Then the engine begins with it; what stands between the patterns stays where it is."""
    store = ox.Store()
    store.extend([ox.Quad(ox.NamedNode(f"urn:s{n}"), PREDICATES[1], NODES[0]) for n in range(100)])
    store.extend([ox.Quad(ox.NamedNode(f"urn:s{n}"), PREDICATES[2], NODES[1]) for n in range(10)])
    text = f"{EX}SELECT ?s {{ ?s ex:p0 ex:n0 ; ex:p1 ex:n1 ; ex:p2 ?o FILTER(?s != ex:n0) }}"

    outline = policy.outline(text)
    changed = edited(text, reordered(text, outline, blocks(outline.tokens), Sizes(store)))

    assert re.sub(r"\s+", " ", changed).endswith(
        "{ ?s ex:p1 ex:n1 . ?s ex:p0 ex:n0 . ?s ex:p2 ?o . FILTER(?s != ex:n0) }"
    )
