"""store/policy.py: what a query may do is decided on the tokens that the engine will see."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.errors import MedkgError, QueryRefused, QuerySyntaxError, TooLarge
from medkg.domain.namespaces import PREFIXES
from medkg.store.policy import Limits, check, outline

AWAY = "http://127.0.0.1:9/"
"""The engine opens no connection to port 9: it says so, and thereby that it has taken a SERVICE for one."""


# --- SERVICE --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <%> { ?s ?p ?o } }",
        "SELECT * { service <%> {} }",
        "SELECT * { sErViCe <%> {} }",
        "SELECT * { SERVICE SILENT <%> {} }",
        "SELECT * { SERVICE ?x {} }",
        "SELECT * { SERVICE SILENT ?x {} }",
        "SELECT * { SERVICE $x {} }",
        "PREFIX s: <%> SELECT * { SERVICE s: {} }",
        "PREFIX s: <%> SELECT * { SERVICE s:x {} }",
        "SELECT * { SERVICE # a comment\n <%> {} }",
        "SELECT * { # a comment\rSERVICE <%> {} }",
        "SELECT * {SERVICE<%>{}}",
        "SELECT * {{{ OPTIONAL { SERVICE <%> {} } }}}",
        "SELECT * { FILTER EXISTS { SERVICE <%> {} } }",
        "SELECT * { { SELECT * { SERVICE <%> {} } } }",
        "ASK { SERVICE <%> {} }",
        "DESCRIBE ?x { SERVICE <%> {} }",
        "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <%> {} }",
    ],
)
def test_service_is_refused(text: str) -> None:
    """SERVICE is refused in every query form and at every depth, however it is written."""
    with pytest.raises(QueryRefused, match=r"SERVICE \(line \d+, column \d+\) is not allowed"):
        check(text.replace("%", AWAY), Limits())


DISGUISES = {
    "glued to SILENT": "ASK{SERVICESILENT<%>{}}",
    "glued to a name": "PREFIX s:<%> ASK{SERVICEs:{}}",
    "glued to a name that is declared": "PREFIX s:<%> PREFIX SERVICEs:<%> ASK{SERVICEs:{}}",
    "glued to what is before": "ASK{?s ?p trueSERVICE<%>{}}",
    "glued to a number": "ASK{?s ?p 1e5SERVICE<%>{}}",
    "behind a dot in a run": "PREFIX SERVICE:<%> ASK{?s ?p true.SERVICE:{}}",
    "behind the dot of an empty local name": "PREFIX s:<%> ASK{?s ?p s:.SERVICE<%>{}}",
    "behind the second dot of a local name": "PREFIX s:<%> ASK{?s ?p s:a.b.SERVICE<%>{}}",
    "in what looks like an IRI": "ASK{?s ?p ?x FILTER(?x<2)SERVICE#>\n<%>{}}",
    "between strings in what looks like an IRI": "ASK{?s ?p ?x FILTER(?x<'>')SERVICE<%>{?s ?p ''}}",
    "behind the hash of an IRI": "ASK{?s <a:b\\u0062#> ?o. SERVICE<%>{}}",
    "behind an escaped hash": "PREFIX s:<%> ASK{?s s:a\\# ?x SERVICE<%>{}}",
    "behind an escaped quote": "PREFIX s:<%> ASK{?s s:a\\' ?x SERVICE<%>{} FILTER('')}",
    "in a collection": "ASK{?s ?p (1 <a:&&#>). SERVICE<%>{}}",
    "in a long string that is none": 'ASK{?s ?p ("""a" <a:#> ).SERVICE<%>{}#\\uD800"""\n}',
}


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES.keys())
def test_a_disguised_service_never_passes(text: str) -> None:
    """What the engine, which needs no space between words, would take for SERVICE does not reach it."""
    with pytest.raises((QueryRefused, QuerySyntaxError)):
        check(text.replace("%", AWAY), Limits())


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?s ?p 'SERVICE <%> {}' }",
        'ASK { ?s ?p "SERVICE <%> {}" }',
        "ASK { ?s ?p '''it's\nSERVICE <%> {}''' }",
        'ASK { ?s ?p """a ""quoted""\nSERVICE <%> {} """ }',
        "ASK { ?s ?p 'it\\'s SERVICE <%> {}' }",
        "ASK { ?s ?p 'x'@service }",
        "ASK { # SERVICE <%> {}\n }",
        "ASK { ?s <http://example.org/SERVICE> ?o }",
        "ASK { ?s <SERVICE:x> ?o }",
        "PREFIX service: <http://example.org/> ASK { ?s service:x service:y }",
        "PREFIX service: <http://example.org/> ASK { GRAPH service:g { ?s ?p ?o } }",
        "PREFIX service: <http://example.org/> SELECT * FROM service:g { ?s ?p ?o }",
        "PREFIX service: <http://example.org/> SELECT * FROM NAMED service:g { ?s ?p ?o }",
        "PREFIX e: <http://example.org/> ASK { ?s e:service e:a.SERVICE }",
        "ASK { ?SERVICE ?service $Service }",
        "ASK { ?s ?p _:SERVICE }",
        "ASK { ?s ?p _:a.SERVICE }",
    ],
)
def test_the_word_service_alone_harms_nobody(text: str) -> None:
    """SERVICE in a string, comment, IRI, prefixed name, variable, label or language tag is no SERVICE."""
    assert check(text.replace("%", AWAY), Limits()).service is None
    ox.Store().query(text.replace("%", AWAY))


