"""The shapes find each mistake of the fixtures and nothing else, and every constraint is needed for that.

A fixture is a few statements on top of base.ttl, in which everything is in order. pySHACL takes two seconds
for all shapes on base.ttl, so a test aims the shapes at the nodes that its fixture touches; some fixtures are
run in full as well, to show that this changes nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyshacl
import pytest
from rdflib import BNode, Graph, Namespace, URIRef
from rdflib.namespace import OWL, RDF, RDFS, SH, XSD
from rdflib.term import Literal, Node

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VALID = sorted((HERE / "valid").glob("*.ttl"))
INVALID = sorted((HERE / "invalid").glob("*.ttl"))

MEDKG = Namespace("https://w3id.org/medkg/ontology#")
SHAPES = "https://w3id.org/medkg/shapes#"
LANGUAGES = {"en", "fr", "it", "pl"}
SEVERITIES = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}
TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
# pySHACL reads all statements of a shape at every node, so the texts are left out where nobody needs them.
TEXTS = (SH.message, SH.name, SH.description, RDFS.label, RDFS.comment)
PATHS = {SH.inversePath, SH.alternativePath, SH.oneOrMorePath, SH.zeroOrMorePath}
CONSTRAINTS = {
    SH["class"],
    SH.datatype,
    SH.disjoint,
    SH.equals,
    SH.hasValue,
    SH["in"],
    SH.languageIn,
    SH.lessThan,
    SH.lessThanOrEquals,
    SH.maxCount,
    SH.maxInclusive,
    SH.maxLength,
    SH.minCount,
    SH.minInclusive,
    SH.minLength,
    SH.node,
    SH.nodeKind,
    SH["not"],
    SH["or"],
    SH.pattern,
    SH.property,
    SH.qualifiedMaxCount,
    SH.qualifiedMinCount,
    SH.sparql,
    SH.uniqueLang,
}


@dataclass(frozen=True, order=True)
class Finding:
    """One result of a validation, as text."""

    code: str
    severity: str
    focus: str
    value: str
    component: str


def read(paths: Iterable[Path]) -> Graph:
    """Read Turtle files into one graph."""
    graph = Graph(bind_namespaces="none")
    for path in paths:
        graph.parse(path)
    return graph


@cache
def all_shapes() -> Graph:
    """Return the shapes as they are shipped; nobody changes this graph."""
    return read(sorted((ROOT / "shapes").glob("*.ttl")))


@cache
def ontology() -> Graph:
    """Return the ontology with its restrictions and alignments."""
    return read(sorted((ROOT / "ontology").glob("*.ttl")))


def closure(graph: Graph, cls: Node) -> set[Node]:
    """Return a class and its superclasses."""
    return {node for node in graph.transitive_objects(cls, RDFS.subClassOf) if node is not None}


@cache
def base() -> Graph:
    """Return the graph that every fixture adds to."""
    return read([HERE / "base.ttl"])


@cache
def fixture(path: Path | None) -> Graph:
    """Return base.ttl with a fixture on top, and the superclasses of every type, as the build adds them."""
    graph = read([path] if path else [])
    for triple in base():
        graph.add(triple)
    for subject, cls in list(graph.subject_objects(RDF.type)):
        for superclass in closure(graph, cls):
            graph.add((subject, RDF.type, superclass))
    return graph


def touched(path: Path) -> set[Node]:
    """Return the nodes that a fixture speaks of, and the neighbours of those that it describes."""
    data, own = fixture(path), read([path])
    described = set(own.subjects())
    near = {node for subject in described for node in data.objects(subject)}
    near |= {node for subject in described for node in data.subjects(None, subject)}
    blank = {node for node in data.subjects() if isinstance(node, BNode)}
    return described | set(own.objects()) | near | blank


def codes() -> Mapping[str, Node]:
    """Return the shape of each code."""
    return {str(code): shape for shape, code in all_shapes().subject_objects(MEDKG.code)}


def targets(shapes: Graph, shape: Node, data: Graph) -> set[Node]:
    """Return the focus nodes of a shape: its own, and those of the node shapes that it is a property of."""
    found: set[Node] = set()
    for holder in (shape, *shapes.subjects(SH.property, shape)):
        found |= set(shapes.objects(holder, SH.targetNode))
        for cls in shapes.objects(holder, SH.targetClass):
            found |= set(data.subjects(RDF.type, cls))
        for predicate in shapes.objects(holder, SH.targetSubjectsOf):
            found |= set(data.subjects(predicate))
        for predicate in shapes.objects(holder, SH.targetObjectsOf):
            found |= set(data.objects(None, predicate))
    return found


@cache
def untargeted() -> Graph:
    """Return a copy of the shapes that are aimed at nothing and say nothing."""
    shapes = Graph(bind_namespaces="none")
    for triple in all_shapes():
        if triple[1] not in TARGETS + TEXTS:
            shapes.add(triple)
    return shapes


def validate(shapes: Graph, data: Graph) -> frozenset[Finding]:
    """Let pySHACL validate, and return what it found."""
    _, report, text = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    assert isinstance(report, Graph), text
    return frozenset(
        Finding(
            code=str(all_shapes().value(report.value(result, SH.sourceShape), MEDKG.code)),
            severity=SEVERITIES[URIRef(str(report.value(result, SH.resultSeverity)))],
            focus=text_of(report.value(result, SH.focusNode)),
            value=text_of(report.value(result, SH.value)),
            component=str(report.value(result, SH.sourceConstraintComponent)),
        )
        for result in report.objects(None, SH.result)
    )


def text_of(term: Node | None) -> str:
    """Write a term; blank nodes are all the same, since pySHACL names them anew."""
    return "_:" if isinstance(term, BNode) else term.n3() if isinstance(term, URIRef | Literal) else ""


@contextmanager
def aimed(foci: Mapping[Node, set[Node]], without: Iterable[tuple[Node, Node, Node]] = ()) -> Iterator[Graph]:
    """Give the shapes, aimed at the given focus nodes and short of the given statements."""
    shapes = untargeted()
    aims = [(shape, SH.targetNode, node) for shape, nodes in foci.items() for node in nodes]
    missing = list(without)
    try:
        for triple in missing:
            shapes.remove(triple)
        for triple in aims:
            shapes.add(triple)
        yield shapes
    finally:
        for triple in aims:
            shapes.remove(triple)
        for triple in missing:
            shapes.add(triple)


def findings(
    path: Path, without: Iterable[tuple[Node, Node, Node]] = (), *, only: str = ""
) -> frozenset[Finding]:
    """Return what the shapes (or the shape of one code) find in the nodes that a fixture touches."""
    data, nodes = fixture(path), touched(path)
    chosen = {code: shape for code, shape in codes().items() if code == (only or code)}
    foci = {shape: targets(all_shapes(), shape, data) & nodes for shape in chosen.values()}
    with aimed(foci, without) as shapes:
        return validate(shapes, data)


def expected(path: Path) -> set[tuple[str, str]]:
    """Return the codes and severities that the first line of a fixture promises."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    promise = re.fullmatch(r"# expect: (.+)", first)
    pairs = [item.split() for item in promise[1].split(", ")] if promise else []
    return {(code, severity) for code, severity in pairs}


