"""domain/errors.py: one tree, as its docstring draws it; every error says what is wrong and what to do."""

import inspect
import pickle
import re
from pathlib import Path

import pytest

from medkg.domain import errors
from medkg.domain.errors import (
    CallError,
    GraphInvalid,
    InputError,
    MedkgError,
    ParameterError,
    QuerySyntaxError,
    ServiceError,
    SourceFileError,
)
from medkg.domain.model import Finding, Severity

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, MedkgError) and found.__module__ == errors.__name__
]


def _drawn() -> dict[str, str]:
    """Return the parent of each error in the drawing of the module's docstring."""
    parents: dict[int, str] = {}
    tree: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    (?P<indent>(?:\|?   ?)*)\+? ?(?P<name>[A-Z]\w+)(?:  .*)?", line)
        if match:
            column = line.index(match["name"])
            parents = {place: name for place, name in parents.items() if place < column}
            tree[match["name"]] = parents[max(parents)] if parents else "Exception"
            parents[column] = match["name"]
    return tree


def test_the_tree_is_as_it_is_drawn() -> None:
    """Every error stands in the drawing under its own parent, and the drawing has no other."""
    assert _drawn() == {found.__name__: found.__bases__[0].__name__ for found in CLASSES}


def test_all_errors_are_public() -> None:
    """The module offers exactly its errors, sorted, and the two ways between processes."""
    assert errors.__all__ == [*sorted(found.__name__ for found in CLASSES), "from_wire", "to_wire"]


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_error_has_a_meaning_and_an_exit_code(found: type[MedkgError]) -> None:
    """Each error has a sentence of meaning; bad input exits with 1, a wrong call with 2, a failure with 3."""
    branch = next(
        (
            code
            for base, code in ((InputError, 1), (CallError, 2), (ServiceError, 3))
            if issubclass(found, base)
        ),
        3,
    )
    assert found.exit_code == branch
    assert found.__doc__
    assert found.__doc__ != MedkgError.__doc__ or found is MedkgError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MedkgError("It broke."), "It broke."),
        (MedkgError("It broke.", remedy="Mend it."), "It broke. Mend it."),
        (SourceFileError(Path("a.ttl"), "it is empty."), "a.ttl: it is empty."),
        (SourceFileError(Path("a.ttl"), "no dot.", line=3, remedy="Add it."), "a.ttl:3: no dot. Add it."),
        (QuerySyntaxError("No.", line=1, column=2, remedy="Look."), "No. Look."),
        (ParameterError("date", "No date.", remedy="Write one."), "No date. Write one."),
    ],
)
def test_an_error_reads_as_one_paragraph(error: MedkgError, text: str) -> None:
    """The text of an error is what is wrong, with its place, and then what to do."""
    assert str(error) == text


def test_errors_keep_their_parts() -> None:
    """A face can show path, line, column, name and findings by themselves."""
    file = SourceFileError(Path("a.ttl"), "no dot.", line=3, remedy="Add it.")
    assert (file.path, file.line, file.reason, file.remedy) == (Path("a.ttl"), 3, "no dot.", "Add it.")
    syntax = QuerySyntaxError("No.", line=1, column=2)
    assert (syntax.line, syntax.column, syntax.message, syntax.remedy) == (1, 2, "No.", "")
    assert ParameterError("date", "No date.").name == "date"
    finding = Finding("A-01", Severity.VIOLATION, "Too long.", "https://example.org/a")
    assert GraphInvalid("Bad.", [finding]).findings == (finding,)


@pytest.mark.parametrize(
    "error", [MedkgError("It broke.", remedy="Mend it."), errors.Busy("Wait.", remedy="Now.")]
)
def test_plain_errors_travel_between_processes(error: MedkgError) -> None:
    """An error that a child process reports comes out as it went in."""
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(back), str(back), back.message, back.remedy) == (
        type(error),
        str(error),
        error.message,
        error.remedy,
    )
