"""Guesses at which prefix was meant."""

from collections.abc import Mapping

from rapidfuzz import fuzz, process

from medkg.domain.namespaces import PREFIXES

__all__ = ["undeclared"]

_ALIKE = 60
_ELSEWHERE: Mapping[str, str] = {"dcterms": "dct", "dc": "dct", "sdo": "schema", "s66": "eurio"}
"""Other names by which people know prefixes of ours."""


def undeclared(prefix: str, declared: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the code and the values of the flaw that *prefix* is used and not declared.

    A prefix that we know gets the line that declares it; one that looks like a declared or known one, the
    question whether that was meant.
    """
    known = PREFIXES.get(_ELSEWHERE.get(prefix, prefix))
    if known is not None:
        return "F-32", {"prefix": prefix, "declaration": f"@prefix {prefix}: <{known}> ."}
    near = process.extractOne(prefix, [*declared, *PREFIXES], scorer=fuzz.ratio, score_cutoff=_ALIKE)
    if near is not None:
        return "F-33", {"prefix": prefix, "near": near[0]}
    return "F-32", {"prefix": prefix, "declaration": f"@prefix {prefix}: <https://example.org/ns#> ."}
