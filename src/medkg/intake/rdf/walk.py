"""Follows a Turtle document beside the parser: where each statement stands, and what is wrong with it.

The grammar is that of RDF 1.1 Turtle, section 6.5.  The terms of the statements are the parser's; this only
tells where they are, in the parser's order, so that the two can be held against each other.
"""

import re
from dataclasses import dataclass
from typing import Final

from medkg.domain.model import Place
from medkg.intake.rdf.flaws import Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.lookalikes import undeclared
from medkg.intake.rdf.terms_of_text import iri_of, lexical_of
from medkg.intake.rdf.tokens import Kind, Tokens
from medkg.intake.rdf.values import bad_character, check_base, has_scheme

__all__ = ["Node", "Trace", "follow"]

_LITERALS: Final = (Kind.STRING, Kind.LONG, Kind.NUMBER)
_UNFINISHED: Final = (Kind.NUMBER, Kind.WORD, Kind.NAME, Kind.ODD)
_WORD: Final = re.compile(r"[^\s;,\[\]()]++")
_QUOTES: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a"


@dataclass(slots=True)
class Node:
    """A term in the text, from *start* to just before *end*; *text* is what it should be, if known."""

    kind: str
    start: int
    end: int
    text: str | None = None


Trace = tuple[Node, Node]
"""The subject and the object of one statement."""


def follow(text: str, lines: Lines, limits: Limits, *, base: bool, plain: bool) -> list[Trace]:
    """Return where the statements of a document stand, in the order in which the parser tells them.

    *base* says whether there is an IRI that relative ones are relative to; *plain*, whether it is N-Triples.

    :raises Refusal: the document breaks the grammar, or a limit.
    """
    walk = _PlainWalk if plain else _Walk
    return walk(text, lines, limits, base).document()


