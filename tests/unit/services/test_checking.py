"""Documents are checked beside the current version by processes that end with the check."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from rdflib.namespace import RDF
from tests.unit.services.examining import GOOD, HEAD, publish

from medkg.domain.errors import Busy, DeadlineExceeded, ParameterError, TooLarge
from medkg.domain.namespaces import GRAPH, MEDKG, NUTS
from medkg.domain.submission import Decision
from medkg.intake.tables import Names
from medkg.services.checking import Checking
from medkg.services.examine import Asked
from medkg.services.reading import Document
from medkg.store.snapshots import Snapshots

T = TypeVar("T")
MEMORY = 1_073_741_824
DOCUMENT = Document((HEAD + GOOD).encode(), "text/turtle", "plan.ttl", "https://w3id.org/medkg/id/")
UNKNOWN = Document((HEAD + GOOD.replace("nuts:PL22", "nuts:XX99")).encode(), "text/turtle")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small graph and all rules."""
    folder = tmp_path_factory.mktemp("checking") / "var"
    publish(folder)
    return folder


def using(
    folder: Path, work: Callable[[Checking], Awaitable[T]], *, memory: int = MEMORY, seconds: float = 60
) -> T:
    """Return what *work* gives with a checking that is closed afterwards."""

    async def run() -> T:
        checking = Checking(Snapshots(folder), lambda: Names().to_json(), memory=memory, seconds=seconds)
        try:
            return await work(checking)
        finally:
            await checking.close()

    return asyncio.run(run())


async def told(checking: Checking, document: Document) -> dict[str, Any]:
    """Return a report as the value of its JSON."""
    found: dict[str, Any] = json.loads((await checking.check(document, Asked(), "json")).body)
    return found


def test_documents_are_checked_at_once(published: Path) -> None:
    """Each is judged by itself, and the decision comes with the report in the format that is asked for."""

    async def work(checking: Checking) -> None:
        await checking.warm()
        good, bad, table = await asyncio.gather(
            checking.check(DOCUMENT, Asked(), "json"),
            checking.check(UNKNOWN, Asked(language="pl"), "text"),
            checking.check(Document(b"", "text/csv"), Asked(), "csv"),
        )
        assert (good.decision, json.loads(good.body)["findings"]) == (Decision.ACCEPTED, [])
        assert bad.decision is Decision.REJECTED
        assert "R-02" in bad.body.decode()
        assert table.decision is Decision.UNREADABLE
        assert not (await told(checking, DOCUMENT))["findings"]

    using(published, work)


def test_what_was_sent_is_known_by_its_hash(published: Path) -> None:
    """The report has the hash of the bytes, and the version that they were checked beside."""
    report = using(published, lambda checking: told(checking, DOCUMENT))
    assert len(report["input_sha256"]) == 64
    assert report["data_version"] == 1
    assert report["duration_ms"] > 0


def test_a_profile_that_is_none_is_refused(published: Path) -> None:
    """The error of the process arrives as it was raised there."""
    with pytest.raises(ParameterError):
        using(published, lambda checking: checking.check(DOCUMENT, Asked("strict"), "json"))


def test_a_check_that_takes_too_much_is_ended(published: Path) -> None:
    """Too long and too large have their own errors, and the next document is checked."""
    many = HEAD + "".join(f'action:a{n} skos:note "{n}"@en .\n' for n in range(3_000))
    large = Document(many.encode(), "text/turtle")
    with pytest.raises(DeadlineExceeded):
        using(published, lambda checking: checking.check(large, Asked(), "json"), seconds=0.001)
    with pytest.raises(TooLarge):
        using(published, lambda checking: checking.check(large, Asked(), "json"), memory=500_000)


def test_too_many_that_wait_are_told(published: Path) -> None:
    """Who comes when many wait is told to come again."""

    async def work(checking: Checking) -> None:
        checking._asking = 50
        with pytest.raises(Busy):
            await checking.check(DOCUMENT, Asked(), "json")

    using(published, work)


def test_the_next_version_is_used_and_running_checks_go_on(tmp_path: Path) -> None:
    """A check that began beside a version ends well when the next one is published in between."""
    publish(tmp_path / "var")

    async def work(checking: Checking) -> None:
        assert [item["code"] for item in (await told(checking, UNKNOWN))["findings"]] == ["R-02"]
        running = [asyncio.create_task(told(checking, UNKNOWN)) for _ in range(3)]
        region = (NUTS.XX99, RDF.type, MEDKG.Region, GRAPH["source/more"])
        await asyncio.to_thread(publish, tmp_path / "var", region)
        running += [asyncio.create_task(told(checking, UNKNOWN)) for _ in range(3)]
        assert {found["data_version"] for found in await asyncio.gather(*running)} <= {1, 2}
        after = await told(checking, UNKNOWN)
        assert after["data_version"] == 2
        assert "R-02" not in {item["code"] for item in after["findings"]}

    using(tmp_path / "var", work)


def test_processes_that_are_killed_are_replaced(published: Path) -> None:
    """The process with the graph may die between two checks, and nobody is told of it."""

    async def work(checking: Checking) -> None:
        await told(checking, DOCUMENT)
        assert checking._keeper is not None
        os.kill(checking._keeper.pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert not (await told(checking, DOCUMENT))["findings"]

    using(published, work)


def test_a_closed_checking_leaves_no_process() -> None:
    """One that never checked anything can be closed, too."""
    using(Path("nowhere"), lambda _: asyncio.sleep(0))
