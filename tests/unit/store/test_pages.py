"""store/pages.py: a reader with nothing to do copies the memory that it shares."""

import os
import re
import socket
from pathlib import Path

import pytest

from medkg.store import pages
from medkg.store.pages import SharedPages
from medkg.store.wire import Channel

SIZE = 64 * 1_048_576


def own_bytes_of_child(request: bytes, *, wanted: bool = True) -> int:
    """Return how much memory a forked child has for itself once it has made its pages its own."""
    shared = bytearray(b"x" * SIZE)
    ours, theirs = socket.socketpair()
    receiving, sending = os.pipe()
    ours.sendall(request)
    pid = os.fork()
    if not pid:
        try:
            SharedPages(wanted=wanted).own(Channel(theirs))
            found = re.search(r"Private_Dirty: +(\d+)", Path("/proc/self/smaps_rollup").read_text())
            os.write(sending, b"%d" % (1_024 * int(found[1]) if found else 0))
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as file, ours, theirs:
        said = int(file.read())
    os.waitpid(pid, 0)
    assert len(shared) == SIZE
    return said


@pytest.mark.parametrize(
    ("request_", "wanted", "copied"),
    [(b"", True, True), (b"request", True, False), (b"", False, False)],
    ids=["at rest", "asked", "not wanted"],
)
def test_pages_are_copied_while_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, request_: bytes, wanted: bool, copied: bool
) -> None:
    """Where there is memory for it, and only until a request comes."""
    monkeypatch.setattr(pages, "_REST", 0.01)

    assert (own_bytes_of_child(request_, wanted=wanted) > SIZE) is copied
