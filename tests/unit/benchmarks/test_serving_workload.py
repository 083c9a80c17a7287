"""benchmarks/workload.py: 27 kinds of question in two texts that ask the same, in mixes that never change."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

ROOT = Path(__file__).resolve().parents[3]
ACTIONS = 1_000
"""As many as the page of actions by name needs that starts at the thousandth."""


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def world() -> Any:
    from benchmarks import data

    return data.world(ACTIONS)


@pytest.fixture(scope="module")
def store(world: Any, tmp_path_factory: pytest.TempPathFactory) -> ox.Store:
    """The graph with its closure in memory."""
    from benchmarks import data

    folder = tmp_path_factory.mktemp("bench")
    files = folder / "data.nt", folder / "closure.nt"
    data.write(world, *files)
    store = ox.Store()
    for file in files:
        store.bulk_load(path=file)
    return store


def _bag(store: ox.Store, text: str) -> Counter[str]:
    found = store.query(text)
    if isinstance(found, ox.QueryBoolean):
        return Counter([str(bool(found))])
    if isinstance(found, ox.QueryTriples):
        return Counter(map(str, found))
    return Counter("\t".join(map(str, row)) for row in found)


def test_there_are_27_kinds_of_question_under_different_names() -> None:
    """No kind is lost or doubled, and some are heavy."""
    from benchmarks.workload import TEMPLATES

    assert len({one.name for one in TEMPLATES}) == len(TEMPLATES) == 27
    assert 0 < sum(one.heavy for one in TEMPLATES) < 27


def test_both_texts_of_every_question_give_the_same_bag(world: Any, store: ox.Store) -> None:
    """Property paths and the closure find the same, for three variants of each kind."""
    from benchmarks.workload import TEMPLATES, variants

    for template in TEMPLATES:
        pairs = zip(variants(template, world, "plain"), variants(template, world, "closure"), strict=True)
        for plain, closure in list(pairs)[:3]:
            assert _bag(store, plain.query) == _bag(store, closure.query), plain.query


def test_every_kind_of_question_finds_something(world: Any, store: ox.Store) -> None:
    """At least one variant of each kind has an answer that is not empty, so that no kind measures nothing."""
    from benchmarks.workload import TEMPLATES, variants

    empty = [
        template.name
        for template in TEMPLATES
        if not any(_bag(store, one.query) for one in variants(template, world, "plain"))
    ]
    assert empty == []


def test_only_questions_over_a_tree_have_a_second_text() -> None:
    """The two texts differ where, and only where, the plain one goes up a tree by a path."""
    from benchmarks.workload import TEMPLATES

    for one in TEMPLATES:
        assert ("skos:broader*" in one.plain) == bool(one.closure), one.name
        assert "skos:broader*" not in one.closure
        assert ("skos:broaderTransitive" in one.closure) == bool(one.closure)


@pytest.mark.parametrize("kind", ["plain", "closure"])
def test_variants_are_different_and_at_most_50(world: Any, kind: Any) -> None:
    """No variant stands twice, no name is left to fill in."""
    from benchmarks.workload import TEMPLATES, VARIANTS, variants

    for template in TEMPLATES:
        texts = [one.query for one in variants(template, world, kind)]
        assert len(set(texts)) == len(texts) <= VARIANTS
        assert ("$" in template.plain) == (len(texts) > 1)
        assert not any("$" in text for text in texts)


@pytest.mark.parametrize("kind", ["light", "full"])
def test_a_mix_is_4000_requests_that_never_change(world: Any, kind: Any) -> None:
    """The same questions come in the same order each time, and in the same order for both texts."""
    from benchmarks.workload import mix

    plain = mix(kind, world, "plain")
    assert len(plain) == 4_000
    assert plain == mix(kind, world, "plain")
    closure = mix(kind, world, "closure")
    assert [(one.template, one.variant) for one in plain] == [(one.template, one.variant) for one in closure]
    assert plain != closure


def test_the_full_mix_is_the_light_one_with_5_percent_heavy_questions(world: Any) -> None:
    """A light mix has no heavy question, a full one 200."""
    from benchmarks.workload import mix

    heavy = {kind: sum(one.template.heavy for one in mix(kind, world, "plain")) for kind in ("light", "full")}
    assert heavy == {"light": 0, "full": 200}


def test_first_variants_come_more_often(world: Any) -> None:
    """Half of the requests go to the first eighth of the variants: N * u ** 3."""
    from benchmarks.workload import TEMPLATES, mix, variants

    points = [one.variant for one in mix("light", world, "plain") if one.template.name == "point"]
    number = len(variants(TEMPLATES[0], world, "plain"))
    first = sum(variant < number / 8 for variant in points)
    assert 0.4 < first / len(points) < 0.65
