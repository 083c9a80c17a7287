"""store/files.py: Turtle files become the same quads every time, and each fault has its line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import XSD, Graph
from rdflib.compare import isomorphic
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import SourceFileError
from medkg.store.files import kept_literal, places, read_turtle

GRAPH = URIRef("https://example.org/graph")
HEAD = "@prefix : <https://example.org/> .\n"


def _file(folder: Path, text: str, name: str = "data.ttl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path


def _iri(name: str) -> URIRef:
    return URIRef("https://example.org/" + name)


# --- Reading ---------------------------------------------------------------------------------------


def test_triples_come_in_file_order_with_repeats(tmp_path: Path) -> None:
    """The quads stand in the order of the file, in the given graph, and a repeated triple is there twice."""
    path = _file(tmp_path, HEAD + ":b :p 2 .\n:a :p 1 , 1 .\n:b :p 2 .")
    assert read_turtle(path, GRAPH) == [
        (_iri("b"), _iri("p"), Literal("2", datatype=XSD.integer), GRAPH),
        (_iri("a"), _iri("p"), Literal("1", datatype=XSD.integer), GRAPH),
        (_iri("a"), _iri("p"), Literal("1", datatype=XSD.integer), GRAPH),
        (_iri("b"), _iri("p"), Literal("2", datatype=XSD.integer), GRAPH),
    ]


def test_literals_keep_their_lexical_form(tmp_path: Path) -> None:
    """What is written is what is read: nothing is normalised on the way in."""
    path = _file(
        tmp_path, HEAD + ':a :p 1.10 , 007 , "1"^^<http://www.w3.org/2001/XMLSchema#boolean> , "é\\n"@en .'
    )
    assert [term.n3() for _, _, term, _ in read_turtle(path, GRAPH)] == [
        '"1.10"^^<http://www.w3.org/2001/XMLSchema#decimal>',
        '"007"^^<http://www.w3.org/2001/XMLSchema#integer>',
        '"1"^^<http://www.w3.org/2001/XMLSchema#boolean>',
        '"""é\n"""@en',
    ]


def test_an_empty_file_has_no_triples(tmp_path: Path) -> None:
    """A file of nothing but comments is good Turtle."""
    assert read_turtle(_file(tmp_path, "# nothing yet\n"), GRAPH) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nonsense", 1),
        (HEAD + ":a :p 1 .\n:a :p .\n", 3),
        (HEAD + ":a :p 1 .\n\n# a comment\n:a other:p 1 .\n", 5),
        (HEAD + ':a :p "open\n', 2),
        (HEAD + ':a :p """one\ntwo\nthree""" .\n:a :p ] .\n', 5),
        (HEAD + ":a :p 1 ;\n   :q 2 ,\n      ) .\n", 4),
        (HEAD.replace("\n", "\r\n") + ":a :p 1 .\r\n:a :p } .\r\n", 3),
        (HEAD + ":a :p 1", 2),
    ],
)
def test_a_file_that_does_not_parse_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    """The error of a broken file says which file, on which line, why, and what to do."""
    path = _file(tmp_path, text)
    with pytest.raises(SourceFileError) as caught:
        read_turtle(path, GRAPH)

    assert (caught.value.path, caught.value.line) == (path, line)
    assert str(caught.value).startswith(f"{path}:{line}: the file is not valid Turtle: ")
    assert str(caught.value).endswith("Mend the file and build again.")


def test_bytes_that_are_no_utf_8_are_named(tmp_path: Path) -> None:
    """A file in another encoding is a broken file."""
    path = tmp_path / "latin.ttl"
    path.write_bytes(HEAD.encode() + ':a :p "é" .'.encode("latin-1"))
    with pytest.raises(SourceFileError, match="not valid Turtle"):
        read_turtle(path, GRAPH)


@pytest.mark.parametrize("name", ["nowhere.ttl", "."])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    """A missing file, or a folder in its place, is named with the reason of the system."""
    with pytest.raises(SourceFileError, match="the file can't be read") as caught:
        read_turtle(tmp_path / name, GRAPH)

    assert caught.value.line is None


# --- Blank nodes -----------------------------------------------------------------------------------

NESTED = HEAD + ":a :p [ :q [ :r 1 ] ; :s 2 ] , ( 1 2 ) .\n_:x :q _:y . _:y :q _:x .\n"


def test_blank_nodes_get_the_same_labels_every_time(tmp_path: Path) -> None:
    """Reading a file twice gives the same quads, and they say what the file says."""
    path = _file(tmp_path, NESTED)
    first, second = read_turtle(path, GRAPH), read_turtle(path, GRAPH)
    assert first == second
    read = Graph()
    for subject, predicate, object_, _ in first:
        read.add((subject, predicate, object_))
    assert isomorphic(read, Graph().parse(path))


def test_labels_do_not_depend_on_how_the_file_is_written(tmp_path: Path) -> None:
    """Blank nodes that say the same get the same labels, whatever their names and order in the file."""
    one = _file(tmp_path, HEAD + "_:x :p 1 .\n_:y :p 2 .\n_:x :q _:y .")
    quads = set(read_turtle(one, GRAPH))
    two = _file(tmp_path, HEAD + "_:y :q [ :p 2 ] .\n_:y :p 1 .")
    assert set(read_turtle(two, GRAPH)) == quads


@pytest.mark.parametrize(("one", "two"), [("a.ttl", "b.ttl"), ("x/a.ttl", "y/a.ttl")])
def test_two_files_share_no_blank_node(tmp_path: Path, one: str, two: str) -> None:
    """Equal blank nodes of two files stay apart, also where the files have the same name in two folders."""
    nodes = [
        {
            term
            for quad in read_turtle(_file(tmp_path, NESTED, name), GRAPH)
            for term in quad
            if isinstance(term, BNode)
        }
        for name in (one, two)
    ]
    assert len(nodes[0]) == len(nodes[1]) == 6
    assert nodes[0].isdisjoint(nodes[1])


# --- Places ----------------------------------------------------------------------------------------

LAID_OUT = '''\
# A comment first.
@prefix : <https://example.org/> .

:a a :Thing ;                       # 4
   :p 1 ,                           # 5
      2 ;                           # 6

   # A comment with a dot . and a ; in between.
   :label "one # no comment"@en ,   # 9
          """two
