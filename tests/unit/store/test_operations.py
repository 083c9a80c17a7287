"""store/operations.py: what an update does is read, and what it reads can be set from outside."""

import os
import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from medkg.domain.errors import CallError, ParameterError
from medkg.store.operations import operations, with_using
from medkg.store.tokens import read

G, H = "http://example.org/g", "http://example.org/h"


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("", []),
        ("PREFIX e: <a:>", []),
        ("INSERT DATA {}; DELETE DATA {} ; DELETE WHERE {};", ["INSERT DATA", "DELETE DATA", "DELETE WHERE"]),
        ("LOAD <a:x> INTO GRAPH <a:g>; CLEAR ALL", ["LOAD", "CLEAR"]),
        ("DELETE {} INSERT {} WHERE {}; WITH <a:g> INSERT {} WHERE {{}}", ["MODIFY", "MODIFY"]),
        (
            "COPY DEFAULT TO <a:g>; MOVE GRAPH <a:g> TO GRAPH <a:h>; ADD <a:g> TO DEFAULT",
            ["COPY", "MOVE", "ADD"],
        ),
        ("CREATE SILENT GRAPH <a:g>; PREFIX e: <a:> DROP GRAPH e:g", ["CREATE", "DROP"]),
    ],
)
def test_every_operation_is_read(text: str, verbs: list[str]) -> None:
    """The operations of an update are told one by one."""
    found = operations(read(text), len(text))

    assert ([item.verb for item in found.items], found.doubt) == (verbs, None)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("SELECT * {}", 0),
        ("INSERT DATA {} INSERT DATA {}", 15),
        ("INSERT {}", 9),
        ("INSERT { GRAPH e:x {} } WHERE {}", 15),
        ("INSERT { { ?s ?p ?o } } WHERE {}", 9),
        ("INSERT { GRAPH ?g { { ?s ?p ?o } } } WHERE {}", 20),
        ("DROP <a:g>", 5),
        ("COPY <a:g> <a:h>", 11),
        ("INSERT {} WHERE {", 17),
        ("INSERT {} WHERE ", 16),
        ("CLEAR 'open", 6),
    ],
)
def test_what_is_not_understood_ends_the_reading(text: str, doubt: int) -> None:
    """A text that is no update has the offset at which that shows."""
    assert operations(read(text), len(text)).doubt == doubt


PIECES = """PREFIX e: <a:> # one
WITH e:g DELETE { ?s ?p ?o } INSERT { ?s e:p [] } USING e:g USING NAMED e:h WHERE { ?x ?y ?z } ;
DELETE WHERE { GRAPH ?g { ?s ?p 1 } } ; INSERT DATA { e:s e:p (1) } ; DROP ALL"""


def test_the_pieces_of_an_operation_are_found() -> None:
    """Of each operation it is known where its templates, its WHERE and its end are, and what is in them."""
    modify, where, data, drop = operations(read(PIECES), len(PIECES)).items

    def piece(span: tuple[int, int] | None) -> str | None:
        return None if span is None else PIECES[slice(*span)]

    assert [piece(span) for span in (modify.deletes, modify.inserts, modify.group)] == [
        "{ ?s ?p ?o }",
        "{ ?s e:p [] }",
        "{ ?x ?y ?z }",
    ]
    assert (modify.home, modify.dataset) == ("a:g", (("a:g",), ("a:h",)))
    assert (modify.variables, modify.fresh) == (("s", "p", "o"), True)
    assert piece(where.deletes) == piece(where.group) == "{ GRAPH ?g { ?s ?p 1 } }"
    assert (where.variables, where.fresh) == (("g", "s", "p"), False)
    assert (piece(data.inserts), data.deletes, data.group) == ("{ e:s e:p (1) }", None, None)
    assert piece((drop.start, drop.end)) == "DROP ALL"
    assert all([piece(span) for span in item.prologue] == ["PREFIX e: <a:>"] for item in (modify, drop))


def facts(store: ox.Store, graph: str) -> set[str]:
    return {
        quad.subject.value
        for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(graph))
        if isinstance(quad.subject, ox.NamedNode)
    }


def library() -> ox.Store:
    store = ox.Store()
    for graph in (G, H):
        store.add(
            ox.Quad(ox.NamedNode(graph + "#s"), ox.NamedNode("a:p"), ox.Literal(1), ox.NamedNode(graph))
        )
    store.add(ox.Quad(ox.NamedNode("a:default"), ox.NamedNode("a:p"), ox.Literal(1)))
    return store


