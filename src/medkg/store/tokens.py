"""The tokens of a SPARQL text, as the engine will see them.

The engine has no tokenizer: it needs no space between words, and takes ``<`` for an IRI or a comparison by
what it is looking for.  So the brackets are followed on the way, and where this module may see other tokens
than the engine it says so (:attr:`Reading.doubt`) instead of refusing: the engine judges.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, overload

__all__ = ["UCHAR", "Place", "Reading", "Token", "Tokens", "place", "places", "read"]

# PN_CHARS_BASE, and what PN_CHARS has besides it and the underscore (SPARQL 1.1 Query, section 19.8).
_BASE: Final = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_MORE: Final = "0-9\u00b7\u0300-\u036f\u203f\u2040"
_CHARS: Final = rf"[_{_BASE}{_MORE}-]"
_RUN: Final = rf"[{_BASE}]{_CHARS}*+(?:\.++{_CHARS}++)*+"
_PLX: Final = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]"
# The engine takes one group of dots in a local name, where the standard allows several.
_LOCAL: Final = (
    rf"(?:[_:{_BASE}0-9]|{_PLX})(?:[_:{_BASE}{_MORE}-]|{_PLX})*+(?:\.++(?:[_:{_BASE}{_MORE}-]|{_PLX})++)?+"
)
UCHAR: Final = (
    r"\\u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}"
    r"|\\U(?:0000(?![Dd][89A-Fa-f])|000[1-9A-Fa-f]|0010)[0-9A-Fa-f]{4}"
)
"""A codepoint escape of an IRI or a string."""
_ESCAPE: Final = rf"\\[tbnrf\\\"']|{UCHAR}"

_TOKEN: Final = re.compile(
    rf"""
    (?:[ \t\r\n]++|\#[^\r\n]*+)*+
    (?:
      (?P<variable>[?$][_{_BASE}0-9][_{_BASE}{_MORE}]*+)
    | (?P<word>{_RUN}(?::(?:{_LOCAL})?+)?+|:(?:{_LOCAL})?+)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|{UCHAR})*+>)
    | (?P<string>'''(?:(?:''|')?+(?:[^'\\]|{_ESCAPE}))*+'''|\"\"\"(?:(?:""|")?+(?:[^"\\]|{_ESCAPE}))*+\"\"\"
        |'(?!'')(?:[^'\\\r\n]|{_ESCAPE})*+'|"(?!"")(?:[^"\\\r\n]|{_ESCAPE})*+")
    | (?P<number>(?:[0-9]++\.[0-9]*+|\.[0-9]++|[0-9]++)[eE][+-]?[0-9]++|[0-9]*+\.[0-9]++|[0-9]++)
    | (?P<label>_:[_{_BASE}0-9]{_CHARS}*+(?:\.++{_CHARS}++)*+)
    | (?P<tag>@[A-Za-z]++(?:-[A-Za-z0-9]++)*+(?:--[A-Za-z]++)?+)
    | (?P<open>\{{\||[({{\[]|<<\(|<<)
    | (?P<close>\|\}}|\)>>|[)}}\]]|>>)
    | (?P<operator>\|\||&&|(?:\^(?!\^)|[/|!+*-]))
    | (?P<mark>\^\^|[.,;=<>?~])
    | (?P<end>\Z)
    | (?P<bad>.)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS: Final = ("", *sorted(_TOKEN.groupindex, key=lambda name: _TOKEN.groupindex[name]))
_CLOSERS: Final = {"{": "}", "(": ")", "[": "]", "{|": "|}", "<<": ">>", "<<(": ")>>"}
_OPERANDS: Final = frozenset({"iri", "string", "variable", "number", "label", "name", "word", "tag", "close"})
_TERMS: Final = frozenset({"A", "TRUE", "FALSE", "UNDEF"})
"""Words that stand for a term, so that what follows them is no expression."""
_MAX_BAD: Final = 20
"""Unreadable characters until reading ends: each may be a quote that was followed to the end of the text."""
_WEB: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")
_MIXED: Final = frozenset({"iri", "open", "close", "bad"})


class Token(NamedTuple):
    """One token: its kind, its text, where it starts, and the bracket that it stands in.

    *inside* is "" outside all brackets, the bracket itself, or ``expression`` (parentheses around one),
    ``head`` and ``data`` (the two parts of VALUES), ``row`` (in it), ``ground`` (INSERT DATA, DELETE DATA and
    all within).  A bracket has the one around it.
    """

    kind: str
    text: str
    start: int
    inside: str

    def is_(self, *words: str) -> bool:
        """Tell whether this is one of these keywords, in upper case."""
        return self.kind == "word" and self.text.upper() in words