def name_of(path: Path) -> str:
    """Name a test case after its file."""
    return path.stem


# --- What the shapes find


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_an_invalid_fixture_has_the_findings_that_it_promises(path: Path) -> None:
    """No expected code is missing and no other code appears."""
    assert expected(path), "the first line must say what to expect"
    assert {(item.code, item.severity) for item in findings(path)} == expected(path)


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_a_valid_fixture_has_only_the_findings_that_it_promises(path: Path) -> None:
    """Good data gives no violation, and no warning unless the file says so."""
    found = {(item.code, item.severity) for item in findings(path)}

    assert found == expected(path)
    assert "violation" not in {severity for _, severity in found}


def test_the_base_graph_is_in_order() -> None:
    """Without any fixture, all shapes with their real targets find nothing."""
    assert validate(all_shapes(), fixture(None)) == frozenset()


@pytest.mark.parametrize("code", ["A-06", "A-17", "G-03", "L-05", "P-04", "R-05"])
def test_aiming_at_the_touched_nodes_changes_nothing(code: str) -> None:
    """A whole run with the real targets finds the same as the quick one."""
    (path,) = (path for path in INVALID if path.stem.startswith(code))

    assert validate(all_shapes(), fixture(path)) == findings(path)


def test_each_code_has_an_invalid_fixture_of_its_own() -> None:
    """The file is named after the code, and expects it."""
    owners = Counter(path.stem[:4] for path in INVALID)

    assert owners == dict.fromkeys(codes(), 1)
    assert all(path.stem[:4] in {code for code, _ in expected(path)} for path in INVALID)


def test_each_code_is_met_by_valid_data_too() -> None:
    """Some valid record has what the shape looks at, so that a shape which finds everything is noticed."""
    data = [fixture(path) for path in (None, *VALID)]
    unmet = {
        code
        for code, shape in codes().items()
        if not any(
            occurs(shape, graph, focus) for graph in data for focus in targets(all_shapes(), shape, graph)
        )
    }

    # A region that is not retired has no replacement: what R-07 looks at is absent from valid data.
    assert unmet == {"R-07"}


def occurs(shape: Node, data: Graph, focus: Node) -> bool:
    """Tell whether a focus node has a value for a shape."""
    path = all_shapes().value(shape, SH.path)
    return path is None or bool(follow(data, focus, path))


