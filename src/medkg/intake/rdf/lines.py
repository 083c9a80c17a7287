"""Offsets in a text as lines and columns."""

import re
from bisect import bisect_right

from medkg.domain.model import Place

__all__ = ["ByteLines", "Lines"]

_BREAK = re.compile(r"\r\n?|\n")
_BLOCK = 1024
_CONTINUATION = bytes(range(0x80, 0xC0))


class Lines:
    """The lines of a text; CR, LF and CR LF each end one."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def place(self, start: int, end: int | None = None, *, pointer: str = "") -> Place:
        """Return the place from the character at *start* to just before *end* (0-based; none: no end)."""
        line = bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        if end is None:
            return Place(line=line, column=column, pointer=pointer)
        last = bisect_right(self._starts, end)
        last_column = end - self._starts[last - 1] + 1
        return Place(line=line, column=column, end_line=last, end_column=last_column, pointer=pointer)

    def offset(self, line: int, column: int) -> int:
        """Return the offset (0-based) of a line and a column (1-based); of what is not there, the nearest."""
        start = self._starts[min(max(line, 1), len(self._starts)) - 1]
        return start + max(column, 1) - 1


class ByteLines:
    """The lines of a text, for who knows bytes of its UTF-8; a long line costs no more than a short one."""

    def __init__(self, text: str, data: bytes) -> None:
        self._lines = Lines(text)
        self._data = data
        self._plain = data.isascii()
        self._before = [0]
        for at in range(0, 0 if self._plain else len(data), _BLOCK):
            self._before.append(self._before[-1] + self._count(at, at + _BLOCK))

    def place(self, start: int, end: int | None = None) -> Place:
        """Return the place from the byte at *start* to just before *end* (0-based; none: no end)."""
        return self._lines.place(self._character(start), None if end is None else self._character(end))

    def _character(self, byte: int) -> int:
        if self._plain:
            return byte
        block = byte // _BLOCK
        return self._before[block] + self._count(block * _BLOCK, byte)

    def _count(self, start: int, end: int) -> int:
        return len(self._data[start:end].translate(None, _CONTINUATION))
