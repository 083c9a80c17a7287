"""Frames between the processes of the store: a small JSON head and bytes, over a Unix socket.

A frame is two 32-bit lengths (network order), the head as UTF-8 JSON and the body.  A frame without a head is
more of the body of the one before.
"""

import json
import select
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

__all__ = ["AWAKE", "LENGTHS", "Channel", "pack", "unpack"]

LENGTHS: Final = struct.Struct("!II")
AWAKE: Final = 0.002
"""Seconds for which both ends ask for what comes instead of sleeping, while nothing else is to be done.

To be woken on another processor takes longer than to answer a small request.
"""
_PIECE: Final = 262_144
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    text = _ENCODE(head).encode() if head else b""
    return LENGTHS.pack(len(text), len(body)) + text + body


def unpack(buffer: bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Take the first frame off *buffer* and return its head and body, or None while it is not complete."""
    if len(buffer) < LENGTHS.size:
        return None
    head_size, body_size = LENGTHS.unpack_from(buffer)
    start = LENGTHS.size + head_size
    if len(buffer) < start + body_size:
        return None
    with memoryview(buffer) as view:
        head = dict(_decode(bytes(view[LENGTHS.size : start]))) if head_size else {}
        body = bytes(view[start : start + body_size])
    del buffer[: start + body_size]
    return head, body


@lru_cache(maxsize=256)
def _decode(text: bytes) -> dict[str, Any]:
    """Return a head; most of them are like one before."""
    found: dict[str, Any] = json.loads(text)
    return found


class Channel:
    """The blocking end of such a socket, for a process that does one thing at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._buffer = bytearray()

    def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a frame; wait while the other side is slow.

        :raises OSError: the other side is gone.
        """
        self._socket.sendall(pack(head, body))

    def comes(self, seconds: float) -> bool:
        """Tell whether something comes within some time, or the other side closes."""
        return bool(self._buffer or self._poll.poll(1_000 * seconds))

    def receive(self, awake: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Return the next frame; do not sleep for the first *awake* seconds.

        :raises EOFError: the other side has closed.
        """
        while (frame := unpack(self._buffer)) is None:
            piece = self._piece(awake)
            if not piece:
                raise EOFError("the other process has closed the channel")
            self._buffer += piece
        return frame

    def _piece(self, awake: float) -> bytes:
        until = time.monotonic() + awake if awake else 0.0
        while until and time.monotonic() < until:
            with suppress(BlockingIOError):
                return self._socket.recv(_PIECE, socket.MSG_DONTWAIT)
        return self._socket.recv(_PIECE)
