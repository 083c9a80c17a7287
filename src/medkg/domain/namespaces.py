"""The prefixes, the graph names and the minting of IRIs: the one place where a medkg IRI is made."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rdflib import Namespace
from rdflib.namespace import DCAT, DCTERMS, FOAF, OWL, PROV, RDF, RDFS, SH, SKOS, XSD
from rdflib.term import URIRef

from medkg.domain.errors import ParameterError

__all__ = [
    "BASE",
    "CATALOG",
    "DCAT",
    "DCTERMS",
    "GRAPH",
    "GRAPH_CATALOG",
    "GRAPH_INFERRED",
    "GRAPH_NUTS",
    "GRAPH_ONTOLOGY",
    "GRAPH_SHAPES",
    "GRAPH_SHAPES_SUBMISSION",
    "ID",
    "MEDKG",
    "NUTS",
    "ONTOLOGY",
    "OWL",
    "PREFIXES",
    "PROV",
    "RDF",
    "RDFS",
    "SH",
    "SKOS",
    "VOCAB",
    "XSD",
    "compact",
    "display",
    "local_path",
    "mint",
    "slugify",
]

BASE: Final = "https://w3id.org/medkg/"
ONTOLOGY: Final = URIRef(BASE + "ontology")
CATALOG: Final = URIRef(BASE + "catalog")
MEDKG: Final = Namespace(BASE + "ontology#")
ID: Final = Namespace(BASE + "id/")
VOCAB: Final = Namespace(BASE + "vocab/")
GRAPH: Final = Namespace(BASE + "graph/")
NUTS: Final = Namespace("http://data.europa.eu/nuts/code/")

GRAPH_ONTOLOGY: Final = GRAPH["ontology"]
GRAPH_SHAPES: Final = GRAPH["shapes"]
GRAPH_SHAPES_SUBMISSION: Final = GRAPH["shapes/submission"]
GRAPH_NUTS: Final = GRAPH["nuts"]
GRAPH_CATALOG: Final = GRAPH["prov/build"]
GRAPH_INFERRED: Final = GRAPH["inferred"]

PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "medkg": str(MEDKG),
        "nuts": str(NUTS),
        "rdf": str(RDF),
        "rdfs": str(RDFS),
        "owl": str(OWL),
        "xsd": str(XSD),
        "skos": str(SKOS),
        "dct": str(DCTERMS),
        "dcat": str(DCAT),
        "prov": str(PROV),
        "foaf": str(FOAF),
        "sh": str(SH),
        "org": "http://www.w3.org/ns/org#",
        "schema": "https://schema.org/",
        "eurio": "http://data.europa.eu/s66#",
        "cv": "http://data.europa.eu/m8g/",
        "geo": "http://www.opengis.net/ont/geosparql#",
        "oa": "http://www.w3.org/ns/oa#",
        "adms": "http://www.w3.org/ns/adms#",
        "country": "http://publications.europa.eu/resource/authority/country/",
        "graph": str(GRAPH),
        "vocab": str(VOCAB),
    }
)
"""Every prefix that medkg writes; queries may use them without declaring them."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LOCAL_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")


def mint(kind: str, slug: str) -> URIRef:
    """Return the IRI of the entity *slug* of type *kind*, e.g. ``mint("action", "imaging-lab")``.

    :raises ParameterError: when either part is not a slug (lower-case ASCII, digits, single hyphens).
    """
    for name, part in (("type", kind), ("slug", slug)):
        if not _SLUG.fullmatch(part):
            raise ParameterError(name, f"{part!r} is not a slug.", remedy="Use a-z, 0-9 and single hyphens.")
    return ID[f"{kind}/{slug}"]


def slugify(iri: str) -> str:
    """Return the last segment of an IRI, which names an entity inside its type."""
    return re.split(r"[/#]", iri.rstrip("/#"))[-1]


def compact(iri: str) -> str:
    """Return ``prefix:name`` when a known prefix fits, otherwise the IRI as it is."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and _LOCAL_NAME.fullmatch(iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return str(iri)


def display(iri: str) -> str:
    """Return what people are shown for an IRI that has no label: as short as it can be told apart."""
    short = compact(iri)
    for base in (str(ID), BASE):
        if short.startswith(base) and len(short) > len(base):
            return short[len(base) :]
    return short


def local_path(iri: str) -> str | None:
    """Return the path under which this service answers for a medkg IRI, or None for a foreign one."""
    return "/" + iri[len(BASE) :] if iri.startswith(BASE) else None