class _Walk:
    def __init__(self, text: str, lines: Lines, limits: Limits, base: bool) -> None:
        self._tokens = Tokens(text)
        self._lines = lines
        self._limits = limits
        self._base = base
        self._prefixes: dict[str, str] = {}
        self._open: list[int] = []
        self._found: list[tuple[int, Node, Node]] = []

    def document(self) -> list[Trace]:
        while self._tokens.kind != Kind.END:
            self._statement()
        # Of several statements that one token completes, the parser tells the last one first.
        order = sorted(range(len(self._found)), key=lambda at: (self._found[at][0], -at))
        return [self._found[at][1:] for at in order]

    def _statement(self) -> None:
        tokens = self._tokens
        word = tokens.text.lower() if tokens.kind in {Kind.WORD, Kind.AT} else ""
        if word in {"@prefix", "prefix", "@base", "base"}:
            self._directive(word)
            return
        if word in {"version", "@version"}:
            raise self._refuse("F-24")
        if word == "graph" or tokens.is_mark("{"):
            raise self._refuse("F-25")
        self._triples()
        self._dot()

    def _directive(self, word: str) -> None:
        tokens = self._tokens
        if tokens.kind == Kind.AT and tokens.text != word:
            raise self._refuse("F-47", found=tokens.text)
        tokens.advance()
        prefix = None
        if word.endswith("prefix"):
            if tokens.kind != Kind.NAME or not tokens.text.endswith(":") or tokens.text.count(":") > 1:
                raise self._refuse("F-47", found=tokens.text or "…")
            prefix = tokens.text[:-1]
            tokens.advance()
        if tokens.kind != Kind.IRI:
            raise (
                self._stopped()
                if tokens.kind == Kind.OPEN_IRI
                else self._refuse("F-47", found=tokens.text or "…")
            )
        iri = self._iri()
        check_base(iri, self._here)
        if prefix is None:
            self._base = True
        else:
            self._prefixes[prefix] = iri
        tokens.advance()
        if word.startswith("@"):
            self._dot()

    def _dot(self) -> None:
        if not self._tokens.is_mark("."):
            raise self._not_ended()
        self._tokens.advance()

    def _triples(self) -> None:
        tokens = self._tokens
        if tokens.is_mark("["):
            subject = self._blank()
            if tokens.is_mark(".") and tokens.source[subject.start + 1 : subject.end - 1].strip():
                return
        elif tokens.is_mark("("):
            subject = self._collection(None)
        else:
            subject = self._name("F-37")
        self._predicates(subject)

    def _predicates(self, subject: Node) -> None:
        tokens = self._tokens
        while True:
            self._predicate()
            self._object(subject)
            while tokens.is_mark(","):
                tokens.advance()
                self._object(subject)
            if not tokens.is_mark(";"):
                return
            while tokens.is_mark(";"):
                tokens.advance()
            if tokens.is_mark(".]") or tokens.kind == Kind.END:
                return

    def _predicate(self) -> None:
        tokens = self._tokens
        if tokens.kind == Kind.WORD and tokens.text == "a":
            tokens.advance()
        elif tokens.kind == Kind.LABEL or tokens.is_mark("[("):
            raise self._refuse("F-38", found=tokens.text)
        else:
            self._name("F-38")

    def _object(self, subject: Node) -> None:
        tokens = self._tokens
        if tokens.is_mark("["):
            self._blank(subject)
        elif tokens.is_mark("("):
            self._collection(subject)
        elif tokens.kind in _LITERALS:
            self._literal(subject)
        else:
            truth = tokens.kind == Kind.WORD and tokens.text in {"true", "false"}
            node = self._take(tokens.text, Kind.NUMBER) if truth else self._name("F-30")
            self._tell(subject, node, tokens.index - 1)

    def _blank(self, owner: Node | None = None) -> Node:
        """Read ``[...]``; with an owner, tell that it is the owner's object where the parser tells that."""
        tokens = self._tokens
        node = Node(Kind.MARK, tokens.start, tokens.end)
        self._enter()
        if not tokens.is_mark("]"):
            self._predicates(node)
        node.end = self._leave("]")
        if owner is not None:
            self._tell(owner, node, tokens.index - 1)
        return node

    def _collection(self, owner: Node | None) -> Node:
        """Read ``(...)``; return the whole.  Each of its cells stands where its item stands."""
        tokens = self._tokens
        whole = Node(Kind.MARK, tokens.start, tokens.end)
        self._enter()
        cell = None
        while not tokens.is_mark(")"):
            if tokens.kind == Kind.END or tokens.is_mark("."):
                raise self._unclosed()
            item = Node(Kind.MARK, tokens.start, tokens.end)
            if cell is not None:
                self._tell(cell, item, tokens.index)
            elif owner is not None:
                self._tell(owner, whole, tokens.index)
            cell = item if cell is not None else whole
            self._object(cell)
            item.end = tokens.last_end
        closing = Node(Kind.IRI, tokens.start, tokens.end)
        at = tokens.index
        whole.end = self._leave(")")
        if cell is not None:
            self._tell(cell, closing, at)
        else:
            whole.kind = Kind.IRI
            if owner is not None:
                self._tell(owner, whole, at)
        return whole

    def _literal(self, subject: Node) -> None:
        tokens = self._tokens
        node = self._take(lexical_of(tokens, self._lines, self._limits), tokens.kind)
        if node.kind == Kind.NUMBER:
            self._tell(subject, node, tokens.index - 1)
            return
        node.kind = Kind.STRING
        if tokens.kind == Kind.AT:
            if tokens.source.startswith("--", tokens.end):
                raise self._refuse("F-24")
            if max(map(len, tokens.text[1:].split("-"))) > 8:  # noqa: PLR2004 - BCP 47, section 2.1
                raise self._refuse("F-46", found=tokens.text)
            tokens.advance()
        elif tokens.kind == Kind.TYPE:
            tokens.advance()
            self._name("F-30")
        elif tokens.kind == Kind.ODD and tokens.text == "@":
            raise self._refuse("F-46", found="@")
        else:
            # Only the token behind it tells the parser that the literal is complete.
            self._tell(subject, node, tokens.index)
            return
        node.end = tokens.last_end
        self._tell(subject, node, tokens.index - 1)

    def _name(self, otherwise: str) -> Node:
        """Read an IRI, a prefixed name or a blank node's label; *otherwise* is what else is refused as."""
        tokens = self._tokens
        if tokens.kind == Kind.IRI:
            iri = self._iri()
            return self._take(iri if has_scheme(iri) else None, Kind.IRI)
        if tokens.kind == Kind.NAME:
            return self._take(self._expanded(), Kind.IRI)
        if tokens.kind == Kind.LABEL:
            return self._take(None, Kind.MARK)
        if tokens.kind in _LITERALS or tokens.text in {"true", "false"}:
            raise self._refuse(otherwise, found=tokens.text)
        raise self._stopped()

    def _iri(self) -> str:
        iri = iri_of(self._tokens, self._lines, self._limits)
        if not self._base and not has_scheme(iri):
            raise self._refuse("F-35", iri=iri)
        return iri

    def _expanded(self) -> str | None:
        prefix, _, local = self._tokens.text.partition(":")
        namespace = self._prefixes.get(prefix)
        if namespace is None:
            code, values = undeclared(prefix, self._prefixes)
            raise self._refuse(code, **values)
        if "\\" in local:
            local = local.replace("\\", "")
        if len(namespace) + len(local) > self._limits.iri:
            raise self._refuse("F-23", length=len(namespace) + len(local), limit=self._limits.iri)
        return namespace + local if has_scheme(namespace) else None

    def _take(self, text: str | None, kind: str) -> Node:
        node = Node(kind, self._tokens.start, self._tokens.end, text)
        self._tokens.advance()
        return node

    def _tell(self, subject: Node, node: Node, at: int) -> None:
        """Note a statement that the parser tells with the token number *at*."""
        if len(self._found) >= self._limits.triples:
            raise Refusal("F-20", self._lines.place(node.start), limit=self._limits.triples)
        self._found.append((at, subject, node))

    def _enter(self) -> None:
        if len(self._open) >= self._limits.nesting:
            raise self._refuse("F-21", limit=self._limits.nesting)
        self._open.append(self._tokens.start)
        self._tokens.advance()

    def _leave(self, bracket: str) -> int:
        """Read a closing bracket; return the offset behind it."""
        tokens = self._tokens
        if not tokens.is_mark(bracket):
            raise self._unclosed() if tokens.kind == Kind.END or tokens.is_mark(".") else self._not_ended()
        self._open.pop()
        tokens.advance()
        return tokens.last_end

    # --- What is wrong --------------------------------------------------------------------------

    def _here(self) -> Place:
        return self._lines.place(self._tokens.start, self._tokens.end)

    def _refuse(self, code: str, **values: object) -> Refusal:
        return Refusal(code, self._here(), **values)

    def _unclosed(self) -> Refusal:
        at = self._open[-1]
        return Refusal("F-39", self._lines.place(at, at + 1), bracket=self._tokens.source[at])

    def _not_ended(self) -> Refusal:
        """Return the refusal for whatever stands where a statement should end or go on."""
        tokens = self._tokens
        if tokens.kind in _UNFINISHED and tokens.start == tokens.last_end and tokens.start:
            behind = _WORD.match(tokens.source, tokens.start)
            end = behind.end() if behind else tokens.end
            code = "F-46" if tokens.last_kind == Kind.AT else "F-44"
            place = self._lines.place(tokens.last_start, end)
            return Refusal(code, place, found=tokens.source[tokens.last_start : end])
        if tokens.kind in {Kind.TRIPLE, Kind.OPEN_STRING, Kind.OPEN_IRI, Kind.ODD} or tokens.is_mark("])}{"):
            return self._stopped()
        return Refusal("F-31", self._lines.place(tokens.last_end), found=tokens.text)

    def _stopped(self) -> Refusal:  # noqa: PLR0911 - one for each kind of token
        """Return the refusal for a token that starts no term."""
        tokens = self._tokens
        if tokens.kind == Kind.END:
            return Refusal("F-40", self._lines.place(tokens.last_end))
        if tokens.kind == Kind.TRIPLE:
            return self._refuse("F-24")
        if tokens.kind == Kind.OPEN_STRING:
            return self._refuse("F-42", quote=tokens.text)
        if tokens.kind == Kind.OPEN_IRI:
            line_end = tokens.source.find("\n", tokens.start)
            line = tokens.source[tokens.start : line_end if line_end >= 0 else None][: self._limits.iri]
            bad = next((char for char in line[1:] if char in '"<'), "")
            closed = ">" in line and bad
            return (
                bad_character(line[1:].partition(">")[0], bad, self._here())
                if closed
                else self._refuse("F-43")
            )
        if tokens.text in _QUOTES:
            return self._refuse("F-45", found=tokens.text)
        if tokens.is_mark("{}"):
            return self._refuse("F-25")
        if tokens.kind == Kind.WORD:
            return self._refuse("F-44", found=tokens.text)
        return self._refuse("F-30", found=tokens.text)


