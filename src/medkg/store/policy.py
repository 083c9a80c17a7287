"""What a query may do, decided on its tokens before the engine sees it.

The engine has neither a nesting limit nor an egress switch: a deeply nested text ends its process, and
SERVICE opens a connection.  Both are refused here; the dataset clauses are read on the way.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from medkg.domain.errors import QueryRefused, TooLarge

__all__ = ["Limits", "Outline", "check", "outline"]

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+|\#[^\r\n]*)
    | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
    | (?P<string>'''(?:(?:'|'')?(?:[^'\\]|\\.))*'''|\"\"\"(?:(?:"|"")?(?:[^"\\]|\\.))*\"\"\"
        |'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
    | (?P<variable>[?$][^\W]\w*)
    | (?P<name>(?:[^\W\d_][\w.-]*)?:[\w:.%\\-]*)
    | (?P<word>@?[^\W\d][\w-]*)
    | (?P<open>[({\[])
    | (?P<close>[)}\]])
    | (?P<operator>\|\||&&|[/|^!+*-])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STACKING: Final = frozenset({"OPTIONAL", "UNION", "MINUS", "BIND", "EXISTS"})
_MAX_OPERATORS: Final = 250
"""Each operator costs the engine's planner a stack frame or more; it dies between 300 and 1,000 of some."""


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    column: int


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
    service: tuple[int, int] | None
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


def check(text: str, limits: Limits) -> Outline:
    """Return the outline of a query that may run.

    :raises TooLarge: it is longer than ``max_bytes``, or nested deeper than ``max_depth``.
    :raises QueryRefused: it names a SERVICE.
    """
    size = len(text.encode("utf-8", errors="surrogatepass"))
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
    if found.operators > _MAX_OPERATORS:
        raise TooLarge(
            f"The query has {found.operators} operators; the limit is {_MAX_OPERATORS}.",
            remedy="Use VALUES or several smaller queries.",
        )
    if found.service is not None:
        line, column = found.service
        raise QueryRefused(
            f"SERVICE (line {line}, column {column}) is not allowed: this endpoint calls no other.",
            remedy="Ask the other endpoint yourself and join the answers.",
        )
    return found


def outline(text: str) -> Outline:
    """Return nesting, operators, the place of the first SERVICE, and the graphs of the FROM clauses."""
    tokens = tuple(_tokens(text))
    service = next(((token.line, token.column) for token in tokens if _is(token, "SERVICE")), None)
    default_graphs, named_graphs = _dataset(tokens)
    operators = sum(
        token.kind == "operator" or (token.kind == "word" and token.text.upper() in _STACKING)
        for token in tokens
    )
    return Outline(_depth(tokens), operators, service, default_graphs, named_graphs)


def _tokens(text: str) -> Iterator[_Token]:
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind != "space":
            yield _Token(kind, piece, line, match.start() - start + 1)
        newlines = piece.count("\n")
        if newlines:
            line += newlines
            start = match.start() + piece.rindex("\n") + 1


def _is(token: _Token, word: str) -> bool:
    return token.kind == "word" and token.text.upper() == word


def _depth(tokens: tuple[_Token, ...]) -> int:
    depth = deepest = 0
    for token in tokens:
        if token.kind == "open":
            depth += 1
            deepest = max(deepest, depth)
        elif token.kind == "close":
            depth -= 1
    return deepest


def _dataset(tokens: tuple[_Token, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the dataset clauses (SPARQL 1.1 Query, section 13.2); FROM has no other use in the grammar."""
    prefixes: dict[str, str] = {}
    base = ""
    graphs: tuple[list[str], list[str]] = ([], [])
    padded = (*tokens, _Token("other", "", 0, 0), _Token("other", "", 0, 0))
    for index, token in enumerate(tokens):
        following, second = padded[index + 1], padded[index + 2]
        if _is(token, "PREFIX") and second.kind == "iri":
            prefixes[following.text.rstrip(":")] = second.text[1:-1]
        elif _is(token, "BASE") and following.kind == "iri":
            base = following.text[1:-1]
        elif _is(token, "FROM"):
            named = _is(following, "NAMED")
            graphs[named].append(_resolve(second if named else following, prefixes, base))
    return tuple(graphs[0]), tuple(graphs[1])


def _resolve(token: _Token, prefixes: Mapping[str, str], base: str) -> str:
    if token.kind == "iri":
        iri = token.text[1:-1]
        return iri if ":" in iri else base + iri
    prefix, _, name = token.text.partition(":")
    return prefixes.get(prefix, "") + name
