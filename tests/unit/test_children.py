"""The walls around child processes, tried from inside a forked child."""

import os
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from medkg import children


def outcome_of(work: Callable[[], str]) -> str:
    """Return what *work* says when it runs in a forked child, or how the child ended."""
    receiving, sending = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(sending, work().encode())
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as file:
        said = file.read().decode()
    status = os.waitpid(pid, 0)[1]
    return said or f"ended with {status}"


def tried(call: Callable[[], object]) -> str:
    try:
        call()
    except (Exception, MemoryError) as error:  # noqa: BLE001 - the engine wraps what it meets in its own errors
        return "refused" if isinstance(error, OSError) else type(error).__name__
    return "allowed"


def asked(text: str) -> Callable[[], object]:
    return lambda: list(ox.Store().query(text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (socket.socket, "refused"),
        (lambda: socket.create_connection(("127.0.0.1", 9)), "refused"),
        (lambda: socket.getaddrinfo("localhost", 80) and "allowed", "allowed"),
        (lambda: os.execv("/bin/true", ["true"]), "refused"),  # noqa: S606 - that is the test
        (asked("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"), "refused"),
        (asked("SELECT * { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } }"), "allowed"),
        (lambda: Path("/etc/passwd").read_bytes(), "allowed"),
        (lambda: ox.Store().update("LOAD <http://127.0.0.1:9/>"), "refused"),
    ],
    ids=["socket", "connect", "hosts file", "exec", "service", "silent service", "file", "load"],
)
def test_nothing_leaves_behind_the_wall(call: Callable[[], object], expected: str) -> None:
    """Behind the wall no socket opens and no program starts, whoever asks; files can still be read."""

    def work() -> str:
        return tried(call) if children.deny_sockets() else "no wall"

    assert outcome_of(work) == expected


def test_sockets_that_were_open_go_on_working() -> None:
    """The wall stops new sockets and leaves the one that an answer goes through."""
    ours, theirs = socket.socketpair()

    def work() -> str:
        children.deny_sockets()
        theirs.sendall(b"still here")
        return "sent"

    with ours, theirs:
        assert outcome_of(work) == "sent"
        assert ours.recv(100) == b"still here"


def test_a_child_can_take_only_so_much_memory() -> None:
    """An allocation beyond the limit fails, one within it does not."""

    def work() -> str:
        children.limit_memory(100 * 1_048_576)
        return tried(lambda: bytearray(50 * 1_048_576)) + ", " + tried(lambda: bytearray(200 * 1_048_576))

    assert outcome_of(work) == "allowed, MemoryError"


def test_what_does_not_count_comes_on_top_of_the_limit() -> None:
    """A block may take more than the limit has left, and leaves as much as there was."""

    def work() -> str:
        children.limit_memory(100 * 1_048_576)
        with children.memory_not_counted():
            kept = bytearray(200 * 1_048_576)
        small = tried(lambda: bytearray(50 * 1_048_576))
        large = tried(lambda: bytearray(200 * 1_048_576))
        return f"{len(kept) >> 20}, {small}, {large}"

    assert outcome_of(work) == "200, allowed, MemoryError"


def test_a_process_may_do_without_a_limit() -> None:
    """What does not count needs no limit to be exempt from."""

    def work() -> str:
        with children.memory_not_counted():
            pass
        return str(resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY)

    assert outcome_of(work) == "True"


def test_work_may_go_on_in_another_thread() -> None:
    """As long as the work says so it is done again, each time in a thread with the first one's priority."""

    def work() -> str:
        rounds: list[int] = []

        def again() -> bool:
            rounds.append(os.getpriority(os.PRIO_PROCESS, 0))
            children.lower_priority(os.getpid(), 5)
            rounds.append(os.getpriority(os.PRIO_PROCESS, 0))
            if len(rounds) < 6:
                return True
            os.write(sending, repr(rounds).encode())
            return False

        receiving, sending = os.pipe()
        pid = os.fork()
        if not pid:
            children.run_deep(again)
        os.waitpid(pid, 0)
        return os.read(receiving, 100).decode()

    assert outcome_of(work) == "[0, 5, 0, 5, 0, 5]"


def test_only_the_named_descriptors_stay_open() -> None:
    """A child that keeps one descriptor has lost all others above standard error."""
    with Path("/dev/null").open("rb") as kept, Path("/dev/null").open("rb") as lost:
        receiving, sending = os.pipe()
        pid = os.fork()
        if not pid:
            children.keep_only([kept.fileno(), sending])
            os.write(sending, b"yes" if tried(lambda: os.fstat(lost.fileno())) == "refused" else b"no")
            os.fstat(kept.fileno())
            os._exit(0)
        os.close(sending)
        with os.fdopen(receiving, "rb") as file:
            assert file.read() == b"yes"
        os.waitpid(pid, 0)


def test_a_child_dies_with_its_parent() -> None:
    """A grandchild that waits for ever is gone soon after the process that forked it."""
    receiving, sending = os.pipe()
    pid = os.fork()
    if not pid:
        parent = os.getpid()
        if not os.fork():
            children.die_with_parent(parent)
            os.write(sending, str(os.getpid()).encode())
            time.sleep(60)
        time.sleep(60)
    grandchild = int(os.read(receiving, 20))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(receiving)
    os.close(sending)

    for _ in range(100):
        if not Path(f"/proc/{grandchild}").exists() or "Z" in Path(f"/proc/{grandchild}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the grandchild lives on")


def test_a_module_starts_as_a_process_of_its_own() -> None:
    """A spawned module has the descriptors it was given and a session of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = children.spawn("medkg.store.nursery", str(theirs.fileno()), pass_fds=[theirs.fileno()])
    theirs.close()

    assert os.getsid(process.pid) == process.pid
    assert children.resident_bytes(process.pid) > 0

    ours.close()
    assert process.wait(10) == 0
    assert children.resident_bytes(process.pid) == 0
