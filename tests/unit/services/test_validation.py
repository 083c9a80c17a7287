"""services/validation.py: what both engines report becomes findings, with code, severity, path and value."""

import random
from collections.abc import Callable

import pytest
from rdflib import Graph
from rdflib.term import BNode

from medkg.domain.errors import ShapesRefused
from medkg.domain.model import Place, Quad, Report, Severity
from medkg.services.validation import Engine, graph_of, results
from medkg.shacl.findings import findings as told

HEAD = """
@prefix : <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix medkg: <https://w3id.org/medkg/ontology#> .
"""
DATA = ":x a :Thing ; skos:prefLabel 'x' ; :p 1 , 2 ; :q :y . :y :r 3 ; :s 4 ."
SHAPE = ":Shape a sh:NodeShape ; medkg:code 'X-01' ; sh:targetClass :Thing"
PROPERTY = f"{SHAPE} ; sh:property :Property . :Property a sh:PropertyShape ; medkg:code 'X-02' ; "
"""A node shape with a property shape that is left open for more."""


Validate = Callable[[list[Quad], list[Quad]], Report]


@pytest.fixture(params=list(Engine))
def validate(request: pytest.FixtureRequest) -> Validate:
    """Return what validates with one of the engines."""

    def run(data: list[Quad], shapes: list[Quad]) -> Report:
        graph = graph_of(shapes)
        return told(results(data, graph, request.param), graph)

    return run


def _quads(turtle: str) -> list[Quad]:
    return [(*triple, None) for triple in Graph().parse(data=HEAD + turtle, format="turtle")]  # type: ignore[misc]


def test_a_graph_that_conforms_has_no_findings(validate: Validate) -> None:
    """Good data, and data that no shape speaks of, give an empty report."""
    for shapes in (PROPERTY + "sh:path :p ; sh:maxCount 2 .", "", SHAPE.replace(":Thing", ":Other") + " ; sh:nodeKind sh:Literal ."):  # fmt: skip  # noqa: E501
        report = validate(_quads(DATA), _quads(shapes))
        assert report.conforms
        assert report.findings == ()


def test_a_violation_is_a_finding_with_all_its_parts(validate: Validate) -> None:
    """A finding has the code and message of its shape, the focus node in full, path and value in short."""
    shapes = PROPERTY + "sh:path :p ; sh:maxInclusive 1 ; sh:message 'At most one.'@en ."
    [finding] = validate(_quads(DATA), _quads(shapes)).findings
    assert (finding.code, finding.severity) == ("X-02", Severity.VIOLATION)
    assert (finding.message, finding.focus) == ("At most one.", "https://example.org/x")
    assert (finding.path, finding.value, finding.place) == ("https://example.org/p", "2", Place())


@pytest.mark.parametrize(
    ("severity", "expected", "conforms"),
    [
        ("", Severity.VIOLATION, False),
        ("sh:severity sh:Violation ;", Severity.VIOLATION, False),
        ("sh:severity sh:Warning ;", Severity.WARNING, True),
        ("sh:severity sh:Info ;", Severity.INFO, True),
        ("sh:severity :Grave ;", Severity.VIOLATION, False),
    ],
)
def test_severities(severity: str, expected: Severity, conforms: bool, validate: Validate) -> None:
    """The severity is that of the shape; without one, or with one that is unknown, it is a violation."""
    report = validate(_quads(DATA), _quads(PROPERTY + severity + "sh:path :p ; sh:maxCount 1 ."))
    assert [finding.severity for finding in report.findings] == [expected]
    assert report.conforms is conforms


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ("sh:message 'Zu viele'@de , 'Too many'@en , 'Trop'@fr ;", "Too many"),
        ("sh:message 'Too many' ;", "Too many"),
        ("sh:message 'b'@en , 'a'@en ;", "a"),
        ("sh:message 'Zu viele'@de ;", "The value is not as the constraint MaxCount demands."),
        ("sh:message 'Trop'@fr ; sh:name 'p'@en ;", "The value is not as the constraint MaxCount demands."),
    ],
)
def test_messages_are_english(messages: str, expected: str, validate: Validate) -> None:
    """The message is the English one, or one without a language, else names the constraint."""
    [finding] = validate(_quads(DATA), _quads(PROPERTY + messages + "sh:path :p ; sh:maxCount 1 .")).findings
    assert finding.message.startswith(expected)


def test_a_shape_without_a_message_says_something_all_the_same(validate: Validate) -> None:
    """A finding is never without a message."""
    [finding] = validate(_quads(DATA), _quads(PROPERTY + "sh:path :p ; sh:maxCount 1 .")).findings
    assert finding.message


