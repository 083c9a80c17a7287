"""What a submission may speak of: records of its own, in the words of the ontology, and nothing else."""

from collections.abc import Iterator
from typing import Final

from rdflib.term import BNode, Node, URIRef

from medkg.domain.model import Place
from medkg.domain.namespaces import ID, MEDKG, OWL, PROV, RDF, RDFS, SH, compact
from medkg.domain.submission import Flaw, Statement, Submission

__all__ = ["OWN", "judge"]

OWN: Final = str(ID)
"""What the addresses of all records begin with."""

_TERMS: Final = (str(OWL), str(RDFS), str(SH), str(RDF))
_SCHEMA: Final = frozenset(
    {RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range, MEDKG.code, MEDKG.dependsOn}
)


def judge(submission: Submission, *, namespace: str = OWN) -> tuple[Flaw, ...]:
    """Return what a submission may not say: about others' records, the ontology, or its own acceptance.

    *namespace* is what the addresses of the submitter's records begin with.
    """
    inside = _inside(submission.statements)
    flaws = [
        flaw
        for subject, place in submission.records.items()
        if subject not in inside
        for flaw in _of_subject(subject, place, namespace)
    ]
    flaws += [flaw for statement in submission.statements for flaw in _of_statement(statement)]
    if submission.statements and not any(map(_is_record, submission.statements)):
        flaws.append(Flaw("G-02", _first(submission)))
    return tuple(flaws)


def _inside(statements: tuple[Statement, ...]) -> set[Node]:
    """Return the nodes without an address that a record with one leads to."""
    values: dict[Node, list[Node]] = {}
    for statement in statements:
        if isinstance(statement.object, BNode):
            values.setdefault(statement.subject, []).append(statement.object)
    found: set[Node] = set()
    waiting = [value for subject in values if not isinstance(subject, BNode) for value in values[subject]]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += values.get(node, [])
    return found


def _of_subject(subject: Node, place: Place, namespace: str) -> Iterator[Flaw]:
    if isinstance(subject, BNode):
        # A node inside of another record has no address; one that stands alone needs it.
        yield Flaw("N-01", place, {"namespace": namespace}, str(subject))
    elif not str(subject).startswith(namespace):
        yield Flaw("G-01", place, {"iri": compact(str(subject)), "namespace": namespace}, str(subject))


def _of_statement(statement: Statement) -> Iterator[Flaw]:
    subject, predicate, object_ = statement.subject, statement.predicate, statement.object
    focus, name = str(subject), compact(str(predicate))
    if predicate in _SCHEMA or (
        str(predicate).startswith(_TERMS) and predicate not in {RDF.type, RDFS.seeAlso}
    ):
        yield Flaw("N-02", statement.place, {"property": name}, focus)
    elif str(predicate).startswith(str(PROV)) or predicate == MEDKG.submissionStatus:
        yield Flaw("N-03", statement.place, {"property": name}, focus)
    elif predicate == RDF.type and isinstance(object_, URIRef) and str(object_).startswith(_TERMS):
        yield Flaw("N-04", statement.place, {"class": compact(str(object_))}, focus)


def _is_record(statement: Statement) -> bool:
    return statement.predicate == RDF.type and str(statement.object).startswith(str(MEDKG))


def _first(submission: Submission) -> Place:
    return submission.statements[0].place
