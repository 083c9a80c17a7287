"""A submission is judged beside the public graph, and the public graph stays what it was."""

import pytest
from rdflib.namespace import DCTERMS, RDF
from rdflib.term import URIRef
from tests.unit.services.examining import GOOD, START, public, rules, submitted

from medkg.domain.errors import ParameterError
from medkg.domain.model import Severity
from medkg.domain.namespaces import MEDKG
from medkg.domain.submission import Decision
from medkg.services.examine import Examined

ALL = "SELECT ?s ?p ?o { ?s ?p ?o }"


def places(examined: Examined, code: str) -> set[tuple[int, int]]:
    """Return the places of the findings with a code, the first line being that of the document."""
    return {
        (item.place.line - START + 1, item.place.column) for item in examined.findings if item.code == code
    }


def test_a_good_submission_is_accepted() -> None:
    """The report says what was asked and of what, and nothing is wrong."""
    examined = submitted(GOOD, sha256="ab" * 32, language="fr")
    told = examined.report
    assert (told.decision, told.findings, examined.results) == (Decision.ACCEPTED, (), ())
    assert (told.profile, told.language, told.file) == ("submission", "fr", "plan.ttl")
    assert (told.data_version, told.shapes_version, told.input_sha256) == (7, rules().version, "ab" * 32)
    assert int(told.scope) >= 1


@pytest.mark.parametrize(
    ("right", "wrong", "code", "place"),
    [
        ("nuts:PL22", "nuts:PL29", "R-02", (7, 18)),
        ("medkg:plannedFrom", "medkg:planedFrom", "G-04", (8, 22)),
        ("medkg:plannedFrom", "medkg:planedFrom", "A-32", (1, 1)),
        ('"2021-10"', '"10/2021"', "A-04", (8, 23)),
        ("A gamma centre for imaging", "Alpha action for the tests", "A-13", (2, 20)),
        ("nuts:PL22", "nuts:PL22 ; prov:value 1", "N-03", (7, 64)),
        ("action:gamma", "<https://example.org/gamma>", "G-01", (1, 1)),
    ],
)
def test_a_mistake_has_its_code_and_its_place(
    right: str, wrong: str, code: str, place: tuple[int, int]
) -> None:
    """What breaks a rule is told where it stands."""
    text = GOOD.replace(right, wrong).replace("prov:value", "<http://www.w3.org/ns/prov#value>")
    assert place in places(submitted(text), code)


def test_every_finding_of_a_shape_has_its_result() -> None:
    """The results have the severities of the profile, so that both formats say the same."""
    examined = submitted(GOOD.replace("    medkg:concernsOrganisation organisation:alpha ;\n", ""))
    (finding,), (result,) = examined.findings, examined.results
    assert (finding.code, finding.severity) == ("A-12", Severity.VIOLATION)
    assert str(result.severity).endswith("#Violation")
    mild = submitted(
        GOOD.replace("    medkg:concernsOrganisation organisation:alpha ;\n", ""), profile="publication"
    )
    assert str(mild.results[0].severity).endswith("#Warning")
    assert mild.report.decision is Decision.ACCEPTED


@pytest.mark.parametrize("text", [GOOD, "", "broken"])
def test_a_profile_that_is_none_is_refused(text: str) -> None:
    """Whatever the document is, and before anything is found in it."""
    with pytest.raises(ParameterError):
        submitted(text, profile="strict")


def test_references_to_published_records_are_no_records_of_the_sender() -> None:
    """What follows from a statement for the record that it names is not judged as if it had been sent."""
    assert submitted(GOOD.replace("medkg:inRoadmap", "dct:isPartOf")).findings != ()
    codes = {item.code for item in submitted(GOOD).findings}
    assert not codes & {"G-04", "G-18"}


def test_what_a_submission_does_to_others_is_told_in_the_document() -> None:
    """A published record that gets a problem by the submission is named, with a place in the document."""
    examined = submitted(GOOD.replace("A gamma centre for imaging", "Alpha action for the tests"))
    doubles = {
        item.focus.rpartition("/")[2]: item.place.line for item in examined.findings if item.code == "A-13"
    }
    assert doubles == {"alpha": START + 1, "gamma": START + 1}


def test_problems_of_others_that_were_there_before_are_not_told() -> None:
    """A record that is near the submission and has a problem of its own is none of the sender's business."""
    record = "https://w3id.org/medkg/id/action/poor"
    poor = submitted(f'<{record}> a medkg:InnovationAction ; skos:prefLabel "A poor action"@en .')
    assert poor.findings
    before = public().insert([(URIRef(record), RDF.type, MEDKG.InnovationAction, None)])
    try:
        near = GOOD.replace("medkg:region", f"<{DCTERMS.replaces}> <{record}> ; medkg:region")
        assert {item.focus for item in submitted(near).findings} <= {"https://w3id.org/medkg/id/action/gamma"}
    finally:
        public().remove(before)


def test_a_graph_is_as_before_whatever_was_examined() -> None:
    """Good, bad and odd submissions leave no triple behind, and take none away."""
    before = {str(row) for row in public().rows(ALL)}
    for text in (
        GOOD,
        GOOD.replace("nuts:PL22", "[ a medkg:Region ]"),
        'action:alpha skos:prefLabel "Alpha action for the tests"@en , "01"^^xsd:integer .',
        "_:a skos:broader _:b . _:b skos:broader _:a .",
    ):
        submitted(text)
    assert {str(row) for row in public().rows(ALL)} == before


@pytest.mark.parametrize("text", ["", "# nothing\n", "broken", "<a"])
def test_what_says_nothing_is_unreadable(text: str) -> None:
    """A document without statements is neither accepted nor rejected, and it is told why."""
    told = submitted(text).report
    assert told.decision is Decision.UNREADABLE
    assert told.findings
    assert told.scope == ""


def test_a_node_without_an_address_is_validated_too() -> None:
    """A blank node inside of a record is judged like a record, at its own place."""
    examined = submitted(GOOD.replace("nuts:PL22", "[ a medkg:Region ]"))
    assert places(examined, "R-01")
    assert not places(examined, "N-01")
    assert places(submitted('[] a medkg:InnovationAction ; skos:prefLabel "A centre"@en .'), "N-01") == {
        (1, 1)
    }


def test_values_are_told_as_they_were_sent() -> None:
    """A number that the engine would write otherwise is shown, and placed, as it stands in the document."""
    text = 'phase:x a medkg:ActionPhase ; medkg:position "00"^^xsd:integer ; skos:prefLabel "Step one"@en .'
    found = [item for item in submitted(text).findings if item.code == "A-18"]
    assert [item.value for item in found] == ["00"]
    assert found[0].place.column == 46
