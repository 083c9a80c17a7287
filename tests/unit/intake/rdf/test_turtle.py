"""intake/rdf/turtle.py: every statement of Turtle and N-Triples stands exactly where it is said to stand."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place, Term
from medkg.domain.namespaces import RDF, XSD
from medkg.domain.submission import Statement, Submission
from medkg.intake.rdf import Limits, read_rdf
from medkg.store.files import read_turtle

EX = "https://example.org/"
HEAD = f"@prefix ex: <{EX}> .\n"
TURTLE = "text/turtle"
ROOT = Path(__file__).resolve().parents[4]
OURS = sorted(path for folder in ("ontology", "shapes") for path in (ROOT / folder).rglob("*.ttl"))


def read(text: str, media_type: str = TURTLE, base: str | None = None) -> Submission:
    return read_rdf(text.encode(), media_type, limits=Limits(), base=base)


def cut(text: str, place: Place) -> str:
    """Return what stands at a place; lines end as they do in an editor."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    starts = [sum(map(len, lines[:line])) for line in (place.line - 1, place.end_line - 1)]
    return text[starts[0] + place.column - 1 : starts[1] + place.end_column - 1]


def cuts(text: str, **options: str) -> list[tuple[str, str, str]]:
    """Return of each statement the subject's place, the local name of the predicate, the object's place."""
    found = read(text, **options)
    assert found.flaws == ()
    return [
        (cut(text, found.records[one.subject]), one.predicate.removeprefix(EX), cut(text, one.place))
        for one in found.statements
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ex:a ex:p ex:b .", ["ex:b"]),
        ("ex:a ex:p ex:b,<https://example.org/c>;ex:p\n_:d.", ["ex:b", "<https://example.org/c>", "_:d"]),
        ("ex:a a ex:B .", ["ex:B"]),
        ('ex:a ex:p "x"@en , "y"^^ex:t , \'z\' .', ['"x"@en', '"y"^^ex:t', "'z'"]),
        ('ex:a ex:p "x" ^^ # why\n ex:t .', ['"x" ^^ # why\n ex:t']),
        ('ex:a ex:p """one\r\n"two" ]\n""" , "z" .', ['"""one\r\n"two" ]\n"""', '"z"']),
        ("ex:a ex:p 1, -2.5 ,.5,1e3,true,false.", ["1", "-2.5", ".5", "1e3", "true", "false"]),
        ("ex:a ex:p 1.\nex:a ex:p 1.5.", ["1", "1.5"]),
        ("ex:a ex:p ex:b.c, ex:d\\,e, ex:%41 , ex: .", ["ex:b.c", "ex:d\\,e", "ex:%41", "ex:"]),
        ('ex:a ex:p "# no ; comment ." ; # a "comment" ] .\n ex:p ex:b .', ['"# no ; comment ."', "ex:b"]),
        ("ex:a ex:p [ ex:q 1 ; ex:r [] ; ] , 2 .", ["[ ex:q 1 ; ex:r [] ; ]", "1", "[]", "2"]),
        ("[ ex:p 1 ] ex:q 2 .\n[ ex:p 3 ] .\n[] ex:p 4 .", ["1", "2", "3", "4"]),
        ("ex:a ex:p () .", ["()"]),
        ("ex:a ex:p (1 [ex:q 'x']) .", ["(1 [ex:q 'x'])", "1", "[ex:q 'x']", "[ex:q 'x']", "'x'", ")"]),
        ("('x' 'y') ex:p 3 .", ["'x'", "'y'", "'y'", ")", "3"]),
        ("PREFIX ey: <https://example.org/y/>\nBASE <https://example.org/>\ney:a <p> <b> .", ["<b>"]),
        ("@base <https://example.org/> .\r\n<a> <p> <b>\r\n, 'ż😀' .", ["<b>", "'ż😀'"]),
        ("ex:a ex:p 'ż😀' , ex:b .\rex:a ex:p ex:c .", ["'ż😀'", "ex:b", "ex:c"]),
        ('ex:a ex:p "\\u00e9\\n\\U0001F600" , ex:ż .', ['"\\u00e9\\n\\U0001F600"', "ex:ż"]),
        ("ex:a ex:p <https://example.org/\\u017C> .", ["<https://example.org/\\u017C>"]),
    ],
)
def test_the_object_of_a_statement_stands_at_its_place(written: str, expected: list[str]) -> None:
    """The place goes from the first character of the object to just behind the last, whatever the layout."""
    found = cuts(HEAD + written)
    assert sorted(place for *_, place in found) == sorted(expected)


