"""store/policy.py: what a query or an update may do is decided on the tokens that the engine will see."""

import json
import os
import re
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
from medkg.store.policy import Limits, check, check_update, outline


def graph(name: str) -> str:
    return PREFIXES["graph"] + name


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
def test_a_disguised_service_never_passes_for_certain(text: str) -> None:
    """What the engine, which needs no space between words, would take for SERVICE is refused or in doubt."""
    with suppress(QueryRefused):
        assert check(text.replace("%", AWAY), Limits()).doubtful


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
    assert check(text.replace("%", AWAY), Limits()).services == ()
    ox.Store().query(text.replace("%", AWAY))


W3C = Path(os.environ.get("MEDKG_W3C") or Path(__file__).parents[4] / "shared" / "w3c") / "sparql"  # noqa: TID251
"""The test suite of the W3C, which is not part of the project."""


@pytest.mark.skipif(not W3C.is_dir(), reason="the W3C suite is not here (MEDKG_W3C)")
@pytest.mark.parametrize(("suffix", "least"), [("rq", 900), ("ru", 130)])
def test_no_text_of_the_standard_is_refused(suffix: str, least: int) -> None:
    """Every text of the SPARQL 1.0, 1.1 and 1.2 suites that the engine takes passes, without a doubt.

    SERVICE and LOAD are refused, and nothing else is.
    """
    taken, wrong = 0, {}
    base = "http://example.org/"
    for path in sorted(W3C.rglob(f"*.{suffix}")):
        text = path.read_text(encoding="utf-8", errors="replace")
        store = ox.Store()
        try:
            (store.query if suffix == "rq" else store.update)(text, base_iri=base, prefixes=dict(PREFIXES))
        except SyntaxError:
            continue
        except (OSError, RuntimeError):
            pass
        taken += 1
        try:
            found = check(text, Limits()) if suffix == "rq" else check_update(text, Limits(), base)
        except MedkgError as error:
            if not re.search(r"\b(SERVICE|LOAD)\b", text, re.IGNORECASE):
                wrong[path] = str(error)
        else:
            if found.doubtful:
                wrong[path] = "doubtful"
    assert taken > least
    assert wrong == {}


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
        "<<(",
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
@settings(max_examples=1500, deadline=None)
def test_whatever_the_engine_takes_for_service_is_refused_or_in_doubt(
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
        with suppress(QueryRefused):
            found = check(text, Limits())
            assert found.doubtful
            assert found.volatile


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
        ("ASK { << << ?s ?p ?o >> ?p <<( ?s ?p ?o )>> >> ?p ?o {| ?p ?o |} }", 3),
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
        ("ASK { FILTER(?a<1+2+3&&?b>1) }", 3),
        ("ASK { VALUES ?x { -1 -2 } VALUES (?x ?y) { (-1 +2) } }", 0),
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
        ("ASK { FILTER(" + "!" * 1001 + "1) }", Limits(), "1,001 operators; the limit is 1,000"),
        (
            "ASK {" + "{SELECT * {}}" * 1000 + "}",
            Limits(),
            "2,001 groups and expressions in brackets; the limit is 2,000",
        ),
    ],
)
def test_what_is_over_a_limit_is_too_large(text: str, limits: Limits, reason: str) -> None:
    """A query over a limit is refused with its size and the limit."""
    with pytest.raises(TooLarge, match=reason):
        check(text, limits)


