"""What the contexts of a JSON-LD document say, and what in it may not be read, or would be lost."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.jsontree import Value, read_json
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.values import check_base, check_iri, has_scheme

__all__ = ["Names", "check_data", "names_of"]

_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_MAPS: Final = frozenset({"@language", "@index", "@id", "@type", "@graph"})
"""Containers whose values are objects with keys that are no terms (JSON-LD 1.1, section 4.6)."""


@dataclass(slots=True)
class Names:
    """The terms that any context of a document defines, with what each stands for.

    *aliases* are the terms for keywords (*keys* the other way round), *maps* those whose values have free
    keys, *raw* those of JSON.
    *any_context*, *vocabulary* and *base* say whether there is a context, an ``@vocab``, an ``@base``.
    """

    terms: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    maps: set[str] = field(default_factory=set)
    raw: set[str] = field(default_factory=set)
    any_context: bool = False
    vocabulary: bool = False
    base: bool = False

    def keyword(self, key: str) -> str:
        """Return the keyword that a key stands for, or the key itself."""
        return self.aliases.get(key, key)

    def member(self, value: Value, keyword: str) -> Value | None:
        """Return the member of an object under a keyword or one of its aliases, if it has one."""
        for key in (keyword, *self.keys.get(keyword, ())):
            if key in value.members:
                return value.members[key]
        return None

    def can_mean(self, key: str, iri: str) -> bool:
        """Tell whether a key can stand for that IRI, in one context or another."""
        return any(_can_be(iri, written) for written in self.terms.get(key) or {key})


def _can_be(iri: str, written: str) -> bool:
    """Tell whether that IRI may have been written so: as it is, or behind a prefix or a vocabulary."""
    name = written.rpartition(":")[2]
    return iri == written or (name != "" and iri.endswith(name))


def names_of(root: Value, lines: Lines, limits: Limits, contexts: Mapping[str, bytes]) -> Names:
    """Return what the contexts of a document define, those in *contexts* by their bytes.

    :raises Refusal: a context would have to be fetched, or makes IRIs relative to a file.
    """
    names = Names()
    waiting = [(value, lines) for value in _contexts(root)]
    names.any_context = bool(waiting)
    while waiting:
        value, where = waiting.pop()
        if value.kind == "array":
            waiting.extend((item, where) for item in value.items)
        elif value.kind == "string":
            if value.text not in contexts:
                raise Refusal("F-66", value.place(where), iri=value.text)
            known = contexts[value.text].decode()
            whole = read_json(known, Lines(known), limits)
            waiting.extend((inner, Lines(known)) for inner in _contexts(whole))
        elif value.kind == "object":
            _define(value, where, names)
    return names


def _contexts(root: Value) -> Iterator[Value]:
    """Yield the values of every ``@context``, those inside other contexts included."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        for key, member in value.members.items():
            if key == "@context":
                yield member
            waiting.append(member)
        waiting.extend(value.items)


def _define(context: Value, lines: Lines, names: Names) -> None:
    for term, definition in context.members.items():
        if term == "@import":
            raise Refusal("F-66", definition.place(lines), iri=definition.text)
        if term == "@base" and definition.kind == "string":
            check_base(definition.text, partial(definition.place, lines))
            names.base = names.base or has_scheme(definition.text)
        elif term == "@vocab":
            names.vocabulary = names.vocabulary or definition.kind == "string"
        elif not term.startswith("@"):
            _define_term(term, definition, names)


def _define_term(term: str, definition: Value, names: Names) -> None:
    meanings = names.terms.setdefault(term, set())
    target = definition if definition.kind == "string" else definition.members.get("@id")
    if target is not None and target.kind == "string":
        meanings.add(target.text)
        if target.text.startswith("@"):
            names.aliases[term] = target.text
            if term not in names.keys.setdefault(target.text, []):
                names.keys[target.text].append(term)
    container = definition.members.get("@container")
    if container is not None:
        kinds = {container.text, *(item.text for item in container.items)}
        if kinds & _MAPS:
            names.maps.add(term)
    coerced = definition.members.get("@type")
    if coerced is not None and coerced.text == "@json":
        names.raw.add(term)


def check_data(  # noqa: PLR0913 - a document, and all that it is judged by
    root: Value, names: Names, lines: Lines, limits: Limits, flaws: Flaws, *, base: bool
) -> None:
    """Warn of keys and types that mean nothing, and so would be lost without a word.

    *base* says whether there is an IRI that relative ones are relative to.

    :raises Refusal: an identifier is no usable IRI; the parser would leave out what is said of it.
    """
    waiting = [(root, False)]
    while waiting:
        value, free = waiting.pop()
        children = [(item, free) for item in value.items]
        for key, member in value.members.items():
            keyword = names.keyword(key)
            if keyword == "@context" or key in names.raw:
                continue
            if not free and _meaningless(key, names):
                if not flaws.full("F-67"):
                    place = lines.place(member.key_start, member.end, pointer=member.pointer())
                    flaws.add("F-67", place, key=key)
                continue
            if keyword == "@id" and member.kind == "string" and not free:
                _check_identifier(member, lines, limits, base=base or names.base)
            elif keyword == "@language" and member.kind == "string" and not _LANGUAGE.fullmatch(member.text):
                raise Refusal("F-46", member.place(lines), found=member.text)
            elif keyword == "@type" and not free:
                _check_types(member, names, lines, flaws)
            if keyword != "@value":
                children.append((member, key in names.maps))
        waiting.extend(reversed(children))


def _check_types(member: Value, names: Names, lines: Lines, flaws: Flaws) -> None:
    for kind in member.items or [member]:
        if kind.kind == "string" and _meaningless(kind.text, names):
            flaws.add("F-67", kind.place(lines), key=kind.text)


def _check_identifier(member: Value, lines: Lines, limits: Limits, *, base: bool) -> None:
    if member.text.startswith("_:"):
        return
    check_iri(member.text, lambda: member.place(lines), limits)
    if not base and ":" not in member.text:
        raise Refusal("F-35", member.place(lines), iri=member.text)


def _meaningless(key: str, names: Names) -> bool:
    known = key in names.terms or names.vocabulary
    return not known and ":" not in key and not key.startswith("@")