def follow(data: Graph, focus: Node, path: Node) -> set[Node]:
    """Return the nodes that a SHACL path leads to."""
    shapes = all_shapes()
    if isinstance(path, URIRef):
        return set(data.objects(focus, path))
    if (inverse := shapes.value(path, SH.inversePath)) is not None:
        return set(data.subjects(inverse, focus))
    if (ways := shapes.value(path, SH.alternativePath)) is not None:
        return {end for way in shapes.items(ways) for end in follow(data, focus, way)}
    ends = {focus}
    for step in shapes.items(path):
        ends = {end for start in ends for end in follow(data, start, step)}
    return ends


# --- Every constraint is needed


def reachable(shape: Node) -> set[Node]:
    """Return a shape and the helpers that it uses."""
    shapes, found, queue = all_shapes(), set[Node](), [shape]
    while queue:
        node = queue.pop()
        if node in found:
            continue
        found.add(node)
        queue += shapes.objects(node, SH.qualifiedValueShape)
        for predicate in (SH.node, SH["not"], SH.property):
            queue += shapes.objects(node, predicate)
        for alternatives in shapes.objects(node, SH["or"]):
            queue += shapes.items(alternatives)
    return found


def constraints(shape: Node) -> dict[tuple[Node, Node, Node], list[tuple[Node, Node, Node]]]:
    """Return each constraint of a shape and its helpers, with the statements that go when it is dropped."""
    shapes, found = all_shapes(), {}
    for node in reachable(shape):
        qualified = list(shapes.triples((node, SH.qualifiedValueShape, None)))
        counts = [*shapes.objects(node, SH.qualifiedMinCount), *shapes.objects(node, SH.qualifiedMaxCount)]
        for triple in shapes.triples((node, None, None)):
            if triple[1] in CONSTRAINTS:
                alone = "qualified" in str(triple[1]) and len(counts) == 1
                found[triple] = [triple, *(qualified if alone else [])]
    return found


def test_dropping_any_constraint_is_noticed() -> None:
    """For each constraint there is an invalid fixture whose findings change without it."""
    needed: set[tuple[Node, Node, Node]] = set()
    known: set[tuple[Node, Node, Node]] = set()
    for path in INVALID:
        code = path.stem[:4]
        whole = findings(path, only=code)
        parts = constraints(codes()[code])
        known |= set(parts)
        for constraint, statements in parts.items():
            if constraint not in needed and findings(path, statements, only=code) != whole:
                needed.add(constraint)

    assert sorted(f"{text_of(s)} {text_of(p)} {text_of(o)}" for s, p, o in known - needed) == []


# --- The shapes themselves


def languages(shape: Node, *predicates: URIRef) -> list[list[str]]:
    """Return the sorted languages of the texts of a shape, for each predicate."""
    return [
        sorted(
            str(text.language) for text in all_shapes().objects(shape, predicate) if isinstance(text, Literal)
        )
        for predicate in predicates
    ]


def test_the_shapes_pass_the_shapes_of_shacl() -> None:
    """The shapes graph is well-formed by SHACL's own rules."""
    conforms, _, text = pyshacl.validate(Graph(), shacl_graph=all_shapes(), meta_shacl=True)

    assert conforms, text


def test_each_coded_shape_speaks_four_languages() -> None:
    """Message, name and description exist in each language once, and the message gives an example."""
    for code, shape in codes().items():
        words = (
            (SH.name, SH.description)
            if (shape, SH.path, None) in all_shapes()
            else (RDFS.label, RDFS.comment)
        )
        messages = [text for text in all_shapes().objects(shape, SH.message) if isinstance(text, Literal)]

        assert languages(shape, SH.message, *words) == [sorted(LANGUAGES)] * 3, code
        assert all(re.search(r"e\.g\.|p\. ex\.|ad es\.|np\.|:", text) for text in messages), code


def test_each_coded_shape_has_one_code_and_one_severity() -> None:
    """Codes are unique and well-formed, and severities are those of SHACL."""
    shapes = all_shapes()
    pairs = list(shapes.subject_objects(MEDKG.code))

    assert len(pairs) == len({shape for shape, _ in pairs}) == len({code for _, code in pairs})
    assert all(re.fullmatch(r"[A-Z]-[0-9]{2}", str(code)) for _, code in pairs)
    assert all(len(set(shapes.objects(shape, SH.severity)) & set(SEVERITIES)) == 1 for shape, _ in pairs)


