"""Results, graphs and datasets as bytes, written as they are made.

The engine's own serialisers do the work where what they write is right; they are several times faster than
rows in Python.  What they get wrong is written or refused here:

- CSV quotes neither IRIs nor triple terms, so a comma or a line end in one breaks the row.
- CSV has an empty line for an unbound value in a table of one column, which readers of CSV pass over.
- XML holds carriage returns as they are, which every parser reads as newlines.
- XML holds control characters, which no parser reads.
- RDF/XML holds element names that no parser reads where a predicate does not end in a name, and identifiers
  of blank nodes that start with a digit.
- ``SELECT *`` gives its columns in the order of their names.

An ASK in CSV or TSV, of which the standards say nothing, is the bare word ``true`` or ``false``, which the
engine reads back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import IO, Final, cast
from xml.parsers import expat

import pyoxigraph as ox

from medkg.domain.errors import NotAcceptable
from medkg.domain.namespaces import PREFIXES
from medkg.store.bounds import Tally
from medkg.store.formats import Format
from medkg.store.labels import BATCH, Labels, Row, Term
from medkg.store.tables import BY_ROW, HEADS

__all__ = ["RDF_FORMATS", "Results", "write", "write_quads"]

Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

RDF_FORMATS: Final[Mapping[str, ox.RdfFormat]] = MappingProxyType(
    {
        "ttl": ox.RdfFormat.TURTLE,
        "nt": ox.RdfFormat.N_TRIPLES,
        "jsonld": ox.RdfFormat.JSON_LD,
        "rdfxml": ox.RdfFormat.RDF_XML,
        "nq": ox.RdfFormat.N_QUADS,
        "trig": ox.RdfFormat.TRIG,
    }
)
"""The engine's name for each format of graphs and datasets."""
_RESULTS: Final[Mapping[str, ox.QueryResultsFormat]] = MappingProxyType(
    {
        "json": ox.QueryResultsFormat.JSON,
        "xml": ox.QueryResultsFormat.XML,
        "csv": ox.QueryResultsFormat.CSV,
        "tsv": ox.QueryResultsFormat.TSV,
    }
)
_PIECE: Final = 100
"""Rows that are written at a time when there are no labels to look up."""


def write(  # noqa: PLR0913 - what is written and how, and what is wanted besides
    results: Results,
    file: IO[bytes],
    format_: Format,
    *,
    labels: Labels | None = None,
    columns: Sequence[str] | None = None,
    tally: Tally | None = None,
) -> None:
    """Write what a query gave, in the thread that asked it.

    Only a SELECT has columns of *labels*.  *columns* are its names in the order in which they are wanted, if
    that is not the engine's.  *tally* counts the rows.

    :raises NotAcceptable: the format can't carry a value; some of it may be written by then.
    :raises AnswerTooLarge: the tally says so; the same.
    """
    if isinstance(results, ox.QueryTriples):
        write_quads(results, file, format_, tally)
        return
    tally = tally or Tally(0)
    target = _xml(file) if format_.name == "xml" else file
    if isinstance(results, ox.QueryBoolean):
        results.serialize(target, _RESULTS[format_.name])
        return
    given = [variable.value for variable in results.variables]
    names = given if columns is None else list(columns)
    if sorted(names) != sorted(given):
        raise ValueError(f"not the columns of the result: {names}")
    if labels is None and (format_.name in HEADS or (format_.name == "tsv" and names == given)):
        if names != given:
            head = HEADS[format_.name]
            target = cast("IO[bytes]", _Head(target, head(given).encode(), head(names).encode()))
        results.serialize(tally.file(target, format_.name), _RESULTS[format_.name])
        return
    batches = _batches(
        tally.each(results), [given.index(name) for name in names], BATCH if labels else _PIECE
    )
    if labels is not None:
        names, batches = labels.widen(names, batches)
    for text in BY_ROW[format_.name](names, batches):
        target.write(text.encode())


def write_quads(
    quads: Iterable[ox.Triple] | Iterable[ox.Quad],
    file: IO[bytes],
    format_: Format,
    tally: Tally | None = None,
) -> None:
    """Write a graph or a dataset as it comes; Turtle, TriG and RDF/XML with the prefixes of medkg.

    A format of graphs takes the triples of the quads, whatever graph they stand in.  *tally* counts them.

    :raises NotAcceptable: the format can't carry a triple; some of the others may be written by then.
    :raises AnswerTooLarge: the tally says so; the same.
    """
    statements: Iterable[ox.Triple] | Iterable[ox.Quad] = quads
    if format_.kind == "graph" and not isinstance(quads, ox.QueryTriples):
        statements = (item.triple if isinstance(item, ox.Quad) else item for item in quads)
    if format_.name == "jsonld":
        statements = _without_triple_terms(cast("Iterable[ox.Triple]", statements))
    elif format_.name == "rdfxml":
        file = _xml(file)
        statements = (_in_xml(triple) for triple in cast("Iterable[ox.Triple]", statements))
    prefixes = dict(PREFIXES) if format_.name in {"ttl", "trig", "rdfxml"} else None
    if tally is not None:
        statements = tally.each(cast("Iterable[ox.Triple]", statements))
    ox.serialize(statements, file, RDF_FORMATS[format_.name], prefixes=prefixes)


