"""store/effects.py: what an operation moves is told exactly, and is what the engine would have done."""

from uuid import uuid4

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.store.effects import perform
from medkg.store.operations import operations
from medkg.store.tokens import read

DATA = """
    <urn:a> <urn:p> <urn:b> . <urn:b> <urn:p> "b" .
    <urn:g> { <urn:a> <urn:p> <urn:b>, 7 . _:n <urn:q> <urn:a> }
    <urn:h> { <urn:b> <urn:q> <urn:g>, "x"@en . <urn:a> <urn:p> _:m }
"""


def _store(data: str = DATA) -> ox.Store:
    store = ox.Store()
    store.load(data.encode(), ox.RdfFormat.TRIG)
    return store


def _perform(store: ox.Store, text: str, base: str = "") -> None:
    """Do an update in a store, and check that what it tells is what has changed."""
    found = operations(read(text), len(text), base)
    assert found.doubt is None
    before = set(store)
    moved = perform(store, text, found.items, base)
    if all(item.deletes or item.inserts for item in found.items):
        assert (moved.removed, moved.added) == (before - set(store), set(store) - before)


def _same(store: ox.Store, text: str, base: str = "") -> set[str]:
    """Do an update, and let the engine do it; check that both come to the same, and return that."""
    engine = ox.Store()
    engine.extend(store)
    engine.update(text, base_iri=base or None)
    _perform(store, text, base)
    assert _shape(store) == _shape(engine)
    assert set(store.named_graphs()) == set(engine.named_graphs())
    return _shape(store)


def _shape(store: ox.Store) -> set[str]:
    """Return the quads of a store, with blank nodes that have the same label whoever made them."""
    dataset = ox.Dataset(store)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return set(map(str, dataset))