W3C = Path(os.environ.get("MEDKG_W3C") or Path(__file__).parents[4] / "shared" / "w3c") / "sparql"  # noqa: TID251
"""The test suite of the W3C, which is not part of the project."""


@pytest.mark.skipif(not W3C.is_dir(), reason="the W3C suite is not here (MEDKG_W3C)")
def test_no_query_of_the_standard_is_refused() -> None:
    """Every SPARQL 1.0 and 1.1 query of the W3C suite that the engine parses passes, but for SERVICE."""
    refused = {}
    paths = [path for version in ("sparql10", "sparql11") for path in sorted((W3C / version).rglob("*.rq"))]
    for path in paths:
        text = "BASE <http://example.org/> " + path.read_text(encoding="utf-8", errors="replace")
        with suppress(SyntaxError, OSError, RuntimeError):
            ox.Store().query(text)
            try:
                check(text, Limits())
            except MedkgError as error:
                refused[path] = error
    assert len(paths) > 500
    assert {path: error for path, error in refused.items() if "SERVICE" not in str(error)} == {}


PIECES = [
    *(
        "<",
        ">",
        "#",
        "'",
        '"',
        "'''",
        '"""',
        "\\",
        "\\'",
        "\\#",
        "\\u0041",
        "\\uD800",
        "s:",
        "s:a.b",
        ".",
        "a",
        "true",
    ),
    *(
        "1",
        "1e5",
        "?x",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "FILTER(?x<2",
        "FILTER(1<",
        "BIND(",
        "VALUES ?v{",
        "OPTIONAL{",
    ),
    *(
        "VALUES(?v){(",
        "GRAPH ?g{",
        "&&",
        "!",
        "-",
        "/",
        "^^",
        ",",
        ";",
        " ",
        "\n",
        "\r",
        "@en",
        "<http://a/",
        "<a:b#",
    ),
    *(
        "service:",
        "?s ?p ?o.",
        "?s ?p (1 ",
        "?s ?p (?x<a:b",
        "<<",
        "{|",
        "s:a\\'",
        "s:.",
        "-",
        "IF(1,1,",
        "1)",
        "']'",
    ),
]
CALLS = [
    f"SERVICE<{AWAY}>{{}}",
    f"SERVICE <{AWAY}>{{?s ?p ?o}}",
    f"SERVICE#>\n<{AWAY}>{{}}",
    "SERVICEs:{}",
    "SERVICEservice:{}",
    "sERVICE#'\ns:{}",
]