class _PlainWalk(_Walk):
    """Follows N-Triples, of which each good document is Turtle, too (RDF 1.1 N-Triples, section 2)."""

    def _statement(self) -> None:
        if self._tokens.index and not self._line_begins():
            raise self._refuse("F-49")
        self._not_turtle()
        subject = self._name("F-37")
        self._same_line()
        if self._tokens.kind == Kind.LABEL:
            raise self._refuse("F-38", found=self._tokens.text)
        self._name("F-38")
        self._same_line()
        if self._tokens.kind == Kind.STRING:
            self._literal(subject)
        else:
            node = self._name("F-30")
            self._tell(subject, node, self._tokens.index - 1)
        self._dot()

    def _dot(self) -> None:
        tokens = self._tokens
        if tokens.kind in {Kind.IRI, Kind.LABEL} and not self._line_begins():
            raise self._refuse("F-12", found="N-Quads")
        if tokens.is_mark(";,"):
            self._not_turtle()
        super()._dot()

    def _expanded(self) -> str | None:
        raise self._refuse("F-48", found=self._tokens.text)

    def _same_line(self) -> None:
        if self._tokens.kind != Kind.END and self._line_begins():
            raise self._refuse("F-49")
        self._not_turtle()

    def _line_begins(self) -> bool:
        between = self._tokens.source[self._tokens.last_end : self._tokens.start]
        return "\n" in between or "\r" in between

    def _not_turtle(self) -> None:
        tokens = self._tokens
        single = tokens.kind == Kind.STRING and tokens.text[0] == "'"
        known = tokens.kind in {Kind.NAME, Kind.NUMBER, Kind.LONG, Kind.AT}
        word = tokens.kind == Kind.WORD and tokens.text.lower() in {"a", "prefix", "base", "true", "false"}
        if known or word or single or tokens.is_mark("[(;,"):
            raise self._refuse("F-48", found=tokens.text)