def test_the_limits_themselves_are_allowed() -> None:
    """A query that is exactly as long, deep and busy as allowed passes."""
    text = "ASK {" + "{" * 99 + "}" * 99 + "FILTER(" + "!" * 1000 + "1) }"
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
    "closed paths": lambda n: "ASK{?s " + "(" * (n - 1) + "a" + ")*" * (n - 1) + " ?o}",
    "inverse paths": lambda n: "ASK{?s " + "^(" * (n - 1) + "a" + ")" * (n - 1) + " ?o}",
    "EXISTS": lambda n: "ASK{" + "FILTER EXISTS{?s ?p ?o " * (n - 1) + "}" * (n - 1) + "}",
    "OPTIONAL": lambda n: "ASK{" + "OPTIONAL{?s ?p ?o " * (n - 1) + "}" * (n - 1) + "}",
    "UNION": lambda n: "ASK{" + "{}UNION{" * (n - 1) + "}" * (n - 1) + "}",
    "MINUS": lambda n: "ASK{?s ?p ?o " + "MINUS{?s ?p ?o " * (n - 1) + "}" * (n - 1) + "}",
    "LATERAL": lambda n: "ASK{?s ?p ?o " + "LATERAL{" * (n - 1) + "}" * (n - 1) + "}",
    "GRAPH": lambda n: "ASK" + "{GRAPH?g" * (n - 1) + "{}" + "}" * (n - 1),
    "subqueries": lambda n: "ASK" + "{SELECT?x" * (n - 1) + "{}" + "}" * (n - 1),
    "triple terms": lambda n: "ASK{?s ?p " + "<<(?s ?p " * (n - 1) + "?o" + ")>>" * (n - 1) + "}",
}
COSTLY: dict[str, Callable[[int], str]] = {
    "collections": lambda n: "ASK{?s ?p " + "(" * (n - 1) + "1" + ")" * (n - 1) + "}",
    "blank nodes": lambda n: "ASK{?s ?p " + "[?p " * (n - 1) + "1" + "]" * (n - 1) + "}",
    "reified": lambda n: "ASK{" + "<<" * (n - 1) + "?s ?p ?o" + ">> ?p ?o" * (n - 1) + "}",
}
CHAINS = {
    "UNION": "ASK{{}" + "UNION{?s ?p ?o}" * 999 + "}",
    "MINUS": "ASK{?s ?p ?o " + "MINUS{?s ?p ?o}" * 1000 + "}",
    "BIND": "ASK{BIND(1 AS ?x0)" + "".join(f"BIND(?x{i} AS ?x{i + 1})" for i in range(999)) + "}",
    "EXISTS": "ASK{?s ?p ?o " + "FILTER EXISTS{?s ?p ?o}" * 999 + "}",
    "FILTER": "ASK{" + "FILTER(1)" * 1999 + "}",
    "OR": "ASK{?s ?p ?o FILTER(" + "||".join(["?o"] * 1001) + ")}",
    "AND": "ASK{?s ?p ?o FILTER(" + "&&".join(["?o"] * 1001) + ")}",
    "PLUS": "ASK{?s ?p ?o FILTER(" + "+".join(["?o"] * 1001) + ")}",
    "NOT": "ASK{?s ?p ?o FILTER(" + "!" * 1000 + "?o)}",
    "alternatives": "ASK{?s (" + "|".join(["a"] * 1000) + ")* ?o}",
    "steps": "ASK{?s (" + "/".join(["a"] * 1000) + ")* ?o}",
    "projections": "SELECT" + "".join(f"(1 AS ?x{i})" for i in range(1999)) + "{}",
    "groupings": "SELECT(1 AS ?z){}GROUP BY" + "(1)" * 1998,
    "conditions": "SELECT(1 AS ?z){}HAVING" + "(1)" * 1998,
    "orders": "SELECT*{?s ?p ?o}ORDER BY" + "(?s)" * 1999,
    "described": "DESCRIBE" + "<a:>" * 2000,
    "subqueries": "ASK{" + "{SELECT*{}}" * 999 + "}",
    "groups": "ASK{" + "{}" * 1999 + "}",
    "function of many": "ASK{FILTER(CONCAT(" + ",".join(["'a'"] * 20_000) + "))}",
    "IN of many": "ASK{?s ?p ?o FILTER(?o IN(" + ",".join(["1"] * 20_000) + "))}",
    "rows": "ASK{VALUES ?x{" + "1 " * 40_000 + "}}",
}
RUNNER = """
import json, sys, threading
import pyoxigraph as ox

def run(name, text):
    answer = store.query(text, prefixes={"xsd": "http://www.w3.org/2001/XMLSchema#"})
    if not isinstance(answer, ox.QueryBoolean):
        next(iter(answer), None)
    print(name, flush=True)

store = ox.Store()
store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal(1)))
threading.stack_size(256 * 1_048_576)
for name, text in json.load(sys.stdin):
    thread = threading.Thread(target=run, args=(name, text))
    thread.start()
    thread.join()
"""


