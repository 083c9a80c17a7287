"""Guesses at what was meant: the nearest known prefix or term."""

from collections.abc import Collection
from typing import Final, Protocol

from rapidfuzz import fuzz, process

from medkg.store.names import Name

__all__ = ["unknown_prefix", "unknown_terms"]

_ALIKE: Final = 70.0
"""Least likeness, of 100, at which a guess helps more than it misleads."""
_MOST: Final = 20
"""Sentences about one text."""
_LONGEST: Final = 100
"""Characters of a name that are shown and compared."""


class Named(Protocol):
    """The outline of a query or an update, as far as it matters here."""

    @property
    def names(self) -> tuple[Name, ...]:
        """The names used in the text."""


def unknown_prefix(prefix: str, known: Collection[str]) -> str:
    """Return ``Did you mean x:?`` for a prefix that is not declared, or "" when none is like it."""
    found = _nearest(prefix, known)
    return f"Did you mean {found}:?" if found else ""


def unknown_terms(outline: Named, known: Collection[str], namespaces: Collection[str]) -> tuple[str, ...]:
    """Return a sentence for each name in one of *namespaces* that is not among the *known* IRIs.

    A namespace itself is no term, and names elsewhere are nobody's business here.
    """
    sentences = []
    for name in outline.names:
        space = max((item for item in namespaces if name.iri.startswith(item)), key=len, default="")
        if not space or name.iri == space or name.iri in known:
            continue
        near = {iri.removeprefix(space) for iri in known if iri.startswith(space)}
        found = _nearest(name.iri.removeprefix(space), near)
        guess = f" Did you mean {_written(name, space + found)}?" if found else ""
        line, column = name.place
        sentences.append(f"There is no {name.text[:_LONGEST]} (line {line}, column {column}).{guess}")
        if len(sentences) == _MOST:
            break
    return tuple(sentences)


def _nearest(text: str, known: Collection[str]) -> str:
    """Return the known text that is most like this one, upper and lower case aside, or ""."""
    best = process.extractOne(
        text[:_LONGEST], sorted(known), scorer=fuzz.ratio, processor=str.lower, score_cutoff=_ALIKE
    )
    return best[0] if best else ""


def _written(name: Name, iri: str) -> str:
    """Return an IRI in the way in which the name is written: with its prefix, or in full."""
    prefix, colon, local = name.text.partition(":")
    namespace = name.iri.removesuffix(local.replace("\\", ""))
    if name.text.startswith("<") or not iri.startswith(namespace):
        return f"<{iri}>"
    return prefix + colon + iri.removeprefix(namespace).replace("/", "\\/")
