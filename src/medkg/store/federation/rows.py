"""What an endpoint has answered to a SERVICE clause, as a block of data that stands in its place.

The answer is a stranger's, so this runs where a reader does.
"""

from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

import pyoxigraph as ox

from medkg.domain.errors import AnswerTooLarge, EndpointFailed, NotSupported

__all__ = ["MOST_ROWS", "unit", "write"]

MOST_ROWS: Final = 10_000
"""Rows that one endpoint may answer with."""


def unit(variables: Sequence[str]) -> str:
    """Return the block of one row that binds nothing: what a failed call that is silent stands for."""
    return f"{_head(variables)} {{ {_row(['UNDEF'] * len(variables))} }}"


def write(head: Mapping[str, Any], answer: IO[bytes], target: IO[bytes]) -> None:
    """Do a reader's job: read an answer in the JSON format of SPARQL results, and write it as a block.

    *head*: ``iri`` of the endpoint, ``variables`` of the clause, and ``most`` rows that the endpoint says it
    sends at most (0: it does not say).

    :raises EndpointFailed: the answer is none, or not whole.
    :raises AnswerTooLarge: it has more than ``MOST_ROWS`` rows.
    :raises NotSupported: it has blank nodes, which mean nothing outside of it.
    """
    iri, variables, most = head["iri"], head["variables"], head["most"]
    target.write(f"{_head(variables)} {{".encode())
    count = 0
    try:
        solutions = ox.parse_query_results(answer, ox.QueryResultsFormat.JSON)
        if not isinstance(solutions, ox.QuerySolutions):
            raise EndpointFailed(f"<{iri}> answers with a boolean instead of rows.")
        given = {variable.value for variable in solutions.variables}
        if not given <= set(variables):
            raise EndpointFailed(f"<{iri}> answers with a variable that it was not asked for.")
        for solution in solutions:
            count += 1
            if count > MOST_ROWS:
                raise _too_many(iri)
            terms = [_term(solution[name], iri) if name in given else "UNDEF" for name in variables]
            target.write(_row(terms).encode())
    except (SyntaxError, ValueError):
        raise EndpointFailed(
            f"<{iri}> answers with something else than the rows of a SELECT, or with a part of them.",
            remedy="Look whether it is the address of a SPARQL endpoint.",
        ) from None
    if most and count >= most:
        raise EndpointFailed(
            f"<{iri}> cut its answer: it sends {most:,} rows at most.", remedy="Ask it for less."
        )
    target.write(b" }")


def _too_many(iri: str) -> AnswerTooLarge:
    return AnswerTooLarge(
        f"<{iri}> answers with more than {MOST_ROWS:,} rows, which is the limit.",
        limit=f"rows={MOST_ROWS}",
        remedy="Ask it for less: put VALUES, FILTER or a subselect with LIMIT into the braces of SERVICE.",
    )


def _head(variables: Sequence[str]) -> str:
    return f" VALUES ({' '.join(f'?{name}' for name in variables)})"


def _row(terms: Sequence[str]) -> str:
    return f"\n({' '.join(terms)})"


def _term(term: Any, iri: str) -> str:
    """Return a term as it is written in a query.

    :raises NotSupported: it is a blank node, or holds one.
    """
    if term is None:
        return "UNDEF"
    if isinstance(term, ox.Triple):
        return f"<<( {' '.join(_term(part, iri) for part in term)} )>>"
    if isinstance(term, ox.BlankNode):
        raise NotSupported(
            f"<{iri}> answers with blank nodes, which can't be joined with anything here.",
            remedy="Leave them out: put FILTER(!isBlank(...)) into the braces of SERVICE, or a subselect.",
        )
    # The engine writes IRIs and literals as N-Triples has them, and it has checked the IRIs.
    return str(term)
