"""store/streaming.py: what an engine pushes is pulled in order, in bounded memory, while somebody reads."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.errors import StoreFailed
from medkg.store.streaming import Chunks, Pipe, stream

CHUNK = 65_536


class Broken(Exception):
    """What the engine of a test fails with."""


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Every test ends with all producers stopped."""
    yield
    gc.collect()
    assert _soon(lambda: not _producers()), _producers()


def _producers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "medkg-result"]


def _soon(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def _open(produce: Callable[[Pipe[str]], None]) -> Chunks[str]:
    head, chunks = stream(produce)
    assert head == "head"
    return chunks


@given(st.lists(st.binary(max_size=200_000), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_bytes_arrive_whole_and_in_order(pieces: list[bytes]) -> None:
    """However the engine cuts its writes, the chunks joined are what it wrote, and none is empty."""

    def produce(pipe: Pipe[str]) -> None:
        file = pipe.begin("head")
        for piece in pieces:
            assert file.write(piece) == len(piece)

    chunks = list(_open(produce))
    assert b"".join(chunks) == b"".join(pieces)
    assert all(chunks)


def test_much_data_arrives_whole() -> None:
    """A hundred megabytes written in small pieces arrive complete, in chunks of about 64 KiB."""

    def produce(pipe: Pipe[str]) -> None:
        file = pipe.begin("head")
        for number in range(100_000):
            file.write(b"%08d" % number * 125)

    position = 0
    for chunk in _open(produce):
        assert CHUNK <= len(chunk) < CHUNK + 1000 or position + len(chunk) == 100_000_000
        assert chunk[:8] in b"%08d" % (position // 1000) * 3
        position += len(chunk)
    assert position == 100_000_000


@pytest.mark.parametrize("written", [b"", b"x", b"x" * (CHUNK - 1)])
def test_an_early_failure_is_raised_by_the_call(written: bytes) -> None:
    """An error before the first chunk is raised by stream(), so that it can still become a status."""

    def produce(pipe: Pipe[str]) -> None:
        pipe.begin("head").write(written)
        raise Broken

    with pytest.raises(Broken):
        stream(produce)


def test_a_failure_before_the_head_is_raised_by_the_call() -> None:
    """An error before anything was sent is raised by stream() as well."""

    def produce(_pipe: Pipe[str]) -> None:
        raise Broken

    with pytest.raises(Broken):
        stream(produce)


class Panic(BaseException):
    """A failure that is no Exception, as a panic of the engine is none."""


@pytest.mark.parametrize("written", [b"", b"x" * CHUNK])
def test_a_panic_leaves_no_reader_waiting(written: bytes) -> None:
    """Even a failure that is no Exception reaches the reader, as an error of ours with its cause."""

    def produce(pipe: Pipe[str]) -> None:
        pipe.begin("head").write(written)
        raise Panic

    with pytest.raises(StoreFailed) as caught:
        list(_open(produce))

    assert isinstance(caught.value.__cause__, Panic)


def test_a_late_failure_breaks_the_iteration() -> None:
    """An error after the first chunk is raised where the bytes end, never taken for their end."""

    def produce(pipe: Pipe[str]) -> None:
        pipe.begin("head").write(b"x" * CHUNK)
        raise Broken

    chunks = _open(produce)
    assert next(chunks) == b"x" * CHUNK
    with pytest.raises(Broken):
        next(chunks)

    assert list(chunks) == []


def test_the_first_chunk_does_not_wait_for_the_second() -> None:
    """What has been written is delivered while the engine still works on the rest."""
    go_on = threading.Event()
    told: list[bool] = []

    def produce(pipe: Pipe[str]) -> None:
        file = pipe.begin("head")
        file.write(b"a" * CHUNK)
        told.append(go_on.wait(60))
        file.write(b"b")

    chunks = _open(produce)
    assert next(chunks) == b"a" * CHUNK
    go_on.set()
    assert list(chunks) == [b"b"]
    assert told == [True], "the first one came only when the wait was over"


class Endless:
    """A producer that counts the chunks it could write and knows when it was stopped."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self, pipe: Pipe[str]) -> None:
        file = pipe.begin("head")
        while True:
            file.write(b"x" * CHUNK)
            self.written += 1

    def settled(self, least: int) -> int:
        """Return the number of chunks, at least so many, once it grows no more."""
        assert _soon(lambda: self.written >= least)
        before = -1
        while before != self.written:
            before = self.written
            time.sleep(0.8)
        return before


def test_a_slow_reader_holds_the_engine() -> None:
    """A handful of chunks waits for a reader, not more: memory stays bounded, however long the answer."""
    producer = Endless()
    chunks = _open(producer)
    held = producer.settled(8)
    assert held <= 12
    assert len(list(islice(chunks, 5))) == 5
    assert producer.settled(held + 4) <= held + 5
    chunks.close()


def test_closing_stops_the_engine() -> None:
    """A closed answer gives nothing more, and the engine stops at its next write."""
    chunks = _open(Endless())
    next(chunks)
    chunks.close()
    assert list(chunks) == []
    assert _soon(lambda: not _producers())


def test_letting_go_stops_the_engine() -> None:
    """An answer that nobody holds any more stops its engine without a call."""
    chunks = _open(Endless())
    next(chunks)
    del chunks
    gc.collect()
    assert _soon(lambda: not _producers())


def test_an_answer_that_nobody_starts_to_read_stops_too() -> None:
    """An answer that is dropped before its first byte was taken leaves no thread."""
    for _ in range(20):
        stream(Endless())
    gc.collect()
    assert _soon(lambda: not _producers())


def test_an_error_after_the_reader_left_is_told_to_nobody() -> None:
    """What fails once nobody reads, be it the engine's wrapping of our stop, raises in no thread."""

    def produce(pipe: Pipe[str]) -> None:
        file = pipe.begin("head")
        try:
            while True:
                file.write(b"x" * CHUNK)
        except Exception as stopped:
            raise OSError("the engine wraps what a write raises") from stopped

    chunks = _open(produce)
    chunks.close()
    assert _soon(lambda: not _producers())


def test_answers_do_not_mix() -> None:
    """Answers that are read in turns each give their own bytes."""

    def numbered(number: int) -> Callable[[Pipe[str]], None]:
        def produce(pipe: Pipe[str]) -> None:
            file = pipe.begin("head")
            for _ in range(30):
                file.write(b"%d" % number * CHUNK)

        return produce

    answers = [_open(numbered(number)) for number in range(8)]
    for _ in range(30):
        for number, chunks in enumerate(answers):
            assert next(chunks) == b"%d" % number * CHUNK
    assert [list(chunks) for chunks in answers] == [[]] * 8


def test_the_stack_of_other_threads_stays_as_it_was() -> None:
    """The engine's thread has a stack of its own size; starting it changes that of no later thread."""
    before = threading.stack_size()
    chunks = _open(Endless())
    assert threading.stack_size() == before
    chunks.close()