UPDATES = """
INSERT DATA { <urn:a> <urn:p> <urn:b>, 1 . GRAPH <urn:g> { <urn:a> <urn:p> 07 , _:n . _:n <urn:p> [] } }

DELETE DATA { <urn:a> <urn:p> <urn:b> . GRAPH <urn:g> { <urn:a> <urn:p> 007 , 8 } }

DELETE WHERE { GRAPH ?g { ?s <urn:p> ?o } }

DELETE WHERE { GRAPH ?g { ?s ?p ?o } . ?o ?p ?z }

DELETE { GRAPH ?g { ?s ?p ?o } } INSERT { GRAPH ?g { ?s ?p 'x' } } WHERE { GRAPH ?g { ?s ?p ?o } }

WITH <urn:g> DELETE { ?s ?p ?o } INSERT { ?o ?p ?s } WHERE { ?s ?p ?o }

WITH <urn:g> INSERT { GRAPH <urn:h> { ?s ?p ?o } ?s <urn:z> ?h }
    WHERE { ?s ?p ?o . GRAPH <urn:h> { ?s ?q ?h } }

WITH <urn:g> INSERT { ?s ?p ?o } USING <urn:h> WHERE { ?s ?p ?o }

INSERT { GRAPH <urn:new> { ?s ?p ?o } } USING <urn:g> USING <urn:h> WHERE { ?s ?p ?o }

INSERT { GRAPH ?g { ?s ?p 1 } } USING NAMED <urn:g>
    WHERE { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }

INSERT { GRAPH ?o { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }

INSERT { GRAPH ?g { ?o ?p ?s . ?s ?o ?s } } WHERE { GRAPH ?g { ?s ?p ?o } }

INSERT { GRAPH ?g { ?s ?p ?z . ?s <urn:y> ?p } }
    WHERE { GRAPH ?g { ?s ?p ?o } OPTIONAL { ?o <urn:p> ?z } }

INSERT { GRAPH ?unbound { ?s ?p ?o } <urn:c> <urn:p> 1 } WHERE { ?s ?p ?o }

INSERT { GRAPH ?g { ?s <urn:list> (?o [ <urn:q> ?o ; <urn:r> _:x ]) . _:x a ?p } }
    WHERE { GRAPH ?g { ?s ?p ?o } }

INSERT { GRAPH <urn:new> { _:x <urn:p> 1 } } WHERE { ?s ?p ?o }

INSERT { GRAPH <urn:new> { <urn:a> <urn:p> 1 } } WHERE { ?s ?p ?o }

INSERT { GRAPH <urn:new> { <urn:a> <urn:p> 1 } } WHERE { FILTER(false) }

INSERT { GRAPH <urn:new> { ?s <urn:says> <<( ?s ?p ?o )>> . ?s ?p ?o {| <urn:by> ?g |} } }
    WHERE { GRAPH ?g { ?s ?p ?o } }

INSERT { ?t <urn:is> ?s } WHERE { ?s ?p ?o BIND(<<( ?s ?p ?o )>> AS ?t) }

INSERT { ?s ?p ?v }
    WHERE { ?s ?p ?o BIND(STRDT('007', <http://www.w3.org/2001/XMLSchema#integer>) AS ?v) }

DELETE { ?s ?p ?v } WHERE { ?s ?p ?o BIND(7 AS ?v) } ; DELETE { GRAPH ?g { ?s ?p 07 } }
    WHERE { GRAPH ?g { ?s ?p 7.0 } }

DELETE { <urn:k> <urn:p> ?x } INSERT { <urn:k> <urn:p> ?y } WHERE { VALUES (?x ?y) { (1 2) (2 3) } }

DELETE { ?s ?p ?o } INSERT { ?s ?p ?o } WHERE { ?s ?p ?o }

DELETE {} INSERT {} WHERE {}

DELETE { ?s ?p ?o } WHERE { SELECT * { ?s ?p ?o } LIMIT 100 }

PREFIX a: <urn:> # one
INSERT DATA { a:x a:p 1 } ; INSERT { GRAPH a:g { ?s a:p a:z } }
    WHERE { ?s a:p 1 } # end

BASE <http://b.example/> BASE <x/> INSERT DATA { <y> <p> 1 } ; INSERT { <y> ?p <y> }
    WHERE { <../x/y> ?p 1 }

CREATE GRAPH <urn:new> ; INSERT { GRAPH ?g { ?g ?p ?s } } WHERE { GRAPH ?g { ?s ?p ?o } }
    ; DROP GRAPH <urn:h>

INSERT DATA { GRAPH <urn:new> { <urn:a> <urn:p> 1 } } ; DELETE
    WHERE { GRAPH <urn:new> { ?s ?p ?o } }

INSERT DATA {} ; DELETE DATA {} ; DELETE WHERE {} ;
"""


@pytest.mark.parametrize("text", UPDATES.strip().split("\n\n"))
def test_an_operation_does_what_the_engine_does(text: str) -> None:
    """Whatever a template, a dataset or a sequence may be, the store is as the engine leaves it."""
    _same(_store(), text)


def test_names_are_relative_to_the_base_of_the_request() -> None:
    """The base that comes with a request is that of every piece of the text."""
    text, base = "WITH <g> INSERT { <s> ?p <o> } USING <h> WHERE { <s> ?p 1 }", "http://e.example/x/"
    store = ox.Store()
    store.update("INSERT DATA { GRAPH <h> { <s> <p> 1 } }", base_iri=base)

    assert " ".join(f"<{base}{name}>" for name in "spog") in _same(store, text, base)


def test_what_is_different_each_time_is_evaluated_once() -> None:
    """A value that no two evaluations share is in the store as it is told."""
    store = _store()
    _perform(store, "INSERT { ?g <urn:id> ?id } WHERE { GRAPH ?g { ?s ?p ?o } BIND(UUID() AS ?id) }")
    assert sum(1 for _ in store.quads_for_pattern(None, ox.NamedNode("urn:id"), None, None)) == 6


