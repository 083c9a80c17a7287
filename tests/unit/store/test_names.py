"""store/names.py: a name stands for the IRI that the engine makes of it."""

from contextlib import suppress

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.store.names import Names
from medkg.store.tokens import read


def expanded(text: str, base: str = "") -> str | None:
    tokens = read(text).tokens
    names = Names(base)
    return names.expand(tokens[names.declare(tokens, 0)])


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("<http://a/b>", "http://a/b"),
        ("<http://a/\\u00e9>", "http://a/é"),
        ("medkg:X", "https://w3id.org/medkg/ontology#X"),
        ("PREFIX medkg: <a:> medkg:X", "a:X"),
        ("PREFIX:<a:> :x", "a:x"),
        ("PREFIXe:<a:> e:x", "a:x"),
        ("BASE <http://b/c/d> PREFIX e: <e#> e:x", "http://b/c/e#x"),
        ("BASE <http://b/c/d> VERSION '1.2' BASE <../e/> <f>", "http://b/e/f"),
        ("BASE <http://b/> <http://a/c/../d>", "http://a/c/../d"),
        ("BASE <urn:b:c> <d>", "urn:d"),
        ("e:x", None),
        ("<relative>", None),
    ],
)
def test_a_name_is_expanded(text: str, iri: str | None) -> None:
    """Prefixes, escapes and bases are resolved; what has no IRI has none."""
    assert expanded(text) == iri


@given(
    st.sampled_from(["http://b/c/d?e#f", "urn:x:y", "http://b", "a:b/c"]),
    st.text(alphabet="ab/.:?#%2é", max_size=8),
)
def test_an_iri_is_resolved_as_the_engine_does(base: str, relative: str) -> None:
    """A relative IRI is the one that a query with the same base has."""
    made = None
    with suppress(SyntaxError):
        answer = ox.Store().query(f"BASE <{base}> SELECT (STR(<{relative}>) AS ?x) {{}}")
        assert isinstance(answer, ox.QuerySolutions)
        term = next(answer)["x"]
        made = term.value if isinstance(term, ox.Literal) else None
    if made is not None:
        assert expanded(f"BASE <{base}> <{relative}>") == made


def test_many_declarations_take_little_time() -> None:
    """Thousands of prefixes are read one by one, not copied each time."""
    text = "".join(f"PREFIX a{number}: <a:>" for number in range(20_000)) + " a7:x"

    assert expanded(text) == "a:x"