def mixed() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PIECES), max_size=5).map("".join)


@given(
    st.sampled_from(["", f"PREFIX SERVICEs:<{AWAY}>", "BASE<http://z/>"]),
    mixed(),
    st.sampled_from(CALLS),
    mixed(),
)
@settings(max_examples=3000, deadline=None)
def test_whatever_the_engine_takes_for_service_is_refused(
    head: str, before: str, call: str, after: str
) -> None:
    """The policy lets no mixture of tokens pass that makes the engine call out: they see the same tokens."""
    text = f"PREFIX s:<{AWAY}>PREFIX service:<{AWAY}>{head}ASK{{{before}{call}{after}\n}}"
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal(1)))
    calls_out = False
    with suppress(SyntaxError, RuntimeError, ValueError):
        try:
            store.query(text, prefixes=dict(PREFIXES))
        except OSError:
            calls_out = True
    if calls_out:
        with pytest.raises((QueryRefused, QuerySyntaxError, TooLarge)):
            check(text, Limits())


# --- Size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("ASK {}", 1),
        ("ASK { { {} } {} }", 3),
        ("ASK { ?s ?p ( 1 ( 2 ) ) }", 3),
        ("ASK { ?s ?p [ ?p [ ?p 1 ] ] }", 3),
        ("ASK { FILTER(((1))) }", 4),
        ("ASK { # ((((\n }", 1),
        ("ASK { ?s ?p '((((' , \"[[[\" , <http://a/((()))> }", 1),
        ("PREFIX e: <a:> ASK { ?s e:\\(\\(\\( 1 }", 1),
        ("ASK { VALUES (?a ?b) { (1 2) (3 4) } }", 3),
        ("ASK { FILTER(?a<((1))&&2>1) }", 4),
    ],
)
def test_depth_counts_the_open_brackets(text: str, depth: int) -> None:
    """The depth is the greatest number of open brackets; those in strings, IRIs and comments don't count."""
    assert outline(text).depth == depth


@pytest.mark.parametrize(
    ("text", "operators"),
    [
        ("ASK { ?s ?p ?o }", 0),
        ("ASK { ?s <a:b/c-d> 1e-5 }", 0),
        ("ASK { ?s ?p '1'^^xsd:integer }", 0),
        ("ASK { ?s <a:b>/^<a:c>|!<a:d> ?o }", 4),
        ("ASK { FILTER(1 + 2 - 3 * 4 / 5 && !true || false) }", 7),
        ("ASK { FILTER(true-true) }", 1),
        ("ASK { OPTIONAL {} {} UNION {} MINUS {} BIND(1 AS ?x) FILTER NOT EXISTS {} }", 5),
        ("ASK { optional {} trueOPTIONAL{} NOTEXISTS{} }", 3),
        ("ASK { FILTER(?a<1+2+3&&?b>1) }", 4),
    ],
)
def test_operators_are_counted(text: str, operators: int) -> None:
    """Every operator and keyword that stacks work in the planner counts, glued ones too."""
    assert outline(text).operators == operators


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ASK {}", 1),
        ("SELECT (1 AS ?x) (2 AS ?y) {} GROUP BY (1) HAVING (1) (2)", 6),
        ("ASK { VALUES ?x { 1 2 3 } }", 2),
        ("ASK { VALUES (?x ?y) { (1 2) (3 4) (5 6) } }", 3),
        ("ASK { VALUES (?x ?y) { (1 <urn:a#b>) } FILTER(1) }", 4),
        ("DESCRIBE <a:> <b:> nuts:AT", 3),
        ("DESCRIBE ?x { ?x a <a:b> , nuts:AT }", 1),
    ],
)
def test_parts_are_counted(text: str, parts: int) -> None:
    """Every bracket counts as a part and so does every described thing; the rows of VALUES do not."""
    assert outline(text).parts == parts


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        ("ASK {}", Limits(max_bytes=5), "6 bytes; the limit is 5"),
        ("ASK { ?s ?p 'é' }", Limits(max_bytes=17), "18 bytes; the limit is 17"),
        ("ASK { { {} } }", Limits(max_depth=2), "nested 3 levels deep; the limit is 2"),
        ("ASK { FILTER(" + "!" * 251 + "1) }", Limits(), "251 operators; the limit is 250"),
        (
            "ASK {" + "{SELECT * {}}" * 250 + "}",
            Limits(),
            "501 groups and expressions in brackets; the limit is 500",
        ),
    ],
)
def test_what_is_over_a_limit_is_too_large(text: str, limits: Limits, reason: str) -> None:
    """A query over a limit is refused with its size and the limit."""
    with pytest.raises(TooLarge, match=reason):
        check(text, limits)


