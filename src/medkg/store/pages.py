"""The memory that a reader shares with its nursery, made its own while it has nothing to do.

A page of a forked process is copied when it is first written to, and the engine writes where it reads: it
counts who holds what.  A request at a fresh reader would wait for all these copies.
"""

import ctypes
import re
from collections import deque
from pathlib import Path
from typing import Final

from medkg.store.wire import Channel

__all__ = ["SharedPages"]

_MAPS: Final = Path("/proc/self/maps")
_PRIVATE: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0 *(?:\[heap\])?$", re.MULTILINE)
_POPULATE_WRITE: Final = 23
"""The advice of Linux 5.14 that makes pages as a write would; the standard library has no name for it."""
_STEP: Final = 8 * 1_048_576
"""Bytes that are copied without a look at whether a request has come: some milliseconds."""
_REST: Final = 1.0
"""Seconds without a request after which it begins."""


class SharedPages:
    """The pages that this process has from the one that forked it; none when *wanted* is False."""

    def __init__(self, *, wanted: bool) -> None:
        self._left: deque[tuple[int, int]] = deque()
        if wanted:
            found = _PRIVATE.findall(_MAPS.read_text(encoding="ascii", errors="replace"))
            self._left.extend((int(start, 16), int(end, 16)) for start, end in found)
            self._library = ctypes.CDLL(None)

    def own(self, channel: Channel) -> None:
        """Copy pages until something comes over the channel, or there are none left."""
        if self._left and not channel.comes(_REST):
            while self._left and not channel.comes(0):
                self._copy()

    def _copy(self) -> None:
        start, end = self._left.popleft()
        last = min(end, start + _STEP)
        if last < end:
            self._left.appendleft((last, end))
        # What is no longer there, or an older kernel, is no harm.
        self._library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(last - start), _POPULATE_WRITE)
