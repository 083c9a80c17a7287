"""The triple patterns of a SPARQL text, found on its tokens."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from medkg.store.tokens import Tokens

__all__ = [
    "NAMES",
    "Block",
    "Change",
    "Pattern",
    "Span",
    "Unreadable",
    "block",
    "blocks",
    "edited",
    "extent",
    "written",
]

Span = tuple[int, int]
"""The index of a first token or character, and that behind the last."""
Change = tuple[Span, str]
"""The characters of a text that are replaced, and what stands there instead."""

_GROUP: Final = "{"
_TERMS: Final = frozenset({"variable", "iri", "name", "number", "label"})
NAMES: Final = frozenset({"iri", "name"})
"""The kinds of tokens that are IRIs."""
_BEGINNINGS: Final = _TERMS | {"string"}
_REPEATED: Final = frozenset({"*", "+", "?"})


class Unreadable(Exception):
    """Raised where a text has what this module does not read; nothing is wrong with it."""


class Pattern(NamedTuple):
    """The tokens of a triple pattern; the parts that are not written again are those of the one before."""

    subject: Span
    predicate: Span
    object: Span


class Block(NamedTuple):
    """Triple patterns that follow each other, and what they take up."""

    patterns: list[Pattern]
    span: Span


def blocks(tokens: Tokens) -> Iterator[Block]:
    """Yield the blocks of triple patterns in the groups of a text.

    :raises Unreadable: there are such as this module does not read: lists, anonymous nodes, quoted triples.
    """
    kinds, insides = tokens.kinds, tokens.insides
    at = 0
    while at < len(kinds):
        kind = kinds[at]
        if insides[at] == _GROUP and kind in _BEGINNINGS:
            found = block(tokens, at)
            yield found
            at = found.span[1]
        elif insides[at] == _GROUP and kind == "word":
            at = _opening(tokens, at)
        else:
            at += 1


def block(tokens: Tokens, at: int) -> Block:
    """Return the triple patterns that begin at a token (SPARQL 1.1 Query, section 19.8, TriplesBlock).

    :raises Unreadable: see :func:`blocks`.
    """
    start, found = at, list[Pattern]()
    try:
        while True:
            at = _subject(tokens, at, found)
            if tokens.texts[at] != ".":
                return Block(found, (start, at))
            at += 1
            if tokens.kinds[at] not in _BEGINNINGS:
                return Block(found, (start, at))
    except IndexError:
        raise Unreadable from None


def extent(tokens: Tokens, span: Span) -> Span:
    """Return the index of the first character of some tokens, and that behind the last."""
    last = span[1] - 1
    return tokens.starts[span[0]], tokens.starts[last] + len(tokens.texts[last])


def written(text: str, tokens: Tokens, span: Span) -> str:
    """Return some tokens as they stand in their text."""
    return text[slice(*extent(tokens, span))]


def edited(text: str, changes: Sequence[Change], part: Span | None = None) -> str:
    """Return a text, or a part of it, after changes that lie apart from each other."""
    end, last = part or (0, len(text))
    pieces = list[str]()
    for (start, behind), new in sorted(changes):
        if end <= start and behind <= last:
            pieces += [text[end:start], new]
            end = behind
    return "".join([*pieces, text[end:last]])


def _opening(tokens: Tokens, at: int) -> int:
    """Return what follows the next bracket: between a keyword and its bracket there are no patterns."""
    while at < len(tokens.kinds) and tokens.kinds[at] not in {"open", "close"}:
        at += 1
    return at + 1


def _subject(tokens: Tokens, at: int, found: list[Pattern]) -> int:
    """Read the patterns of one subject; return the index behind them."""
    texts = tokens.texts
    subject = (at, _term(tokens, at))
    at = subject[1]
    while True:
        predicate = (at, _verb(tokens, at))
        at = predicate[1]
        while True:
            object_ = (at, _term(tokens, at))
            found.append(Pattern(subject, predicate, object_))
            at = object_[1]
            if texts[at] != ",":
                break
            at += 1
        if texts[at] != ";":
            return at
        while texts[at] == ";":
            at += 1
        if not _begins_verb(tokens, at):
            return at


def _term(tokens: Tokens, at: int) -> int:
    kind, text = tokens.kinds[at], tokens.texts[at]
    if kind in _TERMS or (kind == "word" and text in {"true", "false"}):
        return at + 1
    if kind == "string":
        if tokens.kinds[at + 1] == "tag":
            return at + 2
        return at + 3 if tokens.texts[at + 1] == "^^" and tokens.kinds[at + 2] in NAMES else at + 1
    if text in {"+", "-"} and tokens.kinds[at + 1] == "number":
        return at + 2
    raise Unreadable


def _begins_verb(tokens: Tokens, at: int) -> bool:
    return tokens.kinds[at] == "variable" or _is_name(tokens, at) or tokens.texts[at] in {"^", "!", "("}


def _is_name(tokens: Tokens, at: int) -> bool:
    return tokens.kinds[at] in NAMES or (tokens.kinds[at] == "word" and tokens.texts[at] == "a")


def _verb(tokens: Tokens, at: int) -> int:
    return at + 1 if tokens.kinds[at] == "variable" else _path(tokens, at)


def _path(tokens: Tokens, at: int) -> int:
    at = _step(tokens, at)
    while tokens.texts[at] in {"/", "|"}:
        at = _step(tokens, at + 1)
    return at


def _step(tokens: Tokens, at: int) -> int:
    texts = tokens.texts
    while texts[at] in {"^", "!"}:
        at += 1
    if texts[at] == "(":
        at = _path(tokens, at + 1)
        if texts[at] != ")":
            raise Unreadable
    elif not _is_name(tokens, at):
        raise Unreadable
    at += 1
    if texts[at] in _REPEATED:
        if texts[at] == "+" and tokens.kinds[at + 1] == "number":
            # The sign of the number, or of the path: they only differ by a space.
            raise Unreadable
        at += 1
    return at
