"""store/formats.py: an Accept value picks the format that RFC 9110, section 12.5.1, says it does."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.errors import NotAcceptable, UnsupportedMedia
from medkg.store.formats import (
    DATASET_FORMATS,
    FORMATS,
    GRAPH_FORMATS,
    RESULT_FORMATS,
    Kind,
    by_name,
    negotiate,
    of_document,
    wants_html,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
OLD_BROWSER = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.mark.parametrize(
    ("accept", "results", "graph"),
    [
        # No preference.
        ("", "json", "ttl"),
        ("   ", "json", "ttl"),
        ("*/*", "json", "ttl"),
        ("*/*;q=0.001", "json", "ttl"),
        # One type, in any case and with parameters.
        ("application/sparql-results+json", "json", None),
        ("Application/SPARQL-Results+JSON", "json", None),
        ("application/json", "json", "jsonld"),
        ("application/sparql-results+xml", "xml", None),
        ("application/xml", "xml", "rdfxml"),
        ("text/xml", "xml", "rdfxml"),
        ("text/csv", "csv", None),
        ("text/csv; charset=utf-8", "csv", None),
        ("text/csv;charset=utf-8;q=0.3, text/tab-separated-values;q=0.2", "csv", None),
        ("text/tab-separated-values", "tsv", None),
        ("text/turtle", None, "ttl"),
        ("application/x-turtle", None, "ttl"),
        ("application/n-triples", None, "nt"),
        ("text/plain", None, "nt"),
        ("application/ld+json", None, "jsonld"),
        ("application/ld+json;profile=http://www.w3.org/ns/json-ld#compacted", None, "jsonld"),
        ("application/rdf+xml", None, "rdfxml"),
        # Qualities decide, then the order of the table, never the order of the header.
        ("text/csv;q=0.5, application/sparql-results+xml;q=0.9", "xml", None),
        ("text/csv, application/sparql-results+json", "json", None),
        ("application/rdf+xml, text/turtle", None, "ttl"),
        ("application/rdf+xml, text/turtle;q=0.999", None, "rdfxml"),
        ("text/csv;q=1.000, application/json;q=0.9", "csv", "jsonld"),
        ("text/csv ; q = 0.2 , application/json ; Q=0.1", "csv", "jsonld"),
        # Wildcards.
        ("text/*", "xml", "ttl"),
        ("application/*", "json", "ttl"),
        ("text/*;q=0.5, application/rdf+xml;q=0.4", "xml", "ttl"),
        ("application/rdf+xml, */*;q=0.1", "json", "rdfxml"),
        ("image/*", None, None),
        ("*/turtle", None, None),
        # The most specific range decides on a type, whatever its quality.
        ("text/*;q=0.5, text/csv;q=0.1, application/sparql-results+json;q=0.3", "xml", "ttl"),
        ("*/*, application/sparql-results+json;q=0, application/json;q=0", "xml", "ttl"),
        ("*/*;q=0.1, text/csv;q=0.2", "csv", "ttl"),
        ("text/csv;q=0.9, text/*;q=0", "csv", None),
        ("text/turtle;q=0, application/*;q=0, */*", "xml", "nt"),
        # Refused.
        ("text/csv;q=0", None, None),
        ("*/*;q=0", None, None),
        ("image/png", None, None),
        ("image/png, */*;q=0", None, None),
        # Short names, as in ?format=.
        ("csv", "csv", None),
        (" tsv ", "tsv", None),
        ("ttl", None, "ttl"),
        ("nt", None, "nt"),
        ("jsonld", None, "jsonld"),
        ("rdfxml", None, "rdfxml"),
        ("xml", "xml", "rdfxml"),
        ("pdf", None, None),
        ("CSV", None, None),
        # Garbage among the ranges is passed over.
        (", ,text/csv,,", "csv", None),
        ("/, text/csv", "csv", None),
        ("/csv, text/", None, None),
        ("text/csv;q=high, text/tab-separated-values;q=0.1", "tsv", None),
        ("text/csv;q=-1, text/tab-separated-values;q=0.1", "tsv", None),
        ("text/csv;q=7, text/tab-separated-values;q=0.9", "csv", None),
        ("text/csv;q=nan, text/tab-separated-values;q=0.1", "tsv", None),
        ("text/csv;q=nan", None, None),
        ("text/csv;q=", None, None),
        ("text/csv;;;, x", "csv", None),
        ("text/csv;q=inf, text/tab-separated-values;q=0.1", "tsv", None),
        ("text/csv;q=1e9, text/tab-separated-values;q=0.1", "tsv", None),
        ("text/csv;q=\u0661", None, None),
        ("text / csv", None, None),
        ("text/csv q=0.5", None, None),
        # Quoted strings hold what separates elsewhere.
        ('text/csv;x="a,b;q=0", text/tab-separated-values;q=0.5', "csv", None),
        (r'text/csv;x="\",";q=0.1, text/tab-separated-values;q=0.5', "tsv", None),
        ('text/csv;x="never closed, text/turtle', "csv", None),
        ('"text/csv"', None, None),
        # Parameters of the type itself.
        ("application/sparql-results+json;charset=utf-8", "json", None),
        ('application/sparql-results+xml; charset="UTF-8"; q=0.9', "xml", None),
        ("text/turtle;version=1.2;q=0.5, application/n-triples;q=0.4", None, "ttl"),
        # What clients really send.
        (BROWSER, "xml", "rdfxml"),
        (OLD_BROWSER, "json", "ttl"),
        ("application/sparql-results+json,application/json;q=0.9,text/turtle;q=0.9", "json", "ttl"),
        ("application/sparql-results+xml;q=0.8, application/sparql-results+json", "json", None),
        ("text/turtle, application/n-triples;q=0.9, application/rdf+xml;q=0.5, */*;q=0.1", "json", "ttl"),
        ("text/html, */*", "json", "ttl"),
        ("text/html, application/xml;q=0.9, */*;q=0.1", "xml", "rdfxml"),
    ],
)
def test_negotiation(accept: str, results: str | None, graph: str | None) -> None:
    """Each Accept value gives one format for results and one for graphs, or nothing that is acceptable."""
    assert _name(accept, "results") == results
    assert _name(accept, "graph") == graph


def _name(accept: str, kind: Kind) -> str | None:
    try:
        return negotiate(accept, kind).name
    except NotAcceptable:
        return None


@given(st.text(), st.sampled_from(["results", "graph", "dataset"]))
@settings(deadline=None)
def test_any_text_has_a_format_or_none(accept: str, kind: Kind) -> None:
    """An Accept value of any kind gives a format of the kind asked for, or NotAcceptable."""
    name = _name(accept, kind)
    assert name is None or by_name(name, kind).kind == kind


@given(
    st.permutations([f"{entry.media_types[0]};q=0.{rank:02}" for rank, entry in enumerate(FORMATS, start=1)])
)
@settings(deadline=None)
def test_the_order_of_the_header_is_of_no_account(ranges: list[str]) -> None:
    """However the ranges are ordered, the greatest quality wins."""
    assert _name(", ".join(ranges), "results") == "tsv"
    assert _name(", ".join(ranges), "graph") == "rdfxml"
    assert _name(", ".join(ranges), "dataset") == "trig"


@pytest.mark.parametrize("kind", ["results", "graph", "dataset"])
@pytest.mark.parametrize("accept", ["image/png", "pdf"])
def test_a_refusal_lists_what_there_is(accept: str, kind: Kind) -> None:
    """NotAcceptable repeats what was asked and names each format that can be had, with its media type."""
    with pytest.raises(NotAcceptable) as caught:
        negotiate(accept, kind)

    offers = {"results": RESULT_FORMATS, "graph": GRAPH_FORMATS, "dataset": DATASET_FORMATS}[kind]
    assert accept in str(caught.value)
    for offer in offers:
        assert f"{offer.name} ({offer.media_types[0]})" in str(caught.value)


def test_a_refusal_repeats_no_endless_header() -> None:
    """An Accept value of any length makes a short message."""
    with pytest.raises(NotAcceptable) as caught:
        negotiate("image/png, " * 10_000, "graph")

    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "nq"),
        ("*/*", "nq"),
        ("application/n-quads", "nq"),
        ("application/trig", "trig"),
        ("application/n-quads;q=0.5, application/trig", "trig"),
        ("text/*", "nq"),
        ("trig", "trig"),
        ("nq", "nq"),
        ("ttl", None),
        ("text/turtle", None),
        ("text/turtle, */*;q=0.1", "nq"),
    ],
)
def test_datasets_have_formats_of_their_own(accept: str, name: str | None) -> None:
    """Several graphs are N-Quads or TriG; no format of one graph takes them."""
    assert _name(accept, "dataset") == name


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv," * 1_000_000,
        "text/csv;" * 1_000_000,
        "," * 1_000_000 + "text/csv",
        '"' * 1_000_000,
        'text/csv;x="' + "\\" * 1_000_000,
        "x" * 1_000_000,
        "/" * 1_000_000,
        "text/csv;q=0." + "1" * 1_000_000,
    ],
    ids=range(8),
)
def test_a_long_header_costs_no_more_than_a_short_one(accept: str) -> None:
    """What is read of a header is bounded, whatever it is made of."""
    started = time.process_time()
    for kind in ("results", "graph", "dataset"):
        _name(accept, kind)
    wants_html(accept)

    assert time.process_time() - started < 0.2


def test_the_first_members_of_a_long_header_count() -> None:
    """Those within the limit are read as ever, and none is read in part."""
    assert _name("text/csv, " + "image/png, " * 10_000, "results") == "csv"
    assert _name("image/png, " * 10_000 + "text/csv", "results") is None
    assert _name("a" * 4_076 + "/b, text/csv;q=0.11111, x/y", "results") is None


def test_every_format_answers_to_its_name_and_to_each_of_its_types() -> None:
    """The table has no format that can't be reached, and none that another one hides."""
    for entry in FORMATS:
        assert by_name(entry.name, entry.kind) is entry
        assert [negotiate(media_type, entry.kind) for media_type in entry.media_types] == [entry] * len(
            entry.media_types
        )


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("turtle", "graph", "ttl"),
        ("n3", "graph", "ttl"),
        ("ntriples", "graph", "nt"),
        ("n-triples", "graph", "nt"),
        ("json-ld", "graph", "jsonld"),
        ("rdf+xml", "graph", "rdfxml"),
        ("rdf", "graph", "rdfxml"),
        ("xml", "graph", "rdfxml"),
        ("xml", "results", "xml"),
        ("n-quads", "dataset", "nq"),
        ("xml", "dataset", None),
        ("turtle", "results", None),
        ("TURTLE", "graph", None),
    ],
)
def test_formats_have_the_names_of_other_programs(name: str, kind: Kind, expected: str | None) -> None:
    """What SPARQLWrapper and others send as a format is understood, where that kind of answer has it."""
    assert _name(name, kind) == expected


