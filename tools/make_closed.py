"""Make shapes/submission/closed.ttl, the rules for a submitted graph: its classes and their properties.

    python tools/make_closed.py [-o shapes/submission/closed.ttl] [--check]

`--check` writes nothing and fails when the file differs from what would be written.

A record of a class may have the properties whose domain in the ontology is this class, a class above it or a
class below it, the properties without a domain, and the common properties listed here. Properties of the
classes below are let through because an engine that knows the hierarchy aims a rule for organisations at
clusters too; that a cluster property stands at a cluster is what other shapes say.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Final

from rdflib import OWL, RDF, RDFS, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
OUTPUT: Final = ROOT / "shapes" / "submission" / "closed.ttl"
MEDKG: Final = Namespace("https://w3id.org/medkg/ontology#")

FAMILIES: Final = (
    "ActionPhase",
    "Collaboration",
    "Event",
    "FundingScheme",
    "Grant",
    "InnovationAction",
    "Membership",
    "Observation",
    "Organisation",
    "Project",
    "S3Priority",
    "SourceDocument",
    "SupportInitiative",
)
"""The classes, with those below them, of which one may submit records; regions and lists are ours."""

COMMON: Final = (
    "dct:bibliographicCitation",
    "dct:description",
    "dct:hasPart",
    "dct:identifier",
    "dct:isPartOf",
    "dct:isReplacedBy",
    "dct:replaces",
    "dct:source",
    "dct:spatial",
    "dct:subject",
    "foaf:homepage",
    "foaf:page",
    "rdfs:seeAlso",
    "skos:altLabel",
    "skos:closeMatch",
    "skos:exactMatch",
    "skos:hiddenLabel",
    "skos:prefLabel",
)
"""What a record of any class may have; what it may not point at is judged elsewhere."""

OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "Event": ("dct:date",),
    "SourceDocument": ("dct:creator", "dct:dateAccepted", "dct:issued", "dct:language", "dct:publisher"),
}
"""What else records of some classes may have, from other vocabularies."""

HEAD: Final = HERE / "closed-head.ttl.in"
BLOCK: Final = HERE / "closed-class.ttl.in"
"""What the file begins with, and the shape of one class: templates, for their texts in four languages."""


def read(paths: Iterable[Path]) -> Graph:
    """Return Turtle files as one graph."""
    graph = Graph(bind_namespaces="none")
    for path in paths:
        graph.parse(path)
    return graph


def submittable(ontology: Graph) -> list[str]:
    """Return the local names of the classes of which records can be submitted, sorted."""
    found = {
        below for name in FAMILIES for below in ontology.transitive_subjects(RDFS.subClassOf, MEDKG[name])
    }
    return sorted(_local(cls) for cls in found if cls is not None and (cls, RDF.type, OWL.Class) in ontology)


def properties(ontology: Graph, name: str) -> list[str]:
    """Return the properties that a record of the class *name* may have, as prefixed names, sorted."""
    cls = MEDKG[name]
    above = set(ontology.transitive_objects(cls, RDFS.subClassOf))
    family = above | set(ontology.transitive_subjects(RDFS.subClassOf, cls))
    found = {"rdf:type", *COMMON}
    for base, extra in OWN.items():
        if MEDKG[base] in family:
            found.update(extra)
    for kind in (OWL.ObjectProperty, OWL.DatatypeProperty):
        for term in ontology.subjects(RDF.type, kind):
            if str(term).startswith(str(MEDKG)):
                domain = set(_domain(ontology, term))
                if not domain or domain & family:
                    found.add(f"medkg:{_local(term)}")
    return sorted(found)


def turtle(ontology: Graph) -> str:
    """Return the whole file."""
    names = submittable(ontology)
    allowed = {name: properties(ontology, name) for name in names}
    everything = sorted({item for items in allowed.values() for item in items})
    head = Template(HEAD.read_text(encoding="utf-8")).substitute(
        classes=_lines([f"medkg:{name}" for name in names]), targets=_lines(everything, " ,")
    )
    block = Template(BLOCK.read_text(encoding="utf-8"))
    return head + "".join(
        block.substitute(
            name=name,
            properties=_lines(allowed[name]),
            labels=_lines(_labels(ontology, MEDKG[name]), " ,"),
        )
        for name in names
    )


def _lines(items: Iterable[str], separator: str = "") -> str:
    return separator.join(f"\n        {item}" for item in items)


def _labels(ontology: Graph, cls: URIRef) -> list[str]:
    labels = [label for label in ontology.objects(cls, RDFS.label) if isinstance(label, Literal)]
    return [f'"{label}"@{label.language}' for label in sorted(labels, key=lambda label: str(label.language))]


def _domain(ontology: Graph, term: Node) -> Iterator[Node]:
    for domain in ontology.objects(term, RDFS.domain):
        union = ontology.value(domain, OWL.unionOf)
        yield from [domain] if union is None else Collection(ontology, union)


def _local(term: Node) -> str:
    return str(term).removeprefix(str(MEDKG))


def main() -> None:
    """Write the file, or compare it with what would be written."""
    parser = argparse.ArgumentParser(description="Make the shapes of submitted graphs from the ontology.")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the file is out of date"
    )
    arguments = parser.parse_args()
    text = turtle(read((ROOT / "ontology").glob("*.ttl")))
    if not arguments.check:
        arguments.output.write_text(text, encoding="utf-8")
    elif not arguments.output.is_file() or arguments.output.read_text(encoding="utf-8") != text:
        sys.exit(f"{arguments.output} is out of date: run python tools/make_closed.py")


if __name__ == "__main__":
    main()
