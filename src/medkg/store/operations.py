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
from medkg.store.tokens import Reading, Token, place, read

__all__ = ["Operation", "Operations", "operations", "with_using"]

_END: Final = Token("end", "", 0, "")


@dataclass(slots=True)
class Operation:
    """One operation: its keywords, where it starts, and what it may change.

    *graphs* are the named graphs that it may change (None: any), *default* tells whether it may change the
    default graph.  *where* is where its WHERE starts, *pattern* the braces of a DELETE WHERE.
    """

    verb: str
    start: int
    graphs: frozenset[str] | None = frozenset()
    default: bool = False
    with_: bool = False
    using: bool = False
    where: int | None = None
    pattern: tuple[int, int] | None = None


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
    def __init__(self, tokens: Sequence[Token], length: int, base: str) -> None:
        self._tokens = tokens
        self._length = length
        self._index = 0
        self._names = Names(base)
        self.items: list[Operation] = []

    def run(self) -> None:
        """Read to the end.

        :raises _Doubt: something is not understood.
        """
        while True:
            self._index = self._names.declare(self._tokens, self._index)
            if self._token.kind == "end":
                return
            self.items.append(self._operation())
            if self._token.kind != "end":
                self._sign(";")

    @property
    def _token(self) -> Token:
        return self._tokens[self._index] if self._index < len(self._tokens) else _END

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
        item = Operation(word, token.start)
        if word in {"LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY"}:
            self._word("SILENT")
            self._management(item)
        elif word == "WITH":
            item.with_ = True
            self._modify(item, self._iri())
        elif word in {"INSERT", "DELETE"} and self._word("DATA"):
            item.verb = f"{word} DATA"
            self._quads(item, None)
        elif word == "DELETE" and self._token.is_("WHERE"):
            item.verb = "DELETE WHERE"
            item.where = self._next().start
            start = self._token.start
            self._quads(item, None)
            item.pattern = (start, self._tokens[self._index - 1].start + 1)
        elif word in {"INSERT", "DELETE"}:
            self._index -= 1
            self._modify(item, None)
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

    def _modify(self, item: Operation, graph: str | None) -> None:
        item.verb = "MODIFY"
        deletes = self._word("DELETE")
        if deletes:
            self._quads(item, graph)
        if self._word("INSERT"):
            self._quads(item, graph)
        elif not deletes:
            self._stop()
        while self._word("USING"):
            item.using = True
            self._word("NAMED")
            self._iri()
        item.where = self._token.start
        if not self._word("WHERE"):
            self._stop()
        self._group()

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

    def _quads(self, item: Operation, graph: str | None) -> None:
        """Read quads in braces; those outside GRAPH belong to *graph* (None: the default graph)."""
        self._sign("{")
        while (token := self._token).text != "}":
            if token.kind == "end" or (token.kind == "open" and token.text == "{"):
                self._stop()
            self._index += 1
            if token.is_("GRAPH"):
                self._block(item)
            elif token.text != ".":
                self._written(item, graph)
        self._index += 1

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
