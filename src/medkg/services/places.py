"""Where in a document a finding is: at the statement that it is about, else at the record."""

from dataclasses import replace
from typing import Final

from rdflib.namespace import SH
from rdflib.term import Literal, Node

from medkg.domain.model import Place
from medkg.domain.submission import Submission
from medkg.shacl.paths import Path
from medkg.shacl.results import Result

__all__ = ["Places"]

_TOO_MANY: Final = frozenset(
    {
        SH.MaxCountConstraintComponent,
        SH.QualifiedMaxCountConstraintComponent,
        SH.UniqueLangConstraintComponent,
    }
)


class Places:
    """The places of a submission, found by what its statements say; *file* is the name it was sent with."""

    def __init__(self, submission: Submission, file: str) -> None:
        self._file = file
        self._records: dict[Node, Place] = dict(submission.records.items())
        self._exact: dict[tuple[Node, Node, Node], Place] = {}
        self._any: dict[tuple[Node, Node], Place] = {}
        self._values: dict[tuple[Node, Node], Place] = {}
        self._objects: dict[Node, Place] = {}
        for item in submission.statements:
            subject, value = item.subject, _folded(item.object)
            self._exact.setdefault((subject, item.predicate, value), item.place)
            self._any.setdefault((subject, item.predicate), item.place)
            self._values.setdefault((subject, value), item.place)
            self._objects.setdefault(value, item.place)

    def of(self, result: Result) -> Place:
        """Return the place of a result.

        A value is where it is stated, and so is the first of too many; something that is missing, or follows
        from elsewhere, is at the record.
        """
        found = self._stated(result) or self._records.get(result.focus)
        if not found and result.value is not None:
            # The focus node is the value of somebody's statement, or the value is a record.
            stated = self._values.get((result.value, _folded(result.focus)))
            found = stated or self._records.get(result.value)
        return self.in_file(found or self._objects.get(_folded(result.focus)) or Place())

    @property
    def first(self) -> Place:
        """The place of the first record."""
        return self.in_file(next(iter(self._records.values()), Place()))

    def in_file(self, place: Place) -> Place:
        """Return a place with the name of the file."""
        return replace(place, file=self._file)

    def _stated(self, result: Result) -> Place | None:
        focus, steps = result.focus, _first(result.path)
        if result.value is None:
            first = (self._any.get((focus, step)) for step in steps)
            return next(filter(None, first), None) if result.component in _TOO_MANY else None
        value = _folded(result.value)
        exact = (self._exact.get((focus, step, value)) for step in steps)
        first = (self._any.get((focus, step)) for step in steps)
        return (
            next(filter(None, exact), None)
            or self._values.get((focus, value))
            or next(filter(None, first), None)
        )


def _first(path: Path | None) -> list[Node]:
    """Return the predicates with which a path may start at its focus node."""
    if path is None:
        return []
    if path.predicate is not None:
        return [path.predicate]
    return [name for part in path.parts for name in _first(part)]


def _folded(term: Node) -> Node:
    """Return a term as it can be compared: a language tag has no case, and is kept in lower case."""
    if isinstance(term, Literal) and term.language:
        return Literal(str(term), lang=term.language.lower())
    return term