class Tokens(Sequence[Token]):
    """The tokens of a text: four columns, since a hundred thousand tuples cost more than the reading."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.insides: list[str] = []

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[Token]:
        return map(Token, self.kinds, self.texts, self.starts, self.insides)

    @overload
    def __getitem__(self, index: int) -> Token: ...

    @overload
    def __getitem__(self, index: slice) -> "list[Token]": ...

    def __getitem__(self, index: int | slice) -> "Token | list[Token]":
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return Token(self.kinds[index], self.texts[index], self.starts[index], self.insides[index])


class Reading(NamedTuple):
    """The tokens, the greatest number of open brackets, and where the engine may begin to see others."""

    tokens: Tokens
    depth: int
    doubt: int | None


class Place(NamedTuple):
    """Line and column of a character, both counted from 1."""

    line: int
    column: int


def place(text: str, offset: int) -> Place:
    """Return the place of the character at *offset*."""
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def places(text: str, offsets: Sequence[int]) -> list[Place]:
    """Return the places of many characters, in one pass over the text."""
    if not offsets:
        return []
    ends = [match.end() for match in re.finditer("\n", text)]
    lines = [bisect_right(ends, offset) for offset in offsets]
    return [
        Place(line + 1, offset - (ends[line - 1] if line else 0) + 1)
        for line, offset in zip(lines, offsets, strict=True)
    ]


def read(text: str) -> Reading:
    """Return the tokens of any text, in time that grows with its length alone."""
    reader = _Reader()
    start: int | None = 0
    while start is not None:
        start = reader.run(text, start)
    doubt = reader.doubt
    if doubt is None and reader.stack:
        doubt = len(text)
    return Reading(reader.tokens, reader.depth, doubt)


class _Reader:
    def __init__(self) -> None:
        self.tokens = Tokens()
        self.stack: list[tuple[str, str]] = []
        self.inside = ""
        self.closed = ""
        self.depth = self.bad = 0
        self.doubt: int | None = None

    def run(self, text: str, start: int) -> int | None:
        """Read on from *start*; return where to begin anew when a piece has to be cut shorter, else None."""
        tokens, inside = self.tokens, self.inside
        add_kind, add_text = tokens.kinds.append, tokens.texts.append
        add_start, add_inside = tokens.starts.append, tokens.insides.append
        for match in _TOKEN.finditer(text, start):
            index = match.lastindex or 0
            kind, piece, at = _KINDS[index], match[index], match.start(index)
            whole = len(piece)
            if kind == "word":
                if ":" in piece:
                    kind = "name"
            elif kind in _MIXED:
                kind, length = self._mixed(kind, piece, at)
                inside, piece = self.inside, piece[:length]
            elif kind == "end":
                break
            add_kind(kind)
            add_text(piece)
            add_start(at)
            add_inside(inside)
            if kind == "open":
                self._push(piece)
                inside = self.inside
            elif len(piece) < whole:
                return at + len(piece)
            elif self.bad > _MAX_BAD:
                break
        return None

    def _mixed(self, kind: str, piece: str, at: int) -> tuple[str, int]:
        """Return the kind of a piece, and how much of it is one token."""
        if kind == "close":
            return self._close(piece, at)
        if kind == "bad":
            self.bad += 1
            self._doubt(at)
        elif piece[0] == "<" and self.inside in {"expression", "(", "head"} and self._operand():
            if kind == "iri":
                # In an expression nothing can follow on "<name:/".
                if _WEB.match(piece):
                    return kind, len(piece)
                if "#" in piece or "'" in piece:
                    self._doubt(at)
            if self.inside == "expression":
                return "mark", 1
        return kind, len(piece)

    def _operand(self) -> bool:
        last = self.tokens[-1]
        return last.kind in _OPERANDS and not last.is_("DISTINCT")

    def _doubt(self, at: int) -> None:
        if self.doubt is None:
            self.doubt = at

    def _close(self, piece: str, at: int) -> tuple[str, int]:
        label, closer = self.stack[-1] if self.stack else ("", "")
        if piece != closer and len(piece) > 1:
            if piece != ")>>":
                return ("operator" if piece == "|}" else "mark"), 1
            piece = ")"
        if piece != closer:
            self._doubt(at)
        if self.stack:
            self.stack.pop()
        self.closed = label
        self.inside = self.stack[-1][0] if self.stack else ""
        return "close", len(piece)

    def _push(self, piece: str) -> None:
        label = self._label(piece)
        self.stack.append((label, _CLOSERS[piece]))
        self.depth = max(self.depth, len(self.stack))
        self.inside = label

    def _label(self, piece: str) -> str:
        """Return what the bracket that is the last token is around."""
        if self.inside in {"data", "ground"}:
            return "row" if self.inside == "data" else "ground"
        if piece == "{":
            return self._group(*self._before())
        return self._parentheses(*self._before()) if piece == "(" else piece

    def _before(self) -> tuple[Token | None, Token | None]:
        """Return the tokens before the last one, the nearer one first."""
        found = self.tokens[-2:-4:-1]
        return (found[0] if found else None), (found[1] if len(found) > 1 else None)

    def _parentheses(self, before: Token | None, first: Token | None) -> str:
        if before is not None and before.is_("VALUES"):
            return "head"
        if self.inside in {"", "expression"}:
            return "expression"
        caller = first if before is not None and before.kind in {"iri", "name"} else before
        function = caller is not None and caller.kind == "word" and not caller.is_(*_TERMS)
        return "expression" if function and self.inside == "{" else "("

    def _group(self, before: Token | None, first: Token | None) -> str:
        if before is None or first is None:
            return "{"
        if before.kind == "close":
            return "data" if self.closed == "head" else "{"
        if before.kind == "variable" and first.is_("VALUES"):
            return "data"
        return "ground" if before.is_("DATA") and first.is_("INSERT", "DELETE") else "{"
