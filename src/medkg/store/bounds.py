"""How large an answer may be where an operator sets that: it is counted, and held until it is whole.

The engine writes rows several times faster than Python, so they are counted in the bytes that it writes; each
format has a sign that stands once for each row and in no value.
"""

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final, Self, TypeVar, cast

from medkg.domain.errors import AnswerTooLarge

__all__ = ["NONE", "Bounds", "Held", "Tally"]

_T = TypeVar("_T")

_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most rows (solutions or triples) and the most bytes that an answer may have; 0: no limit."""

    rows: int = 0
    size: int = 0

    @classmethod
    def of(cls, rows: int, size: int, *, most: int) -> "Bounds":
        """Return the bounds for what an operator has set, of which *most* bytes can be held back.

        Rows alone are a bound on bytes too: what is counted is held until its end.
        """
        return cls(rows, min(size or most, most)) if rows or size else cls()

    @property
    def announced(self) -> str:
        """The bounds as a client is told them, or nothing."""
        named = {"rows": self.rows, "bytes": self.size}
        return ", ".join(f"{name}={most}" for name, most in named.items() if most)


NONE: Final = Bounds()
"""No limits."""


class Tally:
    """Counts the rows of one answer, *most* of which it may have; 0: any number, and none is counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0

    def add(self, number: int) -> None:
        """Count rows.

        :raises AnswerTooLarge: there are too many.
        """
        self.count += number
        if self._most and self.count > self._most:
            raise AnswerTooLarge(
                f"The answer has more than {self._most:,} rows or triples, the limit of this service.",
                limit=f"rows={self._most}",
                remedy=f"Ask for less: with LIMIT {self._most} in a query, or one part at a time.",
            )

    def each(self, items: Iterable[_T]) -> Iterable[_T]:
        """Return what gives the items, each counted as a row.

        :raises AnswerTooLarge: there are too many.
        """
        return self._counted(items) if self._most else items

    def _counted(self, items: Iterable[_T]) -> Iterator[_T]:
        for item in items:
            self.add(1)
            yield item

    def file(self, file: IO[bytes], name: str) -> IO[bytes]:
        """Return a file that passes on what the engine writes in the format *name*, and counts its rows."""
        if not self._most:
            return file
        return cast("IO[bytes]", {"json": _Json, "xml": _Xml, "tsv": _Tsv}[name](file, self))


class _Counting:
    """A file that counts rows in what it passes on."""

    def __init__(self, file: IO[bytes], tally: Tally) -> None:
        self._file = file
        self._tally = tally
        self._rest = b""

    def write(self, data: bytes) -> int:
        """Pass the bytes on.

        :raises AnswerTooLarge: there are too many rows in them.
        """
        self._tally.add(self._rows(data))
        return self._file.write(data)

    def flush(self) -> None:
        """Pass the call on."""
        self._file.flush()

    def _rows(self, data: bytes) -> int:
        raise NotImplementedError

    def _found(self, data: bytes, *signs: bytes) -> int:
        """Count the signs, all of one length, also where one is cut by the end of a piece."""
        whole = self._rest + data
        self._rest = whole[1 - len(signs[0]) :]
        return sum(map(whole.count, signs))


class _Json(_Counting):
    """Outside of strings, what follows a row or begins the list of them, and then begins a row."""

    def __init__(self, file: IO[bytes], tally: Tally) -> None:
        super().__init__(file, tally)
        self._inside = False
        self._escape = b""

    def _rows(self, data: bytes) -> int:
        # A run of backslashes stays together with the sign that it may escape.
        whole = self._escape + data
        ended = whole.rstrip(b"\\")
        self._escape = whole[len(ended) :]
        texts = ended.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b"".join(texts[self._inside :: 2])
        self._inside ^= len(texts) % 2 == 0
        return self._found(outside, b"},{", b":[{")


class _Xml(_Counting):
    """Its start tag, which no text holds: there the sign < is always escaped."""

    def _rows(self, data: bytes) -> int:
        return self._found(data, b"<result>")


class _Tsv(_Counting):
    """The end of a line, which no value holds; the first one is that of the head."""

    def __init__(self, file: IO[bytes], tally: Tally) -> None:
        super().__init__(file, tally)
        self._head = 1

    def _rows(self, data: bytes) -> int:
        lines = data.count(b"\n")
        head, self._head = min(self._head, lines), self._head - min(self._head, lines)
        return lines - head


class Held:
    """A file that keeps up to *most* bytes until they are let go to *file*; 0: all goes at once.

    They are kept outside of the heap, which would be in pieces after a large answer, and until the context is
    left.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most
        self._size = 0
        self._start = bytearray()
        self._all: mmap.mmap | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._all is not None:
            self._all.close()

    @property
    def file(self) -> IO[bytes]:
        """The file to write to."""
        return cast("IO[bytes]", self) if self._most else self._file

    def write(self, data: bytes) -> int:
        """Keep bytes.

        :raises AnswerTooLarge: they are too many.
        :raises MemoryError: this process may not take as many.
        """
        self._size += len(data)
        if self._size > self._most:
            raise AnswerTooLarge(
                f"The answer has more than {self._most:,} bytes, the limit of this service.",
                limit=f"bytes={self._most}",
                remedy="Ask for less: with a LIMIT in a query, or one part at a time.",
            )
        if self._all is None and self._size > _PIECE:
            self._all = _mapped(self._most)
            self._all.write(self._start)
        if self._all is None:
            self._start += data
        else:
            self._all.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing; the bytes go when all are there."""

    def let_go(self) -> None:
        """Pass everything on."""
        if self._all is None:
            self._file.write(bytes(self._start))
            return
        for at in range(0, self._size, _PIECE):
            self._file.write(self._all[at : min(at + _PIECE, self._size)])


def _mapped(size: int) -> mmap.mmap:
    try:
        # Only what is written takes memory.
        return mmap.mmap(-1, size)
    except OSError:
        raise MemoryError(size) from None
