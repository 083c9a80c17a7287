"""domain/namespaces.py: IRIs are minted, shortened and taken apart in one place."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.term import URIRef

from medkg.domain.errors import ParameterError
from medkg.domain.namespaces import BASE, GRAPH, ID, MEDKG, PREFIXES, compact, local_path, mint, slugify

SLUGS = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)


@given(SLUGS, SLUGS)
@settings(deadline=None)
def test_what_is_minted_can_be_taken_apart(kind: str, slug: str) -> None:
    """An IRI is its type and slug under id/; both can be read from it, and it has a place on this service."""
    iri = mint(kind, slug)
    assert iri == URIRef(f"https://w3id.org/medkg/id/{kind}/{slug}")
    assert slugify(iri) == slug
    assert local_path(iri) == f"/id/{kind}/{slug}"


@pytest.mark.parametrize(
    "part", ["", "-", "a-", "-a", "a--b", "A", "é", "a b", "a/b", "a_b", "a.b", "..", "a\n", "\u0661", "a#b"]
)
def test_only_slugs_are_minted(part: str) -> None:
    """What is no slug, in either part, is refused by name, so that no two spellings make two entities."""
    with pytest.raises(ParameterError, match="is not a slug") as caught:
        mint(part, "good")
    assert caught.value.name == "type"
    with pytest.raises(ParameterError, match=re.escape(repr(part))) as caught:
        mint("good", part)
    assert caught.value.name == "slug"


@pytest.mark.parametrize(
    ("iri", "slug"),
    [
        (ID["action/imaging-lab"], "imaging-lab"),
        (ID["action/imaging-lab/"], "imaging-lab"),
        (MEDKG.Partnership, "Partnership"),
        ("http://data.europa.eu/nuts/code/ITH3", "ITH3"),
        ("https://example.org/", "example.org"),
        ("https://example.org/a#", "a"),
        ("urn:x", "urn:x"),
        ("", ""),
    ],
)
def test_slugify_takes_the_last_segment(iri: str, slug: str) -> None:
    """The last segment of an IRI, behind a slash or a hash, names its entity."""
    assert slugify(iri) == slug


@pytest.mark.parametrize(
    ("iri", "short"),
    [
        (MEDKG.Partnership, "medkg:Partnership"),
        ("http://data.europa.eu/nuts/code/ITH3", "nuts:ITH3"),
        ("http://www.w3.org/2004/02/skos/core#prefLabel", "skos:prefLabel"),
        (GRAPH["inferred"], "graph:inferred"),
        (GRAPH["source/one"], GRAPH["source/one"]),
        (str(MEDKG), str(MEDKG)),
        (MEDKG["a.b"], MEDKG["a.b"]),
        (MEDKG["-a"], MEDKG["-a"]),
        (MEDKG["a-"], MEDKG["a-"]),
        (MEDKG["a-b_2"], "medkg:a-b_2"),
        (MEDKG["é"], MEDKG["é"]),
        ("https://example.org/x", "https://example.org/x"),
        ("", ""),
    ],
)
def test_compact(iri: str, short: str) -> None:
    """An IRI gets a prefix when the rest is a plain local name; otherwise it stays as it is."""
    assert compact(iri) == str(short)


@given(st.sampled_from(sorted(PREFIXES)), st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True))
@settings(deadline=None)
def test_what_is_compact_means_the_same(prefix: str, name: str) -> None:
    """A short form is valid Turtle with medkg's prefixes, and stands for the IRI it was made of."""
    iri = URIRef(PREFIXES[prefix] + name)
    short = compact(iri)
    if short != str(iri):
        head = "".join(f"@prefix {key}: <{value}> .\n" for key, value in PREFIXES.items())
        [object_] = Graph().parse(data=f"{head}<a:s> <a:p> {short} .", format="turtle").objects()
        assert object_ == iri


@pytest.mark.parametrize(
    ("iri", "path"),
    [
        (ID["action/x"], "/id/action/x"),
        (BASE, "/"),
        (MEDKG.Partnership, "/ontology#Partnership"),
        ("https://w3id.org/medkg", None),
        ("https://w3id.org/medkgx/a", None),
        ("http://w3id.org/medkg/id/a", None),
        ("http://data.europa.eu/nuts/code/ITH3", None),
    ],
)
def test_local_path(iri: str, path: str | None) -> None:
    """An IRI of medkg has a path on this service; a foreign one, however alike, has none."""
    assert local_path(iri) == path


def test_prefixes_are_one_to_one() -> None:
    """No two prefixes share a namespace, and each namespace ends where local names begin."""
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert all(namespace[-1] in "/#" for namespace in PREFIXES.values())
    assert all(re.fullmatch(r"[a-z]+", prefix) for prefix in PREFIXES)


def test_prefixes_can_not_be_changed() -> None:
    """The table of prefixes is shared by all, so nobody can write to it."""
    with pytest.raises(TypeError):
        PREFIXES["new"] = "https://example.org/"  # type: ignore[index]
