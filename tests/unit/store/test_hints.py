"""store/hints.py: what was meant is guessed, and nobody is accused wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.domain.namespaces import BASE, PREFIXES
from medkg.store.hints import unknown_prefix, unknown_terms
from medkg.store.policy import outline

NAMESPACES = (f"{BASE}ontology#", f"{BASE}vocab/")
KNOWN = frozenset(
    {
        f"{BASE}ontology#InnovationAction",
        f"{BASE}ontology#status",
        f"{BASE}vocab/role",
        f"{BASE}vocab/role/leader",
    }
)


@pytest.mark.parametrize(
    ("prefix", "guess"),
    [("medkgg", "Did you mean medkg:?"), ("SKOS", "Did you mean skos:?"), ("qqq", ""), ("", "")],
)
def test_a_prefix_is_guessed(prefix: str, guess: str) -> None:
    """The most like prefix is named, whatever the case, and none where nothing is like it."""
    assert unknown_prefix(prefix, PREFIXES) == guess


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("medkg:statos", "There is no medkg:statos (line 2, column 7). Did you mean medkg:status?"),
        ("medkg:Zzzz", "There is no medkg:Zzzz (line 2, column 7)."),
        (
            f"<{BASE}ontology#statu>",
            f"There is no <{BASE}ontology#statu> (line 2, column 7). Did you mean <{BASE}ontology#status>?",
        ),
        (
            "vocab:role\\/leadr",
            "There is no vocab:role\\/leadr (line 2, column 7). Did you mean vocab:role\\/leader?",
        ),
    ],
)
def test_an_unknown_term_is_told(name: str, sentence: str) -> None:
    """A term of ours that there is not has its place, and the nearest one that there is, as it is written."""
    assert unknown_terms(outline(f"ASK {{\n?s ?p {name} }}"), KNOWN, NAMESPACES) == (sentence,)


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?s medkg:status vocab:role\\/leader }",
        "ASK { ?s skos:nothing <http://a/b> ; graph:x nuts:XX }",
        f"PREFIX o: <{BASE}ontology#> ASK {{ ?s ?p o: }}",
        "PREFIX medkg: <http://other/> ASK { ?s medkg:anything 1 }",
        "ASK { ?s ?p 'medkg:nothing' } # medkg:nothing",
        f"PREFIX x: <{BASE}ontology#none> ASK {{ ?s ?p ?o }}",
    ],
)
def test_nobody_is_accused_wrongly(text: str) -> None:
    """What is known, foreign, a namespace, a string or only declared is not told."""
    assert unknown_terms(outline(text), KNOWN, NAMESPACES) == ()


@given(st.from_regex(r"https?://[a-z]{1,9}\.example/[a-zA-Z#/]{0,12}", fullmatch=True))
def test_a_foreign_iri_is_never_told(iri: str) -> None:
    """No IRI outside the namespaces is told, whatever it is like."""
    assert unknown_terms(outline(f"ASK {{ ?s <{iri}> ?o }}"), KNOWN, NAMESPACES) == ()


def test_sentences_are_few() -> None:
    """A text full of unknown terms has twenty sentences."""
    text = "ASK {" + "".join(f"?s medkg:x{number} 1 ." for number in range(50)) + "}"

    assert len(unknown_terms(outline(text), KNOWN, NAMESPACES)) == 20