def test_the_limits_themselves_are_allowed() -> None:
    """A query that is exactly as long, deep and busy as allowed passes."""
    text = "ASK {" + "{" * 99 + "}" * 99 + "FILTER(" + "!" * 250 + "1) }"
    assert check(text, Limits(max_bytes=len(text))).depth == 100


def test_values_may_have_many_rows() -> None:
    """The rows of a VALUES clause cost the planner nothing; only the length of the text limits them."""
    rows = "".join(f"(nuts:AT{number} <urn:uuid:0-0-0-{number}>)" for number in range(2000))
    check(f"SELECT * {{ VALUES (?a ?b) {{ {rows} }} }}", Limits())


# --- The engine survives whatever is allowed ------------------------------------------------------

NESTED: dict[str, Callable[[int], str]] = {
    "groups": lambda n: "ASK" + "{" * n + "}" * n,
    "parentheses": lambda n: "ASK{FILTER" + "(" * (n - 1) + "1" + ")" * (n - 1) + "}",
    "functions": lambda n: "ASK{FILTER(" + "STR(" * (n - 2) + "1" + ")" * (n - 2) + ")}",
    "aggregates": lambda n: "SELECT(" + "COUNT(" * (n - 2) + "1" + ")" * (n - 2) + "AS?x){}",
    "conditions": lambda n: "ASK{FILTER(" + "IF(1,1," * (n - 2) + "1" + ")" * (n - 2) + ")}",
    "lists of IN": lambda n: "ASK{FILTER(" + "1 IN(" * (n - 2) + "1" + ")" * (n - 2) + ")}",
    "calls": lambda n: "ASK{FILTER(" + "xsd:string(" * (n - 2) + "1" + ")" * (n - 2) + ")}",
    "paths": lambda n: "ASK{?s " + "(" * (n - 1) + "a" + ")" * (n - 1) + " ?o}",
    "closed paths": lambda n: "ASK{?s " + "(" * min(n - 1, 249) + "a" + ")*" * min(n - 1, 249) + " ?o}",
    "inverse paths": lambda n: "ASK{?s " + "^(" * min(n - 1, 249) + "a" + ")" * min(n - 1, 249) + " ?o}",
    "EXISTS": lambda n: "ASK{" + "FILTER EXISTS{?s ?p ?o " * min(n - 1, 249) + "}" * min(n - 1, 249) + "}",
    "OPTIONAL": lambda n: "ASK{" + "OPTIONAL{?s ?p ?o " * min(n - 1, 249) + "}" * min(n - 1, 249) + "}",
    "UNION": lambda n: "ASK{" + "{}UNION{" * min(n - 1, 249) + "}" * min(n - 1, 249) + "}",
    "MINUS": lambda n: "ASK{?s ?p ?o " + "MINUS{?s ?p ?o " * min(n - 1, 249) + "}" * min(n - 1, 249) + "}",
    "LATERAL": lambda n: "ASK{?s ?p ?o " + "LATERAL{" * min(n - 1, 249) + "}" * min(n - 1, 249) + "}",
    "GRAPH": lambda n: "ASK" + "{GRAPH?g" * (n - 1) + "{}" + "}" * (n - 1),
    "subqueries": lambda n: "ASK" + "{SELECT?x" * (n - 1) + "{}" + "}" * (n - 1),
}
COSTLY: dict[str, Callable[[int], str]] = {
    "collections": lambda n: "ASK{?s ?p " + "(" * (n - 1) + "1" + ")" * (n - 1) + "}",
    "blank nodes": lambda n: "ASK{?s ?p " + "[?p " * (n - 1) + "1" + "]" * (n - 1) + "}",
}
CHAINS = {
    "OPTIONAL": "ASK{" + "OPTIONAL{}" * 250 + "}",
    "UNION": "ASK{{}" + "UNION{?s ?p ?o}" * 250 + "}",
    "MINUS": "ASK{?s ?p ?o " + "MINUS{?s ?p ?o}" * 250 + "}",
    "BIND": "ASK{BIND(1 AS ?x0)" + "".join(f"BIND(?x{i} AS ?x{i + 1})" for i in range(249)) + "}",
    "EXISTS": "ASK{?s ?p ?o " + "FILTER EXISTS{?s ?p ?o}" * 249 + "}",
    "FILTER": "ASK{" + "FILTER(1)" * 499 + "}",
    "OR": "ASK{?s ?p ?o FILTER(" + "||".join(["?o"] * 251) + ")}",
    "AND": "ASK{?s ?p ?o FILTER(" + "&&".join(["?o"] * 251) + ")}",
    "PLUS": "ASK{?s ?p ?o FILTER(" + "+".join(["?o"] * 251) + ")}",
    "NOT": "ASK{?s ?p ?o FILTER(" + "!" * 250 + "?o)}",
    "alternatives": "ASK{?s (" + "|".join(["a"] * 250) + ")* ?o}",
    "steps": "ASK{?s (" + "/".join(["a"] * 250) + ")* ?o}",
    "projections": "SELECT" + "".join(f"(1 AS ?x{i})" for i in range(499)) + "{}",
    "groupings": "SELECT(1 AS ?z){}GROUP BY" + "(1)" * 498,
    "conditions": "SELECT(1 AS ?z){}HAVING" + "(1)" * 498,
    "orders": "SELECT*{?s ?p ?o}ORDER BY" + "(?s)" * 499,
    "described": "DESCRIBE" + "<a:>" * 500,
    "subqueries": "ASK{" + "{SELECT*{}}" * 249 + "}",
    "groups": "ASK{" + "{}" * 499 + "}",
    "function of many": "ASK{FILTER(CONCAT(" + ",".join(["'a'"] * 20_000) + "))}",
    "IN of many": "ASK{?s ?p ?o FILTER(?o IN(" + ",".join(["1"] * 20_000) + "))}",
    "rows": "ASK{VALUES ?x{" + "1 " * 40_000 + "}}",
    "all at once": "SELECT"
    + "".join(f"(1 AS ?x{i})" for i in range(150))
    + "{"
    + "FILTER EXISTS{" * 60
    + "FILTER("
    + "STR(" * 36
    + "!" * 100
    + "1"
    + ")" * 37
    + "OPTIONAL{}" * 90
    + "}" * 61
    + "HAVING"
    + "(1)" * 100,
}
RUNNER = """
import json, sys, threading
from pathlib import Path
from rdflib import Literal, URIRef
from medkg.domain.model import QueryRequest
from medkg.store.embedded import EmbeddedEngine
from medkg.store.policy import Limits
from medkg.store.writer import candidate

def run(name, text):
    answer = engine.run(QueryRequest(text), "json" if not text.startswith("DESC") else "nt")
    print(name, sum(map(len, answer.chunks)) > 0 or text.startswith("DESC"), flush=True)

root = Path(sys.argv[1])
with candidate(root) as work:
    work.add([(URIRef("a:s"), URIRef("a:p"), Literal(1), URIRef("a:g"))])
    work.close()
    work.publish()
engine = EmbeddedEngine(root, limits=Limits(max_depth=500))
for name, text in json.load(sys.stdin):
    thread = threading.Thread(target=run, args=(name, text))
    thread.start()
    thread.join()
"""


