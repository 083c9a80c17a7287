"""The writer: the process that owns the store that is written to, and does one thing at a time.

Started as ``python -m medkg.store.writing FD SETTINGS``: a Unix socket and its settings as JSON, ``root``,
``union``, ``memory`` (bytes that it may take more; 0: any), ``max_bytes`` and ``max_depth``.  It answers each
frame with one; the first one that it sends says ``ready`` with the ``version``, or an error.  An error leaves
the current version as it was.

=============  ============================================  ==============================================
``do``         takes                                         answers
=============  ============================================  ==============================================
``update``     ``author``, ``now``, ``key``, ``using``,      ``commit``; ``prepared``, the folder of the
               ``using_named``, ``base``; the body is text   version in the making, or None: nothing to do
               (of ``max_bytes``, if that is another limit)
``write``      ``author``, ``now``, ``key``, ``action``,     the same
               ``graph``, ``triples`` (a path),
               ``expected``, ``unexpected``
``publish``                                                  ``commit``
``abort``                                                    nothing
``adopt``                                                    ``version``: goes on from the current one
``prune``      ``keep``: versions that readers have open     nothing
=============  ============================================  ==============================================

With ``publish`` true, ``update`` and ``write`` publish what they have prepared, and ``prepared`` is None.
An ``author`` has ``name``, ``role`` and ``unchecked``; ``now`` is a time in ISO 8601.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from medkg import children
from medkg.domain.errors import MedkgError, StoreFailed, to_wire
from medkg.domain.model import Author, Commit, GraphWrite, Role, UpdateRequest
from medkg.store.live import Live, Prepared
from medkg.store.policy import Limits
from medkg.store.wire import Channel

__all__ = ["Live", "Prepared", "Writer", "main"]


Head = Mapping[str, Any]


class Writer:
    """What the process does with a frame."""

    def __init__(self, live: Live, limits: Limits) -> None:
        self._live = live
        self._limits = limits
        self._commands: Mapping[str, Callable[[Head, bytes], dict[str, Any]]] = {
            "update": self._update,
            "write": self._write,
            "publish": lambda _head, _body: {"commit": _plain(live.publish())},
            "abort": self._abort,
            "adopt": self._adopt,
            "prune": self._prune,
        }

    def answer(self, head: Head, body: bytes) -> dict[str, Any]:
        """Return the answer to a frame; an error as :func:`medkg.domain.errors.to_wire` has it."""
        try:
            return self._commands[head["do"]](head, body)
        except MedkgError as error:
            return to_wire(error)

    def settle(self) -> None:
        """Make ready for the next write, while nobody waits."""
        # What can't be done now fails the next write, with its reason.
        with suppress(MedkgError):
            self._live.settle()

    def _update(self, head: Head, body: bytes) -> dict[str, Any]:
        text = body.decode("utf-8", "surrogatepass")
        using, named = (tuple(head.get(name, ())) for name in ("using", "using_named"))
        request = UpdateRequest(text, using, named, head.get("base", ""))
        # With what other servers have answered in it, a text may be longer than that of a client.
        limits = replace(self._limits, max_bytes=head.get("max_bytes", self._limits.max_bytes))
        return self._outcome(
            head,
            self._live.update(request, _author(head), limits, now=_now(head), key=head.get("key", "")),
        )

    def _write(self, head: Head, _body: bytes) -> dict[str, Any]:
        triples = head.get("triples")
        change = GraphWrite(
            head["action"],
            head.get("graph"),
            None if triples is None else Path(triples),
            head.get("expected"),
            head.get("unexpected"),
        )
        return self._outcome(
            head, self._live.write(change, _author(head), now=_now(head), key=head.get("key", ""))
        )

    def _outcome(self, head: Head, prepared: Prepared) -> dict[str, Any]:
        if prepared.folder is None or not head.get("publish"):
            folder = prepared.folder
            return {"commit": _plain(prepared.commit), "prepared": None if folder is None else str(folder)}
        return {"commit": _plain(self._live.publish()), "prepared": None}

    def _abort(self, _head: Head, _body: bytes) -> dict[str, Any]:
        self._live.abort()
        return {}

    def _adopt(self, _head: Head, _body: bytes) -> dict[str, Any]:
        self._live.reset()
        return {"version": self._live.version}

    def _prune(self, head: Head, _body: bytes) -> dict[str, Any]:
        self._live.prune(head["keep"])
        return {}


def _author(head: Head) -> Author:
    author = head["author"]
    return Author(author["name"], Role(author["role"]), bool(author.get("unchecked")))


def _now(head: Head) -> datetime:
    return datetime.fromisoformat(head["now"])


def _plain(commit: Commit) -> dict[str, Any]:
    return {**asdict(commit), "delta": None if commit.delta is None else str(commit.delta)}


def main() -> None:
    """Answer on the descriptor that the first argument names, until it is closed."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    children.die_with_parent(os.getppid())
    children.keep_only([sock.fileno()])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children.run_deep(_serve, Channel(sock), json.loads(sys.argv[2]))


def _serve(channel: Channel, settings: dict[str, Any]) -> None:
    # An update may hold what the policy did not see; there is nothing that it could open.
    walled = children.filter_calls()
    try:
        live = Live(Path(settings["root"]), union=settings["union"])
    except MedkgError as error:
        channel.send(to_wire(error))
        return
    if settings["memory"]:
        children.limit_memory(settings["memory"])
    writer = Writer(live, Limits(settings["max_bytes"], settings["max_depth"], walled))
    channel.send({"ready": True, "version": live.version})
    with suppress(EOFError, OSError):
        while True:
            channel.send(_careful(writer, *channel.receive()))
            writer.settle()


def _careful(writer: Writer, head: Head, body: bytes) -> dict[str, Any]:
    try:
        return writer.answer(head, body)
    except MemoryError:
        return to_wire(StoreFailed("The write needs more memory than it may take; nothing was changed."))
    except Exception as error:  # noqa: BLE001 - one write fails, the writer goes on
        return to_wire(StoreFailed(f"The write failed ({type(error).__name__}); nothing was changed."))


if __name__ == "__main__":
    main()
