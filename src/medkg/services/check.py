"""Validates a version before it becomes the current one, in a process of its own that can be stopped."""

import asyncio
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from medkg import children
from medkg.domain.errors import GraphInvalid, MedkgError, to_wire
from medkg.domain.model import Finding, Place, Report, Severity
from medkg.domain.namespaces import GRAPH, GRAPH_SHAPES
from medkg.store.peer import connect
from medkg.store.versions import Version
from medkg.store.wire import Channel

__all__ = ["check", "main", "validate"]

_SHOWN = 20
_MANUAL = str(GRAPH["manual/"])


def validate(folder: Path) -> Report:
    """Return what the shapes say of the version in *folder*: of its merge and its mentions."""
    # The service imports this module and never validates in its own process; the import takes a moment.
    from medkg.services import validation

    version = Version(folder)
    return validation.validate(version.in_memory(), version.graph(GRAPH_SHAPES))


async def check(folder: Path, changed: tuple[str, ...]) -> None:
    """Validate the version in *folder*, which changes the graphs *changed*.

    :raises GraphInvalid: it breaks a shape; nothing of it is kept.
    :raises ShapesRefused: the shapes in it can't be used; the same.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        process = children.spawn("medkg.services.check", str(number), str(folder), pass_fds=[number])
    peer = await connect(ours)
    peer.pid = process.pid
    try:
        head, _ = await peer.receive()
    finally:
        peer.end()
        await asyncio.to_thread(process.wait)
    findings = tuple(map(_finding, head["findings"]))
    violations = Report(findings).of(Severity.VIOLATION)
    if violations:
        first = violations[0]
        named = ", ".join(name for name in changed if name.startswith(_MANUAL)) or "the graph"
        raise GraphInvalid(
            f"Nothing was changed: {len(violations)} violation(s) of the shapes in {named}. "
            f"The first: {first.code} {first.focus}: {first.message}",
            violations[:_SHOWN],
            remedy="Mend the statements and send them again.",
        )


def _finding(fields: dict[str, Any]) -> Finding:
    place, related = Place(**fields["place"]), tuple(fields["related"])
    return Finding(**{**fields, "severity": Severity(fields["severity"]), "place": place, "related": related})


def main() -> None:
    """Validate the folder that the second argument names; answer on the descriptor in the first."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    try:
        report = validate(Path(sys.argv[2]))
    except MedkgError as error:
        # The write may have changed the shapes themselves.
        channel.send(to_wire(error))
    else:
        channel.send({"findings": [asdict(finding) for finding in report.findings]})


if __name__ == "__main__":
    main()
