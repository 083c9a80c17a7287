"""The OWL 2 DL profile, judged by a tool that others wrote: the OWL API, run through ROBOT.

The tool is Java. Maven fetches it once, by tools/owl-profile/pom.xml, into its own cache; the check needs no
network. Without Maven and Java these tests are skipped; in continuous integration (CI=true) they fail.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from rdflib import OWL, RDF, Graph, URIRef

ROOT = Path(__file__).parents[2]
POM = ROOT / "tools" / "owl-profile" / "pom.xml"
IRI = URIRef("https://w3id.org/medkg/ontology")
ROBOT = "org.obolibrary.robot.CommandLineInterface"
MAVEN_SECONDS = 900
JAVA_SECONDS = 300

PREFIXES = """
    @prefix ex: <https://example.org/> .
    @prefix medkg: <https://w3id.org/medkg/ontology#> .
    @prefix owl: <http://www.w3.org/2002/07/owl#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
# The types of dates are not in the datatype map of OWL 2. On annotations they have no bearing; as values of a
# datatype property they put the data, though not the ontology, outside OWL 2 DL.
DATE_VIOLATION = re.compile(
    r"Use of undeclared datatype: xsd:(date|gYear|gYearMonth) "
    r'|Use of defined datatype in datatype restriction "[^"]+"\^\^xsd:(date|gYear|gYearMonth) '
)
PLANTED = (
    ("medkg:region a owl:DatatypeProperty .", "Cannot pun between properties"),
    ("medkg:startDate rdfs:range xsd:date .", "Use of undeclared datatype: xsd:date"),
    ("ex:x ex:unheardOf ex:y .", "Use of undeclared annotation property"),
    ('ex:x medkg:nutsLevel "two"^^xsd:integer .', "not in lexical space"),
)

Violations = Callable[[Graph], list[str]]


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it in continuous integration."""
    if os.environ.get("CI") == "true":  # noqa: TID251 - a switch of the test run, not a setting of medkg
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of a program that the check needs."""
    path = shutil.which(name)
    if path is None:
        give_up(f"{name} is not installed, so the OWL 2 DL profile can't be checked")
    return path


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    output = tmp_path_factory.mktemp("owl-profile") / "class-path.txt"
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={output}"]
    command = [program("mvn"), "-q", "-B", "-f", str(POM), *goal]
    done = subprocess.run(command, check=False, timeout=MAVEN_SECONDS, capture_output=True, text=True)
    if done.returncode != 0:
        give_up(f"Maven could not fetch the profile checker: {done.stdout.strip()}")
    return output.read_text(encoding="utf-8")


@pytest.fixture
def violations(class_path: str, tmp_path: Path) -> Violations:
    """Return a function that lists the violations of OWL 2 DL in a graph, as ROBOT reports them."""

    def check(graph: Graph) -> list[str]:
        source = tmp_path / "ontology.ttl"
        report = tmp_path / "report.txt"
        graph.serialize(source, format="turtle")
        options = ["validate-profile", "--profile", "DL", "--input", str(source), "--output", str(report)]
        command = [program("java"), "-cp", class_path, ROBOT, *options]
        subprocess.run(command, check=False, timeout=JAVA_SECONDS, capture_output=True)
        verdict, *lines = report.read_text(encoding="utf-8").strip().splitlines()
        assert ("NOT in profile" in verdict) == bool(lines), verdict
        return lines

    return check


@pytest.fixture(scope="module")
def ontology(core: Graph, restrictions: Graph, alignments: Graph, vocabulary: Graph) -> Graph:
    """Return all ontology files and concept schemes as one ontology with one header and nothing to import."""
    merged = core + restrictions + alignments + vocabulary
    for header in set(merged.subjects(RDF.type, OWL.Ontology)) - {IRI}:
        merged.remove((header, None, None))
    merged.remove((None, OWL.imports, None))
    return merged


def test_the_ontology_is_in_owl_2_dl(ontology: Graph, violations: Violations) -> None:
    """Core, restrictions, alignments and concept schemes together are an OWL 2 DL ontology."""
    assert violations(ontology) == []


def test_the_data_leave_owl_2_dl_only_by_their_dates(ontology: Graph, violations: Violations) -> None:
    """With the facts of all sources added, nothing but the types of dates is outside OWL 2 DL."""
    merged = Graph() + ontology
    for path in sorted((ROOT / "data" / "source").glob("*.ttl")):
        merged.parse(path)
    assert [line for line in violations(merged) if not DATE_VIOLATION.match(line)] == []


def test_planted_violations_are_reported(ontology: Graph, violations: Violations) -> None:
    """A property of two kinds, an unknown datatype, an undeclared property and a wrong literal are found."""
    planted = Graph().parse(data=PREFIXES + "".join(statement for statement, _ in PLANTED))
    found = violations(ontology + planted)
    assert [named for _, named in PLANTED if not any(named in line for line in found)] == []
