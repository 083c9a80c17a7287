"""Frames between processes."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.store.wire import Channel, pack, unpack

HEADS = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=4)
FRAMES = st.lists(st.tuples(HEADS, st.binary(max_size=50)), max_size=5)


@given(FRAMES, st.integers(1, 20))
def test_frames_come_out_as_they_went_in(frames: list[tuple[dict[str, object], bytes]], step: int) -> None:
    """Frames that arrive in pieces of any size are taken off whole and in order."""
    sent = b"".join(pack(head, body) for head, body in frames)
    buffer, found = bytearray(), []
    for start in range(0, len(sent), step):
        buffer += sent[start : start + step]
        while (frame := unpack(buffer)) is not None:
            found.append(frame)

    assert found == frames
    assert not buffer


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_a_channel_carries_bodies_of_any_size(size: int) -> None:
    """A body larger than the buffers of the system arrives whole."""
    ours, theirs = socket.socketpair()
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with ours, theirs:
        sender = threading.Thread(target=Channel(ours).send, args=({"do": "it"}, body))
        sender.start()
        assert Channel(theirs).receive() == ({"do": "it"}, body)
        sender.join()


@pytest.mark.parametrize("awake", [0.0, 0.01, 5.0])
def test_a_frame_is_waited_for_awake_and_asleep(awake: float) -> None:
    """What comes later arrives, in the moments that are waited for without sleep or after them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Timer(0.05, Channel(ours).send, args=({"do": "it"},))
        sender.start()
        assert Channel(theirs).receive(awake) == ({"do": "it"}, b"")
        sender.join()


@pytest.mark.parametrize("awake", [0.0, 0.01])
@pytest.mark.parametrize("piece", [b"", b"\x00\x00", pack({"a": 1}, b"body")[:-2]])
def test_a_closed_channel_is_the_end(piece: bytes, awake: float) -> None:
    """A channel that is closed before or within a frame raises EOFError."""
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(piece)
        ours.close()
        with pytest.raises(EOFError):
            Channel(theirs).receive(awake)
