"""intake/rdf/jsonld.py: every statement of JSON-LD stands at the value that states it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.submission import Submission
from medkg.intake.rdf import Limits, read_rdf

EX = "https://example.org/"
CONTEXT = {
    "@vocab": EX,
    "id": "@id",
    "type": "@type",
    "see": {"@type": "@id"},
    "list": {"@container": "@list"},
}
KNOWN = {"https://w3id.org/medkg/context.jsonld": json.dumps({"@context": CONTEXT}).encode()}


def read(document: Any, indent: int | None = None) -> Submission:
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=indent)
    return read_rdf(text.encode(), "application/ld+json", limits=Limits(), contexts=KNOWN)


def pointers(document: Any) -> list[tuple[str, str]]:
    """Return of each statement the pointers to where its subject is described and to its value."""
    found = read(document)
    assert found.flaws == ()
    return [(found.records[one.subject].pointer, one.place.pointer) for one in found.statements]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"name": "Lab"}, ["/name"]),
        ({"name": ["Lab", "Hub"]}, ["/name/0", "/name/1"]),
        ({"name": {"@value": "Lab", "@language": "en"}}, ["/name/@value"]),
        ({"size": 3, "part": 2.5, "open": True}, ["/size", "/part", "/open"]),
        ({"see": EX + "b"}, ["/see"]),
        ({"name": {"id": EX + "b"}}, ["/name"]),
        ({"type": ["Lab", "Hub"]}, ["/type/0", "/type/1"]),
        ({f"{EX}a/b~c": "x"}, ["/https:~1~1example.org~1a~1b~0c"]),
        ({"list": ["a", 2]}, ["/list", "/list", "/list/0", "/list/1", "/list/1"]),
    ],
)
def test_a_value_is_the_place(members: dict[str, Any], expected: list[str]) -> None:
    """The pointer of a statement leads to its value, in whatever form the value is written."""
    found = pointers({"@context": CONTEXT, "id": EX + "lab", **members})
    assert sorted(place for _, place in found) == sorted(expected)


def test_identifiers_and_types_may_come_last() -> None:
    """The order of the keys changes nothing, although the parser would like another."""
    document = {
        "@graph": [{"name": "Lab", "part": {"name": "Hub"}, "type": "Lab", "id": EX + "a"}],
        "@context": CONTEXT,
    }
    assert pointers(document) == [
        ("/@graph/0", "/@graph/0/name"),
        ("/@graph/0", "/@graph/0/part"),
        ("/@graph/0/part", "/@graph/0/part/name"),
        ("/@graph/0", "/@graph/0/type"),
    ]


def test_equal_values_are_told_apart() -> None:
    """The same value under two keys, and the same statement of two records, have their own places."""
    document = [
        {"@context": CONTEXT, "id": EX + "a", "p": "x", "q": "x"},
        {"@context": CONTEXT, "id": EX + "b", "q": "x", "p": 1},
    ]
    assert pointers(document) == [("/0", "/0/p"), ("/0", "/0/q"), ("/1", "/1/q"), ("/1", "/1/p")]


def test_a_reversed_property_points_to_a_description() -> None:
    """What @reverse turns round has no value of its own; it stands at an object that describes."""
    document = {"@context": CONTEXT, "id": EX + "a", "@reverse": {"see": {"id": EX + "z", "name": "Z"}}}
    found = read(document)
    assert [str(one.subject) for one in found.statements] == [EX + "z", EX + "z"]
    assert all(one.place.line == 1 for one in found.statements)
    assert found.statements[1].place.pointer == "/@reverse/see/name"


def test_a_known_context_is_put_in_its_place() -> None:
    """A context that the caller knows may be named by its IRI; the places are those of the document."""
    [address] = KNOWN
    found = read(
        '{"@context": ["' + address + '", {"extra": "https://example.org/x"}],\n'
        '  "id": "https://example.org/a",\n  "name": "ż", "extra": "y"}'
    )
    assert found.flaws == ()
    places = [(one.place.line, one.place.column, one.place.end_column) for one in found.statements]
    assert places == [(3, 11, 14), (3, 25, 28)]


def test_what_would_be_lost_is_told() -> None:
    """Keys and types that no context defines are warnings; keys of language maps are none."""
    context = {"label": {"@id": EX + "label", "@container": "@language"}}
    document = {"@context": context, "@id": EX + "a", "label": {"en": "A"}, "nmae": {"x": 1}, "@type": "Lab"}
    found = read(document)
    assert [(flaw.code, flaw.values["key"]) for flaw in found.flaws] == [("F-67", "nmae"), ("F-67", "Lab")]
    assert len(found.statements) == 1


names = st.sampled_from(["name", "see", "part", "zż", "type"])
scalars = st.one_of(st.text('aż😀"\\/~ \n', max_size=4), st.integers(-99, 99), st.booleans())


@st.composite
def _nodes(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Return a node object; each value in it is one of its own, so that its place can be checked."""
    node: dict[str, Any] = {"id": f"{EX}{draw(st.integers(0, 99))}"} if draw(st.booleans()) else {}
    for key in draw(st.lists(names, max_size=3, unique=True)):
        if key in {"see", "type"}:
            node[key] = EX + draw(st.sampled_from("abc"))
        elif depth and draw(st.booleans()):
            node[key] = draw(_nodes(depth - 1))
        else:
            node[key] = draw(st.one_of(scalars, st.lists(scalars, min_size=1, max_size=3)))
    return node


@settings(max_examples=150, deadline=None)
@given(st.lists(_nodes(), min_size=1, max_size=3), st.sampled_from([None, 1]))
def test_what_stands_at_a_place_is_the_value(described: list[dict[str, Any]], indent: int | None) -> None:
    """A literal's pointer leads to a value that reads as the literal, and its line and column to the same."""
    document = {"@graph": [{**node, "last": "end"} for node in described], "@context": CONTEXT}
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    lines = text.split("\n")
    for one in read(text).statements:
        value: Any = document
        for part in one.place.pointer.split("/")[1:]:
            value = (
                value[int(part)]
                if isinstance(value, list)
                else value[part.replace("~1", "/").replace("~0", "~")]
            )
        if one.place.line == one.place.end_line:
            cut = lines[one.place.line - 1][one.place.column - 1 : one.place.end_column - 1]
            assert json.loads(cut) == value
        if isinstance(value, (str, bool, int)):
            assert str(one.object) == (str(value).lower() if isinstance(value, bool) else str(value))
        else:
            assert str(one.object).startswith(("b", EX))
