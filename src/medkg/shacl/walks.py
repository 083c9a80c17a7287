"""Property paths as graph patterns that start at a node which is known.

A walk means what the path means in SPARQL 1.1; two things are written out for the engine.  A sequence is
followed step by step, since the engine's own order of a join may begin at the other end, with everything that
there is.  And a path of length zero leads from every node to itself: the engine leaves out nodes that no
triple has, which may be focus nodes all the same.
"""

from collections.abc import Callable
from typing import Final

from medkg.shacl.paths import Kind, Path

__all__ = ["inverse", "may_be_empty", "walk"]

_OPTIONAL: Final = frozenset({Kind.ZERO_OR_MORE, Kind.ZERO_OR_ONE})


def walk(path: Path, start: str, end: str, variable: Callable[[], str]) -> str:
    """Return a group graph pattern from *start*, which has to be bound around it, to *end*.

    *end* is a variable or a term; *variable* returns a new variable.
    """
    return _walk(_outward(path), start, end, variable)


def may_be_empty(path: Path) -> bool:
    """Tell whether a node reaches itself by the path without any triple."""
    if path.kind in _OPTIONAL:
        return True
    if path.kind is Kind.ALTERNATIVE:
        return any(map(may_be_empty, path.parts))
    return path.kind is not Kind.PREDICATE and all(map(may_be_empty, path.parts))


def _walk(path: Path, start: str, end: str, variable: Callable[[], str]) -> str:
    if path.kind is Kind.SEQUENCE:
        nodes = [start, *(variable() for _ in path.parts[1:]), end]
        steps = [_walk(part, nodes[i], nodes[i + 1], variable) for i, part in enumerate(path.parts)]
        return " LATERAL { ".join(steps) + " }" * (len(steps) - 1)
    if not may_be_empty(path):
        return f"{start} {path.sparql()} {end} ."
    if path.kind is Kind.ALTERNATIVE:
        return " UNION ".join(f"{{ {_walk(part, start, end, variable)} }}" for part in path.parts)
    here = f"BIND({start} AS {end})" if end.startswith("?") else f"FILTER(sameTerm({start}, {end}))"
    if path.kind is Kind.ZERO_OR_ONE:
        there = _walk(path.parts[0], start, end, variable)
    else:
        there = f"{start} {Path(Kind.ONE_OR_MORE, path.parts).sparql()} {end} ."
    return f"{{ {here} }} UNION {{ {there} }}"


def _outward(path: Path) -> Path:
    """Return the same path with every inverse at a predicate."""
    if path.kind is Kind.INVERSE:
        return inverse(path.parts[0])
    return Path(path.kind, tuple(map(_outward, path.parts)), path.predicate)


def inverse(path: Path) -> Path:
    """Return the same path from its end to its start, with every inverse at a predicate."""
    if path.kind is Kind.PREDICATE:
        return Path(Kind.INVERSE, (path,))
    if path.kind is Kind.INVERSE:
        return _outward(path.parts[0])
    parts = tuple(map(inverse, path.parts))
    return Path(path.kind, parts[::-1] if path.kind is Kind.SEQUENCE else parts)