def test_the_engine_survives_every_query_that_is_allowed() -> None:
    """A query at the limits, of any kind and any depth that can be set, does not end a thread of 256 MiB."""
    queries = [
        *((f"{name}@{depth}", make(depth)) for name, make in NESTED.items() for depth in (100, 500)),
        *((f"{name}@50", make(50)) for name, make in COSTLY.items()),
        *((f"{name} chain", text) for name, text in CHAINS.items()),
    ]
    for name, text in queries:
        assert check(text, Limits(max_depth=500)).depth <= 500, name
    result = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0, (result.stdout[-200:], result.stderr[-2000:])
    assert result.stdout.splitlines() == [name for name, _ in queries]


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
    """100 kB of any token or half token are read within a second: no pattern reads anything twice."""
    text = (piece * 100_000)[:100_000]
    started = time.process_time()
    with suppress(MedkgError):
        check(text, Limits(max_bytes=1_000_000))
    with suppress(MedkgError):
        check_update(text, Limits(max_bytes=1_000_000))

    assert time.process_time() - started < 2


def test_a_huge_text_is_refused_by_its_size() -> None:
    """A text far over the limit is refused before anything reads it."""
    text = "'" * 10_000_000
    started = time.process_time()
    with pytest.raises(TooLarge, match="has 10,000,000 bytes; the limit is 100,000"):
        check(text, Limits())

    assert time.process_time() - started < 0.05


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("ASK { ?s ?p '\ud800' }", 1, 14, "half a character"),
        ("ASK {\n ?s e:x ?o }", 2, 5, "The prefix e: is not declared. Add PREFIX e: <...> at the top."),
        ("ASK { ?s medkgg:x ?o }", 1, 10, "The prefix medkgg: is not declared. Did you mean medkg:?"),
        ("ASK { ?s ?p <http://a/b c> }", 1, 14, "An IRI stands between < and >"),
        ("ASK { ?s e:x ?o . ?s ?p 'open }", 1, 10, "The prefix e: is not declared"),
    ],
)
def test_what_is_certainly_no_sparql_is_refused_at_its_place(
    text: str, line: int, column: int, reason: str
) -> None:
    """An undeclared prefix and half a character are syntax errors with line and column, counted from 1."""
    with pytest.raises(QuerySyntaxError) as caught:
        check(text, Limits())

    assert (caught.value.line, caught.value.column) == (line, column)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?s ?p 'open }",
        "ASK { ?s ?p \u201ctext\u201d }",
        "ASK { ?s ?p ?o",
        "ASK { ?s ?p ?o }}",
        "ASK { ?s (?p ] ?o }",
        "PREFIX e: <a:> ASK { GRAPHe:g {} }",
        "ASK { ?s ?p (1 <a:b#c>) }",
    ],
)
def test_what_can_not_be_read_for_sure_is_in_doubt(text: str) -> None:
    """A text of which the engine may see other tokens passes; it is volatile and may have a dataset."""
    found = check(text, Limits())

    assert (found.doubtful, found.volatile) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?s ?p ?x FILTER(?x<2)#>\n }",
        "ASK { ?s ?p ?x FILTER(?x < 2 && ?x<<http://a/#b>) }",
        "ASK { ?s ?p (<http://a/#b> <http://a/#c>) }",
        "VERSION '1.2' ASK { << ?s ?p ?o ~ ?r >> ?p <<( ?s ?p 'x'@en--ltr )>> {| ?p ?o |} ~ _:r }",
        "ASK { FILTER(isTRIPLE(TRIPLE(<a:>, <a:>, 1)) && SUBJECT(<<( <a:> <a:> 1 )>>) = <a:>) }",
    ],
)
def test_what_can_be_read_for_sure_is_in_no_doubt(text: str) -> None:
    """Comparisons and the terms of SPARQL 1.2 are told from IRIs and brackets by where they stand."""
    ox.Store().query(text)

    assert not check(text, Limits()).doubtful or "#>" in text


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SELECT * {}", "select"),
        ("PREFIX e: <a:> BASE <b:> VERSION '1.2' select*{}", "select"),
        ("SELECTDISTINCT*{}", "select"),
        ("# SELECT\nASK {}", "ask"),
        ("CONSTRUCT WHERE {}", "construct"),
        ("PREFIX e:<a:>DESCRIBEe:a", "describe"),
        ("CLEAR ALL", ""),
        ("", ""),
    ],
)
def test_the_form_is_the_first_keyword(text: str, form: str) -> None:
    """The form of a query is told from its first keyword behind the declarations."""
    assert outline(text).form == form


