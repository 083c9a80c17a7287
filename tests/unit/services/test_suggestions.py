"""What may have been meant is offered when it is like what was written, and nothing else."""

import pytest
from tests.unit.services.examining import GOOD, submitted


@pytest.mark.parametrize(
    ("right", "wrong", "code", "suggestion"),
    [
        ("medkg:region", "medkg:regoin", "G-04", "medkg:region"),
        ("medkg:plannedFrom", "medkg:planedFrom", "G-04", "medkg:plannedFrom"),
        ("medkg:usesKET", "medkg:usesket", "G-04", ""),
        ("medkg:usesKET", "medkg:quantum", "G-04", ""),
        ("nuts:PL22", "nuts:PL29", "R-02", "nuts:PL2"),
        ("nuts:PL22", "nuts:ZZ99", "R-02", ""),
    ],
)
def test_a_likely_name_is_offered(right: str, wrong: str, code: str, suggestion: str) -> None:
    """A property is looked for among those of its class, a region among the regions."""
    findings = submitted(GOOD.replace(right, wrong)).findings
    offered = {item.suggestion for item in findings if item.code == code}
    assert offered
    assert all(suggestion in text and bool(text) == bool(suggestion) for text in offered)


def test_a_thing_is_offered_with_its_label_in_the_language() -> None:
    """Where there is no label in the language of the report, any is better than none."""
    wrong = GOOD.replace("nuts:PL22", "nuts:PL29")
    told = {
        language: [
            item.suggestion for item in submitted(wrong, language=language).findings if item.code == "R-02"
        ]
        for language in ("en", "pl")
    }
    assert told["en"] == told["pl"]
    assert told["pl"][0].endswith(" (nuts:PL2)")


def test_nothing_is_offered_for_what_is_missing() -> None:
    """Only what was written can be nearly right."""
    findings = submitted('action:gamma a medkg:InnovationAction ; skos:prefLabel "A centre"@en .').findings
    assert findings
    assert {item.suggestion for item in findings} == {""}
