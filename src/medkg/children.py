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
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

__all__ = [
    "deny_sockets",
    "die_with_parent",
    "filter_calls",
    "keep_only",
    "limit_memory",
    "resident_bytes",
    "run_deep",
    "spawn",
]

_STACK: Final = 256 * 1_048_576
"""Bytes of stack for the engine, which parses and plans by recursion; only what is used takes memory."""
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


def run_deep(work: Callable[..., None], *arguments: object) -> NoReturn:
    """Do *work* on a stack deeper than that of the first thread of a process, then end this process."""
    threading.stack_size(_STACK)
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()
    os._exit(0)


def die_with_parent(parent: int) -> None:
    """Have this process killed when *parent*, which started it, dies; where the system can do that."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    # It may have died before the call above.
    if os.getppid() != parent:
        os._exit(0)


def limit_memory(more: int) -> None:
    """Let this process take at most *more* bytes of address space beyond what it has, and write no core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a path of the system
            pages = int(file.read().split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


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
