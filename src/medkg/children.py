"""Child processes that may be killed at any moment: how they start, and the walls around them.

Whatever is untrusted or may never end runs in one of these.  The walls are those of the operating system:
memory, no core dumps, no new sockets, death together with the parent.
"""

import ctypes
import os
import platform
import resource
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

__all__ = [
    "STACK",
    "deny_sockets",
    "die_with_parent",
    "filter_calls",
    "keep_only",
    "limit_memory",
    "lower_priority",
    "memory_bytes",
    "memory_not_counted",
    "processors",
    "raise_descriptors",
    "resident_bytes",
    "run_deep",
    "spawn",
]

STACK: Final = 256 * 1_048_576
"""Bytes of stack for the engine, which parses and plans by recursion; only what is used takes memory."""
_ARENA: Final = 128 * 1_048_576
"""Bytes of address space that a further thread takes for its heap."""
_FILES: Final = 8_192
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_FILTER: Final = 2
_SIGKILL: Final = 9

# Audit number of the architecture, then: socket, connect, execve, execveat, io_uring_setup.
_CALLS: Final = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 425)),
}
_X32: Final = 0x40000000
_ALLOW: Final = 0x7FFF0000
_DENY: Final = 0x00050000 | 13
"""SECCOMP_RET_ERRNO with EACCES."""


def spawn(module: str, *arguments: str, pass_fds: Iterable[int] = ()) -> subprocess.Popen[bytes]:
    """Start a module of medkg as a process of its own, in a session of its own, and return it.

    It inherits the descriptors *pass_fds* and nothing else, so that a signal for the terminal's foreground
    processes reaches the service alone, which then ends its children in order.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=tuple(pass_fds),
        start_new_session=True,
    )


def run_deep(work: Callable[..., object], *arguments: object) -> NoReturn:
    """Do *work* on a stack deeper than that of the first thread of a process, then end this process.

    As long as *work* returns True it is done again, on another thread: one with the priority of the first.
    """
    threading.stack_size(STACK)
    again: list[object] = [True]

    def run() -> None:
        again.append(work(*arguments))

    surplus = STACK + _ARENA
    while again == [True]:
        again.clear()
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        # The system library gives the stack of a thread back when the one after it ends, and its heap never.
        _raise_limit(surplus)
        surplus = 0
    os._exit(0)


def lower_priority(pid: int, steps: int) -> None:
    """Let the threads of a process that work yield to others; the first one, which waits for them, stays.

    An unprivileged process can't take that back, but a thread that the first one starts later is not lowered.
    """
    threads = [pid]
    if sys.platform == "linux":
        # Elsewhere a process has one priority; here each of its threads has its own (setpriority(2)).
        with suppress(OSError):
            threads = [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
            threads.remove(pid)
    for thread in threads:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + steps)


def processors() -> int:
    """Return how many processors this process may use, a part of one counted as one."""
    found = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    limit = _limit_of_container("cpu.max")
    return min(found, -(-limit[0] // limit[1])) if limit else found


def raise_descriptors() -> int:
    """Have as many descriptors as are of use, as far as the system gives them; return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return most if soft == resource.RLIM_INFINITY else min(most, soft)


def die_with_parent(parent: int) -> None:
    """Have this process killed when *parent*, which started it, dies; where the system can do that."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    # It may have died before the call above.
    if os.getppid() != parent:
        os._exit(0)


def limit_memory(more: int) -> None:
    """Let this process take at most *more* bytes of address space beyond what it has, and write no core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if taken := _address_space():
        _limit_address_space(taken + more)


@contextmanager
def memory_not_counted() -> Iterator[None]:
    """Run a block whose memory comes on top of the limit of this process."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    before = _address_space()
    _limit_address_space(resource.RLIM_INFINITY)
    try:
        yield
    finally:
        _limit_address_space(limit)
        _raise_limit(max(0, _address_space() - before))


def _raise_limit(more: int) -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        _limit_address_space(limit + more)


def _limit_address_space(size: int) -> None:
    """Set the limit that holds; the one above it stays, so that this process can lift the first again."""
    highest = resource.getrlimit(resource.RLIMIT_AS)[1]
    if highest != resource.RLIM_INFINITY and (size == resource.RLIM_INFINITY or size > highest):
        size = highest
    resource.setrlimit(resource.RLIMIT_AS, (size, highest))


def _address_space() -> int:
    """Return the bytes of address space that this process has, or 0 when that can't be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a path of the system
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def keep_only(descriptors: Iterable[int]) -> None:
    """Close every descriptor above standard error but these."""
    last = 2
    for descriptor in sorted(descriptors):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65_536))


def filter_calls() -> bool:
    """Make every later attempt of this process to open a socket or start a program fail with EACCES.

    Return whether it does: only Linux has such filters (seccomp).
    """
    known = _CALLS.get(platform.machine()) if sys.platform == "linux" else None
    return known is not None and _prctl(_PR_SET_NO_NEW_PRIVS, 1) and _install(*known)


def deny_sockets() -> bool:
    """Keep this process from opening sockets, and return whether it worked.

    Where there is no filter for calls, a limit on descriptors does it, and leaves no room for files either.
    """
    if filter_calls():
        return True
    highest = max(int(name) for name in os.listdir("/dev/fd"))  # noqa: PTH208 - descriptors, not files
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
    try:
        socket.socket().close()
    except OSError:
        return True
    return False


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes, or 0 when that can't be told."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - a path of the system
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0


def memory_bytes() -> int:
    """Return the memory that this machine, or the group of processes that this one belongs to, may take."""
    total = resource.getpagesize() * os.sysconf("SC_PHYS_PAGES")
    return min([total, *_limit_of_container("memory.max")])


def _limit_of_container(name: str) -> list[int]:
    """Return the numbers of a limit of this process's container, or none where it has no such limit."""
    with suppress(OSError, ValueError):
        # A path of the system (cgroup v2); without a limit there is a word in the place of the first number.
        return [int(part) for part in Path("/sys/fs/cgroup", name).read_text(encoding="ascii").split()]
    return []


def _install(architecture: int, calls: tuple[int, ...]) -> bool:
    """Install the filter; see seccomp(2) and the classic BPF of the Linux kernel."""
    load, jump_equal, jump_from, give = 0x20, 0x15, 0x35, 0x06
    deny = len(calls) + 5  # the index of the last step; a jump counts from the step behind it
    steps = [
        (load, 0, 0, 4),  # the architecture
        (jump_equal, 0, deny - 2, architecture),
        (load, 0, 0, 0),  # the number of the call
        (jump_from, deny - 4, 0, _X32),
        *((jump_equal, deny - 5 - index, 0, call) for index, call in enumerate(calls)),
        (give, 0, 0, _ALLOW),
        (give, 0, 0, _DENY),
    ]
    program = b"".join(struct.pack("=HBBI", *step) for step in steps)
    memory = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(steps), ctypes.addressof(memory))
    return _prctl(_PR_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(head, len(head)))


def _prctl(option: int, *values: object) -> bool:
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    passed = [
        value if isinstance(value, ctypes.Array) else ctypes.c_ulong(int(str(value))) for value in values
    ]
    passed += [ctypes.c_ulong(0)] * (4 - len(passed))
    return bool(library.prctl(ctypes.c_int(option), *passed) == 0)
