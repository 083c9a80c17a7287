"""How much a document may hold."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused above these numbers; *reported* is how many flaws of one code are told.

    *nesting* counts brackets inside brackets, of whatever format, and is to stay under 200 (they are read by
    recursion); *literal* and *iri* count characters.
    """

    bytes: int = 10_000_000
    triples: int = 200_000
    nesting: int = 64
    literal: int = 20_000
    iri: int = 2_048
    reported: int = 100
