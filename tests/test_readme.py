"""The README shows queries with their output; both are true."""

import re
from pathlib import Path

import pytest

from medkg.domain.model import QueryRequest
from medkg.store.embedded import EmbeddedEngine

README = Path(__file__).parents[1] / "README.md"
SHOWN = re.findall(r"```sparql\n(.*?)```.*?```csv\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_three_queries_are_shown() -> None:
    """The README has three queries, each with its output."""
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("query", "output"), SHOWN)
def test_shown_output_is_real(engine: EmbeddedEngine, query: str, output: str) -> None:
    """A query of the README gives, letter by letter, the output under it."""
    answer = b"".join(engine.run(QueryRequest(query), "csv").chunks).decode()

    assert answer.replace("\r\n", "\n") == output
