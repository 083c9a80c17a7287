"""The mistakes in a SPARQL text that can be told without knowing where the engine stopped.

The text must be one that the engine has refused: here a fault is explained, not found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from medkg.store.names import Names
from medkg.store.tokens import Token, place

__all__ = ["UPDATES", "Mistake", "Text", "anywhere"]

_QUERIES: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATES: Final = ("INSERT", "DELETE", "CLEAR", "DROP", "CREATE", "LOAD", "COPY", "MOVE", "ADD", "WITH")
_QUOTES: Final = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2032\u2033`\u00b4"
_SPACES: Final = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u2060\u3000\ufeff"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at an offset of the text, and what to do.

    *since* is where it began, if that is before: a bracket that is open is told where it should be closed.
    """

    at: int
    reason: str
    remedy: str
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the engine has refused: a query or an update, its tokens, and the first of its operations.

    The fault is between the offsets *low* and *high*.
    """

    text: str
    tokens: Sequence[Token]
    what: str
    first: int
    names: Names
    low: int
    high: int

    def near(self, token: Token) -> bool:
        """Tell whether the fault may be at this token."""
        return self.low <= token.start <= self.high

    def token(self, index: int) -> Token:
        """Return a token; beyond the last one, an empty one at the end of the text."""
        if 0 <= index < len(self.tokens):
            return self.tokens[index]
        return Token("end", "", len(self.text.rstrip()), "")


def anywhere(text: Text) -> Iterator[Mistake]:
    """Yield mistakes that are such wherever the engine stopped."""
    for rule in (_kind, _characters, _declarations, _iris, _ground, _rows, _brackets):
        yield from rule(text)


def _kind(text: Text) -> Iterator[Mistake]:
    first = text.token(text.first)
    word = first.text.upper() if first.kind == "word" else ""
    if text.what == "query" and word in UPDATES:
        yield Mistake(first.start, "This is an update.", "Send it to /update, as an update.")
    if text.what == "update" and word in _QUERIES:
        yield Mistake(first.start, "This is a query.", "Send it to /sparql, as a query.")
    if first.kind == "end":
        yield Mistake(
            first.start, f"There is no {text.what} in it.", "Begin with SELECT, ASK or another form."
        )


def _characters(text: Text) -> Iterator[Mistake]:
    if text.text.startswith("\ufeff"):
        yield Mistake(0, "The text begins with a byte order mark.", "Save it as UTF-8 without one.")
    for token in text.tokens:
        if token.kind != "bad":
            continue
        sign = token.text
        if sign in _QUOTES:
            yield Mistake(token.start, f"{sign} is a typographic quote.", "Use \" or ' around strings.")
        elif sign in _SPACES:
            yield Mistake(token.start, "There is a non-breaking or other special space.", "Type a plain one.")
        elif sign in {"'", '"'}:
            yield Mistake(
                token.start,
                "The string that begins here does not end.",
                "Close it; inside it, write a quote as \\' or \\\".",
            )
        else:
            yield Mistake(token.start, f"{sign!r} can't stand here.", "Remove it, or put it in quotes.")


def _declarations(text: Text) -> Iterator[Mistake]:
    for index, token in enumerate(text.tokens):
        following = text.token(index + 1)
        if token.kind == "tag" and token.text.lower() in {"@prefix", "@base"}:
            yield Mistake(
                token.start, "This is how Turtle declares.", "Write PREFIX ex: <...>, without @ and dot."
            )
        elif token.is_("PREFIX") and following.kind != "name":
            yield Mistake(
                following.start, "A prefix is declared with a colon.", "Write PREFIX ex: <http://...>."
            )
        elif token.is_("PREFIX") and text.token(index + 2).kind != "iri":
            at = text.token(index + 2).start
            yield Mistake(at, "A prefix stands for an IRI between < and >.", "Write PREFIX ex: <http://...>.")
    after = text.token(text.first)
    if text.first and after.text == ".":
        yield Mistake(after.start, "A declaration has no dot at its end.", "Remove the dot.")


def _iris(text: Text) -> Iterator[Mistake]:
    for token in text.tokens:
        if token.text == "<" and token.inside != "expression":
            yield Mistake(
                token.start,
                "An IRI stands between < and >, without spaces or quotes.",
                "Mend it; a comparison stands in FILTER(...).",
            )
        elif token.kind == "iri" and text.names.expand(token) is None:
            shown = token.text[:80]
            yield Mistake(
                token.start, f"{shown} is relative, and there is no BASE.", "Write the IRI in full."
            )


def _ground(text: Text) -> Iterator[Mistake]:
    for token in text.tokens:
        if token.inside == "ground" and token.kind == "variable":
            yield Mistake(
                token.start,
                f"{token.text} is a variable, and DATA takes none.",
                "Use INSERT {...} WHERE {...} or DELETE {...} WHERE {...}.",
            )


def _rows(text: Text) -> Iterator[Mistake]:
    """Compare the rows of VALUES with the variables above them."""
    expected = found = 0
    for index, token in enumerate(text.tokens):
        if token.is_("VALUES"):
            expected = 0
        elif token.kind == "variable" and token.inside == "head":
            expected += 1
        elif token.text == "(" and token.inside == "data":
            found = 0
        elif token.inside == "row":
            found += token.kind in {"iri", "name", "string", "number", "word"} and (
                text.token(index - 1).text != "^^"
            )
        elif token.text == ")" and token.inside == "data" and found != expected:
            yield Mistake(
                token.start,
                f"In this row stand {found} values; {expected} variables are above.",
                "Write UNDEF for a value that there is not.",
            )


def _brackets(text: Text) -> Iterator[Mistake]:
    closers = {"(": ")", "[": "]", "{": "}", "{|": "|}", "<<": ">>", "<<(": ")>>"}
    stack: list[Token] = []
    for token in text.tokens:
        if token.kind == "open":
            stack.append(token)
        elif token.kind == "close":
            if not stack:
                yield Mistake(token.start, f"There is one {token.text} too many.", "Remove it.")
                return
            opener = stack.pop()
            if closers[opener.text] != token.text:
                yield Mistake(
                    token.start,
                    f"{_opened(text, opener)} is not closed before this {token.text}.",
                    "Close it.",
                    opener.start,
                )
                return
    if stack:
        end = text.token(len(text.tokens)).start
        yield Mistake(end, f"{_opened(text, stack[-1])} is not closed.", "Close it.", stack[-1].start)


def _opened(text: Text, opener: Token) -> str:
    line, column = place(text.text, opener.start)
    return f"The {opener.text} of line {line}, column {column}"