def test_a_record_stands_where_it_is_described_first() -> None:
    """The place of a subject is its first one in the document; of a node in brackets, the brackets."""
    text = HEAD + "ex:a ex:p [ ex:q ex:b ] .\nex:b ex:r 1 .\nex:a ex:s 2 ."
    assert cuts(text) == [
        ("ex:a", "p", "[ ex:q ex:b ]"),
        ("[ ex:q ex:b ]", "q", "ex:b"),
        ("ex:b", "r", "1"),
        ("ex:a", "s", "2"),
    ]


def test_n_triples_have_places_too() -> None:
    """N-Triples are read line by line, with and without spaces."""
    text = f'<{EX}a><{EX}p>"x"@en.\n# note\n_:b <{EX}p> _:c . # note\r\n<{EX}a> <{EX}p> "y"^^<{EX}t> .'
    found = cuts(text, media_type="application/n-triples")
    assert found == [
        (f"<{EX}a>", "p", '"x"@en'),
        ("_:b", "p", "_:c"),
        (f"<{EX}a>", "p", f'"y"^^<{EX}t>'),
    ]


def test_literals_and_names_are_kept_as_they_are_sent() -> None:
    """No literal is rewritten; blank nodes are named in the order of the document."""
    text = (
        HEAD + 'ex:a ex:p 007 , "10/2021"^^ex:m , "1"^^<http://www.w3.org/2001/XMLSchema#boolean> ,'
        "  _:z , [] , _:z ."
    )
    objects = [one.object for one in read(text).statements]
    assert [str(one) for one in objects] == ["007", "10/2021", "1", "b0", "b1", "b0"]
    assert objects[2] == Literal("1", datatype=XSD.boolean, normalize=False)
    assert objects[3] == BNode("b0")


def test_a_base_may_be_given() -> None:
    """Relative IRIs are relative to what the caller says; without it they are refused."""
    [one] = read("<a> <p> <b> .", base=EX).statements
    assert (one.subject, one.object) == (URIRef(EX + "a"), URIRef(EX + "b"))
    assert [flaw.code for flaw in read("<a> <p> <b> .").flaws] == ["F-35"]


def test_a_prefix_that_we_know_is_proposed_with_its_line() -> None:
    """The declaration of a known prefix is told whole, a near one is asked for."""
    [known] = read("dcterms:x a dcterms:y .").flaws
    assert known.values["declaration"] == "@prefix dcterms: <http://purl.org/dc/terms/> ."
    [near] = read(HEAD + "exx:x a ex:y .").flaws
    assert (near.code, near.values["near"]) == ("F-33", "ex")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_own_files_are_read_with_all_their_places(path: Path) -> None:
    """Each statement of the ontology and the shapes has a place, and as many come out as the engine reads."""
    found = read_rdf(path.read_bytes(), TURTLE, limits=Limits())
    assert found.flaws == ()
    assert all(one.place.end_line for one in found.statements)
    assert len(set(found.statements)) == len(read_turtle(path, URIRef(EX)))


# --- Any layout ------------------------------------------------------------------------------------

space = st.sampled_from([" ", "\n", "\t", "\r\n", "  ", " # c ; ] . 'x\n", "\n#\n", "\r"])
gap = st.one_of(st.just(""), space)
names = st.sampled_from(
    ["ex:a", "ex:b.c", "ex:%41", "ex:ż", f"<{EX}x>", f"<{EX}ż>", "ex:", "_:n", "ex:x\\,y", "<y>"]
)
texts = st.text(st.sampled_from("aż😀 #.;,[](){}<>@^'\\\"\n\r\t"), max_size=6)


