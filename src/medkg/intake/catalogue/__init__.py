"""What is said about documents, code by code, in four languages; the texts are in the TOML files beside this.

A family of codes is a file: ``document.toml`` is F, about documents of RDF.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from medkg.domain.model import Severity

__all__ = ["LANGUAGES", "Entry", "catalogue"]

LANGUAGES: Final = ("en", "fr", "it", "pl")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue has for one code: texts by language, and an example of the fault and of its cure.

    The examples are the same in every language, and empty where a text can't show the fault.
    """

    code: str
    severity: Severity
    titles: Mapping[str, str]
    messages: Mapping[str, str]
    remedies: Mapping[str, str]
    wrong: str = ""
    right: str = ""

    def title(self, language: str) -> str:
        """Return a few words that name the fault, in *language*, or in English where it has none."""
        return _in_language(self.titles, language)

    def message(self, language: str, values: Mapping[str, str]) -> str:
        """Return the sentence that says what is wrong, its placeholders filled with *values*."""
        return _filled(_in_language(self.messages, language), values)

    def remedy(self, language: str, values: Mapping[str, str]) -> str:
        """Return what to do about it, its placeholders filled with *values*."""
        return _filled(_in_language(self.remedies, language), values)


def catalogue() -> Mapping[str, Entry]:
    """Return every entry by its code, read anew from the files of this package.

    :raises ValueError: a code stands in two files, or a severity is none.
    """
    entries: dict[str, Entry] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        for code, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if code in entries:
                raise ValueError(f"{code} stands twice, the second time in {file.name}")
            entries[code] = Entry(
                code,
                Severity(texts["severity"]),
                texts["title"],
                texts["message"],
                texts["remedy"],
                texts.get("wrong", ""),
                texts.get("right", ""),
            )
    return MappingProxyType(entries)


def _in_language(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language.partition("-")[0].lower(), texts["en"])


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill the placeholders once: what a document brings is never looked at for more of them."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], "…"), text)