def test_the_engine_survives_every_query_that_is_allowed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A query at the limits, of any kind and any depth that can be set, does not end the process.

    Not even where threads have little stack by default.
    """
    queries = [
        *((f"{name}@{depth}", make(depth)) for name, make in NESTED.items() for depth in (100, 500)),
        *((f"{name}@60", make(60)) for name, make in COSTLY.items()),
        *((f"{name} chain", text) for name, text in CHAINS.items()),
    ]
    root = tmp_path_factory.mktemp("limits")
    for name, text in queries:
        assert check(text, Limits(max_depth=500)).depth <= 500, name
    result = subprocess.run(
        ["sh", "-c", 'ulimit -s 1024; exec "$@"', "sh", sys.executable, "-c", RUNNER, str(root)],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0, (result.stdout[-200:], result.stderr[-2000:])
    assert result.stdout.splitlines() == [f"{name} True" for name, _ in queries]


# --- Any text -------------------------------------------------------------------------------------


@given(st.one_of(st.text(), mixed()))
@settings(max_examples=500, deadline=None)
def test_any_text_has_an_outline_or_an_error_of_ours(text: str) -> None:
    """Whatever the text, the policy fails by an error of the tree alone, and its place is in the text."""
    found: MedkgError | None = None
    try:
        check(text, Limits())
    except MedkgError as error:
        found = error
    if isinstance(found, QuerySyntaxError):
        assert found.line is not None
        assert found.column is not None
        line = text.split("\n")[found.line - 1]
        assert 1 <= found.column <= len(line)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            '"',
            "'",
            "<",
            ">",
            "\\",
            "#",
            ".",
            "-",
            "%",
            ":",
            "@",
            "?",
            "^",
            "(",
            "}",
            "\n",
            " ",
            "\r\n",
            "\x00",
            "é",
        ),
        *(
            '\\"""\n',
            '"""\\',
            '"""\\"""\n',
            "'''a\n",
            "''' ",
            "<a",
            "<a:b ",
            "a.",
            "a-",
            "a:",
            "ex:\\",
            "_:a.",
            "?a",
        ),
        *(
            "1.",
            "1e",
            "@a-",
            "&&",
            "{|",
            "(1 <a:b>",
            "VALUES?x{",
            "FROM<a:>",
            "PREFIX a:<a:>",
            "SERVICE",
            "ex:a.b.",
        ),
        *("\ud800", "\u017f", "^^", "\\u", "<\\u0041", "a" * 50 + "\n", "FILTER(?a<"),
    ],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    """100 kB of any token or half token are read within two seconds: no pattern reads anything twice."""
    text = (piece * 100_000)[:100_000]
    started = time.process_time()
    with pytest.raises(MedkgError):  # noqa: PT012 - a text that may pass has to end as well
        check(text, Limits(max_bytes=1_000_000))
        raise MedkgError("passed")

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("ASK {\n ?s ?p 'open }", 2, 8, "The string that begins here does not end"),
        ('ASK { ?s ?p """open"" }', 1, 13, "The string that begins here does not end"),
        ("ASK { ?s ?p '\\q' }", 1, 13, "The string that begins here does not end"),
        ("ASK {\n\n  \\ }", 3, 3, "can't stand here"),
        ("ASK { ?s ?p 'é' \u00a0}", 1, 17, "can't stand here"),
        ("ASK { ?s ?p '\ud800' }", 1, 14, "can't stand here"),
        ("ASK { ?s e:x ?o }", 1, 10, "The prefix e: is not declared"),
        ("ASK { ?s ?p <http://a/b c> }", 1, 14, "An IRI stands between < and >"),
        ("ASK { << ?s ?p ?o >> ?p ?o }", 1, 7, "<< belongs to SPARQL 1.2"),
        ("ASK { ?s ?p ?o {| ?p ?o |} }", 1, 16, "belongs to SPARQL 1.2"),
        ("SELECT * FROM <g> {}", 1, 15, "<g> is relative, and there is no BASE"),
        ("ASK { ?s ?p ?x FILTER(?x<2)#>\n }", 1, 25, "This may be an IRI or a comparison"),
        ("ASK { ?s ?p ?x FILTER(?x<'a'&&?x>'b') }", 1, 25, "This may be an IRI or a comparison"),
    ],
)
def test_a_text_that_is_no_sparql_is_refused_at_its_place(
    text: str, line: int, column: int, reason: str
) -> None:
    """What is no token of SPARQL 1.1 is a syntax error with its line and column, both counted from 1."""
    with pytest.raises(QuerySyntaxError) as caught:
        check(text, Limits())

    assert (caught.value.line, caught.value.column) == (line, column)
    assert reason in str(caught.value)


