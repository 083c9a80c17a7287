"""store/syntax.py, mistakes.py, slips.py: what does not parse is explained in plain words, at its place."""

import time
from contextlib import suppress

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.errors import QuerySyntaxError
from medkg.domain.namespaces import PREFIXES
from medkg.store.syntax import explain


def refused(text: str, what: str = "query") -> SyntaxError | None:
    """Return what the engine says of a text that does not parse."""
    store = ox.Store()
    try:
        (store.query if what == "query" else store.update)(text, prefixes=dict(PREFIXES))
    except SyntaxError as error:
        return error
    except (RuntimeError, OSError, ValueError):
        pass
    return None


def explained(text: str, what: str = "query") -> QuerySyntaxError:
    error = refused(text, what)
    assert error is not None, "the engine takes it"
    return explain(error, text, what)


QUERIES = {
    "missing dot": ("SELECT * {\n ?s ?p ?o\n ?s a ?t }", 3, 2, "dot is missing"),
    "missing brace": ("SELECT * {\n ?s ?p ?o", 2, 10, "The { of line 1, column 10 is not closed"),
    "one brace too many": ("SELECT * {\n ?s ?p ?o }}", 2, 12, "one } too many"),
    "missing bracket": ("SELECT * { ?s ?p ?o FILTER(REGEX(?o, 'a') }", 1, 43, "The ( of line 1, column 27"),
    "unclosed string": ("SELECT * {\n ?s ?p 'open .\n}", 2, 8, "string that begins here does not end"),
    "apostrophe": ("SELECT * { ?s ?p 'it's' }", 1, 23, "string"),
    "undeclared prefix": ("SELECT * {\n ?s medkgg:status ?o }", 2, 5, "Did you mean medkg:?"),
    "prefix without colon": ("PREFIX ex <http://a/>\nSELECT * { ?s ex:p ?o }", 1, 8, "colon"),
    "prefix without IRI": ("PREFIX e: 'a:'\nSELECT * {?s ?p ?o}", 1, 11, "IRI between < and >"),
    "Turtle prefix": ("@prefix e: <a:> .\nSELECT * {?s ?p ?o}", 1, 1, "PREFIX"),
    "prefix with a dot": ("PREFIX e: <a:> .\nSELECT * {?s ?p ?o}", 1, 16, "no dot"),
    "misspelt WHERE": ("SELECT ?x\nWHRE { ?x ?p ?o }", 2, 1, "Did you mean WHERE?"),
    "misspelt SELECT": ("SELCT * {?s ?p ?o}", 1, 1, "Did you mean SELECT?"),
    "no query at all": ("nonsense", 1, 1, "Begin with SELECT"),
    "empty": ("", 1, 1, "There is no query"),
    "only a comment": ("# nothing", 1, 10, "There is no query"),
    "double WHERE": ("SELECT ?x\nWHERE WHERE { ?x ?p ?o }", 2, 7, "WHERE stands here twice"),
    "WHERE without braces": ("SELECT ?x WHERE ?x ?p ?o", 1, 17, "A { must follow WHERE"),
    "FILTER without brackets": ("SELECT ?x { ?x ?p ?o\n FILTER ?o > 3 }", 2, 9, "FILTER needs brackets"),
    "EXISTS without braces": ("SELECT * { ?x ?p ?o FILTER EXISTS(?x a ?y) }", 1, 34, "braces"),
    "OPTIONAL without braces": ("SELECT * { ?x ?p ?o OPTIONAL ?x a ?y }", 1, 30, "OPTIONAL"),
    "UNION without braces": ("SELECT * {?s ?p ?o UNION ?s ?q ?o}", 1, 26, "UNION"),
    "comparison outside FILTER": ("SELECT ?x {\n ?x ?p ?o . ?o = 3 }", 2, 16, "outside of FILTER"),
    "two equal signs": ("SELECT ?x { ?x ?p ?o . FILTER(?o == 3) }", 1, 35, "one ="),
    "SQL's AND": ("SELECT ?x { ?x ?p ?o . FILTER(?o > 3 AND ?o < 5) }", 1, 38, "&&"),
    "SQL's LIKE": ("SELECT ?x { ?x ?p ?o . FILTER(STR(?o) LIKE 'a') }", 1, 39, "CONTAINS"),
    "comma in SELECT": ("SELECT ?x, ?y\n{ ?x ?p ?y }", 1, 10, "comma"),
    "SELECT of nothing": ("SELECT { ?x ?p ?o }", 1, 8, "SELECT names nothing"),
    "bare aggregate": ("SELECT ?x COUNT(?y) { ?x ?p ?y } GROUP BY ?x", 1, 11, "brackets"),
    "aggregate without AS": ("SELECT (COUNT(?y)) { ?x ?p ?y }", 1, 18, "needs a name"),
    "AS without ?": ("SELECT (SUM(?x) AS y) {?x ?p ?o}", 1, 20, "A variable begins with ?"),
    "missing ?": ("SELECT * {\n s ?p ?o }", 2, 2, "A variable begins with ?"),
    "selected, not grouped": ("SELECT ?x ?y { ?x ?p ?y }\nGROUP BY ?x", 1, 11, "neither grouped"),
    "GROUP without BY": ("SELECT ?x { ?x ?p ?y }\nGROUP", 2, 6, "BY must follow GROUP"),
    "ORDER BY too early": ("SELECT ?x ORDER BY ?x\nWHERE { ?x ?p ?o }", 1, 11, "behind the closing brace"),
    "ORDER BY too late": ("SELECT ?x { ?x ?p ?o }\nLIMIT 10 ORDER BY ?x", 2, 10, "before LIMIT"),
    "DESC behind": ("SELECT * { ?s ?p ?o } ORDER BY ?s DESC", 1, 35, "DESC(?x)"),
    "LIMIT of a word": ("SELECT ?x { ?x ?p ?o } LIMIT ten", 1, 30, "whole number"),
    "IRI with a space": ("SELECT * {\n ?s <http://a/b c> ?o }", 2, 5, "without spaces"),
    "bare IRI": ("SELECT ?x { ?x http://a/b ?o }", 1, 16, "An IRI stands between < and >"),
    "relative IRI": ("SELECT * { ?x <rel> ?o }", 1, 15, "there is no BASE"),
    "typographic quotes": ("SELECT * {\n ?s ?p \u201ctext\u201d }", 2, 8, "typographic quote"),
    "non-breaking space": ("SELECT *\u00a0{ ?s ?p ?o }", 1, 9, "non-breaking"),
    "byte order mark": ("\ufeffSELECT * { ?s ?p ?o }", 1, 1, "byte order mark"),
    "semicolon at the end": ("SELECT * { ?s ?p ?o }\n;", 2, 1, "no semicolon"),
    "two queries": ("ASK {}\nSELECT ?y { ?y ?p ?o}", 2, 1, "one query"),
    "two dots": ("SELECT * { ?s ?p ?o . . }", 1, 23, "two dots"),
    "no object": ("SELECT ?x {\n ?x ?p }", 2, 8, "no object"),
    "TRUE": ("SELECT ?x { ?x ?p TRUE }", 1, 19, "lower case"),
    "VALUES in brackets": ("SELECT * { VALUES ?x (1 2) }", 1, 22, "VALUES ?x { 1 2 }"),
    "VALUES with a short row": ("SELECT * { VALUES (?x ?y) { (1) } }", 1, 31, "UNDEF"),
    "BIND without AS": ("SELECT ?x { ?x ?p ?o . BIND(?o ?y) }", 1, 34, "BIND needs AS"),
    "BIND of a bound variable": ("SELECT ?x { ?x ?p ?o . BIND(1 AS ?o) }", 1, 34, "?o has a value already"),
    "a label in two groups": ("SELECT * { _:a ?p ?o { _:a ?q ?r } }", 1, 24, "two groups"),
    "FROM of nothing": ("SELECT ?x FROM { ?x ?p ?o }", 1, 16, "FROM takes the IRI"),
    "CONSTRUCT without braces": ("CONSTRUCT ?s ?p ?o WHERE { ?s ?p ?o }", 1, 11, "CONSTRUCT"),
    "an update": ("PREFIX e: <a:>\nINSERT DATA { e:a e:b 1 }", 2, 1, "This is an update. Send it to /update"),
    "misspelt, and a brace": ("SELEKT nonsense {", 1, 1, "Did you mean SELECT?"),
    "misspelt, and a string": ("SELEKT * {\n ?s ?p 'open }", 1, 1, "Did you mean SELECT?"),
    "misspelt, and a quote": ("SELEKT * { ?s ?p \u201ctext\u201d }", 1, 1, "Did you mean SELECT?"),
    "misspelt, and a prefix": ("SELEKT * { ?s mdkg:status ?o }", 1, 1, "Did you mean SELECT?"),
    "misspelt, then a bracket": ("SELECT * { ?s ?p ?o FILTR(?o > 3) ) }", 1, 21, "Did you mean FILTER?"),
    "misspelt PREFIX": ("PREFI e: <a:>\nSELECT * { ?s e:p ?o }", 1, 1, "Did you mean PREFIX?"),
    "no object, and a brace": ("SELECT * { GRAPH ?g { ?s ?p }} }", 1, 29, "no object"),
    "UNION, and a brace": ("SELECT * { { ?a ?b ?c } UNION\n?d ?e ?f } }", 2, 1, "A { must follow UNION"),
    "a row, then a brace": ("SELECT * { VALUES (?x) { (1) } } }", 1, 34, "one } too many"),
    "left open, then a word": ("SELECT * { ?s ?p ?o FILTER(?o > 3 OPTIONAL { ?s a ?t } }", 1, 56, "The ( of"),
    "a brace too early": ("SELECT * { ?s ?p ?o } ?t a ?u } LIMIT 5", 1, 23, "?t can't stand here"),
    "a fault, then a quote": ("SELECT * { ?s ?p ?o FILTER(?o > ) ?a ?b ?c. ?a ?b \u201c }", 1, 33, ") can't"),
    "something else": ("SELECT ?x { ?x ?p ?o . FILTER(?o > ) }", 1, 36, ") can't stand here"),
}  # fmt: skip
UPDATES = {
    "a query": ("SELECT * { ?s ?p ?o }", 1, 1, "This is a query. Send it to /sparql"),
    "no WHERE": ("DELETE { ?s ?p ?o }", 1, 20, "WHERE is missing"),
    "two groups": ("INSERT { ?s ?p 1 }\n{ ?s ?p ?o }", 2, 1, "WHERE is missing"),
    "variable in data": ("INSERT DATA {\n GRAPH <a:g> { ?s ?p 1 } }", 2, 16, "?s is a variable"),
    "blank node in DELETE DATA": ("DELETE DATA { _:a <a:b> 1 }", 1, 28, "blank nodes are not allowed"),
    "INSERT INTO": ("INSERT INTO <a:g> { <a:a> <a:b> 1 }", 1, 8, "INSERT has no INTO"),
    "DROP without GRAPH": ("DROP <a:g>", 1, 6, "GRAPH must follow DROP"),
    "no semicolon": ("INSERT DATA {}\nINSERT DATA {}", 2, 1, "semicolons"),
    "two semicolons": ("INSERT DATA {};;", 1, 16, "two semicolons"),
    "prefix in the middle": ("INSERT DATA {};\nPREFIX e: <a:> INSERT DATA {}", 2, 1, "at the top"),
    "unknown operation": ("UPDATE <a:g>", 1, 1, "Begin with INSERT"),
}


