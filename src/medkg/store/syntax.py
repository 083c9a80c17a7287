"""The engine's syntax errors in plain words: line, column, what is wrong there, and what to do.

The engine tries keywords at the fault without regard to spaces, and tells where the longest of them ends: up
to 14 characters behind the fault.  So the place is the token that it began to try there.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import Final

from medkg.domain.errors import QuerySyntaxError
from medkg.store.mistakes import Mistake, Text, anywhere
from medkg.store.names import Names
from medkg.store.policy import undeclared
from medkg.store.slips import lastly, nearby
from medkg.store.tokens import Token, place, read

__all__ = ["explain"]

_POSITION: Final = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
_SENTENCE: Final = re.compile(r"\b[A-Z][A-Za-z]+(?: [\w'*]+){2,}")
_LATE: Final = re.compile(r"\[_\]|<unreported>|unbound|not authorized")
"""What the engine expects where it stops at the end of a group or text that breaks a rule as a whole."""
_KEYWORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REACH: Final = 14
"""Characters of the longest keyword of the engine."""
_HIDDEN: Final = 20
"""Names with a keyword before them that are looked at, each against all prefixes."""
_SHOWN: Final = 40
"""Characters of the line that are shown on either side of the fault."""


def explain(error: SyntaxError, text: str, what: str = "query") -> QuerySyntaxError:
    """Return the engine's *error* about a text in plain words; *what* is ``query`` or ``update``."""
    match = _POSITION.match(str(error))
    if match is None:
        return QuerySyntaxError(f"The {what} does not parse: {error}.", line=None, column=None)
    reading = read(text).tokens
    names = Names()
    first = names.declare(reading, 0)
    tokens = tuple(reading)
    stopped = _offset(text, int(match[1]), int(match[2]))
    parts = Text(text, tokens, what, first, names, stopped - _REACH, stopped)
    fault = _fault(stopped, match[3], tokens)
    sure = min(anywhere(parts), key=lambda mistake: mistake.at, default=None)
    unknown = _undeclared(parts, len(text) if sure is None else sure.at)
    at = unknown.start if unknown is not None else sure.at if sure is not None else len(text) + 1
    # Where the engine stopped before that, what is wrong there is the first mistake.
    slip = _slip(parts, at, match[3]) if at > fault else None
    if slip is None and at > stopped and (sure is None or sure.since is None or sure.since > fault):
        slip = _plain(text, what, fault, match[3])
    if slip is None and unknown is not None:
        return undeclared(names, unknown, text, what)
    return _error(text, what, slip or sure or _plain(text, what, fault, match[3]))


def _slip(parts: Text, end: int, expected: str) -> Mistake | None:
    """Return what is a mistake before *end* because the engine stopped where it did."""
    for slip in chain(nearby(parts), lastly(parts) if _LATE.search(expected) else ()):
        # What touches the end is of one piece with what is wrong there.
        if slip.at < end and (end > len(parts.text) or not parts.text[slip.at : end].isidentifier()):
            return slip
    return None


def _undeclared(parts: Text, end: int) -> Token | None:
    """Return the first name before *end* whose prefix is not declared."""
    hidden = 0
    for index, token in enumerate(parts.tokens):
        if token.start >= end or hidden > _HIDDEN:
            break
        if token.kind == "name" and parts.names.expand(token) is None:
            if not parts.token(index - 1).is_("PREFIX") and not parts.names.hides(token):
                return token
            hidden += 1
    return None


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return min(start + column - 1, len(text))


def _fault(stopped: int, expected: str, tokens: Sequence[Token]) -> int:
    """Return where the token starts at which the engine began to try what it expected."""
    literals = [item.strip() for item in expected.split(", ")]
    tried = {stopped - len(item) for item in literals if _KEYWORD.fullmatch(item)}
    at = max((token.start for token in tokens if token.start in tried), default=stopped)
    if any(item[:1] in {'"', "'"} or (item[:1] == "[" and item != "[_]") for item in literals):
        at = stopped
    return next((token.start for token in tokens if token.start <= at < token.start + len(token.text)), at)


def _plain(text: str, what: str, fault: int, expected: str) -> Mistake:
    """Return what can be said of a fault of no known kind: the engine's own sentence, or the text there."""
    sentences = [found for found in _SENTENCE.findall(expected) if not found.isupper()]
    if sentences:
        return Mistake(fault, f"{sentences[0]}.", "")
    rest = text[fault:].lstrip()
    if not rest:
        return Mistake(
            len(text.rstrip()), f"Up to here this is no {what}.", "Is something missing, or said twice?"
        )
    at = len(text) - len(rest)
    piece = next((token.text for token in read(rest[:200]).tokens), rest[:1])
    return Mistake(
        at,
        f"{piece[:80]} can't stand here.",
        "Look at that place and just before it: a missing dot, bracket, quote or prefix?",
    )


def _error(text: str, what: str, mistake: Mistake) -> QuerySyntaxError:
    line, column = place(text, mistake.at)
    row = text.split("\n")[line - 1]
    before, after = row[: column - 1], row[column - 1 :]
    shown = " ".join(f"{before[-_SHOWN:].lstrip()}-->{after[:_SHOWN].rstrip()}".split())
    place_shown = f"Line {line}: {shown}" if row.strip() else ""
    return QuerySyntaxError(
        f"The {what} does not parse at line {line}, column {column}. {mistake.reason}",
        line=line,
        column=column,
        remedy=f"{mistake.remedy} {place_shown}".strip(),
    )
