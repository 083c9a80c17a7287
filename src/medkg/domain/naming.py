"""How names are compared: loosely spelt, and where several things share one."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from rdflib.term import URIRef

from medkg.domain.namespaces import BASE, ID, NUTS, PREFIXES, VOCAB

__all__ = ["as_iris", "fold", "largest", "short", "slug"]

# Letters that Unicode does not decompose into a base letter and an accent.
_PLAIN: Final = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "\u0131": "i"}
)


def fold(name: str) -> str:
    """Return *name* without case, accents, hyphens and punctuation: "Śląskie" and "slaskie" fold alike."""
    # Some letters decompose into capitals ("℠"), and some small ones only then decompose further.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", letters.translate(_PLAIN).replace("_", " ")))


def slug(text: str) -> str:
    """Return *text* as the last part of an IRI: its ASCII letters and digits in small, hyphens between words.

    "" where nothing is left ("???").
    """
    return "-".join(re.findall(r"[a-z0-9]+", fold(text)))


def largest(items: Iterable[URIRef], retired: Callable[[URIRef], bool]) -> list[URIRef]:
    """Return *items*, sorted: no retired region when there are others, no region that lies in another."""
    candidates = sorted(items)
    if len(candidates) < 2:  # noqa: PLR2004 - one is unambiguous
        return candidates
    current = [item for item in candidates if not retired(item)] or candidates
    regions = [item for item in current if item.startswith(str(NUTS))]
    return [
        item
        for item in current
        if not any(other != item and item.startswith(str(other)) for other in regions if item in regions)
    ]


def as_iris(name: str) -> tuple[str, ...]:
    """Return the IRIs that *name* may stand for when it is no name: ``nuts:PL22``, ``ket-2018/photonics``."""
    prefix, _, local = name.partition(":")
    return (
        name,
        PREFIXES.get(prefix, prefix) + local,
        f"{NUTS}{name.upper()}",
        f"{ID}{name}",
        f"{VOCAB}{name}",
    )


def short(iri: str) -> str:
    """Return what people may write for an IRI of ours: ``PL22``, ``ket-2018/photonics``; else the IRI."""
    for base in (NUTS, ID, VOCAB, BASE):
        if iri.startswith(str(base)):
            return iri[len(str(base)) :]
    return str(iri)
