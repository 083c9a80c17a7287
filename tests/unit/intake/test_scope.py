"""What a submission may speak of is told statement by statement, with the place of each."""

import pytest
from rdflib.namespace import OWL, PROV, RDF, RDFS, SKOS
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place
from medkg.domain.namespaces import ID, MEDKG
from medkg.domain.submission import Statement, Submission
from medkg.intake import scope
from medkg.intake.catalogue import catalogue

OURS = ID["action/gamma"]
NAME = (OURS, RDF.type, MEDKG.InnovationAction)
Triple = tuple[URIRef | BNode, URIRef, URIRef | BNode | Literal]


def submission(*triples: Triple) -> Submission:
    """Return what says *triples*, each on a line of its own."""
    statements = tuple(Statement(*triple, Place(line=line)) for line, triple in enumerate(triples, 1))
    records: dict[URIRef | BNode, Place] = {}
    for item in statements:
        records.setdefault(item.subject, item.place)
    return Submission("text/turtle", statements, records)


def told(*triples: Triple) -> list[tuple[str, int]]:
    """Return code and line of each flaw."""
    return [(flaw.code, flaw.place.line) for flaw in scope.judge(submission(*triples))]


def test_a_record_of_ones_own_is_in_scope() -> None:
    """A record with an address of the namespace, in the words of the ontology, has no flaw."""
    assert told(NAME, (OURS, RDFS.seeAlso, URIRef("https://example.org/"))) == []
    assert told() == []


@pytest.mark.parametrize(
    ("triple", "code"),
    [
        ((URIRef("https://example.org/x"), SKOS.note, Literal("a")), "G-01"),
        ((URIRef("https://w3id.org/medkg/idx"), SKOS.note, Literal("a")), "G-01"),
        ((MEDKG.InnovationAction, SKOS.note, Literal("a")), "G-01"),
        ((OURS, OWL.sameAs, URIRef("https://example.org/x")), "N-02"),
        ((OURS, RDFS.subClassOf, MEDKG.Event), "N-02"),
        ((OURS, RDFS.label, Literal("a")), "N-02"),
        ((OURS, MEDKG.code, Literal("A-01")), "N-02"),
        ((OURS, URIRef("http://www.w3.org/ns/shacl#deactivated"), Literal("true")), "N-02"),
        ((OURS, PROV.wasAttributedTo, OURS), "N-03"),
        ((OURS, MEDKG.submissionStatus, OURS), "N-03"),
        ((OURS, RDF.type, OWL.Class), "N-04"),
        ((OURS, RDF.type, RDFS.Class), "N-04"),
    ],
)
def test_what_is_out_of_scope_is_told_at_its_statement(triple: Triple, code: str) -> None:
    """Others' records, the ontology, provenance and schemas have codes, and the line of the statement."""
    assert told(NAME, triple) == [(code, 2)]


def test_a_document_without_a_record_of_ours_is_told() -> None:
    """Statements of which none gives a class of the ontology do not pass for want of anything to check."""
    assert told((OURS, SKOS.note, Literal("a"))) == [("G-02", 1)]
    assert told((OURS, RDF.type, URIRef("https://example.org/Class"))) == [("G-02", 1)]


def test_a_node_without_an_address_belongs_inside_of_a_record() -> None:
    """A blank node that a record leads to, over others too, is part of it; all others need an address."""
    one, two, three = BNode("one"), BNode("two"), BNode("three")
    note = Literal("a")
    assert told(NAME, (OURS, MEDKG.part, one), (one, MEDKG.part, two), (two, SKOS.note, note)) == []
    assert told(NAME, (one, SKOS.note, note)) == [("N-01", 2)]
    assert told(NAME, (one, MEDKG.part, one)) == [("N-01", 2)]
    assert told(NAME, (one, MEDKG.part, two), (two, MEDKG.part, three), (three, MEDKG.part, one)) == [
        ("N-01", 2),
        ("N-01", 3),
        ("N-01", 4),
    ]


def test_the_namespace_is_that_of_the_sender() -> None:
    """What the addresses must begin with is given, and is told where they do not."""
    (flaw,) = scope.judge(submission(NAME), namespace="https://w3id.org/medkg/id/action/lab-")
    assert flaw.code == "G-01"
    assert flaw.values["namespace"] == "https://w3id.org/medkg/id/action/lab-"
    assert flaw.focus == str(OURS)


def test_every_flaw_can_be_told() -> None:
    """The catalogue has each code, and the values of the flaw fill its sentences."""
    bad: list[Triple] = [
        (BNode(), OWL.sameAs, OURS),
        (URIRef("https://example.org/x"), PROV.value, OURS),
        (OURS, RDF.type, OWL.Class),
    ]
    flaws = scope.judge(submission(*bad))
    assert {flaw.code for flaw in flaws} == {"N-01", "N-02", "N-03", "N-04", "G-01", "G-02"}
    for flaw in flaws:
        entry = catalogue()[flaw.code]
        for language in ("en", "fr", "it", "pl"):
            assert "{" not in entry.message(language, flaw.values) + entry.remedy(language, flaw.values)


def test_many_nodes_without_addresses_are_all_told() -> None:
    """A document may have as many of them as it likes: each is looked at once."""
    nodes: list[Triple] = [(BNode(f"b{n}"), SKOS.note, Literal("a")) for n in range(50_000)]
    assert len(scope.judge(submission(*nodes))) == 50_001
