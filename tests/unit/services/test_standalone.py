"""services/standalone.py: a file is validated in a process of its own, which says what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib.namespace import SH
from rdflib.term import BNode

from medkg.domain.errors import EngineCrashed, MedkgError, ShapesRefused, SourceFileError
from medkg.domain.model import Severity
from medkg.services.standalone import Outcome, run
from medkg.services.validation import Engine, graph_of
from medkg.store.terms import quad_from_ox

PREFIXES = """
@prefix : <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
"""
SHAPES = ":s sh:targetClass :C ; sh:nodeKind sh:Literal ."
FORMATS = {
    "ttl": ox.RdfFormat.TURTLE,
    "nt": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}

Validate = Callable[..., Outcome]


@pytest.fixture
def validate(tmp_path: Path) -> Validate:
    """Return what writes files and validates the first with the others."""

    def call(data: str | bytes, *shapes: str, name: str = "data.ttl", form: str = "json") -> Outcome:
        file = tmp_path / name
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        files = [tmp_path / f"shapes{number}.ttl" for number in range(len(shapes))]
        for path, text in zip(files, shapes, strict=True):
            path.write_text(PREFIXES + text)
        return run(file, files, engine=Engine.compiled, form=form)

    return call


def test_counts_are_those_of_the_findings(validate: Validate) -> None:
    """The shapes of all files count, and each severity has its number."""
    more = ":t sh:targetClass :C ; sh:severity sh:Info ; sh:class :D ."
    outcome = validate(PREFIXES + ":a a :C . :b a :C .", SHAPES, more)
    assert outcome.counts == {Severity.VIOLATION: 2, Severity.WARNING: 0, Severity.INFO: 2}


@pytest.mark.parametrize("form", list(FORMATS))
def test_reports_are_graphs(form: str, validate: Validate) -> None:
    """A report in any format is the same graph, with nodes that are not those of the data."""
    body = validate(b"_:r1 a <https://example.org/C> .", SHAPES, form=form).body
    triples = list(ox.parse(body, format=FORMATS[form]))
    graph = graph_of(map(quad_from_ox, triples))
    [result] = graph.objects(None, SH.result)
    focus = graph.value(result, SH.focusNode)
    assert isinstance(focus, BNode)
    assert not list(graph.predicate_objects(focus))
    assert len(triples) == len(graph)


def test_blank_nodes_of_files_are_not_mixed(validate: Validate) -> None:
    """A blank node is called the same in two files of shapes, and is two."""
    first = ":s sh:targetClass :C ; sh:property _:x . _:x sh:path :p ; sh:minCount 1 ."
    second = ":t sh:targetClass :C ; sh:property _:x . _:x sh:path :q ; sh:minCount 1 ."
    assert validate(PREFIXES + ":a a :C .", first, second).counts[Severity.VIOLATION] == 2


@pytest.mark.parametrize(
    ("data", "shapes", "name", "error"),
    [
        (b"", ":s sh:targetNode :a ; sh:minCount 1 .", "data.ttl", ShapesRefused),
        (b"", ":s sh:targetNode :a ; sh:sparql [ sh:select 'nonsense' ] .", "data.ttl", ShapesRefused),
        (b"", "nonsense", "data.ttl", SourceFileError),
        (b"nonsense", SHAPES, "data.ttl", SourceFileError),
        (b"\xff\x00", SHAPES, "data.nt", SourceFileError),
        (b"", SHAPES, "data.txt", SourceFileError),
        (b"<< <x:a> <x:b> <x:c> >> <x:d> <x:e> .", SHAPES, "data.ttl", SourceFileError),
        (b"{", SHAPES, "data.jsonld", SourceFileError),
    ],
)
def test_files_that_can_not_be_used(
    data: bytes, shapes: str, name: str, error: type[MedkgError], validate: Validate
) -> None:
    """Whatever is wrong with a file is an error that says so, and ends no process but its own."""
    with pytest.raises(error) as caught:
        validate(data, shapes, name=name)
    assert str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that is missing, or is a folder, is named."""
    folder = tmp_path / "folder.ttl"
    folder.mkdir()
    for path in (tmp_path / "none.ttl", folder):
        with pytest.raises(SourceFileError, match=path.name):
            run(path, [path], engine=Engine.compiled, form="text")


def test_what_ends_the_process_is_an_error(validate: Validate) -> None:
    """A file that is more than the engine can hold on its stack ends the child, and the caller is told so."""
    deep = '{"x:p":' * 5_000 + "1" + "}" * 5_000
    with pytest.raises(EngineCrashed):
        validate(deep, SHAPES, name="data.jsonld")
