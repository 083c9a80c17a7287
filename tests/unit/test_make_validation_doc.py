"""docs/validation.md: its examples of what is wrong have their codes, its limits are those of the readers."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from rdflib import Graph, Namespace
from rdflib.namespace import RDF, RDFS
from rdflib.term import Node

from medkg.domain.model import Quad
from medkg.domain.namespaces import PREFIXES
from medkg.intake import scope
from medkg.intake.catalogue import Entry, catalogue
from medkg.intake.rdf import Limits, read_rdf, recognise
from medkg.intake.tables.limits import TableLimits
from medkg.services.validation import Kept
from medkg.shacl.compiled import Validator, subclasses
from medkg.shacl.plan import Plan
from medkg.store.files import kept_literal, read_document
from medkg.store.memory import MemoryGraph

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "shapes"
PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
MEDKG = Namespace("https://w3id.org/medkg/ontology#")
HEAD = "".join(f"@prefix {name}: <{space}> .\n" for name, space in PREFIXES.items())
HEAD += "@prefix ex: <https://example.org/> .\n"
XML_HEAD = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="https://example.org/">'
IN_WORDS = {"F-10", "F-12", "F-15", "F-21"}
"""Codes of documents whose example is no text to read: a name, a type, dots in place of the rest."""


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield code, wrong and right of the examples in Turtle."""
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        found = re.search(r"```turtle\n# wrong\n(.*?)(?:# right\n(.*?))?```", part, re.DOTALL)
        if found:
            yield part[:4], found[1], found[2] or ""


EXAMPLES = list(blocks())
PREFIX_LINES = "\n".join(re.findall(r"^@prefix .*$", PAGE, re.MULTILINE)) + "\n"


@cache
def rules() -> tuple[Graph, Plan, dict[Node, list[Node]]]:
    """Return all shapes, what they compile to, and the superclasses of each class."""
    shapes, ontology = Graph(bind_namespaces="none"), Graph(bind_namespaces="none")
    for path in sorted((ROOT / "shapes").rglob("*.ttl")):
        shapes.parse(path)
    for path in sorted((ROOT / "ontology").glob("*.ttl")):
        ontology.parse(path)
    declared = MemoryGraph()
    declared.add(cast("Quad", (*triple, None)) for triple in ontology.triples((None, RDFS.subClassOf, None)))
    above = {
        cls: [node for node in ontology.transitive_objects(cls, RDFS.subClassOf) if node is not None]
        for cls in set(ontology.subjects(RDFS.subClassOf))
    }
    return shapes, Plan(shapes, subclasses(Kept(declared)), cache(kept_literal), exact=True), above


def read(text: str, path: Path) -> list[Quad]:
    """Return the statements of an example, with the prefixes of the page."""
    path.write_text(PREFIX_LINES + text, encoding="utf-8")
    return list(read_document(path))


def codes(quads: list[Quad]) -> set[str]:
    """Return the codes that the shapes find in statements, with the superclasses of what they type."""
    shapes, plan, above = rules()
    data = MemoryGraph()
    data.add((*quad[:3], None) for quad in quads)
    data.add(
        cast("Quad", (quad[0], RDF.type, cls, None))
        for quad in quads
        if quad[1] == RDF.type
        for cls in above.get(quad[2], ())
    )
    validator = Validator(plan, Kept(data))
    return {
        str(shapes.value(result.shape, MEDKG.code))
        for check in plan.checks
        for result in validator.everywhere(check)
    }


def test_each_code_of_the_shapes_has_an_example() -> None:
    """Every code that a shape has is on the page, with something wrong."""
    assert sorted(code for code, _, _ in EXAMPLES) == sorted(
        set(map(str, rules()[0].objects(None, MEDKG.code)))
    )


@pytest.mark.parametrize(
    ("code", "wrong"), [item[:2] for item in EXAMPLES], ids=[item[0] for item in EXAMPLES]
)
def test_what_is_wrong_gives_its_code_by_itself(code: str, wrong: str, tmp_path: Path) -> None:
    """Nobody needs more than the page to see the finding."""
    assert code in codes(read(wrong, tmp_path / "example.ttl"))


def test_what_is_right_is_said_in_graphs_that_are_in_order(tmp_path: Path) -> None:
    """Each statement under “right” is one of a fixture that the shapes find nothing in."""
    valid = [
        path for path in FIXTURES.rglob("valid/*.ttl") if "# expect" not in path.read_text(encoding="utf-8")
    ]
    known = {quad[:3] for path in (FIXTURES / "base.ttl", *valid) for quad in read_document(path)}
    said = {quad[:3] for _, _, right in EXAMPLES if right for quad in read(right, tmp_path / "right.ttl")}

    assert said
    assert said - known == set()


def told(text: str) -> Iterator[set[str]]:
    """Yield the codes of a text, read as each kind of document that it may be an excerpt of."""
    as_value = f"{HEAD}ex:a ex:b {text} ."
    in_xml = f"{XML_HEAD}<rdf:Description>{text}</rdf:Description></rdf:RDF>"
    for media_type, whole in (
        ("text/turtle", HEAD + text),
        ("text/turtle", text),
        ("text/turtle", as_value),
        ("application/n-triples", text),
        ("application/ld+json", text),
        ("application/rdf+xml", text),
        ("application/rdf+xml", in_xml),
    ):
        submission = read_rdf(whole.encode(), media_type, limits=Limits())
        yield {flaw.code for flaw in (*submission.flaws, *scope.judge(submission))}
    yield {flaw.code for flaw in recognise(text.encode(), None, text).flaws}


@pytest.mark.parametrize(
    "entry",
    [
        entry
        for code, entry in catalogue().items()
        if code[0] in "FGN" and entry.wrong and code not in IN_WORDS
    ],
    ids=lambda entry: entry.code,
)
def test_a_wrong_excerpt_of_a_document_gives_its_code(entry: Entry) -> None:
    """Read as a document of its kind, what the catalogue calls wrong is told by that code."""
    assert any(entry.code in found for found in told(entry.wrong))


def test_the_limits_are_those_of_the_readers() -> None:
    """The numbers in the table of limits are the ones that are enforced."""
    rdf, table = asdict(Limits()), asdict(TableLimits())
    numbers = re.findall(r"^\| ([\d,]+)\b", PAGE, re.MULTILINE)
    wanted = [rdf[name] for name in ("bytes", "triples", "nesting", "literal", "iri")]
    wanted += [table[name] for name in ("rows", "cells", "unpacked")]

    assert [int(number.replace(",", "")) for number in numbers] == wanted
    assert table["characters"] == rdf["literal"]
