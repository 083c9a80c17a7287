"""tools/make_nuts.py: what it writes is what is committed, and it refuses inputs that it was not made for."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "make_nuts.py"
COMMITTED = ROOT / "data" / "nuts.ttl"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_nuts", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inputs(tool: ModuleType) -> tuple[Any, Any, Any]:
    """The curated rows, the workbook and the codes in force: what check_retired compares."""
    return tool.read_retired(), tool.read_workbook(tool.DATA_PATH / tool.WORKBOOK), tool.read_current()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_committed_file_is_what_the_script_makes(tmp_path: Path) -> None:
    """Running the script anew gives the committed data/nuts.ttl byte for byte."""
    made = tmp_path / "nuts.ttl"
    result = run("-o", str(made))
    assert result.returncode == 0, result.stderr
    assert made.read_bytes() == COMMITTED.read_bytes()
    assert "2204 regions in force, 57 retired" in result.stdout


def test_check_passes_on_the_committed_file() -> None:
    """--check succeeds as long as nobody edits the generated file."""
    result = run("--check")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("edited", [None, b"", b"# another file\n"], ids=["missing", "empty", "edited"])
def test_check_fails_on_any_other_file(
    tool: ModuleType, tmp_path: Path, edited: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check fails, says what to do and leaves the file alone when it is not what the script makes."""
    target = tmp_path / "nuts.ttl"
    if edited is not None:
        target.write_bytes(edited)
    assert tool.main(["--check", "-o", str(target)]) == 1
    assert "run it without --check" in capsys.readouterr().err
    assert (target.read_bytes() if target.exists() else None) == edited


@pytest.mark.parametrize(
    ("code", "parent"),
    [
        ("PL22", "PL2"),
        ("PL2", "PL"),
        ("UKN06", "UKN0"),
        ("UKN10", "UKN0"),
        ("UKN16", "UKN0"),
        ("UKN0", "UKN"),
    ],
)
def test_parents(tool: ModuleType, code: str, parent: str) -> None:
    """The parent is the code without its last character, but UKN0 for the districts from UKN10 on."""
    assert tool.parent_of(code) == parent


@pytest.mark.parametrize(
    ("code", "default", "tags"),
    [
        ("PL22", "pl", ("pl",)),
        ("BE10", "nl", ("fr", "nl")),
        ("BE211", "nl", ("nl",)),
        ("BE335", "nl", ("fr",)),
        ("BE336", "nl", ("de",)),
        ("CH0", "de", ("de", "fr", "it")),
        ("CH033", "de", ("de",)),
        ("CH013", "de", ("fr",)),
        ("CH070", "de", ("it",)),
        ("FI200", "fi", ("sv",)),
        ("FI1B", "fi", ("fi",)),
        ("ES212", "es", ("eu",)),
    ],
)
def test_languages(tool: ModuleType, code: str, default: str, tags: tuple[str, ...]) -> None:
    """A label is in the main language of its country unless the table names its region or one above it."""
    assert tool.languages_of(code, default) == tags


def test_labels_in_several_languages_are_divided(tool: ModuleType) -> None:
    """A label with slashes gives one label per language, one without is the same in each of them."""
    divided = tool.split_label("Bern / Berne", ("de", "fr"))
    assert [(label.text, label.tag) for label in divided] == [("Bern", "de"), ("Berne", "fr")]
    shared = tool.split_label("Espace Mittelland", ("de", "fr"))
    assert [label.text for label in shared] == ["Espace Mittelland", "Espace Mittelland"]
    assert tool.split_label("Arnhem/Nijmegen", ("nl",))[0].text == "Arnhem/Nijmegen"
    with pytest.raises(tool.InputError, match="2 parts"):
        tool.split_label("a/b", ("de", "fr", "it"))


def test_mixed_scripts_are_repaired_or_refused(tool: ModuleType) -> None:
    """A Latin look-alike in a Greek word becomes Greek; a mixture that stays one is refused."""
    assert tool.repair_script("A\N{GREEK SMALL LETTER TAU}") == (
        "\N{GREEK CAPITAL LETTER ALPHA}\N{GREEK SMALL LETTER TAU}"
    )
    assert tool.repair_script("Śląskie") == "Śląskie"
    with pytest.raises(tool.InputError, match="mixes scripts"):
        tool.repair_script("T\N{CYRILLIC SMALL LETTER O}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "Elsewhere"}, "in the workbook"),
        ({"change": "split"}, "in the workbook"),
        ({"replaced_by": ("NL33",)}, "current codes"),
        ({"replaced_by": ()}, "current codes"),
        ({"code": "NL99"}, "must list each"),
    ],
)
def test_a_retired_table_that_contradicts_the_workbook_is_refused(
    tool: ModuleType, inputs: tuple[Any, Any, Any], change: dict[str, object], message: str
) -> None:
    """Label, kind of change, replacement and code of each retired row must agree with the workbook."""
    rows, book, current = inputs
    tool.check_retired(rows, book, current)
    rows = list(rows)
    index = next(i for i, row in enumerate(rows) if row.code == "NL31")
    rows[index] = replace(rows[index], **change)
    with pytest.raises(tool.InputError, match=message):
        tool.check_retired(rows, book, current)


def test_a_code_change_has_one_replacement(tool: ModuleType, inputs: tuple[Any, Any, Any]) -> None:
    """Where the workbook gives both codes the curated table must give the same one."""
    rows, book, current = inputs
    rows = list(rows)
    index = next(i for i, row in enumerate(rows) if row.code == "PT16B")
    rows[index] = replace(rows[index], replaced_by=("PT191",))
    with pytest.raises(tool.InputError, match="PT16B became PT1D1"):
        tool.check_retired(rows, book, current)


def test_another_package_version_is_refused(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script runs on the one package version whose traps it knows."""
    monkeypatch.setattr(tool, "PACKAGE_VERSION", "9.9.9")
    with pytest.raises(tool.InputError, match=r"9\.9\.9 is needed"):
        tool.build_regions()


def test_strings_are_escaped(tool: ModuleType) -> None:
    """Quotes and backslashes in a label cannot end the Turtle string."""
    assert tool.literal('a"b\\c', "en") == '"a\\"b\\\\c"@en'
