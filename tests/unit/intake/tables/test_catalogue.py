"""The words for what is said about tables: complete, in four languages, with the same placeholders."""

import re
import string
import tomllib
from pathlib import Path

import pytest

import medkg.intake
from medkg.intake.tables import Code

INTAKE = Path(next(iter(medkg.intake.__path__)))
CATALOGUE = tomllib.loads((INTAKE / "catalogue" / "table.toml").read_text(encoding="utf-8"))
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in (INTAKE / "tables").glob("*.py") if path.name != "codes.py"
)


def placeholders(text: str) -> set[str]:
    """Return the names of the values that a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_codes_and_words_are_the_same() -> None:
    """Each code has words, and each entry has a code; none is unused."""
    assert set(CATALOGUE) == {str(code) for code in Code}
    assert [code.name for code in Code if not re.search(rf"\bCode\.{code.name}\b", SOURCES)] == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_each_code_is_told_in_four_languages(code: str) -> None:
    """A title, a message and a remedy stand in each language, with the same values, and an example beside."""
    entry = CATALOGUE[code]

    assert entry["severity"] in {"violation", "warning", "info"}
    assert entry["wrong"]
    assert entry["right"]
    for part in ("title", "message", "remedy"):
        texts = entry[part]
        assert set(texts) == {"en", "fr", "it", "pl"}
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1
        assert len(set(texts.values())) == 4
    assert placeholders(entry["title"]["en"]) == set()
