"""The rules of a version: which there are, and how grave each is in a profile."""

import pytest
from rdflib import Namespace
from rdflib.namespace import SH
from tests.unit.services.examining import public, rules

from medkg.domain.errors import ParameterError
from medkg.domain.model import Severity
from medkg.domain.namespaces import MEDKG, NUTS
from medkg.services.rules import PROFILES, Rules, insist_on

SHAPES = Namespace("https://w3id.org/medkg/shapes#")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_known_by_its_name(name: str) -> None:
    """The profiles are those that the shapes speak of."""
    insist_on(name)
    assert (SHAPES[f"{name.capitalize()}Profile"], None, None) in rules().shapes


@pytest.mark.parametrize("name", ["", "strict", "Draft", "draft ", "x" * 900])
def test_another_name_is_refused(name: str) -> None:
    """What is no profile is refused with the names of those that there are, and is not repeated at length."""
    with pytest.raises(ParameterError) as refused:
        insist_on(name)
    assert "draft, submission, publication" in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("profile", "severity"),
    [("draft", None), ("submission", Severity.VIOLATION), ("publication", Severity.WARNING)],
)
def test_a_rule_is_as_grave_as_the_profile_has_it(profile: str, severity: Severity | None) -> None:
    """The responsible organisation may be missing in a draft, and must be named in a submission."""
    shape = SHAPES["InnovationAction-responsible"]
    assert rules().severity(shape, Severity.WARNING, profile) is severity


def test_a_rule_without_a_difference_keeps_its_severity() -> None:
    """Most rules are as grave in all profiles."""
    shape = SHAPES["RegionReference-known"]
    assert {rules().severity(shape, Severity.INFO, profile) for profile in PROFILES} == {Severity.INFO}


def test_a_shape_is_found_in_its_graph() -> None:
    """The rules for a submitted graph stand apart from those for the merge."""
    closed = SHAPES["SubmittedInnovationAction"]
    assert (closed, SH.closed, None) in rules().graph_of(closed)
    assert rules().graph_of(SHAPES["InnovationAction-responsible"]) is rules().shapes


def test_what_a_value_may_be_is_remembered() -> None:
    """The things of each class that a value may have to be of are known, to be suggested."""
    assert str(NUTS.PL22) in rules().instances[MEDKG.Region]


def test_rules_without_shapes_find_nothing() -> None:
    """A graph without shapes has no rules, no version, and nothing to be of a class."""
    empty = Rules(public(), [], [])
    assert (empty.version, empty.instances, list(empty.plan.checks)) == ("", {}, [])