@pytest.mark.parametrize(
    ("text", "volatile"),
    [
        *((f"SELECT ({call}() AS ?x) {{}}", True) for call in ("NOW", "rand", "UUID", "STRUUID", "BNODE")),
        ("SELECT(DISTINCTNOW()AS?x){}", True),
        ("ASK { SERVICE <a:> {} }", True),
        ("SELECT (STR(1) AS ?now) { ?s medkg:now 'NOW()' }", False),
    ],
)
def test_what_has_another_answer_each_time_is_volatile(text: str, *, volatile: bool) -> None:
    """A query that asks for the time, for chance, for new names or for others is volatile."""
    assert outline(text).volatile is volatile


def test_names_have_their_iri_and_place() -> None:
    """Each name outside the declarations stands once in the outline, with its IRI and first place."""
    text = "PREFIX e: <http://e/> BASE <http://b/>\nASK { ?s e:a\\/b medkg:X ;\n e:a\\/b <c> . }"

    assert [(name.text, name.iri, *name.place) for name in outline(text).names] == [
        ("e:a\\/b", "http://e/a/b", 2, 10),
        ("medkg:X", "https://w3id.org/medkg/ontology#X", 2, 17),
        ("<c>", "http://b/c", 3, 9),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT * { ?s ?p ?graph }", False),
        ("ASK { ?s ?p 'GRAPH ?g { }' } # GRAPH", False),
        ("ASK { graph ?g { ?s ?p ?o } }", True),
        ("ASK { GRAPHrdf:a { ?s ?p ?o } }", True),
        ("ASK { FILTER(EXISTS{?a ?b ?c}&&NOT EXISTS{GRAPH<urn:g>{?s ?p ?o}}) }", True),
        ("ASK FROM <urn:g> { ?s ?p ?o }", True),
        ("ASK FROM NAMED <urn:g> { ?s ?p ?o }", True),
        ("ASK { ?s ?p 'x }", True),
    ],
)
def test_what_may_look_into_named_graphs_is_known(text: str, *, named: bool) -> None:
    """A query with GRAPH or a dataset, glued or not, or one in doubt, needs more than the default graph."""
    assert outline(text).reads_named is named


def test_the_number_of_names_is_bounded() -> None:
    """An outline holds at most 200 names."""
    assert len(outline("ASK {" + "".join(f"?s medkg:p{i} 1 ." for i in range(500)) + "}").names) == 200


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
    assert found.has_dataset is bool(default or named)


# --- Updates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("LOAD <a:x>", r"LOAD \(line 1, column 1\) is not allowed"),
        ("CLEAR ALL;\n load silent <a:x> INTO GRAPH <a:g>", r"LOAD \(line 2, column 2\)"),
        ("LOADSILENT<a:x>", "LOAD"),
        ("PREFIX e: <a:> LOADe:x", "LOAD"),
        ("INSERT {} WHERE { SERVICE <a:x> {} }", r"SERVICE \(line 1, column 19\)"),
    ],
)
def test_an_update_calls_no_other(text: str, reason: str) -> None:
    """LOAD and SERVICE are refused in an update, with line and column."""
    with pytest.raises(QueryRefused, match=reason):
        check_update(text, Limits())


