"""What the tests of the W3C suites share: one service, one connection, and the scores at the end of a run."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.w3c.client import Client
from tests.w3c.manifests import NO_SUITE, ROOT
from tests.w3c.service import OTHER, Service, medkg

_SECONDS = 60.0
_PASSED = ("passed", "xpassed")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service under test."""
    if ROOT is None:
        pytest.fail(NO_SUITE)  # only CI=true comes here: elsewhere the tests are skipped
    if OTHER:
        query, update, graphs = OTHER
        yield Service(query, update, graphs)
        return
    with medkg(tmp_path_factory.mktemp("w3c")) as service:
        yield service


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[Client]:
    """A connection to the service under test."""
    with httpx2.Client(timeout=_SECONDS, trust_env=False) as http:
        # A request of a suite has the headers that its manifest names.
        http.headers.clear()
        yield Client(service, http)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests of each group passed."""
    scores: dict[tuple[str, str], Counter[bool]] = {}
    here = Path(__file__).parent.name
    for outcome in ("passed", "failed", "error", "xfailed", "xpassed"):
        for report in terminalreporter.stats.get(outcome, ()):
            path, _, name = report.nodeid.partition("::")
            case = name.partition("[")[2].rstrip("]")
            if f"/{here}/" in path and case.startswith("sparql"):
                suite = case.partition("/")[0]
                group = Path(path).stem.removeprefix("test_")
                scores.setdefault((suite, group), Counter())[outcome in _PASSED] += 1
    if scores:
        terminalreporter.section("W3C suites: passed of run")
    for (suite, group), counts in sorted(scores.items()):
        terminalreporter.write_line(f"{suite} {group}: {counts[True]}/{counts.total()}")