def test_each_shape_has_an_address() -> None:
    """No shape is a blank node, and each one says where it is defined."""
    shapes = all_shapes()
    everything = {
        shape for cls in (SH.NodeShape, SH.PropertyShape) for shape in shapes.subjects(RDF.type, cls)
    }

    assert {shape for shape in everything if not str(shape).startswith(SHAPES)} == set()
    assert {shape for shape in everything if (shape, RDFS.isDefinedBy, None) not in shapes} == set()
    assert set(shapes.subjects(SH.path)) <= everything


def test_a_shape_without_a_code_finds_nothing_by_itself() -> None:
    """It is the list of the properties of a class, or a helper without a target."""
    shapes, coded = all_shapes(), set(codes().values())
    for shape in set(shapes.subjects(RDF.type, SH.NodeShape)) | set(
        shapes.subjects(RDF.type, SH.PropertyShape)
    ):
        used = set(shapes.predicates(shape))
        if shape not in coded and used & set(TARGETS):
            assert used & CONSTRAINTS == {SH.property}, shape
            assert set(shapes.objects(shape, SH.property)) <= coded, shape
            assert languages(shape, RDFS.label, RDFS.comment) == [sorted(LANGUAGES)] * 2, shape
        elif shape not in coded:
            assert used & CONSTRAINTS, shape
            assert any(shape in reachable(other) for other in coded), shape


def test_blank_nodes_are_only_lists_and_paths() -> None:
    """Everything else has an address."""
    shapes = all_shapes()
    blank = {node for node in shapes.subjects() if isinstance(node, BNode)}

    assert {p for node in blank for p in shapes.predicates(node)} <= {RDF.first, RDF.rest, *PATHS}


def test_no_shape_asks_for_nothing() -> None:
    """A minimum of 0 says nothing."""
    assert not [shape for shape, count in all_shapes().subject_objects(SH.minCount) if str(count) == "0"]


def test_each_query_says_what_it_reads() -> None:
    """A shape with SPARQL names the paths on which its outcome depends, and declares its prefixes."""
    shapes = all_shapes()
    for shape, query in shapes.subject_objects(SH.sparql):
        assert isinstance(query, URIRef)
        assert set(shapes.objects(shape, MEDKG.dependsOn)), shape
        assert shapes.value(query, SH.prefixes) == URIRef(SHAPES.rstrip("#"))
        assert shapes.value(query, SH.message) is None, "messages stand on the shape"


def test_queries_keep_to_what_can_be_compiled() -> None:
    """No query has a query inside, or takes away, lists values or calls another server."""
    for query in all_shapes().objects(None, SH.select):
        words = re.sub(r'"[^"]*"|<[^>]*>|#.*|[?$]\w+', "", str(query)).upper()
        assert words.count("SELECT") == 1, query
        assert not re.search(r"\b(MINUS|VALUES|SERVICE|FROM|GRAPH)\b", words), query


def test_patterns_are_read_alike_by_every_engine() -> None:
    """A pattern has no look-around, back-reference or class whose members differ between engines."""
    patterns = [str(pattern) for pattern in all_shapes().objects(None, SH.pattern)]

    assert [pattern for pattern in patterns if re.search(r"\(\?|\\[0-9bBdDwWpPiIcC]", pattern)] == []
    assert all(re.compile(pattern) for pattern in patterns)
    assert (None, SH.flags, None) not in all_shapes()


def test_a_datatype_that_no_engine_checks_has_a_pattern() -> None:
    """A "10/2021" that is typed as a month passes in pySHACL; the pattern stops it."""
    unchecked = {XSD.gYear, XSD.gYearMonth, XSD.anyURI}
    shapes = all_shapes()
    found = {shape for shape, datatype in shapes.subject_objects(SH.datatype) if datatype in unchecked}

    assert found
    assert {shape for shape in found if (shape, SH.pattern, None) not in shapes} == set()


def test_no_shape_refers_to_itself() -> None:
    """SHACL leaves it open what recursive shapes mean."""
    for shape in {user for user, _ in all_shapes().subject_objects(RDFS.isDefinedBy)}:
        assert not any(shape in reachable(used) for used in reachable(shape) - {shape}), shape


def test_the_shapes_know_only_terms_of_the_ontology() -> None:
    """A term that is renamed in the ontology is renamed here."""
    used = {
        term
        for triple in all_shapes()
        for term in triple
        if isinstance(term, URIRef) and term.startswith(str(MEDKG))
    }

    assert {term for term in used if (term, RDF.type, None) not in ontology()} == set()


def test_the_base_graph_has_the_class_hierarchy_of_the_ontology() -> None:
    """What base.ttl says of the classes is what the ontology says."""
    said = set(base().subject_objects(RDFS.subClassOf))

    assert {(sub, sup) for sub, sup in said if sup not in closure(ontology(), sub)} == set()
    assert {sub for sub, _ in said} <= set(ontology().subjects(RDF.type, OWL.Class))
