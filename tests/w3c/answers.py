"""Reads the formats in which answers come: JSON, XML, CSV and TSV, graphs, and result sets in RDF."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

import pyoxigraph as ox
from tests.w3c.terms import XSD, Blank, Iri, Row, Statement, Table, Term, Text

__all__ = [
    "CSV",
    "GRAPHS",
    "JSON",
    "N_QUADS",
    "TSV",
    "XML",
    "Answer",
    "read_csv",
    "read_graph",
    "read_result_set",
    "read_results",
    "triple_of",
]

JSON: Final = "application/sparql-results+json"
XML: Final = "application/sparql-results+xml"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
N_QUADS: Final = "application/n-quads"
GRAPHS: Final[Mapping[str, ox.RdfFormat]] = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/trig": ox.RdfFormat.TRIG,
    N_QUADS: ox.RdfFormat.N_QUADS,
}
"""The media types of graphs that are read here."""

Answer = Table | bool
"""What a SELECT or an ASK says."""

_LANG_STRING: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_DIR_LANG_STRING: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#dirLangString"
_RESULTS: Final = "{http://www.w3.org/2005/sparql-results#}"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_DIRECTION: Final = "{http://www.w3.org/2005/11/its}dir"
_RS: Final = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"


def read_results(content: bytes, media_type: str) -> Answer:
    """Return what a document of results says.

    :raises ValueError: it is no document of that type.
    """
    if media_type == JSON:
        return _read_json(json.loads(content))
    if media_type == XML:
        return _read_xml(ET.fromstring(content))  # noqa: S314 - what the service under test said
    if media_type == TSV:
        return _read_tsv(content.decode())
    raise ValueError(f"{media_type} is no type of results")


def _literal(value: str, datatype: str, language: str, direction: str) -> Text:
    if language:
        return Text(value, _DIR_LANG_STRING if direction else _LANG_STRING, language.lower(), direction)
    return Text(value, datatype or XSD + "string")


def _read_json(document: Mapping[str, Any]) -> Answer:
    if "boolean" in document:
        if not isinstance(document["boolean"], bool):
            raise ValueError("boolean is neither true nor false")
        return document["boolean"]
    names = tuple(document["head"]["vars"])
    rows = document["results"]["bindings"]
    strange = {name for row in rows for name in row} - set(names)
    if strange:
        raise ValueError(f"variables that the head does not name: {strange}")
    return Table(names, tuple(tuple(_json_term(row.get(name)) for name in names) for row in rows))


def _json_term(term: Mapping[str, Any] | None) -> Term | None:
    if term is None:
        return None
    kind, value = term["type"], term["value"]
    if kind == "uri":
        return Iri(value)
    if kind == "bnode":
        return Blank(value)
    if kind == "triple":
        parts = (_json_term(value[part]) for part in ("subject", "predicate", "object"))
        return Statement(*parts)  # type: ignore[arg-type]
    if kind == "literal":
        return _literal(value, term.get("datatype", ""), term.get("xml:lang", ""), term.get("its:dir", ""))
    raise ValueError(f"{kind} is no type of term")


def _read_xml(root: ET.Element) -> Answer:
    if root.tag != _RESULTS + "sparql":
        raise ValueError(f"{root.tag} is not the root of results")
    boolean = root.find(_RESULTS + "boolean")
    if boolean is not None:
        return {"true": True, "false": False}[(boolean.text or "").strip()]
    names = tuple(variable.attrib["name"] for variable in root.iterfind(f"{_RESULTS}head/{_RESULTS}variable"))
    rows = []
    for result in root.iterfind(f"{_RESULTS}results/{_RESULTS}result"):
        row = {binding.attrib["name"]: _xml_term(binding[0]) for binding in result}
        if not row.keys() <= set(names):
            raise ValueError(f"variables that the head does not name: {row.keys() - set(names)}")
        rows.append(tuple(row.get(name) for name in names))
    return Table(names, tuple(rows))


def _xml_term(element: ET.Element) -> Term:
    value = element.text or ""
    match element.tag.removeprefix(_RESULTS):
        case "uri":
            return Iri(value)
        case "bnode":
            return Blank(value)
        case "literal":
            attributes = (element.get(name, "") for name in ("datatype", _LANGUAGE, _DIRECTION))
            return _literal(value, *attributes)
        case "triple":
            parts = ("subject", "predicate", "object")
            return Statement(*(_xml_term(element.find(_RESULTS + part)[0]) for part in parts))  # type: ignore[index]
        case other:
            raise ValueError(f"{other} is no term")


def _read_tsv(text: str) -> Table:
    lines = text.split("\n")
    if lines.pop():
        raise ValueError("the last line does not end")
    names = lines.pop(0).split("\t") if lines[0] else []
    if not all(re.fullmatch(r"[?$]\w+", name) for name in names):
        raise ValueError(f"{names} are no variables")
    rows = [line.split("\t") for line in lines]
    if any(len(row) != max(len(names), 1) for row in rows):
        raise ValueError("a line has more or fewer fields than the first")
    variables = tuple(name[1:] for name in names)
    return Table(variables, tuple(tuple(_tsv_term(field) for field in row[: len(names)]) for row in rows))


def _tsv_term(field: str) -> Term | None:
    """Return the term that stands in a field, in the syntax of Turtle without prefixes."""
    if not field:
        return None
    if field.startswith("_:"):
        return Blank(field[2:])
    statement = f"<urn:s> <urn:p> {field} ."
    (quad,) = ox.parse(statement, ox.RdfFormat.TURTLE)
    return _from_ox(quad.object)


def read_csv(content: bytes) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the header and the records of a CSV document.

    :raises ValueError: the records differ in length.
    """
    header, *records = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    if any(len(record) != len(header) for record in records):
        raise ValueError("a record has more or fewer fields than the header")
    return tuple(header), tuple(map(tuple, records))


