"""The errand that checks one submission, beside the version that a nursery holds in memory.

What the nursery prepares, each process that it forks finds ready: the shapes as queries, the texts, the
graph.  The process changes its own copy of the graph, answers, and is gone.
"""

import time
from collections.abc import Callable
from pathlib import Path

from medkg.domain.errors import MedkgError, TooLarge, to_wire
from medkg.domain.namespaces import GRAPH_SHAPES, GRAPH_SHAPES_SUBMISSION
from medkg.intake.catalogue import catalogue
from medkg.services.examine import Asked, Examiner
from medkg.services.reading import from_json
from medkg.services.reports import faces, texts
from medkg.services.rules import Rules
from medkg.store.apart import graphs_apart
from medkg.store.memory import MemoryGraph
from medkg.store.wire import Channel

__all__ = ["prepare"]


def prepare(public: MemoryGraph, path: Path, version: int) -> Callable[[Channel], None]:
    """Return what checks a submission to the version in *public*, whose store on the disk is *path*."""
    quads = graphs_apart(path, (GRAPH_SHAPES, GRAPH_SHAPES_SUBMISSION))
    shapes = [quad for quad in quads if quad[3] == GRAPH_SHAPES]
    closed = [quad for quad in quads if quad[3] == GRAPH_SHAPES_SUBMISSION]
    words = texts.load()
    examiner = Examiner(
        public, Rules(public, shapes, closed), version=version, catalogue=catalogue(), texts=words
    )

    def check(channel: Channel) -> None:
        try:
            asked, submission = channel.receive()
            _, document = channel.receive()
            started = time.monotonic() - asked.pop("spent")
            form = asked.pop("form")
            examined = examiner.examine(from_json(submission), Asked(**asked, started=started))
            body = faces.render(examined, form, words, document=document)
        except MedkgError as error:
            channel.send(to_wire(error))
        except MemoryError:
            channel.send(
                to_wire(
                    TooLarge(
                        "The document needs more memory than its check may take.",
                        remedy="Send the records in several files.",
                    )
                )
            )
        else:
            channel.send({"decision": examined.report.decision}, body)

    return check