def _quoted(text: str, quote: str) -> str:
    escapes = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", quote[0]: "\\" + quote[0]}
    if len(quote) > 1:
        escapes.pop("\n")
    return quote + "".join(escapes.get(char, char) for char in text) + quote


strings = st.builds(_quoted, texts, st.sampled_from(['"', "'", '"""', "'''"]))
literals = st.one_of(
    strings,
    st.builds("{}@{}".format, strings, st.sampled_from(["en", "pl", "en-GB"])),
    st.builds("{}^^{}".format, strings, st.sampled_from(["ex:t", f"<{EX}t>"])),
    st.sampled_from(["1", "-2", "+03", "1.50", ".5", "1e6", "-1.E-3", "true", "false"]),
)


@st.composite
def _nodes(draw: st.DrawFn, depth: int = 2) -> tuple[str, list[str]]:
    """Return the text of an object, and the texts of all objects in it, its own first."""
    kind = draw(st.sampled_from(["name", "literal", "blank", "list"] if depth else ["name", "literal"]))
    if kind in {"name", "literal"}:
        text = draw(names if kind == "name" else literals)
        return text, [text]
    if kind == "blank":
        inside, objects = draw(_properties(depth - 1)) if draw(st.booleans()) else ("", [])
        text = "[" + draw(gap) + inside + draw(gap) + "]"
        return text, [text, *objects]
    items = draw(st.lists(_nodes(depth - 1), max_size=3))
    text = "(" + draw(gap)
    for item, _ in items:
        text += item + draw(space)
    text += ")"
    # The rest of a list stands where its next item does, and the end of it at the bracket.
    rests = [item for item, _ in items[1:]] + ([")"] if items else [])
    return text, [text, *(one for _, objects in items for one in objects), *rests]


@st.composite
def _properties(draw: st.DrawFn, depth: int) -> tuple[str, list[str]]:
    text, found = "", []
    for at in range(draw(st.integers(1, 3))):
        text += (draw(gap) + ";" + draw(gap)) * at + draw(st.sampled_from(["a", "ex:p", f"<{EX}q>"]))
        for number in range(draw(st.integers(1, 2))):
            node, objects = draw(_nodes(depth))
            text += (draw(space) + "," if number else "") + draw(space) + node
            found += objects
        text += draw(space)
    return text, found


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    text, found = f"@prefix ex: <{EX}> .{draw(space)}@base <{EX}> .", []
    for _ in range(draw(st.integers(1, 4))):
        inside, objects = draw(_properties(2))
        text += draw(space) + draw(names) + draw(space) + inside + draw(space) + "."
        found += objects
    return text, found


@settings(max_examples=300, deadline=None)
@given(_documents())
def test_places_are_right_in_any_layout(document: tuple[str, list[str]]) -> None:
    """The text at the places of a document's statements is that of its objects, one by one."""
    text, objects = document
    found = read(text)
    assert found.flaws == ()
    assert sorted(cut(text, one.place) for one in found.statements) == sorted(objects)


@settings(max_examples=200, deadline=None)
@given(_documents())
def test_what_stands_at_a_place_is_the_object(document: tuple[str, list[str]]) -> None:
    """The text at a place, read again as the only object of a statement, is the term of the statement."""
    text, _ = document
    for one in read(text).statements:
        if not isinstance(one.object, BNode) and one.predicate != RDF.rest:
            assert _object(cut(text, one.place)) == _shape(one.object)


def _object(text: str) -> tuple[str, ...]:
    again = read(f"@base <{EX}> .\n{HEAD}ex:s ex:p {text} .")
    return next(_shape(one.object) for one in _of(again, "s"))


def _of(submission: Submission, name: str) -> Iterator[Statement]:
    return (one for one in submission.statements if one.subject == URIRef(EX + name))


def _shape(term: Term) -> tuple[str, ...]:
    if isinstance(term, Literal):
        return ("literal", str(term), str(term.language), str(term.datatype))
    return (type(term).__name__, str(term))