def _from_ox(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Term:
    if isinstance(term, ox.NamedNode):
        return Iri(term.value)
    if isinstance(term, ox.BlankNode):
        return Blank(term.value)
    if isinstance(term, ox.Triple):
        return Statement(*(_from_ox(part) for part in (term.subject, term.predicate, term.object)))
    direction = term.direction.value if term.direction else ""
    return _literal(term.value, term.datatype.value, term.language or "", direction)


def read_graph(content: bytes, media_type: str, base: str) -> frozenset[Row]:
    """Return the triples of a document; of one with named graphs, those of its default graph.

    :raises SyntaxError: it is no document of that type.
    """
    quads = ox.parse(content, GRAPHS[media_type], base_iri=base)
    return frozenset(triple_of(quad) for quad in quads if isinstance(quad.graph_name, ox.DefaultGraph))


def triple_of(quad: ox.Quad) -> Row:
    """Return the triple of a quad."""
    return tuple(_from_ox(part) for part in (quad.subject, quad.predicate, quad.object))


def read_result_set(graph: frozenset[Row]) -> tuple[Answer, bool] | None:
    """Return what a result set in RDF says and whether its order counts; None when the graph is none."""
    triples = [(s, p.value, o) for s, p, o in graph if isinstance(p, Iri)]

    def objects(subject: Term | None, name: str) -> Iterator[Term | None]:
        return (o for s, p, o in triples if s == subject and p == _RS + name)

    head = next((s for s, _, o in triples if o == Iri(_RS + "ResultSet")), None)
    if head is None:
        return None
    for boolean in objects(head, "boolean"):
        return isinstance(boolean, Text) and boolean.value == "true", False
    names = tuple(sorted(name.value for name in objects(head, "resultVariable") if isinstance(name, Text)))
    rows: list[tuple[int, Row]] = []
    ordered = False
    for solution in objects(head, "solution"):
        place = 0
        for index in objects(solution, "index"):
            assert isinstance(index, Text)
            place, ordered = int(index.value), True
        row = {}
        for binding in objects(solution, "binding"):
            (name,), (value,) = objects(binding, "variable"), objects(binding, "value")
            assert isinstance(name, Text)
            row[name.value] = value
        rows.append((place, tuple(row.get(name) for name in names)))
    rows.sort(key=lambda entry: entry[0])
    return Table(names, tuple(row for _, row in rows)), ordered
