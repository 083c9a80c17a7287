"""The rows of a SELECT as text, the same bytes as the engine's wherever those are right.

Each writer takes the names and batches of rows, and gives the head, one text for each batch, and the end.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Final

import pyoxigraph as ox

from medkg.store.labels import Row, Term

__all__ = ["BY_ROW", "HEADS"]

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_STRING: Final = _XSD + "string"

_Texts = Iterator[str]


def _csv(names: Sequence[str], batches: Iterator[list[Row]]) -> _Texts:
    text = io.StringIO(newline="")
    # The writer quotes what must be, and the one empty field of a row too, as it would be an empty line.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for batch in batches:
        yield text.getvalue()
        text.seek(0)
        text.truncate()
        # The two kinds that nearly all terms are of are told apart here: a call costs more than the rest.
        writer.writerows(
            [term.value if type(term) in _WITH_VALUE else _csv_cell(term) for term in row]  # type: ignore[union-attr]
            for row in batch
        )
    yield text.getvalue()


_WITH_VALUE: Final = frozenset({ox.NamedNode, ox.Literal})


def _csv_cell(term: Term | None) -> str:
    if term is None:
        return ""
    if isinstance(term, ox.NamedNode | ox.Literal):
        return term.value
    return _csv_triple(term) if isinstance(term, ox.Triple) else str(term)


def _csv_triple(triple: ox.Triple) -> str:
    """Return a triple term as SPARQL 1.2 has it: the terms as in their own cells, a literal always quoted."""
    cells = [(_csv_cell(term), isinstance(term, ox.Literal)) for term in triple]
    quoted = (
        '"' + cell.replace('"', '""') + '"' if literal or _TO_QUOTE.search(cell) else cell
        for cell, literal in cells
    )
    return f"<<( {' '.join(quoted)} )>>"


_TO_QUOTE: Final = re.compile(r'[",\r\n]')


def _tsv(names: Sequence[str], batches: Iterator[list[Row]]) -> _Texts:
    yield "\t".join("?" + name for name in names) + "\n"
    for batch in batches:
        yield "".join(
            ["\t".join(["" if term is None else _tsv_cell(term) for term in row]) + "\n" for row in batch]
        )


def _tsv_cell(term: Term) -> str:
    """Return a term in Turtle, on one line, with the short forms of numbers and booleans."""
    if isinstance(term, ox.Triple):
        return f"<<( {' '.join([_tsv_cell(part) for part in term])} )>>"
    text = str(term)
    match = _SHORT.fullmatch(text) if text.endswith(_SHORT_ENDS) else None
    return text if match is None or match.lastindex is None else match[match.lastindex]


_SHORT_ENDS: Final = tuple(f"^^<{_XSD}{name}>" for name in ("integer", "decimal", "double", "boolean"))
_SHORT: Final = re.compile(
    rf'"(?:([+-]?[0-9]+)"\^\^<{_XSD}integer>'
    rf'|([+-]?[0-9]*\.[0-9]+)"\^\^<{_XSD}decimal>'
    rf'|([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+)"\^\^<{_XSD}double>'
    rf'|(true|false)"\^\^<{_XSD}boolean>)'
)


def _json_head(names: Sequence[str]) -> str:
    return '{"head":{"vars":[' + ",".join(encode_basestring(name) for name in names) + "]}"


def _json(names: Sequence[str], batches: Iterator[list[Row]]) -> _Texts:
    yield _json_head(names) + ',"results":{"bindings":['
    keys = [encode_basestring(name) + ":" for name in names]
    between = ""
    for batch in batches:
        rows = [
            ",".join(
                [key + _json_cell(term) for key, term in zip(keys, row, strict=True) if term is not None]
            )
            for row in batch
        ]
        yield between + "{" + "},{".join(rows) + "}"
        between = ","
    yield "]}}"


def _json_cell(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return f'{{"type":"uri","value":{encode_basestring(term.value)}}}'
    if isinstance(term, ox.Literal):
        start = f'{{"type":"literal","value":{encode_basestring(term.value)}'
        if term.language is not None:
            direction = "" if term.direction is None else f',"its:dir":"{term.direction.value}"'
            return f'{start},"xml:lang":"{term.language}"{direction}}}'
        datatype = term.datatype.value
        return start + ("}" if datatype == _STRING else f',"datatype":{encode_basestring(datatype)}}}')
    if isinstance(term, ox.BlankNode):
        return f'{{"type":"bnode","value":"{term.value}"}}'
    subject, predicate, object_ = (_json_cell(part) for part in term)
    return f'{{"type":"triple","value":{{"subject":{subject},"predicate":{predicate},"object":{object_}}}}}'


def _xml_head(names: Sequence[str]) -> str:
    return (
        '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>'
        + "".join(f'<variable name="{name}"/>' for name in names)
        + "</head>"
    )


def _xml_table(names: Sequence[str], batches: Iterator[list[Row]]) -> _Texts:
    yield _xml_head(names) + "<results>"
    keys = [f'<binding name="{name}">' for name in names]
    for batch in batches:
        rows = [
            "".join(
                [
                    f"{key}{_xml_cell(term)}</binding>"
                    for key, term in zip(keys, row, strict=True)
                    if term is not None
                ]
            )
            for row in batch
        ]
        yield "<result>" + "</result><result>".join(rows) + "</result>"
    yield "</results></sparql>"


def _xml_cell(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return f"<uri>{_escape(term.value)}</uri>"
    if isinstance(term, ox.Literal):
        text = _text(term.value)
        if term.language is not None:
            return f'<literal xml:lang="{term.language}"{_direction(term)}>{text}</literal>'
        datatype = term.datatype.value
        kind = "" if datatype == _STRING else f' datatype="{_escape(datatype)}"'
        return f"<literal{kind}>{text}</literal>"
    if isinstance(term, ox.BlankNode):
        return f"<bnode>{term.value}</bnode>"
    subject, predicate, object_ = (_xml_cell(part) for part in term)
    return (
        f"<triple><subject>{subject}</subject><predicate>{predicate}</predicate>"
        f"<object>{object_}</object></triple>"
    )


def _direction(literal: ox.Literal) -> str:
    if literal.direction is None:
        return ""
    its = 'xmlns:its="http://www.w3.org/2005/11/its" its:version="2.0"'
    return f' its:dir="{literal.direction.value}" {its}'


def _text(value: str) -> str:
    """Return the text of a literal; white space at its ends is written so that no reader strips it."""
    inner = value.strip(_SPACE)
    if len(inner) == len(value):
        return _escape(value)
    start = len(value) - len(value.lstrip(_SPACE))
    edges = value[:start], value[start + len(inner) :]
    before, after = ("".join(f"&#{ord(space)};" for space in edge) for edge in edges)
    return before + _escape(inner) + after


_SPACE: Final = " \t\r\n"


def _escape(text: str) -> str:
    return text.translate(_ENTITIES) if _MARKUP.search(text) else text


_MARKUP: Final = re.compile("[&<>\"']")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})

BY_ROW: Final[Mapping[str, Callable[[Sequence[str], Iterator[list[Row]]], _Texts]]] = MappingProxyType(
    {"json": _json, "xml": _xml_table, "csv": _csv, "tsv": _tsv}
)
HEADS: Final[Mapping[str, Callable[[Sequence[str]], str]]] = MappingProxyType(
    {"json": _json_head, "xml": _xml_head}
)
"""The formats in which only the head knows an order of columns, with what the engine writes there."""