@pytest.mark.parametrize(
    ("text", "limits", "error", "reason"),
    [
        ("CLEAR ALL", Limits(max_bytes=5), TooLarge, "The update has 9 bytes"),
        ("INSERT {} WHERE {{{}}}", Limits(max_depth=2), TooLarge, "The update is nested 3 levels"),
        ("INSERT {} WHERE {" + "{}" * 2000 + "}", Limits(), TooLarge, "groups and expressions"),
        ("INSERT DATA { e:x a 1 }", Limits(), QuerySyntaxError, "The update does not parse at line 1"),
    ],
)
def test_an_update_has_the_limits_of_a_query(
    text: str, limits: Limits, error: type[MedkgError], reason: str
) -> None:
    """Length, depth and parts of an update are limited, and its prefixes are declared."""
    with pytest.raises(error, match=reason):
        check_update(text, limits)


def test_data_may_be_long() -> None:
    """What INSERT DATA holds is not planned, so only the length of the text limits it."""
    rows = "".join(f"[ a medkg:X ; medkg:at ( -{i} 2 ) ] . " for i in range(3000))

    assert check_update(f"INSERT DATA {{ {rows} }}", Limits(max_bytes=1_000_000)).parts == 1


@pytest.mark.parametrize(
    ("text", "touched", "default"),
    [
        ("", set(), False),
        ("INSERT DATA { <a:s> <a:p> 1 }", set(), True),
        ("INSERT DATA { GRAPH <a:g> { <a:s> <a:p> 1 } . GRAPH graph:x {} }", {"a:g", graph("x")}, False),
        ("DELETE DATA { GRAPH <a:g> { <a:s> <a:p> 1 } <a:s> <a:p> 2 }", {"a:g"}, True),
        ("DELETE WHERE { GRAPH <a:g> { ?s ?p ?o } }", {"a:g"}, False),
        ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", None, False),
        ("INSERT { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }", None, False),
        ("INSERT { ?s ?p ?o } WHERE { GRAPH <a:g> { ?s ?p ?o } }", set(), True),
        ("WITH <a:g> DELETE { ?s ?p ?o } INSERT { GRAPH <a:h> {} } WHERE {}", {"a:g", "a:h"}, False),
        ("WITH <a:g> INSERT { GRAPH <a:h> { ?s ?p 1 } } WHERE { ?s ?p ?o }", {"a:h"}, False),
        ("CLEAR GRAPH <a:g>; DROP SILENT GRAPH <a:h>; CREATE GRAPH <a:i>", {"a:g", "a:h", "a:i"}, False),
        ("CLEAR DEFAULT", set(), True),
        ("DROP NAMED", None, False),
        ("DROP ALL", None, True),
        ("COPY <a:g> TO <a:h>", {"a:h"}, False),
        ("ADD DEFAULT TO GRAPH <a:h>", {"a:h"}, False),
        ("MOVE <a:g> TO DEFAULT", {"a:g"}, True),
        ("PREFIX g: <a:1> DROP GRAPH g:x; PREFIX g: <a:2> DROP GRAPH g:x", {"a:1x", "a:2x"}, False),
        ("BASE <http://b/c/d> CLEAR GRAPH <../e>", {"http://b/e"}, False),
        ("CLEAR GRAPH <relative>", None, True),
        ("CLEARALL", None, True),
        ("INSERT DATA { GRAPHgraph:x { <a:s> <a:p> 1 } }", None, True),
        ("INSERT DATA { 'open }", None, True),
        ("DROP", None, True),
        ("SELECT * {}", None, True),
    ],
)  # fmt: skip
def test_the_graphs_that_an_update_may_change(text: str, touched: set[str] | None, *, default: bool) -> None:
    """An update changes the graphs that it names; any, where it names a variable or can't be read."""
    found = check_update(text, Limits())

    assert (found.touched, found.writes_default) == (touched, default)


@pytest.mark.parametrize(
    ("text", "has_with", "reads_using"),
    [
        ("INSERT {} WHERE {}", False, False),
        ("WITH <a:g> INSERT {} WHERE {}", True, False),
        ("INSERT {} USING <a:g> USING NAMED <a:h> WHERE {}", False, True),
        ("CLEAR ALL; WITH <a:g> DELETE {} USING <a:h> WHERE {}", True, True),
    ],
)
def test_with_and_using_are_told(text: str, *, has_with: bool, reads_using: bool) -> None:
    """The outline tells whether any operation has WITH, and whether any has USING."""
    found = check_update(text, Limits())

    assert (found.has_with, found.reads_using) == (has_with, reads_using)


