"""Validates one file against the shapes in another, in a process of its own that may die of them."""

import io
import json
import logging
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdflib.term import BNode

from medkg import children
from medkg.domain.errors import EngineCrashed, MedkgError, from_wire, to_wire
from medkg.domain.model import Quad, Report, Severity
from medkg.services.validation import Engine, graph_of, results
from medkg.shacl.findings import findings
from medkg.shacl.results import Result, report
from medkg.store import results as writing
from medkg.store.files import read_document
from medkg.store.formats import by_name
from medkg.store.terms import triples_to_ox
from medkg.store.wire import Channel

__all__ = ["Outcome", "main", "run"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a validation says: the report in the format that was asked for, and the number of findings."""

    body: bytes
    counts: Mapping[Severity, int]


def run(data: Path, shapes: Sequence[Path], *, engine: Engine, form: str) -> Outcome:
    """Validate the file *data* against the *shapes* in some files, and nothing else.

    *form* is ``text``, ``json``, or that of a SHACL report: ``ttl``, ``nt``, ``jsonld``, ``rdfxml``.

    :raises SourceFileError: a file can't be read, or does not parse.
    :raises ShapesRefused: the shapes can't be used.
    :raises EngineCrashed: the files ended the process that read them.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = str(theirs.fileno())
        names = [str(data), *map(str, shapes)]
        process = children.spawn(__name__, number, engine, form, *names, pass_fds=[int(number)])
        theirs.close()
        try:
            head, body = Channel(ours).receive()
        except EOFError:
            raise EngineCrashed(
                "The files ended the process that read them: too large, or too deeply nested.",
                remedy="Send smaller files.",
            ) from None
        finally:
            process.kill()
            process.wait()
    if "error" in head:
        raise from_wire(head)
    return Outcome(body, {Severity(name): number for name, number in head["counts"].items()})


def _outcome(data: Path, shapes: Sequence[Path], engine: Engine, form: str) -> Outcome:
    rules = graph_of(quad for number, path in enumerate(shapes) for quad in _apart(path, f"shapes{number}-"))
    found = results(read_document(data), rules, engine, repeat=True)
    told = findings(found, rules)
    counts = {severity: len(told.of(severity)) for severity in Severity}
    return Outcome(_written(found, told, form), counts)


def _apart(path: Path, prefix: str) -> Iterator[Quad]:
    """Yield the triples of a file, whose blank nodes are none of another file, whatever they are called."""
    for subject, predicate, object_, graph in read_document(path):
        named = BNode(prefix + subject) if isinstance(subject, BNode) else subject
        yield named, predicate, BNode(prefix + object_) if isinstance(object_, BNode) else object_, graph


def _written(found: list[Result], told: Report, form: str) -> bytes:
    if form == "json":
        body = {"conforms": not found, "findings": [finding.as_dict() for finding in told.findings]}
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
    if form == "text":
        return "".join(f"{finding.severity}: {finding}\n" for finding in told.findings).encode()
    file = io.BytesIO()
    triples: list[Quad] = [(*triple, None) for triple in report(found)]  # type: ignore[misc]
    writing.write_quads(triples_to_ox(triples), file, by_name(form, "graph"))
    return file.getvalue()


def main() -> None:
    """Validate the files that the arguments name, and answer on the descriptor in the first of them."""
    number, engine, form, data, *shapes = sys.argv[1:]
    # rdflib warns of literals that are no valid form of their type; the report is what says so.
    warnings.simplefilter("ignore")
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
    channel = Channel(socket.socket(fileno=int(number)))
    try:
        outcome = _outcome(Path(data), list(map(Path, shapes)), Engine(engine), form)
    except MedkgError as error:
        channel.send(to_wire(error))
    else:
        channel.send({"counts": outcome.counts}, outcome.body)


if __name__ == "__main__":
    main()
