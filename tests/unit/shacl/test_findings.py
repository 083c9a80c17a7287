"""shacl/findings.py: results become findings, the gravest first, in the language that is asked for."""

import pytest
from tests.unit.shacl.graphs import read, run

from medkg.domain.model import Severity
from medkg.shacl.findings import findings

SHAPES = """
@prefix medkg: <https://w3id.org/medkg/ontology#> .
:s sh:targetNode :b , :a ; sh:severity sh:Info ; sh:nodeKind sh:Literal ; medkg:code 'X-02' ;
    sh:message 'Hello'@en , 'Bonjour'@fr , 'Plain' ;
    sh:property :p , :q .
:p sh:path :p ; sh:minCount 1 ; medkg:code 'X-03' .
:q sh:path :q ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message 'Hallo'@de .
"""


def test_the_gravest_come_first() -> None:
    """Findings are in the order of their severity, then of their code and focus node."""
    told = findings(run("", SHAPES), read(SHAPES)).findings
    assert [(item.severity, item.code, item.focus[-1]) for item in told] == [
        (severity, code, focus)
        for severity, code in (
            (Severity.VIOLATION, "X-03"),
            (Severity.WARNING, "G-00"),
            (Severity.INFO, "X-02"),
        )
        for focus in "ab"
    ]


@pytest.mark.parametrize(
    ("languages", "expected"),
    [(["fr"], "Bonjour"), (["it", "fr"], "Bonjour"), (["it"], "Hello"), (["en"], "Hello"), ([], "Hello")],
)
def test_messages_in_a_language(languages: list[str], expected: str) -> None:
    """The first language that has a message is used, and English where none has."""
    told = findings(run("", SHAPES), read(SHAPES), languages).of(Severity.INFO)
    assert {item.message for item in told} == {expected}
