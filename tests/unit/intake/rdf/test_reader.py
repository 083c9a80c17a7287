"""intake/rdf/reader.py: whatever the bytes are, a submission comes back."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.model import Severity
from medkg.domain.submission import Submission
from medkg.intake.catalogue import catalogue
from medkg.intake.rdf import Limits, read_rdf

TURTLE = """@prefix ex: <https://example.org/> .
@base <https://example.org/> .
ex:lab a ex:Action ; ex:name "Śląskie"@pl , 'Lab'@en ; # note
   ex:part [ ex:size 3 ; ex:open true ] , ( 1 2.5 "x"^^ex:t ) ; ex:see <b> .
"""
N_TRIPLES = (
    '<https://example.org/a> <https://example.org/p> "ż\\n"@pl .\n_:b <https://example.org/p> _:c . # x\n'
)
XML = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="https://example.org/">
  <ex:Lab rdf:about="https://example.org/lab" ex:size="3">
    <ex:name xml:lang="pl">Śląskie &amp; co</ex:name><ex:see rdf:resource="https://example.org/b"/>
    <ex:part rdf:parseType="Resource"><ex:p>1</ex:p></ex:part><ex:l><ex:Hub/></ex:l>
  </ex:Lab></rdf:RDF>"""
JSON = """{"@context": {"name": "https://example.org/name",
  "see": {"@id": "https://example.org/see", "@type": "@id"}},
 "@id": "https://example.org/lab", "@type": "https://example.org/Lab",
 "name": ["Lab", {"@value": "ż", "@language": "pl"}],
 "see": "https://example.org/b", "https://example.org/part": {"@list": [1, 2.5, {"name": "x\\u017c"}]}}"""
DOCUMENTS = {
    "text/turtle": TURTLE,
    "application/n-triples": N_TRIPLES,
    "application/rdf+xml": XML,
    "application/ld+json": JSON,
}
TYPES = st.sampled_from(list(DOCUMENTS))


def _read(data: bytes, media_type: str, limits: Limits | None = None) -> Submission:
    return read_rdf(data, media_type, limits=limits or Limits())


def _codes(text: str, media_type: str, limits: Limits) -> list[str]:
    return [flaw.code for flaw in _read(text.encode(), media_type, limits).flaws]


def _is_whole(found: Submission) -> bool:
    """Tell whether a submission says something, or says why not."""
    grave = [flaw for flaw in found.flaws if catalogue()[flaw.code].severity is Severity.VIOLATION]
    return bool(found.statements) != bool(grave)


@pytest.mark.parametrize("media_type", DOCUMENTS)
def test_a_good_document_is_read_with_all_its_places(media_type: str) -> None:
    """Each statement has a place with an end, each subject a record; the order is the document's."""
    found = _read(DOCUMENTS[media_type].encode(), media_type)
    assert found.flaws == ()
    assert found.media_type == media_type
    places = [(one.place.line, one.place.column) for one in found.statements]
    assert places == sorted(places)
    assert all(one.place.end_line >= one.place.line > 0 for one in found.statements)
    assert {one.subject for one in found.statements} == set(found.records)


@pytest.mark.parametrize("media_type", DOCUMENTS)
def test_the_same_document_is_read_the_same(media_type: str) -> None:
    """Nothing in a submission is by chance: not even the names of blank nodes."""
    data = DOCUMENTS[media_type].encode()
    assert _read(data, media_type) == _read(data, media_type)


@pytest.mark.parametrize("media_type", DOCUMENTS)
def test_each_limit_holds_in_each_format(media_type: str) -> None:
    """A document just over a limit is refused for it."""
    text = DOCUMENTS[media_type]
    count = len(_read(text.encode(), media_type).statements)
    assert _codes(text, media_type, Limits(triples=count)) == []
    assert _codes(text, media_type, Limits(triples=count - 1)) == ["F-20"]
    assert _codes(text, media_type, Limits(bytes=len(text.encode()) - 1)) == ["F-08"]
    assert _codes(text, media_type, Limits(literal=1)) == ["F-22"]
    assert _codes(text, media_type, Limits(iri=18)) == ["F-23"]
    if media_type != "application/n-triples":
        assert _codes(text, media_type, Limits(nesting=0)) == ["F-21"]


@pytest.mark.parametrize(
    ("media_type", "code"),
    [("application/n-quads", "F-12"), ("application/trig", "F-12"), ("text/csv", "F-11"), ("", "F-11")],
)
def test_other_types_are_refused(media_type: str, code: str) -> None:
    """What is no graph format of ours is not read, and that is told."""
    assert _codes(TURTLE, media_type, Limits()) == [code]


def test_no_more_flaws_of_one_kind_are_told_than_wanted() -> None:
    """A thousand warnings of one code are cut to the first ones."""
    text = TURTLE + "# \ufffd\n" * 1000
    found = _read(text.encode(), "text/turtle", Limits(reported=3))
    assert [(flaw.code, flaw.place.line) for flaw in found.flaws] == [("F-09", 5), ("F-09", 6), ("F-09", 7)]


def test_a_base_that_is_no_address_is_none() -> None:
    """The caller's base is only used where it is an absolute IRI."""
    found = read_rdf(b"<a> <b> <c> .", "text/turtle", limits=Limits(), base="not absolute")
    assert [flaw.code for flaw in found.flaws] == ["F-35"]


def test_values_of_flaws_are_short_and_can_be_seen() -> None:
    """What a flaw repeats of a document is cut, on one line, without invisible characters."""
    [flaw] = _read(("x" * 500 + " a b .").encode(), "text/turtle").flaws
    assert len(flaw.values["found"]) == 80
    [flaw] = _read("a\u202eb c d .".encode(), "text/turtle").flaws
    assert all(value.isprintable() for value in flaw.values.values())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), TYPES)
def test_any_bytes_give_a_submission(data: bytes, media_type: str) -> None:
    """Nothing is raised for what the bytes are; there are statements, or there is a violation."""
    assert _is_whole(_read(data, media_type))


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("@prefix:<>\"'.;,[](){}^_a0# \\\n-+eE/&=!?uż"), max_size=60), TYPES)
def test_any_text_gives_a_submission(text: str, media_type: str) -> None:
    """The same for texts that look like documents."""
    assert _is_whole(_read(text.encode(), media_type))


@settings(max_examples=500, deadline=None)
@given(TYPES, st.integers(0, 2**32), st.integers(1, 4))
def test_a_damaged_document_gives_a_submission(media_type: str, seed: int, times: int) -> None:
    """A good document with bytes lost, doubled or changed is read or refused; its places stay inside it."""
    chance = random.Random(seed)  # noqa: S311 - damage, no secret
    data = bytearray(DOCUMENTS[media_type].encode())
    for _ in range(times):
        at, length = chance.randrange(len(data)), chance.randrange(1, 12)
        part = bytes(data[at : at + length])
        data[at : at + length] = chance.choice(
            [b"", part * 2, chance.randbytes(1), b'"', b"<", b"]", b"{", b" "]
        )
    found = _read(bytes(data), media_type)
    assert _is_whole(found)
    lines = bytes(data).count(b"\n") + bytes(data).count(b"\r") + 1
    assert all(one.place.end_line <= lines for one in found.statements)
    assert all(flaw.place.line <= lines for flaw in found.flaws)
