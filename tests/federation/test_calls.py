"""store/federation/calls.py: which calls a text makes, and what is asked for each of them."""

from typing import Any

import pytest

from medkg.domain.errors import Conflict, MedkgError, QueryRefused, QuerySyntaxError, TooLarge
from medkg.store.federation.calls import Call, found
from medkg.store.policy import Limits

LIMITS = Limits(walled=True, calls=True)
BASE = "http://base.test/dir/x"
OWN = "SELECT * WHERE { ?s e:p <rel>, schema:y, [] FILTER(e:f(?s)) }"


def query(text: str) -> list[Call]:
    return found("query", text, BASE, LIMITS, union=True)


def update(text: str, *, union: bool = True) -> list[Call]:
    return found("update", text, BASE, LIMITS, union=union)


@pytest.mark.parametrize(
    ("text", "iri", "silent", "asked", "variables"),
    [
        (
            "SELECT * { SERVICE <a:x> { ?s ?p ?o } }",
            "a:x",
            False,
            "SELECT * WHERE { ?s ?p ?o }",
            ("s", "p", "o"),
        ),
        ("SELECT*{SERVICE<a:x>{?s ?p ?o}}", "a:x", False, "SELECT * WHERE {?s ?p ?o}", ("s", "p", "o")),
        ("ASK { service\tsilent # {\n <a:x> {} }", "a:x", True, "SELECT * WHERE {}", ()),
        ("ASK { SERVICE SILENT<a:x>{} }", "a:x", True, "SELECT * WHERE {}", ()),
        ("PREFIX e: <a:> ASK { SERVICE e:x {} }", "a:x", False, "SELECT * WHERE {}", ()),
        ("BASE <b:/c/> ASK { SERVICE <d> {} }", "b:/c/d", False, "SELECT * WHERE {}", ()),
        ("ASK { SERVICE <sparql> {} }", "http://base.test/dir/sparql", False, "SELECT * WHERE {}", ()),
        (
            "PREFIX e: <a:> ASK { ?x e:p 1 SERVICE <a:x> { ?s e:p <rel>, schema:y, [] FILTER(e:f(?s)) } }",
            "a:x",
            False,
            f"BASE <{BASE}>\nPREFIX e: <a:>\nPREFIX schema: <https://schema.org/>\n{OWN}",
            ("s",),
        ),
        (
            "BASE <b:/> PREFIX e: <c/> BASE <d/> ASK { SERVICE <a:x> { e:s <f> ?o } }",
            "a:x",
            False,
            "BASE <b:/d/>\nPREFIX e: <b:/c/>\nSELECT * WHERE { e:s <f> ?o }",
            ("o",),
        ),
        (
            "ASK { SERVICE <a:x> { SELECT ?a (COUNT(*) AS ?n) { ?a ?b '}' } GROUP BY ?a } }",
            "a:x",
            False,
            "SELECT * WHERE { SELECT ?a (COUNT(*) AS ?n) { ?a ?b '}' } GROUP BY ?a }",
            ("a", "n"),
        ),
        (
            "ASK {SERVICE <a:x> { ?a a 1 MINUS { ?b a 2 } FILTER EXISTS { ?c ?d 3 } OPTIONAL { ?e ?f 4 } } }",
            "a:x",
            False,
            "SELECT * WHERE { ?a a 1 MINUS { ?b a 2 } FILTER EXISTS { ?c ?d 3 } OPTIONAL { ?e ?f 4 } }",
            ("a", "e", "f"),
        ),
        (
            "ASK { SERVICE <a:x> { ?s ?p 'SERVICE <a:y> {}' # SERVICE <a:y> {}\n } }",
            "a:x",
            False,
            "SELECT * WHERE { ?s ?p 'SERVICE <a:y> {}' # SERVICE <a:y> {}\n }",
            ("s", "p"),
        ),
        (
            "ASK { SERVICE <a:x> { << ?s ?p ?o >> ?q ?r {| ?t ?u |} } }",
            "a:x",
            False,
            "SELECT * WHERE { << ?s ?p ?o >> ?q ?r {| ?t ?u |} }",
            ("s", "p", "o", "q", "r", "t", "u"),
        ),
    ],
)
def test_a_clause_is_read(text: str, iri: str, silent: bool, asked: str, variables: tuple[str, ...]) -> None:
    """Its endpoint is absolute, its query stands for itself, and its variables are those that it may bind."""
    (call,) = query(text)

    assert (call.iri, call.silent, call.query, call.variables) == (iri, silent, asked, variables)
    assert text[call.start :].upper().startswith("SERVICE")
    assert text[call.end - 1] == "}"


