"""What a query may do, decided on its tokens before the engine sees it.

The engine has neither a nesting limit nor an egress switch: a deeply nested text ends its process, and
SERVICE opens a connection.  Both are refused here; the dataset clauses are read on the way.

The tokens must be those that the engine sees, or something could hide from this module.  The engine has no
tokenizer: it needs no space between words, and takes ``<`` for an IRI or a comparison by what it is looking
for.  So a text whose tokens can't be told is refused, and glued words count as whatever they hold.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urljoin

from medkg.domain.errors import QueryRefused, QuerySyntaxError, TooLarge
from medkg.domain.namespaces import PREFIXES

__all__ = ["Limits", "Outline", "check", "outline"]

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
_UCHAR: Final = (
    r"\\u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}"
    r"|\\U(?:0000(?![Dd][89A-Fa-f])|000[1-9A-Fa-f]|0010)[0-9A-Fa-f]{4}"
)
_ESCAPE: Final = rf"\\[tbnrf\\\"']|{_UCHAR}"

_TOKEN: Final = re.compile(
    rf"""
      (?P<space>[ \t\r\n]++|\#[^\r\n]*+)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|{_UCHAR})*+>)
    | (?P<string>'''(?:(?:''|')?+(?:[^'\\]|{_ESCAPE}))*+'''|\"\"\"(?:(?:""|")?+(?:[^"\\]|{_ESCAPE}))*+\"\"\"
        |'(?!'')(?:[^'\\\r\n]|{_ESCAPE})*+'|"(?!"")(?:[^"\\\r\n]|{_ESCAPE})*+")
    | (?P<variable>[?$][_{_BASE}0-9][_{_BASE}{_MORE}]*+)
    | (?P<number>(?:[0-9]++\.[0-9]*+|\.[0-9]++|[0-9]++)[eE][+-]?[0-9]++|[0-9]*+\.[0-9]++|[0-9]++)
    | (?P<label>_:[_{_BASE}0-9]{_CHARS}*+(?:\.++{_CHARS}++)*+)
    | (?P<word>{_RUN}(?::(?:{_LOCAL})?+)?+|:(?:{_LOCAL})?+)
    | (?P<tag>@[A-Za-z]++(?:-[A-Za-z0-9]++)*+(?:--[A-Za-z]++)?+)
    | (?P<later><<|\{{\||~)
    | (?P<open>[({{\[])
    | (?P<close>[)}}\]])
    | (?P<operator>\|\||&&|(?:\^(?!\^)|[/|!+*-]))
    | (?P<mark>\^\^|[.,;=<>?])
    | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STACKING: Final = ("OPTIONAL", "UNION", "MINUS", "BIND", "EXISTS", "LATERAL")
_MAX_OPERATORS: Final = 250
_MAX_PARTS: Final = 500
"""Each of them costs the engine's planner stack frames; about 2,600 of a kind end it on a stack of 8 MiB."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_OPERANDS: Final = frozenset({"iri", "string", "variable", "number", "label", "name", "word", "tag", "close"})
_GRAPH_FOLLOWS: Final = frozenset({"GRAPH", "FROM", "NAMED", "DESCRIBE"})


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    column: int

    def is_(self, *words: str) -> bool:
        """Tell whether this is one of these keywords, in upper case."""
        return self.kind == "word" and self.text.upper() in words


_NOTHING: Final = _Token("mark", "", 0, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long (bytes of UTF-8) and how deep (nested brackets) a query may be."""

    max_bytes: int = 100_000
    max_depth: int = 100


@dataclass(frozen=True, slots=True)
class Outline:
    """What the policy needs to know of a query."""

    depth: int
    operators: int
    parts: int
    service: tuple[int, int] | None
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


def check(text: str, limits: Limits) -> Outline:
    """Return the outline of a query that may run.

    :raises TooLarge: it is longer than ``max_bytes``, or nested deeper than ``max_depth``.
    :raises QueryRefused: it names a SERVICE.
    :raises QuerySyntaxError: it holds what is no token of SPARQL 1.1, or an undeclared prefix.
    """
    size = _size(text)
    if size > limits.max_bytes:
        raise TooLarge(
            f"The query has {size:,} bytes; the limit is {limits.max_bytes:,}.",
            remedy="Send a shorter query.",
        )
    found = outline(text)
    if found.depth > limits.max_depth:
        raise TooLarge(
            f"The query is nested {found.depth} levels deep; the limit is {limits.max_depth}.",
            remedy="Flatten the nested groups or brackets.",
        )
    for number, limit, what in (
        (found.operators, _MAX_OPERATORS, "operators"),
        (found.parts, _MAX_PARTS, "groups and expressions in brackets"),
    ):
        if number > limit:
            raise TooLarge(
                f"The query has {number:,} {what}; the limit is {limit:,}.",
                remedy="Use VALUES or several smaller queries.",
            )
    if found.service is not None:
        line, column = found.service
        raise QueryRefused(
            f"SERVICE (line {line}, column {column}) is not allowed: this endpoint calls no other.",
            remedy="Ask the other endpoint yourself and join the answers.",
        )
    return found


def _size(text: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        line, column = text.count("\n", 0, error.start) + 1, error.start - text.rfind("\n", 0, error.start)
        raise _unreadable(_Token("bad", text[error.start], line, column)) from None


def outline(text: str) -> Outline:
    """Return nesting, operators and parts, the place of the first SERVICE, and the graphs that FROM names.

    :raises QuerySyntaxError: see :func:`check`.
    """
    tokens = tuple(_tokens(text))
    default_graphs, named_graphs = _dataset(tokens)
    depth = operators = parts = hidden = 0
    service = None
    for place in _places(tokens):
        token = place.token
        maybe = _maybe_expression(place)
        # What would be brackets and operators if this were no IRI; what it would close is not counted on.
        hidden += sum(maybe.count(bracket) for bracket in "([")
        depth = max(depth, place.depth + hidden)
        operators += _operators(token) + sum(maybe.count(sign) for sign in "/|!+*-&")
        parts += (token.kind == "open" and place.inside != "data") or (
            place.inside == "" and token.kind in {"iri", "name"}
        )
        if service is None and _calls_out(place):
            service = (token.line, token.column)
    return Outline(depth, operators, parts, service, default_graphs, named_graphs)


def _tokens(text: str) -> Iterator[_Token]:
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "word" and ":" in piece:
            kind = "name"
        if kind != "space":
            token = _Token(kind, piece, line, match.start() - start + 1)
            if kind in {"bad", "later"}:
                raise _unreadable(token)
            yield token
        newlines = piece.count("\n")
        if newlines:
            line += newlines
            start = match.start() + piece.rindex("\n") + 1


def _unreadable(token: _Token) -> QuerySyntaxError:
    if token.kind == "later":
        return _syntax_error(token, f"{token.text} belongs to SPARQL 1.2.", "This endpoint reads SPARQL 1.1.")
    if token.text in {"'", '"'}:
        return _syntax_error(
            token, "The string that begins here does not end.", "Close it, or mend an escape."
        )
    return _syntax_error(token, f"{token.text!r} can't stand here.", "Remove it, or put it in quotes.")


def _syntax_error(token: _Token, reason: str, remedy: str) -> QuerySyntaxError:
    return QuerySyntaxError(
        f"The query does not parse at line {token.line}, column {token.column}. {reason}",
        line=token.line,
        column=token.column,
        remedy=remedy,
    )


class _Place(NamedTuple):
    """A token between its neighbours, with the innermost bracket around it and their number."""

    token: _Token
    before: _Token
    after: _Token
    inside: str
    depth: int


def _places(tokens: tuple[_Token, ...]) -> Iterator[_Place]:
    """Yield each token with what is around it; the block of a VALUES clause is a bracket called ``data``."""
    stack: list[str] = []
    closed = ""
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else _NOTHING
        after = tokens[index + 1] if index + 1 < len(tokens) else _NOTHING
        inside = stack[-1] if stack else ""
        if token.kind == "close" and stack:
            closed = stack.pop()
        elif token.kind == "open":
            variable = before.kind == "variable" and index > 1 and tokens[index - 2].is_("VALUES")
            if token.text == "{" and (variable or (before.kind == "close" and closed == "head")):
                stack.append("data")
            else:
                kind = "row" if inside == "data" else token.text
                stack.append("head" if before.is_("VALUES") else kind)
        yield _Place(token, before, after, inside, len(stack))


def _maybe_expression(place: _Place) -> str:
    """Return the text of an IRI that the engine may take for a comparison, as in ``(?a<?b&&?c>?d)``, else "".

    :raises QuerySyntaxError: the text behind it would then be another one.
    """
    token = place.token
    if token.kind != "iri" or place.inside not in {"(", "head"} or place.before.kind not in _OPERANDS:
        return ""
    # In an expression nothing can follow on "<name:/".
    if re.match(r"<[A-Za-z][A-Za-z0-9+.-]*://", token.text):
        return ""
    if "#" in token.text or "'" in token.text:
        raise _syntax_error(
            token, "This may be an IRI or a comparison.", "Put a space behind the <, or use a prefix."
        )
    return token.text[1:-1]


def _operators(token: _Token) -> int:
    if token.kind == "word":
        return token.text.count("-") + token.text.upper().endswith(_STACKING)
    return int(token.kind == "operator")


def _calls_out(place: _Place) -> bool:
    token = place.token
    if token.kind == "name" and place.after.text == "{" and not place.before.is_(*_GRAPH_FOLLOWS):
        return "SERVICE" in token.text.partition(":")[0].upper()
    return token.kind == "word" and "SERVICE" in token.text.upper()


def _dataset(tokens: tuple[_Token, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the dataset clauses (SPARQL 1.1 Query, section 13.2); FROM has no other use in the grammar."""
    prefixes = dict(PREFIXES)
    base = ""
    graphs: tuple[list[str], list[str]] = ([], [])
    padded = (*tokens, _NOTHING, _NOTHING)
    for index, token in enumerate(tokens):
        following, second = padded[index + 1], padded[index + 2]
        if token.is_("PREFIX") and following.kind == "name" and second.kind == "iri":
            prefixes[following.text.rstrip(":")] = _resolve(second, prefixes, base)
        elif token.is_("BASE") and following.kind == "iri":
            base = _resolve(following, prefixes, base)
        elif token.is_("FROM", "FROMNAMED"):
            named = following.is_("NAMED") or token.is_("FROMNAMED")
            graph = second if following.is_("NAMED") else following
            if graph.kind in {"iri", "name"}:
                graphs[named].append(_resolve(graph, prefixes, base))
        elif token.kind == "name":
            _resolve(token, prefixes, base)
    return tuple(graphs[0]), tuple(graphs[1])


def _resolve(token: _Token, prefixes: dict[str, str], base: str) -> str:
    """Return the absolute IRI that a token stands for."""
    if token.kind == "iri":
        iri = re.sub(_UCHAR, _unescape, token.text[1:-1])
        iri = iri if _SCHEME.match(iri) else urljoin(base, iri)
        if not _SCHEME.match(iri):
            raise _syntax_error(
                token, f"{token.text} is relative, and there is no BASE.", "Write it in full."
            )
        return iri
    prefix, _, name = token.text.partition(":")
    if prefix in {"http", "https"} and prefix not in prefixes:
        raise _syntax_error(token, "An IRI stands between < and >, without spaces or quotes.", "Mend it.")
    if prefix not in prefixes:
        raise _syntax_error(
            token, f"The prefix {prefix}: is not declared.", f"Add PREFIX {prefix}: <...> at the top."
        )
    return prefixes[prefix] + re.sub(r"\\(.)", r"\1", name)


def _unescape(match: re.Match[str]) -> str:
    return match.group().encode("ascii").decode("unicode_escape")
