"""benchmarks/submissions.py: what is measured is first shown to be right."""

from pathlib import Path

from benchmarks.submissions import beside
from benchmarks.validators.graph import SUBMISSIONS, Size


def test_a_submission_is_checked_beside_a_graph(tmp_path: Path) -> None:
    """Each submission is compared with a validation of everything, and each step has its times."""
    found, forks = beside(Size(40, 30, 5, 30, 5, 10), tmp_path, repeats=2)
    assert set(found) == set(SUBMISSIONS)
    for times in found.values():
        assert {name: len(values) for name, values in times.items()} == dict.fromkeys(
            ("insert", "scope", "validate", "total"), 2
        )
    assert len(forks) == 2
