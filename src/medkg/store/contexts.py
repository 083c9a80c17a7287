"""JSON-LD documents whose context is somewhere else, where nobody may fetch it from."""

import json
import re
from pathlib import Path
from typing import Final

from medkg.domain.errors import SourceFileError

__all__ = ["START", "is_missing", "not_fetched"]

START: Final = 65_536
"""Bytes at the start of a document in which the address of its context is looked for."""

_ENGINE: Final = "remote context"
"""What the engine speaks of when it can't fetch one."""
_KEY: Final = re.compile(rb'"@(?:context|import)"\s*+:\s*+')
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_OPENERS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def is_missing(error: SyntaxError) -> bool:
    """Tell whether the engine stopped at a context that it would have to fetch."""
    return _ENGINE in str(error.msg)


def not_fetched(start: bytes) -> SourceFileError:
    """Return the error for a document that begins with *start*: its context, the line, and what to do."""
    found = _address(start)
    name, line = ("another address", None) if found is None else found
    return SourceFileError(
        Path("document"),
        f"The JSON-LD takes its context from {name}, and nothing is fetched here.",
        line=line,
        remedy="Put the context itself into the document, in place of its address. Nothing was changed.",
    )


def _address(start: bytes) -> tuple[str, int] | None:
    """Return the first address that a context has, and its line."""
    for key in _KEY.finditer(start):
        at = _string_in(start, key.end())
        if at is None:
            continue
        try:
            text = json.loads(at[0])
        except ValueError:
            continue
        return f"<{text[:200]}>", start.count(b"\n", 0, at.start()) + 1
    return None


def _string_in(data: bytes, at: int) -> re.Match[bytes] | None:
    """Return the string that is the value at *at*, or an item of the array there."""
    if data[at : at + 1] != b"[":
        return _STRING.match(data, at)
    depth = 0
    while at < len(data):
        string = _STRING.match(data, at)
        if string is not None and depth == 1:
            return string
        depth += _OPENERS.get(data[at], 0)
        if not depth:
            return None
        at = at + 1 if string is None else string.end()
    return None