GRAPHS = ("a:g", "a:h", "a:i")


def graph_names() -> st.SearchStrategy[str]:
    return st.sampled_from([*(f"<{name}>" for name in GRAPHS), "e:g", "e:h", "<a:\\u0067>"])


@st.composite
def quads(draw: st.DrawFn, *, variables: bool) -> str:
    terms = ["<a:s> <a:p> 1", "<a:s> <a:p> 2", "<a:h> <a:p> 3"] + ["?s ?p ?o", "?g ?p ?s"] * variables
    triple = st.sampled_from([*terms, "<a:s> <a:p> ( 1 ) "] if not variables else terms)
    names = st.one_of(graph_names(), st.just("?g")) if variables else graph_names()
    block = st.builds("GRAPH {} {{ {} }}".format, names, triple)
    parts = draw(st.lists(st.one_of(block, triple.map(lambda text: text + " .")), max_size=3))
    return "{ " + " ".join(parts) + " }"


@st.composite
def one_operation(draw: st.DrawFn) -> str:
    name = draw(graph_names())
    where = draw(
        st.sampled_from(
            [
                "{ ?s ?p ?o BIND(<a:n> AS ?g) }",
                "{ GRAPH ?g { ?s ?p ?o } }",
                "{ ?s ?p ?o BIND(?s AS ?g) FILTER(?o<2)#>\n }",
                "{ VALUES (?s ?p ?o ?g) { (<a:x> <a:p> 1 <a:i>) } }",
            ]
        )
    )
    insert, delete = draw(quads(variables=True)), draw(quads(variables=True))
    clear, kind = draw(st.sampled_from(["CLEAR", "DROP"])), draw(st.sampled_from(["ALL", "NAMED", "DEFAULT"]))
    silent, either = draw(st.sampled_from(["", " SILENT"])), draw(st.sampled_from(["DEFAULT", name]))
    return draw(
        st.sampled_from(
            [
                f"INSERT DATA {draw(quads(variables=False))}",
                f"DELETE WHERE {delete}",
                f"INSERT {insert} WHERE {where}",
                f"WITH {name} DELETE {delete} INSERT {insert} WHERE {where}",
                f"DELETE {delete} USING {name} USING NAMED {name} WHERE {where}",
                f"{clear}{silent} GRAPH {name}",
                f"{clear} {kind}",
                f"{draw(st.sampled_from(['ADD', 'MOVE', 'COPY']))}{silent} {either} TO {draw(graph_names())}",
                f"{draw(st.sampled_from(['ADD', 'MOVE', 'COPY']))}{silent} {draw(graph_names())} TO {either}",
                f"CREATE SILENT GRAPH {name}",
            ]
        )
    )


def state(store: ox.Store) -> dict[str, set[str]]:
    graphs = {str(name): set[str]() for name in store.named_graphs()}
    for quad in store:
        graphs.setdefault(str(quad.graph_name), set()).add(str(quad))
    return graphs


@given(
    st.lists(one_operation(), min_size=1, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["", " ", "\n", "#>\n", "'", "{", "}"])), max_size=2
    ),
)
@settings(max_examples=250, deadline=None)
def test_no_graph_is_changed_that_was_not_told(parts: list[str], cuts: list[tuple[int, str]]) -> None:
    """Whatever the engine changes is among the graphs of the outline, however the text is glued or broken."""
    text = "PREFIX e: <a:> " + " ; ".join(parts)
    for at, piece in cuts:
        # Take a character away, which glues words, or put another in its place.
        text = text[:at] + piece + text[at + 1 :]
    store = ox.Store()
    graphs: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph(), *map(ox.NamedNode, GRAPHS[:2])]
    for name in graphs:
        store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal(1), name))
    before = state(store)
    with suppress(SyntaxError, RuntimeError, ValueError):
        store.update(text, prefixes=dict(PREFIXES))
    after = state(store)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    if changed:
        found = check_update(text, Limits())
        named = {name[1:-1] for name in changed - {"DEFAULT"}}
        assert found.touched is None or named <= found.touched
        assert found.writes_default or "DEFAULT" not in changed
