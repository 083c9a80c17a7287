"""Documents are read by processes of their own, and what these say arrives as it was read."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.namespace import XSD
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import TooLarge
from medkg.domain.model import Place, Term
from medkg.domain.submission import Flaw, Statement, Submission
from medkg.intake.tables import CSV, Candidate, Names
from medkg.services.reading import Document, Reading, from_json, read, to_json

NAMESPACE = "https://w3id.org/medkg/id/"
TURTLE = Document(b'<https://w3id.org/medkg/id/a> <https://example.org/p> "01" , "x"@en-GB .', "text/turtle")
REGION = Candidate("http://data.europa.eu/nuts/code/PL22", "Silesia", 2)
NAMES = Names({REGION.iri: REGION}, {"Region": {"silesia": (REGION.iri,)}})
TABLE = Document(
    b"id,title,region,start\nx1,A centre for imaging,Silesia,2021-10\n", CSV, "plan.csv", NAMESPACE
)
HOSTILE = Path(__file__).parents[2] / "hostile" / "files"
T = TypeVar("T")

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20)
NODES = st.one_of(
    st.builds(BNode, st.from_regex(r"\A[a-z][a-z0-9]{0,5}\Z")),
    st.builds(lambda text: URIRef("https://example.org/" + text), st.from_regex(r"\A[a-z0-9/#.]{0,9}\Z")),
)
LITERALS = st.one_of(
    st.builds(lambda text: Literal(text, datatype=XSD.integer, normalize=False), TEXTS),
    st.builds(lambda text: Literal(text, lang="en-GB"), TEXTS),
    st.builds(Literal, TEXTS),
)
PLACES = st.builds(
    Place,
    line=st.integers(0, 9),
    column=st.integers(0, 9),
    sheet=TEXTS,
    cell=st.sampled_from(["", "D5"]),
    pointer=TEXTS,
)
SUBMISSIONS = st.builds(
    Submission,
    st.sampled_from(["", "text/turtle"]),
    st.lists(
        st.builds(
            Statement, NODES, st.just(URIRef("https://example.org/p")), st.one_of(NODES, LITERALS), PLACES
        ),
        max_size=4,
    ).map(tuple),
    st.dictionaries(NODES, PLACES, max_size=3),
    st.lists(
        st.builds(Flaw, st.just("F-10"), PLACES, st.dictionaries(TEXTS, TEXTS, max_size=2), TEXTS), max_size=2
    ).map(tuple),
)


def using(work: Callable[[Reading], Awaitable[T]], names: str = "") -> T:
    """Return what *work* gives with a reading that is closed afterwards."""

    async def run() -> T:
        reading = Reading(names)
        try:
            return await work(reading)
        finally:
            await reading.close()

    return asyncio.run(run())


def form(term: Term) -> tuple[str, ...]:
    """Return all that a term is, as equality of literals is about fewer things."""
    return (
        type(term).__name__,
        str(term),
        str(getattr(term, "language", "")),
        str(getattr(term, "datatype", "")),
    )


@settings(max_examples=100)
@given(SUBMISSIONS)
def test_a_submission_arrives_as_it_was_sent(sent: Submission) -> None:
    """Terms, places, flaws and their order survive the way between two processes, lone surrogates too."""
    found = from_json(to_json(sent))
    assert (found.media_type, dict(found.records), found.flaws) == (
        sent.media_type,
        dict(sent.records),
        sent.flaws,
    )
    assert [item.place for item in found.statements] == [item.place for item in sent.statements]
    assert [(form(item.subject), form(item.object)) for item in found.statements] == [
        (form(item.subject), form(item.object)) for item in sent.statements
    ]


def test_a_process_reads_what_this_one_would() -> None:
    """RDF and tables are read by a process as they are in this one, names included."""

    async def work(reading: Reading) -> list[Submission]:
        reading.warm()
        return [await reading.read(document) for document in (TURTLE, TABLE)]

    assert using(work, NAMES.to_json()) == [read(document, NAMES) for document in (TURTLE, TABLE)]
    (region,) = [item for item in read(TABLE, NAMES).statements if str(item.object) == REGION.iri]
    assert region.place.cell == "C2"


def test_documents_are_read_at_once() -> None:
    """Each has a process of its own."""

    async def work(reading: Reading) -> list[Submission]:
        return list(await asyncio.gather(*(reading.read(document) for document in (TURTLE, TABLE))))

    assert [found.media_type for found in using(work)] == ["text/turtle", CSV]


def test_what_nobody_knows_is_told() -> None:
    """A document of no known kind has flaws and no statements."""
    found = read(Document(b"\x00\x01\x02"), Names())
    assert (found.media_type, found.statements) == ("", ())
    assert found.flaws


async def _ready(reading: Reading) -> int:
    """Return the number of the process that waits for a document."""
    reading.warm()
    assert reading._next is not None
    return (await asyncio.shield(reading._next)).pid


def test_a_process_that_is_killed_while_it_reads_is_told() -> None:
    """The sender of what it read is told that it is too much, and the next document is read."""

    async def work(reading: Reading) -> Submission:
        pid = await _ready(reading)
        os.kill(pid, signal.SIGSTOP)
        task = asyncio.create_task(reading.read(TURTLE))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TooLarge) as told:
            await task
        assert "in parts" in str(told.value)
        return await reading.read(TURTLE)

    assert using(work) == read(TURTLE, Names())


def test_a_process_that_died_while_it_waited_is_replaced() -> None:
    """Nobody is told of it, whether it was ready or only starting."""

    async def work(reading: Reading) -> Submission:
        os.kill(await _ready(reading), signal.SIGKILL)
        await asyncio.sleep(0.1)
        return await reading.read(TURTLE)

    assert using(work) == read(TURTLE, Names())


def test_a_reading_that_is_closed_ends_its_process() -> None:
    """Whoever closes it leaves no process behind."""
    pids = []

    async def work(reading: Reading) -> None:
        pids.append(await _ready(reading))

    using(work)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pids[0]}/stat").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pids[0]}").exists()
