"""What a query or an update may do, decided on its tokens before the engine sees it.

The engine has neither a nesting limit nor an egress switch: a deeply nested text ends its process, and
SERVICE and LOAD open connections.  They are refused here, in clear words; the processes that evaluate texts
are the wall behind it.  A text that this module can't read for sure passes, and its outline says so: the
engine knows best what does not parse.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from medkg.domain.errors import QueryRefused, QuerySyntaxError, TooLarge
from medkg.domain.namespaces import PREFIXES
from medkg.store.hints import unknown_prefix
from medkg.store.names import Name, Names
from medkg.store.operations import Operation, operations
from medkg.store.tokens import Place, Token, Tokens, place, places, read

__all__ = ["Limits", "Outline", "UpdateOutline", "check", "check_update", "outline", "undeclared"]

_STACKING: Final = ("OPTIONAL", "UNION", "MINUS", "BIND", "EXISTS", "LATERAL")
_MAX_OPERATORS: Final = 1000
_MAX_PARTS: Final = 2000
"""The engine plans some of them in a time that grows with their square: 0.2 to 2 seconds for so many."""
_MAX_NAMES: Final = 200
_SILENT: Final = re.compile(r"LOAD\s+SILENT\s", re.IGNORECASE)
_FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_VOLATILE: Final = ("NOW", "RAND", "UUID", "BNODE")
_DATA: Final = frozenset({"data", "row", "ground"})
_GRAPH_FOLLOWS: Final = frozenset({"GRAPH", "FROM", "NAMED", "DESCRIBE"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long (bytes of UTF-8) and how deep (nested brackets) a text may be.

    In a *walled* process, which reaches nothing, ``LOAD SILENT`` may pass: it fails there, and silently.
    With *calls* every SERVICE and LOAD passes, for who will put what came of them in their place.
    """

    max_bytes: int = 100_000
    max_depth: int = 100
    walled: bool = False
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What is to be known of a query.

    *form* is its first keyword in lower case, "" when it has none, *start* the index of its token; *parts*
    are groups, expressions in brackets and described things; *services* are places.  *volatile* queries have
    another answer each time.  One that *reads_named* graphs may look into others than the default graph.
    The IRIs are absolute; *prefixes* are those of medkg that it may use and does not declare.  A *doubtful*
    query may be another one to the engine than its *tokens* say.  *words* are in upper case.
    """

    form: str
    start: int
    depth: int
    operators: int
    parts: int
    services: tuple[Place, ...]
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    has_dataset: bool
    reads_named: bool
    volatile: bool
    names: tuple[Name, ...]
    prefixes: Mapping[str, str]
    doubtful: bool
    tokens: Tokens
    words: frozenset[str]

    def iri(self, text: str) -> str | None:
        """Return the absolute IRI that a name stands for, or None."""
        return next((name.iri for name in self.names if name.text == text), None)


@dataclass(frozen=True, slots=True)
class UpdateOutline:
    """What is to be known of an update.

    *touched* are the graphs that it may change (None: any), *writes_default* tells whether that includes the
    default graph, *has_with* and *reads_using* whether it names what it reads.  *operations* are those of a
    text without a doubt.
    """

    depth: int
    operators: int
    parts: int
    services: tuple[Place, ...]
    loads: tuple[Place, ...]
    touched: frozenset[str] | None
    writes_default: bool
    has_with: bool
    reads_using: bool
    names: tuple[Name, ...]
    doubtful: bool
    operations: tuple[Operation, ...] = ()


def check(text: str, limits: Limits, base: str = "") -> Outline:
    """Return the outline of a query that may run; *base* is what its relative IRIs are relative to.

    :raises TooLarge: it is longer than ``max_bytes``, nested deeper than ``max_depth``, or too busy.
    :raises QueryRefused: it names a SERVICE.
    :raises QuerySyntaxError: it has an undeclared prefix, or can't be written in UTF-8.
    """
    _check_size(text, limits, "query")
    scan = _Scan(text, "query", base)
    _check_work(scan, limits)
    if not limits.calls:
        _refuse(scan.services, "SERVICE", "Ask the other endpoint yourself and join the answers.")
    scan.insist()
    return scan.outline()


def check_update(text: str, limits: Limits, base: str = "") -> UpdateOutline:
    """Return the outline of an update that may run; see :func:`check`.

    :raises TooLarge, QuerySyntaxError: see :func:`check`.
    :raises QueryRefused: it names a SERVICE, or has a LOAD.
    """
    _check_size(text, limits, "update")
    scan = _Scan(text, "update", base)
    _check_work(scan, limits)
    if not limits.calls:
        _refuse(scan.services, "SERVICE", "Ask the other endpoint yourself and write what it answers.")
        _refuse(
            scan.loud_loads if limits.walled else scan.loads,
            "LOAD",
            "Fetch the document yourself and send it to the graph store.",
        )
    scan.insist()
    return scan.update_outline()


def outline(text: str) -> Outline:
    """Return the outline of any query, whether it may run or not."""
    return _Scan(text, "query").outline()


def undeclared(names: Names, token: Token, text: str, what: str) -> QuerySyntaxError:
    """Return the error for a name whose prefix is not declared; *what* is query or update."""
    prefix = token.text.partition(":")[0]
    if prefix in {"http", "https", "urn"}:
        reason = "An IRI stands between < and >, without spaces or quotes."
        remedy = "Mend it."
    else:
        reason = f"The prefix {prefix}: is not declared."
        guess = unknown_prefix(prefix, names.prefixes)
        remedy = f"{guess} Add PREFIX {prefix}: <...> at the top.".strip()
    return _syntax_error(place(text, token.start), f"{what} does not parse", reason, remedy)


def _syntax_error(where: Place, what: str, reason: str, remedy: str) -> QuerySyntaxError:
    return QuerySyntaxError(
        f"The {what} at line {where.line}, column {where.column}. {reason}",
        line=where.line,
        column=where.column,
        remedy=remedy,
    )


def _check_size(text: str, limits: Limits, what: str) -> None:
    try:
        # A character has one byte at least, so a huge text is refused without another copy of it.
        size = len(text) if len(text) > limits.max_bytes else len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        where = place(text, error.start)
        reason = f"{text[error.start]!r} is half a character."
        raise _syntax_error(where, f"{what} does not parse", reason, "Remove it.") from None
    if size > limits.max_bytes:
        raise TooLarge(
            f"The {what} has {size:,} bytes; the limit is {limits.max_bytes:,}.",
            remedy=f"Send a shorter {what}.",
        )


def _check_work(scan: "_Scan", limits: Limits) -> None:
    if scan.reading.depth > limits.max_depth:
        raise TooLarge(
            f"The {scan.what} is nested {scan.reading.depth} levels deep; the limit is {limits.max_depth}.",
            remedy="Flatten the nested groups or brackets.",
        )
    for number, limit, what in (
        (scan.operators, _MAX_OPERATORS, "operators"),
        (scan.parts, _MAX_PARTS, "groups and expressions in brackets"),
    ):
        if number > limit:
            raise TooLarge(
                f"The {scan.what} has {number:,} {what}; the limit is {limit:,}.",
                remedy="Use VALUES or several smaller requests.",
            )


def _refuse(found: Sequence[Place], keyword: str, remedy: str) -> None:
    if found:
        line, column = found[0]
        raise QueryRefused(
            f"{keyword} (line {line}, column {column}) is not allowed: this endpoint calls no other.",
            remedy=remedy,
        )


class _Scan:
    """One pass over the tokens of a text."""

    def __init__(self, text: str, what: str, base: str = "") -> None:
        self.what = what
        self.reading = read(text)
        self.form = ""
        self._start = 0
        self.operators = self.parts = 0
        self._text = text
        self._base = base
        self._names = Names(base)
        self._volatile = self._glued = self._reads_named = False
        self._words: set[str] = set()
        self._called: list[int] = []
        self._loaded: list[int] = []
        self._used: dict[str, tuple[str, int]] = {}
        self._graphs: tuple[list[str], list[str]] = ([], [])
        self._undeclared: Token | None = None
        self._has_dataset = False
        self._run()
        self.services = tuple(places(text, self._called))
        self.loads = tuple(places(text, self._loaded))
        self.loud_loads = tuple(places(text, [at for at in self._loaded if not _SILENT.match(text, at)]))

    def outline(self) -> Outline:
        """Return what was found, of a query."""
        doubtful = self._doubtful
        return Outline(
            form=self.form,
            start=self._start,
            depth=self.reading.depth,
            operators=self.operators,
            parts=self.parts,
            services=self.services,
            default_graphs=tuple(self._graphs[0]),
            named_graphs=tuple(self._graphs[1]),
            has_dataset=self._has_dataset or (doubtful and "FROM" in self._text.upper()),
            reads_named=self._reads_named or self._has_dataset or doubtful,
            volatile=self._volatile or doubtful,
            names=self._found_names(),
            prefixes=PREFIXES if doubtful else self._names.assumed,
            doubtful=doubtful,
            tokens=self.reading.tokens,
            words=frozenset(self._words),
        )

    def update_outline(self) -> UpdateOutline:
        """Return what was found, of an update."""
        found = operations(self.reading, len(self._text), self._base)
        doubtful = self._doubtful or found.doubt is not None
        graphs: set[str] | None = None if doubtful else set()
        for item in found.items:
            graphs = None if graphs is None or item.graphs is None else graphs | item.graphs
        return UpdateOutline(
            depth=self.reading.depth,
            operators=self.operators,
            parts=self.parts,
            services=self.services,
            loads=self.loads,
            touched=None if graphs is None else frozenset(graphs),
            writes_default=doubtful or any(item.default for item in found.items),
            has_with=any(item.with_ for item in found.items),
            reads_using=any(item.using for item in found.items),
            names=self._found_names(),
            doubtful=doubtful,
            operations=() if doubtful else found.items,
        )

    def insist(self) -> None:
        """Refuse a prefix that is not declared.

        :raises QuerySyntaxError: there is one, and no doubt that it is one.
        """
        token, doubt = self._undeclared, self.reading.doubt
        if token is not None and (doubt is None or token.start < doubt):
            raise undeclared(self._names, token, self._text, self.what)

    @property
    def _doubtful(self) -> bool:
        return self._glued or self.reading.doubt is not None

    def _found_names(self) -> tuple[Name, ...]:
        used = islice(self._used.items(), _MAX_NAMES)
        return tuple(Name(text, iri, start, self._text) for text, (iri, start) in used)

    def _run(self) -> None:
        tokens = self.reading.tokens
        index = self._start = self._names.declare(tokens, 0)
        if index < len(tokens):
            first = tokens[index].text.upper()
            self.form = next((form.lower() for form in _FORMS if first.startswith(form)), "")
        kinds, texts, insides = tokens.kinds, tokens.texts, tokens.insides
        used = self._used
        while index < len(kinds):
            kind = kinds[index]
            if kind == "word":
                self._word(index)
            elif kind in {"name", "iri"}:
                self.parts += not insides[index]
                if texts[index] not in used:
                    self._name(index)
            elif kind == "open":
                self.parts += insides[index] not in _DATA
            elif kind == "operator":
                self.operators += insides[index] not in _DATA
            elif kind == "mark" and not insides[index] and texts[index] == ";":
                # Behind an operation of an update there may be declarations.
                index = self._names.declare(tokens, index + 1) - 1
            index += 1

    def _word(self, index: int) -> None:
        tokens = self.reading.tokens
        word = tokens.texts[index].upper()
        self._words.add(word)
        # The engine needs no space between words.
        self.operators += word.count("-") + word.endswith(_STACKING)
        if word.endswith(_VOLATILE):
            self._volatile = True
        if "GRAPH" in word:
            self._reads_named = True
        if "SERVICE" in word:
            self._called.append(tokens.starts[index])
            self._volatile = True
        if not tokens.insides[index]:
            if word.startswith("LOAD"):
                self._loaded.append(tokens.starts[index])
            elif word in {"FROM", "FROMNAMED"}:
                self._from(index, named=word == "FROMNAMED")

    def _from(self, index: int, *, named: bool) -> None:
        """Read a dataset clause (SPARQL 1.1 Query, section 13.2)."""
        self._has_dataset = True
        following = self.reading.tokens[index + 1 : index + 3]
        if following and following[0].is_("NAMED"):
            named = True
            following = following[1:]
        iri = self._names.expand(following[0]) if following and following[0].kind in {"iri", "name"} else None
        if iri is not None:
            self._graphs[named].append(iri)

    def _name(self, index: int) -> None:
        token = self.reading.tokens[index]
        iri = self._names.expand(token)
        prefix = token.text.partition(":")[0].upper() if token.kind == "name" else ""
        if "GRAPH" in prefix:
            self._reads_named = True
        if "SERVICE" in prefix:
            self._maybe_service(index)
        elif iri is not None:
            self._used[token.text] = (iri, token.start)
        if iri is None and token.kind == "name":
            if not token.inside and prefix.startswith("LOAD"):
                self._loaded.append(token.start)
            if self._undeclared is None and not self._glued:
                self._glued = self._names.hides(token)
                self._undeclared = None if self._glued else token

    def _maybe_service(self, index: int) -> None:
        """Find the SERVICE that is glued to its name, as in ``SERVICEex:a{}``."""
        token, *after = self.reading.tokens[index : index + 2]
        if after and after[0].text == "{" and not self.reading.tokens[index - 1].is_(*_GRAPH_FOLLOWS):
            self._called.append(token.start)
            self._volatile = True
