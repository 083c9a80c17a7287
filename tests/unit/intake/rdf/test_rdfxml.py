"""intake/rdf/rdfxml.py: every statement of RDF/XML stands at the element or the attribute that states it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.model import Place
from medkg.domain.submission import Submission
from medkg.intake.rdf import Limits, read_rdf

EX = "https://example.org/"
HEAD = (
    f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"\n  xmlns:ex="{EX}" xml:base="{EX}">\n'
)


def read(inside: str) -> Submission:
    return read_rdf((HEAD + inside + "</rdf:RDF>").encode(), "application/rdf+xml", limits=Limits())


def cut(inside: str, place: Place) -> str:
    lines = re.split(r"(?<=\n)", HEAD + inside)
    starts = [sum(map(len, lines[:line])) for line in (place.line - 1, place.end_line - 1)]
    return (HEAD + inside)[starts[0] + place.column - 1 : starts[1] + place.end_column - 1]


def cuts(inside: str) -> list[tuple[str, str]]:
    """Return of each statement the subject's place and the object's."""
    found = read(inside)
    assert found.flaws == ()
    return [(cut(inside, found.records[one.subject]), cut(inside, one.place)) for one in found.statements]


LAB = '<rdf:Description rdf:about="lab">'


@pytest.mark.parametrize(
    ("written", "subject", "expected"),
    [
        ("<ex:p>Lab</ex:p>", LAB, ["<ex:p>Lab</ex:p>"]),
        ("\n <ex:p\n  xml:lang='pl'>ż😀</ex:p>", LAB, ["<ex:p\n  xml:lang='pl'>ż😀</ex:p>"]),
        (
            '<ex:p rdf:resource="b"/><ex:p rdf:resource="b"></ex:p>',
            LAB,
            ['<ex:p rdf:resource="b"/>', '<ex:p rdf:resource="b"></ex:p>'],
        ),
        ("<ex:p>a > b</ex:p><ex:q>c</ex:q>", LAB, ["<ex:p>a > b</ex:p>", "<ex:q>c</ex:q>"]),
        ("<ex:p><![CDATA[a <x> b]]></ex:p>", LAB, ["<ex:p><![CDATA[a <x> b]]></ex:p>"]),
        ("<!-- <ex:p>no</ex:p> --><ex:p>a</ex:p>", LAB, ["<ex:p>a</ex:p>"]),
        ("<rdf:li>1</rdf:li><rdf:li>2</rdf:li>", LAB, ["<rdf:li>1</rdf:li>", "<rdf:li>2</rdf:li>"]),
        (
            '<ex:p rdf:parseType="Literal"><b>x</b></ex:p>',
            LAB,
            ['<ex:p rdf:parseType="Literal"><b>x</b></ex:p>'],
        ),
    ],
)
def test_a_property_element_is_the_place(written: str, subject: str, expected: list[str]) -> None:
    """A statement stands from the start of its property element to the end of it."""
    inside = f"{LAB}{written}</rdf:Description>"
    assert cuts(inside) == [(subject, one) for one in expected]


def test_an_attribute_is_the_place() -> None:
    """Properties that are attributes stand where the attribute does; a typed node's type at its start tag."""
    inside = "<ex:Lab rdf:about='lab'\n   ex:p = \"a > b\" ex:q='ż'><ex:r ex:s='1'/></ex:Lab>"
    tag = inside[: inside.index("><ex:r") + 1]
    assert sorted(cuts(inside)) == sorted(
        [
            (tag, tag),
            (tag, 'ex:p = "a > b"'),
            (tag, "ex:q='ż'"),
            (tag, "<ex:r ex:s='1'/>"),
            ("<ex:r ex:s='1'/>", "ex:s='1'"),
        ]
    )


def test_nested_nodes_have_their_own_places() -> None:
    """A node inside a property is described by its own element; parseType="Resource" is a node, too."""
    inner = "<ex:Hub><ex:q>1</ex:q></ex:Hub>"
    resource = '<ex:r rdf:parseType="Resource"><ex:s>2</ex:s></ex:r>'
    inside = f"{LAB}<ex:p>{inner}</ex:p>{resource}</rdf:Description>"
    assert sorted(cuts(inside)) == sorted(
        [
            (LAB, f"<ex:p>{inner}</ex:p>"),
            ("<ex:Hub>", "<ex:Hub>"),
            ("<ex:Hub>", "<ex:q>1</ex:q>"),
            (LAB, resource),
            ('<ex:r rdf:parseType="Resource">', "<ex:s>2</ex:s>"),
        ]
    )


def test_the_cells_of_a_collection_stand_at_their_property() -> None:
    """A collection is told as one: all of its statements have the place of its property element."""
    collection = '<ex:p rdf:parseType="Collection"><rdf:Description rdf:about="b"/></ex:p>'
    found = cuts(f"{LAB}{collection}</rdf:Description>")
    assert {place for _, place in found} == {collection}
    assert len(found) == 3


nodes = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ż"]),
        st.lists(st.tuples(st.text("aż😀> [\n", max_size=5), st.sampled_from(["", " ", "\n"])), max_size=3),
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(nodes)
def test_places_are_right_in_any_layout(described: list[tuple[str, list[tuple[str, str]]]]) -> None:
    """Whatever the texts and the white space, each statement is cut out as its element."""
    inside, expected = "<ex:First/>", ["<ex:First/>"]
    for name, texts in described:
        inside += f'\n<rdf:Description rdf:about="{name}">'
        for text, space in texts:
            element = f"<ex:p{space}>{text}</ex:p>"
            inside += space + element
            expected.append(element)
        inside += "</rdf:Description>"
    assert [place for _, place in cuts(inside)] == expected
