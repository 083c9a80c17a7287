"""Turns an engine that pushes bytes into a file into an iterator that is pulled, with back-pressure."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from traceback import clear_frames
from typing import IO, Final, Generic, TypeVar, cast

from medkg.domain.errors import StoreFailed

__all__ = ["Chunks", "Pipe", "stream"]

Head = TypeVar("Head")

_CHUNK: Final = 65_536
_WAITING: Final = 8
"""Chunks that may wait for a slow client before the engine is held."""
_STACK: Final = 16 * 1_048_576
"""Bytes of stack for the engine, which plans by recursion: twice what the policy was measured on."""
_STARTING: Final = threading.Lock()


class _Abandoned(Exception):
    """Raised inside the engine's write call to stop an evaluation that nobody reads."""


class _End:
    """The end of the bytes."""


class Pipe(Generic[Head]):
    """The file that a producer writes to: a head first, then bytes, which it collects into chunks."""

    def __init__(self) -> None:
        self.abandoned = threading.Event()
        self._items: queue.Queue[Head | bytes | Exception | _End] = queue.Queue(maxsize=_WAITING)
        self._buffer = bytearray()

    def begin(self, head: Head) -> IO[bytes]:
        """Send the head and return the file for the bytes."""
        self.put(head)
        return cast("IO[bytes]", self)

    def write(self, data: bytes) -> int:
        """Take the engine's bytes.

        :raises _Abandoned: the reader has closed the iterator.
        """
        self._buffer += data
        if len(self._buffer) >= _CHUNK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send what has been collected."""
        if self._buffer:
            self.put(bytes(self._buffer))
            self._buffer.clear()

    def put(self, item: Head | bytes | Exception | _End) -> None:
        """Send one item, waiting for the reader as long as there is one."""
        while not self.abandoned.is_set():
            with suppress(queue.Full):
                self._items.put(item, timeout=0.5)
                return
        raise _Abandoned

    def take(self) -> Head | bytes | _End:
        """Return the next item, or raise the producer's error."""
        item = self._items.get()
        if isinstance(item, Exception):
            raise item
        return item


class Chunks(Generic[Head]):
    """The bytes of a result, as they come; closing it, or letting go of it, stops the producer."""

    def __init__(self, pipe: Pipe[Head], first: Head | bytes | _End) -> None:
        self._pipe = pipe
        self._next: Head | bytes | _End | None = first

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._pipe.abandoned.is_set():
            raise StopIteration
        try:
            item = self._pipe.take() if self._next is None else self._next
        except BaseException:
            self.close()
            raise
        self._next = None
        if isinstance(item, bytes):
            return item
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Stop the producer at its next write; nothing more comes."""
        self._pipe.abandoned.set()

    def __del__(self) -> None:
        self.close()


def stream(produce: Callable[[Pipe[Head]], None]) -> tuple[Head, Chunks[Head]]:
    """Run *produce* in a thread of its own; return the head that it sends and its bytes.

    The first chunk is waited for here, so that an early failure is raised by this call; a later one is raised
    by the iteration.
    """
    pipe: Pipe[Head] = Pipe()
    _start(threading.Thread(target=_run, args=(produce, pipe), name="medkg-result", daemon=True))
    try:
        head = pipe.take()
        return cast("Head", head), Chunks(pipe, pipe.take())
    except BaseException:
        pipe.abandoned.set()
        raise


def _start(thread: threading.Thread) -> None:
    # The stack size is a setting of the process, read when a thread starts.
    with _STARTING:
        before = threading.stack_size(_STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)


def _run(produce: Callable[[Pipe[Head]], None], pipe: Pipe[Head]) -> None:
    # With no reader left there is nobody to tell of an error, neither ours nor the engine's wrapping of it.
    with suppress(_Abandoned):
        try:
            produce(pipe)
            pipe.flush()
            pipe.put(_End())
        except _Abandoned:
            raise
        except Exception as error:  # noqa: BLE001 - handed to the reader, who knows what to do with it
            _let_go(error)
            pipe.put(error)
        except BaseException as error:  # noqa: BLE001 - a panic of the engine, which must not leave a reader waiting
            failure = StoreFailed("The engine could not go on.")
            failure.__cause__ = error
            _let_go(failure)
            pipe.put(failure)


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error holds: what the engine made must die in the thread that made it."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
