"""What the faces of a report say to people, in four languages; loaded once and passed in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from medkg.domain.model import Place, Severity

__all__ = ["LANGUAGES", "Texts", "Words", "load"]

LANGUAGES: Final = ("en", "fr", "it", "pl")

Text = str | Mapping[str, str]
"""A text, or its plural forms by their category."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in one language."""

    language: str
    texts: Mapping[str, Text]

    def __call__(self, key: str, *, count: int = 0, **values: object) -> str:
        """Return the text of *key* with its placeholders filled; *count* also chooses the plural form.

        What is filled in is never read as a placeholder itself.

        :raises KeyError: there is no such text, or a value is missing.
        """
        text = self.texts[key]
        if not isinstance(text, str):
            text = text[_plural(self.language, count)]
        return text.format(count=count, **values)

    def counts(self, counts: Mapping[Severity, int]) -> str:
        """Return how many findings of each severity there are: ``2 violations, 1 note``; "" when none."""
        present = [item for item in Severity if counts.get(item, 0)]
        return ", ".join(self(f"count-{item}", count=counts[item]) for item in present)

    def place(self, place: Place) -> str:
        """Return a place within its file in words, the whole document when nothing is known of it."""
        parts = [
            self("place-sheet", sheet=place.sheet) if place.sheet else "",
            self("place-cell", cell=place.cell) if place.cell else "",
            self._lines(place),
            place.pointer,
        ]
        return ", ".join(filter(None, parts)) or self("place-whole")

    def _lines(self, place: Place) -> str:
        if not place.line:
            return ""
        key = "place-column" if place.column else "place-line"
        return self(key, line=place.line, column=place.column)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts in all languages."""

    entries: Mapping[str, Mapping[str, Text]]

    def words(self, language: str) -> Words:
        """Return the texts in *language*, in English when it is none of ours."""
        known = language if language in LANGUAGES else LANGUAGES[0]
        return Words(known, {key: entry[known] for key, entry in self.entries.items()})


def load() -> Texts:
    """Return the catalogue that comes with medkg."""
    file = resources.files(__package__) / "texts.toml"
    return Texts(tomllib.loads(file.read_text(encoding="utf-8")))


def _plural(language: str, count: int) -> str:
    """Return the category of a whole number (Unicode CLDR, language plural rules)."""
    if language == "fr":
        return "one" if count in {0, 1} else "other"
    if language == "pl" and count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14}:
        return "few"
    return "one" if count == 1 else "other"
