"""intake/rdf/recognise.py: a document is what it is said to be, unless it plainly is not."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from medkg.intake.rdf import recognise

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TURTLE = b"@prefix ex: <https://example.org/> .\nex:a a ex:B .\n"
N_TRIPLES = b'# note\n<https://example.org/a> <https://example.org/b> "c" .\n'
JSON = b'{"@id": "https://example.org/a"}'
XML = b'<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
CSV = b"Action;Start;End\nLab;2021-10;2022-03\n"


def _workbook() -> bytes:
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("actions.ttl", TURTLE)
    return buffer.getvalue()


KINDS = {
    "text/turtle": TURTLE,
    "application/n-triples": N_TRIPLES,
    "application/ld+json": JSON,
    "application/rdf+xml": XML,
    "text/csv": CSV,
    XLSX: _workbook(),
}


@pytest.mark.parametrize("media_type", KINDS)
@pytest.mark.parametrize("declared", [None, "", "application/octet-stream", "text/plain; charset=utf-8"])
def test_the_content_tells_when_nothing_else_does(media_type: str, declared: str | None) -> None:
    """Without a type that says anything and without a suffix, each kind is known by its first bytes."""
    assert recognise(KINDS[media_type], declared, "upload").media_type == media_type


@pytest.mark.parametrize(
    ("declared", "file_name", "media_type"),
    [
        ("text/turtle; charset=utf-8", None, "text/turtle"),
        ("TEXT/Turtle", "a.ttl", "text/turtle"),
        (None, "Actions.TTL", "text/turtle"),
        ("application/octet-stream", "a.b.nt", "application/n-triples"),
    ],
)
def test_the_declared_type_counts_before_the_suffix(
    declared: str | None, file_name: str, media_type: str
) -> None:
    """The type that is declared counts; then the suffix of the name."""
    assert recognise(N_TRIPLES, declared, file_name).media_type == media_type


@pytest.mark.parametrize(
    ("declared", "data", "media_type"),
    [
        ("application/json", JSON, "application/ld+json"),
        ("text/xml", XML, "application/rdf+xml"),
        ("application/x-turtle", TURTLE, "text/turtle"),
        ("text/tab-separated-values", CSV, "text/csv"),
    ],
)
def test_other_names_of_a_type_are_known(declared: str, data: bytes, media_type: str) -> None:
    """Types that people use for the same thing are read as it."""
    assert recognise(data, declared, None).media_type == media_type


def test_a_wrong_suffix_is_a_warning() -> None:
    """A declared type that fits the content is read; that the suffix names another kind is told."""
    known = recognise(TURTLE, "text/turtle", "actions.xml")
    assert (known.media_type, [flaw.code for flaw in known.flaws]) == ("text/turtle", ["F-10"])


@pytest.mark.parametrize(
    ("data", "declared", "file_name", "code"),
    [
        (b"<!DOCTYPE html>\n<html>", "text/turtle", None, "F-13"),
        (b"  <!-- x --><HTML lang='en'>", "application/rdf+xml", None, "F-13"),
        (_zip(), "text/turtle", "a.ttl", "F-15"),
        (_zip(), XLSX, "a.xlsx", "F-15"),
        (KINDS[XLSX], "text/csv", "a.csv", "F-14"),
        (b"%PDF-1.7", None, "a.ttl", "F-15"),
        (JSON, "text/turtle", None, "F-14"),
        (XML, "text/turtle", None, "F-14"),
        (TURTLE, "application/rdf+xml", None, "F-14"),
        (TURTLE, "text/csv", None, "F-14"),
        (CSV, XLSX, None, "F-14"),
        (b"x", "image/png", None, "F-11"),
        (b"x", None, "a.docx", "F-11"),
        (b"x", None, None, "F-11"),
        (b"", None, None, "F-11"),
        (TURTLE, "application/n-quads", None, "F-12"),
        (TURTLE, None, "a.trig", "F-12"),
    ],
)
def test_what_is_not_what_it_says_is_refused(
    data: bytes, declared: str | None, file_name: str | None, code: str
) -> None:
    """A lie, a kind that is not taken and a format with graph names have no type but a reason."""
    known = recognise(data, declared, file_name)
    assert (known.media_type, [flaw.code for flaw in known.flaws]) == (None, [code])


@given(
    st.binary(max_size=200),
    st.sampled_from([None, *KINDS]),
    st.sampled_from([None, "a", "a.ttl", "a.xlsx", "."]),
)
def test_any_bytes_are_something_or_are_told_why_not(
    data: bytes, declared: str | None, name: str | None
) -> None:
    """There is a media type, or a flaw."""
    known = recognise(data, declared, name)
    assert known.media_type in KINDS or known.flaws
