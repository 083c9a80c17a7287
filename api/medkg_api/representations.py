"""Entities as JSON: the terms of the one JSON-LD context, with labels and sources beside the values."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rdflib.namespace import RDF, XSD
from rdflib.term import Literal, URIRef

from medkg.domain.namespaces import PREFIXES, compact
from medkg.services.explore import Item, Page, Statement

__all__ = ["JsonLd"]

_NATIVE: Mapping[str, Callable[[str], Any]] = {
    str(XSD.integer): int,
    str(XSD.boolean): lambda text: text in {"true", "1"},
}


@dataclass(frozen=True)
class JsonLd:
    """Writes items with the terms of a JSON-LD context: its file, and the address it is served under."""

    path: Path
    address: str

    def item(self, item: Item) -> dict[str, Any]:
        """Return an item as a JSON-LD object.

        Beside the statements it has ``label`` (in the asked language) here and on every linked entity, and
        ``sources`` and ``said_by``, which say who states what; the context leaves these three out of the RDF.
        """
        return {"@context": self.address, **self._body(item)}

    def page(self, page: Page, links: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of a list: its items and where it stands."""
        return {
            "@context": self.address,
            "total": page.total,
            "page": page.page,
            "pages": page.pages,
            "size": page.size,
            "links": dict(links),
            "items": [self._body(item) for item in page.items],
        }

    def _body(self, item: Item) -> dict[str, Any]:
        asserted = [entry for entry in item.statements if not entry.inferred]
        body: dict[str, Any] = {
            "id": str(item.iri),
            "type": [self._name(name) for name in item.classes] or None,
            "label": item.label,
        }
        for entry in asserted:
            if entry.predicate != RDF.type:
                self._put(body, entry)
        body["sources"] = [
            {"id": str(graph), "title": note.title, "addresses": list(note.addresses)}
            for graph, note in item.sources.items()
        ]
        body["said_by"] = self._said_by(asserted)
        return {name: value for name, value in body.items() if value is not None}

    def _put(self, body: dict[str, Any], entry: Statement) -> None:
        name = self._name(entry.predicate)
        rule = self._terms.get(name, {})
        value = entry.value
        if isinstance(value, Literal) and value.language and rule.get("@container") == "@language":
            texts = body.setdefault(name, {})
            known = texts.get(value.language)
            # Several texts in one language become a list (JSON-LD 1.1, section 4.6.2).
            texts[value.language] = str(value) if known is None else [*_listed(known), str(value)]
        else:
            body.setdefault(name, []).append(_value(entry, rule))

    def _said_by(self, asserted: Sequence[Statement]) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for entry in asserted:
            name = "type" if entry.predicate == RDF.type else self._name(entry.predicate)
            found.setdefault(name, set()).update(map(str, entry.graphs))
        return {name: sorted(graphs) for name, graphs in found.items()}

    def _name(self, iri: URIRef) -> str:
        return self._names.get(str(iri)) or compact(str(iri))

    @cached_property
    def _terms(self) -> Mapping[str, Mapping[str, str]]:
        context = json.loads(self.path.read_text(encoding="utf-8"))["@context"]
        found = {}
        for name, rule in context.items():
            entry = {"@id": rule} if isinstance(rule, str) else rule
            if isinstance(entry, dict) and not str(entry.get("@id", "@")).startswith("@"):
                found[name] = entry
        return found

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {_expand(rule["@id"]): name for name, rule in self._terms.items() if "@reverse" not in rule}


def _expand(name: str) -> str:
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local if prefix in PREFIXES else name


def _value(entry: Statement, rule: Mapping[str, str]) -> Any:
    value = entry.value
    if not isinstance(value, Literal):
        return {"id": str(value), "label": entry.label}
    if value.language:
        return {"@value": str(value), "@language": value.language}
    datatype = str(value.datatype) if value.datatype else None
    coerced = _expand(rule["@type"]) if "@type" in rule else None
    if datatype is not None and datatype in _NATIVE and coerced in {None, datatype}:
        return _NATIVE[datatype](str(value))
    if datatype == coerced:
        return str(value)
    return {"@value": str(value), "@type": datatype or str(XSD.string)}


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
