"""JSON-LD: every statement with the value that states it, as JSON Pointer, line and column."""

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place, Quad, Term
from medkg.domain.namespaces import RDF
from medkg.domain.submission import Submission
from medkg.intake.rdf.assembly import Placed, assemble, bounded, stopped_at
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.jsoncontext import Names, check_data, names_of
from medkg.intake.rdf.jsontree import Value, read_json
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.parsing import ParserStopped, Tap, parse

__all__ = ["read_jsonld"]

_FIRST: Final = ("@context", "@type", "@id")
"""The keys that a streaming parser wants first, in this order (Streaming JSON-LD, section 5)."""
_WRAPPERS: Final = frozenset({"@value", "@list", "@set", "@none"})
_RDF_TYPE: Final = RDF.type
_RDF_FIRST: Final = RDF.first
_RDF_REST: Final = RDF.rest
_RDF_NIL: Final = RDF.nil
_WINDOW: Final = 64
"""Values before the one that the parser has just taken, among which an object is looked for."""

_Signature = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A few bytes of a document, and the value that they start, are, or close."""

    text: bytes
    value: Value | None = None
    closes: bool = False


def read_jsonld(
    text: str, limits: Limits, flaws: Flaws, base: str | None, contexts: Mapping[str, bytes]
) -> Submission:
    """Return what a JSON-LD document says; *contexts* are the bytes of those that are known, by their IRI.

    A statement's place is the value that states it; a list's cells have the place of the list or of an item.
    Where a value can't be told from others (statements that a ``@reverse`` or ``@index`` turns round, values
    of nodes with more than 64 values before their ``@id`` is known), it is that of the described node.

    The triples come from the parser.  It tells them at the end of the document, so their places come from a
    second, streaming pass over the same values, in which each triple comes out behind its value.

    :raises Refusal: the document can't be read.
    """
    lines = Lines(text)
    root = read_json(text, lines, limits)
    names = names_of(root, lines, limits, contexts)
    check_data(root, names, lines, limits, flaws, base=base is not None)
    pieces = list(_pieces(root, text, names, contexts))
    data = b"".join(piece.text for piece in pieces)
    try:
        quads = bounded(parse(data, "application/ld+json", base), limits)
    except ParserStopped as error:
        at = _Places(pieces, names, lines).end(base, limits) or root
        raise stopped_at(error, at.place(lines), "F-65", found=at.text) from None
    if any(quad[3] is not None for quad in quads):
        raise Refusal("F-25", _graph_key(root, names, lines))
    if not quads and not names.any_context and flaws.has("F-67"):
        raise Refusal("F-64", root.place(lines))
    if not quads:
        return assemble("application/ld+json", [], limits, flaws)
    known = _Places(pieces, names, lines).read(base, limits)
    whole = root.place(lines)
    placed = []
    for quad in quads:
        queue = known[_signature(quad)]
        place, subject = queue.popleft() if queue else (whole, whole)
        placed.append(Placed(quad, place, subject))
    return assemble("application/ld+json", placed, limits, flaws)


def _pieces(value: Value, text: str, names: Names, contexts: Mapping[str, bytes]) -> Iterator[_Piece]:
    """Yield a document in small pieces.

    Known contexts stand in place of their IRIs, and the keys that a streaming parser wants first, first.
    """
    if value.kind == "object":
        yield _Piece(b"{", value)
        members = sorted(value.members.items(), key=lambda item: _rank(names.keyword(item[0])))
        for at, (key, member) in enumerate(members):
            yield _Piece((b"," if at else b"") + json.dumps(key).encode() + b":")
            if key == "@context":
                yield _Piece(_context(member, text, contexts))
            else:
                yield from _pieces(member, text, names, contexts)
        yield _Piece(b"}", value, closes=True)
    elif value.kind == "array":
        yield _Piece(b"[", value)
        for at, item in enumerate(value.items):
            if at:
                yield _Piece(b",")
            yield from _pieces(item, text, names, contexts)
        yield _Piece(b"]", value, closes=True)
    else:
        # Only what follows a number tells the parser that it is complete.
        yield _Piece(text[value.start : value.end].encode() + b" ", value)


def _context(value: Value, text: str, contexts: Mapping[str, bytes]) -> bytes:
    """Return the text of a context, with known ones in place of their IRIs."""
    if value.kind == "array":
        return b"[" + b",".join(_context(item, text, contexts) for item in value.items) + b"]"
    if value.kind == "string" and value.text in contexts:
        return json.dumps(json.loads(contexts[value.text])["@context"]).encode()
    return text[value.start : value.end].encode()


def _rank(keyword: str) -> int:
    return _FIRST.index(keyword) if keyword in _FIRST else len(_FIRST)


def _graph_key(root: Value, names: Names, lines: Lines) -> Place:
    """Return the place of the first ``@graph`` that is not the document's own; else that of the document."""
    waiting = deque([root])
    while waiting:
        value = waiting.popleft()
        for key, member in value.members.items():
            own = value is root and names.member(value, "@id") is None
            if names.keyword(key) == "@graph" and not own:
                return lines.place(member.key_start, member.end, pointer=member.pointer())
            waiting.append(member)
        waiting.extend(value.items)
    return root.place(lines)