def test_each_clause_is_found_where_it_stands() -> None:
    """Clauses come in their order, with line and column, wherever a pattern may stand."""
    text = """SELECT * {
  ?s ?p ?o .
  OPTIONAL { SERVICE <a:1> { ?s ?p ?o } }
  { SERVICE <a:2> { ?s ?p ?o } } UNION { GRAPH ?g { SERVICE <a:3> { ?s ?p ?o } } }
  { SELECT ?s { SERVICE <a:4> { ?s ?p ?o } } }
  FILTER EXISTS { SERVICE <a:5> { ?s ?p ?o } } MINUS { SERVICE <a:6> { ?s ?p ?o } }
}"""
    calls = query(text)

    assert [call.iri for call in calls] == [f"a:{number}" for number in range(1, 7)]
    assert [(call.line, call.column) for call in calls] == [
        (3, 14),
        (4, 5),
        (4, 53),
        (5, 17),
        (6, 19),
        (6, 56),
    ]
    assert [text[call.start : call.end] for call in calls] == [
        f"SERVICE <a:{number}> {{ ?s ?p ?o }}" for number in range(1, 7)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?service { ?service <a:SERVICE> 'SERVICE', _:SERVICE, schema:Service } # SERVICE <a:x> {}",
        "ASK {}",
    ],
)
def test_what_only_looks_like_a_call_is_none(text: str) -> None:
    """The word in a name, a string or a comment calls nobody."""
    assert query(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * { SERVICE ?x {} }", "column 12) is not allowed: its endpoint is a variable"),
        ("SELECT * { SERVICE SILENT $x {} }", "its endpoint is a variable"),
        ("SELECT * { VALUES ?x { <a:x> } SERVICE ?x {} }", "its endpoint is a variable"),
        (
            "SELECT * { SERVICE <a:x> { SERVICE <a:y> {} } }",
            "column 28) is not allowed: it stands in another",
        ),
        ("SELECT * { SERVICE <a:x> { { SELECT * { SERVICE ?y {} } } } }", "it stands in another SERVICE"),
        ("SELECT * { ?s ?p ?o LATERAL { SERVICE <a:x> { ?s ?p ?o } } }", "it stands in LATERAL"),
        ("SELECT * { ?s ?p ?o LATERAL { { SERVICE <a:x> { ?s ?p ?o } } } }", "it stands in LATERAL"),
        ("ASK { ?s ?p trueSERVICE<a:x>{} }", "can't be read for sure"),
        ("ASK { ?s ?p 1e5SERVICE<a:x>{}}", ""),
        ("PREFIX : <a:> PREFIX SERVICE: <a:> ASK { SERVICE:x{} }", "can't be read for sure"),
        ("PREFIX e: <a:> ASK { SERVICEe:x{} }", "can't be read for sure"),
        ("PREFIX e: <a:> ASK { SERVICE SILENTe:x{} }", "can't be read for sure"),
        ("ASK { SERVICESILENT <a:x> {} }", "can't be read for sure"),
        ("ASK { SERVICE <a:x> {} ?s ?p ?x FILTER(?x<2)SERVICE#>\n<a:y>{}}", "can't be read for sure"),
        ("ASK{?s ?p (1 <a:&&#>). SERVICE<a:x>{}}", "can't be read for sure"),
    ],
)
def test_what_can_not_be_replaced_is_refused(text: str, words: str) -> None:
    """A variable, a call in a call, LATERAL, and words without a space between them, with line and column."""
    if not words:
        (call,) = query(text)
        assert text[call.start : call.end] == "SERVICE<a:x>{}"
        return
    with pytest.raises(QueryRefused, match=r"^SERVICE \(line \d+, column \d+\) is not allowed: ") as caught:
        query(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("SELECT * { SERVICE <a:x> { ?s ?p } }", QuerySyntaxError, "line 1, column 34"),
        ("SELECT * { SERVICE <a:x> { ?s ?p ?o } ", QuerySyntaxError, "is not closed"),
        ("SELECT * { SERVICE <a:x> ?s ?p ?o }", QuerySyntaxError, "line 1"),
        ("SELECT * { SERVICE <a:x> { ?s no:p ?o } }", QuerySyntaxError, "The prefix no: is not declared"),
        ("SELECT * { SERVICE <a:x> { ?s ?p ?o } BIND(1 AS ?s) }", QuerySyntaxError, "parse"),
        ("SELECT * { SERVICE <a:x> {} } # " + "x" * 100_000, TooLarge, "100,0"),
        ("SELECT * { SERVICE <a:x> " + "{" * 101 + "}" * 101 + " }", TooLarge, "levels deep"),
        (
            "ASK {" + "SERVICE <a:x> {} " * 11 + "}",
            TooLarge,
            "has 11 calls to other servers; the limit is 10",
        ),
    ],
)
def test_what_would_not_run_calls_nobody(text: str, error: type[MedkgError], words: str) -> None:
    """What does not parse, or is over a limit, is told before anybody is asked."""
    with pytest.raises(error, match=words):
        query(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LOAD <a:x> INTO GRAPH <a:g>", [("a:x", False, "a:g")]),
        ("load silent <a:x> into graph <a:g> ;", [("a:x", True, "a:g")]),
        ("PREFIX e: <a:> LOAD e:x INTO GRAPH graph:y", [("a:x", False, "https://w3id.org/medkg/graph/y")]),
        (
            "LOAD <x> INTO GRAPH <a:g>; CLEAR GRAPH <a:h>;\nLOAD SILENT <y> INTO GRAPH <z>",
            [
                ("http://base.test/dir/x", False, "a:g"),
                ("http://base.test/dir/y", True, "http://base.test/dir/z"),
            ],
        ),
        ("INSERT DATA { GRAPH <a:g> { <a:s> <a:LOAD> 'LOAD <a:x>' } } # LOAD <a:x>", []),
    ],
)
def test_a_load_is_read(text: str, expected: list[tuple[Any, ...]]) -> None:
    """The document and the graph of each LOAD are absolute."""
    calls = update(text)

    assert [(call.iri, call.silent, call.graph) for call in calls] == expected
    assert all(text[call.start : call.start + 4].upper() == "LOAD" for call in calls)