@pytest.mark.parametrize(
    ("shapes", "code"),
    [
        (f"{SHAPE} ; sh:nodeKind sh:Literal .", "X-01"),
        (PROPERTY + "sh:path :p ; sh:maxCount 1 .", "X-02"),
        (f"{SHAPE} ; sh:property [ sh:path :p ; sh:maxCount 1 ] .", "G-00"),
        (
            f"{SHAPE} ; sh:sparql [ sh:select 'SELECT $this WHERE {{ $this <https://example.org/p> 1 }}' ] .",
            "X-01",
        ),
    ],
)
def test_codes_are_those_of_the_shape_that_was_broken(shapes: str, code: str, validate: Validate) -> None:
    """The code is that of the very shape that reports; a shape without one reports G-00."""
    findings = validate(_quads(DATA), _quads(shapes)).findings
    assert [finding.code for finding in findings] == [code]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("skos:prefLabel", "skos:prefLabel"),
        (":p", "https://example.org/p"),
        ("( :q :r )", "https://example.org/q/https://example.org/r"),
        ("[ sh:inversePath skos:broader ]", "^skos:broader"),
        ("[ sh:alternativePath ( skos:altLabel skos:notation ) ]", "skos:altLabel|skos:notation"),
        ("[ sh:zeroOrMorePath skos:broader ]", "skos:broader*"),
        ("[ sh:oneOrMorePath skos:broader ]", "skos:broader+"),
        ("[ sh:zeroOrOnePath skos:broader ]", "skos:broader?"),
        ("[ sh:oneOrMorePath ( skos:broader skos:related ) ]", "(skos:broader/skos:related)+"),
        ("( [ sh:inversePath skos:broader ] skos:prefLabel )", "^skos:broader/skos:prefLabel"),
    ],
)
def test_paths_read_like_sparql(path: str, text: str, validate: Validate) -> None:
    """A path of any kind is shown as SPARQL writes it, with medkg's prefixes, and never as a blank node."""
    [finding] = validate(_quads(DATA), _quads(PROPERTY + f"sh:path {path} ; sh:minCount 5 .")).findings
    assert finding.path == text


def test_a_query_fills_its_message(validate: Validate) -> None:
    """A SPARQL constraint reports the value that its query selects, in its message too."""
    shapes = (
        f"{SHAPE} ; sh:sparql [ sh:message 'Too great: {{?value}}.'@en ; "
        "sh:select 'SELECT $this ?value WHERE { $this <https://example.org/p> ?value FILTER(?value > 1) }' ]."
    )
    [finding] = validate(_quads(DATA), _quads(shapes)).findings
    assert (finding.message, finding.value) == ("Too great: 2.", "2")


def test_findings_come_gravest_first_and_always_in_the_same_order(validate: Validate) -> None:
    """Findings are sorted by severity, code, focus, path and value, in whatever order the triples came."""
    data = _quads("".join(f":x{number} a :Thing ; :p {number} , 100 ." for number in range(5)))
    shapes = _quads(
        f"{SHAPE} ; sh:property :B , :A , :C ."
        ":A sh:path :p ; medkg:code 'A-01' ; sh:maxInclusive 50 ; sh:severity sh:Info ."
        ":B sh:path :p ; medkg:code 'B-01' ; sh:maxCount 1 ; sh:severity sh:Warning ."
        ":C sh:path :p ; medkg:code 'C-01' ; sh:maxInclusive 3 ."
    )
    first = validate(data, shapes).findings
    assert [finding.code for finding in first] == ["C-01"] * 6 + ["B-01"] * 5 + ["A-01"] * 5
    assert [finding.focus[-2:] for finding in first[:6]] == ["x0", "x1", "x2", "x3", "x4", "x4"]
    assert [finding.value for finding in first[4:6]] == ["100", "4"]
    for seed in range(3):
        random.Random(seed).shuffle(data)  # noqa: S311 - an order, not a secret
        random.Random(seed).shuffle(shapes)  # noqa: S311
        assert validate(data, shapes).findings == first


def test_strings_and_typed_values_are_told_apart(validate: Validate) -> None:
    """The validator keeps datatypes apart: a string is no integer, and a plain string is xsd:string."""
    data = _quads(":x a :Thing ; :p '1' , 1 , 'one' .")
    [finding] = validate(data, _quads(PROPERTY + "sh:path :p ; sh:maxCount 2 .")).findings
    assert finding.code == "X-02"
    findings = validate(data, _quads(PROPERTY + "sh:path :p ; sh:datatype xsd:string .")).findings
    assert [finding.value for finding in findings] == ["1"]


def test_blank_nodes_are_known_by_their_own_labels(validate: Validate) -> None:
    """A blank node that is a focus node keeps the label that it came with."""
    data: list[Quad] = [(BNode("file-c14n0"), quad[1], quad[2], None) for quad in _quads(":x a :Thing .")]
    [finding] = validate(data, _quads(PROPERTY + "sh:path :p ; sh:minCount 1 .")).findings
    assert finding.focus == "file-c14n0"


def test_nothing_is_inferred(validate: Validate) -> None:
    """Superclasses count as SHACL says, by the hierarchy in the data; no other triple is derived."""
    data = _quads(":x a :Special . :Special <http://www.w3.org/2000/01/rdf-schema#subClassOf> :Thing .")
    shapes = _quads(
        PROPERTY + "sh:path <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ; sh:hasValue :Thing ."
    )
    assert [finding.focus for finding in validate(data, shapes).findings] == ["https://example.org/x"]


@pytest.mark.parametrize(
    "shapes",
    [
        f"{SHAPE} ; sh:property [ sh:maxCount 1 ] .",
        PROPERTY + "sh:path [ ] ; sh:minCount 1 .",
        PROPERTY + "sh:path :p ; sh:maxCount 'one' .",
        PROPERTY + "sh:path :p ; sh:pattern '(' .",
        f"{SHAPE} ; sh:sparql [ sh:select 'nonsense' ] .",
        f"{SHAPE} ; sh:sparql [ sh:select 'SELECT $this WHERE {{ $this unknown:p ?o }}' ] .",
        f"{SHAPE} ; sh:sparql [ sh:message 'There is no query.' ] .",
        f"{SHAPE} ; sh:and ( :Shape ) .",
    ],
)
def test_broken_shapes_are_refused(
    shapes: str, capfd: pytest.CaptureFixture[str], validate: Validate
) -> None:
    """Shapes that can't be used raise an error; they never look like data that is invalid."""
    with pytest.raises(ShapesRefused):
        validate(_quads(DATA), _quads(shapes))
    capfd.readouterr()