@pytest.mark.parametrize(("text", "line", "column", "words"), QUERIES.values(), ids=QUERIES)
def test_a_mistake_in_a_query_is_told(text: str, line: int, column: int, words: str) -> None:
    """Each usual mistake has its place, counted from 1, and a sentence of its own."""
    error = explained(text)

    assert (error.line, error.column) == (line, column)
    assert words in str(error)
    assert str(error).startswith(f"The query does not parse at line {line}, column {column}.")


@pytest.mark.parametrize(("text", "line", "column", "words"), UPDATES.values(), ids=UPDATES)
def test_a_mistake_in_an_update_is_told(text: str, line: int, column: int, words: str) -> None:
    """The usual mistakes in updates have theirs too, and are said of an update."""
    error = explained(text, "update")

    assert (error.line, error.column) == (line, column)
    assert words in str(error)
    assert str(error).startswith("The update does not parse")


def test_the_line_is_shown_with_the_fault_marked() -> None:
    """The remedy ends with the line, short and in one paragraph, and an arrow before the fault."""
    error = explained("SELECT * {\n" + "?s ?p ?o . " * 20 + "FILTER ?o > 3\t. " + "?s ?p ?o . " * 20 + "\n}")

    assert "\n" not in str(error)
    assert error.remedy.startswith("Write FILTER(?x > 1). Line 2: ")
    assert "FILTER -->?o > 3 . ?s" in error.remedy
    assert len(error.remedy) < 140