def test_a_load_stands_for_nothing_but_itself() -> None:
    """What is replaced goes from the keyword to the last of its words."""
    text = "CLEAR GRAPH <a:g> ; LOAD <a:x> INTO GRAPH <a:g> ; DROP GRAPH <a:g>"
    (call,) = update(text)

    assert text[call.start : call.end] == "LOAD <a:x> INTO GRAPH <a:g>"


def test_without_a_graph_a_load_goes_to_the_default_graph() -> None:
    """That is refused where the default graph is the merge, before anything is fetched."""
    with pytest.raises(Conflict, match="writes outside GRAPH"):
        update("LOAD <a:x>")

    assert [call.graph for call in update("LOAD <a:x>", union=False)] == [None]


def test_a_service_in_an_update_is_read() -> None:
    """WHERE may call, too, beside LOAD."""
    text = (
        "PREFIX e: <a:> INSERT { GRAPH e:g { ?s ?p ?o } } WHERE { SERVICE e:x { ?s ?p ?o } };"
        " LOAD <a:y> INTO GRAPH <a:g>"
    )

    assert [(call.keyword, call.iri) for call in update(text)] == [("SERVICE", "a:x"), ("LOAD", "a:y")]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("LOADSILENT<a:x>INTO GRAPH <a:g>", Conflict, "outside GRAPH"),
        ("PREFIX e: <a:> LOADe:x INTO GRAPH <a:g>", Conflict, "outside GRAPH"),
        ("LOAD <a:x> INTO <a:g>", QuerySyntaxError, "line 1, column 17"),
        ("LOAD ?x INTO GRAPH <a:g>", QuerySyntaxError, "line 1"),
        ("LOAD <a:x> INTO GRAPH <a:g>; LOAD", QuerySyntaxError, "line 1"),
        ("LOAD <a:x> INTO GRAPH <a:g>;" * 11, TooLarge, "11 calls"),
    ],
)
def test_an_update_that_would_not_run_calls_nobody(text: str, error: type[MedkgError], words: str) -> None:
    """What does not parse, can't be read for sure, or is too much is told before anything is fetched."""
    with pytest.raises(error, match=words):
        update(text)


@pytest.mark.parametrize(
    "text", ["LOADSILENT<a:x>INTO GRAPH <a:g>", "PREFIX e: <a:> LOADe:x INTO GRAPH <a:g>"]
)
def test_a_glued_load_is_refused(text: str) -> None:
    """Where the default graph may be written to, words without a space between them are refused by name."""
    with pytest.raises(QueryRefused, match=r"LOAD \(line 1, column \d+\) is not allowed: .* read for sure"):
        update(text, union=False)
