"""Each bad document of the folder beside this gets its code and its place, and a sentence for people."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from medkg.domain.submission import Flaw, Submission
from medkg.intake.catalogue import LANGUAGES, catalogue
from medkg.intake.rdf import Limits, read_rdf, recognise

FOLDER = Path(__file__).parent
FILES = sorted((FOLDER / "files").iterdir())
HEAD = "@prefix ex: <https://example.org/> .\nex:lab ex:part "
XML_HEAD = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="https://example.org/">'
TURTLE, N_TRIPLES = "text/turtle", "application/n-triples"
XML, JSON = "application/rdf+xml", "application/ld+json"


def _expected() -> Mapping[str, Mapping[str, object]]:
    return tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))


def _read(data: bytes, media_type: str) -> Submission:
    return read_rdf(data, media_type, limits=Limits())


def _flaws(path: Path) -> tuple[Flaw, ...]:
    data = path.read_bytes()
    known = recognise(data, None, path.name)
    return known.flaws + (_read(data, known.media_type).flaws if known.media_type else ())


def test_every_file_has_its_expectation() -> None:
    """The table and the folder name the same files."""
    assert {path.name for path in FILES} == set(_expected())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_bad_document_gets_its_code_and_its_place(path: Path) -> None:
    """The last flaw, which ends the reading of a bad document, has the expected code, line and column."""
    last = _flaws(path)[-1]
    place = {"code": last.code, "line": last.place.line, "column": last.place.column}
    assert place == _expected()[path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_flaw_is_told_in_every_language(path: Path) -> None:
    """The catalogue has the flaw, and the values that the flaw brings fill its sentences completely."""
    entries = catalogue()
    for flaw in _flaws(path):
        for language in LANGUAGES:
            entry = entries[flaw.code]
            told = entry.message(language, flaw.values) + entry.remedy(language, flaw.values)
            assert told
            template = entry.messages[language] + entry.remedies[language]
            assert all(
                "{" + name + "}" not in template or value in told for name, value in flaw.values.items()
            )
            assert (
                told.count("…") <= template.count("…") + sum(v.count("…") for v in flaw.values.values()) * 4
            )


def _bombs() -> Mapping[str, tuple[str, str, str]]:
    """Return documents of about a megabyte: media type, text, and the code that they get."""
    many = 1_000_000
    return {
        "brackets": (TURTLE, HEAD + "[ ex:part " * (many // 10), "F-21"),
        "lists": (TURTLE, HEAD + "(" * many, "F-21"),
        "triple terms": (TURTLE, HEAD + "<<( " * (many // 4), "F-24"),
        "angles": (TURTLE, "<" * many, "F-24"),
        "semicolons": (TURTLE, HEAD + "1 " + ";" * many, "F-31"),
        "quotes": (TURTLE, HEAD + '"""' + 'x" ' * (many // 3), "F-42"),
        "backslashes": (TURTLE, HEAD + '"' + "\\" * many, "F-42"),
        "literal": (TURTLE, HEAD + '"' + "x" * 5_000_000 + '" .', "F-22"),
        "IRI": (TURTLE, HEAD + "<https://example.org/" + "x" * many + "> .", "F-23"),
        "dots": (TURTLE, HEAD + "ex:" + "a." * (many // 2), "F-23"),
        "digits": (TURTLE, HEAD + "9" * many + " .", "F-22"),
        "statements": (TURTLE, HEAD + "1," * 200_001 + "1 .", "F-20"),
        "comments": (TURTLE, "#\n" * (many // 2), "F-02"),
        "triple terms in N-Triples": (
            N_TRIPLES,
            "<https://a.example/> <https://b.example/> " + "<<( " * 100_000,
            "F-24",
        ),
        "elements": (XML, XML_HEAD + "<ex:a>" * (many // 6), "F-21"),
        "attributes": (
            XML,
            XML_HEAD + "<ex:a " + " ".join(f'ex:a{n}="1"' for n in range(50_000)) + "/>",
            "F-57",
        ),
        "namespaces": (
            XML,
            XML_HEAD + "<ex:a " + " ".join(f'xmlns:a{n}="x"' for n in range(40_000)) + "/>",
            "F-57",
        ),
        "angles in XML": (XML, XML_HEAD + ">" * many + "</rdf:RDF>", "F-54"),
        "arrays": (JSON, "[" * many, "F-21"),
        "objects": (JSON, '{"a":' * (many // 5), "F-21"),
        "number": (JSON, '{"a": ' + "1" * many + "}", "F-28"),
        "text": (JSON, '{"a": "' + "\\u0041" * (many // 6) + '"}', "F-22"),
        "bytes": (TURTLE, "#" * 10_000_001, "F-08"),
    }


@pytest.mark.parametrize("name", _bombs())
def test_a_bomb_is_refused(name: str) -> None:
    """What would end the parser, or keep it busy, is refused for what it is."""
    media_type, text, code = _bombs()[name]
    assert [flaw.code for flaw in _read(text.encode(), media_type).flaws] == [code]