def _batches(results: Iterable[ox.QuerySolution], places: list[int], size: int) -> Iterator[list[Row]]:
    moved = places != sorted(places)
    rows = iter(results)
    while True:
        batch: list[Row] = [list(solution) for solution in islice(rows, size)]
        if not batch:
            return
        yield [[row[place] for place in places] for row in batch] if moved else batch


class _Head:
    """A file that puts one head in the place of another."""

    def __init__(self, file: IO[bytes], given: bytes, wanted: bytes) -> None:
        self._file = file
        self._given = given
        self._wanted = wanted
        self._held: bytes | None = b""

    def write(self, data: bytes) -> int:
        """Pass the bytes on, once the head is there."""
        if self._held is None:
            return self._file.write(data)
        self._held += data
        if len(self._held) >= len(self._given):
            self._file.write(self._held.replace(self._given, self._wanted, 1))
            self._held = None
        return len(data)

    def flush(self) -> None:
        """Pass the call on."""
        self._file.flush()


# --- XML -----------------------------------------------------------------------------------------------

_CONTROLS: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NO_CHARACTER: Final = re.compile(b"[" + re.escape(_CONTROLS) + b"]|\xef\xbf[\xbe\xbf]")
_OTHERS: Final = "Ask for another format: JSON or TSV for a table, Turtle or N-Triples for a graph."


class _Xml:
    """A file for XML 1.0: carriage returns are written so that they stay; what it can't hold is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tail = b""

    def write(self, data: bytes) -> int:
        """Pass the bytes on.

        :raises NotAcceptable: there is a character among them that XML can't hold.
        """
        whole = self._tail + data
        # Far faster than the expression, which only says what it was.
        if len(whole.translate(None, _CONTROLS)) != len(whole) or b"\xef\xbf" in whole:
            self._refuse(whole)
        self._tail = data[-2:]
        self._file.write(data.replace(b"\r", b"&#13;"))
        return len(data)

    def flush(self) -> None:
        """Pass the call on."""
        self._file.flush()

    @staticmethod
    def _refuse(data: bytes) -> None:
        match = _NO_CHARACTER.search(data)
        if match is not None:
            raise NotAcceptable(
                f"A value holds the character U+{ord(match[0].decode()):04X}, which XML can't carry.",
                remedy=_OTHERS,
            )


def _xml(file: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Xml(file))


def _in_xml(triple: ox.Triple) -> ox.Triple:
    """Return a triple as RDF/XML can name it."""
    if not _is_element(triple.predicate):
        raise NotAcceptable(
            f"RDF/XML can't carry the predicate {triple.predicate.value}: it is no name of an element.",
            remedy=_OTHERS,
        )
    subject, object_ = _named_in_xml(triple.subject), _named_in_xml(triple.object)
    if subject is triple.subject and object_ is triple.object:
        return triple
    return ox.Triple(subject, triple.predicate, object_)  # type: ignore[arg-type]


def _named_in_xml(term: Term) -> Term:
    if isinstance(term, ox.Triple):
        return _in_xml(term)
    # Two that differ stay different, as those that look renamed are renamed too.
    if isinstance(term, ox.BlankNode) and not _NODE.fullmatch(term.value):
        return ox.BlankNode("x-" + term.value.encode().hex())
    return term


_NODE: Final = re.compile(r"(?!x-)[A-Za-z_][A-Za-z0-9_.-]*+")


@lru_cache(maxsize=4_096)
def _is_element(predicate: ox.NamedNode) -> bool:
    """Tell whether what the engine writes for a predicate reads back as the same IRI."""
    triple = ox.Triple(predicate, predicate, ox.Literal(""))
    names: list[str] = []
    parser = expat.ParserCreate(None, "")
    parser.StartElementHandler = lambda name, _: names.append(name)
    try:
        data = ox.serialize([triple], format=ox.RdfFormat.RDF_XML, prefixes=dict(PREFIXES))
        parser.Parse(data or b"", True)
        read = [quad.triple for quad in ox.parse(data, format=ox.RdfFormat.RDF_XML)]
    except (OSError, SyntaxError, expat.ExpatError):
        return False
    return read == [triple] and names[-1] == predicate.value


def _without_triple_terms(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    for triple in triples:
        if isinstance(triple.object, ox.Triple):
            raise NotAcceptable("JSON-LD can't carry a triple term.", remedy="Ask for Turtle or N-Triples.")
        yield triple
