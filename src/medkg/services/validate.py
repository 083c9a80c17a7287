"""Validates a file beside the built graph, with no service running."""

import asyncio
import hashlib
import time
from pathlib import Path

from medkg.domain.errors import CallError
from medkg.domain.namespaces import GRAPH_SHAPES, GRAPH_SHAPES_SUBMISSION
from medkg.domain.submission import Submission
from medkg.intake.catalogue import catalogue
from medkg.intake.rdf import recognise
from medkg.intake.tables import CSV, XLSX, Names
from medkg.services import lookups
from medkg.services.examine import Asked, Examined, Examiner
from medkg.services.reading import Document, Reading
from medkg.services.reports.texts import Texts
from medkg.services.rules import Rules
from medkg.store.embedded import EmbeddedEngine
from medkg.store.snapshots import Snapshots
from medkg.store.versions import Version

__all__ = ["examiner", "validate"]


def validate(  # noqa: PLR0913 - what is asked, and of what
    file: Path, root: Path, *, profile: str, language: str, namespace: str, texts: Texts
) -> Examined:
    """Return what is said about *file*, beside the current version of the graph in the data folder *root*.

    :raises CallError: the file can't be read.
    :raises StoreMissing: nothing has been built.
    :raises ParameterError: there is no such profile.
    :raises TooLarge, DeadlineExceeded: the file ended the process that read it, or took too long.
    """
    started = time.monotonic()
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CallError(f"The file {file} can't be read ({error.strerror}).") from None
    digest = hashlib.sha256(data).hexdigest()
    asked = Asked(profile, language, namespace, file.name, digest, started)
    examine = examiner(root, texts)
    names = _names(root) if recognise(data, None, file.name).media_type in {CSV, XLSX} else Names()
    submission = asyncio.run(_read(Document(data, None, file.name, namespace), names))
    return examine.examine(submission, asked)


def examiner(root: Path, texts: Texts) -> Examiner:
    """Return what examines submissions to the current version in *root*, which it reads into memory."""
    snapshot = Snapshots(root).require()
    version = Version(snapshot.path)
    public = version.in_memory()
    rules = Rules(public, version.graph(GRAPH_SHAPES), version.graph(GRAPH_SHAPES_SUBMISSION))
    return Examiner(public, rules, version=snapshot.version, catalogue=catalogue(), texts=texts)


def _names(root: Path) -> Names:
    engine = EmbeddedEngine(root)
    try:
        return lookups.gather(engine)
    finally:
        engine.close()


async def _read(document: Document, names: Names) -> Submission:
    reading = Reading(names.to_json())
    try:
        return await reading.read(document)
    finally:
        await reading.close()