def test_what_the_engine_says_otherwise_is_passed_on() -> None:
    """An error without a place is told as it is."""
    error = explain(SyntaxError("something new"), "ASK {}")

    assert str(error) == "The query does not parse: something new."
    assert error.line is None


GOOD = "PREFIX e: <a:> SELECT ?s (COUNT(?o) AS ?n) WHERE { ?s e:p ?o ; a e:T . FILTER(?o > 3) OPTIONAL { ?s ?q [ e:r (1 2) ] } } GROUP BY ?s ORDER BY DESC(?n) LIMIT 5"  # noqa: E501 - one line, so that columns tell


@given(
    st.integers(0, len(GOOD)),
    st.sampled_from(["", " ", "}", "(", "'", "?", ";", ".", "x ", "<", "\n"]),
    st.integers(0, 3),
)
@settings(max_examples=800, deadline=None)
def test_any_fault_has_a_place_in_the_text(at: int, piece: str, cut: int) -> None:
    """Wherever a query is broken, the error has a place in the text, or just behind its end."""
    text = GOOD[:at] + piece + GOOD[at + cut :]
    error = refused(text)
    if error is not None:
        found = explain(error, text)
        assert found.line is not None
        assert found.column is not None
        assert 1 <= found.column <= len(text.split("\n")[found.line - 1]) + 1


@pytest.mark.parametrize(
    "piece", ["?x ", "BIND ", "x ", "SELECT ", "INSERT DATA{", "_:a{", "'''", "<", "GROUP ", "xa:b "]
)
def test_an_explanation_takes_little_time(piece: str) -> None:
    """100 kB of anything are explained within two seconds."""
    text = (piece * 100_000)[:100_000]
    started = time.process_time()
    with suppress(QuerySyntaxError):
        explain(SyntaxError("error at 1:99990: expected [_]"), text)

    assert time.process_time() - started < 2