# --- Dataset --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "default", "named"),
    [
        ("SELECT * {}", [], []),
        ("SELECT * FROM <http://a/x> {}", ["http://a/x"], []),
        ("SELECT * from <http://a/x> From <http://a/y> {}", ["http://a/x", "http://a/y"], []),
        ("SELECT * FROM NAMED <http://a/x> FROM <http://a/y> {}", ["http://a/y"], ["http://a/x"]),
        ("SELECT * FROM # FROM <http://a/z>\n NAMED # x\n <http://a/x> {}", [], ["http://a/x"]),
        ("SELECT*FROM<http://a/x>FROMNAMED<http://a/y>{}", ["http://a/x"], ["http://a/y"]),
        ("PREFIX e: <http://e/> SELECT * FROM e:x FROM NAMED e:y {}", ["http://e/x"], ["http://e/y"]),
        ("PREFIX : <http://e/> SELECT * FROM :x FROM : {}", ["http://e/x", "http://e/"], []),
        ("PREFIX e: <http://e/> SELECT * FROM e:a\\/b%20c {}", ["http://e/a/b%20c"], []),
        ("PREFIX e: <http://1/> PREFIX e: <http://2/> SELECT * FROM e:x {}", ["http://2/x"], []),
        ("SELECT * FROM graph:inferred {}", ["https://w3id.org/medkg/graph/inferred"], []),
        ("SELECT * FROM graph:source\\/a {}", ["https://w3id.org/medkg/graph/source/a"], []),
        ("PREFIX graph: <http://g/> SELECT * FROM graph:x {}", ["http://g/x"], []),
        ("BASE <http://b/c/d> SELECT * FROM <e> FROM </f> {}", ["http://b/c/e", "http://b/f"], []),
        ("BASE <http://b/c/d> SELECT * FROM <#g> FROM NAMED <> {}", ["http://b/c/d#g"], ["http://b/c/d"]),
        ("BASE <http://b/> BASE <c/> PREFIX e: <d/> SELECT * FROM e:x {}", ["http://b/c/d/x"], []),
        ("SELECT * FROM <http://a/\\u00e9\\U00000078> {}", ["http://a/éx"], []),
        ("CONSTRUCT { ?s ?p ?o } FROM <http://a/x> WHERE { ?s ?p ?o }", ["http://a/x"], []),
        ("CONSTRUCT FROM <http://a/x> WHERE { ?s ?p ?o }", ["http://a/x"], []),
        ("ASK FROM <http://a/x> {}", ["http://a/x"], []),
        ("DESCRIBE <http://a/d> FROM <http://a/x>", ["http://a/x"], []),
        ("SELECT * { ?FROM ?p 'FROM <http://a/x>', \"FROM <http://a/y>\" }", [], []),
        ("PREFIX from: <http://a/> SELECT * { ?s from:x <http://a/FROM> }", [], []),
    ],
)  # fmt: skip
def test_the_dataset_clauses_are_read(text: str, default: list[str], named: list[str]) -> None:
    """FROM and FROM NAMED give absolute IRIs: prefixes, medkg's own, escapes and the base are resolved."""
    found = outline(text)
    assert (found.default_graphs, found.named_graphs) == (tuple(default), tuple(named))