lines ; and a dot .
"""@de ;                            # 10 to 12
   :q :b .                          # 13
:b
  :p
    3                               # 16
  .

:c :p 4 . :c :p 5 .                 # 19
:d :p ( 6                           # 20
        7 ) .                       # 21
:e :q [ :p 8 ;                      # 22
        :p 9 ] ; :p 10 .            # 23
<https://example.org/f> :p 11 .     # 24
:g :p <https://example.org/h#i> .   # 25
'''


def test_each_triple_has_the_line_on_which_its_object_ends(tmp_path: Path) -> None:
    """Lines are those of the object, whatever comments, blank lines and punctuation stand around it."""
    path = _file(tmp_path, LAID_OUT)
    lines = {
        str(object_): line
        for (_, _, object_, _), line in places(path, GRAPH)
        if not isinstance(object_, BNode) and "rdf-syntax" not in object_
    }
    assert lines == {
        "https://example.org/Thing": 4,
        "1": 5,
        "2": 6,
        "one # no comment": 9,
        "two\nlines ; and a dot .\n": 12,
        "https://example.org/b": 13,
        "3": 16,
        "4": 19,
        "5": 19,
        "6": 20,
        "7": 21,
        "8": 22,
        "9": 23,
        "10": 23,
        "11": 24,
        "https://example.org/h#i": 25,
    }


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n# The end."])
def test_the_last_triple_has_its_line_too(tmp_path: Path, newline: str, end: str) -> None:
    """The end of the file, with or without a newline or a comment, moves no line."""
    path = _file(tmp_path, (HEAD + "\n:a :p 1 ;\n  :p 2 ." + end).replace("\n", newline))
    assert [line for _, line in places(path, GRAPH)] == [3, 4]


def test_places_are_those_of_the_quads_that_are_read(tmp_path: Path) -> None:
    """Without blank nodes, the quads with lines are the quads that a build reads, in the same order."""
    path = _file(tmp_path, LAID_OUT.partition(":d :p")[0])
    assert [quad for quad, _ in places(path, GRAPH)] == read_turtle(path, GRAPH)


STATEMENT = st.tuples(
    st.sampled_from(
        ["1", "2.5", '"x"', '"x y"@en', '"""a\nb"""', ":o", "true", '"#"', '";"', "<https://example.org/#>"]
    ),
    st.sampled_from([" .", ".", " ;\n.", "\n.", " # comment ; .\n.", "\n# comment\n  ."]),
    st.sampled_from(["\n", "\n\n", "\n# . comment\n"]),
)


@given(st.lists(STATEMENT, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_right_in_any_layout(tmp_path: Path, statements: list[tuple[str, str, str]]) -> None:
    """However statements are laid out, the line of each is the one on which its object ends."""
    text, expected = HEAD, []
    for object_, dot, gap in statements:
        text += f":s :p {object_}"
        expected.append(text.count("\n") + 1)
        text += dot + gap
    assert [line for _, line in places(_file(tmp_path, text), GRAPH)] == expected


# --- Literals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "datatype", "kept", "kept_datatype"),
    [
        ("1", XSD.integer, "1", XSD.integer),
        ("01", XSD.integer, "1", XSD.integer),
        ("+1", XSD.integer, "1", XSD.integer),
        ("-0", XSD.integer, "0", XSD.integer),
        ("99999999999999999999", XSD.integer, "99999999999999999999", XSD.integer),
        ("1", XSD.int, "1", XSD.integer),
        ("1", XSD.nonNegativeInteger, "1", XSD.integer),
        ("1.10", XSD.decimal, "1.1", XSD.decimal),
        ("1.1", XSD.decimal, "1.1", XSD.decimal),
        ("1", XSD.boolean, "true", XSD.boolean),
        ("true", XSD.boolean, "true", XSD.boolean),
        ("perhaps", XSD.boolean, "perhaps", XSD.boolean),
        ("2024-02-29", XSD.date, "2024-02-29", XSD.date),
        ("2024-02-30", XSD.date, "2024-02-30", XSD.date),
        ("2024-01-01T00:00:00+00:00", XSD.dateTime, "2024-01-01T00:00:00Z", XSD.dateTime),
        ("2024", XSD.gYear, "2024", XSD.gYear),
        ("2024-01", XSD.gYearMonth, "2024-01", XSD.gYearMonth),
        ("https://example.org/", XSD.anyURI, "https://example.org/", XSD.anyURI),
        (" x ", URIRef("https://example.org/type"), " x ", URIRef("https://example.org/type")),
    ],
)
def test_typed_literals_as_the_engine_keeps_them(
    written: str, datatype: URIRef, kept: str, kept_datatype: URIRef
) -> None:
    """The form in which a literal would come out of the store is known before it goes in."""
    found = kept_literal(Literal(written, datatype=datatype, normalize=False))
    assert (str(found), found.datatype) == (kept, kept_datatype)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (Literal("x"), Literal("x")),
        (Literal(" x\t\n"), Literal(" x\t\n")),
        (Literal("x", datatype=XSD.string), Literal("x")),
        (Literal("x", lang="en"), Literal("x", lang="en")),
        (Literal("x", lang="en-GB"), Literal("x", lang="en-gb")),
    ],
)
def test_plain_literals_are_kept(written: Literal, kept: Literal) -> None:
    """Text is kept to the character; of a language tag the case is lost."""
    assert kept_literal(written).n3() == kept.n3()


@given(
    st.one_of(
        st.tuples(
            st.from_regex(r"[+-]?[0-9]{1,30}", fullmatch=True), st.sampled_from([XSD.integer, XSD.int])
        ),
        st.tuples(st.from_regex(r"[+-]?[0-9]{1,9}\.[0-9]{1,9}", fullmatch=True), st.just(XSD.decimal)),
        st.tuples(
            st.from_regex(r"[+-]?[0-9]{1,5}\.?[0-9]{0,5}[eE][+-]?[0-9]", fullmatch=True), st.just(XSD.double)
        ),
        st.tuples(st.datetimes().map(lambda moment: moment.isoformat()), st.just(XSD.dateTime)),
    )
)
@settings(deadline=None)
def test_what_is_kept_is_kept_again(written: tuple[str, URIRef]) -> None:
    """The kept form is final: keeping it once more changes nothing, whatever was written."""
    text, datatype = written
    kept = kept_literal(Literal(text, datatype=datatype, normalize=False))
    assert kept_literal(kept).n3() == kept.n3()