def _signature(quad: Quad) -> _Signature:
    """Return a triple without the names of its blank nodes, which differ from pass to pass."""
    subject, predicate, object_, _ = quad
    node = "_:" if isinstance(subject, BNode) else str(subject)
    value = (
        "_:" if isinstance(object_, BNode) else object_.n3() if isinstance(object_, Literal) else str(object_)
    )
    return node, str(predicate), value


class _Places:
    """The streaming pass: which triple comes out behind which value."""

    def __init__(self, pieces: list[_Piece], names: Names, lines: Lines) -> None:
        self._pieces = pieces
        self._tap = Tap([piece.text for piece in pieces])
        self._names = names
        self._lines = lines
        self._pending: deque[Value] = deque(maxlen=_WINDOW)
        self._seen = 0
        self._last: Value | None = None
        self._closed: Value | None = None

    def read(self, base: str | None, limits: Limits) -> dict[_Signature, deque[tuple[Place, Place]]]:
        """Return the places of the object and the subject of each triple, as far as the pass gets."""
        found: dict[_Signature, deque[tuple[Place, Place]]] = defaultdict(deque)
        try:
            for count, quad in enumerate(parse(self._tap, "application/ld+json;streaming", base)):
                if count >= limits.triples:
                    break
                self._take()
                value = self._stating(quad[1], quad[2])
                if value is not None:
                    node = self._node(value, quad[0])
                    found[_signature(quad)].append((value.place(self._lines), node.place(self._lines)))
        except ParserStopped:
            self._take()
        return found

    def end(self, base: str | None, limits: Limits) -> Value | None:
        """Return the value that the pass gets to, at which it stops like the other one."""
        self.read(base, limits)
        return self._last

    def _take(self) -> None:
        """Catch up with the pieces that the parser has taken."""
        while self._seen < self._tap.taken:
            piece = self._pieces[self._seen]
            self._seen += 1
            if piece.value is None:
                continue
            if not piece.closes:
                self._pending.append(piece.value)
            elif piece.value.kind == "array":
                self._closed = piece.value
            self._last = piece.value

    def _stating(self, predicate: URIRef, object_: Term) -> Value | None:
        """Return the value that states a triple with that object: the first that fits and is not used up."""
        if predicate == _RDF_REST:
            return self._closed if object_ == _RDF_NIL else self._last
        for at, value in enumerate(self._pending):
            if self._says(value, predicate) and self._fits(value, object_):
                for _ in range(at + 1):
                    self._pending.popleft()
                return value
        self._pending.clear()
        return None if self._last is None else self._owner(self._last)

    def _says(self, value: Value, predicate: URIRef) -> bool:
        """Tell whether a value can be one of that predicate, by the key that it stands under."""
        if predicate == _RDF_FIRST:
            return True
        while value.parent is not None:
            keyword = self._names.keyword(value.key)
            inside = value.parent.kind == "array" or keyword in _WRAPPERS
            if not inside and value.parent.key not in self._names.maps:
                break
            value = value.parent
        if self._names.keyword(value.key) == "@type":
            return predicate == _RDF_TYPE
        return self._names.can_mean(value.key, str(predicate))

    def _fits(self, value: Value, object_: Term) -> bool:
        if isinstance(object_, BNode):
            return value.kind in {"object", "array"} and not self._is_value(value)
        if isinstance(object_, URIRef):
            identifier = self._identifier(value)
            if identifier is not None:
                return _alike(str(object_), identifier)
            return value.kind == "string" and self._names.keyword(value.key) != "@id"
        if value.kind == "number":
            return _same_number(value.text, str(object_))
        return value.kind in {"string", "word"} and value.text == str(object_)

    def _is_value(self, value: Value) -> bool:
        return self._names.member(value, "@value") is not None

    def _identifier(self, value: Value) -> str | None:
        member = self._names.member(value, "@id")
        return None if member is None else member.text

    def _owner(self, value: Value) -> Value:
        """Return the object that a value stands in, or itself."""
        while value.kind != "object" and value.parent is not None:
            value = value.parent
        return value

    def _node(self, value: Value, subject: URIRef | BNode) -> Value:
        """Return the object that describes a subject: around *value*, with its identifier if any."""
        around = value.parent
        nearest = None
        while around is not None:
            if around.kind == "object":
                identifier = self._identifier(around)
                named = isinstance(subject, URIRef) or str(subject) == (identifier or "")[2:]
                if named and identifier is not None and _alike(str(subject), identifier):
                    return around
                plain = identifier is None and not self._is_value(around)
                if nearest is None and plain and isinstance(subject, BNode):
                    return around
                nearest = nearest or around
            around = around.parent
        return nearest or value


def _alike(iri: str, written: str) -> bool:
    """Tell whether a written identifier can be that IRI: as it is, or behind a prefix or a base."""
    return iri == written or iri.endswith(written.rpartition(":")[2].lstrip("./"))


def _same_number(written: str, lexical: str) -> bool:
    try:
        return float(written) == float(lexical)
    except ValueError:
        return False