def test_blank_nodes_are_new_for_each_solution() -> None:
    """A blank node of a template is another one for each solution, and the same throughout one."""
    store = _store()
    _perform(store, "INSERT { GRAPH <urn:n> { _:x <urn:of> ?s , ?o } } WHERE { GRAPH <urn:g> { ?s ?p ?o } }")
    quads = list(store.quads_for_pattern(None, None, None, ox.NamedNode("urn:n")))
    assert len(quads) == 6
    assert len({quad.subject for quad in quads}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INSERT DATA { <urn:x> <urn:p> 1 } ; CREATE GRAPH <urn:g>", "already exists"),
        ("INSERT { ?s ?p ?x } WHERE { ?s ?p ?o BIND(<urn:fn>(?o) AS ?x) }", "custom function"),
    ],
)
def test_what_the_engine_refuses_is_an_error(text: str, message: str) -> None:
    """The engine's own error comes through."""
    with pytest.raises(RuntimeError, match=message):
        perform(_store(), text, operations(read(text), len(text)).items)


SUBJECTS = st.sampled_from(["<urn:a>", "<urn:b>", "?s", "?p", "?o", "?g", "_:x"])
PREDICATES = st.sampled_from(["<urn:p>", "<urn:q>", "?p", "?s"])
OBJECTS = st.one_of(SUBJECTS, st.sampled_from(["<urn:g>", "01", '"x"', "<<( ?s <urn:p> ?o )>>"]))
TRIPLES = st.tuples(SUBJECTS, PREDICATES, OBJECTS).map(" ".join)
BLOCKS = st.tuples(
    st.sampled_from(
        ["{}", *(f"GRAPH {name} {{{{ {{}} }}}}" for name in ("<urn:g>", "<urn:new>", "?g", "?o"))]
    ),
    st.lists(TRIPLES, min_size=1, max_size=2).map(" . ".join),
).map(lambda pair: pair[0].format(pair[1]))
TEMPLATES = st.lists(BLOCKS, max_size=2).map(" ".join)
WHERES = st.sampled_from(
    [
        "GRAPH ?g { ?s ?p ?o }",
        "?s ?p ?o OPTIONAL { GRAPH ?g { ?o ?q ?s } }",
        "{ ?s ?p ?o } UNION { GRAPH ?g { ?s <urn:p> ?o FILTER(isIRI(?o)) } }",
        "GRAPH ?g { ?s <urn:q> ?o }",
        "VALUES (?s ?p ?o) { (<urn:a> <urn:p> UNDEF) (UNDEF <urn:q> 1) }",
    ]
)
SOURCES = st.sampled_from(
    ["", "USING <urn:g> ", "USING NAMED <urn:h> ", "USING <urn:h> USING NAMED <urn:g> "]
)
QUADS = st.tuples(
    st.sampled_from(["<urn:a>", "<urn:b>", "_:n"]),
    st.sampled_from(["<urn:p>", "<urn:q>"]),
    st.sampled_from(["<urn:a>", "<urn:g>", "1", "_:n"]),
    st.sampled_from(["", "<urn:g>", "<urn:h>"]),
).map(lambda terms: "{3} {{ {0} {1} {2} }}".format(*terms))


OPERATIONS = st.tuples(
    st.sampled_from(["", "WITH <urn:g> ", "WITH <urn:new> "]),
    TEMPLATES.map(lambda text: text.replace("_:x", "<urn:a>")),
    TEMPLATES,
    SOURCES,
    WHERES,
).map(lambda parts: "{}DELETE {{ {} }} INSERT {{ {} }} {}WHERE {{ {} }}".format(*parts))


@given(st.lists(QUADS, max_size=8), OPERATIONS)
@settings(max_examples=300, deadline=None)
def test_any_operation_does_what_the_engine_does(data: list[str], text: str) -> None:
    """On any small store, any operation of templates leads to what the engine makes of it."""
    _same(_store(" ".join(data)), text)


def test_a_mark_of_a_variable_is_known_to_nobody() -> None:
    """A text that looks like the marks of its variables is data."""
    assert len(_same(_store(), f"INSERT {{ ?s <urn:uuid:{uuid4()}> ?o }} WHERE {{ ?s ?p ?o }}")) > 8
