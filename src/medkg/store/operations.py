"""What an update does: its operations, the graphs that each may change, and where its dataset clauses go.

The reading is strict: it takes no word that is glued to another, so whatever the engine may understand in
another way ends it, and then nothing is known of the update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from medkg.domain.errors import CallError
from medkg.store.names import Names
from medkg.store.terms import graph_name
from medkg.store.tokens import Reading, Token, Tokens, place, read

__all__ = ["Operation", "Operations", "operations", "with_using"]

Span = tuple[int, int]
"""Where a piece of a text starts, and where it has ended."""

_END: Final = Token("end", "", 0, "")


@dataclass(slots=True)
class Operation:
    """One operation: its keywords, where it starts and ends, and what it may change.

    *graphs* are the named graphs that it may change (None: any), *default* tells whether it may change the
    default graph.  *where* is where its WHERE starts, *pattern* the braces of a DELETE WHERE.

    *deletes* and *inserts* are the braces of its templates or data, *group* those of its WHERE.  *home* is
    the graph of WITH, *dataset* what USING and USING NAMED name, *variables* are those of the templates.
    *fresh* tells whether each solution may make blank nodes.  *prologue* are the declarations before it.
    """

    verb: str
    start: int
    graphs: frozenset[str] | None = frozenset()
    default: bool = False
    with_: bool = False
    using: bool = False
    where: int | None = None
    pattern: Span | None = None
    end: int = 0
    deletes: Span | None = None
    inserts: Span | None = None
    group: Span | None = None
    home: str | None = None
    dataset: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    variables: tuple[str, ...] = ()
    fresh: bool = False
    prologue: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations that were read, and where the reading ended before the end (None: it did not)."""

    items: tuple[Operation, ...]
    doubt: int | None