def test_a_name_that_is_none_is_told_as_it_was_sent() -> None:
    """An error speaks of the name that the client gave."""
    with pytest.raises(NotAcceptable, match=r"no format 'xml' here\. Ask for one of: nq"):
        negotiate("xml", "dataset")


def test_text_types_say_their_character_set() -> None:
    """The type that is sent names UTF-8 for text, and nothing for the types that define it themselves."""
    for entry in FORMATS:
        assert entry.content_type.endswith("; charset=utf-8") == entry.media_types[0].startswith("text/")
        assert re.fullmatch(r"[a-z]+/[a-z+-]+(; charset=utf-8)?", entry.content_type)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER, True),
        (OLD_BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/html;q=0.5, text/turtle;q=0.5", True),
        ("text/html;q=0.4, text/turtle;q=0.5", False),
        ("text/html;q=0", False),
        ("text/html;q=0, */*", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
        ("csv", False),
        ("application/json", False),
        ("text/turtle, text/html;q=0.9", False),
    ],
)
def test_a_page_is_for_those_that_name_html(accept: str, page: bool) -> None:
    """A client gets a page when it names HTML and prefers no machine format; a wildcard names nothing."""
    assert wants_html(accept) is page


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("text/turtle", "ttl"),
        ("Text/Turtle; charset=UTF-8", "ttl"),
        ('text/turtle;charset="utf-8"', "ttl"),
        ("application/x-turtle", "ttl"),
        ("application/n-triples", "nt"),
        ("application/n-triples;charset=us-ascii", "nt"),
        ("application/rdf+xml", "rdfxml"),
        ("application/ld+json", "jsonld"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#expanded"', "jsonld"),
    ],
)
def test_a_document_of_one_graph_is_read_by_its_type(content_type: str, name: str) -> None:
    """The types of RDF are read, whatever their case and parameters."""
    assert of_document(content_type).name == name


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("", "'none' is not taken"),
        ("text/plain", "not taken"),
        ("application/json", "not taken"),
        ("application/xml", "not taken"),
        ("text/n3", "not taken"),
        ("text/html", "not taken"),
        ("turtle", "not taken"),
        ("*/*", "not taken"),
        ("application/n-quads", "several graphs"),
        ("application/trig; charset=utf-8", "several graphs"),
        ("text/turtle; charset=iso-8859-1", "iso-8859-1"),
        ("text/turtle; charset=", "character set"),
        (";" * 100_000, "not taken"),
        ("x" * 100_000, "not taken"),
    ],
)
def test_another_document_is_refused_with_the_reason(content_type: str, reason: str) -> None:
    """What is no graph, may be several, or says too little, is refused; the remedy lists what is read."""
    with pytest.raises(UnsupportedMedia, match=re.escape(reason)) as caught:
        of_document(content_type)

    assert len(str(caught.value)) < 400
    assert "UTF-8" in caught.value.remedy or "text/turtle" in caught.value.remedy
