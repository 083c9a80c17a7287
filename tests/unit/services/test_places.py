"""A finding is told where the document says what it is about."""

import pytest
from rdflib.namespace import RDF, SH, SKOS
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.model import Place, Term
from medkg.domain.namespaces import DCTERMS, ID, MEDKG, NUTS
from medkg.domain.submission import Statement, Submission
from medkg.services.places import Places
from medkg.shacl.paths import Kind, Path
from medkg.shacl.results import Result

OURS, OTHER = ID["action/ours"], ID["action/other"]
TITLE = Literal("Imaging", lang="en-GB")
TRIPLES: tuple[tuple[URIRef, URIRef, Term], ...] = (
    (OURS, RDF.type, MEDKG.InnovationAction),
    (OURS, SKOS.prefLabel, TITLE),
    (OURS, MEDKG.region, NUTS.PL22),
    (OURS, MEDKG.region, NUTS.ITH3),
    (OURS, DCTERMS.identifier, Literal("007")),
)


def step(predicate: URIRef) -> Path:
    """Return a path of one predicate."""
    return Path(Kind.PREDICATE, predicate=predicate)


def result(
    focus: Node,
    path: Path | None = None,
    value: Node | None = None,
    component: URIRef = SH.InConstraintComponent,
) -> Result:
    """Return a result of a shape."""
    return Result(focus, path, value, BNode(), component, SH.Violation)


@pytest.fixture
def places() -> Places:
    """The places of a document with a statement on each of the lines 1 to 5."""
    statements = tuple(Statement(*triple, Place(line=n, column=4)) for n, triple in enumerate(TRIPLES, 1))
    return Places(Submission("text/turtle", statements, {OURS: Place(line=1)}), "plan.ttl")


UNIQUE = Path(Kind.SEQUENCE, parts=(step(SKOS.prefLabel), Path(Kind.INVERSE, parts=(step(SKOS.prefLabel),))))


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (result(OURS, step(MEDKG.region), NUTS.ITH3), 4),
        (result(OURS, step(SKOS.prefLabel), Literal("Imaging", lang="en-gb")), 2),
        (result(OURS, step(MEDKG.region), NUTS.FRK), 3),
        (result(OURS, None, NUTS.ITH3), 4),
        (result(OURS, step(MEDKG.usesKET)), 1),
        (result(OURS, step(MEDKG.region)), 1),
        (result(OURS, step(MEDKG.region), None, SH.MaxCountConstraintComponent), 3),
        (result(OURS, UNIQUE, None, SH.QualifiedMaxCountConstraintComponent), 2),
        (result(OURS, step(MEDKG.usesKET), None, SH.MaxCountConstraintComponent), 1),
        (result(NUTS.ITH3), 4),
        (result(Literal("007"), None, OURS), 5),
        (result(Literal("007"), None, OTHER), 5),
        (result(OTHER, step(MEDKG.region), OURS), 1),
        (result(OTHER, step(MEDKG.region), NUTS.FRK), 0),
    ],
)
def test_a_finding_has_the_place_of_what_it_is_about(places: Places, found: Result, line: int) -> None:
    """A value is where it is stated, too many at the first, something missing at the record."""
    place = places.of(found)
    assert (place.file, place.line) == ("plan.ttl", line)


def test_the_first_place_is_that_of_the_first_record(places: Places) -> None:
    """What is found on others' records can be told at the first record, if there is any."""
    assert places.first == Place("plan.ttl", 1)
    assert Places(Submission("text/turtle"), "empty.ttl").first == Place("empty.ttl")