class _Doubt(Exception):
    """Raised at a token that is not understood."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def operations(reading: Reading, length: int, base: str = "") -> Operations:
    """Read the operations of an update (SPARQL 1.1 Update, section 4.1); *length* is that of the text."""
    parser = _Parser(reading.tokens, length, base)
    doubt = reading.doubt
    try:
        parser.run()
    except _Doubt as stop:
        doubt = stop.at if doubt is None else min(doubt, stop.at)
    return Operations(tuple(parser.items), doubt)


class _Parser:
    def __init__(self, tokens: Tokens, length: int, base: str) -> None:
        self._tokens = tokens
        self._length = length
        self._index = 0
        self._names = Names(base)
        self._prologue: tuple[Span, ...] = ()
        self.items: list[Operation] = []

    def run(self) -> None:
        """Read to the end.

        :raises _Doubt: something is not understood.
        """
        while True:
            first = self._index
            self._index = self._names.declare(self._tokens, first)
            if self._index > first:
                self._prologue = (*self._prologue, self._span(first))
            if self._token.kind == "end":
                return
            first = self._index
            item = self._operation()
            item.end = self._span(first)[1]
            self.items.append(item)
            if self._token.kind != "end":
                self._sign(";")

    @property
    def _token(self) -> Token:
        return self._tokens[self._index] if self._index < len(self._tokens) else _END

    def _span(self, first: int) -> Span:
        """Return where the tokens from *first* up to here stand."""
        last = self._tokens[self._index - 1]
        return self._tokens[first].start, last.start + len(last.text)

    def _next(self) -> Token:
        token = self._token
        self._index += 1
        return token

    def _word(self, *words: str) -> bool:
        """Take one of these words if it is next."""
        found = self._token.is_(*words)
        self._index += found
        return found

    def _sign(self, sign: str) -> Token:
        if self._token.text != sign or self._token.kind not in {"open", "close", "mark"}:
            self._stop()
        return self._next()

    def _stop(self) -> NoReturn:
        raise _Doubt(self._length if self._token.kind == "end" else self._token.start)

    def _iri(self) -> str:
        token = self._token
        iri = self._names.expand(token) if token.kind in {"iri", "name"} else None
        if iri is None:
            self._stop()
        self._index += 1
        return iri

    def _operation(self) -> Operation:
        token = self._next()
        word = token.text.upper() if token.kind == "word" else ""
        item = Operation(word, token.start, prologue=self._prologue)
        if word in {"LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY"}:
            self._word("SILENT")
            self._management(item)
        elif word == "WITH":
            item.with_ = True
            item.home = self._iri()
            self._modify(item)
        elif word in {"INSERT", "DELETE"} and self._word("DATA"):
            item.verb = f"{word} DATA"
            braces = self._quads(item)
            item.deletes, item.inserts = (braces, None) if word == "DELETE" else (None, braces)
        elif word == "DELETE" and self._token.is_("WHERE"):
            item.verb = "DELETE WHERE"
            item.where = self._next().start
            item.pattern = item.deletes = item.group = self._template(item)
        elif word in {"INSERT", "DELETE"}:
            self._index -= 1
            self._modify(item)
        else:
            self._index -= 1
            self._stop()
        return item

    def _management(self, item: Operation) -> None:
        if item.verb in {"ADD", "MOVE", "COPY"}:
            source = self._target(optional=True)
            if not self._word("TO"):
                self._stop()
            targets = [self._target(optional=True)] + ([source] if item.verb == "MOVE" else [])
        elif item.verb == "LOAD":
            self._iri()
            targets = [self._target()] if self._word("INTO") else [None]
        elif item.verb != "CREATE" and self._word("ALL", "NAMED"):
            item.graphs = None
            item.default = self._tokens[self._index - 1].is_("ALL")
            return
        elif item.verb != "CREATE" and self._word("DEFAULT"):
            targets = [None]
        else:
            targets = [self._target()]
        item.graphs = frozenset(target for target in targets if target is not None)
        item.default = None in targets

    def _target(self, *, optional: bool = False) -> str | None:
        """Read GRAPH and its name; with *optional*, also a name alone, or DEFAULT (None)."""
        if optional and self._word("DEFAULT"):
            return None
        if not self._word("GRAPH") and not optional:
            self._stop()
        return self._iri()

    def _modify(self, item: Operation) -> None:
        item.verb = "MODIFY"
        if self._word("DELETE"):
            item.deletes = self._template(item)
        if self._word("INSERT"):
            item.inserts = self._template(item)
        elif item.deletes is None:
            self._stop()
        while self._word("USING"):
            item.using = True
            default, named = item.dataset
            if self._word("NAMED"):
                item.dataset = default, (*named, self._iri())
            else:
                item.dataset = (*default, self._iri()), named
        item.where = self._token.start
        if not self._word("WHERE"):
            self._stop()
        first = self._index
        self._group()
        item.group = self._span(first)

    def _template(self, item: Operation) -> Span:
        """Read a template; keep what of it is not the same for each solution."""
        first = self._index
        braces = self._quads(item)
        tokens = [self._tokens[index] for index in range(first, self._index)]
        names = (token.text[1:] for token in tokens if token.kind == "variable")
        item.variables = tuple(dict.fromkeys((*item.variables, *names)))
        item.fresh |= any(
            token.kind == "label" or (token.kind == "open" and token.text != "{") or token.text == "~"
            for token in tokens
        )
        return braces

    def _group(self) -> None:
        """Pass over a group with all in it."""
        depth = 0
        while True:
            token = self._next()
            if token.kind == "end":
                self._index -= 1
                self._stop()
            depth += (token.text == "{" and token.kind == "open") - (token.text == "}")
            if depth == 0:
                return

    def _quads(self, item: Operation) -> Span:
        """Read quads in braces; return where these stand."""
        first = self._index
        self._sign("{")
        while (token := self._token).text != "}":
            if token.kind == "end" or (token.kind == "open" and token.text == "{"):
                self._stop()
            self._index += 1
            if token.is_("GRAPH"):
                self._block(item)
            elif token.text != ".":
                self._written(item, item.home)
        self._index += 1
        return self._span(first)

    def _block(self, item: Operation) -> None:
        if self._token.kind == "variable":
            self._index += 1
            item.graphs = None
        else:
            self._written(item, self._iri())
        self._sign("{")
        while (token := self._next()).text != "}":
            if token.kind == "end" or (token.kind == "open" and token.text == "{"):
                self._index -= 1
                self._stop()

    def _written(self, item: Operation, graph: str | None) -> None:
        if graph is None:
            item.default = True
        elif item.graphs is not None:
            item.graphs |= {graph}


def with_using(
    text: str, using_graphs: Sequence[str], using_named_graphs: Sequence[str], base: str = ""
) -> str:
    """Return an update whose WHERE clauses read these graphs (SPARQL 1.1 Protocol, section 2.2.3).

    :raises CallError: the update says itself what it reads, by USING or WITH, or can't be read.
    :raises ParameterError: a graph name is no IRI.
    """
    clauses = "".join(
        f"{keyword} <{graph_name(graph, name).value}> "
        for keyword, name, graphs in (
            ("USING", "using-graph-uri", using_graphs),
            ("USING NAMED", "using-named-graph-uri", using_named_graphs),
        )
        for graph in graphs
    )
    if not clauses:
        return text
    found = operations(read(text), len(text), base)
    for item in found.items:
        if item.with_ or item.using:
            line, column = place(text, item.start)
            raise CallError(
                f"The operation at line {line}, column {column} has USING or WITH, and so has the request.",
                remedy="Name the graphs in one of the two places.",
            )
    if found.doubt is not None:
        line, column = place(text, found.doubt)
        raise CallError(
            f"The update can't be read at line {line}, column {column}, to put the graphs of the request in.",
            remedy="Mend the update, put spaces between its words, or write USING in it.",
        )
    return _placed(text, found.items, clauses)


def _placed(text: str, items: Sequence[Operation], clauses: str) -> str:
    pieces, done = [], 0
    for item in items:
        if item.where is None:
            continue
        pieces.append(text[done : item.where])
        done = item.where
        if item.pattern is not None:
            # DELETE WHERE {...} is short for DELETE {...} WHERE {...}.
            start, done = item.pattern
            pieces += [text[start:done], f" {clauses}WHERE ", text[start:done]]
        else:
            pieces.append(clauses)
    return "".join((*pieces, text[done:]))
