"""shacl/literals.py: literals keep the form in which they were sent, and forms are judged by XML Schema."""

import pytest
from rdflib.namespace import XSD
from rdflib.term import Literal, URIRef

from medkg.shacl.literals import as_sent, as_stored, lexical_test, term_text
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph


def literal(text: str, name: str) -> Literal:
    """Return a literal of XML Schema as it is written."""
    return Literal(text, datatype=XSD[name], normalize=False)


@pytest.mark.parametrize(
    ("text", "name", "changes"),
    [("1", "integer", False), ("01", "integer", True), ("5", "int", True), ("1.10", "decimal", True),
     ("x", "integer", False), ("true", "boolean", False), ("1", "boolean", True),
     ("2020-01-01+00:00", "date", True), ("x", "token", False)],
)  # fmt: skip
def test_what_the_engine_would_rewrite_is_stored_as_sent(text: str, name: str, changes: bool) -> None:
    """A literal that the engine would change gets a datatype that it does not know, and comes back whole."""
    sent = literal(text, name)
    stored = as_sent(sent, kept_literal)
    assert (stored != sent) is changes
    assert kept_literal(stored) == stored
    assert as_stored(stored) == sent


@pytest.mark.parametrize("term", [Literal("x"), Literal("x", lang="en"), Literal("x", datatype=XSD.string)])
def test_texts_are_never_rewritten(term: Literal) -> None:
    """A text is stored as it is, with or without the datatype that every text has."""
    assert as_sent(term, kept_literal) == term


@pytest.mark.parametrize(
    "text", ["", "\\u0041", 'a"b', "'", "\\", "a\nb\rc\td", "\0\1\b\f", "é😀", "} # {", "?x $this"]
)
def test_terms_come_back_from_a_query(text: str) -> None:
    """Whatever is in a text, a query returns the same."""
    for term in (Literal(text), Literal(text, lang="en"), Literal(text, datatype=URIRef("x:type"))):
        assert list(MemoryGraph().rows(f"SELECT ({term_text(term)} AS ?x) {{}}")) == [[term]]


VALID = {
    "integer": ("0", "-1", "+01"), "byte": ("-128", "127", "+1"), "unsignedByte": ("0", "255"),
    "nonNegativeInteger": ("0", "-0", "9" * 40), "negativeInteger": ("-1", "-" + "9" * 40),
    "decimal": ("1", "1.", ".5", "-1.50"), "double": ("1", "1e5", "-INF", "NaN"), "boolean": ("true", "0"),
    "date": ("2020-02-29", "2021-01-01Z", "0000-01-01", "-0001-01-01", "12345-01-01+14:00"),
    "dateTime": ("2020-01-01T00:00:00", "2020-01-01T24:00:00Z", "2020-01-01T23:59:59.999-05:00"),
    "dateTimeStamp": ("2020-01-01T00:00:00Z",), "time": ("10:00:00",), "gYear": ("2020", "-0001Z"),
    "gMonthDay": ("--02-29",), "duration": ("P1Y", "-P1DT2H", "PT0.5S"), "hexBinary": ("", "0aF0"),
    "base64Binary": ("", "YWI=", "YWJj"), "language": ("en-GB",), "token": ("", "a b"), "anyURI": ("", "a b"),
}  # fmt: skip
INVALID = {
    "integer": ("", "1.0", " 1", "1\n", "\u0665", "1e1"), "byte": ("-129", "128", "9" * 40),
    "unsignedByte": ("-1", "256"),
    "nonNegativeInteger": ("-1", "-" + "9" * 40), "negativeInteger": ("0", "9" * 40),
    "decimal": (".", "1e5", "INF"),
    "double": ("inf", "nan", "1e"), "boolean": ("True", ""),
    "date": ("2021-02-29", "2020-1-1", "2020-01-01+14:01"),
    "dateTime": ("2020-01-01", "2020-01-01T24:00:01", "2020-13-01T00:00:00"),
    "dateTimeStamp": ("2020-01-01T00:00:00",), "time": ("24:00:01",), "gYear": ("20", "02020"),
    "gMonthDay": ("--02-30",), "duration": ("P", "PT", "P1YT", "P1S"), "hexBinary": ("0",),
    "base64Binary": ("YWI",),
    "language": ("en_GB",), "token": (" a", "a  b"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(VALID))
def test_forms(name: str) -> None:
    """A form is valid where XML Schema says so, at the bounds and beyond what the engine can count."""
    for texts, expected in ((VALID[name], "true"), (INVALID.get(name, ()), "false")):
        for text in texts:
            test = lexical_test(XSD[name], term_text(Literal(text))) or "true"
            assert [str(row[0]) for row in MemoryGraph().rows(f"SELECT ({test} AS ?x) {{}}")] == [expected], (
                text
            )