@pytest.mark.parametrize(
    ("using", "named", "where", "found"),
    [
        ([G], [], "?s ?p ?o", {G + "#s"}),
        ([G, H], [], "?s ?p ?o", {G + "#s", H + "#s"}),
        ([], [G], "?s ?p ?o", set()),
        ([], [G], "GRAPH ?g { ?s ?p ?o }", {G + "#s"}),
        ([G], [H], "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }", {G + "#s", H + "#s"}),
        ([], [], "?s ?p ?o", {"a:default"}),
    ],
)
def test_the_where_clause_reads_the_graphs_of_the_request(
    using: list[str], named: list[str], where: str, found: set[str]
) -> None:
    """using-graph-uri makes the default graph of WHERE, using-named-graph-uri its named graphs."""
    store = library()
    text = (
        f"CLEAR SILENT GRAPH <a:out>; INSERT {{ GRAPH <a:out> {{ ?s a 1 }} }} # WHERE\n WHERE {{ {where} }}"
    )
    store.update(with_using(text, using, named))

    assert facts(store, "a:out") == found


def test_every_operation_that_reads_has_the_graphs() -> None:
    """USING goes into each WHERE, DELETE WHERE is written out, and data stays as it is."""
    text = "INSERT DATA { <a:WHERE> <a:p> 'WHERE' }; delete where { ?s ?p ?o }; DELETE {} WHERE { }"

    using = f"USING <{G}> USING NAMED <{H}> WHERE"
    assert with_using(text, [G], [H]) == (
        "INSERT DATA { <a:WHERE> <a:p> 'WHERE' }; "
        f"delete {{ ?s ?p ?o }} {using} {{ ?s ?p ?o }}; DELETE {{}} {using} {{ }}"
    )


def test_delete_where_deletes_what_it_read_elsewhere() -> None:
    """DELETE WHERE with a graph of the request matches there, and deletes from the default graph."""
    store = library()
    store.add(ox.Quad(ox.NamedNode(G + "#s"), ox.NamedNode("a:p"), ox.Literal(1)))
    store.update(with_using("DELETE WHERE { ?s ?p ?o }", [G], []))

    assert {str(quad.subject) for quad in store.quads_for_pattern(None, None, None, ox.DefaultGraph())} == {
        "<a:default>"
    }
    assert facts(store, G) == {G + "#s"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("INSERT {} USING <a:g> WHERE {}", "line 1, column 1 has USING or WITH"),
        ("CLEAR ALL;\nINSERT {} USING NAMED <a:g> WHERE {}", "line 2, column 1 has USING or WITH"),
        ("WITH <a:g> DELETE {} WHERE {}", "line 1, column 1 has USING or WITH"),
        ("INSERT {} WHERE { 'open }", "can't be read at line 1, column 19"),
        ("INSERT{}WHERE{}DROP ALL", "can't be read at line 1, column 16"),
    ],
)
def test_an_update_names_its_graphs_in_one_place(text: str, reason: str) -> None:
    """Graphs in the request beside USING or WITH are an error, and so is a text that can't be read."""
    with pytest.raises(CallError, match=reason):
        with_using(text, [G], [])


@pytest.mark.parametrize("name", ["", "relative", "a:b> WHERE {} ; DROP ALL #", "a:b c"])
def test_a_graph_name_is_an_iri(name: str) -> None:
    """What is no IRI never gets into the text."""
    with pytest.raises(ParameterError, match="is no IRI"):
        with_using("INSERT {} WHERE {}", [], [name])


PROTOCOL = Path(os.environ.get("MEDKG_W3C") or Path(__file__).parents[4] / "shared" / "w3c")  # noqa: TID251
PROTOCOL = PROTOCOL / "sparql" / "sparql11" / "protocol" / "manifest.ttl"


@pytest.mark.skipif(not PROTOCOL.is_file(), reason="the W3C suite is not here (MEDKG_W3C)")
def test_the_updates_of_the_protocol_suite() -> None:
    """Each update of the W3C suite that has graphs in its request takes them, or has USING itself."""
    source = PROTOCOL.read_text(encoding="utf-8")
    tests = re.findall(r'\?(using[^"]*)" ;.*?cnt:chars """(.*?)"""', source, re.DOTALL)
    outcomes = []
    for _, text in tests:
        try:
            ox.Store().update(with_using(text.replace('\\"', '"'), [G], [H]))
            outcomes.append("taken")
        except CallError:
            outcomes.append("refused")

    assert outcomes == ["taken"] * 4 + ["refused"]
