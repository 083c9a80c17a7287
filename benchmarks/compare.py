"""Whether the servers give the same answers: the bags of their results, reduced to what can be kept."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyoxigraph as ox
from benchmarks.client import Answered, boolean
from benchmarks.workload import Request

__all__ = ["Bag", "bag", "collect", "differences"]

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_NUMBERS: Final = {_XSD + name for name in ("integer", "decimal", "double", "float", "int", "long")}
_LITERALS: Final = {"literal", "typed-literal"}


@dataclass(frozen=True, slots=True)
class Bag:
    """The answer to one query: its rows or triples counted, and a digest that does not know their order.

    An answer that a LIMIT without an order has cut has no digest: other rows would be as right.
    """

    template: str
    variant: int
    status: int
    rows: int
    digest: str

    def values(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def bag(request: Request, answer: Answered) -> Bag:
    """Return the bag of an answer; one that can't be read has the digest ``unreadable``."""
    name, limit = request.template.name, request.template.limit
    if not answer.good:
        return Bag(name, request.variant, answer.status, 0, "")
    try:
        lines = sorted(_triples(answer.body) if request.template.form == "graph" else _rows(answer.body))
    except (ValueError, KeyError, TypeError, SyntaxError):
        return Bag(name, request.variant, answer.status, 0, "unreadable")
    cut = bool(limit) and len(lines) == limit
    digest = "" if cut else hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return Bag(name, request.variant, answer.status, len(lines), digest)


def collect(samples: Iterable[Request], fetch: Callable[[Request], Answered]) -> Iterator[Bag]:
    """Yield the bags of some requests, each asked with *fetch*."""
    for request in samples:
        yield bag(request, fetch(request))


def differences(found: Mapping[str, Sequence[Bag]]) -> list[dict[str, Any]]:
    """Return where targets differ from the first of *found*, which maps a target to its bags.

    A question that a target was not asked is no difference.
    """
    targets = iter(found.items())
    reference, expected = next(targets)
    right = {(one.template, one.variant): one for one in expected}
    return [
        {"target": target, "reference": reference, "expected": right[one.template, one.variant].values()}
        | {"found": one.values()}
        for target, bags in targets
        for one in bags
        if (one.template, one.variant) in right and one != right[one.template, one.variant]
    ]


def _rows(body: bytes) -> Iterator[str]:
    document = json.loads(body)
    verdict = boolean(document)
    if verdict is not None:
        yield str(verdict)
        return
    for row in document["results"]["bindings"]:
        yield "\t".join(f"{name}={_term(row[name])}" for name in sorted(row))


def _term(value: Mapping[str, str]) -> str:
    if value["type"] not in _LITERALS:
        return f"{value['type']} {value['value']}"
    return _literal(value["value"], value.get("datatype", ""), value.get("xml:lang", ""))


def _literal(text: str, datatype: str, language: str) -> str:
    """Return a literal so that the spellings of one number are one, and those of a plain string too."""
    if datatype in _NUMBERS:
        # Nine digits: sums of decimals are exact in one engine and floating in another.
        return f"number {float(text):.9g}"
    return f"literal {text!r} {language.lower()} {datatype.removeprefix(_XSD + 'string')}"


def _triples(body: bytes) -> Iterator[str]:
    # rdflib-endpoint answers with RDF/XML whatever is asked for.
    format_ = ox.RdfFormat.RDF_XML if body.startswith(b"<?xml") else ox.RdfFormat.N_TRIPLES
    found = {quad.triple for quad in ox.parse(body, format=format_)}
    for triple in found:
        value = triple.object
        if isinstance(value, ox.Literal):
            shown = _literal(
                value.value, value.datatype.value.removesuffix("langString"), value.language or ""
            )
        else:
            shown = str(value)
        yield f"{triple.subject} {triple.predicate} {shown}"
